"""A keyset: the root's word on which key signs for a town from now on (SPEC.md section 3).

A town's id is the SHA-256 of its first keyset, so it outlives every signing key. The root signs
keysets and nothing else; it is on paper, not on the server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from federation import codec, keys
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.keys import SigningKey
from federation.stamp import DAY_S, day_start_s

TYPE: Final = "lavoir-keyset/1"
KEYSET_MAX_BYTES: Final = 1_024
HELD_MAX: Final = 256  # keysets of one town; one a year is many
RETIRED_AFTER_DAYS: Final = 30  # records under a replaced keyset live on so long, then die
NUMBER_MAX: Final = 2**40

GENESIS: Final = "genesis"
ROUTINE: Final = "routine"
LOST: Final = "lost"
COMPROMISE: Final = "compromise"
REASONS: Final = (ROUTINE, LOST, COMPROMISE)

_FORM: Final = (str, bytes, int, bytes, bytes, str, bytes)


class Keyset(NamedTuple):
    """A keyset whose form and root signature were checked; `town` is the id of its genesis."""

    raw: bytes
    id: bytes
    town: bytes
    root: bytes
    number: int  # unix seconds of its making; the greatest is in force
    previous: bytes  # id of the keyset it replaces, empty in a genesis
    signing: bytes
    reason: str

    @property
    def is_genesis(self) -> bool:
        """Whether this keyset founds its town."""
        return self.reason == GENESIS


def genesis(root_seed: bytes, signing_public: bytes, number: int) -> Keyset:
    """Found a town: the first keyset, whose SHA-256 is the town's id. `number` is unix seconds."""
    return _sign(root_seed, number, b"", signing_public, GENESIS, b"")


def next_keyset(
    root_seed: bytes,
    previous: Keyset,
    signing_public: bytes,
    number: int,
    reason: str = ROUTINE,
) -> Keyset:
    """Replace a town's signing key. Raises LocalProtocolError if root or number does not fit."""
    if SigningKey.from_seed(root_seed).public != previous.root:
        raise LocalProtocolError("broken_chain", "these words belong to another town")
    if number <= previous.number or reason not in REASONS:
        raise LocalProtocolError("bad_keyset", "its number must grow and its reason be known")
    return _sign(root_seed, number, previous.id, signing_public, reason, previous.town)


def parse_keyset(raw: bytes) -> Keyset:
    """Read a keyset and check its root's signature.

    Raises RemoteProtocolError: too_big, bad_cose, bad_cbor, bad_type, bad_keyset, bad_public_key,
    bad_signature.
    """
    if len(raw) > KEYSET_MAX_BYTES:
        raise RemoteProtocolError("too_big", f"{len(raw)} bytes")
    payload, signature = codec.sign1_split(raw)
    fields = codec.loads(payload)
    _check_form(fields)
    _, root, number, previous, signing, reason, town = fields.values()
    keys.check_public(root)
    keys.check_public(signing)
    if not keys.verify(root, signature, codec.sign1_message(payload)):
        raise RemoteProtocolError("bad_signature", "not the root's")
    identity = hashlib.sha256(raw).digest()
    return Keyset(raw, identity, town or identity, root, number, previous, signing, reason)


def verify_chain(first: Keyset, latest: Keyset) -> None:
    """Check that `latest` speaks for the town `first` founded; steps between are not needed.

    Every keyset carries its town id and the one root's signature. Raises
    RemoteProtocolError("broken_chain").
    """
    if not first.is_genesis:
        raise RemoteProtocolError("broken_chain", "does not begin with a genesis")
    if latest.id == first.id:
        return
    is_child = latest.town == first.id and latest.root == first.root
    if latest.is_genesis or not is_child or latest.number <= first.number:
        raise RemoteProtocolError("broken_chain")


def check_next(held: Sequence[Keyset], offered: Keyset) -> bool:
    """Whether `offered` is new among the keysets `held` of its town (genesis first, by number).

    Raises RemoteProtocolError: broken_chain, over_quota (a root that signs without end), or
    keyset_equivocation if another keyset holds its number, after which nothing of that town can be
    believed until its admin speaks.
    """
    if not held:
        raise RemoteProtocolError("broken_chain", "no genesis is held")
    verify_chain(held[0], offered)
    for keyset in held:
        if keyset.number == offered.number:
            if keyset.id != offered.id:
                raise RemoteProtocolError("keyset_equivocation")
            return False
    if len(held) >= HELD_MAX:
        raise RemoteProtocolError("over_quota", "more keysets than a town needs in its life")
    return True


def compromised(held: Sequence[Keyset]) -> frozenset[int]:
    """Numbers among `held` (by number) that a later keyset calls compromised: dead at once."""
    last = max((keyset.number for keyset in held if keyset.reason == COMPROMISE), default=0)
    return frozenset(keyset.number for keyset in held if keyset.number < last)


def retired(held: Sequence[Keyset], as_of: int) -> frozenset[int]:
    """Numbers among `held` (by number) whose records are dead on the UTC day `as_of`.

    A replaced keyset dies 30 days after its successor's number, or at once when compromised.
    """
    life_s = RETIRED_AFTER_DAYS * DAY_S
    return compromised(held) | {
        older.number
        for older, newer in pairwise(held)
        if newer.number + life_s <= day_start_s(as_of)
    }


def _sign(
    root_seed: bytes, number: int, previous: bytes, signing: bytes, reason: str, town: bytes
) -> Keyset:
    root = SigningKey.from_seed(root_seed)
    fields = (TYPE, root.public, number, previous, signing, reason, town)
    payload = codec.dumps(dict(enumerate(fields)))
    try:
        return parse_keyset(codec.sign1_join(payload, root.sign(codec.sign1_message(payload))))
    except RemoteProtocolError as error:
        raise LocalProtocolError(error.code, error.detail) from error


def _check_form(fields: Any) -> None:
    """Exactly the seven fields; a genesis has no links and every other keyset has both."""
    if type(fields) is not dict or not fields or fields.get(0) != TYPE:
        raise RemoteProtocolError("bad_type")
    if tuple(fields) != tuple(range(7)) or tuple(map(type, fields.values())) != _FORM:
        raise RemoteProtocolError("bad_keyset", "not the seven fields")
    _, root, number, previous, signing, reason, town = fields.values()
    length = 0 if reason == GENESIS else 32
    if len(previous) != length or len(town) != length:
        raise RemoteProtocolError("bad_keyset", "a link too many or too few")
    if reason not in (GENESIS, *REASONS):
        raise RemoteProtocolError("bad_keyset", "an unknown reason")
    if not 0 < number < NUMBER_MAX:
        raise RemoteProtocolError("bad_keyset", "number")
    if root == signing:
        raise RemoteProtocolError("bad_keyset", "the root signs keysets only")
