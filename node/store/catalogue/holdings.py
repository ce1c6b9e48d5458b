"""The holdings: which member stands behind each of our listings, or which import it came from."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row


class Holding(Row):
    """One of our listings (by its register key), its member, or its place in an imported source.

    digest is the SHA-256 of the imported row, so that a second import knows what changed.
    """

    key = BytesField(primary_key=True)
    member = peewee.IntegerField(null=True, index=True)
    created_ms = peewee.BigIntegerField()
    source = peewee.TextField(null=True)
    source_ref = peewee.TextField(null=True)
    digest = BytesField(null=True)

    class Meta:
        indexes = ((("source", "source_ref"), True),)


def keep(key: bytes, member: int | None, now_ms: int) -> None:
    """Note that a listing is a member's; None: the association's own."""
    with write_tx():
        Holding.insert(key=key, member=member, created_ms=now_ms).on_conflict(
            conflict_target=[Holding.key], update={Holding.member: member}
        ).execute()


def keep_import(key: bytes, source: str, source_ref: str, digest: bytes, now_ms: int) -> None:
    """Note that a listing stands for the row `source_ref` of an imported source."""
    with write_tx():
        Holding.insert(
            key=key, created_ms=now_ms, source=source, source_ref=source_ref, digest=digest
        ).on_conflict(conflict_target=[Holding.key], update={Holding.digest: digest}).execute()


def find(key: bytes) -> Holding | None:
    """Return the holding of one of our listings."""
    return Holding.one(key=key)


def of_member(member: int) -> list[bytes]:
    """Return the keys of a member's listings, newest first."""
    query = Holding.select(Holding.key).where(Holding.member == member)
    return [key for (key,) in query.order_by(Holding.created_ms.desc(), Holding.key).tuples()]


def of_source(source: str) -> dict[str, Holding]:
    """Return {row reference: holding} of all that was imported from a source."""
    return {each.source_ref: each for each in Holding.select().where(Holding.source == source)}


def forget(key: bytes) -> None:
    """Delete the holding of a withdrawn listing (a vanished row may come back as a new one)."""
    with write_tx():
        Holding.delete().where(Holding.key == key).execute()
