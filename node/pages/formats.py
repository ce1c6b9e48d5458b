"""How days, hours, distances, sums and sizes are written in each language, at Paris time."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment

from node.domain.capacity import calendar_day
from node.domain.holidays import holiday
from node.pages.elision import at_town, of_town
from node.pages.language import _, current, ngettext, pgettext

ZONE = ZoneInfo("Europe/Paris")
EPOCH = date(1970, 1, 1)
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LIVE_MS = 5 * MINUTE_MS
HIDDEN_DAYS = 30  # after that a copy is no longer listed (UX 2.3)
NARROW = "\u202f"  # French thin space before units and between thousands
SOLID = "\u00a0"


def as_day(value: int | date) -> date:
    """A day number (days since 1970-01-01) as a date; a date stays itself."""
    return value if isinstance(value, date) else EPOCH + timedelta(days=value)


def as_moment(at_ms: int) -> datetime:
    """UTC milliseconds as a local date and time at Paris."""
    return datetime.fromtimestamp(at_ms / 1000, ZONE)


def as_typed(value: Any) -> str:
    """What was typed in a field, as it was; a field that was sent several times, joined."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value or "")


def iso_day(value: int | date | str | list[str] | None) -> str:
    """What <input type=date> and <time> want: "2026-11-23"; a typed text stays itself."""
    if not isinstance(value, (int, date)):
        return as_typed(value)
    return as_day(value).isoformat()


def day(value: int | date, year: bool | None = None) -> str:
    """A day in full: "lundi 23 novembre", with its year when that is not this one."""
    when = as_day(value)
    shown = when.year != datetime.now(ZONE).year if year is None else year
    return _written(when, "long_year" if shown else "long")


def short_day(value: int | date) -> str:
    """A day without its weekday: "23 novembre"."""
    return _written(as_day(value), "short")


def month(value: int | date) -> str:
    """A month: "novembre 2026"."""
    return _written(as_day(value), "month")


def _written(when: date, shape: str) -> str:
    names = _names()
    return names.shapes[shape].format(
        weekday=names.weekdays[when.weekday()],
        day=names.first if when.day == 1 and names.first else when.day,
        month=names.months[when.month - 1],
        year=when.year,
    )


class _Names:
    """The weekdays and months of a language, and the order in which it writes a date."""

    def __init__(self, weekdays: str, months: str, shapes: dict[str, str], first: str = "") -> None:
        self.weekdays = weekdays.split()
        self.months = months.split()
        self.shapes = shapes
        self.first = first


_LATIN = {
    "long": "{weekday} {day} {month}",
    "long_year": "{weekday} {day} {month} {year}",
    "short": "{day} {month}",
    "month": "{month} {year}",
}
# Breton months and weekdays follow the Unicode CLDR; "a viz" joins the day to its month.
_BRETON = {
    "long": "{weekday} {day} a viz {month}",
    "long_year": "{weekday} {day} a viz {month} {year}",
    "short": "{day} a viz {month}",
    "month": "{month} {year}",
}
_NAMES = {
    "fr": _Names(
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        _LATIN,
        "1er",
    ),
    "br": _Names(
        "Lun Meurzh Merc’her Yaou Gwener Sadorn Sul",
        "Genver C’hwevrer Meurzh Ebrel Mae Mezheven Gouere Eost Gwengolo Here Du Kerzu",
        _BRETON,
        "1añ",
    ),
    "en": _Names(
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "January February March April May June July August September October November December",
        _LATIN,
    ),
}


def _names() -> _Names:
    return _NAMES[current().code]


def weekday(number: int) -> str:
    """The name of a weekday, 0 being Monday."""
    return _names().weekdays[number]


def weekday_letter(number: int) -> str:
    """The first letter of a weekday, for the head of a calendar."""
    return weekday(number)[0].upper()


def clock(at_ms: int) -> str:
    """The hour of a moment in UTC milliseconds: "9 h 42" in French, "09:42" elsewhere."""
    local = as_moment(at_ms)
    return hour(local.hour * 60 + local.minute)


def hour(minutes: int | str) -> str:
    """An hour of the day, from minutes since midnight or "HH:MM": "7 h 35", "8 h"."""
    if isinstance(minutes, str):
        before, _colon, after = minutes.partition(":")
        minutes = int(before) * 60 + int(after or 0)
    hours, rest = divmod(minutes, 60)
    if current().code != "fr":
        return f"{hours:02}:{rest:02}"
    return f"{hours}{SOLID}h{SOLID}{rest:02}" if rest else f"{hours}{SOLID}h"


def typed_time(value: int | str | list[str] | None) -> str:
    """What <input type=time> wants, from minutes since midnight; a text stays itself."""
    if not isinstance(value, int):
        return as_typed(value)
    return f"{value // 60:02}:{value % 60:02}"


def holiday_name(day: int) -> str:
    """The public holiday a day number is: "lundi de Pâques"; "" for any other day."""
    return _(holiday(day)) if holiday(day) else ""


def typed_dates(value: Sequence[tuple[int, int]] | str | None) -> str:
    """Days and spans as somebody would type them, one a line; a text stays itself."""
    if not value or isinstance(value, str) or isinstance(value[0], str):
        return as_typed(value)
    lines = ([f"{calendar_day(each):%d/%m/%Y}" for each in span] for span in value)
    return "\n".join(first if first == last else f"{first} - {last}" for first, last in lines)


