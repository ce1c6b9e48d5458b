"""Capacity: what a listing of ours can still promise, and what each engagement holds of it.

One question, `free`, and three steps inside the caller's write transaction: take, retake, release.
Copies in slots are claims, stock and sums are tallies, one voice each is a voice; in all of them it
is the database that refuses the second promise. What was promised stays promised when the listing
later says fewer.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from node.domain.capacity import Pair, free_units, runs, spread
from node.domain.errors import Conflict
from node.domain.practice import Amount, Claim, Engaging, Once, Stock, Terms, Wanted
from node.engagements import absence, closures, gate
from node.engagements.ground import Ground, read
from node.engagements.verdicts import DUP, FULL, OK, UNKNOWN_LISTING
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.promises import claims, tallies, voices
from node.store.promises.engagements import Engagement
from node.store.promises.tallies import UNITS_MAX

PAIRS_MAX = 100_000  # units x slots of one promise: 300 chairs for a year
SUM = ""  # the line of a listing whose amounts are added up to one sum


class Refused(Exception):
    """A step that cannot be taken now; `code` is the verdict."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Held:
    """What one engagement holds, or is to hold: (unit, slot) pairs, {line: units}, slices."""

    pairs: frozenset[Pair] = frozenset()
    lines: Mapping[str, int] = field(default_factory=dict)
    slices: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.pairs or self.lines or self.slices)

    def is_within(self, other: "Held") -> bool:
        """Return whether the other holds all of this already."""
        is_less = all(units <= other.lines.get(line, 0) for line, units in self.lines.items())
        return is_less and self.pairs <= other.pairs and self.slices <= other.slices


def free(
    ground: Ground,
    listing: Listing,
    terms: Terms,
    but: Engagement | None = None,
    who: bytes = b"",
) -> bool:
    """Return whether what terms claim of a listing of ours can be promised now.

    `but` is an engagement that would let go of what it holds for it; `who` asks when there is no
    engagement yet.
    """
    return why_not(ground, listing, terms, but, who) == OK


def why_not(
    ground: Ground,
    listing: Listing,
    terms: Terms,
    but: Engagement | None = None,
    who: bytes = b"",
) -> str:
    """Return `ok`, or the verdict on what cannot be promised now: full, dup, unknown_listing."""
    try:
        _planned(ground, listing, ground.rules(listing), (terms,), but, who)
    except Refused as refused:
        return refused.code
    return OK


def take(ground: Ground, row: Engagement) -> None:
    """Hold what the terms of a row promise; raises Refused (full, unknown_listing, dup), NotYet."""
    retake(ground, row, read(row.terms))


def retake(ground: Ground, row: Engagement, *terms: Terms) -> None:
    """Hold exactly what these terms claim together, instead of what a row holds: all or nothing.

    Of several terms (a proposal is on the table) the larger counts, not the sum; no terms hold
    nothing. Units and lines held already are kept where they fit, so that less is never refused.
    Raises Refused (full, unknown_listing, dup), then nothing is changed; NotYet.
    """
    engaging = ground.rules(row)
    if not _wanted(engaging, terms):
        release(row)
        return
    listing = listings.find(row.listing_origin, row.listing_key)
    if listing is None:
        raise Refused(UNKNOWN_LISTING)
    plan = _planned(ground, listing, engaging, terms, row, row.who)
    if not plan.is_within(held_by(row.id)):
        gate.check_capacity(listing)
    put(row, plan, _most(ground, listing, engaging))


def hold(ground: Ground, row: Engagement, *terms: Terms) -> None:
    """Hold what these terms claim together whatever the gate says: for the restore itself."""
    listing = listings.find(row.listing_origin, row.listing_key)
    if listing is None:
        raise Refused(UNKNOWN_LISTING)
    engaging = ground.rules(row)
    plan = _planned(ground, listing, engaging, terms, row, row.who)
    put(row, plan, _most(ground, listing, engaging))


def put(row: Engagement, plan: Held, most: Mapping[str, int | None]) -> None:
    """Let a row hold exactly `plan`; raises Refused when the database says no."""
    about = (row.id, row.listing_origin, row.listing_key)
    try:
        with write_tx():
            claims.replace(*about, plan.pairs)
            tallies.replace(*about, plan.lines, most)
            voices.replace(*about, row.who, plan.slices)
    except Conflict as conflict:
        raise Refused(DUP if conflict.code == "dup" else FULL) from None


def release(row: Engagement) -> bool:
    """Give back all that a row holds; return whether that was anything.

    Who waits in line is offered it before the transaction ends (see `line`).
    """
    held = held_by(row.id)
    if held.pairs:
        claims.release(row.id)
    if held.lines:
        tallies.release(row.id, row.listing_origin, row.listing_key)
    if held.slices:
        voices.release(row.id)
    return bool(held)


def held_by(engagement: bytes) -> Held:
    """Return what an engagement holds."""
    return Held(
        frozenset(claims.of_engagement(engagement)),
        tallies.of_engagement(engagement),
        frozenset(voices.of_engagement(engagement)),
    )


def holders(ground: Ground, row: Engagement, *terms: Terms) -> list[bytes]:
    """Return the other engagements that hold some of what these terms claim for a row."""
    place = (row.listing_origin, row.listing_key)
    found: dict[bytes, None] = {}
    for wanted in _wanted(ground.rules(row), terms):
        if isinstance(wanted, Claim):
            found |= dict.fromkeys(claims.holders(*place, wanted.span.first, wanted.span.after))
        elif isinstance(wanted, Once):
            held = voices.holder(*place, wanted.slice, row.who)
            found |= {held: None} if held else {}
        else:
            found |= dict.fromkeys(tallies.holders(*place, [*_lines(wanted)]))
    return [each for each in found if each != row.id]


