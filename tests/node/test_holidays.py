"""The public holidays of France, against tables of real dates (service-public.fr, and almanacs)."""

from datetime import date, timedelta

import pytest

from node.domain.capacity import day_number
from node.domain.holidays import easter, holiday, holidays

EASTER = {  # almanacs
    1961: (4, 2), 2000: (4, 23), 2008: (3, 23), 2011: (4, 24), 2016: (3, 27), 2024: (3, 31),
    2025: (4, 20), 2026: (4, 5), 2027: (3, 28), 2028: (4, 16), 2029: (4, 1), 2030: (4, 21),
    2035: (3, 25), 2038: (4, 25), 2076: (4, 19),
}  # fmt: skip
TABLES = {
    2026: "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25",
    2027: "01-01 03-29 05-01 05-06 05-08 05-17 07-14 08-15 11-01 11-11 12-25",
    2028: "01-01 04-17 05-01 05-08 05-25 06-05 07-14 08-15 11-01 11-11 12-25",
    2025: "01-01 04-21 05-01 05-08 05-29 06-09 07-14 08-15 11-01 11-11 12-25",
}


@pytest.mark.parametrize("year", EASTER)
def test_easter_is_on_the_day_of_the_almanac(year: int) -> None:
    assert easter(year) == date(year, *EASTER[year])


@pytest.mark.parametrize("year", TABLES)
def test_the_eleven_days_of_a_year_are_those_of_the_official_table(year: int) -> None:
    told = [day_number(date.fromisoformat(f"{year}-{day}")) for day in TABLES[year].split()]
    assert list(holidays(year)) == told
    assert [each for each in told if holiday(each)] == told


def test_any_other_day_is_none() -> None:
    for day in (date(2027, 3, 28), date(2028, 2, 29), date(2027, 4, 30), date(2026, 12, 26)):
        assert holiday(day_number(day)) == ""


def test_two_on_one_day_are_one_day_closed() -> None:
    ascension = day_number(date(2008, 5, 1))
    assert len(holidays(2008)) == 10
    assert holiday(ascension) == "Ascension Day"


def test_easter_is_a_sunday_between_22_march_and_25_april_for_four_centuries() -> None:
    for year in range(1900, 2300):
        day = easter(year)
        assert day.weekday() == 6
        assert date(year, 3, 22) <= day <= date(year, 4, 25)
        assert day + timedelta(days=1) == next(
            date.fromordinal(each + date(1970, 1, 1).toordinal())
            for each, name in holidays(year).items()
            if name == "Easter Monday"
        )
