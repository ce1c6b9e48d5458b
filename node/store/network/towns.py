"""The towns: what each says of itself in its signed profile; a read model, rebuilt from records."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row


class TownRow(Row):
    """One town's public card, ours included; `hpke` is the key to seal to it this month."""

    town = BytesField(primary_key=True)
    name = peewee.TextField()
    insee = peewee.TextField(default="")
    url = peewee.TextField(default="")
    lat_e6 = peewee.IntegerField(null=True)
    lon_e6 = peewee.IntegerField(null=True)
    hpke = BytesField(null=True)
    manager = peewee.TextField(default="")
    contact = peewee.TextField(default="")
    lang = peewee.TextField(default="fr")
    updated_ms = peewee.BigIntegerField(default=0)

    class Meta:
        table_name = "town"


def put(town: bytes, updated_ms: int, **columns: object) -> None:
    """Insert or replace the card of a town."""
    with write_tx():
        TownRow.upsert(town=town, updated_ms=updated_ms, **columns)


def find(town: bytes) -> TownRow | None:
    """Return the card of a town, None while its profile has not arrived."""
    return TownRow.one(town=town)


def listed() -> list[TownRow]:
    """Return every card, by name."""
    return list(TownRow.select().order_by(TownRow.name, TownRow.town))


def forget_seal(town: bytes) -> None:
    """Forget the key to seal to a town until it says a new one (its keys were stolen)."""
    with write_tx():
        TownRow.update(hpke=None).where(TownRow.town == town).execute()


def forget(town: bytes) -> None:
    """Forget the card of one town (a removed partner)."""
    with write_tx():
        TownRow.delete().where(TownRow.town == town).execute()


def clear() -> None:
    """Forget every card: they are made again from the records."""
    with write_tx():
        TownRow.delete().execute()
