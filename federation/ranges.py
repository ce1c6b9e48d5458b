"""Range-based set reconciliation: Negentropy Protocol V1, byte for byte (SPEC.md section 7).

Two ends hold sets of items (whole seconds since 2020, id) in one order. They exchange fingerprints
of ranges of that order, split the ranges that differ, and list the ids of ranges that are small.
Bucket count, list threshold, minimal bounds and the frame's slack are fixed by the reference
implementations, which compare message bytes (hoytech/negentropy, its DELTA tests).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.sets import (
    FINGERPRINT_BYTES,
    ID_BYTES,
    INFINITY,
    Bound,
    Item,
    Sealed,
    fingerprint,
    id_sum,
    varint,
)

__all__ = ["Item", "Negentropy", "Round", "Sealed", "fingerprint", "id_sum"]

VERSION: Final = 0x61  # V1
VERSIONS: Final = range(0x60, 0x70)  # what may become versions; anything else is not this protocol
BUCKETS: Final = 16
LIST_BELOW_ITEMS: Final = 2 * BUCKETS
FRAME_MIN_BYTES: Final = 4_096
FRAME_SLACK_BYTES: Final = 200  # room kept for the fingerprint that closes a full frame
VARINT_MAX_BYTES: Final = 10

_SKIP, _FINGERPRINT, _LIST = range(3)
_END: Final = Bound(INFINITY)


class Round(NamedTuple):
    """What one answer told the initiator: the next message, None when finished, and the ids."""

    message: bytes | None
    have: list[bytes]  # held here, missing there
    need: list[bytes]  # held there, missing here


class _Reader:
    """Reads a message strictly; every fault is RemoteProtocolError("bad_range")."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0
        self._last_seconds = 0

    @property
    def has_more(self) -> bool:
        return self._at < len(self._raw)

    def take(self, length: int) -> bytes:
        piece = self._raw[self._at : self._at + length]
        if len(piece) != length:
            raise RemoteProtocolError("bad_range", f"torn at byte {self._at}")
        self._at += length
        return piece

    def varint(self) -> int:
        number = 0
        for _ in range(VARINT_MAX_BYTES):
            digit = self.take(1)[0]
            number = number << 7 | digit & 0x7F
            if digit < 0x80:
                if number > INFINITY:
                    break
                return number
        raise RemoteProtocolError("bad_range", "a number of more than 64 bits")

    def bound(self) -> Bound:
        step = self.varint()
        seconds = INFINITY if step == 0 else min(self._last_seconds + step - 1, INFINITY)
        self._last_seconds = seconds
        length = self.varint()
        if length > ID_BYTES:
            raise RemoteProtocolError("bad_range", "a prefix of more than 32 bytes")
        return Bound(seconds, self.take(length))

    def ids(self) -> list[bytes]:
        count = self.varint()
        if count * ID_BYTES > len(self._raw) - self._at:
            raise RemoteProtocolError("bad_range", "a list longer than the message")
        return [self.take(ID_BYTES) for _ in range(count)]


class _Writer:
    """Writes a message: times as differences, neighbouring skips merged, a trailing skip left out.

    What one range of the question leads to is drafted, then kept or dropped as a whole.
    """

    def __init__(self) -> None:
        self.raw = bytearray((VERSION,))
        self.draft = bytearray()
        self._last_seconds = 0
        self._skipped_to: Bound | None = None

    def skip(self, to: Bound) -> None:
        self._skipped_to = to

    def range(self, bound: Bound, mode: int, payload: bytes) -> None:
        """Draft one range that ends at `bound`."""
        if self._skipped_to is not None:
            skipped, self._skipped_to = self._skipped_to, None
            self.draft += self._bound(skipped) + varint(_SKIP)
        self.draft += self._bound(bound) + varint(mode) + payload

    def ids(self, bound: Bound, ids: Sequence[bytes]) -> None:
        self.range(bound, _LIST, varint(len(ids)) + b"".join(ids))

    def keep(self) -> None:
        self.raw += self.draft
        self.draft.clear()

    def _bound(self, bound: Bound) -> bytes:
        is_end = bound.seconds == INFINITY
        step = 0 if is_end else bound.seconds - self._last_seconds + 1
        self._last_seconds = bound.seconds
        return varint(step) + varint(len(bound.prefix)) + bound.prefix


