"""The messages of a stretch: a run of one set, asked for by its bounds (SPEC.md section 8)."""

from __future__ import annotations

from typing import NamedTuple

from federation.forms import fields, filled, many, message, octets, octets_up_to, row, whole
from federation.limits import FRAME_MAX_BYTES, GAPS_MAX_IDS
from federation.sets import ID_BYTES, Bound, Item

_seconds = whole(2**32)
_bound = row(_seconds, octets_up_to(ID_BYTES), make=Bound)
_place = row(_seconds, octets(ID_BYTES), make=lambda *pair: pair)


class RangeQuestion(NamedTuple):
    """A stretch of one set as of one day, by its bounds."""

    as_of: int
    town: bytes
    scope: int
    lower: Bound
    upper: Bound

    def encode(self) -> bytes:
        """Return the bytes of the question."""
        return message(dict(enumerate(self)))

    @classmethod
    def decode(cls, raw: bytes) -> RangeQuestion:
        """Read the question."""
        return cls(
            *fields(raw, {0: whole(2**20), 1: octets(32), 2: whole(2), 3: _bound, 4: _bound})
        )


class RangePage(NamedTuple):
    """The records of a stretch, in set order, as far as one frame takes them."""

    end: Bound  # where this page ends; the next begins there
    records: bytes  # a CBOR sequence
    gaps: tuple[Item, ...] = ()  # the places of ids that were in the set and are not shown

    def encode(self) -> bytes:
        """Return the bytes of the answer."""
        return message(dict(enumerate(self[:2])) | filled(self[2:], 2))

    @classmethod
    def decode(cls, raw: bytes) -> RangePage:
        """Read the answer."""
        gaps = {2: (many(_place, GAPS_MAX_IDS), ())}
        return cls(*fields(raw, {0: _bound, 1: octets_up_to(FRAME_MAX_BYTES)}, gaps))
