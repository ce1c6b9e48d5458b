"""The calendar addresses: the secret of a member's own calendar, known by its hash alone."""

import hashlib

import peewee

from node.store.database import write_tx
from node.store.row import BytesField, Row


class CalendarKey(Row):
    """One member's secret, as a hash: whoever reads the database cannot read the calendar by it."""

    member = peewee.IntegerField(primary_key=True)
    hash = BytesField(unique=True)
    made_ms = peewee.BigIntegerField()


def keep(member: int, secret: str, now_ms: int) -> None:
    """Keep a member's new secret; the one before opens nothing any more."""
    with write_tx():
        CalendarKey.upsert(member=member, hash=_hash(secret), made_ms=now_ms)


def find(secret: str) -> CalendarKey | None:
    """Return whose secret this is."""
    return CalendarKey.get_or_none(CalendarKey.hash == _hash(secret))


def of(member: int) -> CalendarKey | None:
    """Return what is known of a member's secret, None if there is none."""
    return CalendarKey.get_or_none(CalendarKey.member == member)


def forget(member: int) -> None:
    """Let a member's secret open nothing any more."""
    with write_tx():
        CalendarKey.delete().where(CalendarKey.member == member).execute()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(b"lavoir-calendar/1" + secret.encode()).digest()
