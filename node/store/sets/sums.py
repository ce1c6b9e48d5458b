"""The sums: how many ids each set holds and their total, so that a summary reads no record.

One row for each (origin, scope, last day, keyset): a day's end or a keyset's retirement leaves
whole rows out. They are changed in the transaction that changes the records.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import peewee

from federation.stamp import end_day
from node.store.database import db, execute_many
from node.store.row import BytesField, Row

ID_SPACE = 2**256


class SetSum(Row):
    """The count and the little-endian sum of ids (mod 2^256) of a part of a set, and its size.

    `day` is the first UTC day on which its records are out of the set.
    """

    origin = BytesField()
    scope = peewee.IntegerField()
    day = peewee.IntegerField()
    keyset = peewee.BigIntegerField()
    count = peewee.IntegerField()
    live = peewee.IntegerField()
    size_bytes = peewee.BigIntegerField()
    total = BytesField()

    class Meta:
        table_name = "setsum"
        primary_key = peewee.CompositeKey("origin", "scope", "day", "keyset")
        without_rowid = True


class Part(NamedTuple):
    """One row: which part of which set, and what it holds."""

    origin: bytes
    scope: int
    day: int
    keyset: int
    count: int
    live: int
    size_bytes: int
    total: int


_PLACE = "origin = ? AND scope = ? AND day = ? AND keyset = ?"
_COLUMNS = 'origin, scope, day, keyset, "count", live, size_bytes, total'


def parts(origin: bytes | None = None) -> list[Part]:
    """Return the parts of all sets, or of one origin's, in order."""
    where, params = (" WHERE origin = ?", (origin,)) if origin is not None else ("", ())
    rows = db.execute_sql(f"SELECT {_COLUMNS} FROM setsum{where} ORDER BY 1, 2, 3, 4", params)
    return [Part(*row[:7], int.from_bytes(row[7], "little")) for row in rows.fetchall()]


def usage(origins: Iterable[bytes]) -> dict[bytes, tuple[int, int]]:
    """Return {origin: (live records, bytes)} for those of `origins` that hold anything."""
    sums = (peewee.fn.SUM(SetSum.live), peewee.fn.SUM(SetSum.size_bytes))
    query = SetSum.select(SetSum.origin, *sums).where(SetSum.origin.in_(list(origins)))
    return {origin: (live, size) for origin, live, size in query.group_by(SetSum.origin).tuples()}


def change(added: Iterable[Any], removed: Iterable[Any]) -> None:
    """Count records in and out; each needs origin, scope, expires, keyset, state, id and its size.

    Inside the transaction that inserts and deletes them.
    """
    deltas: dict[tuple[bytes, int, int, int], list[int]] = {}
    for step, records in ((1, added), (-1, removed)):
        for record in records:
            place = (record.origin, record.scope, end_day(record.expires), record.keyset)
            delta = deltas.setdefault(place, [0, 0, 0, 0])
            delta[0] += step
            delta[1] += step * (not record.state)
            delta[2] += step * _size(record)
            delta[3] += step * int.from_bytes(record.id, "little")
    _apply(deltas)


def _apply(deltas: dict[tuple[bytes, int, int, int], list[int]]) -> None:
    kept, emptied = [], []
    for place, (count, live, size_bytes, total) in deltas.items():
        row = db.execute_sql(
            f'SELECT "count", live, size_bytes, total FROM setsum WHERE {_PLACE}', place
        ).fetchone()
        if row:
            count, live, size_bytes = count + row[0], live + row[1], size_bytes + row[2]
            total += int.from_bytes(row[3], "little")
        if count:
            blob = (total % ID_SPACE).to_bytes(32, "little")
            kept.append((*place, count, live, size_bytes, blob))
        else:
            emptied.append(place)
    execute_many(f"DELETE FROM setsum WHERE {_PLACE}", [*(row[:4] for row in kept), *emptied])
    execute_many(f"INSERT INTO setsum ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", kept)


def _size(record: Any) -> int:
    return len(record.raw) if hasattr(record, "raw") else record.size_bytes
