"""How many, from when to when: the arithmetic of what can be promised at once.

A slot is a day number (days since 1970-01-01 of the town's local calendar), or a quarter of an hour
since 1970 in UTC. A span is half-open, so an object returned on a day can be taken by the next
person from the day after. The database enforces the result (one row per unit and slot); this floor
only computes.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EPOCH = date(1970, 1, 1)
QUARTER_MS = 900_000

Pair = tuple[int, int]  # (unit, slot)


@dataclass(frozen=True, order=True)
class Span:
    """Slots from `first` up to but not including `after`; raises ValueError when empty."""

    first: int
    after: int

    def __post_init__(self) -> None:
        if self.after <= self.first:
            raise ValueError("a span holds at least one slot")

    @property
    def days(self) -> range:
        """Return the day numbers (or other slots) of the span."""
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


def quarter(at_ms: int) -> int:
    """Return the number of the quarter of an hour, since 1970 in UTC, an instant (UTC ms) is in.

    Quarters never repeat or go missing: when the clocks change only their local names do.
    """
    return at_ms // QUARTER_MS


def quarter_ms(number: int) -> int:
    """Return the instant, UTC ms, at which a quarter of an hour begins."""
    return number * QUARTER_MS


def quarters(from_ms: int, until_ms: int) -> Span:
    """Return the quarters that [from_ms, until_ms) touches; raises ValueError when it is empty."""
    return Span(quarter(from_ms), -(-until_ms // QUARTER_MS))


def free_units(
    span: Span,
    copies: int,
    taken: Iterable[Pair],
    wanted: int = 1,
    mine: Iterable[Pair] = (),
) -> tuple[int, ...]:
    """Return `wanted` of the units 0 .. copies - 1 free in every slot of `span`, or ().

    `taken` are the (unit, slot) pairs of others. They are also counted by slot, because a keeper
    may have fewer copies now than when they were promised: units above the present number still
    hold one. `mine` is what whoever asks holds already: those units are kept where possible, and
    where they hold enough nothing is asked anew. Else the lowest units come first.
    """
    if wanted < 1:
        return ()
    held = [(unit, slot) for unit, slot in taken if span.first <= slot < span.after]
    own = [(unit, slot) for unit, slot in mine if span.first <= slot < span.after]
    has = Counter(slot for _, slot in own)
    depth = Counter(slot for _, slot in held)
    is_new = any(has[slot] < wanted for slot in span.days) if own else True
    deepest = max((count for slot, count in depth.items() if has[slot] < wanted), default=0)
    if is_new and deepest + wanted > copies:
        return ()
    busy = {unit for unit, _ in held}
    kept = sorted({unit for unit, _ in own} - busy)
    free = [*kept, *(unit for unit in range(copies) if unit not in busy and unit not in kept)]
    return tuple(free[:wanted]) if len(free) >= wanted else ()


def runs(pairs: Iterable[Pair]) -> list[tuple[int, int, int]]:
    """Return (unit, slot) pairs as (unit, first slot, slot after the last), for notes and logs."""
    found: list[tuple[int, int, int]] = []
    for unit, slot in sorted(pairs):
        if found and found[-1][0] == unit and found[-1][2] == slot:
            found[-1] = (unit, found[-1][1], slot + 1)
        else:
            found.append((unit, slot, slot + 1))
    return found


def spread(found: Iterable[tuple[int, int, int]]) -> list[Pair]:
    """Return the (unit, slot) pairs that `runs` wrote short."""
    return [(unit, slot) for unit, first, after in found for slot in range(first, after)]
