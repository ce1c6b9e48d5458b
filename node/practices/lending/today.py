"""Who comes today to fetch or bring something back: the list that hangs beside the counter."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

FETCH, BACK, LATE = "fetch", "back", "late"
STATES = ("approved", "handed_over", "overdue")


@dataclass(frozen=True)
class Visit:
    """One person expected, or overdue, with one thing; `due_day` is a day number."""

    row: Any
    terms: dict[str, Any]
    why: str
    due_day: int


def visits(rows: Iterable[Any], today: int) -> list[Visit]:
    """Return who is expected on a day number, late ones too, in the order they should be there.

    A loan is fetched from its first day until its set-aside is over; it is late from the day after
    its last. A gift is fetched as soon as it is accepted.
    """
    found = (_visit(row, today) for row in rows)
    return sorted((each for each in found if each is not None), key=_order)


def _visit(row: Any, today: int) -> Visit | None:
    terms = json.loads(row.terms or "{}")
    if row.state == "approved":
        first = int(terms.get("first_day", today))
        return Visit(row, terms, FETCH, first) if first <= today else None
    if row.state not in STATES or "after_day" not in terms:
        return None
    due = int(terms["after_day"]) - 1
    if due > today:
        return None
    return Visit(row, terms, BACK if due == today else LATE, due)


def _order(visit: Visit) -> tuple[int, int, bytes]:
    return ((FETCH, BACK, LATE).index(visit.why), visit.due_day, visit.row.id)
