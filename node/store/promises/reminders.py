"""The reminders: what was told, once, of a deadline that comes or of a state that lasts."""

from collections.abc import Iterable, Mapping

import peewee

from node.store.database import write_tx
from node.store.promises import unlogged
from node.store.promises.engagements import Engagement
from node.store.row import Row


class Reminder(Row):
    """How near its deadline an engagement was when it was last told of: `hours` before it.

    One row for each entry into a state (`since_ms`) and each deadline of it.
    """

    engagement = peewee.ForeignKeyField(
        Engagement, on_delete="CASCADE", backref="reminders", index=False
    )
    since_ms = peewee.BigIntegerField()
    deadline_ms = peewee.BigIntegerField()
    hours = peewee.IntegerField()
    told_ms = peewee.BigIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("engagement", "since_ms", "deadline_ms")
        without_rowid = True


def told(engagement: bytes, since_ms: int, deadline_ms: int) -> Reminder | None:
    """Return what was last told of a state's deadline."""
    return Reminder.get_or_none(
        Reminder.engagement == engagement,
        Reminder.since_ms == since_ms,
        Reminder.deadline_ms == deadline_ms,
    )


def note(engagement: bytes, since_ms: int, deadline_ms: int, hours: int, now_ms: int) -> None:
    """Keep that a deadline was told of, `hours` before it; the engagement's line tells it too."""
    with write_tx():
        unlogged.note(engagement)
        Reminder.upsert(
            on=("engagement", "since_ms", "deadline_ms"), engagement=engagement,
            since_ms=since_ms, deadline_ms=deadline_ms, hours=hours, told_ms=now_ms,
        )  # fmt: skip


def of_engagement(engagement: bytes) -> list[Reminder]:
    """Return what was told of an engagement's deadlines, oldest first."""
    query = Reminder.select().where(Reminder.engagement == engagement)
    return list(query.order_by(Reminder.since_ms, Reminder.deadline_ms))


def put_all(engagement: bytes, rows: Iterable[Mapping[str, object]]) -> None:
    """Replace what was told of an engagement, as the logbook has it."""
    with write_tx():
        Reminder.delete().where(Reminder.engagement == engagement).execute()
        for row in rows:
            known = {name: value for name, value in row.items() if name in Reminder._meta.fields}
            Reminder.insert(**{**known, "engagement": engagement}).execute()
