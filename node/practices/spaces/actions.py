"""The rules of booking: what can be asked for, what it holds, what it costs.

Terms are {first, after, gap, units, cents} and, where they apply, people, group, rate, series and
twice. `first` and `after` are quarters of an hour (`hours`), half-open, `gap` how many more stay
free behind; `cents` what it comes to at `rate` cents an hour; `series` ties the dates of one wish;
`twice` says that the clock shows that hour twice and the first is meant. They are frozen: whatever
the listing says later, this was agreed.
"""

import dataclasses
import re
from collections.abc import Iterator

from node.domain.capacity import Span, quarter_ms
from node.domain.errors import Invalid, Problem
from node.domain.practice import Claim, Terms, answers
from node.domain.schema import Field, Form, said, tidy, typed
from node.domain.words import N_
from node.practices.spaces import hours
from node.practices.spaces.hours import QUARTER_MINUTES
from node.practices.spaces.schema import DAY_MINUTES, MINUTES_MAX, UNITS_MAX, Space

SERIES = re.compile(r"[0-9a-f]{16}")
MESSAGE_MAX = 300

DAY = Field("day", "day", N_("Day"), required=True)
LAST_DAY = Field("last_day", "day", N_("Last day"), N_("Empty: that day only."))
START = Field("start", "time", N_("Starts"), required=True)
MINUTES = Field("minutes", "count", N_("For how long, in minutes"), minimum=1, maximum=MINUTES_MAX)
UNTIL = Field("until", "time", N_("Or until"), N_("Before the start: in the night that follows."))
UNITS = Field("units", "count", N_("How many"), minimum=1, maximum=UNITS_MAX)
PEOPLE = Field("people", "count", N_("How many people"), minimum=1, maximum=5_000)
GROUP = Field("group", "choice", N_("Price for"))
MESSAGE = Field(
    "message",
    "long",
    N_("What for"),
    N_("Only the keeper reads it. At most 300 characters."),
    max_length=MESSAGE_MAX,
)

SHAPE = dict.fromkeys(("first", "after", "gap", "units", "cents", "rate", "people", "twice"), int)
SHAPE |= {"group": str, "series": str}


def fields(space: Space) -> tuple[Field, ...]:
    """Return what somebody who books `space` fills in."""
    when = (DAY, LAST_DAY) if space.is_daily else (DAY, START, _minutes(space), UNTIL)
    units = (dataclasses.replace(UNITS, maximum=space.units),) if space.units > 1 else ()
    people = (dataclasses.replace(PEOPLE, maximum=space.seats),) if space.seats else ()
    group = (_group(space),) if space.prices else ()
    return (*when, *units, *people, *group, MESSAGE)


def _group(space: Space) -> Field:
    groups = tuple((each.group, each.group) for each in space.prices)
    return dataclasses.replace(GROUP, choices=groups, required=len(groups) > 1)


def _minutes(space: Space) -> Field:
    least, most = lengths(space)
    return dataclasses.replace(MINUTES, minimum=least, maximum=most)


