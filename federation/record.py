"""A record: one signed revision of one register, kept as the bytes it came in (SPEC.md section 4).

A register is (origin, key) and only its origin writes it. A record's id is the SHA-256 of all its
bytes; it is stored, relayed and exported as those bytes and never encoded again.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple

from federation import codec, keys
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.keys import SigningKey
from federation.stamp import DAY_S, is_stamp, stamp_unix_s

TYPE: Final = "lavoir-record/1"
SCOPE_PUBLIC: Final = 0
SCOPE_PARTNERS: Final = 1
SCOPE_SEALED: Final = 2
SCOPES: Final = (SCOPE_PUBLIC, SCOPE_PARTNERS, SCOPE_SEALED)
LIVE: Final = 0
TOMBSTONE: Final = 1

RECORD_MAX_BYTES: Final = 16_384
LIVE_MAX_DAYS: Final = 400
TOMBSTONE_DAYS: Final = 430  # longer than any life, so what it buried is dead when it dies
TOWN_BYTES: Final = 32
KEY_BYTES: Final = 16
SALT_BYTES: Final = 16
ID_BYTES: Final = 32
KIND_MAX_BYTES: Final = 64
UNIX_S_MAX: Final = 2**40
RESERVED_KINDS: Final = "lavoir-"  # the type constants of signed structures begin so

_KIND: Final = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*/[1-9][0-9]{0,3}")
_FIELDS: Final = {  # number -> (name, type, exact length in bytes or None)
    1: ("origin", bytes, TOWN_BYTES),
    2: ("keyset", int, None),
    3: ("key", bytes, KEY_BYTES),
    4: ("stamp", int, None),
    5: ("expires", int, None),
    6: ("scope", int, None),
    7: ("kind", str, None),
    8: ("state", int, None),
    9: ("salt", bytes, SALT_BYTES),
    10: ("body", bytes, None),
}
_TO: Final = 11
_CRIT: Final = 12
_FIRST_FREE: Final = 13

# the two shapes nearly every record has, checked without walking: see _flat
_OPEN: Final = (tuple(range(11)), (str, bytes, int, bytes, int, int, int, str, int, bytes, bytes))
_SEALED: Final = ((*_OPEN[0], _TO), (*_OPEN[1], bytes))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A record before it is signed. `extra` holds fields 13..23, unknown to this version."""

    origin: bytes
    keyset: int
    key: bytes
    stamp: int
    expires: int
    scope: int
    kind: str
    state: int = LIVE
    salt: bytes = field(default_factory=lambda: secrets.token_bytes(SALT_BYTES))
    body: bytes = b""
    to: bytes | None = None
    crit: tuple[int, ...] = ()
    extra: Mapping[int, Any] = field(default_factory=dict)


class Record(NamedTuple):
    """A record whose form was checked; its signature was not (`verify` does)."""

    raw: bytes
    id: bytes
    origin: bytes
    keyset: int
    key: bytes
    stamp: int
    expires: int  # unix seconds
    scope: int
    kind: str
    state: int
    salt: bytes
    body: bytes
    to: bytes | None
    crit: tuple[int, ...]
    signature: bytes

    @property
    def is_tombstone(self) -> bool:
        """Whether this revision buries its register."""
        return self.state == TOMBSTONE

    @property
    def is_understood(self) -> bool:
        """Whether it may be shown: every field it calls critical is known to this version."""
        return all(number < _FIRST_FREE for number in self.crit)

    @property
    def register(self) -> tuple[bytes, bytes]:
        """(origin, key): what this is a revision of."""
        return self.origin, self.key


def live_until(stamp: int, days: int = LIVE_MAX_DAYS) -> int:
    """Unix seconds at which a live record of that stamp, given `days` (<= 400), expires."""
    return stamp_unix_s(stamp) + days * DAY_S


def tombstone_until(stamp: int) -> int:
    """Unix seconds at which a tombstone of that stamp expires: exactly 430 days later."""
    return stamp_unix_s(stamp) + TOMBSTONE_DAYS * DAY_S


def new_key() -> bytes:
    """A random name for a new register; never derived from a person or a thing."""
    return secrets.token_bytes(KEY_BYTES)


def sign(draft: Draft, signing_key: SigningKey) -> Record:
    """Make the record of a draft. Raises LocalProtocolError with the code its reader would give."""
    payload = codec.dumps(_payload(draft))
    raw = codec.sign1_join(payload, signing_key.sign(codec.sign1_message(payload)))
    try:
        return parse(raw)
    except RemoteProtocolError as error:
        raise LocalProtocolError(error.code, error.detail) from error


def parse(raw: bytes) -> Record:
    """Read a record by its form and field rules, without checking its signature.

    Raises RemoteProtocolError with one of the codes of SPEC.md section 4.
    """
    if len(raw) > RECORD_MAX_BYTES:
        raise RemoteProtocolError("too_big", f"{len(raw)} bytes")
    payload, signature = codec.sign1_split(raw)
    fields = _flat(payload)
    if fields is None:
        fields = _walked(payload)
    _check_fields(fields)
    fixed = list(fields.values())[1:11]  # in the order of their numbers, as deterministic maps are
    crit = tuple(fields.get(_CRIT, ()))
    identity = hashlib.sha256(raw).digest()
    return Record._make((raw, identity, *fixed, fields.get(_TO), crit, signature))


def verify(record: Record, public: bytes) -> bool:
    """Whether the record was signed by the holder of `public` (RFC 9052 section 4.4)."""
    payload, signature = codec.sign1_split(record.raw)
    return keys.verify(public, signature, codec.sign1_message(payload))


