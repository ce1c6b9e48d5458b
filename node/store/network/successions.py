"""The successions: which town took the place of which, as our admin was told in person."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row


class Succession(Row):
    """A town that is no more, the one in its place, and when that was written down (UTC ms)."""

    old = BytesField(primary_key=True)
    new = BytesField(index=True)
    at_ms = peewee.BigIntegerField()

    class Meta:
        without_rowid = True


def note(old: bytes, new: bytes, at_ms: int) -> None:
    """Write down that `new` took the place of `old`."""
    with write_tx():
        Succession.upsert(old=old, new=new, at_ms=at_ms)


def of(old: bytes) -> Succession | None:
    """Return what took the place of a town, None where nothing did."""
    return Succession.get_or_none(Succession.old == old)


def listed() -> dict[bytes, bytes]:
    """Return {old town: new town}."""
    return dict(Succession.select(Succession.old, Succession.new).tuples())


def forget(old: bytes) -> None:
    """Take it back: the old town is a town of its own again."""
    with write_tx():
        Succession.delete().where(Succession.old == old).execute()
