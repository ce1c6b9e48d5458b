"""The look-up: what anyone may ask of a host about one town, by the root key that is on its paper.

    GET /federation/v1/town?root=<64 hex>
    ──▶ {0: [genesis, newest keyset], 1: [the host's genesis, its newest keyset], 2: its name}
Unsigned both ways: keysets prove themselves, and the name is only shown beside six words (SPEC.md
section 12).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from federation import limits
from federation.errors import RemoteProtocolError
from federation.forms import fields, many, message, octets_up_to, text
from federation.keyset import KEYSET_MAX_BYTES, Keyset, parse_keyset, verify_chain

PATH: Final = f"{limits.PREFIX}town"
LOOKUP_MAX_BYTES: Final = 8 * 1024
_NAME_MAX_CHARS: Final = 80
_QUERY: Final = re.compile("root=([0-9a-f]{64})")
_pair = many(octets_up_to(KEYSET_MAX_BYTES), 2)


class Lookup(NamedTuple):
    """The answer: first and newest keyset of the town asked for and of the host, each in bytes."""

    town: tuple[bytes, ...]
    host: tuple[bytes, ...]
    name: str

    def encode(self) -> bytes:
        """Return the bytes of the answer."""
        return message(dict(enumerate(self)))

    @classmethod
    def decode(cls, raw: bytes) -> Lookup:
        """Read the answer. Raises RemoteProtocolError("bad_cbor" | "bad_message")."""
        return cls(*fields(raw, {0: _pair, 1: _pair, 2: text(_NAME_MAX_CHARS)}))


class Found(NamedTuple):
    """What a look-up proved: keysets of the town and of the host, oldest first."""

    town: tuple[Keyset, ...]
    host: tuple[Keyset, ...]
    name: str


def query(root: bytes) -> str:
    """Return the query that asks for the town of a root public key (32 bytes)."""
    return f"root={root.hex()}"


def read_query(text: str) -> bytes:
    """Return the root asked for. Raises RemoteProtocolError("bad_message")."""
    found = _QUERY.fullmatch(text)
    if not found:
        raise RemoteProtocolError("bad_message", "not a look-up")
    return bytes.fromhex(found[1])


def first_and_last(keysets: Sequence[Keyset]) -> tuple[bytes, ...]:
    """Return the bytes of a town's genesis and its newest keyset, once if they are one."""
    return tuple(dict.fromkeys((keysets[0].raw, keysets[-1].raw)))


def found(raw: bytes, root: bytes) -> Found:
    """Read an answer and check that every keyset belongs, the town's to `root`.

    Raises RemoteProtocolError: bad_message, bad_keyset and the like, broken_chain.
    """
    told = Lookup.decode(raw)
    town, host = _chain(told.town), _chain(told.host)
    if town[0].root != root:
        raise RemoteProtocolError("broken_chain", "another root's town")
    return Found(town, host, told.name)


def _chain(raws: Sequence[bytes]) -> tuple[Keyset, ...]:
    if not raws:
        raise RemoteProtocolError("bad_message", "no keyset")
    keysets = tuple(parse_keyset(raw) for raw in raws)
    verify_chain(keysets[0], keysets[-1])
    return keysets
