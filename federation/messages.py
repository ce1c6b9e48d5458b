"""The messages of a visit, byte for byte (SPEC.md section 8).

A message is a deterministic CBOR map with integer keys. Each one here knows its bytes: `encode()`
writes them and `decode(raw)` reads them, or raises RemoteProtocolError("bad_cbor"|"bad_message").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from federation.checkpoint import CHECKPOINT_MAX_BYTES
from federation.errors import CODES, RemoteProtocolError
from federation.forms import (
    fields,
    filled,
    identities,
    many,
    message,
    octets,
    octets_up_to,
    row,
    text,
    whole,
)
from federation.keyset import KEYSET_MAX_BYTES
from federation.limits import (
    CHECKPOINTS_MAX,
    FETCH_MAX_IDS,
    FRAME_MAX_BYTES,
    HELLO_KEYSETS_MAX,
    INTRODUCTIONS_MAX,
    KEYSETS_PER_REQUEST_MAX,
    ORIGINS_MAX,
    PUSH_MAX_RECORDS,
    ROUNDS_MAX,
    SETS_PER_REQUEST_MAX,
    TOKEN_BYTES,
)
from federation.record import SCOPES
from federation.sets import ID_BYTES

_DAY_MAX: Final = 2**20
_MOMENT_MAX: Final = 2**53
_GENERATION_MAX: Final = 2**63 - 1
_SCOPE_MAX: Final = 255  # of any version
_SETS_MAX: Final = 16  # of one town, in any version
_COUNT_MAX: Final = 2**32
_NAME_MAX_CHARS: Final = 80
_URL_MAX_CHARS: Final = 300
_CODE_MAX_CHARS: Final = 60
_DETAIL_MAX_CHARS: Final = 300

_town = octets(32)
_day = whole(_DAY_MAX)
_moment = whole(_MOMENT_MAX)
_generation = whole(_GENERATION_MAX)
_keyset = octets_up_to(KEYSET_MAX_BYTES)
_checkpoint = octets_up_to(CHECKPOINT_MAX_BYTES)
_sequence = octets_up_to(FRAME_MAX_BYTES)  # a CBOR sequence of records
DIGEST_BYTES: Final = 8  # of the checkpoints of one town


class Hello(NamedTuple):
    """Both ways: the version spoken and the sender's keysets, so that a new key is believed."""

    version: int
    keysets: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Return the bytes of the question."""
        return message({0: self.version, 1: self.keysets})

    @classmethod
    def decode(cls, raw: bytes) -> Hello:
        """Read the question, or those fields of the answer."""
        return cls(*fields(raw, {0: whole(255), 1: many(_keyset, HELLO_KEYSETS_MAX)}))


class HelloAnswer(NamedTuple):
    """What a host says of itself; its first nonce comes in the signature of the answer."""

    version: int
    keysets: tuple[bytes, ...]
    as_of: int  # UTC day
    now_ms: int
    gen: int  # mark of its last restore
    limits: tuple[int, ...] = (FRAME_MAX_BYTES, FETCH_MAX_IDS, ROUNDS_MAX)

    def encode(self) -> bytes:
        """Return the bytes of the answer."""
        return message(dict(enumerate(self)))

    @classmethod
    def decode(cls, raw: bytes) -> HelloAnswer:
        """Read the answer."""
        limits = many(whole(_COUNT_MAX), 16)
        keysets = many(_keyset, HELLO_KEYSETS_MAX)
        form = {0: whole(255), 1: keysets, 2: _day, 3: _moment, 4: _generation, 5: limits}
        return cls(*fields(raw, form))


class Row(NamedTuple):
    """One set of a town: its scope, how many records and their fingerprint."""

    scope: int
    records: int
    fingerprint: bytes


class Group(NamedTuple):
    """What an end holds of one town: a digest of its keysets, and its sets that are not empty."""

    town: bytes
    keysets: bytes  # 8 bytes
    rows: tuple[Row, ...]


class Difference(NamedTuple):
    """A town of which sets differ, and the host's rows of those sets (of no records, maybe)."""

    town: bytes
    rows: tuple[Row, ...]


class Introduction(NamedTuple):
    """A town its partner vouches for: its name, its address, its genesis and newest keyset."""

    town: bytes
    name: str
    url: str
    keysets: tuple[bytes, ...]


class Said(NamedTuple):
    """The checkpoints an end holds of a town where they differ."""

    town: bytes
    checkpoints: tuple[bytes, ...]


_any_rows = many(row(whole(_SCOPE_MAX), whole(_COUNT_MAX), octets(16), make=Row), _SETS_MAX)


