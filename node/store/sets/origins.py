"""The origins: what is kept of a town as an author of records, partner or not."""

from collections.abc import Iterable

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row


class Origin(Row):
    """A town id, when its allowance of new records is full again, whether it is frozen."""

    town = BytesField(primary_key=True)
    full_at_ms = peewee.BigIntegerField(default=0)
    frozen = peewee.BooleanField(default=False)


def spend(town: bytes, full_at_ms: int) -> None:
    """Keep the moment (UTC ms) at which the town's allowance of new records is full again."""
    with write_tx():
        Origin.upsert(town=town, full_at_ms=full_at_ms)


def freeze(town: bytes, frozen: bool = True) -> None:
    """Stop (or let begin again) admitting and relaying what the town signs."""
    with write_tx():
        Origin.upsert(town=town, frozen=frozen)


def frozen_towns() -> set[bytes]:
    """Return the towns that are frozen."""
    return {town for (town,) in Origin.select(Origin.town).where(Origin.frozen).tuples()}


def is_frozen(town: bytes) -> bool:
    """Return whether this town is frozen."""
    return Origin.select().where(Origin.town == town, Origin.frozen).exists()


def full_at(towns: Iterable[bytes]) -> dict[bytes, int]:
    """Return {town: when its allowance is full again (UTC ms)} for those that ever spent any."""
    query = Origin.select(Origin.town, Origin.full_at_ms).where(Origin.town.in_(list(towns)))
    return dict(query.tuples())
