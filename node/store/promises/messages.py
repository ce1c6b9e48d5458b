"""The messages of an engagement: what each side wrote to the other, in the order of their time."""

from collections.abc import Collection, Iterable, Mapping

import peewee

from node.store.database import write_tx
from node.store.promises import unlogged
from node.store.promises.engagements import Engagement
from node.store.row import BytesField, Row

SIDES = ("asker", "keeper")


class Message(Row):
    """One message of one `side`; `id` is 8 random bytes, unique on its side of its engagement.

    `member` is who of our town wrote it, None for the other town's; `read_ms` is when the other
    side first saw it here.
    """

    engagement = peewee.ForeignKeyField(
        Engagement, on_delete="CASCADE", backref="messages", index=False
    )
    side = peewee.TextField()
    id = BytesField()
    at_ms = peewee.BigIntegerField()
    text = peewee.TextField()
    member = peewee.IntegerField(null=True, index=True)
    read_ms = peewee.BigIntegerField(null=True)

    class Meta:
        primary_key = peewee.CompositeKey("engagement", "side", "id")
        without_rowid = True


def add(engagement: bytes, side: str, message: bytes, **columns: object) -> bool:
    """Keep a message; return whether it is new: an id already there stays as it is."""
    with write_tx():
        if find(engagement, side, message) is not None:
            return False
        unlogged.note(engagement)
        Message.insert(engagement=engagement, side=side, id=message, **columns).execute()
        return True


def find(engagement: bytes, side: str, message: bytes) -> Message | None:
    """Return one message."""
    return Message.get_or_none(
        Message.engagement == engagement, Message.side == side, Message.id == message
    )


def of_engagement(engagement: bytes, side: str = "") -> list[Message]:
    """Return what was written in an engagement, by one side or both, in order of time."""
    query = Message.select().where(Message.engagement == engagement)
    query = query.where(Message.side == side) if side else query
    return list(query.order_by(Message.at_ms, Message.side, Message.id))


def keep_only(engagement: bytes, side: str, ids: Collection[bytes]) -> int:
    """Delete what a side wrote, but what has these ids; return how many went."""
    gone = [each.id for each in of_engagement(engagement, side) if each.id not in set(ids)]
    if not gone:
        return 0
    with write_tx():
        unlogged.note(engagement)
        mine = (Message.engagement == engagement) & (Message.side == side)
        return Message.delete().where(mine, Message.id.in_(gone)).execute()


def forget(engagement: bytes) -> int:
    """Delete all that was written in an engagement; return how many went."""
    return sum(keep_only(engagement, side, ()) for side in SIDES)


def written_by(member: int) -> list[bytes]:
    """Return the engagements a member of ours wrote in."""
    query = Message.select(Message.engagement).where(Message.member == member).distinct()
    return [engagement for (engagement,) in query.tuples()]


def forget_member(member: int) -> int:
    """Delete what a member of ours wrote; return how many went."""
    with write_tx():
        for engagement in written_by(member):
            unlogged.note(engagement)
        return Message.delete().where(Message.member == member).execute()


def unread(engagements: Iterable[bytes], side: str) -> dict[bytes, int]:
    """Return {engagement: how many messages of `side` were not seen here yet}, where any."""
    query = Message.select(Message.engagement, peewee.fn.COUNT(Message.id)).where(
        Message.engagement.in_(list(engagements)), Message.side == side, Message.read_ms.is_null()
    )
    return dict(query.group_by(Message.engagement).tuples())


def mark_read(engagement: bytes, side: str, now_ms: int) -> int:
    """Note that what a side wrote was seen; return how many messages that were."""
    fresh = (Message.engagement == engagement) & (Message.side == side) & Message.read_ms.is_null()
    if not Message.select().where(fresh).exists():
        return 0
    with write_tx():
        return Message.update(read_ms=now_ms).where(fresh).execute()


def outlived(before_ms: int, limit: int) -> list[bytes]:
    """Return engagements that ended before `before_ms` and in which something stands written."""
    written = Message.select(Message.engagement).distinct()  # few: the rest is forgotten by then
    is_over = Engagement.final & (Engagement.since_ms < before_ms)
    query = Engagement.select(Engagement.id).where(Engagement.id.in_(written), is_over)
    return [engagement for (engagement,) in query.limit(limit).tuples()]


def put_all(engagement: bytes, rows: Iterable[Mapping[str, object]]) -> None:
    """Replace what was written in an engagement, as the logbook has it."""
    with write_tx():
        unlogged.note(engagement)
        Message.delete().where(Message.engagement == engagement).execute()
        for row in rows:
            known = {name: value for name, value in row.items() if name in Message._meta.fields}
            Message.insert(**{**known, "engagement": engagement}).execute()
