"""The facets: (name, value) pairs a practice wants its listings to be matched by."""

from collections.abc import Iterable

import peewee

from node.store.catalogue.listings import Listing
from node.store.database import db, execute_many, write_tx
from node.store.row import Row


class Facet(Row):
    """One facet of a listing; it goes with the listing."""

    listing = peewee.ForeignKeyField(Listing, on_delete="CASCADE", backref="facets", index=False)
    name = peewee.TextField()
    value = peewee.TextField()

    class Meta:
        primary_key = peewee.CompositeKey("listing", "name", "value")
        indexes = ((("name", "value", "listing"), False),)
        without_rowid = True


def put(listing: int, pairs: Iterable[tuple[str, str]]) -> None:
    """Replace the facets of a listing (by row id)."""
    with write_tx():
        db.execute_sql("DELETE FROM facet WHERE listing_id = ?", (listing,))
        execute_many(
            "INSERT INTO facet (listing_id, name, value) VALUES (?, ?, ?)",
            sorted({(listing, name, value) for name, value in pairs}),
        )


def of_listing(listing: int) -> list[tuple[str, str]]:
    """Return the facets of a listing, sorted."""
    query = Facet.select(Facet.name, Facet.value).where(Facet.listing == listing)
    return list(query.order_by(Facet.name, Facet.value).tuples())


def of_keys(origin: bytes, keys: Iterable[bytes]) -> dict[bytes, dict[str, str]]:
    """Return {register: {name: value}} of listings of a town; of several values the last."""
    query = (
        Facet.select(Listing.key, Facet.name, Facet.value)
        .join(Listing)
        .where(Listing.origin == origin, Listing.key.in_(list(keys)))
    )
    found: dict[bytes, dict[str, str]] = {}
    for key, name, value in query.order_by(Facet.name, Facet.value).tuples():
        found.setdefault(key, {})[name] = value
    return found


def having(name: str, value: str) -> peewee.ModelSelect:
    """Return the query of the ids of the listings with that facet, for use inside another."""
    return Facet.select(Facet.listing).where(Facet.name == name, Facet.value == value)


def values(name: str) -> list[tuple[str, int]]:
    """Return [(value, how many listings)] of a facet, by value."""
    query = Facet.select(Facet.value, peewee.fn.COUNT(Facet.listing)).where(Facet.name == name)
    return list(query.group_by(Facet.value).order_by(Facet.value).tuples())