# ── as the logbook writes it ─────────────────────────────────────────────────────────────────────


def told(row: Engagement) -> dict[str, Any]:
    """Return what a row holds as plain values: runs of units, lines with their most, slices."""
    held = held_by(row.id)
    most = tallies.most_of(row.listing_origin, row.listing_key) if held.lines else {}
    return {
        "claims": [list(run) for run in runs(held.pairs)],
        "shares": {line: [units, most.get(line)] for line, units in held.lines.items()},
        "voices": sorted(held.slices),
    }


def put_back(row: Engagement, said: Mapping[str, Any]) -> bool:
    """Let a row hold what the logbook says; return False when another holds it, then nothing.

    A tally may then hold more than the listing says now: that much was promised while it was there.
    """
    pairs = spread(_run(each) for each in said["claims"])
    shares = said.get("shares", {})
    plan = Held(
        frozenset(pairs),
        {line: units for line, (units, _) in shares.items()},
        frozenset(said.get("voices", ())),
    )
    before = tallies.most_of(row.listing_origin, row.listing_key) if shares else {}
    most = {line: _larger(most, before.get(line, 0)) for line, (_, most) in shares.items()}
    try:
        put(row, plan, most)
    except Refused:
        release(row)
        return False
    return True


def _run(each: list[int]) -> tuple[int, int, int]:
    """A run of the logbook: (unit, first, after); older lines have one (unit, slot) each."""
    return (each[0], each[1], each[2] if len(each) > 2 else each[1] + 1)


def _larger(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)


# ── reckoning ────────────────────────────────────────────────────────────────────────────────────


def _planned(
    ground: Ground,
    listing: Listing,
    engaging: Engaging,
    terms: Iterable[Terms],
    row: Engagement | None,
    who: bytes,
) -> Held:
    """What is to be held by `row` for all of these terms together; raises Refused."""
    mine = held_by(row.id) if row is not None else Held()
    wanted = _wanted(engaging, terms)
    try:
        pairs = _units(ground, listing, engaging, wanted, row, mine.pairs)
        lines = _amounts(ground, listing, engaging, wanted, row, mine.lines)
    except Refused:
        raise Refused(FULL if listing.body else UNKNOWN_LISTING) from None
    slices = frozenset(each.slice for each in wanted if isinstance(each, Once))
    for name in slices - mine.slices:
        if voices.holder(listing.origin, listing.key, name, row.who if row else who):
            raise Refused(DUP)
    return Held(pairs, lines, slices)


def _wanted(engaging: Engaging, terms: Iterable[Terms]) -> list[Wanted]:
    found: list[Wanted] = []
    for each in terms:
        claim = engaging.claim(each)
        found += claim if isinstance(claim, tuple) else [claim] if claim is not None else []
    return found


def _units(
    ground: Ground,
    listing: Listing,
    engaging: Engaging,
    wanted: list[Wanted],
    row: Engagement | None,
    mine: frozenset[Pair],
) -> frozenset[Pair]:
    copies = engaging.copies(ground.body(listing)) if listing.body else 0
    place, but = (listing.origin, listing.key), row.id if row is not None else None
    chosen: set[Pair] = set()
    late = absence.late(ground, listing, but)
    for claim in wanted:
        if not isinstance(claim, Claim):
            continue
        if not 0 < claim.units * (claim.span.after - claim.span.first) <= PAIRS_MAX:
            raise Refused(FULL)
        taken = claims.taken(*place, claim.span.first, claim.span.after, but=but)
        own = Counter(slot for _, slot in mine)
        away = [pair for pair in late if own[pair[1]] < claim.units]  # what is held stays held
        units = free_units(claim.span, copies, taken + away, claim.units, mine | chosen)
        if not units:
            raise Refused(FULL)
        held = {slot for _, slot in mine}
        if closures.closed(ground, listing, claim.span) - held:
            raise Refused(FULL)
        chosen |= {(unit, slot) for unit in units for slot in claim.span.days}
    return frozenset(chosen)


def _amounts(
    ground: Ground,
    listing: Listing,
    engaging: Engaging,
    wanted: list[Wanted],
    row: Engagement | None,
    mine: Mapping[str, int],
) -> dict[str, int]:
    lines: dict[str, int] = {}
    for each in wanted:
        for line, units in _lines(each).items():
            if not 0 <= units <= UNITS_MAX:
                raise Refused(FULL)
            lines[line] = max(units, lines.get(line, 0))
    lines = {line: units for line, units in lines.items() if units}
    if lines:
        most = _most(ground, listing, engaging)
        held = tallies.held(listing.origin, listing.key, but=row.id if row is not None else None)
        for line, units in lines.items():
            room = most.get(line, 0)
            is_more = units > mine.get(line, 0)
            if is_more and room is not None and held.get(line, 0) + units > room:
                raise Refused(FULL)
    return lines


def _lines(wanted: Wanted) -> Mapping[str, int]:
    if isinstance(wanted, Stock):
        return wanted.lines
    return {SUM: wanted.units} if isinstance(wanted, Amount) else {}


def _most(ground: Ground, listing: Listing, engaging: Engaging) -> dict[str, int | None]:
    """How much there is of each line, None for any: nothing of what is not named."""
    if not listing.body:
        return {}
    body = ground.body(listing)
    return {**engaging.stock(body), SUM: engaging.most(body)}