def _rows(value: Any) -> tuple[Row, ...]:
    """The rows of the scopes this version knows; those of a later one are passed over."""
    rows: tuple[Row, ...] = _any_rows(value)
    if len({each.scope for each in rows}) != len(rows):
        raise RemoteProtocolError("bad_message", "a scope twice")
    return tuple(each for each in rows if each.scope in SCOPES)


_group = row(_town, octets(8), _rows, make=Group)
_difference = row(_town, _rows, make=Difference)
_introduction = row(
    _town,
    text(_NAME_MAX_CHARS),
    text(_URL_MAX_CHARS),
    many(_keyset, 2),
    make=Introduction,
)


_ids = identities(PUSH_MAX_RECORDS)
_verdicts = many(
    row(text(_CODE_MAX_CHARS), lambda value: b"".join(_ids(value)), make=lambda *pair: pair),
    len(CODES) + 16,
)
_said = row(_town, many(_checkpoint, 3), make=Said)


class SummaryQuestion(NamedTuple):
    """What the visitor holds of the towns it accepts, of what this host may see.

    With the token of the last exchange it sends its own news, and asks for the host's.
    """

    as_of: int  # UTC day
    gen: int
    now_ms: int
    groups: tuple[Group, ...]
    introductions: bytes = b""  # digest of those of this host it knows; empty: none
    checkpoints: bytes = b""  # 8 bytes for each group, in their order; empty: none are held
    token: bytes = b""
    news: bytes = b""  # a CBOR sequence of records
    told: tuple[bytes, ...] = ()  # checkpoints that are news

    def encode(self) -> bytes:
        """Return the bytes of the question."""
        return message(dict(enumerate(self[:4])) | filled(self[4:], 4))

    @classmethod
    def decode(cls, raw: bytes) -> SummaryQuestion:
        """Read the question."""
        form = {0: _day, 1: _generation, 2: _moment, 3: many(_group, ORIGINS_MAX)}
        optional = {
            4: (octets(16), b""),
            5: (octets_up_to(DIGEST_BYTES * ORIGINS_MAX), b""),
            6: (octets(TOKEN_BYTES), b""),
            7: (_sequence, b""),
            8: (many(_checkpoint, CHECKPOINTS_MAX), ()),
        }
        return cls(*fields(raw, form, optional))

    def digest_of(self, number: int) -> bytes:
        """The digest of the checkpoints of the group at that place."""
        at = number * DIGEST_BYTES
        return self.checkpoints[at : at + DIGEST_BYTES] or bytes(DIGEST_BYTES)


class SummaryAnswer(NamedTuple):
    """Only what differs; nothing but the first three fields when nothing does.

    An `as_of` other than the one proposed says: these clocks differ too much, propose this day.
    """

    as_of: int
    gen: int
    now_ms: int
    differing: tuple[Difference, ...] = ()
    keysets: tuple[bytes, ...] = ()  # towns whose keysets differ
    introductions: tuple[Introduction, ...] | None = None  # None: the visitor knows them
    checkpoints: tuple[Said, ...] = ()  # the host's, of the towns where they differ
    token: bytes = b""  # to be sent back with the next summary
    news: bytes = b""  # a CBOR sequence: what came since the token that was sent
    verdicts: tuple[tuple[str, bytes], ...] = ()  # on the visitor's news, as after a push

    def encode(self) -> bytes:
        """Return the bytes of the answer."""
        said = dict(enumerate(self[:3])) | filled(self[3:5], 3) | filled(self[6:], 6)
        return message(said | ({} if self.introductions is None else {5: self.introductions}))

    @classmethod
    def decode(cls, raw: bytes) -> SummaryAnswer:
        """Read the answer."""
        form = {0: _day, 1: _generation, 2: _moment}
        optional = {
            3: (many(_difference, ORIGINS_MAX), ()),
            4: (many(_town, ORIGINS_MAX), ()),
            5: (many(_introduction, INTRODUCTIONS_MAX), None),
            6: (many(_said, ORIGINS_MAX), ()),
            7: (octets(TOKEN_BYTES), b""),
            8: (_sequence, b""),
            9: (_verdicts, ()),
        }
        return cls(*fields(raw, form, optional))


class KeysetsQuestion(NamedTuple):
    """The towns whose keysets differ, all the visitor has of theirs, and its newer checkpoints."""

    towns: tuple[bytes, ...]
    keysets: tuple[bytes, ...]
    checkpoints: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """Return the bytes of the question."""
        return message({0: self.towns, 1: self.keysets} | filled(self[2:], 2))

    @classmethod
    def decode(cls, raw: bytes) -> KeysetsQuestion:
        """Read the question."""
        form = {0: many(_town, ORIGINS_MAX), 1: many(_keyset, KEYSETS_PER_REQUEST_MAX)}
        return cls(*fields(raw, form, {2: (many(_checkpoint, CHECKPOINTS_MAX), ())}))


