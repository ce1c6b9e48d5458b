"""Our hints: what a visit begins with that ended well, and the secret of the tokens we give."""

import hashlib
import hmac

from federation.session import Hint, Hinted
from node.journal.keyring import Keyring
from node.store import marks
from node.store.network import hints


def of(partner: bytes) -> Hint | None:
    """Return what the next visit to a partner begins with, None before the first whole one."""
    kept = hints.find(partner)
    return Hint(kept.token, kept.arrival) if kept else None


def keep(partner: bytes, event: Hinted) -> None:
    """Keep what the next visit begins with."""
    hints.keep(partner, event.token, event.arrival)


def secret(keyring: Keyring) -> bytes:
    """Return the key of our tokens: another one for every generation of the database."""
    text = b"lavoir-hints/1" + marks.read(marks.GENERATION).encode()
    return hmac.digest(keyring.secret, text, hashlib.sha256)
