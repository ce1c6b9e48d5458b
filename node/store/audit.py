"""The audit: who did what here that others may want to understand later. Rows are never changed."""

import peewee

from node.store.database import write_tx
from node.store.row import Row


class AuditEntry(Row):
    """One act: by a member (or the clock, the command line), on a subject named by its address."""

    at_ms = peewee.BigIntegerField(index=True)
    actor = peewee.TextField()
    member = peewee.IntegerField(null=True, index=True)
    action = peewee.TextField()
    subject = peewee.TextField(default="")
    detail = peewee.TextField(default="")


def note(
    action: str,
    *,
    at_ms: int,
    actor: str,
    member: int | None = None,
    subject: str = "",
    detail: str = "",
) -> None:
    """Write one entry; joins the transaction of the act it tells of."""
    with write_tx():
        AuditEntry.create(
            at_ms=at_ms, actor=actor, member=member, action=action, subject=subject, detail=detail
        )


def latest(limit: int = 100, *, before: int | None = None, subject: str = "") -> list[AuditEntry]:
    """Return the newest entries first; `before` is the id of the last one already shown."""
    query = AuditEntry.select().order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if subject:
        query = query.where(AuditEntry.subject == subject)
    return list(query)


def forget_member(member: int) -> None:
    """Blank the member in every entry (erasure); what was done stays."""
    with write_tx():
        AuditEntry.update(member=None, actor="").where(AuditEntry.member == member).execute()


def sweep(before_ms: int) -> int:
    """Delete entries older than `before_ms` (retention); return how many."""
    with write_tx():
        return AuditEntry.delete().where(AuditEntry.at_ms < before_ms).execute()
