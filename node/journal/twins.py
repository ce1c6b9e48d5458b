"""The twins: two machines with the keys of one town, a copied card say, must not both go on.

Each start of the server takes a nonce (`wake`) and shows it to the partners (federation.boot). Who
hears of a nonce it never took is not alone: it stops writing (restore mode) until a person says
which one lives. It then takes a new nonce, so that the other hears of it and stops too.
"""

import json
import secrets
from collections.abc import Sequence

from federation import boot
from federation.boot import NONCE_BYTES, Boot
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey
from federation.keyset import Keyset
from node.journal import restoring
from node.store import marks
from node.store.database import write_tx
from node.store.network import nonces

KEPT = 500  # own nonces remembered; a node that restarts daily has that many in a year
OFFERED = "boot offered"  # the last of them that any partner may have seen


def wake() -> None:
    """Take a new nonce, to be shown to every partner at the next visit.

    It takes the place of one that nobody was shown: a node that starts again and again, far from
    its partners, forgets none that they may know.
    """
    with write_tx():
        taken, offered = _own(), marks.read(OFFERED)
        known = taken if not offered or taken[-1:] == [offered] else taken[:-1]
        taken = [*known, secrets.token_hex(NONCE_BYTES)][-KEPT:]
        marks.write(marks.BOOTS, json.dumps(taken))


def to_show(key: SigningKey, own: bytes, partner: bytes) -> bytes:
    """Return our start as it is shown to a partner, b"" while no server was ever started here."""
    taken = _own()
    if not taken:
        return b""
    if marks.read(OFFERED) != taken[-1]:  # before it is sent: the answer may be lost
        marks.write(OFFERED, taken[-1])
    gen = marks.number(marks.RESTORED_S)
    return boot.sign(key, own, partner, bytes.fromhex(taken[-1]), gen)


def is_shown(partner: bytes) -> bool:
    """Return whether a partner was shown our last start; nothing to show counts as shown."""
    taken = _own()
    return not taken or marks.read(_shown_to(partner)) == taken[-1]


def heard(raw: bytes, own: bytes, partner: bytes, keysets: Sequence[Keyset], now_ms: int) -> bool:
    """Judge what a partner answered to our start: the last one of ours it saw before, or b"".

    Returns whether there is a twin; then nothing is signed any more. What nobody of this town
    signed proves nothing, and a start from before our last restore is of no account.
    """
    with write_tx():
        taken = _own()
        marks.write(_shown_to(partner), taken[-1] if taken else "")
        try:
            told = boot.read(raw, own, partner, keysets) if raw else None
        except RemoteProtocolError:
            return False
        mode = restoring.state()
        if told is None or told.nonce.hex() in taken or told.gen < marks.number(marks.RESTORED_S):
            return False
        if mode is not None and mode.why not in restoring.BY_HAND:
            return False  # the database went back in time: it may have taken that nonce itself
        if mode is None or mode.why != restoring.TWIN:
            restoring.begin(now_ms, restoring.TWIN)
            wake()  # the other hears of this one, and stops too
        return True


def visited_by(peer: bytes, shown: Boot) -> bytes:
    """Keep the start a peer shows; return the last one it showed before.

    Another than the last: whoever spoke before must say hello again, and then shows its own.
    """
    with write_tx():
        before = bytes.fromhex(marks.read(_of(peer)))
        if before != shown.raw:
            marks.write(_of(peer), shown.raw.hex())
            nonces.forget(peer)
    return before


def _own() -> list[str]:
    taken: list[str] = json.loads(marks.read(marks.BOOTS, "[]"))
    return taken


def _shown_to(partner: bytes) -> str:
    return f"boot shown to {partner.hex()}"


def _of(peer: bytes) -> str:
    return f"boot of {peer.hex()}"
