"""The refusals: records a partner brought that were kept out, and why, for its page."""

import peewee

from node.store.database import write_tx
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
    with write_tx():
        Refusal.insert(
            partner=partner, record=record, origin=origin, code=code, at_ms=now_ms
        ).on_conflict(
            conflict_target=[Refusal.partner, Refusal.record],
            update={Refusal.times: Refusal.times + 1, Refusal.at_ms: now_ms, Refusal.code: code},
        ).execute()
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
