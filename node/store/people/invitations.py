"""The invitations: codes by which members let others in, so many times, until a day."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row


class Invitation(Row):
    """An invitation (the hash of its code), who made it, and how often it may still be used."""

    code_hash = BytesField(unique=True)
    member = peewee.IntegerField(index=True)
    note = peewee.TextField(default="")
    uses_left = peewee.IntegerField()
    used = peewee.IntegerField(default=0)
    created_ms = peewee.BigIntegerField()
    until_ms = peewee.BigIntegerField(index=True)


def make(
    code_hash: bytes, member: int, *, note: str, uses: int, now_ms: int, until_ms: int
) -> Invitation:
    """Keep an invitation."""
    with write_tx():
        return Invitation.create(
            code_hash=code_hash, member=member, note=note, uses_left=uses, created_ms=now_ms,
            until_ms=until_ms,
        )  # fmt: skip


def good(code_hash: bytes, now_ms: int) -> Invitation | None:
    """Return the invitation with that code if it can be used now."""
    return Invitation.get_or_none(
        Invitation.code_hash == code_hash, Invitation.until_ms > now_ms, Invitation.uses_left > 0
    )


def use(code_hash: bytes, now_ms: int) -> Invitation | None:
    """Use an invitation once and return it, None if it cannot be used (any more)."""
    with write_tx():
        found = good(code_hash, now_ms)
        if found is not None:
            Invitation.update(
                uses_left=Invitation.uses_left - 1, used=Invitation.used + 1
            ).where(Invitation.id == found.id).execute()  # fmt: skip
        return found


def of_member(member: int, now_ms: int) -> list[Invitation]:
    """Return what a member made and others can still use, newest first."""
    query = Invitation.select().where(
        Invitation.member == member, Invitation.until_ms > now_ms, Invitation.uses_left > 0
    )
    return list(query.order_by(Invitation.id.desc()))


def revoke(invitation: int, member: int | None = None) -> int:
    """Delete an invitation (of a member, if told whose it must be); return how many that were."""
    with write_tx():
        query = Invitation.delete().where(Invitation.id == invitation)
        if member is not None:
            query = query.where(Invitation.member == member)
        return query.execute()


def forget_member(member: int) -> None:
    """Delete the invitations of a member (suspension, erasure)."""
    with write_tx():
        Invitation.delete().where(Invitation.member == member).execute()


def sweep(now_ms: int) -> int:
    """Delete the invitations whose time is over; return how many."""
    with write_tx():
        return Invitation.delete().where(Invitation.until_ms <= now_ms).execute()
