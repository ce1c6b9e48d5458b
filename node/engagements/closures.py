"""The closures: when nothing new of a listing of ours is promised, and whom a ticket touches."""

from collections.abc import Iterable

from node.domain.capacity import Span
from node.domain.practice import Claim
from node.engagements.ground import Ground, read
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.promises import tickets
from node.store.promises.engagements import Engagement
from node.store.promises.tickets import CLOSING, Ticket


def closed(ground: Ground, listing: Listing, span: Span) -> frozenset[int]:
    """Return the slots of a span in which nothing new of a listing of ours is promised."""
    if listing.origin != ground.town:
        return frozenset()
    shut = [each for each in of_now(ground, listing.key) if each.what in CLOSING]
    return frozenset(
        slot
        for slot in span.days
        if any(_overlaps(ground, listing, slot, slot + 1, each) for each in shut)
    )


def of_now(ground: Ground, listing_key: bytes) -> list[Ticket]:
    """Return the open tickets of a listing that are not over by themselves."""
    now_ms = ground.now_ms()
    held = tickets.of_listing(listing_key)
    return [each for each in held if each.until_ms is None or each.until_ms > now_ms]


def of_engagement(ground: Ground, row: Engagement) -> list[Ticket]:
    """Return the tickets that touch what an engagement of ours is about, while it is open."""
    if row.final or not ground.decides(row):
        return []
    found = of_now(ground, row.listing_key)
    return [each for each in found if touches(ground, row, each)]


def touches(ground: Ground, row: Engagement, ticket: Ticket) -> bool:
    """Whether a ticket lies in what an engagement claims; what has no slots is always meant."""
    listing = listings.find(row.listing_origin, row.listing_key)
    engaging = ground.engaging(row)
    if listing is None or engaging is None:
        return False
    wanted = engaging.claim(read(row.terms)) if read(row.terms) else None
    slots = [each for each in _each(wanted) if isinstance(each, Claim)]
    if not slots:
        return True
    return any(
        _overlaps(ground, listing, each.span.first, each.span.after, ticket) for each in slots
    )


def _each(wanted: object) -> Iterable[object]:
    return wanted if isinstance(wanted, tuple) else (wanted,)


def _overlaps(ground: Ground, listing: Listing, first: int, after: int, ticket: Ticket) -> bool:
    instant = ground.rules(listing).instant
    begins = instant(first, ground.zone)
    is_before_end = ticket.until_ms is None or begins < ticket.until_ms
    return is_before_end and instant(after, ground.zone) > ticket.from_ms
