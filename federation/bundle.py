"""A bundle: the sets one town may show another, as a file that anybody can carry (SPEC.md 10).

    header   keysets   what is buried   what is private   what is public   photos   header again

Whoever finds it reads what is public anyway; what is private lies sealed, one item a part. Every
item proves itself, so a file that is torn, rotten or mixed with another keeps what is whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from federation import codec, frames, keyset, receipt, record
from federation.errors import RemoteProtocolError
from federation.forms import Reader as Form
from federation.forms import many, octets, row, text, whole
from federation.frames import PART, SIGNED_MAX_BYTES, Frame, Frames, part, photo, type_of
from federation.keys import SigningKey
from federation.keyset import NUMBER_MAX, Keyset
from federation.limits import ORIGINS_MAX
from federation.record import SCOPES, TOWN_BYTES
from federation.sets import FINGERPRINT_BYTES
from federation.statement import FIRST_FIELD, read_statement, state
from federation.store import SetRow
from federation.stream import CHUNK_BYTES, TAG_BYTES, Opener, Sealer

TYPE: Final = "lavoir-bundle/1"
HEADER_MAX_BYTES: Final = SIGNED_MAX_BYTES
NAME_MAX_CHARS: Final = 80
PADDED_TO_BYTES: Final = 1_024  # so that sizes tell little of what is private
_MANY: Final = 2**32
_LATE: Final = NUMBER_MAX * 1_000

HEADER, KEYSET, RECORD, RECEIPT, PHOTO = "header", "keyset", "record", "receipt", "photo"
LOCKED, STRANGE = "locked", "strange"
_KINDS: Final = {
    TYPE: HEADER, keyset.TYPE: KEYSET, record.TYPE: RECORD, receipt.TYPE: RECEIPT
}  # fmt: skip


class Counts(NamedTuple):
    """How many of each are in the file."""

    public: int = 0
    private: int = 0
    photos: int = 0


class Header(NamedTuple):
    """What a file says of itself, under its maker's signature; `to` is None for anyone."""

    raw: bytes
    id: bytes
    town: bytes
    keyset: int
    made_ms: int
    as_of: int
    gen: int
    names: tuple[str, str]  # of its maker and its addressee, as the maker knows them
    counts: Counts
    rows: tuple[SetRow, ...]  # the public sets it carries
    to: bytes | None
    fence: int  # the last restore of its addressee that its maker knew of, 0 for none


_ROW: Final = row(
    octets(TOWN_BYTES), whole(max(SCOPES)), whole(_MANY), octets(FINGERPRINT_BYTES),
    make=SetRow,
)  # fmt: skip
_FORMS: Final[dict[int, Form]] = {
    FIRST_FIELD: whole(_LATE),
    FIRST_FIELD + 1: whole(NUMBER_MAX),
    FIRST_FIELD + 2: whole(NUMBER_MAX),
    FIRST_FIELD + 3: row(text(NAME_MAX_CHARS), text(NAME_MAX_CHARS), make=lambda *pair: pair),
    FIRST_FIELD + 4: row(*(whole(_MANY),) * 3, make=Counts),
    FIRST_FIELD + 5: many(_ROW, ORIGINS_MAX),
}
_TO, _FENCE = FIRST_FIELD + 6, FIRST_FIELD + 7
_OPTIONAL: Final[dict[int, tuple[Form, Any]]] = {
    _TO: (octets(TOWN_BYTES), None),
    _FENCE: (whole(NUMBER_MAX), 0),
}


def sign_header(
    keysets: Sequence[Keyset],
    key: SigningKey,
    *,
    to: bytes | None,
    made_ms: int,
    as_of: int,
    gen: int,
    names: tuple[str, str],
    counts: Counts,
    rows: Sequence[SetRow],
    fence: int = 0,
) -> bytes:
    """Sign the header of a file; `rows` are the public sets in it, `to` is absent for anyone."""
    sets = [[each.origin, each.scope, each.count, each.fingerprint] for each in rows]
    said: dict[int, Any] = dict(enumerate((made_ms, as_of, gen, names, counts, sets), FIRST_FIELD))
    said |= ({_TO: to} if to else {}) | ({_FENCE: fence} if fence else {})
    return state(TYPE, keysets, key, said)


