"""The one-use codes by which a member comes in; only their hash is kept."""

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row

TRIES = 5


class LoginCode(Row):
    """A code (its hash), whom it lets in and until when; `purpose` is login, join or desk.

    Before the account exists (`join`) the member is None and the address says who it will be.
    """

    code_hash = BytesField(unique=True)
    member = peewee.IntegerField(null=True, index=True)
    email = peewee.TextField(default="", index=True)
    purpose = peewee.TextField()
    name = peewee.TextField(default="")
    tries_left = peewee.IntegerField(default=TRIES)
    created_ms = peewee.BigIntegerField()
    until_ms = peewee.BigIntegerField(index=True)


def give(
    code_hash: bytes, purpose: str, *, now_ms: int, until_ms: int, member: int | None = None,
    email: str = "", name: str = "",
) -> None:  # fmt: skip
    """Keep a code; an earlier one of the same person for the same purpose no longer counts."""
    with write_tx():
        who = LoginCode.member == member if member is not None else LoginCode.email == email
        LoginCode.delete().where(who, LoginCode.purpose == purpose).execute()
        LoginCode.create(
            code_hash=code_hash, purpose=purpose, member=member, email=email, name=name,
            created_ms=now_ms, until_ms=until_ms,
        )  # fmt: skip


def spend(code_hash: bytes, now_ms: int) -> LoginCode | None:
    """Use a code up and return it; None if there is no such code, or not any more."""
    with write_tx():
        code = LoginCode.get_or_none(LoginCode.code_hash == code_hash)
        if code is None or code.until_ms <= now_ms or code.tries_left <= 0:
            return None
        LoginCode.delete().where(LoginCode.id == code.id).execute()
        return code


def missed(*, member: int | None = None, email: str = "") -> None:
    """Count a wrong try against every code of a person."""
    who = LoginCode.member == member if member is not None else LoginCode.email == email
    with write_tx():
        LoginCode.update(tries_left=LoginCode.tries_left - 1).where(who).execute()


def sweep(now_ms: int) -> int:
    """Delete the codes whose time is over; return how many."""
    with write_tx():
        return LoginCode.delete().where(LoginCode.until_ms <= now_ms).execute()
