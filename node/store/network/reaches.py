"""The reach of each partner: how long its words take to come, measured; and the moments it is
measured from.
"""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row

DAY_MS = 86_400_000
LEAST_MS = DAY_MS  # the least and the most a deadline waits for a partner's words
MOST_MS = 14 * DAY_MS


class Contact(Row):
    """A moment up to which we know what a town said."""

    town = BytesField()
    at_ms = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("town", "at_ms")
        without_rowid = True


class Reach(Row):
    """How much longer a deadline waits for a town's words, as measured last."""

    town = BytesField(primary_key=True)
    reach_ms = peewee.BigIntegerField()
    at_ms = peewee.BigIntegerField()


def of(town: bytes) -> int:
    """Return the reach of a town (ms), the least while it was not measured."""
    row = Reach.get_or_none(Reach.town == town)
    return row.reach_ms if row is not None else LEAST_MS


def keep(town: bytes, reach_ms: int, now_ms: int) -> None:
    """Keep what was measured."""
    with write_tx():
        Reach.upsert(town=town, reach_ms=reach_ms, at_ms=now_ms)


def note(town: bytes, at_ms: int) -> None:
    """Keep a moment up to which a town was heard."""
    Contact.upsert(town=town, at_ms=at_ms)


def contacts(town: bytes, since_ms: int) -> list[int]:
    """Return the moments from `since_ms` on, and the last one before, ascending."""
    mine = Contact.select(Contact.at_ms).where(Contact.town == town)
    before = mine.where(Contact.at_ms < since_ms).order_by(Contact.at_ms.desc()).limit(1)
    after = mine.where(Contact.at_ms >= since_ms).order_by(Contact.at_ms)
    return [at_ms for query in (before, after) for (at_ms,) in query.tuples()]


def sweep(town: bytes, before_ms: int, after_ms: int) -> None:
    """Forget the moments before `before_ms`, and those a wrong clock wrote beyond `after_ms`."""
    with write_tx():
        Contact.delete().where(
            Contact.town == town, (Contact.at_ms < before_ms) | (Contact.at_ms > after_ms)
        ).execute()


def forget(town: bytes) -> None:
    """Forget a removed partner."""
    with write_tx():
        Contact.delete().where(Contact.town == town).execute()
        Reach.delete().where(Reach.town == town).execute()
