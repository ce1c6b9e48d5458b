"""The occasions: when an engagement takes place, when a thing of ours is taken, for calendars."""

import hashlib
import logging
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from node.domain.practice import Claim, Engaging, Terms
from node.engagements import absence
from node.engagements.ground import Ground, read
from node.store.catalogue.listings import Listing
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

log = logging.getLogger(__name__)

TENTATIVE, CONFIRMED, CANCELLED = "tentative", "confirmed", "cancelled"


@dataclass(frozen=True)
class Occasion:
    """When it takes place: UTC ms, half-open, in whole days or not; how firmly, and which version.

    `name` is 32 hex digits, the same for ever and at both towns; it tells nothing.
    """

    name: str
    start_ms: int
    end_ms: int
    is_in_days: bool
    standing: str
    version: int
    changed_ms: int


def of(ground: Ground, row: Engagement) -> Occasion | None:
    """Return when an engagement takes place, None where its practice knows no such time."""
    span = _span(ground, row)
    if span is None:
        return None
    name = hashlib.sha256(b"lavoir-occasion" + row.id).hexdigest()[:32]
    return Occasion(name, *span, _standing(ground, row), row.version, row.since_ms)


def _span(ground: Ground, row: Engagement) -> tuple[int, int, bool] | None:
    engaging = ground.engaging(row)
    try:
        return engaging.occasion(read(row.terms), ground.zone) if engaging else None
    except (KeyError, TypeError, ValueError, OverflowError):
        log.warning("the terms of %s have no time this version can read", row.id.hex())
        return None


def _standing(ground: Ground, row: Engagement) -> str:
    lifecycle = ground.lifecycle(row)
    if not row.final:
        state = ground.state(row)
        return CONFIRMED if state.takes or not state.leavable else TENTATIVE
    good = {state.name for state in lifecycle.path(lifecycle.start) if state.final}
    return CONFIRMED if row.state in good else CANCELLED


def taken(ground: Ground, listing: Listing) -> list[tuple[int, int, bool]]:
    """Return when nothing of a listing of ours is free: [(start ms, end ms, in whole days)]."""
    engaging, body = ground.rules(listing), ground.body(listing)
    lifecycles = engaging.lifecycles.values()
    taking = {name for each in lifecycles for name in each.taking()}
    edges: Counter[int] = Counter()
    is_in_days = True
    for row in rows.of_listing(listing.origin, listing.key, states=taking):
        span = _span(ground, row)
        if span is not None and (units := _units(engaging, read(row.terms))):
            edges[span[0]] += units
            edges[max(span[1], absence.end_ms(ground, listing, row))] -= units
            is_in_days = is_in_days and span[2]
    return _where_full(edges, engaging.copies(body), is_in_days)


def _units(engaging: Engaging, terms: Terms) -> int:
    """How many copies terms hold; 0 where they hold something else."""
    wanted = engaging.claim(terms)
    several = wanted if isinstance(wanted, tuple) else (wanted,)
    return max((each.units for each in several if isinstance(each, Claim)), default=0)


def _where_full(edges: Counter[int], copies: int, is_in_days: bool) -> list[tuple[int, int, bool]]:
    full: list[tuple[int, int, bool]] = []
    held = 0
    for start_ms, end_ms in pairwise(sorted(edges)):
        held += edges[start_ms]
        if held >= copies and full and full[-1][1] == start_ms:
            full[-1] = (full[-1][0], end_ms, is_in_days)
        elif held >= copies:
            full.append((start_ms, end_ms, is_in_days))
    return full
