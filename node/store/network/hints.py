"""The hints: what ended the last whole visit to each partner, so that the next can be short."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row


class Hint(Row):
    """The token a partner gave, and the place of the last record that had come in here."""

    partner = BytesField(primary_key=True)
    token = BytesField()
    arrival = peewee.BigIntegerField()


def find(partner: bytes) -> Hint | None:
    """Return the hint of the last whole visit to a partner."""
    return Hint.get_or_none(Hint.partner == partner)


def keep(partner: bytes, token: bytes, arrival: int) -> None:
    """Keep the hint of a visit that ended with both ends equal."""
    with write_tx():
        Hint.upsert(partner=partner, token=token, arrival=arrival)


def forget(partner: bytes) -> None:
    """Forget a partner's hint: the next visit reconciles from the start."""
    with write_tx():
        Hint.delete().where(Hint.partner == partner).execute()