def lengths(space: Space) -> tuple[int, int]:
    """Return the shortest and the longest booking in minutes, both whole steps."""
    least = -(-max(space.min_minutes, space.step) // space.step) * space.step
    return least, max(space.max_minutes // space.step * space.step, least)


def wish(space: Space, form: Form) -> dict[str, str]:
    """Return what was asked; an hour typed as the end wins over a length that was picked."""
    asked = answers(fields(space), form)
    if asked.get("until"):
        asked.pop("minutes", None)
    series = tidy(said(form, "series"))
    return {**asked, "series": series} if SERIES.fullmatch(series) else asked


def terms(space: Space, form: Form, today: int) -> Terms:
    """Return the terms for what was asked on the day number `today`; raises Invalid.

    How much is free is not asked here, nor who asks (`rules`).
    """
    values = typed(_loose(fields(space)), form)
    day = values["day"]
    _refuse(_wrong_day(space, day, today))
    span = _days(space, values) if space.is_daily else _hours(space, values)
    units = values.get("units", 1)
    found = {
        "first": span.first,
        "after": span.after,
        "gap": -(-space.gap_minutes // QUARTER_MINUTES),
        "units": units,
        **_price(space, values, len(span.days) * units),
    }
    if space.seats:
        found["people"] = values.get("people", 1)
    if not space.is_daily and hours.comes_twice(day, values["start"]):
        found["twice"] = 1
    series = said(form, "series")
    return {**found, "series": series} if SERIES.fullmatch(series) else found


def _loose(wanted: tuple[Field, ...]) -> tuple[Field, ...]:
    """The fields with lengths left to the sentences below, which say more than a range."""
    return tuple(MINUTES if each.name == "minutes" else each for each in wanted)


def _refuse(problems: Iterator[Problem]) -> None:
    if found := list(problems):
        raise Invalid(found)


def _wrong_day(space: Space, day: int, today: int) -> Iterator[Problem]:
    if day < today:
        yield Problem("day", "in_the_past", N_("That day is over."))
    elif day - today > space.advance_days:
        message = N_("It is booked at most %(days)d days ahead.")
        yield Problem("day", "too_far", message, {"days": space.advance_days})
    elif not hours.touching(space, day):
        yield Problem("day", "closed", N_("It is closed on that day."))


def _days(space: Space, values: Terms) -> Span:
    """The span of whole days: from when it first opens to when it last closes; raises Invalid."""
    day, last = values["day"], values.get("last_day", values["day"])
    _refuse(_wrong_days(space, day, last))
    return Span(
        next(hours.intervals(space, day)).first,
        max(each.after for each in hours.intervals(space, last)),
    )


def _wrong_days(space: Space, day: int, last: int) -> Iterator[Problem]:
    if last < day:
        yield Problem("last_day", "before_first", N_("The last day comes before the first."))
    elif last - day + 1 > space.max_days:
        message = N_("It is booked for at most %(days)d days.")
        yield Problem("last_day", "too_long", message, {"days": space.max_days})
    else:
        for each, name in {last: "last_day", day: "day"}.items():
            if not hours.opens_on(space, each):
                yield Problem(name, "closed", N_("It is closed on that day."))


def _hours(space: Space, values: Terms) -> Span:
    """The span of a booking by the hour; raises Invalid."""
    day, start, until = values["day"], values["start"], values.get("until")
    _refuse(_wrong_times(day, start, until))
    first = hours.slot_of(day, start)
    if until is None:
        length = values.get("minutes", lengths(space)[0])
        after = first + -(-length // QUARTER_MINUTES)
    else:
        length = 0
        after = hours.slot_of(day, until + (DAY_MINUTES if until <= start else 0))
    _refuse(_wrong_length(space, first, after, length))
    span = Span(first, after)
    _refuse(_wrong_hours(space, day, span))
    return span


def _wrong_times(day: int, start: int, until: int | None) -> Iterator[Problem]:
    for name, minute in (("start", start), ("until", until)):
        if minute is None:
            continue
        over = DAY_MINUTES if name == "until" and minute <= start else 0
        if minute % QUARTER_MINUTES:
            yield Problem(name, "off_step", N_("On the quarter of an hour, please."))
        elif not hours.exists(day, minute + over):
            message = N_("The clocks go forward that night: that hour does not exist.")
            yield Problem(name, "no_such_time", message)


def _wrong_length(space: Space, first: int, after: int, typed_minutes: int) -> Iterator[Problem]:
    name = "minutes" if typed_minutes else "until"
    length = (after - first) * QUARTER_MINUTES
    least, most = lengths(space)
    if typed_minutes % QUARTER_MINUTES or length % space.step:
        message = N_("It is booked in steps of %(minutes)d minutes.")
        yield Problem(name, "off_step", message, {"minutes": space.step})
    elif length < least:
        message = N_("It is booked for at least %(minutes)d minutes.")
        yield Problem(name, "too_short", message, {"minutes": least})
    elif length > most:
        message = N_("It is booked for at most %(minutes)d minutes.")
        yield Problem(name, "too_long", message, {"minutes": most})


def _wrong_hours(space: Space, day: int, span: Span) -> Iterator[Problem]:
    last_day = hours.local_of(span.after - 1)[0]
    if not hours.is_within(hours.open_spans(space, day, last_day), span):
        yield Problem("start", "closed", N_("It is not open for all of that time."))
    elif not hours.is_on_step(space, day, span.first):
        message = N_("It begins when the doors open, or %(minutes)d minutes later, and so on.")
        yield Problem("start", "off_step", message, {"minutes": space.step})


def _price(space: Space, values: Terms, quarters: int) -> Terms:
    """What so many quarters come to, half a cent rounded up; half an hour is half an hour."""
    if not space.prices:
        return {"cents": 0}
    group = values.get("group", space.prices[0].group)
    rate = next(each.cents for each in space.prices if each.group == group)
    cents = (rate * quarters + hours.QUARTERS_AN_HOUR // 2) // hours.QUARTERS_AN_HOUR
    return {"cents": cents, "rate": rate, "group": group}


def claim(agreed: Terms) -> Claim:
    """Return what terms hold: the quarters booked, and the gap kept free behind them."""
    return Claim(Span(agreed["first"], agreed["after"] + agreed["gap"]), agreed["units"])


def moments(agreed: Terms, zone: str) -> dict[str, int]:
    """Return the instants (UTC ms) the deadlines refer to; quarters are the same in any zone."""
    return {"start": quarter_ms(agreed["first"]), "end": quarter_ms(agreed["after"])}


def is_milder(old: Terms, new: Terms) -> bool:
    """Return whether new terms are the same booking for less money."""
    return {**new, "cents": 0, "rate": 0} == {**old, "cents": 0, "rate": 0} and (
        new["cents"] <= old["cents"]
    )


def which(space: Space) -> str:
    """Return the name of the lifecycle a listing follows."""
    return "checked" if space.check_in else "booking"


def units(space: Space) -> int:
    """Return how many there are."""
    return space.units


def auto(space: Space) -> bool:
    """Return whether it is booked without asking the keeper."""
    return space.auto


def facets(space: Space) -> tuple[tuple[str, str], ...]:
    """Return what a listing can be found and grouped by."""
    said_of = (
        ("sort", space.sort),
        ("site", space.site),
        ("area", space.area),
        ("habilitation", space.habilitation),
    )
    return tuple((name, value) for name, value in said_of if value)
