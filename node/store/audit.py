"""The audit: who did what here that others may want to understand later. Rows are never changed."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row

JUDGED = "member.refuse"  # with moderation.*: its detail holds words about a person


class AuditEntry(Row):
    """One act: by a member (or the clock, the command line), on a subject named by its address.

    other is the second person it is about: for whom it was done, or to whom.
    """

    at_ms = peewee.BigIntegerField(index=True)
    actor = peewee.TextField()
    member = peewee.IntegerField(null=True, index=True)
    action = peewee.TextField()
    subject = peewee.TextField(default="")
    detail = peewee.TextField(default="")
    other = peewee.IntegerField(null=True, index=True)
    engagement = BytesField(null=True, index=True)
    listing = BytesField(null=True, index=True)


def note(
    action: str,
    *,
    at_ms: int,
    actor: str,
    member: int | None = None,
    subject: str = "",
    detail: str = "",
    other: int | None = None,
    engagement: bytes | None = None,
    listing: bytes | None = None,
) -> None:
    """Write one entry; joins the transaction of the act it tells of.

    `detail` holds no name: names are read when it is shown, so that an erasure takes them away.
    """
    with write_tx():
        AuditEntry.create(
            at_ms=at_ms, actor=actor, member=member, action=action, subject=subject, detail=detail,
            other=other, engagement=engagement, listing=listing,
        )  # fmt: skip


def latest(
    limit: int = 100,
    *,
    before: int | None = None,
    subject: str = "",
    person: int | None = None,
    listing: bytes | None = None,
    engagement: bytes | None = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
) -> list[AuditEntry]:
    """Return the newest entries first; `before` is the id of the last one already shown.

    `person` did it or it was about them; it happened from `since_ms` to before `until_ms`.
    """
    query = AuditEntry.select().order_by(AuditEntry.id.desc()).limit(limit)
    if person is not None:
        about = (AuditEntry.other == person) | (AuditEntry.subject == f"member/{person}")
        query = query.where((AuditEntry.member == person) | about)
    wanted = (
        (before, AuditEntry.id < before),
        (subject or None, AuditEntry.subject == subject),
        (listing, AuditEntry.listing == listing),
        (engagement, AuditEntry.engagement == engagement),
        (since_ms, AuditEntry.at_ms >= since_ms),
        (until_ms, AuditEntry.at_ms < until_ms),
    )
    tests = [test for value, test in wanted if value is not None]
    return list(query.where(*tests) if tests else query)


def forget_member(member: int) -> None:
    """Blank the member in every entry, and words about them (erasure); what was done stays."""
    with write_tx():
        AuditEntry.update(member=None, actor="").where(AuditEntry.member == member).execute()
        AuditEntry.update(other=None).where(AuditEntry.other == member).execute()
        about = AuditEntry.subject == f"member/{member}"
        judged = AuditEntry.action.startswith("moderation.") | (AuditEntry.action == JUDGED)
        AuditEntry.update(detail="").where(about, judged).execute()


def sweep(before_ms: int) -> int:
    """Delete entries older than `before_ms` (retention); return how many."""
    with write_tx():
        return AuditEntry.delete().where(AuditEntry.at_ms < before_ms).execute()
