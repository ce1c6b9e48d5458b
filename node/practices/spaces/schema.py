"""What a listing of spaces says: the body of a `spaces.space/1` record, and its form."""

import re
from typing import Annotated, Any, Literal

from node.domain.errors import Invalid, Problem
from node.domain.listing import Cents, DayNumber, ListingBody
from node.domain.schema import (
    DATES_MAX,
    Field,
    Form,
    Meta,
    Schema,
    Struct,
    checked,
    said,
    tidy,
    typed,
)
from node.domain.words import N_

KIND = "spaces.space/1"
BOOK = "mettreenlocation"  # one of ADEME's public verbs of exchange
DAY_MINUTES = 1_440
WHOLE_DAY = DAY_MINUTES
UNITS_MAX = 100
DAYS_MAX = 31
MINUTES_MAX = DAY_MINUTES
ADVANCE_DAYS_MAX = 400
PRICES_MAX = 8
REPEAT_MAX = 30
INTERVALS_A_DAY = 4

Name = Annotated[str, Meta(max_length=80)]

VERBS = ((BOOK, N_("To book")),)
SORTS = (
    ("room", N_("Room")),
    ("machine", N_("Machine")),
    ("desk", N_("Workplace")),
    ("other", N_("Something else to book")),
)
STEPS = (
    ("15", N_("a quarter of an hour")),
    ("30", N_("half an hour")),
    ("60", N_("an hour")),
    ("120", N_("two hours")),
    ("240", N_("four hours")),
    ("1440", N_("whole days")),
)


class Interval(Struct, kw_only=True, omit_defaults=True, frozen=True):
    """Open on a weekday (0 = Monday) from `opens` to `closes`, minutes of the wall clock.

    Beyond 1440 it closes in the night that follows.
    """

    day: Annotated[int, Meta(ge=0, le=6)] = 0
    opens: Annotated[int, Meta(ge=0, lt=DAY_MINUTES)] = 0
    closes: Annotated[int, Meta(ge=1, le=2 * DAY_MINUTES)] = DAY_MINUTES

    def __post_init__(self) -> None:
        if not 0 < self.closes - self.opens <= DAY_MINUTES:
            raise ValueError("`opening`: it closes before it opens")


class Price(Struct, kw_only=True, frozen=True):
    """What an hour costs a group of people, in cents; shown and written down, never cashed."""

    group: Annotated[str, Meta(min_length=1, max_length=60)]
    cents: Cents


class Space(ListingBody, kw_only=True, omit_defaults=True):
    """A room, a machine or a desk: where it stands, when it opens, how it is booked.

    `site` and `area` group the list; `units` alike; `seats` people at most, 0 if that is not said.
    `opening` none: at any time. `step`, `min_minutes`, `max_minutes` and `gap_minutes` (kept free
    after each booking) in minutes; `max_days` where whole days are booked. `habilitation`: the code
    of the one that is needed. `quota_hours` per person in any `quota_days` days in a row, 0: none.
    `auto`: booked without asking the keeper. `check_in`: who does not come loses the place.
    `repeat_max` dates in a row every week, 0: none.
    """

    verb: Literal["mettreenlocation"] = BOOK
    sort: Literal["room", "machine", "desk", "other"] = "room"
    site: Name = ""
    area: Name = ""
    units: Annotated[int, Meta(ge=1, le=UNITS_MAX)] = 1
    seats: Annotated[int, Meta(ge=0, le=5_000)] = 0
    accessible: bool = False
    equipment: Annotated[str, Meta(max_length=500)] = ""
    opening: Annotated[list[Interval], Meta(max_length=7 * INTERVALS_A_DAY)] = []
    closed: Annotated[list[tuple[DayNumber, DayNumber]], Meta(max_length=DATES_MAX)] = []
    closed_holidays: bool = False
    step: Literal[15, 30, 60, 120, 240, 1440] = 60
    min_minutes: Annotated[int, Meta(ge=0, le=MINUTES_MAX)] = 0
    max_minutes: Annotated[int, Meta(ge=15, le=MINUTES_MAX)] = 480
    max_days: Annotated[int, Meta(ge=1, le=DAYS_MAX)] = 5
    advance_hours: Annotated[int, Meta(ge=0, le=24 * ADVANCE_DAYS_MAX)] = 0
    advance_days: Annotated[int, Meta(ge=1, le=ADVANCE_DAYS_MAX)] = 90
    gap_minutes: Annotated[int, Meta(ge=0, le=DAY_MINUTES)] = 0
    prices: Annotated[list[Price], Meta(max_length=PRICES_MAX)] = []
    habilitation: Annotated[str, Meta(max_length=60)] = ""
    quota_hours: Annotated[int, Meta(ge=0, le=1_000)] = 0
    quota_days: Annotated[int, Meta(ge=1, le=366)] = 7
    auto: bool = False
    check_in: bool = False
    repeat_max: Annotated[int, Meta(ge=0, le=REPEAT_MAX)] = 0

    def __post_init__(self) -> None:
        if self.site == "" and self.area:
            raise ValueError("`area`: an area lies in a site")
        if self.min_minutes > self.max_minutes:
            raise ValueError("`min_minutes`: more than the longest booking")

    @property
    def is_daily(self) -> bool:
        """Return whether whole days are booked."""
        return self.step == WHOLE_DAY


