"""The sessions: which browser is whose, by the hash of a token only the browser knows."""

import peewee

from node.store.database import write_tx
from node.store.people.members import Member
from node.store.row import BytesField, Row

KNOWN = ("active", "pending", "refused")  # who may sign in; only who is active is a member
SEEN_EVERY_MS = 5 * 60_000  # so that reading pages hardly ever writes


class Session(Row):
    """A signed-in browser; deleting the row signs it out at once."""

    token_hash = BytesField(primary_key=True)
    member = peewee.ForeignKeyField(Member, on_delete="CASCADE", backref="sessions")
    device = peewee.TextField(default="")
    created_ms = peewee.BigIntegerField()
    seen_ms = peewee.BigIntegerField()
    until_ms = peewee.BigIntegerField(index=True)

    class Meta:
        without_rowid = True


def start(token_hash: bytes, member: int, *, now_ms: int, until_ms: int, device: str = "") -> None:
    """Sign a browser in until `until_ms`."""
    with write_tx():
        Session.insert(
            token_hash=token_hash, member=member, device=device[:120],
            created_ms=now_ms, seen_ms=now_ms, until_ms=until_ms,
        ).execute()  # fmt: skip
        Member.update(seen_ms=now_ms).where(Member.id == member).execute()


def member_of(token_hash: bytes, now_ms: int) -> Member | None:
    """Return whom a token stands for, while the session lasts and they may sign in (KNOWN)."""
    query = Session.select(Session, Member).join(Member)
    session = query.where(
        Session.token_hash == token_hash, Session.until_ms > now_ms, Member.status.in_(KNOWN)
    ).first()
    if session is None:
        return None
    if now_ms - session.seen_ms >= SEEN_EVERY_MS:
        with write_tx():
            Session.update(seen_ms=now_ms).where(Session.token_hash == token_hash).execute()
    return session.member


def of_member(member: int) -> list[Session]:
    """Return the sessions of a member, last seen first."""
    query = Session.select().where(Session.member == member)
    return list(query.order_by(Session.seen_ms.desc(), Session.token_hash))


def end(token_hash: bytes) -> None:
    """Sign one browser out."""
    with write_tx():
        Session.delete().where(Session.token_hash == token_hash).execute()


def end_all(member: int, *, but: bytes = b"") -> int:
    """Sign a member's browsers out, `but` one; return how many."""
    with write_tx():
        mine = (Session.member == member) & (Session.token_hash != but)
        return Session.delete().where(mine).execute()


def sweep(now_ms: int) -> int:
    """Delete the sessions whose time is over; return how many."""
    with write_tx():
        return Session.delete().where(Session.until_ms <= now_ms).execute()
