"""The partners heard since our last restore: what each holds of ours is known here again."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row


class Heard(Row):
    """Up to which of our restores (`gen`, unix seconds) a partner was heard.

    by   who opened the gate by hand without hearing it: a name; "" when it was heard
    """

    town = BytesField(primary_key=True)
    gen = peewee.BigIntegerField()
    at_ms = peewee.BigIntegerField()
    by = peewee.TextField(default="")


def find(town: bytes) -> Heard | None:
    """Return how far a partner was heard."""
    return Heard.get_or_none(Heard.town == town)


def note(town: bytes, gen: int, now_ms: int, by: str = "") -> None:
    """Keep that a partner was heard, or that `by` opened the gate without."""
    with write_tx():
        Heard.upsert(town=town, gen=gen, at_ms=now_ms, by=by)
