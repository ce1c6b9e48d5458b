"""The pairing of two towns: keysets exchanged once under a code two people passed on (SPEC.md 6).

The invitation is an address and a one-use code. The asking town proves it knows the code with an
HMAC over what it says of itself; the inviting town answers in the same way over the same nonce.
Neither learns the code from the other, and the six words compared by voice afterwards catch anyone
who sat in between.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any, Final

from federation import codec
from federation.errors import RemoteProtocolError
from federation.keyset import Keyset, parse_keyset, verify_chain

CODE_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
CODE_LETTERS: Final = 10  # 50 bits: enough for a code that lives 15 minutes and has few tries
CODE_LIFE_MS: Final = 15 * 60 * 1_000
NONCE_BYTES: Final = 16
CARD_MAX_BYTES: Final = 4_096
NAME_MAX_LETTERS: Final = 80
URL_MAX_LETTERS: Final = 300
_TYPES: Final = {"ask": "lavoir-pair-ask/1", "answer": "lavoir-pair-answer/1"}
_URL: Final = re.compile(r"https?://[!-~]+")


@dataclass(frozen=True)
class Card:
    """What a town says of itself when it is paired: its keysets, its name and where it answers."""

    genesis: Keyset
    keyset: Keyset
    name: str
    url: str

    @property
    def town(self) -> bytes:
        """The town id, 32 bytes."""
        return self.genesis.town


def read_code(typed: str) -> str:
    """Return a code as typed by a person in its one form: upper case, no separators, I L O mended.

    Raises RemoteProtocolError("bad_invitation").
    """
    letters = re.sub(r"[\s-]", "", typed).upper().translate(str.maketrans("ILO", "110"))
    if len(letters) != CODE_LETTERS or set(letters) - set(CODE_ALPHABET):
        raise RemoteProtocolError("bad_invitation", "the code")
    return letters


def encode(role: str, card: Card, nonce: bytes, code: str) -> bytes:
    """Return the message of `role` ("ask" or "answer"): a card, the nonce and their HMAC."""
    said: dict[int, Any] = {
        0: _TYPES[role],
        1: nonce,
        2: card.genesis.raw,
        3: card.keyset.raw,
        4: card.name,
        5: card.url,
    }
    said[6] = _mac(said, code)
    return codec.dumps(said)


def decode(role: str, raw: bytes, code: str) -> tuple[Card, bytes]:
    """Return the card and nonce of a message; raises RemoteProtocolError("bad_invitation").

    The code is checked before anything inside is believed or parsed further.
    """
    said = _fields(role, raw)
    mac = said.pop(6)
    if not hmac.compare_digest(mac, _mac(said, code)):
        raise RemoteProtocolError("bad_invitation", "the code does not fit", 403)
    first, latest = parse_keyset(said[2]), parse_keyset(said[3])
    verify_chain(first, latest)
    return Card(first, latest, said[4], said[5]), said[1]


def _fields(role: str, raw: bytes) -> dict[int, Any]:
    if len(raw) > CARD_MAX_BYTES:
        raise RemoteProtocolError("too_big", "pairing")
    said = codec.loads(raw)
    kinds = (str, bytes, bytes, bytes, str, str, bytes)
    if not isinstance(said, dict) or list(said) != list(range(7)):
        raise RemoteProtocolError("bad_invitation", "fields")
    if [type(value) for value in said.values()] != list(kinds) or said[0] != _TYPES[role]:
        raise RemoteProtocolError("bad_invitation", "types")
    if len(said[1]) != NONCE_BYTES or not 0 < len(said[4]) <= NAME_MAX_LETTERS:
        raise RemoteProtocolError("bad_invitation", "lengths")
    if len(said[5]) > URL_MAX_LETTERS or not _URL.fullmatch(said[5]):
        raise RemoteProtocolError("bad_invitation", "address")
    return said


def _mac(said: dict[int, Any], code: str) -> bytes:
    return hmac.new(code.encode(), codec.dumps(said), hashlib.sha256).digest()
