"""Local hours as quarters of an hour since 1970 in UTC, and when a space is open.

A quarter (slot) is unix minutes // 15: it means the same whatever the clocks do. Local times are of
Europe/Paris. A wall time that exists twice means the first one.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from node.domain.capacity import QUARTER_MS, Span, calendar_day, day_number, quarter_ms, weekday
from node.domain.holidays import holiday
from node.practices.spaces.schema import DAY_MINUTES, Space

ZONE = ZoneInfo("Europe/Paris")
QUARTER_MINUTES = 15
QUARTERS_AN_HOUR = 4


def slot_of(day: int, minute: int) -> int:
    """Return the quarter that a wall time falls in; `minute` may lie in the following days.

    A time that the clocks jump over counts as so long after the last minute that exists.
    """
    local = _wall(day, minute)
    return int(local.timestamp()) * 1000 // QUARTER_MS


def local_of(slot: int) -> tuple[int, int]:
    """Return (day number, minutes since midnight) of the wall clock when a quarter begins."""
    local = datetime.fromtimestamp(quarter_ms(slot) // 1000, UTC).astimezone(ZONE)
    return day_number(local.date()), local.hour * 60 + local.minute


def instant(slot: int, zone: str) -> int:
    """Return the instant, UTC ms, at which a quarter begins, the same in any zone."""
    return quarter_ms(slot)


def exists(day: int, minute: int) -> bool:
    """Return whether the wall clock ever shows that time."""
    local = _wall(day, minute)
    return local.astimezone(UTC).astimezone(ZONE).replace(fold=0) == local


def comes_twice(day: int, minute: int) -> bool:
    """Return whether the wall clock shows that time twice, in the night the clocks go back."""
    local = _wall(day, minute)
    return exists(day, minute) and local.utcoffset() != local.replace(fold=1).utcoffset()


def is_closed(space: Space, day: int) -> bool:
    """Return whether a space is closed for all of a day."""
    is_away = any(first <= day <= last for first, last in space.closed)
    return is_away or (space.closed_holidays and bool(holiday(day)))


def touching(space: Space, day: int) -> list[Span]:
    """Return the intervals that lie in a day, in part at least: also those of the evening before.

    Each is whole, whatever lies in other days.
    """
    midnight, after = slot_of(day, 0), slot_of(day + 1, 0)
    around = [*intervals(space, day - 1), *intervals(space, day)]
    return [each for each in around if each.first < after and midnight < each.after]


def opens_on(space: Space, day: int) -> bool:
    """Return whether a space opens at any time of a day."""
    return next(intervals(space, day), None) is not None


def intervals(space: Space, day: int) -> Iterator[Span]:
    """Yield the quarters in which a space is open from a day on, an interval at a time."""
    if is_closed(space, day):
        return
    if not space.opening:
        yield Span(slot_of(day, 0), slot_of(day + 1, 0))
        return
    wanted = weekday(day)
    mine = sorted((each.opens, each.closes) for each in space.opening if each.day == wanted)
    for opens, closes in mine:
        first, after = slot_of(day, opens), slot_of(day, closes)
        if after > first:
            yield Span(first, after)


def open_spans(space: Space, first_day: int, last_day: int) -> list[Span]:
    """Return when a space is open around these days, what touches joined together."""
    days = range(first_day - 1, last_day + 2)
    return joined(each for day in days for each in intervals(space, day))


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, those that touch or overlap made one."""
    found: list[Span] = []
    for each in sorted(spans):
        if found and each.first <= found[-1].after:
            found[-1] = Span(found[-1].first, max(found[-1].after, each.after))
        else:
            found.append(each)
    return found


def is_within(spans: Iterable[Span], wanted: Span) -> bool:
    """Return whether one of `spans` holds all of `wanted`."""
    return any(each.first <= wanted.first and wanted.after <= each.after for each in spans)


def is_on_step(space: Space, day: int, first: int) -> bool:
    """Return whether a booking can begin at a quarter: whole steps after the doors open."""
    step = space.step // QUARTER_MINUTES
    return any(
        each.first <= first < each.after and (first - each.first) % step == 0
        for each in touching(space, day)
    )


def minutes_by_day(first: int, after: int) -> dict[int, int]:
    """Return {day number: minutes} of a booking, cut at local midnights."""
    found: dict[int, int] = {}
    at = first
    while at < after:
        day = local_of(at)[0]
        until = min(after, slot_of(day + 1, 0))
        found[day] = (until - at) * QUARTER_MINUTES
        at = until
    return found


def _wall(day: int, minute: int) -> datetime:
    days, rest = divmod(minute, DAY_MINUTES)
    return datetime.combine(calendar_day(day + days), time(rest // 60, rest % 60), ZONE)
