"""How a row moves from state to state at home: capacity, effects and version in one step.

Everything here runs inside the caller's write transaction. Refused is raised before anything is
changed.
"""

from typing import Any

from node.domain.capacity import free_units
from node.domain.errors import Conflict
from node.domain.lifecycle import Transition
from node.domain.practice import Engaging, Terms
from node.domain.schema import plain
from node.engagements import gate
from node.engagements.between.registers import Deed
from node.engagements.ground import Ground, entered, read, written
from node.engagements.verdicts import FULL, OK, UNKNOWN_LISTING
from node.store import marks
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.promises import acts, claims
from node.store.promises import engagements as rows
from node.store.promises.acts import Act
from node.store.promises.engagements import Engagement


class Refused(Exception):
    """A step that cannot be taken now; `code` is the verdict."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def units_for(
    ground: Ground, engaging: Engaging, listing: Listing, terms: Terms
) -> tuple[int, ...] | None:
    """Return the units of a listing of ours that can be promised: () too few, None not scarce."""
    wanted = engaging.claim(terms)
    if wanted is None:
        return None
    first, after = wanted.span.first, wanted.span.after
    held = claims.taken(listing.origin, listing.key, first, after)
    return free_units(wanted.span, engaging.copies(ground.body(listing)), held, wanted.units)


def take(ground: Ground, row: Engagement) -> None:
    """Hold what the terms of a row promise; raises Refused (full, unknown_listing)."""
    engaging, terms = ground.rules(row), read(row.terms)
    wanted = engaging.claim(terms)
    if wanted is None:
        return
    listing = listings.find(row.listing_origin, row.listing_key)
    if listing is None or not listing.body:
        raise Refused(UNKNOWN_LISTING)
    gate.check_capacity(listing)
    units = units_for(ground, engaging, listing, terms)
    if not units:
        raise Refused(FULL)
    try:
        for unit in units:
            claims.take(row.id, listing.origin, listing.key, unit, wanted.span.days)
    except Conflict:
        raise Refused(FULL) from None


def enter(ground: Ground, row: Engagement, after: str, at_ms: int, **more: Any) -> Engagement:
    """Bring a row of ours into another state, take or give back capacity, raise its version.

    Returns the row as it is now; raises Refused. A final state forgets both contacts, and what was
    said on the way.
    """
    lifecycle = ground.lifecycle(row)
    old, new = lifecycle.state(row.state), lifecycle.state(after)
    if new.takes and not old.takes:
        take(ground, row)
    elif old.takes and not new.takes:
        claims.release(row.id)
    moments = ground.moments(ground.rules(row), read(row.terms), at_ms)
    columns = {**entered(lifecycle, new, moments), **more}
    if new.final:
        columns |= {"contacts": "{}", "reason": more.get("reason", "")}
    return restate(row, **columns)


def restate(row: Engagement, **columns: Any) -> Engagement:
    """Change what home says of a row: a new version that is yet to be published."""
    gen = marks.number(marks.RESTORED_S)
    rows.change(row.id, version=row.version + 1, gen=gen, reply_record=None, **columns)
    return rows.find(row.id)


def affect(ground: Ground, row: Engagement, transition: Transition) -> bool:
    """Let the practice change the listing after an action; return whether that ended it."""
    effect = ground.rules(row).effects.get(transition.action)
    listing = listings.find(row.listing_origin, row.listing_key)
    if effect is None or listing is None or not listing.body:
        return False
    body = ground.body(listing)
    after = effect(body, read(row.terms))
    if after is None:
        ground.journal.withdraw(listing.key)
    elif after is not body:
        ground.journal.publish(listing.kind, plain(after), key=listing.key)
    return after is None


def note(row: Engagement, act: bytes, action: str, at_ms: int, by: str, **columns: Any) -> None:
    """Write down an act of home's side, with the state it led to."""
    args = written({"state": row.state})
    acts.append(row.id, act, action, at_ms=at_ms, by=by, args=args, **columns)
    acts.judge(row.id, act, OK, at_ms)


def record_deed(row: Engagement, deed: Deed, member: int | None = None) -> Act:
    """Write an act of the asker's side into the list, as it will travel (or be judged here)."""
    wish = {name: text for name, text in deed.wish.items() if name != "message"}
    args = written({"wish": wish, "seen": deed.seen.hex()})
    return acts.append(
        row.id,
        deed.id,
        deed.action,
        at_ms=deed.at_ms,
        by=deed.by,
        on_version=deed.on,
        args=args,
        member=member,
    )
