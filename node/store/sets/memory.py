"""The memory of ids not held that need not be fetched again: superseded, refused, expired."""

from collections.abc import Iterable

import peewee

from node.store.database import db, execute_many, write_tx
from node.store.row import BytesField, Row
from node.store.sets.records import among

MOST = 500_000  # some 50 MB: what is forgotten too early is only fetched, and judged, once more
LOOK_EVERY = 20_000  # how many are remembered between two looks at how many there are

_fresh = 0


class Remembered(Row):
    """An id, the code of why it is not held, and until when (unix seconds) it can matter."""

    id = BytesField(primary_key=True)
    code = peewee.TextField()
    until = peewee.BigIntegerField(index=True)

    class Meta:
        without_rowid = True


def remember(rows: Iterable[tuple[bytes, str, int]]) -> None:
    """Remember (id, code, until in unix seconds); a later word on an id replaces the earlier.

    Nobody can fill the disk with ids: beyond MOST those go first that matter for the shortest time.
    """
    news = list(rows)
    with write_tx():
        execute_many(
            "INSERT INTO remembered (id, code, until) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET code = excluded.code, until = excluded.until",
            news,
        )
        _bound(len(news))


def _bound(fresh: int) -> None:
    global _fresh
    _fresh += fresh
    if _fresh >= LOOK_EVERY:
        _fresh = 0
        trim()


def trim() -> None:
    """Forget what is remembered beyond MOST."""
    with write_tx():
        db.execute_sql(
            "DELETE FROM remembered WHERE id IN (SELECT id FROM remembered ORDER BY until LIMIT ?)",
            (max(0, count() - MOST),),
        )


def ids_remembered(ids: Iterable[bytes]) -> set[bytes]:
    """Return those of these ids that are remembered."""
    return among("remembered", ids)


def reason(record_id: bytes) -> str | None:
    """Return why an id is remembered, None if it is not."""
    return Remembered.select(Remembered.code).where(Remembered.id == record_id).scalar()


def forget(code: str) -> int:
    """Forget all ids remembered for one reason, so that they are fetched again; return how many."""
    with write_tx():
        return Remembered.delete().where(Remembered.code == code).execute()


def sweep(now_s: int) -> int:
    """Forget what can matter no more at `now_s` (unix seconds); return how many."""
    with write_tx():
        return Remembered.delete().where(Remembered.until <= now_s).execute()


def count() -> int:
    """Return how many ids are remembered."""
    return db.execute_sql("SELECT COUNT(*) FROM remembered").fetchone()[0]
