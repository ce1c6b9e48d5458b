"""A booking every week until a date: one engagement for each, tied by a series id in its terms."""

import json
from collections.abc import Iterable
from typing import Any

from node.domain.capacity import calendar_day
from node.domain.errors import Invalid, Problem
from node.domain.schema import Field, Form, typed
from node.domain.words import N_
from node.practices.spaces.actions import DAY
from node.practices.spaces.schema import Space

WEEK_DAYS = 7
UNTIL_DAY = Field("until_day", "day", N_("Every week until"), required=True)


def days(space: Space, form: Form) -> list[int]:
    """Return the day numbers of a wish for every week; raises Invalid."""
    values = typed((DAY, UNTIL_DAY), form)
    first, last = values["day"], values["until_day"]
    found = list(range(first, last + 1, WEEK_DAYS))
    if not found:
        raise Invalid(
            [Problem("until_day", "before_first", N_("The last day comes before the first."))]
        )
    if len(found) > space.repeat_max:
        message = N_("At most %(max)d times in a row, please.")
        raise Invalid([Problem("until_day", "too_many", message, {"max": space.repeat_max})])
    return found


def form_for(form: Form, day: int, series: str) -> dict[str, str]:
    """Return the form of one date of a series."""
    one = {name: str(form[name]) for name in form if name not in ("until_day", "token")}
    return {**one, "day": calendar_day(day).isoformat(), "last_day": "", "series": series}


def of(rows: Iterable[Any], series: str) -> list[Any]:
    """Return the engagements of one series, in the order of their dates.

    It belongs to whoever named it first: nobody slips a date of their own among another's, to be
    confirmed or withdrawn with them.
    """
    mine = [(json.loads(row.terms or "{}"), row) for row in rows]
    found = [(terms["first"], row) for terms, row in mine if terms.get("series") == series]
    owner = min((_place_in_time(row) for _, row in found), default=())
    kept = [each for each in found if _owner(each[1]) == owner[1:]]
    return [row for _, row in sorted(kept, key=lambda each: each[0])]


def _place_in_time(row: Any) -> tuple[Any, ...]:
    return row.created_ms, *_owner(row)


def _owner(row: Any) -> tuple[bytes, bytes, bytes]:
    return row.asker_town, row.who, row.listing_key
