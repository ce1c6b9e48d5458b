"""What is free of a space: where a booking can begin on a day, and how long it can last from there.

It is reckoned by the rule that decides, so that no page shows free what an ask would find taken.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from node.domain.capacity import Span
from node.practices.spaces import actions, hours
from node.practices.spaces.hours import QUARTER_MINUTES
from node.practices.spaces.schema import Space

Taken = Iterable[tuple[int, int]]  # (unit, quarter) pairs that somebody holds


@dataclass(frozen=True)
class Start:
    """A quarter at which a booking can begin; `longest` in quarters; `units` free for the least."""

    first: int
    longest: int
    units: int

    @property
    def span(self) -> Span:
        """Return the longest booking from here."""
        return Span(self.first, self.first + self.longest)


class Room:
    """What is left of some units, each taken in some quarters."""

    def __init__(self, units: int, taken: Taken) -> None:
        busy: defaultdict[int, list[int]] = defaultdict(list)
        depth: Counter[int] = Counter()
        for unit, quarter in set(taken):
            busy[unit].append(quarter)
            depth[quarter] += 1
        self.busy = [sorted(busy[unit]) for unit in range(units)]
        self.depth = depth
        self.full = sorted(quarter for quarter, held in depth.items() if held >= units)

    def reach(self, first: int, unit: int) -> int:
        """Return how many quarters a unit stays free from `first` on; a lot if nobody has it."""
        return min(_next(self.busy[unit], first), _next(self.full, first)) - first

    def longest(self, first: int) -> int:
        """Return how many quarters the unit that is free longest stays so."""
        return max(self.reach(first, unit) for unit in range(len(self.busy)))

    def free(self, span: Span) -> int:
        """Return how many can be had together for all of a span."""
        deepest = max(self.depth[quarter] for quarter in span.days)
        whole = sum(
            self.reach(span.first, unit) >= len(span.days) for unit in range(len(self.busy))
        )
        return max(0, min(whole, len(self.busy) - deepest))


NEVER = 10**9


def _next(quarters: list[int], first: int) -> int:
    at = bisect_left(quarters, first)
    return quarters[at] if at < len(quarters) else NEVER


def starts(space: Space, day: int, taken: Taken, not_before: int) -> list[Start]:
    """Return where a booking can begin on a day, in order, none before a quarter."""
    room = Room(space.units, taken)
    if space.is_daily:
        return _whole_day(space, day, room, not_before)
    gap = -(-space.gap_minutes // QUARTER_MINUTES)
    step = space.step // QUARTER_MINUTES
    least, most = (each // QUARTER_MINUTES for each in actions.lengths(space))
    spans = hours.open_spans(space, day, day + 1)
    found = []
    for first in _firsts(space, day, not_before):
        after = next(each.after for each in spans if each.first <= first < each.after)
        longest = min(after - first, room.longest(first) - gap, most) // step * step
        if longest >= least:
            found.append(Start(first, longest, room.free(Span(first, first + least + gap))))
    return found


def _firsts(space: Space, day: int, not_before: int) -> Iterator[int]:
    """Yield the quarters of a day a step begins at; of an hour that comes twice, the first one."""
    step = space.step // QUARTER_MINUTES
    for each in hours.touching(space, day):
        soonest = max(not_before, hours.slot_of(day, 0))
        begin = each.first + max(0, -(-(soonest - each.first) // step)) * step
        for first in range(begin, min(each.after, hours.slot_of(day + 1, 0)), step):
            if hours.slot_of(*hours.local_of(first)) == first:
                yield first


def _whole_day(space: Space, day: int, room: Room, not_before: int) -> list[Start]:
    spans = list(hours.intervals(space, day))
    if not spans or spans[0].first < not_before:
        return []
    gap = -(-space.gap_minutes // QUARTER_MINUTES)
    first, after = spans[0].first, max(each.after for each in spans)
    units = room.free(Span(first, after + gap))
    return [Start(first, after - first, units)] if units else []


def free_spans(found: Iterable[Start]) -> list[Span]:
    """Return the quarters somebody can have, what touches joined."""
    return hours.joined(each.span for each in found)


def taken_spans(space: Space, day: int, free: Iterable[Span], not_before: int) -> list[Span]:
    """Return what of a day's opening hours nobody can have (any more), what is over left out."""
    begin, end = max(hours.slot_of(day, 0), not_before), hours.slot_of(day + 1, 0)
    whole = [_between(each, begin, end) for each in hours.joined(hours.touching(space, day))]
    left = [each for each in whole if each is not None]
    for span in free:
        left = [part for each in left for part in _without(each, span)]
    return left


def _between(whole: Span, begin: int, end: int) -> Span | None:
    first, after = max(whole.first, begin), min(whole.after, end)
    return Span(first, after) if first < after else None


def _without(whole: Span, span: Span) -> list[Span]:
    parts = (
        (whole.first, min(whole.after, span.first)),
        (max(whole.first, span.after), whole.after),
    )
    return [Span(first, after) for first, after in parts if first < after]
