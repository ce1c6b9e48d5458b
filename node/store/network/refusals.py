"""The refusals: records a partner brought that were kept out, and why, for its page."""

from collections.abc import Sequence

import peewee

from node.store.database import execute_many, write_tx
from node.store.row import BytesField, Row

KEPT_PER_PARTNER = 500


class Refusal(Row):
    """A record (by its SHA-256) that `partner` brought, its origin if it could be read, a code."""

    partner = BytesField()
    record = BytesField()
    origin = BytesField(null=True)
    code = peewee.TextField()
    at_ms = peewee.BigIntegerField()
    times = peewee.IntegerField(default=1)

    class Meta:
        indexes = ((("partner", "record"), True), (("partner", "at_ms"), False))


def note(partner: bytes, record: bytes, code: str, now_ms: int, origin: bytes | None) -> None:
    """Note one refusal; the same record again only counts up. The oldest are dropped."""
    note_all(partner, [(record, code, origin)], now_ms)


def note_all(partner: bytes, rows: Sequence[tuple[bytes, str, bytes | None]], now_ms: int) -> None:
    """Note (record, code, origin) of a batch, as far as so many are kept."""
    last = rows[-KEPT_PER_PARTNER:]
    if not last:
        return
    with write_tx():
        execute_many(
            "INSERT INTO refusal (partner, record, origin, code, at_ms, times)"
            " VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT (partner, record) DO UPDATE SET"
            " times = times + 1, at_ms = excluded.at_ms, code = excluded.code",
            [(partner, record, origin, code, now_ms) for record, code, origin in last],
        )
        mine = Refusal.select(Refusal.id).where(Refusal.partner == partner)
        keep = mine.order_by(Refusal.at_ms.desc(), Refusal.id.desc()).limit(KEPT_PER_PARTNER)
        if mine.count() > KEPT_PER_PARTNER:
            Refusal.delete().where(Refusal.partner == partner, Refusal.id.not_in(keep)).execute()


def latest(partner: bytes, limit: int = 20) -> list[Refusal]:
    """Return the last refusals of a partner, newest first."""
    query = Refusal.select().where(Refusal.partner == partner)
    return list(query.order_by(Refusal.at_ms.desc(), Refusal.id.desc()).limit(limit))


def counts(partner: bytes) -> dict[str, int]:
    """Return {code: how many different records} for a partner."""
    query = Refusal.select(Refusal.code, peewee.fn.COUNT(Refusal.id))
    rows = query.where(Refusal.partner == partner).group_by(Refusal.code)
    return dict(rows.order_by(Refusal.code).tuples())


def forget_partner(partner: bytes) -> None:
    """Delete the refusals of a partner."""
    with write_tx():
        Refusal.delete().where(Refusal.partner == partner).execute()