class SpaceSchema(Schema):
    """The schema of spaces: opening hours and prices are typed as short texts."""

    def clean(self, form: Form, **given: object) -> Struct:
        """Return the space for what was typed; raises Invalid naming every field."""
        plainly = tuple(each for each in self.fields if each.name not in _READERS)
        problems: list[Problem] = []
        values: dict[str, Any] = {}
        try:
            values = typed(plainly, form)
        except Invalid as invalid:
            problems += invalid.problems
        for name, read in _READERS.items():
            try:
                values[name] = read(form)
            except ValueError as error:
                problems.append(Problem(name, "unreadable", str(error)))
        if problems:
            raise Invalid(problems)
        values["step"] = int(values.get("step", 60))
        return checked(self.struct, {**given, **values})


HOURS = re.compile(r"(\d{1,2})(?:[h:.](\d{2})?)?")
BAD_HOURS = N_("Hours such as 9:00-12:00, 14:00-18:30, please.")
BAD_PRICES = N_("One price an hour on each line, such as Members: 4.50")


def opening_of(day: int, text: str) -> list[Interval]:
    """Return the intervals typed for a weekday: "9:00-12:00, 20 h - 2 h" (the night that follows).

    Raises ValueError with a message id.
    """
    found = []
    for part in filter(None, re.split(r"[,;]", "".join(tidy(text).lower().split()))):
        opens, _, closes = part.replace("–", "-").partition("-")
        first, after = _minute(opens), _minute(closes)
        after += DAY_MINUTES if after <= first else 0
        found.append(Interval(day=day, opens=first, closes=after))
    if len(found) > INTERVALS_A_DAY:
        raise ValueError(BAD_HOURS)
    return sorted(found, key=lambda each: each.opens)


def _minute(text: str) -> int:
    match = HOURS.fullmatch(text)
    if match is None:
        raise ValueError(BAD_HOURS)
    minute = int(match[1]) * 60 + int(match[2] or 0)
    if int(match[2] or 0) > 59 or minute > DAY_MINUTES:
        raise ValueError(BAD_HOURS)
    return minute % DAY_MINUTES


def _opening(form: Form) -> list[Interval]:
    return [each for day in range(7) for each in opening_of(day, said(form, f"opening_{day}"))]