def wins(challenger: Any, holder: Any) -> bool:
    """Whether one revision of a register replaces another: a tombstone, then stamp, then id.

    A tombstone is final, whatever its stamp: else a town restored to before an erasure would undo
    it everywhere by signing again. Both need only `stamp`, `state` and `id`, so a store may compare
    what it keeps of a record.
    """
    first = (challenger.state, challenger.stamp, challenger.id)
    return bool(first > (holder.state, holder.stamp, holder.id))


def is_equivocation(one: Any, other: Any) -> bool:
    """Whether two revisions of one register prove that its origin said two things at once."""
    is_live = one.state == LIVE and other.state == LIVE
    return bool(is_live and one.stamp == other.stamp and one.id != other.id)


def check_succession(draft: Draft, holder: Record) -> None:
    """Refuse to sign a revision that its readers could not all follow.

    A register keeps its origin and scope, its stamps grow, its end never comes nearer, and a buried
    one is never used again: what returns gets a new key. Raises LocalProtocolError("bad_field" |
    "bad_scope" | "bad_state" | "bad_stamp" | "expires_early").
    """
    rules = (
        ("bad_field", (draft.origin, draft.key) == holder.register),
        ("bad_scope", (draft.scope, draft.to) == (holder.scope, holder.to)),
        ("bad_state", not holder.is_tombstone),
        ("bad_stamp", draft.stamp > holder.stamp),
        ("expires_early", draft.expires >= holder.expires),
    )
    for code, holds in rules:
        if not holds:
            raise LocalProtocolError(code, "not a revision of the record it replaces")


def _payload(draft: Draft) -> dict[int, Any]:
    payload: dict[int, Any] = {0: TYPE}
    payload.update((number, getattr(draft, name)) for number, (name, _, _) in _FIELDS.items())
    if draft.to is not None:
        payload[_TO] = draft.to
    if draft.crit:
        payload[_CRIT] = list(draft.crit)
    return payload | dict(draft.extra)


def _flat(payload: bytes) -> dict[int, Any] | None:
    """Decode a payload of one of the two usual shapes; None if it is not surely canonical.

    With the keys in order, no value nested and the only texts in ASCII (`_check_fields` insists),
    encoding again without sorting gives back the input exactly when it was deterministic. Half the
    time of `codec.loads`, which judges everything else: tests hold the two together.
    """
    try:
        fields = codec.decode(payload, max_depth=1)
    except RemoteProtocolError:
        return None
    if type(fields) is not dict:
        return None
    shape = (tuple(fields), tuple(map(type, fields.values())))
    if shape not in (_OPEN, _SEALED) or not fields[7].isascii():
        return None
    return fields if codec.encode_as_is(fields) == payload else None


def _walked(payload: bytes) -> dict[int, Any]:
    """Decode any payload by the general rules: the slow form, and the oracle of the fast one."""
    fields = codec.loads(payload)
    if type(fields) is not dict:
        raise RemoteProtocolError("bad_field", "the payload is not a map")
    if fields.get(0) != TYPE:
        raise RemoteProtocolError("bad_type")
    for number, (name, kind, _) in _FIELDS.items():
        if type(fields.get(number)) is not kind:
            raise RemoteProtocolError("bad_field", name)
    return fields


def _check_fields(fields: dict[int, Any]) -> None:
    """The rules of the table in SPEC.md section 4, in its order."""
    if fields[0] != TYPE:
        raise RemoteProtocolError("bad_type")
    for number in (1, 3, 9):
        name, _, length = _FIELDS[number]
        if len(fields[number]) != length:
            raise RemoteProtocolError("bad_field", name)
    if not 0 < fields[2] < UNIX_S_MAX:
        raise RemoteProtocolError("bad_field", "keyset")
    if not is_stamp(fields[4]):
        raise RemoteProtocolError("bad_stamp")
    if fields[6] not in SCOPES:
        raise RemoteProtocolError("bad_scope")
    if len(fields[7]) > KIND_MAX_BYTES or not _KIND.fullmatch(fields[7]):
        raise RemoteProtocolError("bad_kind")
    if fields[7].startswith(RESERVED_KINDS):
        raise RemoteProtocolError("bad_kind", "reserved")
    _check_life(fields[4], fields[5], fields[8], fields[10])
    _check_addressee(fields[6], fields.get(_TO), _TO in fields)
    if _CRIT in fields:
        _check_crit(fields)


def _check_life(stamp: int, expires: int, state: int, body: bytes) -> None:
    begins = stamp_unix_s(stamp)
    if state == LIVE:
        is_in_time = begins < expires <= begins + LIVE_MAX_DAYS * DAY_S
    elif state == TOMBSTONE:
        is_in_time = expires == begins + TOMBSTONE_DAYS * DAY_S
    else:
        raise RemoteProtocolError("bad_state")
    if not is_in_time:
        raise RemoteProtocolError("bad_expiry")
    if bool(body) == (state == TOMBSTONE):
        raise RemoteProtocolError("bad_body")


def _check_addressee(scope: int, to: Any, is_named: bool) -> None:
    if is_named != (scope == SCOPE_SEALED):
        raise RemoteProtocolError("bad_addressee")
    if is_named and (type(to) is not bytes or len(to) != TOWN_BYTES):
        raise RemoteProtocolError("bad_addressee", "not a town id")


def _check_crit(fields: dict[int, Any]) -> None:
    """Critical fields are some this table does not define, sorted, once each, and present."""
    crit = fields[_CRIT]
    if type(crit) is not list or not crit or any(type(number) is not int for number in crit):
        raise RemoteProtocolError("bad_crit")
    is_sorted = all(low < high for low, high in pairwise(crit))
    if not is_sorted or crit[0] < _FIRST_FREE or any(number not in fields for number in crit):
        raise RemoteProtocolError("bad_crit")
