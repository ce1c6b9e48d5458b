"""The tickets: what is broken or being looked after on a listing of ours, and from when to when."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row

HINT = "hint"  # it is said; what is promised goes on
REPAIR = "repair"  # nothing is promised meanwhile
MAINTENANCE = "maintenance"  # the same, planned
WHATS = (HINT, REPAIR, MAINTENANCE)
CLOSING = (REPAIR, MAINTENANCE)


class Ticket(Row):
    """One ticket on a listing of ours.

    by           who says it: keeper, desk or asker (whoever has or had the thing)
    from_ms ...  until_ms is None until somebody closes it
    engagement   the request it was seen in, if any
    """

    listing_key = BytesField()
    what = peewee.TextField()
    text = peewee.TextField()
    from_ms = peewee.BigIntegerField()
    until_ms = peewee.BigIntegerField(null=True)
    by = peewee.TextField()
    opened_by = peewee.IntegerField(null=True, index=True)
    opened_ms = peewee.BigIntegerField()
    closed_by = peewee.IntegerField(null=True, index=True)
    closed_ms = peewee.BigIntegerField(null=True, index=True)
    engagement = BytesField(null=True)

    class Meta:
        indexes = ((("listing_key", "closed_ms"), False),)


def open_(listing_key: bytes, **columns: object) -> Ticket:
    """Open a ticket on a listing."""
    with write_tx():
        return Ticket.create(listing_key=listing_key, **columns)


def find(ticket: int) -> Ticket | None:
    """Return one ticket."""
    return Ticket.get_or_none(Ticket.id == ticket)


def of_listing(listing_key: bytes) -> list[Ticket]:
    """Return the open tickets of a listing, in the order of their spans."""
    query = Ticket.select().where(Ticket.listing_key == listing_key, Ticket.closed_ms.is_null())
    return list(query.order_by(Ticket.from_ms, Ticket.id))


def all_open(limit: int = 500) -> list[Ticket]:
    """Return the open tickets of the town, newest first."""
    query = Ticket.select().where(Ticket.closed_ms.is_null())
    return list(query.order_by(Ticket.id.desc()).limit(limit))


def close(ticket: int, by: int | None, now_ms: int) -> bool:
    """Close a ticket; return whether it was open."""
    with write_tx():
        is_open = (Ticket.id == ticket) & Ticket.closed_ms.is_null()
        return Ticket.update(closed_ms=now_ms, closed_by=by).where(is_open).execute() == 1


def forget_member(member: int) -> None:
    """Take a member out of every ticket, and what they wrote as a borrower."""
    with write_tx():
        mine = Ticket.opened_by == member
        Ticket.update(text="").where(mine, Ticket.by == "asker").execute()
        Ticket.update(opened_by=None, engagement=None).where(mine).execute()
        Ticket.update(closed_by=None).where(Ticket.closed_by == member).execute()


def sweep(before_ms: int) -> int:
    """Delete what was closed, or was over by itself, before `before_ms`; return how many."""
    with write_tx():
        old = (Ticket.closed_ms < before_ms) | (Ticket.until_ms < before_ms)
        return Ticket.delete().where(old).execute()
