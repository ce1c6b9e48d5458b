"""The quarantine: records that must wait, kept visible until they are taken or come no more.

Nothing of a record is kept but its id: it is fetched and judged again at every visit.
"""

from collections.abc import Iterable
from typing import NamedTuple

import peewee

from node.store.database import execute_many, write_tx
from node.store.row import BytesField, Row

KEPT_PER_PARTNER = 500
FORGOTTEN_MS = 7 * 86_400_000  # not brought again for so long: nobody has it any more


class Quarantined(Row):
    """A record (by its id) that `partner` brought and that could not be judged yet.

    first_ms, tried_ms  when it was brought first and last; `tries`: how often
    until_ms            from when on it can be taken, if that is known
    """

    partner = BytesField()
    record = BytesField(index=True)
    origin = BytesField()
    code = peewee.TextField()
    first_ms = peewee.BigIntegerField()
    tried_ms = peewee.BigIntegerField(index=True)
    tries = peewee.IntegerField(default=1)
    until_ms = peewee.BigIntegerField(null=True)

    class Meta:
        primary_key = peewee.CompositeKey("partner", "record")
        without_rowid = True


class Waiting(NamedTuple):
    """Records of one origin that wait for one reason: how many, since when, until when."""

    origin: bytes
    code: str
    records: int
    first_ms: int
    until_ms: int | None


def note(partner: bytes, rows: Iterable[tuple[bytes, bytes, str, int | None]], now_ms: int) -> None:
    """Note (record id, origin, code, until_ms) that a partner brought; the oldest are dropped."""
    with write_tx():
        execute_many(
            "INSERT INTO quarantined (partner, record, origin, code, first_ms, tried_ms, tries,"
            " until_ms) VALUES (?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT (partner, record) DO UPDATE SET"
            " code = excluded.code, tried_ms = excluded.tried_ms, tries = tries + 1,"
            " until_ms = excluded.until_ms",
            [
                (partner, record, origin, code, now_ms, now_ms, until_ms)
                for record, origin, code, until_ms in rows
            ],
        )
        mine = Quarantined.select(Quarantined.record).where(Quarantined.partner == partner)
        if mine.count() > KEPT_PER_PARTNER:
            keep = mine.order_by(Quarantined.tried_ms.desc(), Quarantined.record)
            Quarantined.delete().where(
                Quarantined.partner == partner,
                Quarantined.record.not_in(keep.limit(KEPT_PER_PARTNER)),
            ).execute()


def held(partner: bytes) -> set[bytes]:
    """Return the ids of what a partner brought that waits."""
    query = Quarantined.select(Quarantined.record).where(Quarantined.partner == partner)
    return {record for (record,) in query.tuples()}


def release(ids: Iterable[bytes]) -> None:
    """Forget records that were judged for good, whoever brought them."""
    if Quarantined.select().exists():  # nearly never
        with write_tx():
            execute_many("DELETE FROM quarantined WHERE record = ?", [(each,) for each in ids])


def waiting(partner: bytes) -> list[Waiting]:
    """Return what a partner brought that waits, by origin and reason, the longest waiting first."""
    first = peewee.fn.MIN(Quarantined.first_ms)
    query = (
        Quarantined.select(
            Quarantined.origin,
            Quarantined.code,
            peewee.fn.COUNT(Quarantined.record),
            first,
            peewee.fn.MAX(Quarantined.until_ms),
        )
        .where(Quarantined.partner == partner)
        .group_by(Quarantined.origin, Quarantined.code)
    )
    return [Waiting(*row) for row in query.order_by(first).tuples()]


def latest(partner: bytes, limit: int = 10) -> list[Quarantined]:
    """Return the records of a partner that wait, the next to be taken first."""
    query = Quarantined.select().where(Quarantined.partner == partner)
    return list(query.order_by(Quarantined.until_ms, Quarantined.record).limit(limit))


def sweep(now_ms: int) -> int:
    """Forget what nobody brought again for FORGOTTEN_MS; return how many."""
    with write_tx():
        gone = Quarantined.delete().where(Quarantined.tried_ms < now_ms - FORGOTTEN_MS)
        return int(gone.execute())


def forget_partner(partner: bytes) -> None:
    """Forget what a partner brought (a removed partner)."""
    with write_tx():
        Quarantined.delete().where(Quarantined.partner == partner).execute()
