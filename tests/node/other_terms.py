"""What the tests of other terms say and read: days proposed, answers, what is held at home."""

import json
from typing import Any

from node.store.network import refusals
from node.store.promises import acts, claims
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import (
    TODAY,
    TownHere,
    Two,
    iso,
)


def days(first: int, last: int, **more: str) -> dict[str, str]:
    """Return what the form of other days says, counted from TODAY."""
    return {"first_day": iso(TODAY + first), "last_day": iso(TODAY + last), **more}


def propose(
    town: TownHere, row: Engagement, action: str, first: int, last: int, **more: Any
) -> Engagement:
    """Put other days on the table: the keeper by counter or propose, the asker by change."""
    who = "asker" if action == "change" else "keeper"
    return town.act(row, action, who, who, args=days(first, last), **more)


def answer(town: TownHere, row: Engagement, action: str = "accept", **more: Any) -> Engagement:
    """Answer as the asker."""
    return town.act(row, action, "asker", "asker", **more)


def span(terms: str) -> tuple[int, int]:
    """Return the first and the last day of a loan, counted from TODAY."""
    read = json.loads(terms)
    return read["first_day"] - TODAY, read["after_day"] - 1 - TODAY


def held(town: TownHere, row: Engagement) -> set[int]:
    """Return the days an engagement holds at home, counted from TODAY."""
    with town.inside():
        return {day - TODAY for _, day in claims.of_engagement(row.id)}


def verdicts(town: TownHere, row: Engagement) -> dict[str, str]:
    """Return the last verdict on each action of the asker's side."""
    with town.inside():
        return {act.action: act.verdict for act in acts.of_engagement(row.id) if act.verdict}


def same_in_both(two: Two, row: Engagement) -> bool:
    """Whether both towns hold the same of an engagement."""
    names = ("state", "terms", "proposal", "version", "turn", "deadline_ms", "since_ms")
    home, away = two.home.row(row), two.away.row(row)
    return all(getattr(home, name) == getattr(away, name) for name in names)


def refused(town: TownHere, partner: TownHere) -> dict[str, int]:
    """Return the refusals on a partner's page."""
    with town.inside():
        return refusals.counts(partner.id)


def out(two: Two, **body: Any) -> Engagement:
    """Return a loan that was handed over."""
    row = two.asked(renewals=1, **body)
    for action in ("approve", "hand_over"):
        two.home.act(row, action)
    two.exchange()
    return row
