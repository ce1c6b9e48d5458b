"""Asks for spaces as tests write them: a listing, a form, the terms or the problems it makes."""

from datetime import UTC, date, datetime
from typing import Any

from node.domain.capacity import calendar_day, day_number
from node.domain.errors import Invalid
from node.domain.practice import Terms
from node.practices.spaces import actions
from node.practices.spaces.schema import SCHEMA, Space

TODAY = day_number(date(2026, 11, 23))  # a Monday

WEEK = [{"day": day, "opens": 540, "closes": 720} for day in range(5)] + [
    {"day": day, "opens": 840, "closes": 1_110} for day in range(5)
]  # 9:00-12:00 and 14:00-18:30, Monday to Friday


def space(**fields: Any) -> Space:
    """Return a listing."""
    read = SCHEMA.read({"title": "Salle du lavoir", **fields})
    assert isinstance(read, Space)
    return read


def at(day: int, start: str, **more: Any) -> dict[str, str]:
    """Return a form that asks for a time on a day counted from TODAY."""
    form = {"day": calendar_day(TODAY + day).isoformat(), "start": start, **more}
    return {name: str(value) for name, value in form.items()}


def on(day: date, start: str, **more: Any) -> dict[str, str]:
    """Return a form that asks for a time on a calendar day."""
    return {"day": day.isoformat(), "start": start, **{n: str(v) for n, v in more.items()}}


def agreed(of: Space, form: dict[str, str], today: int = TODAY) -> Terms:
    """Return the terms of an ask."""
    return actions.terms(of, actions.wish(of, form), today)


def problems(of: Space, form: dict[str, str], today: int = TODAY) -> dict[str, str]:
    """Return {field: code} of what is wrong with an ask."""
    try:
        agreed(of, form, today)
    except Invalid as invalid:
        return {each.field: each.code for each in invalid.problems}
    return {}


def utc(terms: Terms) -> tuple[str, str]:
    """Return the first and the last instant of terms, UTC."""
    moments = actions.moments(terms, "Europe/Paris")
    return tuple(  # type: ignore[return-value]
        datetime.fromtimestamp(moments[name] / 1000, UTC).strftime("%m-%d %H:%M")
        for name in ("start", "end")
    )