class SetMessage(NamedTuple):
    """The Negentropy message of one set."""

    town: bytes
    scope: int
    message: bytes


class ReconcileQuestion(NamedTuple):
    """One round of several sets, as of one day."""

    as_of: int
    sets: tuple[SetMessage, ...]

    def encode(self) -> bytes:
        """Return the bytes of the question."""
        return message({0: self.as_of, 1: self.sets})

    @classmethod
    def decode(cls, raw: bytes) -> ReconcileQuestion:
        """Read the question."""
        each = row(_town, whole(_SCOPE_MAX), octets_up_to(FRAME_MAX_BYTES), make=SetMessage)
        return cls(*fields(raw, {0: _day, 1: many(each, SETS_PER_REQUEST_MAX)}))


# ── lists ────────────────────────────────────────────────────────────────────────────────────────


def encode_keysets(keysets: Iterable[bytes]) -> bytes:
    """Return the bytes that answer a KeysetsQuestion: what the visitor did not send."""
    return message({0: list(keysets)})


def decode_keysets(raw: bytes) -> tuple[bytes, ...]:
    """Read the answer to a KeysetsQuestion."""
    (keysets,) = fields(raw, {0: many(_keyset, KEYSETS_PER_REQUEST_MAX)})
    return tuple(keysets)


def encode_round(messages: Iterable[bytes]) -> bytes:
    """Return the bytes that answer a ReconcileQuestion: a message for each set, in its order."""
    return message({0: list(messages)})


def decode_round(raw: bytes, count: int) -> tuple[bytes, ...]:
    """Read the answer to a ReconcileQuestion of `count` sets."""
    (messages,) = fields(raw, {0: many(octets_up_to(FRAME_MAX_BYTES), count)})
    if len(messages) != count:
        raise RemoteProtocolError("bad_message", "not one answer for each set")
    return tuple(messages)


def encode_ids(ids: Iterable[bytes]) -> bytes:
    """Return the bytes of a fetch: the ids wanted, in the order they are wanted."""
    return message({0: b"".join(ids)})


def decode_ids(raw: bytes) -> tuple[bytes, ...]:
    """Read a fetch."""
    (ids,) = fields(raw, {0: identities(FETCH_MAX_IDS)})
    return tuple(ids)


def encode_verdicts(verdicts: Sequence[tuple[bytes, str]]) -> bytes:
    """Return the bytes that answer a push: [[code, ids joined], ...], each code once."""
    return message({0: grouped(verdicts)})


def decode_verdicts(raw: bytes) -> dict[bytes, str]:
    """Read the answer to a push: {id: code}."""
    (groups,) = fields(raw, {0: _verdicts})
    return ungrouped(groups)


def grouped(verdicts: Iterable[tuple[bytes, str]]) -> tuple[tuple[str, bytes], ...]:
    """Return ((code, ids joined), ...), each code once."""
    by_code: dict[str, list[bytes]] = {}
    for one, code in verdicts:
        by_code.setdefault(code, []).append(one)
    return tuple((code, b"".join(ids)) for code, ids in by_code.items())


def ungrouped(groups: Iterable[tuple[str, bytes]]) -> dict[bytes, str]:
    """Return {id: code} of ((code, ids joined), ...)."""
    return {
        ids[at : at + ID_BYTES]: code for code, ids in groups for at in range(0, len(ids), ID_BYTES)
    }


def encode_error(code: str, detail: str = "", wait_s: int = 0) -> bytes:
    """Return the body of an answer that is not 200; `wait_s`: come back no sooner, 0 = whenever."""
    said: dict[int, Any] = {0: code, 1: _printable(detail)}
    return message(said | ({2: wait_s} if wait_s else {}))


def decode_error(raw: bytes) -> tuple[str, str]:
    """Read the body of an answer that is not 200: (code, detail); an unknown code is "garbage"."""
    try:
        code, detail = fields(raw, {0: text(_CODE_MAX_CHARS), 1: text(_DETAIL_MAX_CHARS)})
    except RemoteProtocolError:
        return "garbage", ""
    return (code, detail) if code in CODES else ("garbage", code)


def decode_wait_s(raw: bytes) -> int:
    """Read for how many seconds an answer that is not 200 asks to be left alone; 0: it does not."""
    try:
        (wait_s,) = fields(raw, {}, {2: (whole(_MOMENT_MAX), 0)})
    except RemoteProtocolError:
        return 0
    return int(wait_s)


def _printable(detail: str) -> str:
    return "".join(each for each in detail if " " <= each <= "~")[:_DETAIL_MAX_CHARS]
