"""The agreement between two towns as plain rules: what each writes, and what both say.

Each side writes, for each practice and both ways, who may ask: everybody, those a moderator let, or
nobody. In force is only what both say: the narrower word for each way of each practice, and the
earlier day of review. Towns that wrote none exchange everything.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

NONE, LET, ALL = "none", "let", "all"
WHO = (NONE, LET, ALL)  # from the narrowest to the widest
GRACE_DAYS = 60  # after the day of review: then nothing new is asked, what was promised stays
CONTACT_MAX = 200
NOTE_MAX = 1_000
PRACTICES_MAX = 32


@dataclass(frozen=True)
class Way:
    """Who may ask: `inward` the other town's residents of us, `outward` ours of the other town."""

    inward: str = ALL
    outward: str = ALL


@dataclass(frozen=True)
class Text:
    """What one side writes.

    ways     {practice: Way}; a practice that is not named is not exchanged
    contact  whom the other town's moderators call
    review   day number on which both look at it again, None for no such day
    note     in words
    """

    ways: Mapping[str, Way]
    contact: str = ""
    review: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Agreed:
    """What is in force as one of the two towns reads it: `contact` is the other's."""

    ways: Mapping[str, Way] = field(default_factory=dict)
    review: int | None = None
    contact: str = ""

    def plain(self) -> dict[str, Any]:
        """Return it as plain values, to be kept."""
        return asdict(self)


def narrower(one: str, other: str) -> str:
    """Return the word of the two that lets fewer ask."""
    return min(one, other, key=WHO.index)


def mirrored(text: Text, contact: str) -> Text:
    """Return the text that says the same from the other side, with a contact of its own."""
    ways = {name: Way(way.outward, way.inward) for name, way in text.ways.items()}
    return Text(ways, contact[:CONTACT_MAX], text.review, text.note)


def says_the_same(ours: Text, theirs: Text) -> bool:
    """Return whether two texts are the same words from both sides, whatever their contacts."""
    return mirrored(theirs, ours.contact) == ours


def in_force(ours: Text, theirs: Text) -> Agreed:
    """Return what both texts say, read from our side."""
    ways = {
        name: Way(
            narrower(ours.ways[name].inward, theirs.ways[name].outward),
            narrower(ours.ways[name].outward, theirs.ways[name].inward),
        )
        for name in sorted(ours.ways.keys() & theirs.ways.keys())
    }
    days = [each.review for each in (ours, theirs) if each.review is not None]
    return Agreed(ways, min(days, default=None), theirs.contact)


def read(plain: Mapping[str, Any]) -> Agreed:
    """Return what `Agreed.plain` wrote."""
    ways = {name: Way(**each) for name, each in plain["ways"].items()}
    return Agreed(ways, plain["review"], plain["contact"])


def who_may_ask(agreed: Agreed | None, practice: str, today: int, *, inward: bool) -> str:
    """Return who may ask on the day number `today`: of us (`inward`), or ours of the other town.

    Without an agreement (None) everybody may.
    """
    if agreed is None:
        return ALL
    if is_run_out(agreed, today):
        return NONE
    way = agreed.ways.get(practice, Way(NONE, NONE))
    return way.inward if inward else way.outward


def is_due(agreed: Agreed, today: int) -> bool:
    """Return whether the day of review has come."""
    return agreed.review is not None and today >= agreed.review


def is_run_out(agreed: Agreed, today: int) -> bool:
    """Return whether the grace after the day of review is over."""
    return agreed.review is not None and today >= agreed.review + GRACE_DAYS
