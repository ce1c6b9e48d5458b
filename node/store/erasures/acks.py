"""The acknowledgements: which town said, signed, that it deleted which of our buried registers."""

from collections.abc import Iterable
from typing import NamedTuple

import peewee

from node.store.database import execute_many, write_tx
from node.store.row import BytesField, Row

SHORT_BYTES = 8  # of a key: its origin alone reads them, and gave them


class ErasureAck(Row):
    """One erasure as another town told of it; `key` is the beginning of our register's key."""

    town = BytesField()
    key = BytesField(index=True)
    part = peewee.IntegerField()
    gone_ms = peewee.BigIntegerField()
    kept = peewee.TextField(default="")

    class Meta:
        table_name = "erasure_ack"
        primary_key = peewee.CompositeKey("town", "key")
        without_rowid = True


class Told(NamedTuple):
    """One line of an acknowledgement: short key, when it was gone (UTC ms), what is kept."""

    key: bytes
    gone_ms: int
    kept: str = ""


def replace(town: bytes, part: int, lines: Iterable[Told]) -> None:
    """Put what a part of a town's acknowledgement says now in place of what it said before."""
    with write_tx():
        ErasureAck.delete().where(ErasureAck.town == town, ErasureAck.part == part).execute()
        execute_many(
            'INSERT INTO erasure_ack (town, "key", part, gone_ms, kept) VALUES (?, ?, ?, ?, ?)'
            ' ON CONFLICT (town, "key") DO UPDATE SET part = excluded.part,'
            " gone_ms = excluded.gone_ms, kept = excluded.kept",
            [(town, each.key, part, each.gone_ms, each.kept) for each in lines],
        )


def sweep(before_ms: int) -> int:
    """Forget answers about what was gone before; return how many."""
    with write_tx():
        return ErasureAck.delete().where(ErasureAck.gone_ms < before_ms).execute()


def of_key(key: bytes) -> dict[bytes, Told]:
    """Return {town: what it said} of one of our registers."""
    found = ErasureAck.select().where(ErasureAck.key == key[:SHORT_BYTES])
    return {row.town: Told(row.key, row.gone_ms, row.kept) for row in found}


def of_town(town: bytes) -> set[bytes]:
    """Return the short keys a town has acknowledged."""
    query = ErasureAck.select(ErasureAck.key).where(ErasureAck.town == town)
    return {key for (key,) in query.tuples()}


def towns() -> set[bytes]:
    """Return the towns that ever acknowledged an erasure of ours that still counts."""
    return {town for (town,) in ErasureAck.select(ErasureAck.town).distinct().tuples()}
