"""The eleven public holidays of France: the days on which a town is closed, year by year.

Code du travail, article L3133-1. The two further days of Alsace and Moselle are left out.
"""

from datetime import date, timedelta
from functools import cache

from node.domain.capacity import calendar_day, day_number
from node.domain.words import N_

FIXED = (
    (1, 1, N_("New Year's Day")),
    (5, 1, N_("Labour Day")),
    (5, 8, N_("Victory Day")),
    (7, 14, N_("National Day")),
    (8, 15, N_("Assumption")),
    (11, 1, N_("All Saints' Day")),
    (11, 11, N_("Armistice Day")),
    (12, 25, N_("Christmas Day")),
)
AFTER_EASTER = (  # days after Easter Sunday
    (1, N_("Easter Monday")),
    (39, N_("Ascension Day")),
    (50, N_("Whit Monday")),
)


def holiday(day: int) -> str:
    """Return the message id of the holiday a day number is, "" for any other day.

    Raises OverflowError beyond the year 9999.
    """
    return holidays(calendar_day(day).year).get(day, "")


@cache
def holidays(year: int) -> dict[int, str]:
    """Return {day number: message id} of the holidays of a year from 1583 on, in order.

    Two may fall on one day (Ascension on 1 or 8 May): the movable one then gives its name.
    """
    found = {day_number(date(year, month, day)): name for month, day, name in FIXED}
    sunday = easter(year)
    found |= {day_number(sunday + timedelta(days=after)): name for after, name in AFTER_EASTER}
    return dict(sorted(found.items()))


def easter(year: int) -> date:
    """Return Easter Sunday of a Gregorian year (Meeus, Jones and Butcher: Nature, 1876)."""
    golden = year % 19
    century, in_century = divmod(year, 100)
    leap_centuries, century_rest = divmod(century, 4)
    drift = (century + 8) // 25
    lunar = (century - drift + 1) // 3
    epact = (19 * golden + century - leap_centuries - lunar + 15) % 30
    leaps, year_rest = divmod(in_century, 4)
    to_sunday = (32 + 2 * century_rest + 2 * leaps - epact - year_rest) % 7
    late = (golden + 11 * epact + 22 * to_sunday) // 451
    month, day = divmod(epact + to_sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)
