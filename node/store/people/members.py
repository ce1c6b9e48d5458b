"""The members: the residents and the desk of this town. Nothing here ever leaves the node."""

import secrets

import peewee

from node.store.database import write_tx
from node.store.network import agreements
from node.store.people import calendars
from node.store.row import BytesField, Row

ROLES = ("resident", "moderator", "admin")
STATUSES = ("active", "pending", "refused", "suspended", "erased")


class Member(Row):
    """One person.

    ref        16 random bytes, the only thing of a member that a signed `who` is derived from
    email      in lower case, unique; None for who has none (the desk hands out codes)
    password   an Argon2id hash, "" for who only uses codes
    commune    INSEE code, where the node serves several; "" the first of them
    applied    what a person wrote when asking to become a member, "" once that was answered
    invited_by the member whose invitation let them in
    resident_ms, resident_by   when somebody of the desk saw a proof of residence, and who: no more
    """

    ref = BytesField(unique=True)
    name = peewee.TextField()
    email = peewee.TextField(null=True, unique=True)
    phone = peewee.TextField(default="")
    language = peewee.TextField(default="")
    quartier = peewee.TextField(default="")
    role = peewee.TextField(default="resident")
    status = peewee.TextField(default="active")
    password = peewee.TextField(default="")
    created_ms = peewee.BigIntegerField()
    seen_ms = peewee.BigIntegerField(null=True)
    commune = peewee.TextField(default="", constraints=[peewee.SQL("DEFAULT ''")])
    applied = peewee.TextField(default="", constraints=[peewee.SQL("DEFAULT ''")])
    invited_by = peewee.IntegerField(null=True)
    resident_ms = peewee.BigIntegerField(null=True)
    resident_by = peewee.IntegerField(null=True)


def join(
    name: str, *, now_ms: int, email: str | None = None, role: str = "resident", **columns: object
) -> Member:
    """Make a member; raises peewee.IntegrityError when the address has one already."""
    with write_tx():
        return Member.create(
            ref=secrets.token_bytes(16), name=name, email=tidy_email(email), role=role,
            created_ms=now_ms, **columns,
        )  # fmt: skip


def find(member: int) -> Member | None:
    """Return the member with this number."""
    return Member.one(id=member)


def by_ref(ref: bytes) -> Member | None:
    """Return the member with these 16 bytes, the same in every copy of the database."""
    return Member.get_or_none(Member.ref == ref)


def by_email(email: str) -> Member | None:
    """Return the member with this address, however it is written."""
    tidied = tidy_email(email)
    return Member.get_or_none(Member.email == tidied) if tidied else None


def called(name: str, *, limit: int = 2) -> list[Member]:
    """Return the active members with exactly this name."""
    query = Member.select().where(Member.name == name, Member.status == "active")
    return list(query.order_by(Member.id).limit(limit))


def change(member: int, **columns: object) -> None:
    """Set columns of a member; raises ValueError for a role or status that does not exist."""
    for name, allowed in (("role", ROLES), ("status", STATUSES)):
        if name in columns and columns[name] not in allowed:
            raise ValueError(f"unknown {name} {columns[name]}")
    if "email" in columns:
        columns["email"] = tidy_email(columns["email"])
    with write_tx():
        Member.update(**columns).where(Member.id == member).execute()


def move_quartier(communes: tuple[str, ...], old: str, new: str) -> int:
    """Write a quartier's new name into the accounts of who lives there; return how many."""
    with write_tx():
        there = (Member.quartier == old) & Member.commune.in_(communes)
        return Member.update(quartier=new).where(there).execute()


def listed(*, role: str = "", status: str = "", limit: int = 200, after: int = 0) -> list[Member]:
    """Return members in order of joining, `limit` at a time, those after number `after`."""
    query = Member.select().where(Member.id > after).order_by(Member.id).limit(limit)
    if role:
        query = query.where(Member.role == role)
    if status:
        query = query.where(Member.status == status)
    return list(query)


def erase(member: int) -> None:
    """Blank everything personal; the number stays, so that what was done still has an actor."""
    with write_tx():
        calendars.forget(member)
        agreements.forget_member(member)
        Member.update(
            ref=secrets.token_bytes(16), name="", email=None, phone="", language="", quartier="",
            password="", role="resident", status="erased", seen_ms=None, commune="", applied="",
            invited_by=None, resident_ms=None, resident_by=None,
        ).where(Member.id == member).execute()  # fmt: skip


def tidy_email(email: object) -> str | None:
    """Return an address in the one form it is kept in, None for none."""
    return str(email).strip().lower() or None if email is not None else None
