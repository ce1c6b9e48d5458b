"""The waiting line of a listing: who is next, and how what comes free is offered to them by itself.

At the end of each transaction that changed an engagement, the lines of its listing are looked at
(`settle`): whatever was freed is held for the first whose terms fit before anybody else can see it.
An offer that is not answered in time lapses like any state, which frees it for the next.
"""

import logging
import secrets

from federation.errors import ProtocolError
from node.domain.errors import Conflict, DomainError
from node.domain.lifecycle import ACCEPT, OFFER, Lifecycle, Transition
from node.domain.words import N_
from node.engagements import capacity, gate
from node.engagements.between.post import publish
from node.engagements.ground import Ground, entered, is_on_offer, read
from node.engagements.moves import enter, note, restate
from node.engagements.telling import tell_asker
from node.journal import restoring
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.promises import engagements as rows
from node.store.promises import lines
from node.store.promises.engagements import Engagement

BUMP = "bump"

log = logging.getLogger(__name__)


def settle(ground: Ground) -> bool:
    """Pass on what the present transaction freed; return whether any line was looked at.

    Before it is committed, and before anybody else is promised something in it.
    """
    keys = [] if restoring.is_restoring() else lines.touched(ground.town)
    for key in keys:
        _pass_on_key(ground, key)
    return bool(keys)


def sweep(ground: Ground) -> int:
    """Look at every line, each in a transaction of its own; return how many offers were made.

    For what comes free without an act: a gate that opened, a closed span that ended.
    """
    offered = 0
    for key in lines.listings(ground.town):
        with write_tx():
            offered += len(_pass_on_key(ground, key))
    return offered


def pass_on(ground: Ground, listing: Listing) -> list[Engagement]:
    """Offer what is free of a listing of ours to those who wait, in their order.

    Whoever's terms do not fit stays in place, and the next is looked at. Inside the caller's write
    transaction. Returns who was offered something; twice offers nothing more.
    """
    offered = []
    if is_on_offer(listing, ground.now_ms()) and listing.origin == ground.town:
        try:
            gate.check_capacity(listing)
        except gate.NotYet:
            return []
        waiting = lines.waiting(listing.origin, listing.key)
        offered = [each for row in waiting if (each := _offer(ground, listing, row)) is not None]
    _tell_places(ground, listing)
    return offered


def place(row: Engagement) -> int | None:
    """Return the place of an engagement in its line, 1 for the next; None when it is in none.

    Of an engagement elsewhere it is what home last told.
    """
    return row.place if row.rank is None else lines.place(row)


def at_place(row: Engagement, place: int | None) -> Engagement | None:
    """Return who has a place in the line of an engagement, None for no place.

    Raises Conflict when nobody has it any more.
    """
    waiting = lines.waiting(row.listing_origin, row.listing_key)
    if place is None:
        return None
    if not 1 <= place <= len(waiting):
        raise Conflict("not_in_line", N_("It is not in the waiting line any more."))
    return waiting[place - 1]


def bump(
    ground: Ground,
    row: Engagement,
    before: Engagement | None = None,
    *,
    by: str = "desk",
    member: int | None = None,
) -> Engagement:
    """Put an engagement right before another one of its line, or at its end (`before` None).

    It is written down as an act of whoever did it. Raises Conflict when one of them is in no line.
    """
    line = lines.waiting(row.listing_origin, row.listing_key)
    ids = [each.id for each in line]
    if row.id not in ids or (before is not None and before.id not in ids):
        raise Conflict("not_in_line", N_("It is not in the waiting line any more."))
    order = [each for each in ids if each != row.id]
    if before is None:
        order.append(row.id)
    elif before.id != row.id:
        order.insert(order.index(before.id), row.id)
    else:
        order = ids
    ranks = dict(zip(order, range(1, len(order) + 1), strict=True))
    for each in line:
        if each.rank != ranks[each.id]:
            rows.change(each.id, rank=ranks[each.id])
    note(row, secrets.token_bytes(8), BUMP, ground.now_ms(), by, member=member)
    _tell_places(ground, listings.find(row.listing_origin, row.listing_key))
    return rows.find(row.id)


def _pass_on_key(ground: Ground, key: bytes) -> list[Engagement]:
    listing = listings.find(ground.town, key)
    return pass_on(ground, listing) if listing is not None else []


def _offer(ground: Ground, listing: Listing, row: Engagement) -> Engagement | None:
    """Hold for one who waits what they wait for, if it is free and they can still take it."""
    try:
        lifecycle = ground.lifecycle(row)
        way = lifecycle.find(row.state, OFFER)
        if way is None or not _is_timely(ground, lifecycle, row, way):
            return None
        if not ground.is_here(row) and gate.is_closed(row.asker_town):
            return None
        if not capacity.free(ground, listing, read(row.terms), row):
            return None
        with write_tx():
            row = enter(ground, row, way.after, ground.now_ms())
            note(row, secrets.token_bytes(8), OFFER, ground.now_ms(), "home")
            tell_asker(ground, row)
            publish(ground, row)
    except (capacity.Refused, DomainError, ProtocolError) as error:
        log.info("engagement %s waits on: %s", row.id.hex(), error)
        return None
    return row


def _is_timely(ground: Ground, lifecycle: Lifecycle, row: Engagement, way: Transition) -> bool:
    """Whether neither the wait, nor the offer, nor what accepting it leads to is over by now."""
    now_ms, engaging = ground.now_ms(), ground.rules(row)
    if row.deadline_ms is not None and row.deadline_ms + ground.reach_ms(row) <= now_ms:
        return False
    moments = ground.moments(engaging, read(row.terms), now_ms)
    accept = lifecycle.find(way.after, ACCEPT)
    coming = [way.after, accept.after] if accept else [way.after]
    ends = [entered(lifecycle, lifecycle.state(name), moments)["deadline_ms"] for name in coming]
    return all(end is None or end > now_ms for end in ends)


def _tell_places(ground: Ground, listing: Listing | None) -> None:
    """Tell other towns where their residents are in the line now, if that changed."""
    waiting = lines.waiting(listing.origin, listing.key) if listing is not None else []
    for number, row in enumerate(waiting, 1):
        if row.place != number and not ground.is_here(row):
            publish(ground, restate(row, place=number))