def moment(at_ms: int) -> str:
    """A day and an hour: "lundi 23 novembre à 9 h 42"."""
    return _("%(day)s at %(hour)s", day=day(as_moment(at_ms).date()), hour=clock(at_ms))


def deadline(at_ms: int) -> str:
    """A moment that ends something: where a day begins it is "lundi 23 novembre à minuit"."""
    local = as_moment(at_ms)
    if (local.hour, local.minute) != (0, 0):
        return moment(at_ms)
    return _("%(day)s at midnight", day=day(as_moment(at_ms - 1).date()))


def iso_moment(at_ms: int) -> str:
    """The same for <time datetime>: "2026-11-23T09:42:00+01:00"."""
    return as_moment(at_ms).isoformat(timespec="seconds")


def ago(at_ms: int, now_ms: int) -> str:
    """How long ago, roughly: "just now", "20 min ago", "3 h ago", "4 days ago"."""
    past_ms = max(0, now_ms - at_ms)
    if past_ms < MINUTE_MS:
        return _("just now")
    if past_ms < HOUR_MS:
        return ngettext("%(num)d min ago", "%(num)d min ago", past_ms // MINUTE_MS)
    if past_ms < DAY_MS:
        return ngettext("%(num)d h ago", "%(num)d h ago", past_ms // HOUR_MS)
    return ngettext("%(num)d day ago", "%(num)d days ago", past_ms // DAY_MS)


def freshness(seen_ms: int | None, now_ms: int) -> str:
    """How fresh the copy of a town is: "live" under 5 minutes, then "seen 3 h ago" (UX 2.3)."""
    if seen_ms is None:
        return _("never seen")
    if now_ms - seen_ms < LIVE_MS:
        return pgettext("freshness", "live")
    return _("seen %(ago)s", ago=ago(seen_ms, now_ms))


def level(seen_ms: int | None, now_ms: int) -> int:
    """The water in a town's basin, 0 to 100 by tens: full when live, almost empty after a day."""
    if seen_ms is None:
        return 0
    past_ms = now_ms - seen_ms
    for limit_ms, water in _WATER:
        if past_ms < limit_ms:
            return water
    return 0


_WATER = (
    (LIVE_MS, 100),
    (HOUR_MS, 90),
    (3 * HOUR_MS, 80),
    (6 * HOUR_MS, 70),
    (12 * HOUR_MS, 60),
    (DAY_MS, 40),
    (2 * DAY_MS, 20),
    (HIDDEN_DAYS * DAY_MS, 10),
)


def number(value: int | float, digits: int = 0) -> str:
    """A number with the language's thousands and decimal marks: "58 329", "1,2"."""
    text = f"{value:,.{digits}f}"
    if current().code == "en":
        return text
    return text.replace(",", NARROW).replace(".", ",")


def euros(cents: int) -> str:
    """A sum from integer cents: "12,50 €", "50 €" when there are no cents."""
    sign, whole, rest = "-" if cents < 0 else "", abs(cents) // 100, abs(cents) % 100
    text = sign + number(whole)
    if rest:
        text += ("." if current().code == "en" else ",") + f"{rest:02}"
    return f"€{text}" if current().code == "en" else f"{text}{SOLID}€"


def typed_cents(value: int | str | list[str] | None) -> str:
    """A sum as somebody would type it in a field: 1250 gives "12,50"; a text stays itself."""
    if not isinstance(value, int):
        return as_typed(value)
    mark = "." if current().code == "en" else ","
    return f"{value // 100}{mark}{value % 100:02}" if value % 100 else str(value // 100)


def distance(metres: int | float) -> str:
    """A distance: "300 m", "1,2 km", "30 km"."""
    if metres < 950:
        return f"{number(round(metres / 50) * 50)}{SOLID}m"
    if metres < 9_950:
        return f"{number(metres / 1000, 1)}{SOLID}km"
    return f"{number(round(metres / 1000))}{SOLID}km"


def size(length_bytes: int) -> str:
    """The size of a file: "412 ko" in French, "412 kB" elsewhere (1 kB = 1000 bytes)."""
    letter = "o" if current().code == "fr" else "B"
    if length_bytes < 1000:
        return f"{length_bytes}{SOLID}{letter}"
    if length_bytes < 1_000_000:
        return f"{number(round(length_bytes / 1000))}{SOLID}k{letter}"
    return f"{number(length_bytes / 1_000_000, 1)}{SOLID}M{letter}"


def install(environment: Environment) -> None:
    """Give templates these formats as filters of the same name, and of_town / at_town."""
    environment.filters.update({f.__name__: f for f in _FILTERS})


_FILTERS: tuple[Callable[..., Any], ...] = (
    ago,
    as_day,
    at_town,
    clock,
    day,
    distance,
    euros,
    freshness,
    holiday_name,
    hour,
    iso_day,
    iso_moment,
    level,
    moment,
    month,
    number,
    of_town,
    short_day,
    size,
    typed_cents,
    typed_dates,
    typed_time,
    weekday,
    weekday_letter,
)
