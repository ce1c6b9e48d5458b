"""The agreements: what we and each partner wrote and signed, what is in force, whom we let ask."""

import json

import peewee

from node.domain.agreement import Agreed, read
from node.store.database import write_tx
from node.store.row import BytesField, Row


class Agreement(Row):
    """What stands between us and one town.

    ours, theirs      the last text of each side, as it was signed (CBOR); None: none written
    accepts, accepted digest of the text of theirs we agreed to; of ours they did
    number, heard     of our last statement and of theirs: it only grows
    agreed            JSON of what is in force read from our side, "" for nothing yet
    force_ours, force_theirs  the two texts it was made of; `version` is their number
    signed            JSON: digests of the pairs (our text, theirs) we put our name to, newest last
    ended_ms          when we ended the link; their_end_ms: when they did
    sealed_to         the key our register was sealed to last
    """

    town = BytesField(primary_key=True)
    ours = BytesField(null=True)
    theirs = BytesField(null=True)
    accepts = BytesField(null=True)
    accepted = BytesField(null=True)
    number = peewee.BigIntegerField(default=0)
    heard = peewee.BigIntegerField(default=0)
    agreed = peewee.TextField(default="")
    force_ours = BytesField(null=True)
    force_theirs = BytesField(null=True)
    version = peewee.BigIntegerField(default=0)
    signed = peewee.TextField(default="[]")
    ended_ms = peewee.BigIntegerField(null=True)
    their_end_ms = peewee.BigIntegerField(null=True)
    sealed_to = BytesField(null=True)


class LetAsk(Row):
    """A member a moderator let ask in one town, where the agreement wants that."""

    town = BytesField()
    member = peewee.IntegerField(index=True)
    by = peewee.IntegerField(null=True)
    at_ms = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("town", "member")
        without_rowid = True


def find(town: bytes) -> Agreement | None:
    """Return what stands between us and a town, None for nothing."""
    return Agreement.get_or_none(Agreement.town == town)


def save(town: bytes, **columns: object) -> Agreement:
    """Insert or change; only the named columns change. Return the row as it is now."""
    with write_tx():
        Agreement.upsert(town=town, **columns)
        return Agreement.get(Agreement.town == town)


def agreed(town: bytes) -> Agreed | None:
    """Return what is in force with a town, None while nothing was agreed."""
    row = find(town)
    return read(json.loads(row.agreed)) if row is not None and row.agreed else None


def version(town: bytes) -> int:
    """Return the number of what is in force with a town, 0 for nothing."""
    row = find(town)
    return row.version if row is not None else 0


def listed() -> list[Agreement]:
    """Return all of them."""
    return list(Agreement.select().order_by(Agreement.town))


def forget(town: bytes) -> None:
    """Forget what was written with a town; how far the numbers went stays, so that nothing old
    comes back with a new link.
    """
    with write_tx():
        LetAsk.delete().where(LetAsk.town == town).execute()
        row = find(town)
        if row is not None:
            row.delete_instance()
            ended_ms = row.ended_ms
            Agreement.upsert(town=town, number=row.number, heard=row.heard, ended_ms=ended_ms)


def let(town: bytes, member: int, now_ms: int, by: int | None = None) -> None:
    """Let a member ask in a town."""
    LetAsk.upsert(town=town, member=member, at_ms=now_ms, by=by)


def unlet(town: bytes, member: int) -> None:
    """Let a member ask no longer."""
    with write_tx():
        LetAsk.delete().where(LetAsk.town == town, LetAsk.member == member).execute()


def is_let(town: bytes, member: int) -> bool:
    """Return whether a moderator let this member ask in a town."""
    return LetAsk.select().where(LetAsk.town == town, LetAsk.member == member).exists()


def let_in(town: bytes) -> list[int]:
    """Return the members let ask in a town, in the order of their numbers."""
    query = LetAsk.select(LetAsk.member).where(LetAsk.town == town).order_by(LetAsk.member)
    return [member for (member,) in query.tuples()]


def forget_member(member: int) -> None:
    """Forget an erased member."""
    with write_tx():
        LetAsk.delete().where(LetAsk.member == member).execute()
