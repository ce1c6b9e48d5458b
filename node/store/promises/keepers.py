"""The keepers: who answers for a listing of ours beside whoever published it."""

from collections.abc import Iterable

import peewee

from node.store.catalogue.holdings import Holding
from node.store.catalogue.listings import LIVE_STATES, Listing
from node.store.database import write_tx
from node.store.people.members import Member
from node.store.row import BytesField, Row


class Keeper(Row):
    """One member who keeps one listing (its register key), since when, and who named them."""

    listing = BytesField()
    member = peewee.IntegerField(index=True)
    since_ms = peewee.BigIntegerField()
    by = peewee.IntegerField(null=True)

    class Meta:
        primary_key = peewee.CompositeKey("listing", "member")
        without_rowid = True


def add(listing: bytes, member: int, now_ms: int, by: int | None) -> bool:
    """Let a member keep a listing; return whether they did not before."""
    with write_tx():
        if is_one(listing, member):
            return False
        Keeper.insert(listing=listing, member=member, since_ms=now_ms, by=by).execute()
        return True


def remove(listing: bytes, member: int) -> bool:
    """Let a member keep a listing no longer; return whether they did."""
    with write_tx():
        mine = (Keeper.listing == listing) & (Keeper.member == member)
        return Keeper.delete().where(mine).execute() == 1


def is_one(listing: bytes, member: int) -> bool:
    """Return whether a member was named to keep a listing."""
    return Keeper.select().where(Keeper.listing == listing, Keeper.member == member).exists()


def of_listing(listing: bytes) -> list[int]:
    """Return the members who were named to keep a listing, in the order they were."""
    query = Keeper.select(Keeper.member).where(Keeper.listing == listing)
    return [each for (each,) in query.order_by(Keeper.since_ms, Keeper.member).tuples()]


def of_member(member: int) -> list[bytes]:
    """Return the listings a member was named to keep."""
    query = Keeper.select(Keeper.listing).where(Keeper.member == member)
    return [each for (each,) in query.order_by(Keeper.since_ms, Keeper.listing).tuples()]


def unkept(origin: bytes, practices: Iterable[str], *, limit: int = 50) -> list[Listing]:
    """Return the listings of ours that no active member keeps, newest first; imports left out."""
    active = Member.select(Member.id).where(Member.status == "active")
    held = Holding.select(Holding.key).where(
        Holding.key == Listing.key, Holding.member.in_(active) | Holding.source.is_null(False)
    )
    named = Keeper.select(Keeper.listing).where(
        Keeper.listing == Listing.key, Keeper.member.in_(active)
    )
    query = Listing.select().where(
        Listing.origin == origin,
        Listing.state.in_(LIVE_STATES),
        Listing.practice.in_(list(practices)),
        ~peewee.fn.EXISTS(held),
        ~peewee.fn.EXISTS(named),
    )
    return list(query.order_by(Listing.created_ms.desc(), Listing.id).limit(limit))


def follow(old: bytes, new: bytes) -> None:
    """Let who was named to keep a listing also keep the one that takes its place."""
    with write_tx():
        for each in list(Keeper.select().where(Keeper.listing == old)):
            add(new, each.member, each.since_ms, each.by)


def forget_member(member: int) -> None:
    """Delete what says that a member kept, or named, anything (erasure)."""
    with write_tx():
        Keeper.delete().where(Keeper.member == member).execute()
        Keeper.update(by=None).where(Keeper.by == member).execute()
