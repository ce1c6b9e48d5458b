"""The records held: for each register the one revision that won, in the bytes it came in."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import peewee

from federation.checkpoint import Checkpoint
from federation.record import LIVE, Record
from federation.sets import Item
from federation.stamp import day_start_s, stamp_seconds
from node.store import marks
from node.store.database import db, execute_many, write_tx
from node.store.row import BytesField, Row

CHUNK = 500
Register = tuple[bytes, bytes]  # (origin, key)


class RecordRow(Row):
    """One held record; the columns repeat what is signed in `raw` so that it can be found.

    seconds      its place in the set's order: whole seconds since 2020 of the stamp
    expires      unix seconds, as signed
    received_ms  when it came in, or was signed here
    carrier      the partner that brought it, b"" when signed here or read from a file
    sent_ms      when a partner first fetched it from here
    """

    seq = peewee.AutoField()
    id = BytesField(unique=True)
    origin = BytesField()
    scope = peewee.IntegerField()
    key = BytesField()
    stamp = peewee.BigIntegerField()
    seconds = peewee.BigIntegerField()
    expires = peewee.BigIntegerField()
    kind = peewee.TextField()
    state = peewee.IntegerField()
    to = BytesField(null=True)
    keyset = peewee.BigIntegerField()
    size_bytes = peewee.IntegerField()
    raw = BytesField()
    received_ms = peewee.BigIntegerField()
    carrier = BytesField(default=b"")
    sent_ms = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "record"
        indexes = (
            (("origin", "key"), True),
            (("origin", "scope", "seconds", "id", "expires", "keyset"), False),
            (("origin", "kind"), False),
        )


class Holder(NamedTuple):
    """The columns of a held revision that decide what may replace it and how it is counted."""

    origin: bytes
    key: bytes
    id: bytes
    stamp: int
    state: int
    expires: int
    scope: int
    keyset: int
    size_bytes: int

    @property
    def is_live(self) -> bool:
        """Whether this revision is not a tombstone."""
        return self.state == LIVE


_HOLDER = [getattr(RecordRow, name) for name in Holder._fields]
_COLUMNS = ", ".join(f'"{name}"' for name in Holder._fields)
_INSERT = (
    'INSERT INTO record (seq, id, origin, scope, "key", stamp, seconds, expires, kind, state, "to",'
    " keyset, size_bytes, raw, received_ms, carrier) VALUES (" + ", ".join("?" * 16) + ")"
)


def find(origin: bytes, key: bytes) -> RecordRow | None:
    """Return the revision a register holds."""
    return RecordRow.get_or_none(RecordRow.origin == origin, RecordRow.key == key)


def by_id(record_id: bytes) -> RecordRow | None:
    """Return the held record with this id."""
    return RecordRow.get_or_none(RecordRow.id == record_id)


def holders(registers: Iterable[Register]) -> dict[Register, Holder]:
    """Return what each of these registers holds, if anything."""
    keys: dict[bytes, list[bytes]] = {}
    for origin, key in registers:
        keys.setdefault(origin, []).append(key)
    found: dict[Register, Holder] = {}
    for origin, wanted in keys.items():
        for part in chunks(wanted):
            marks = ", ".join("?" * len(part))
            sql = f'SELECT {_COLUMNS} FROM record WHERE origin = ? AND "key" IN ({marks})'
            for row in db.execute_sql(sql, (origin, *part)).fetchall():
                found[row[0], row[1]] = Holder(*row)
    return found


def ids_held(ids: Iterable[bytes]) -> set[bytes]:
    """Return those of these ids that are held."""
    return among("record", ids)


def walk(origin: bytes | None = None, kind: str | None = None) -> Iterator[RecordRow]:
    """Yield held records in order of arrival, CHUNK at a time so that writes may go between."""
    after = 0
    while True:
        query = RecordRow.select().where(RecordRow.seq > after).order_by(RecordRow.seq)
        if origin is not None:
            query = query.where(RecordRow.origin == origin)
        if kind is not None:
            query = query.where(RecordRow.kind == kind)
        page = list(query.limit(CHUNK))
        yield from page
        if len(page) < CHUNK:
            return
        after = page[-1].seq


def expiring(origin: bytes, before_s: int) -> list[RecordRow]:
    """Return the live records of an origin that end before `before_s` (unix seconds)."""
    query = RecordRow.select().where(
        RecordRow.origin == origin, RecordRow.state == LIVE, RecordRow.expires < before_s
    )
    return list(query.order_by(RecordRow.expires, RecordRow.seq))


def mark_sent(ids: Iterable[bytes], now_ms: int) -> None:
    """Note when a partner first fetched these records from here."""
    with write_tx():
        sql = "UPDATE record SET sent_ms = ? WHERE id = ? AND sent_ms IS NULL"
        execute_many(sql, [(now_ms, each) for each in ids])


def insert(records: Iterable[Record], carrier: bytes, now_ms: int) -> None:
    """Insert records whose registers are empty; the caller keeps the sums (`RecordStore.put`).

    A place in the order of arrival is never given twice, though SQLite would, once the record in
    the last one is gone.
    """
    arrived = list(records)
    first = last_arrival() + 1
    execute_many(
        _INSERT,
        [
            (seq, r.id, r.origin, r.scope, r.key, r.stamp, stamp_seconds(r.stamp), r.expires,
             r.kind, r.state, r.to, r.keyset, len(r.raw), r.raw, now_ms, carrier)
            for seq, r in enumerate(arrived, first)
        ],
    )  # fmt: skip
    if arrived:
        marks.write_number(marks.LAST_ARRIVAL, first + len(arrived) - 1)


def delete(ids: Iterable[bytes]) -> None:
    """Delete records by id; the caller keeps the sums."""
    execute_many("DELETE FROM record WHERE id = ?", [(each,) for each in ids])


def of_origin(origin: bytes) -> list[Holder]:
    """Return what all registers of an origin hold."""
    rows = RecordRow.select(*_HOLDER).where(RecordRow.origin == origin)
    return [Holder(*row) for row in rows.tuples()]


def in_part(origin: bytes, scope: int, keyset: int, day: int) -> list[Holder]:
    """Return the records of one part of a set: those out of it from that UTC day on."""
    rows = RecordRow.select(*_HOLDER).where(
        RecordRow.origin == origin,
        RecordRow.scope == scope,
        RecordRow.keyset == keyset,
        RecordRow.expires > day_start_s(day - 1),
        RecordRow.expires <= day_start_s(day),
    )
    return [Holder(*row) for row in rows.tuples()]


def set_items(
    origin: bytes, scope: int, out_s: int, dead: frozenset[int]
) -> list[tuple[int, bytes]]:
    """Return [(seconds, id)] of one set in order, of records that end after `out_s` (unix
    seconds) and whose keyset is not `dead`; read from the index alone.
    """
    sql = (
        "SELECT seconds, id FROM record WHERE origin = ? AND scope = ? AND expires > ?"
        + (f" AND keyset NOT IN ({', '.join('?' * len(dead))})" if dead else "")
        + " ORDER BY seconds, id"
    )
    return list(db.execute_sql(sql, (origin, scope, out_s, *sorted(dead))).fetchall())


def set_items_before(checkpoint: Checkpoint, dead: frozenset[int]) -> list[Item]:
    """Return [(seconds, id)] of the held records a checkpoint speaks of, not under `dead` keysets:
    the older ones from the index alone, those of its own second by their stamp.
    """
    seconds, out_s = stamp_seconds(checkpoint.stamp), day_start_s(checkpoint.as_of)
    rows = db.execute_sql(
        "SELECT seconds, id, keyset FROM record WHERE origin = ? AND scope = ? AND seconds < ?"
        " AND expires > ? UNION ALL SELECT seconds, id, keyset FROM record"
        " WHERE origin = ? AND scope = ? AND seconds = ? AND stamp < ? AND expires > ?",
        (*checkpoint.name, seconds, out_s, *checkpoint.name, seconds, checkpoint.stamp, out_s),
    ).fetchall()
    return [(second, one) for second, one, keyset in rows if keyset not in dead]


def count_later(checkpoint: Checkpoint) -> int:
    """Return how many records of its set are younger than a checkpoint."""
    seconds = stamp_seconds(checkpoint.stamp)
    row = db.execute_sql(
        "SELECT COUNT(*) FROM record WHERE origin = ? AND scope = ? AND seconds >= ? AND stamp > ?",
        (*checkpoint.name, seconds, checkpoint.stamp),
    ).fetchone()
    return int(row[0])


def last_arrival() -> int:
    """Return the place of the last record in order of arrival; it never goes back."""
    row = db.execute_sql("SELECT MAX(seq) FROM record").fetchone()
    return max(row[0] or 0, marks.number(marks.LAST_ARRIVAL))


def next_arrival() -> int:
    """Return a new place in the order of arrival, for what is no record. Inside write_tx()."""
    place = last_arrival() + 1
    marks.write_number(marks.LAST_ARRIVAL, place)
    return place


def arrived_since(arrival: int, but: bytes, out_s: int) -> Iterator[Any]:
    """Yield (seq, id, origin, scope, keyset, raw) of records that came after `arrival`, not by the
    partner `but`, and end after `out_s` (unix seconds); in order of arrival.
    """
    columns = (RecordRow.seq, RecordRow.id, RecordRow.origin, RecordRow.scope, RecordRow.keyset)
    while True:
        query = RecordRow.select(*columns, RecordRow.raw).where(
            RecordRow.seq > arrival, RecordRow.carrier != but, RecordRow.expires > out_s
        )
        page = list(query.order_by(RecordRow.seq).limit(CHUNK).namedtuples())
        yield from page
        if len(page) < CHUNK:
            return
        arrival = page[-1].seq


def among(table: str, ids: Iterable[bytes]) -> set[bytes]:
    """Return those of these ids that `table` (record, remembered) holds."""
    return {
        row[0]
        for part in chunks(list(ids))
        for row in db.execute_sql(
            f"SELECT id FROM {table} WHERE id IN ({', '.join('?' * len(part))})", part
        ).fetchall()
    }


def chunks(values: list[bytes]) -> Iterator[list[bytes]]:
    """Cut a list into parts a statement can take."""
    return (values[at : at + CHUNK] for at in range(0, len(values), CHUNK))


def count() -> int:
    """Return how many records are held."""
    return RecordRow.select().count()


def unsent_sealed(ids: Iterable[bytes]) -> list[bytes]:
    """Return those of these ids that are sealed and were not yet known to have left."""
    return [
        found
        for part in chunks(list(ids))
        for (found,) in RecordRow.select(RecordRow.id)
        .where(RecordRow.id.in_(part), RecordRow.scope == 2, RecordRow.sent_ms.is_null())
        .tuples()
    ]
