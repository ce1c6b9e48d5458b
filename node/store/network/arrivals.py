"""The arrivals: which of our sealed records their addressee says it received by courier file."""

from collections.abc import Iterable

import peewee

from node.store.database import execute_many, write_tx
from node.store.row import BytesField, Row


class Arrival(Row):
    """One record (by its id), the town that received it, and when, by that town's clock."""

    record = BytesField(primary_key=True)
    town = BytesField()
    at_ms = peewee.BigIntegerField(index=True)

    class Meta:
        without_rowid = True


def note(records: Iterable[bytes], town: bytes, at_ms: int) -> None:
    """Keep that a town received these records; the first word counts."""
    with write_tx():
        execute_many(
            "INSERT OR IGNORE INTO arrival (record, town, at_ms) VALUES (?, ?, ?)",
            [(each, town, at_ms) for each in records],
        )


def when(record: bytes | None) -> int | None:
    """Return when a record arrived by courier file (UTC ms), None if nobody said so."""
    if record is None:
        return None
    return Arrival.select(Arrival.at_ms).where(Arrival.record == record).scalar()


def sweep(before_ms: int) -> int:
    """Forget what arrived before that; return how many."""
    with write_tx():
        return Arrival.delete().where(Arrival.at_ms < before_ms).execute()
