"""How many, from when to when: the arithmetic of what can be promised at once.

Days are day numbers (days since 1970-01-01 of the town's local calendar); a span is half-open,
so an object returned on a day can be taken by the next person from the day after. The database
enforces the result (one row per unit and day); this floor only computes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

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

    def overlaps(self, other: "Span") -> bool:
        """Return whether both spans share a day."""
        return self.first < other.after and other.first < self.after


def day_number(day: date) -> int:
    """Return the day number of a calendar day."""
    return (day - EPOCH).days


def calendar_day(number: int) -> date:
    """Return the calendar day of a day number; raises OverflowError beyond year 9999."""
    return EPOCH + timedelta(days=number)


def taken_per_day(spans: Iterable[Span]) -> dict[int, int]:
    """Return {day number: how many of the spans hold it}."""
    counts: dict[int, int] = {}
    for span in spans:
        for day in span.days:
            counts[day] = counts.get(day, 0) + 1
    return counts


def free_days(span: Span, copies: int, taken: Iterable[Span]) -> frozenset[int]:
    """Return the days of `span` on which at least one of `copies` is free."""
    counts = taken_per_day(taken)
    return frozenset(day for day in span.days if counts.get(day, 0) < copies)


def free_unit(span: Span, copies: int, taken: Iterable[tuple[int, int]]) -> int | None:
    """Return the lowest unit (0 .. copies - 1) free on every day of `span`, None if none is.

    `taken` are (unit, day number) pairs.
    """
    busy = {unit for unit, day in taken if span.first <= day < span.after}
    return next((unit for unit in range(copies) if unit not in busy), None)
