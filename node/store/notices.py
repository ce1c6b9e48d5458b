"""The notices: what members are to be told, queued in the transaction of what happened.

A notice names its kind and subject, not its words: it is written when it is really sent, from the
state of that moment.
"""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row

GIVE_UP_AFTER = 12
FIRST_RETRY_MS = 60_000
LONGEST_RETRY_MS = 6 * 3_600_000


class Notice(Row):
    """One thing to tell one member (or one address, for who is no member yet)."""

    member = peewee.IntegerField(null=True, index=True)
    address = peewee.TextField(default="")
    kind = peewee.TextField()
    engagement = BytesField(null=True)
    params = peewee.TextField(default="")
    queued_ms = peewee.BigIntegerField()
    next_try_ms = peewee.BigIntegerField(null=True, index=True)
    attempts = peewee.IntegerField(default=0)
    sent_ms = peewee.BigIntegerField(null=True)
    last_error = peewee.TextField(default="")


def queue(
    kind: str,
    *,
    now_ms: int,
    member: int | None = None,
    address: str = "",
    engagement: bytes | None = None,
    params: str = "",
    after_ms: int = 0,
) -> Notice:
    """Queue a notice, due at once or `after_ms` from now; `params` is text of the caller's (JSON).

    In between it waits for more of the same: see `is_waiting`.
    """
    with write_tx():
        return Notice.create(
            kind=kind, member=member, address=address, engagement=engagement, params=params,
            queued_ms=now_ms, next_try_ms=now_ms + after_ms,
        )  # fmt: skip


def is_waiting(member: int, engagement: bytes, *, kind: str = "", params: str = "") -> bool:
    """Return whether a member has a notice of an engagement that has not left yet.

    Of one kind, or with just these `params`, where they are given.
    """
    query = Notice.select().where(
        Notice.member == member, Notice.engagement == engagement, Notice.next_try_ms.is_null(False)
    )
    query = query.where(Notice.kind == kind) if kind else query
    return bool((query.where(Notice.params == params) if params else query).exists())


def due(now_ms: int, limit: int = 50) -> list[Notice]:
    """Return the notices to try now, oldest first."""
    query = Notice.select().where(Notice.next_try_ms <= now_ms)
    return list(query.order_by(Notice.next_try_ms, Notice.id).limit(limit))


def sent(notice: Notice, now_ms: int) -> None:
    """Mark a notice as sent; what it said is not kept."""
    with write_tx():
        Notice.update(sent_ms=now_ms, next_try_ms=None, params="", address="", last_error="").where(
            Notice.id == notice.id
        ).execute()


def failed(notice: Notice, error: str, now_ms: int) -> None:
    """Plan the next try, later each time; after GIVE_UP_AFTER tries there is none."""
    attempts = notice.attempts + 1
    wait_ms = min(FIRST_RETRY_MS * 2 ** (attempts - 1), LONGEST_RETRY_MS)
    next_try_ms = now_ms + wait_ms if attempts < GIVE_UP_AFTER else None
    with write_tx():
        Notice.update(attempts=attempts, next_try_ms=next_try_ms, last_error=error[:500]).where(
            Notice.id == notice.id
        ).execute()


def forget_member(member: int) -> None:
    """Delete every notice of a member (erasure)."""
    with write_tx():
        Notice.delete().where(Notice.member == member).execute()


def sweep(before_ms: int) -> int:
    """Delete sent and given-up notices queued before `before_ms`; return how many."""
    with write_tx():
        old = (Notice.queued_ms < before_ms) & Notice.next_try_ms.is_null()
        return Notice.delete().where(old).execute()