def _prices(form: Form) -> list[Price]:
    found = {}
    for line in filter(None, tidy(said(form, "prices")).splitlines()):
        group, _, sum_ = line.rpartition(":")
        try:
            cents = typed((Field("cents", "cents", ""),), {"cents": sum_}).get("cents")
        except Invalid:
            cents = None
        if cents is None or not 0 < len(group.strip()) <= 60:
            raise ValueError(BAD_PRICES)
        found[group.strip()] = Price(group=group.strip(), cents=cents)
    if len(found) > PRICES_MAX:
        raise ValueError(BAD_PRICES)
    return list(found.values())


_READERS = {"opening": _opening, "prices": _prices}

FIELDS = (
    Field("title", "text", N_("What can be booked?"), required=True, max_length=120),
    Field("sort", "choice", N_("Kind of space"), required=True, choices=SORTS),
    Field("site", "text", N_("Site"), N_("The house or the fab lab it stands in."), max_length=80),
    Field(
        "area", "text", N_("Area"), N_("The floor or the workshop, in that site."), max_length=80
    ),
    Field(
        "text",
        "long",
        N_("Describe it"),
        N_("What it can do, what to bring. No name, no telephone number here."),
        max_length=4_000,
    ),
    Field("equipment", "text", N_("What stands there"), max_length=500),
    Field("units", "count", N_("How many alike"), minimum=1, maximum=UNITS_MAX),
    Field("seats", "count", N_("How many people it holds"), minimum=0, maximum=5_000),
    Field("accessible", "check", N_("Can be reached and used in a wheelchair")),
    Field(
        "opening",
        "text",
        N_("Opening hours"),
        N_("For example 9:00-12:00, 14:00-18:30. All empty: open at any time."),
    ),
    Field("closed_holidays", "check", N_("Closed on public holidays")),
    Field(
        "closed",
        "dates",
        N_("Closed days"),
        N_("One day or span of days a line, such as 24/12/2026 to 02/01/2027."),
    ),
    Field("step", "choice", N_("Booked by"), required=True, choices=STEPS),
    Field("min_minutes", "count", N_("At least, in minutes"), minimum=0, maximum=MINUTES_MAX),
    Field("max_minutes", "count", N_("At most, in minutes"), minimum=15, maximum=MINUTES_MAX),
    Field("max_days", "count", N_("At most, in whole days"), minimum=1, maximum=DAYS_MAX),
    Field(
        "gap_minutes",
        "count",
        N_("Kept free after each booking, in minutes"),
        N_("To air, to clean, to let it cool."),
        maximum=DAY_MINUTES,
    ),
    Field(
        "advance_hours",
        "count",
        N_("Booked at least so many hours ahead"),
        maximum=24 * ADVANCE_DAYS_MAX,
    ),
    Field(
        "advance_days",
        "count",
        N_("Booked at most so many days ahead"),
        minimum=1,
        maximum=ADVANCE_DAYS_MAX,
    ),
    Field(
        "repeat_max",
        "count",
        N_("Every week, so many times in a row"),
        N_("0: each date is booked by itself."),
        maximum=REPEAT_MAX,
    ),
    Field(
        "prices",
        "long",
        N_("Prices of an hour"),
        N_("One a line, such as Members: 4.50. Shown and noted, never paid through this site."),
        max_length=800,
    ),
    Field(
        "habilitation",
        "text",
        N_("Habilitation needed"),
        N_("Its code, as the desk grants it: laser, for example. Empty: none."),
        max_length=60,
    ),
    Field("quota_hours", "count", N_("At most so many hours for one person"), maximum=1_000),
    Field("quota_days", "count", N_("in any so many days"), minimum=1, maximum=366),
    Field(
        "auto",
        "check",
        N_("Book without asking me"),
        N_("As long as it is free. Otherwise you answer each time."),
    ),
    Field(
        "check_in",
        "check",
        N_("Check in on arrival"),
        N_("Who has not arrived half an hour after the start loses the place."),
    ),
    Field("quartier", "text", N_("Neighbourhood"), max_length=80),
    Field("place", "place", N_("Where it stands")),
    Field("photos", "photos", N_("Photos")),
)

SCHEMA = SpaceSchema(KIND, Space, FIELDS)
