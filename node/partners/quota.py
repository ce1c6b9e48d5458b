"""The quota: how much of what one town may keep here is used, and when there is room again."""

from collections.abc import Iterable
from dataclasses import dataclass

from federation.admission import (
    NEW_EVERY_MS,
    ORIGIN_LIVE_MAX,
    ORIGIN_MAX_BYTES,
    ORIGIN_NEW_PER_DAY,
)
from node.store.sets import origins, sums

NEARLY = 0.9


@dataclass(frozen=True)
class Quota:
    """What one origin takes up here, beside what it may.

    new_left   new records it may still bring at once
    again_ms   when it may bring one more (UTC ms), 0: now
    """

    origin: bytes
    live: int
    size_bytes: int
    new_left: int
    again_ms: int
    live_max: int = ORIGIN_LIVE_MAX
    bytes_max: int = ORIGIN_MAX_BYTES
    new_per_day: int = ORIGIN_NEW_PER_DAY

    @property
    def is_full(self) -> bool:
        """Return whether it holds as much as one town may: only a withdrawal makes room."""
        return self.live >= self.live_max or self.size_bytes >= self.bytes_max

    @property
    def is_late(self) -> bool:
        """Return whether it brought all it may for now: the rest comes with time."""
        return self.new_left <= 0

    @property
    def is_near(self) -> bool:
        """Return whether it uses most of what it may."""
        used = max(self.live / self.live_max, self.size_bytes / self.bytes_max)
        return used >= NEARLY or self.is_late


def of(towns: Iterable[bytes], now_ms: int) -> list[Quota]:
    """Return what each of these towns takes up here."""
    wanted = list(towns)
    held, full_at = sums.usage(wanted), origins.full_at(wanted)
    return [_of(town, *held.get(town, (0, 0)), full_at.get(town, 0), now_ms) for town in wanted]


def _of(town: bytes, live: int, size_bytes: int, full_at_ms: int, now_ms: int) -> Quota:
    spent_ms = max(0, full_at_ms - now_ms)
    if spent_ms > ORIGIN_LIVE_MAX * NEW_EVERY_MS:  # spent by a clock that was ahead
        spent_ms = 0
    left = ORIGIN_LIVE_MAX - -(-spent_ms // NEW_EVERY_MS)
    again_ms = 0 if left > 0 else full_at_ms - (ORIGIN_LIVE_MAX - 1) * NEW_EVERY_MS
    return Quota(town, live, size_bytes, max(0, left), again_ms)
