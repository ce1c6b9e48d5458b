"""The claims: the units of a listing an engagement holds, slot by slot, one holder each.

A slot is a day number, a quarter of an hour since 1970 or an occurrence: whatever the practice
counts capacity in. Plain SQL that SQLite and PostgreSQL read alike.
"""

from collections.abc import Iterable

import peewee

from node.domain.errors import Conflict
from node.domain.words import N_
from node.store.database import execute, execute_many, write_tx
from node.store.promises import unlogged
from node.store.promises.engagements import Engagement
from node.store.row import BytesField, Row

Pair = tuple[int, int]  # (unit, slot)


class Claim(Row):
    """One unit of one listing in one slot, held by one engagement: the key is the capacity rule."""

    listing_origin = BytesField()
    listing_key = BytesField()
    slot = peewee.BigIntegerField()
    unit = peewee.IntegerField()
    engagement = peewee.ForeignKeyField(Engagement, on_delete="CASCADE", backref="claims")

    class Meta:
        primary_key = peewee.CompositeKey("listing_origin", "listing_key", "slot", "unit")
        without_rowid = True


INSERT = (
    "INSERT INTO claim (listing_origin, listing_key, slot, unit, engagement_id)"
    " VALUES (?, ?, ?, ?, ?)"
)
TAKEN = (
    "SELECT unit, slot FROM claim WHERE listing_origin = ? AND listing_key = ? AND slot >= ?"
    " AND slot < ? AND engagement_id <> ? ORDER BY slot, unit"
)
MINE = "SELECT unit, slot FROM claim WHERE engagement_id = ? ORDER BY slot, unit"
DELETE = (
    "DELETE FROM claim WHERE listing_origin = ? AND listing_key = ? AND slot = ? AND unit = ?"
    " AND engagement_id = ?"
)


def take(engagement: bytes, origin: bytes, key: bytes, unit: int, slots: Iterable[int]) -> None:
    """Hold `unit` of a listing in each of `slots`; all of them or none.

    Raises Conflict("taken") when another engagement holds one of them.
    """
    take_all(engagement, origin, key, ((unit, slot) for slot in slots))


def take_all(engagement: bytes, origin: bytes, key: bytes, pairs: Iterable[Pair]) -> None:
    """Hold (unit, slot) pairs of a listing; all of them or none. Raises Conflict("taken")."""
    rows = [(origin, key, slot, unit, engagement) for unit, slot in pairs]
    rows.sort(key=lambda row: row[2:4])  # in the order of the key: fast, and no deadlock
    try:
        with write_tx():
            unlogged.note(engagement)
            execute_many(INSERT, rows)
    except peewee.IntegrityError as error:
        if "unique" not in str(error).lower():
            raise
        message = N_("Someone else has it for a part of that time.")
        raise Conflict("taken", message) from error


def replace(engagement: bytes, origin: bytes, key: bytes, pairs: Iterable[Pair]) -> None:
    """Hold exactly these (unit, slot) pairs of a listing; raises Conflict, then nothing changed."""
    wanted, held = set(pairs), set(of_engagement(engagement))
    if wanted == held:
        return
    with write_tx():
        unlogged.note(engagement)
        gone = sorted((slot, unit) for unit, slot in held - wanted)
        execute_many(DELETE, [(origin, key, slot, unit, engagement) for slot, unit in gone])
        take_all(engagement, origin, key, wanted - held)


def holders(origin: bytes, key: bytes, first: int, after: int) -> list[bytes]:
    """Return the engagements that hold something of a listing from slot `first` to `after`."""
    query = Claim.select(Claim.engagement).where(
        Claim.listing_origin == origin,
        Claim.listing_key == key,
        Claim.slot >= first,
        Claim.slot < after,
    )
    return [row for (row,) in query.distinct().order_by(Claim.engagement).tuples()]


def release(engagement: bytes) -> int:
    """Give back everything an engagement holds; return how many slots that frees."""
    with write_tx():
        unlogged.note(engagement)
        return Claim.delete().where(Claim.engagement == engagement).execute()


def taken(
    origin: bytes, key: bytes, first: int, after: int, *, but: bytes | None = None
) -> list[Pair]:
    """Return the (unit, slot) pairs held from slot `first` up to, not including, `after`.

    `but` leaves out what one engagement holds (when it asks to change its own terms).
    """
    values = (origin, key, first, after, but if but is not None else b"")
    return [(unit, slot) for unit, slot in execute(TAKEN, values)]


def of_engagement(engagement: bytes) -> list[Pair]:
    """Return the (unit, slot) pairs an engagement holds."""
    return [(unit, slot) for unit, slot in execute(MINE, (engagement,))]
