"""Our records under another keyset than the one in force: what a rotation has still to do."""

from collections.abc import Collection
from typing import Any

from federation.record import TOMBSTONE
from node.store.database import db, write_tx
from node.store.network.towns import TownRow
from node.store.sets.records import Holder, RecordRow, holders


def count(origin: bytes, keyset: int, now_s: int) -> int:
    """Return how many such records live at `now_s` (unix seconds) and can be signed again."""
    sql = "SELECT 1 FROM setsum WHERE origin = ? AND keyset != ? LIMIT 1"
    if db.execute_sql(sql, (origin, keyset)).fetchone() is None:
        return 0
    return RecordRow.select().where(_waiting(origin, keyset, now_s)).count()


def page(
    origin: bytes, keyset: int, now_s: int, after: tuple[int, int], limit: int
) -> list[RecordRow]:
    """Return the next such records: tombstones first, then the others, in order of arrival.

    `after` is (0 for a tombstone, 1 for another; seq) of the last one seen, (-1, 0) at first.
    """
    place = TOMBSTONE - RecordRow.state
    is_later = (place > after[0]) | ((place == after[0]) & (RecordRow.seq > after[1]))
    query = RecordRow.select().where(_waiting(origin, keyset, now_s), is_later)
    return list(query.order_by(place, RecordRow.seq).limit(limit))


def _waiting(origin: bytes, keyset: int, now_s: int) -> Any:
    """Those in life; a sealed one only while there is a key to seal it to (else it just ends)."""
    readers = TownRow.select(TownRow.town).where(TownRow.hpke.is_null(False))
    is_open = RecordRow.to.is_null() | (RecordRow.state == TOMBSTONE)
    return (
        (RecordRow.origin == origin)
        & (RecordRow.keyset != keyset)
        & (RecordRow.expires > now_s)
        & (is_open | RecordRow.to.in_(readers))
    )


def returned(origin: bytes, numbers: Collection[int]) -> list[Holder]:
    """Return an origin's records under these keysets that another town brought."""
    query = RecordRow.select(RecordRow.key).where(
        RecordRow.origin == origin, RecordRow.keyset.in_(list(numbers)), RecordRow.carrier != b""
    )
    return list(holders((origin, key) for (key,) in query.tuples()).values())


def under(origin: bytes, numbers: Collection[int]) -> list[Holder]:
    """Return all records of an origin under these keysets."""
    query = RecordRow.select(RecordRow.key).where(
        RecordRow.origin == origin, RecordRow.keyset.in_(list(numbers))
    )
    return list(holders((origin, key) for (key,) in query.tuples()).values())


def vouch(origin: bytes) -> int:
    """Take what other towns brought home as if it had been signed here; return how many."""
    with write_tx():
        brought = (RecordRow.origin == origin) & (RecordRow.carrier != b"")
        return RecordRow.update(carrier=b"").where(brought).execute()
