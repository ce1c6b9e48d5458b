"""The acts: everything anybody did to an engagement, each judged once."""

import json
from collections.abc import Iterable, Mapping

import peewee

from node.store.database import write_tx
from node.store.promises import unlogged
from node.store.promises.engagements import Engagement
from node.store.row import BytesField, Row


class Act(Row):
    """One act: what, by whom, when, on which version, and home's verdict once there is one.

    `id` is 8 random bytes, unique within its engagement; `place` is its place in the list;
    `sent_ms` is when a record with it was first fetched by a partner.
    """

    engagement = peewee.ForeignKeyField(
        Engagement, on_delete="CASCADE", backref="acts", index=False
    )
    id = BytesField()
    place = peewee.IntegerField()
    action = peewee.TextField()
    at_ms = peewee.BigIntegerField()
    by = peewee.TextField()
    member = peewee.IntegerField(null=True, index=True)
    on_version = peewee.IntegerField(null=True)
    args = peewee.TextField(default="{}")
    verdict = peewee.TextField(default="")
    verdict_ms = peewee.BigIntegerField(null=True)
    sent_ms = peewee.BigIntegerField(null=True)

    class Meta:
        primary_key = peewee.CompositeKey("engagement", "id")
        indexes = ((("engagement", "place"), True),)
        without_rowid = True


def append(engagement: bytes, act: bytes, action: str, **columns: object) -> Act:
    """Add an act at the end of an engagement's list; an id already there stays as it is."""
    with write_tx():
        held = find(engagement, act)
        if held is not None:
            return held
        unlogged.note(engagement)
        mine = Act.select(peewee.fn.MAX(Act.place)).where(Act.engagement == engagement)
        place = (mine.scalar() or 0) + 1
        Act.insert(engagement=engagement, id=act, place=place, action=action, **columns).execute()
        return find(engagement, act)


def find(engagement: bytes, act: bytes) -> Act | None:
    """Return one act."""
    return Act.one(engagement=engagement, id=act)


def judge(engagement: bytes, act: bytes, verdict: str, now_ms: int) -> bool:
    """Set the verdict of an act that has none, or was `pending`; return whether it did."""
    with write_tx():
        unlogged.note(engagement)
        return (
            Act.update(verdict=verdict, verdict_ms=now_ms)
            .where(Act.engagement == engagement, Act.id == act, Act.verdict.in_(("", "pending")))
            .execute()
            == 1
        )


def of_engagement(engagement: bytes) -> list[Act]:
    """Return the acts of an engagement in the order of its list."""
    return list(Act.select().where(Act.engagement == engagement).order_by(Act.place))


def aides(engagement: bytes) -> list[int]:
    """Return the members who wrote something down in an engagement for whoever asks."""
    query = Act.select(Act.member).where(Act.engagement == engagement, Act.by == "aide")
    return sorted({member for (member,) in query.tuples() if member is not None})


def put_all(engagement: bytes, rows: Iterable[Mapping[str, object]]) -> None:
    """Replace the list of an engagement, as the logbook has it."""
    with write_tx():
        unlogged.note(engagement)
        Act.delete().where(Act.engagement == engagement).execute()
        for row in rows:
            known = {name: value for name, value in row.items() if name in Act._meta.fields}
            Act.insert(**{**known, "engagement": engagement}).execute()


def annotate(engagement: bytes, act: bytes, said: Mapping[str, object]) -> None:
    """Add to the args of an act (a JSON object); what is None is taken out of them."""
    with write_tx():
        held = find(engagement, act)
        if held is None:
            return
        unlogged.note(engagement)
        args = {**json.loads(held.args or "{}"), **said}
        args = {name: value for name, value in args.items() if value is not None}
        text = json.dumps(args, ensure_ascii=False, sort_keys=True)
        Act.update(args=text).where(Act.engagement == engagement, Act.id == act).execute()


def annotated(name: str) -> list[bytes]:
    """Return the ids of the engagements with an act whose args hold `name`."""
    query = Act.select(Act.engagement).where(Act.args.contains(f'"{name}":')).distinct()
    return [engagement for (engagement,) in query.tuples()]


def mark_sent(engagement: bytes, now_ms: int) -> int:
    """Note that what was not sent yet now is; return how many acts."""
    with write_tx():
        unsent = (Act.engagement == engagement) & Act.sent_ms.is_null()
        return Act.update(sent_ms=now_ms).where(unsent).execute()
