"""The claims: the units of a listing an engagement holds, slot by slot, one holder each.

A slot is a day number, a seat's date or 0: whatever the practice counts capacity in.
"""

from collections.abc import Iterable

import peewee

from node.domain.errors import Conflict
from node.domain.words import N_
from node.store.database import execute_many, write_tx
from node.store.promises import unlogged
from node.store.promises.engagements import Engagement
from node.store.row import BytesField, Row


class Claim(Row):
    """One unit of one listing in one slot, held by one engagement: the key is the capacity rule."""

    listing_origin = BytesField()
    listing_key = BytesField()
    unit = peewee.IntegerField()
    slot = peewee.BigIntegerField()
    engagement = peewee.ForeignKeyField(Engagement, on_delete="CASCADE", backref="claims")

    class Meta:
        primary_key = peewee.CompositeKey("listing_origin", "listing_key", "unit", "slot")
        without_rowid = True


def take(engagement: bytes, origin: bytes, key: bytes, unit: int, slots: Iterable[int]) -> None:
    """Hold `unit` of a listing in each of `slots`; all of them or none.

    Raises Conflict("taken") when another engagement holds one of them.
    """
    rows = [(origin, key, unit, slot, engagement) for slot in slots]
    try:
        with write_tx():
            unlogged.note(engagement)
            execute_many(
                "INSERT INTO claim (listing_origin, listing_key, unit, slot, engagement_id)"
                " VALUES (?, ?, ?, ?, ?)",
                rows,
            )
    except peewee.IntegrityError as error:
        if "UNIQUE" not in str(error):
            raise
        message = N_("Someone else has it for a part of that time.")
        raise Conflict("taken", message) from error


def holders(origin: bytes, key: bytes, slots: Iterable[int]) -> list[bytes]:
    """Return the engagements that hold something of a listing in any of `slots`."""
    wanted = list(slots)
    query = Claim.select(Claim.engagement).where(
        Claim.listing_origin == origin, Claim.listing_key == key, Claim.slot.in_(wanted)
    )
    return [row for (row,) in query.distinct().order_by(Claim.engagement).tuples()]


def release(engagement: bytes) -> int:
    """Give back everything an engagement holds; return how many slots that frees."""
    with write_tx():
        unlogged.note(engagement)
        return Claim.delete().where(Claim.engagement == engagement).execute()


def taken(
    origin: bytes, key: bytes, first: int, after: int, *, but: bytes | None = None
) -> list[tuple[int, int]]:
    """Return the (unit, slot) pairs held from slot `first` up to, not including, `after`.

    `but` leaves out what one engagement holds (when it asks to change its own terms).
    """
    query = Claim.select(Claim.unit, Claim.slot).where(
        Claim.listing_origin == origin,
        Claim.listing_key == key,
        Claim.slot >= first,
        Claim.slot < after,
    )
    if but is not None:
        query = query.where(Claim.engagement != but)
    return list(query.order_by(Claim.slot, Claim.unit).tuples())


def of_engagement(engagement: bytes) -> list[tuple[int, int]]:
    """Return the (unit, slot) pairs an engagement holds."""
    query = Claim.select(Claim.unit, Claim.slot).where(Claim.engagement == engagement)
    return list(query.order_by(Claim.slot, Claim.unit).tuples())