class Negentropy:
    """One end of one reconciliation of one set; make a new one for the next session.

    The initiator calls `initiate`, then `reconcile` on each answer until its message is None; the
    other end calls `respond`, which keeps nothing between messages.
    """

    def __init__(self, items: Iterable[Item] | Sealed, frame_limit_bytes: int = 0) -> None:
        """`frame_limit_bytes` bounds each message written: 0 for none, else at least 4096."""
        if frame_limit_bytes and frame_limit_bytes < FRAME_MIN_BYTES:
            raise LocalProtocolError("bad_range", "a frame has at least 4096 bytes")
        self.sealed = items if isinstance(items, Sealed) else Sealed(items)
        self.frame_limit_bytes = frame_limit_bytes
        self._found: Round | None = None  # the initiator's: where ids go

    def initiate(self) -> bytes:
        """The first message."""
        self._found = Round(None, [], [])
        writer = _Writer()
        self._split(writer, 0, len(self.sealed), _END)
        writer.keep()
        return bytes(writer.raw)

    def reconcile(self, message: bytes) -> Round:
        """Take the other end's answer. Raises RemoteProtocolError("bad_range")."""
        if self._found is None:
            raise LocalProtocolError("bad_range", "initiate first")
        self._found = Round(None, [], [])
        answer = self._step(message)
        return self._found._replace(message=answer if len(answer) > 1 else None)

    def respond(self, message: bytes) -> bytes:
        """Answer the initiator. Raises RemoteProtocolError("bad_range")."""
        if self._found is not None:
            raise LocalProtocolError("bad_range", "the initiator reconciles")
        return self._step(message)

    def _step(self, message: bytes) -> bytes:
        reader, writer = _Reader(message), _Writer()
        version = reader.take(1)[0]
        if version not in VERSIONS or (version != VERSION and self._found is not None):
            raise RemoteProtocolError("bad_range", f"version byte {version:#x}")
        if version != VERSION:
            return bytes(writer.raw)  # names the version spoken here
        index = 0
        while reader.has_more:
            index = self._range(reader, writer, index)
            if self._is_over(len(writer.raw) + len(writer.draft)):
                writer.draft.clear()
                writer.range(_END, _FINGERPRINT, self.sealed.fingerprint(index, len(self.sealed)))
                writer.keep()
                break
            writer.keep()
        return bytes(writer.raw)

    def _range(self, reader: _Reader, writer: _Writer, lower: int) -> int:
        """Read one range and write what follows from it; return the index where the next begins."""
        bound, mode = reader.bound(), reader.varint()
        upper = self.sealed.before(bound, lower)
        if mode == _SKIP:
            writer.skip(bound)
        elif mode == _FINGERPRINT:
            if reader.take(FINGERPRINT_BYTES) == self.sealed.fingerprint(lower, upper):
                writer.skip(bound)
            else:
                self._split(writer, lower, upper, bound)
        elif mode == _LIST:
            theirs = reader.ids()
            if self._found is None:
                return self._list(writer, lower, upper, bound)
            _compare(self._found, self.sealed.ids(lower, upper), theirs)
            writer.skip(bound)
        else:
            raise RemoteProtocolError("bad_range", f"mode {mode}")
        return upper

    def _split(self, writer: _Writer, lower: int, upper: int, bound: Bound) -> None:
        """Describe our items of a range that differs: their ids, or sixteen fingerprints."""
        if upper - lower < LIST_BELOW_ITEMS:
            return writer.ids(bound, self.sealed.ids(lower, upper))
        per_bucket, longer = divmod(upper - lower, BUCKETS)
        for bucket in range(BUCKETS):
            start, lower = lower, lower + per_bucket + (bucket < longer)
            end = bound if lower == upper else self.sealed.boundary(lower)
            writer.range(end, _FINGERPRINT, self.sealed.fingerprint(start, lower))

    def _list(self, writer: _Writer, lower: int, upper: int, bound: Bound) -> int:
        """Answer a list with our ids of the same range, or of as much of it as the frame takes."""
        end = upper
        if self.frame_limit_bytes:
            room = self.frame_limit_bytes - FRAME_SLACK_BYTES - len(writer.raw)
            end = min(upper, lower + room // ID_BYTES + 1)
        writer.ids(
            bound if end == upper else Bound(*self.sealed.items[end]), self.sealed.ids(lower, end)
        )
        writer.keep()
        return end

    def _is_over(self, length: int) -> bool:
        limit = self.frame_limit_bytes
        return bool(limit) and length > limit - FRAME_SLACK_BYTES


def _compare(found: Round, ours: Sequence[bytes], theirs: Sequence[bytes]) -> None:
    """Sort the ids of one range into those only we have and those only they have."""
    held, offered = set(ours), dict.fromkeys(theirs)
    found.have.extend(one for one in ours if one not in offered)
    found.need.extend(one for one in offered if one not in held)
