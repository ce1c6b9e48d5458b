"""How many, from when to when: the arithmetic of what can be promised at once.

Days are day numbers (days since 1970-01-01 of the town's local calendar); a span is half-open,
so an object returned on a day can be taken by the next person from the day after. The database
enforces the result (one row per unit and day); this floor only computes.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, order=True)
class Span:
    """Days from `first` up to but not including `after`; raises ValueError when empty."""

    first: int
    after: int

    def __post_init__(self) -> None:
        if self.after <= self.first:
            raise ValueError("a span holds at least one day")

    @property
    def days(self) -> range:
        """Return the day numbers of the span."""
        return range(self.first, self.after)


def day_number(day: date) -> int:
    """Return the day number of a calendar day."""
    return (day - EPOCH).days


def calendar_day(number: int) -> date:
    """Return the calendar day of a day number; raises OverflowError beyond year 9999."""
    return EPOCH + timedelta(days=number)


def day_of(now_ms: int, zone: str) -> int:
    """Return the day number it is in `zone` at an instant in UTC ms."""
    return day_number(datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(zone)).date())


def midnight_ms(day: int, zone: str) -> int:
    """Return the instant, UTC ms, at which a day number begins in `zone`.

    A day is 23 or 25 hours long when the clocks change, so this is never a multiple of 24 hours.
    """
    local = datetime.combine(calendar_day(day), time(), ZoneInfo(zone))
    return int(local.timestamp()) * 1000


def weekday(day: int) -> int:
    """Return 0 for a Monday to 6 for a Sunday."""
    return (day + 3) % 7  # 1970-01-01 was a Thursday


def free_units(
    span: Span, copies: int, taken: Iterable[tuple[int, int]], wanted: int = 1
) -> tuple[int, ...]:
    """Return the `wanted` lowest of the units 0 .. copies - 1 free on every day of `span`, or ().

    `taken` are (unit, day number) pairs. They are also counted by day, because a keeper may have
    fewer copies now than when they were promised: units above the present number still hold one.
    """
    held = [(unit, day) for unit, day in taken if span.first <= day < span.after]
    deepest = max(Counter(day for _, day in held).values(), default=0)
    if wanted < 1 or deepest + wanted > copies:
        return ()
    busy = {unit for unit, _ in held}
    free = [unit for unit in range(copies) if unit not in busy]
    return tuple(free[:wanted]) if len(free) >= wanted else ()
