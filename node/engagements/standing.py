"""The standing of whoever asks, as a practice's guards see it inside the deciding transaction.

Of a resident of ours it is all they have with this practice here; of another town's only what the
same `who` shows, which is the same listing (ENGAGEMENTS, Records). Every query is by an index.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node.domain.errors import Conflict, DomainError, NotAllowed, NotFound
from node.domain.lifecycle import DAY_MS, UNIVERSAL
from node.domain.practice import Engaging, Terms
from node.domain.standing import Hindrance, Other, Standing
from node.engagements import absence, verdicts
from node.engagements.between.registers import Deed
from node.engagements.ground import Ground, because, read
from node.store.catalogue import facets, listings
from node.store.promises import acts, habilitations
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

REMEMBERED_DAYS = 400
STAFF = ("aide", "desk")  # acts of ours done for somebody

_ERRORS: dict[str, type[DomainError]] = {
    verdicts.NOT_ALLOWED: NotAllowed,
    verdicts.NO_AGREEMENT: NotAllowed,
    verdicts.UNKNOWN_LISTING: NotFound,
}


@dataclass(frozen=True)
class Asker:
    """Whoever asks: our member, or `who` of a town; `engagement` is the one that is judged."""

    engagement: bytes
    town: bytes
    who: bytes
    member: int | None = None


def hindrance(
    ground: Ground,
    engaging: Engaging,
    listing: Any,
    asker: Asker,
    deed: Deed,
    terms: Terms,
) -> Hindrance | None:
    """Return what a rule of the practice sets against an act, None for nothing."""
    guard = engaging.guards.get(deed.action)
    if guard is None or deed.action in UNIVERSAL or listing is None or not listing.body:
        return None
    return guard(ground.body(listing), terms, of(ground, engaging, listing, asker, deed))


def of_row(ground: Ground, row: Engagement, deed: Deed) -> Hindrance | None:
    """Return what stands against an act on an engagement of ours, on the terms it has now."""
    listing = listings.find(row.listing_origin, row.listing_key)
    asker = Asker(row.id, row.asker_town, row.who, row.asker)
    return hindrance(ground, ground.rules(row), listing, asker, deed, read(row.terms))


def of(ground: Ground, engaging: Engaging, listing: Any, asker: Asker, deed: Deed) -> Standing:
    """Return what home knows of whoever asks."""
    now_ms, is_here = ground.now_ms(), asker.town == ground.town
    waiting = engaging.lifecycle(ground.body(listing)).waiting
    return Standing(
        now_ms=now_ms,
        today=ground.today(now_ms),
        at_ms=deed.at_ms,
        is_here=is_here,
        is_staff=is_here and deed.by in STAFF,
        others=_others(ground, engaging, listing.practice, asker),
        waiting=rows.count_in(ground.town, listing.key, waiting) if waiting else 0,
        out=absence.units_out(ground, engaging, listing.key, asker.engagement),
        done=_done(asker.engagement),
        habilitations=_habilitations(asker, now_ms),
        listing=listing.key,
    )


def _others(ground: Ground, engaging: Engaging, practice: str, asker: Asker) -> tuple[Other, ...]:
    since_ms = ground.now_ms() - REMEMBERED_DAYS * DAY_MS
    found = rows.of_asker(
        practice, ground.town, since_ms, member=asker.member, town=asker.town, who=asker.who
    )
    beside = [row for row in found if row.id != asker.engagement]
    shown = facets.of_keys(ground.town, {row.listing_key for row in beside})
    return tuple(_other(engaging, row, shown.get(row.listing_key, {})) for row in beside)


def _other(engaging: Engaging, row: Engagement, shown: Mapping[str, str]) -> Other:
    table = engaging.lifecycles.get(row.lifecycle)
    state = table.states.get(row.state) if table else None
    return Other(
        id=row.id,
        lifecycle=row.lifecycle,
        state=row.state,
        since_ms=row.since_ms,
        terms=read(row.terms),
        listing=row.listing_key,
        has_promise=state is not None and state.takes,
        is_over=row.final,
        facets=shown,
    )


def _done(engagement: bytes) -> dict[str, int]:
    return Counter(
        act.action for act in acts.of_engagement(engagement) if act.verdict == verdicts.OK
    )


def _habilitations(asker: Asker, now_ms: int) -> dict[str, int | None]:
    if asker.member is None:
        return {}
    found: dict[str, int | None] = {}
    for each in habilitations.in_force(asker.member, now_ms):
        found[each.code] = _later(found.get(each.code, 0), each.until_ms)
    return found


def _later(one: int | None, other: int | None) -> int | None:
    """The later of two ends, None being without end."""
    return None if one is None or other is None else max(one, other)


def refusal(why: Hindrance) -> DomainError:
    """Return the error a person of this town reads for a hindrance."""
    kind = _ERRORS.get(why.verdict, Conflict)
    error = kind(why.code, why.message)
    error.params = dict(why.params)  # they may use any name, also ours
    return error


def refuse(ground: Ground, row: Engagement, why: Hindrance) -> tuple[Engagement, str]:
    """Tell another town why an act on a row of ours is refused: its verdict and the code.

    Raises the sentence itself for a person of this town.
    """
    if ground.is_here(row):
        raise refusal(why)
    rows.change(row.id, reason=because(why.code, read(row.reason).get("text", "")))
    return rows.find(row.id), why.verdict