def parse_header(raw: bytes) -> Header:
    """Read a header and prove who made the file. Raises RemoteProtocolError as `read_statement`."""
    if len(raw) > HEADER_MAX_BYTES:
        raise RemoteProtocolError("too_big", f"{len(raw)} bytes")
    author, values = read_statement(raw, TYPE, _FORMS, _OPTIONAL)
    identity = hashlib.sha256(raw).digest()
    return Header(raw, identity, author.town, author.keyset, *values)


class Freight(NamedTuple):
    """What goes into a file, in this order; nothing is asked for before its turn.

    `private` items (records for partners, sealed records, receipts) are sealed to `reader`, the
    addressee's X25519 key; without it there are none.
    """

    keysets: Iterable[bytes]
    buried: Iterable[bytes]
    private: Iterable[bytes]
    public: Iterable[bytes]
    photos: Iterable[bytes]
    reader: bytes | None


def write(header: bytes, to: bytes | None, freight: Freight) -> Iterator[bytes]:
    """Yield a file, piece by piece. Raises RemoteProtocolError("bad_public_key")."""
    yield header
    yield from freight.keysets
    yield from freight.buried
    if freight.reader is not None and to is not None:
        yield from _sealed(freight.private, freight.reader, to)
    yield from freight.public
    yield from map(photo, freight.photos)
    yield header


def _sealed(items: Iterable[bytes], reader: bytes, to: bytes) -> Iterator[bytes]:
    sealer = Sealer([reader], _info(to))
    yield part(0, sealer.head)
    number = 0
    for number, item in enumerate(items, 1):
        padding = bytes(-len(item) % PADDED_TO_BYTES)
        yield part(number, sealer.seal(item + padding, is_last=False))
    yield part(number + 1, sealer.seal(b"", is_last=True))


def _info(to: bytes) -> bytes:
    return codec.dumps([TYPE, to])


class Item(NamedTuple):
    """One thing found in a file: its kind and bytes; of LOCKED, the code that says why."""

    kind: str
    raw: bytes
    is_private: bool = False


class Reader:
    """Reads files as the town `town`, with the private keys its partners may have sealed to.

    Fed block by block in the order of the bytes; whatever those are, it gives items and never
    raises. Every item given must still be judged by whoever keeps it.
    """

    def __init__(self, town: bytes, privates: Sequence[bytes]) -> None:
        self._town = town
        self._privates = privates
        self._frames = Frames()
        self._opener: Opener | None = None
        self._is_told = False  # that this stream cannot be read
        self._rotten = 0

    @property
    def damaged(self) -> int:
        """How many places held something else than it should."""
        return self._frames.damaged + self._rotten

    def feed(self, block: bytes) -> Iterator[Item]:
        """Give the items that are whole once these bytes are there too; take all of them."""
        return self._items(self._frames.feed(block))

    def end(self) -> Iterator[Item]:
        """Give what is left: there are no more bytes."""
        return self._items(self._frames.tear())

    def _items(self, found: Iterable[Frame]) -> Iterator[Item]:
        for frame in found:
            if frame.form == PART:
                yield from self._part(frame)
            else:
                yield _item(frame)

    def _part(self, frame: Frame) -> Iterator[Item]:
        if frame.number == 0:
            yield from self._begun(frame.content)
        elif self._opener is not None:
            yield from self._opened(self._opener, frame)
        elif not self._is_told:
            yield self._locked("torn")

    def _begun(self, head: bytes) -> Iterator[Item]:
        try:
            self._opener = Opener(head, self._privates, _info(self._town))
            self._is_told = False
        except RemoteProtocolError as error:
            if error.code == "bad_seal" and self._opener is not None:
                self._rotten += 1  # a part whose number was damaged is no new beginning
                return
            self._opener = None
            yield self._locked(error.code)

    def _locked(self, code: str) -> Item:
        self._is_told = True
        return Item(LOCKED, code.encode())

    def _opened(self, opener: Opener, frame: Frame) -> Iterator[Item]:
        is_last = len(frame.content) == TAG_BYTES
        try:
            plain = opener.open(frame.number - 1, frame.content, is_last=is_last)
        except RemoteProtocolError:
            self._rotten += 1
            return
        for each in Frames().feed(plain[:CHUNK_BYTES]):
            yield _item(each, is_private=True)
            return


def _item(frame: Frame, is_private: bool = False) -> Item:
    kind = PHOTO if frame.form == frames.PHOTO else STRANGE
    if frame.form == frames.SIGNED:
        kind = _KINDS.get(type_of(frame.content), STRANGE)
    return Item(kind, frame.content, is_private)
