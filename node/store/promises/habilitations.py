"""The habilitations: what a member was shown how to use, until when, and who says so."""

import peewee

from node.store.database import write_tx
from node.store.row import Row


class Habilitation(Row):
    """One habilitation of one member, as it was granted; only `revoked` is ever set later.

    code        what it opens: what a listing asks for, in lower case; label: the same for people
    since_ms    from when it is in force; until_ms: until when (not including it), None without end
    by          the member who granted it; revoked_by: who took it back
    """

    member = peewee.IntegerField()
    code = peewee.TextField()
    label = peewee.TextField()
    since_ms = peewee.BigIntegerField()
    until_ms = peewee.BigIntegerField(null=True)
    by = peewee.IntegerField(null=True)
    granted_ms = peewee.BigIntegerField()
    revoked_ms = peewee.BigIntegerField(null=True)
    revoked_by = peewee.IntegerField(null=True)

    class Meta:
        indexes = ((("member", "code"), False), (("code",), False))


def grant(
    member: int, code: str, label: str, *, since_ms: int, until_ms: int | None, by: int, now_ms: int
) -> Habilitation:
    """Grant a habilitation; one of the same code that is in force is replaced by it."""
    with write_tx():
        for each in in_force(member, since_ms):
            if each.code == code:
                revoke(each.id, by, now_ms)
        return Habilitation.create(
            member=member, code=code, label=label, since_ms=since_ms, until_ms=until_ms,
            by=by, granted_ms=now_ms,
        )  # fmt: skip


def find(habilitation: int) -> Habilitation | None:
    """Return one habilitation."""
    return Habilitation.get_or_none(Habilitation.id == habilitation)


def revoke(habilitation: int, by: int | None, now_ms: int) -> bool:
    """Take a habilitation back; return whether it was not taken back before."""
    with write_tx():
        granted = (Habilitation.id == habilitation) & Habilitation.revoked_ms.is_null()
        change = Habilitation.update(revoked_ms=now_ms, revoked_by=by)
        return change.where(granted).execute() == 1


def in_force(member: int, now_ms: int) -> list[Habilitation]:
    """Return what a member may use at an instant, by label."""
    query = Habilitation.select().where(
        Habilitation.member == member,
        Habilitation.revoked_ms.is_null(),
        Habilitation.since_ms <= now_ms,
        Habilitation.until_ms.is_null() | (Habilitation.until_ms > now_ms),
    )
    return list(query.order_by(Habilitation.label, Habilitation.id))


def of_member(member: int) -> list[Habilitation]:
    """Return all that was ever granted to a member, newest first."""
    query = Habilitation.select().where(Habilitation.member == member)
    return list(query.order_by(Habilitation.id.desc()))


def listed(*, code: str = "", limit: int = 200, before: int | None = None) -> list[Habilitation]:
    """Return what was granted to anybody, newest first; `before` is the last id already shown."""
    query = Habilitation.select().order_by(Habilitation.id.desc()).limit(limit)
    if code:
        query = query.where(Habilitation.code == code)
    if before is not None:
        query = query.where(Habilitation.id < before)
    return list(query)


def codes() -> dict[str, str]:
    """Return {code: label} of all that was ever granted, the newest label of each."""
    query = Habilitation.select(Habilitation.code, Habilitation.label).order_by(Habilitation.id)
    return dict(query.tuples())


def forget_member(member: int) -> None:
    """Delete what was granted to a member, and their name under what they granted (erasure)."""
    with write_tx():
        Habilitation.delete().where(Habilitation.member == member).execute()
        Habilitation.update(by=None).where(Habilitation.by == member).execute()
        Habilitation.update(revoked_by=None).where(Habilitation.revoked_by == member).execute()
