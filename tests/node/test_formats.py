"""Days, hours, sums and distances as each language writes them, at Paris time."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.pages import formats
from node.pages.language import Catalogues, locale_folders, speaking

CATALOGUES = Catalogues(locale_folders(Path(__file__).parents[2] / "node"))
NOON = int(datetime(2026, 11, 23, 9, 42, tzinfo=ZoneInfo("Europe/Paris")).timestamp() * 1000)
MINUTE, HOUR, DAY = formats.MINUTE_MS, formats.HOUR_MS, formats.DAY_MS


def spoken(code: str, name: str, *values: object) -> str:
    with speaking(CATALOGUES.language(code)):
        text = getattr(formats, name)(*values)
    return text.replace("\u00a0", " ").replace("\u202f", " ")


WRITTEN = [
    ("fr", "day", (date(2026, 11, 23), False), "lundi 23 novembre"),
    ("fr", "day", (date(2026, 11, 1), True), "dimanche 1er novembre 2026"),
    ("br", "day", (date(2026, 11, 23), False), "Lun 23 a viz Du"),
    ("en", "day", (date(2026, 11, 23), False), "Monday 23 November"),
    ("fr", "short_day", (20_780,), "23 novembre"),
    ("fr", "month", (20_780,), "novembre 2026"),
    ("en", "clock", (NOON,), "09:42"),
    ("fr", "hour", (455,), "7 h 35"),
    ("fr", "hour", ("08:00",), "8 h"),
    ("fr", "weekday", (6,), "dimanche"),
    ("fr", "weekday_letter", (0,), "L"),
    ("fr", "deadline", (NOON,), "lundi 23 novembre à 9 h 42"),
    ("fr", "deadline", (NOON - 9 * HOUR - 42 * MINUTE,), "dimanche 22 novembre à minuit"),
    ("fr", "iso_moment", (NOON,), "2026-11-23T09:42:00+01:00"),
    ("fr", "euros", (1250,), "12,50 €"),
    ("fr", "euros", (5000,), "50 €"),
    ("fr", "euros", (-105,), "-1,05 €"),
    ("fr", "euros", (123_456_700,), "1 234 567 €"),
    ("en", "euros", (1250,), "€12.50"),
    ("fr", "distance", (0,), "0 m"),
    ("fr", "distance", (310,), "300 m"),
    ("fr", "distance", (949,), "950 m"),
    ("fr", "distance", (950,), "0,9 km"),
    ("fr", "distance", (1_240,), "1,2 km"),
    ("fr", "distance", (9_951,), "10 km"),
    ("fr", "distance", (46_672,), "47 km"),
    ("fr", "size", (999,), "999 o"),
    ("fr", "size", (411_600,), "412 ko"),
    ("en", "size", (1_500_000,), "1.5 MB"),
    ("fr", "number", (58_329,), "58 329"),
    ("fr", "number", (1.25, 1), "1,2"),
]


@pytest.mark.parametrize(("code", "name", "values", "text"), WRITTEN)
def test_a_value_is_written_as_its_language_does(
    code: str, name: str, values: tuple[object, ...], text: str
) -> None:
    assert spoken(code, name, *values) == text


@pytest.mark.parametrize(
    ("past_ms", "ago", "fresh", "level"),
    [
        (-HOUR, "à l’instant", "en direct", 100),  # a clock ahead of ours
        (0, "à l’instant", "en direct", 100),
        (5 * MINUTE - 1, "il y a 4 min", "en direct", 100),
        (5 * MINUTE, "il y a 5 min", "vu il y a 5 min", 90),
        (HOUR, "il y a 1 h", "vu il y a 1 h", 80),
        (DAY - 1, "il y a 23 h", "vu il y a 23 h", 40),
        (DAY, "il y a 1 jour", "vu il y a 1 jour", 20),
        (4 * DAY, "il y a 4 jours", "vu il y a 4 jours", 10),
        (30 * DAY, "il y a 30 jours", "vu il y a 30 jours", 0),
    ],
)
def test_freshness_says_when_and_fills_the_basin(
    past_ms: int, ago: str, fresh: str, level: int
) -> None:
    assert spoken("fr", "ago", NOON - past_ms, NOON) == ago
    assert spoken("fr", "freshness", NOON - past_ms, NOON) == fresh
    assert formats.level(NOON - past_ms, NOON) == level


def test_a_town_never_seen_says_so_and_is_empty() -> None:
    assert spoken("fr", "freshness", None, NOON) == "jamais vu"
    assert formats.level(None, NOON) == 0


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_the_basin_has_one_of_eleven_levels_and_only_sinks(seen_ms: int, now_ms: int) -> None:
    level = formats.level(seen_ms, now_ms)
    assert level in range(0, 101, 10)
    assert formats.level(seen_ms, now_ms + HOUR) <= level


@pytest.mark.parametrize(
    ("at", "clock"),
    [
        ((2027, 3, 28, 0, 59), "1 h 59"),  # UTC, a minute before summer time
        ((2027, 3, 28, 1, 0), "3 h"),
        ((2027, 10, 31, 0, 30), "2 h 30"),
        ((2027, 10, 31, 1, 30), "2 h 30"),  # the hour that comes twice
    ],
)
def test_hours_follow_paris_through_the_changes_of_time(at: tuple[int, ...], clock: str) -> None:
    year, month, day, hour, minute = at
    moment = datetime(year, month, day, hour, minute, tzinfo=ZoneInfo("UTC"))
    assert spoken("fr", "clock", int(moment.timestamp() * 1000)) == clock


@given(st.integers(0, 10_000_000))
def test_a_typed_sum_is_the_sum(cents: int) -> None:
    with speaking(CATALOGUES.language("fr")):
        typed = formats.typed_cents(cents)
    whole, _comma, rest = typed.partition(",")
    assert int(whole) * 100 + int(rest or 0) == cents


@given(st.integers(0, 1439))
def test_a_typed_time_is_the_time(minutes: int) -> None:
    hours, _colon, rest = formats.typed_time(minutes).partition(":")
    assert int(hours) * 60 + int(rest) == minutes


@given(st.dates(date(1970, 1, 1), date(2100, 1, 1)))
def test_a_day_number_is_its_day(day: date) -> None:
    number = (day - formats.EPOCH).days
    assert formats.as_day(number) == formats.as_day(day) == day
    assert formats.iso_day(number) == day.isoformat()


@pytest.mark.parametrize("shape", ["iso_day", "typed_cents", "typed_time"])
@pytest.mark.parametrize("typed", ["12,5x", "", None])
def test_what_was_typed_comes_back_as_it_was(shape: str, typed: str | None) -> None:
    assert getattr(formats, shape)(typed) == (typed or "")
