"""The exchanges: the log of visits to and from each partner, as its page tells them."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row

KEPT_PER_PARTNER = 200


class Exchange(Row):
    """One visit: `out` we went, `in` they came. `outcome` is ok, open or an error code."""

    partner = BytesField()
    direction = peewee.TextField()
    started_ms = peewee.BigIntegerField()
    ended_ms = peewee.BigIntegerField(null=True)
    outcome = peewee.TextField(default="open")
    received = peewee.IntegerField(default=0)
    sent = peewee.IntegerField(default=0)
    refused = peewee.IntegerField(default=0)
    bytes_in = peewee.BigIntegerField(default=0)
    bytes_out = peewee.BigIntegerField(default=0)
    round_trips = peewee.IntegerField(default=0)

    class Meta:
        indexes = ((("partner", "id"), False),)


def start(partner: bytes, direction: str, now_ms: int) -> Exchange:
    """Begin a line of the log and drop the oldest beyond KEPT_PER_PARTNER."""
    with write_tx():
        row = Exchange.create(partner=partner, direction=direction, started_ms=now_ms)
        mine = Exchange.select(Exchange.id).where(Exchange.partner == partner)
        oldest = mine.order_by(Exchange.id.desc()).offset(KEPT_PER_PARTNER).limit(1).scalar()
        if oldest is not None:
            Exchange.delete().where(Exchange.partner == partner, Exchange.id <= oldest).execute()
        return row


def finish(exchange: Exchange, outcome: str, now_ms: int, **counts: int) -> None:
    """End a line with its outcome and counts (received, sent, refused, bytes_in ...)."""
    with write_tx():
        Exchange.update(outcome=outcome, ended_ms=now_ms, **counts).where(
            Exchange.id == exchange.id
        ).execute()


def latest(partner: bytes, limit: int = 20) -> list[Exchange]:
    """Return the last visits of a partner, newest first."""
    query = Exchange.select().where(Exchange.partner == partner)
    return list(query.order_by(Exchange.id.desc()).limit(limit))
