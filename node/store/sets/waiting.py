"""The waiting: records let in on their origin's checkpoint, whose own signatures wait."""

from collections.abc import Iterable

import peewee

from node.store.database import db, execute_many, write_tx
from node.store.row import BytesField, Row


class Unverified(Row):
    """The id of a held record that nobody else may see yet, its set and the partner it came by."""

    id = BytesField(primary_key=True)
    origin = BytesField()
    scope = peewee.IntegerField()
    carrier = BytesField()

    class Meta:
        without_rowid = True


def note(rows: Iterable[tuple[bytes, bytes, int]], carrier: bytes) -> None:
    """Keep (id, origin, scope) of records that were not checked. Inside write_tx()."""
    execute_many(
        "INSERT OR IGNORE INTO unverified (id, origin, scope, carrier) VALUES (?, ?, ?, ?)",
        [(*row, carrier) for row in rows],
    )


def forget(ids: Iterable[bytes]) -> None:
    """Forget these ids: they were checked, or are no longer held."""
    with write_tx():
        execute_many("DELETE FROM unverified WHERE id = ?", [(each,) for each in ids])


def drop_orphans() -> None:
    """Forget the ids of records that are no longer held."""
    with write_tx():
        db.execute_sql("DELETE FROM unverified WHERE id NOT IN (SELECT id FROM record)")


def any_left() -> bool:
    """Return whether a record waits to be checked."""
    return db.execute_sql("SELECT 1 FROM unverified LIMIT 1").fetchone() is not None


def count(origin: bytes | None = None) -> int:
    """Return how many records wait to be checked, in all or of one origin."""
    where, params = (" WHERE origin = ?", (origin,)) if origin is not None else ("", ())
    return db.execute_sql(f"SELECT COUNT(*) FROM unverified{where}", params).fetchone()[0]


def raws(limit: int) -> list[bytes]:
    """Return the bytes of the first records that wait to be checked."""
    rows = db.execute_sql(
        "SELECT r.raw FROM unverified u JOIN record r ON r.id = u.id LIMIT ?", (limit,)
    ).fetchall()
    return [row[0] for row in rows]


def hidden_from(peer: bytes | None) -> set[bytes]:
    """Return the ids a peer may not see: it neither wrote nor brought them (None: anyone)."""
    sql, params = "SELECT id FROM unverified", ()
    if peer is not None:
        sql, params = f"{sql} WHERE origin <> ? AND carrier <> ?", (peer, peer)
    return {row[0] for row in db.execute_sql(sql, params).fetchall()}


def hidden_sums(peer: bytes | None, out_s: int) -> dict[tuple[bytes, int, int], tuple[int, int]]:
    """Return {(origin, scope, keyset): (count, sum of ids)} of what a peer may not see, of records
    that end after `out_s` (unix seconds).
    """
    found: dict[tuple[bytes, int, int], tuple[int, int]] = {}
    if not any_left():
        return found
    rows = db.execute_sql(
        "SELECT r.origin, r.scope, r.keyset, r.id, u.carrier FROM unverified u"
        " JOIN record r ON r.id = u.id WHERE r.expires > ?",
        (out_s,),
    ).fetchall()
    for origin, scope, keyset, record_id, carrier in rows:
        if peer is None or peer not in (origin, carrier):
            count, total = found.get((origin, scope, keyset), (0, 0))
            total += int.from_bytes(record_id, "little")
            found[origin, scope, keyset] = count + 1, total
    return found
