"""The keysets of every town known here, checked once when they came in."""

import peewee

from federation.keyset import Keyset
from node.store.database import db, write_tx
from node.store.row import BytesField, Row


class KeysetRow(Row):
    """One keyset: the signed bytes and what they say."""

    id = BytesField(primary_key=True)
    town = BytesField()
    number = peewee.BigIntegerField()
    root = BytesField()
    previous = BytesField()
    signing = BytesField()
    reason = peewee.TextField()
    raw = BytesField()

    class Meta:
        table_name = "keyset"
        indexes = ((("town", "number"), True),)


_FIELDS = [getattr(KeysetRow, name) for name in Keyset._fields]


def of_town(town: bytes) -> list[Keyset]:
    """Return the keysets of a town by number: genesis first, the one in force last."""
    rows = KeysetRow.select(*_FIELDS).where(KeysetRow.town == town).order_by(KeysetRow.number)
    return [Keyset(*row) for row in rows.tuples()]


def by_town() -> dict[bytes, list[Keyset]]:
    """Return the keysets of all towns, each list by number."""
    found: dict[bytes, list[Keyset]] = {}
    for row in KeysetRow.select(*_FIELDS).order_by(KeysetRow.town, KeysetRow.number).tuples():
        keyset = Keyset(*row)
        found.setdefault(keyset.town, []).append(keyset)
    return found


def by_id(keyset_id: bytes) -> Keyset | None:
    """Return the keyset with this id (SHA-256)."""
    row = KeysetRow.select(*_FIELDS).where(KeysetRow.id == keyset_id).tuples().first()
    return Keyset(*row) if row else None


def newest(town: bytes) -> tuple[int, bytes]:
    """Return number and id of the keyset in force of a town, (0, b"") where none is known."""
    sql = "SELECT number, id FROM keyset WHERE town = ? ORDER BY number DESC LIMIT 1"
    return db.execute_sql(sql, (town,)).fetchone() or (0, b"")


def keep(keyset: Keyset) -> None:
    """Insert a keyset that was checked against the others of its town."""
    with write_tx():
        KeysetRow.insert(**keyset._asdict()).execute()


def forget(keyset_id: bytes) -> None:
    """Delete one keyset: the admin decided for another one with its number."""
    with write_tx():
        KeysetRow.delete().where(KeysetRow.id == keyset_id).execute()


def forget_town(town: bytes) -> None:
    """Delete the keysets of a town whose records are no longer held."""
    with write_tx():
        KeysetRow.delete().where(KeysetRow.town == town).execute()
