"""A set: items in one order, whose ranges have fingerprints (Negentropy V1; SPEC.md section 7).

An item is (whole seconds since 2020, id); the order is by time, then by id. The fingerprint of a
range is a hash of the sum of its ids and their count, so a store keeps one sum per set up to date
and a set with the sums of its prefixes gives the fingerprint of any range at once.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from federation.errors import LocalProtocolError

ID_BYTES: Final = 32
FINGERPRINT_BYTES: Final = 16
SECONDS_LIMIT: Final = 2**31  # one reference implementation loops for ever above
INFINITY: Final = 2**64 - 1  # the time of the bound above every item
_WRAP: Final = 1 << 8 * ID_BYTES

Item = tuple[int, bytes]


class Bound(NamedTuple):
    """An exclusive upper limit: a time and the shortest prefix of an id that still separates."""

    seconds: int
    prefix: bytes = b""


def id_sum(ids: Iterable[bytes]) -> int:
    """The sum of ids as little-endian integers: what a store keeps per set, wrapped or not."""
    return sum(int.from_bytes(one, "little") for one in ids)


def fingerprint(total: int, count: int) -> bytes:
    """The 16-byte fingerprint of a set from its `id_sum` and its count. Not collision-resistant."""
    digest = hashlib.sha256((total % _WRAP).to_bytes(ID_BYTES, "little") + varint(count))
    return digest.digest()[:FINGERPRINT_BYTES]


def varint(number: int) -> bytes:
    """Encode in base 128, most significant digit first, the high bit set on all but the last."""
    digits = bytearray((number & 0x7F,))
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


class Sealed:
    """A sorted set with the sums of its prefixes, so that the fingerprint of any range is O(1)."""

    __slots__ = ("items", "sums")

    def __init__(self, items: Iterable[Item]) -> None:
        """Raises LocalProtocolError("bad_range") for an item out of bounds or there twice."""
        self.items: Sequence[Item] = sorted(items)
        ids = (int.from_bytes(one, "little") for _, one in self.items)
        self.sums = list(accumulate(ids, initial=0))
        self._check()

    def _check(self) -> None:
        if any(len(one) != ID_BYTES for _, one in self.items):
            raise LocalProtocolError("bad_range", "an id has 32 bytes")
        if self.items and not 0 <= self.items[0][0] <= self.items[-1][0] < SECONDS_LIMIT:
            raise LocalProtocolError("bad_range", "a time is out of bounds")
        if any(map(tuple.__eq__, self.items, self.items[1:])):
            raise LocalProtocolError("bad_range", "an item is there twice")

    def __len__(self) -> int:
        return len(self.items)

    def fingerprint(self, lower: int, upper: int) -> bytes:
        """The fingerprint of the items from index `lower` to before `upper`."""
        return fingerprint(self.sums[upper] - self.sums[lower], upper - lower)

    def ids(self, lower: int, upper: int) -> list[bytes]:
        """The ids from index `lower` to before `upper`, in order."""
        return [one for _, one in self.items[lower:upper]]

    def before(self, bound: Bound, start: int) -> int:
        """The index of the first item from `start` on that is not below `bound`."""
        return bisect_left(self.items, bound, start)

    def boundary(self, index: int) -> Bound:
        """The minimal bound that separates the item at `index` from the one before it."""
        (before_s, before), (seconds, after) = self.items[index - 1], self.items[index]
        if seconds != before_s:
            return Bound(seconds)
        shared = next(i for i in range(ID_BYTES) if before[i] != after[i])
        return Bound(seconds, after[: shared + 1])
