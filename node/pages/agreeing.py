"""The agreement between two towns in words, as the desk and the page of the other town say it."""

from typing import Any

from node.domain import agreement as rules
from node.domain.agreement import Agreed, Text
from node.domain.capacity import calendar_day, day_of
from node.domain.words import N_
from node.pages.here import now_ms, town
from node.pages.language import _
from node.store.network import agreements

WHO = (
    (rules.ALL, N_("all residents")),
    (rules.LET, N_("those a moderator lets")),
    (rules.NONE, N_("nobody")),
)
NAMES = dict(WHO)


def of(other: bytes) -> dict[str, Any] | None:
    """Return what is in force with a town in words, None while nothing is written."""
    agreed = agreements.agreed(other)
    if agreed is None:
        return None
    return {
        **words(agreed),
        "version": agreements.version(other),
        "is_due": rules.is_due(agreed, today()),
        "is_run_out": rules.is_run_out(agreed, today()),
        "last_day": agreed.review + rules.GRACE_DAYS if agreed.review is not None else None,
    }


def words(said: Agreed | Text) -> dict[str, Any]:
    """Return a text, or what is in force, with the names of practices and of who may ask."""
    return {
        "ways": [
            {
                "label": _label(name),
                "inward": _(NAMES[way.inward]),
                "outward": _(NAMES[way.outward]),
                "is_none": way.inward == way.outward == rules.NONE,
            }
            for name, way in sorted(said.ways.items())
        ],
        "contact": said.contact,
        "review": said.review,
        "note": said.note if isinstance(said, Text) else "",
    }


def today() -> int:
    """Return the day number it is here."""
    return day_of(now_ms(), town().config.timezone)


def iso(day: int) -> str:
    """Write a day number the way a form does."""
    return calendar_day(day).isoformat()


def _label(name: str) -> str:
    practice = town().registry.by_name.get(name)
    return _(practice.label) if practice else name
