"""The strikes: what was held against each town, counted by day, so that old ones weigh nothing.

carrier  what it brought, or how it spoke, was not as it must be: its node, or its line, is ill
origin   what it signed was not as it must be; whoever brought that is not to blame
"""

from typing import NamedTuple

import peewee

from federation.stamp import as_of_day
from node.store.database import execute_many, write_tx
from node.store.row import BytesField, Row

CARRIER, ORIGIN = "carrier", "origin"
KEPT_DAYS = 30
WINDOW_DAYS = 7  # what counts; older strikes are only shown


class Strike(Row):
    """How often on one UTC day one thing was held against a town in one of its two roles."""

    town = BytesField()
    role = peewee.TextField()
    code = peewee.TextField()
    day = peewee.IntegerField(index=True)
    count = peewee.IntegerField(default=1)
    last_ms = peewee.BigIntegerField(default=0)

    class Meta:
        primary_key = peewee.CompositeKey("town", "role", "code", "day")
        without_rowid = True


class Count(NamedTuple):
    """One thing held against a town within the window: how often, on how many days, when last."""

    role: str
    code: str
    count: int
    days: int
    last_ms: int


def note(town: bytes, code: str, now_ms: int, *, role: str = ORIGIN, count: int = 1) -> None:
    """Hold something against a town; without `role`, against what it signed."""
    with write_tx():
        execute_many(
            "INSERT INTO strike (town, role, code, day, count, last_ms) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (town, role, code, day)"
            " DO UPDATE SET count = count + excluded.count, last_ms = excluded.last_ms",
            [(town, role, code, as_of_day(now_ms), count, now_ms)],
        )


def counts(town: bytes, now_ms: int) -> list[Count]:
    """Return what was held against a town in the last WINDOW_DAYS, the most frequent first."""
    total = peewee.fn.SUM(Strike.count)
    query = (
        Strike.select(
            Strike.role,
            Strike.code,
            total,
            peewee.fn.COUNT(Strike.day),
            peewee.fn.MAX(Strike.last_ms),
        )
        .where(Strike.town == town, _in_window(now_ms))
        .group_by(Strike.role, Strike.code)
    )
    return [Count(*row) for row in query.order_by(total.desc(), Strike.code).tuples()]


def by_day(town: bytes, role: str, now_ms: int) -> dict[int, dict[str, int]]:
    """Return {UTC day: {code: how often}} of the window, for one role of a town."""
    found: dict[int, dict[str, int]] = {}
    for row in Strike.select().where(Strike.town == town, Strike.role == role, _in_window(now_ms)):
        found.setdefault(row.day, {})[row.code] = row.count
    return found


def _in_window(now_ms: int) -> peewee.Expression:
    today = as_of_day(now_ms)  # days ahead were written by a clock that was wrong
    return (Strike.day > today - WINDOW_DAYS) & (Strike.day <= today)


def sweep(now_ms: int) -> int:
    """Forget what is older than KEPT_DAYS, and days that have not come; return how many rows."""
    today = as_of_day(now_ms)
    with write_tx():
        old = (Strike.day <= today - KEPT_DAYS) | (Strike.day > today + 1)
        return int(Strike.delete().where(old).execute())


def forget(town: bytes) -> None:
    """Forgive a town everything (its admin repaired it, or it is a partner no more)."""
    with write_tx():
        Strike.delete().where(Strike.town == town).execute()
