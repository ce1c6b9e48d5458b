"""The carriages: courier files made and read here, as the desk tells them."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row

OUT, IN = "out", "in"
KEPT = 500  # lines, of all towns


class Carriage(Row):
    """One courier file: `out` it was made here, `in` it was read here.

    town          for whom it was made, or who made it; b"" for anyone, or when that cannot be told
    bundle        id of its header, b"" when that was unreadable
    made_ms       when it was made, by its maker's clock
    outcome       ok, torn (not all of it was there) or an error code
    planned       records it should hold; found: whole ones; stored: new here; refused: kept out
    receipt       what we signed for its maker, or None
    confirmed_ms  when its reader's receipt came in here
    """

    direction = peewee.TextField()
    town = BytesField()
    bundle = BytesField(index=True)
    made_ms = peewee.BigIntegerField()
    at_ms = peewee.BigIntegerField()
    outcome = peewee.TextField(default="ok")
    planned = peewee.IntegerField(default=0)
    found = peewee.IntegerField(default=0)
    stored = peewee.IntegerField(default=0)
    refused = peewee.IntegerField(default=0)
    photos = peewee.IntegerField(default=0)
    size_bytes = peewee.BigIntegerField(default=0)
    receipt = BytesField(null=True)
    confirmed_ms = peewee.BigIntegerField(null=True)

    class Meta:
        indexes = ((("town", "id"), False),)


def note(direction: str, town: bytes, bundle: bytes, **columns: object) -> Carriage:
    """Add a line and drop the oldest beyond KEPT."""
    with write_tx():
        row = Carriage.create(direction=direction, town=town, bundle=bundle, **columns)
        oldest = Carriage.select(Carriage.id).order_by(Carriage.id.desc()).offset(KEPT)
        last = oldest.limit(1).scalar()
        if last is not None:
            Carriage.delete().where(Carriage.id <= last).execute()
        return row


def find(carriage: int) -> Carriage | None:
    """Return one line."""
    return Carriage.get_or_none(Carriage.id == carriage)


def latest(limit: int = 20, town: bytes | None = None) -> list[Carriage]:
    """Return the last files, newest first; only those from or for `town` if one is named."""
    query = Carriage.select().order_by(Carriage.id.desc())
    return list((query if town is None else query.where(Carriage.town == town)).limit(limit))


def receipts_for(town: bytes, limit: int) -> list[bytes]:
    """Return the last receipts signed for that town, newest first."""
    query = Carriage.select(Carriage.receipt).where(
        Carriage.town == town, Carriage.direction == IN, Carriage.receipt.is_null(False)
    )
    return [receipt for (receipt,) in query.order_by(Carriage.id.desc()).limit(limit).tuples()]


def confirm(bundle: bytes, town: bytes, now_ms: int) -> None:
    """Note that the reader's receipt of a file made here came in."""
    with write_tx():
        Carriage.update(confirmed_ms=now_ms).where(
            Carriage.bundle == bundle,
            Carriage.direction == OUT,
            Carriage.town == town,
            Carriage.confirmed_ms.is_null(),
        ).execute()


def newest_made_ms(town: bytes, but: bytes) -> int | None:
    """Return when the newest file read from that town was made, leaving the file `but` out."""
    query = Carriage.select(peewee.fn.MAX(Carriage.made_ms)).where(
        Carriage.town == town, Carriage.direction == IN, Carriage.bundle != but
    )
    return query.scalar()
