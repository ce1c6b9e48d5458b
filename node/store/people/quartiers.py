"""The quartiers: the town's own list of its neighbourhoods, and the names they had before."""

import peewee

from node.store.database import write_tx
from node.store.row import Row


class Quartier(Row):
    """One quartier of a commune; one that was renamed or merged says which it is `now`."""

    insee = peewee.TextField()
    name = peewee.TextField()
    rank = peewee.IntegerField()
    now = peewee.IntegerField(null=True, index=True)

    class Meta:
        indexes = ((("insee", "name"), True),)


def listed() -> list[Quartier]:
    """Return the quartiers of today in the town's order."""
    query = Quartier.select().where(Quartier.now.is_null())
    return list(query.order_by(Quartier.rank, Quartier.id))


def find(quartier: int) -> Quartier | None:
    """Return the quartier with this number, whatever it is called now."""
    return Quartier.get_or_none(Quartier.id == quartier)


def named(insee: str, name: str) -> Quartier | None:
    """Return the row of a name in a commune, of today or of before."""
    return Quartier.get_or_none(Quartier.insee == insee, Quartier.name == name)


def before(quartier: int) -> list[str]:
    """Return the names by which a quartier was known before."""
    query = Quartier.select(Quartier.name).where(Quartier.now == quartier)
    return [name for (name,) in query.order_by(Quartier.name).tuples()]


def add(insee: str, name: str) -> Quartier:
    """Put a new quartier at the end of the list."""
    with write_tx():
        last = Quartier.select(peewee.fn.MAX(Quartier.rank)).scalar() or 0
        return Quartier.create(insee=insee, name=name, rank=last + 1)


def change(quartier: int, **columns: object) -> None:
    """Set columns of a quartier."""
    with write_tx():
        Quartier.update(**columns).where(Quartier.id == quartier).execute()


def follow(quartier: int, other: int) -> None:
    """Say that a quartier, with the names it had before, is another one now."""
    with write_tx():
        old = (Quartier.id == quartier) | (Quartier.now == quartier)
        Quartier.update(now=other).where(old).execute()


def forget(quartier: int) -> None:
    """Delete a quartier and the names it had before."""
    with write_tx():
        Quartier.delete().where((Quartier.id == quartier) | (Quartier.now == quartier)).execute()


def order(numbers: list[int]) -> None:
    """Put the quartiers in this order."""
    with write_tx():
        for rank, number in enumerate(numbers, 1):
            Quartier.update(rank=rank).where(Quartier.id == number).execute()
