"""The reports: who says that something is wrong with a listing, here or in another town."""

import secrets
from typing import Any

import peewee

from node.store.catalogue.listings import LIVE_STATES, Listing
from node.store.database import db, write_tx
from node.store.row import BytesField, Row

STATES = ("open", "acted", "rejected", "gone")


class Report(Row):
    """One report: by a member, a visitor or another town, one of each for each listing.

    who      what tells one reporter from another, and says nothing of them to a reader
    town     the partner town whose desk passed it on; `count` people reported it there
    seen     digest of the listing's words when it was reported
    answer   what the desk said when it decided
    """

    origin = BytesField()
    key = BytesField()
    who = peewee.TextField()
    member = peewee.IntegerField(null=True, index=True)
    town = BytesField(null=True, index=True)
    reason = peewee.TextField()
    text = peewee.TextField(default="")
    count = peewee.IntegerField(default=1)
    seen = BytesField()
    state = peewee.TextField(default="open")
    answer = peewee.TextField(default="")
    at_ms = peewee.BigIntegerField()
    decided_ms = peewee.BigIntegerField(null=True)

    class Meta:
        indexes = ((("origin", "key", "who"), True), (("state", "at_ms"), False))


def find(origin: bytes, key: bytes, who: str) -> Report | None:
    """Return what a reporter said of a listing."""
    return Report.get_or_none(Report.origin == origin, Report.key == key, Report.who == who)


def keep(origin: bytes, key: bytes, who: str, **columns: Any) -> None:
    """Keep what a reporter says of a listing, in place of what they said before."""
    with write_tx():
        Report.upsert(
            on=("origin", "key", "who"), origin=origin, key=key, who=who, state="open", answer="",
            decided_ms=None, **columns,
        )  # fmt: skip


def of_listing(origin: bytes, key: bytes, state: str = "") -> list[Report]:
    """Return the reports about a listing, oldest first."""
    query = Report.select().where(Report.origin == origin, Report.key == key)
    if state:
        query = query.where(Report.state == state)
    return list(query.order_by(Report.at_ms, Report.id))


def of_member(member: int, limit: int = 50) -> list[Report]:
    """Return what a member reported, newest first."""
    query = Report.select().where(Report.member == member)
    return list(query.order_by(Report.at_ms.desc(), Report.id.desc()).limit(limit))


def waiting(limit: int = 100) -> list[tuple[bytes, bytes, int, int]]:
    """Return (origin, key, how many reported it, since when) of what waits for a moderator."""
    many, first = peewee.fn.SUM(Report.count), peewee.fn.MIN(Report.at_ms)
    query = Report.select(Report.origin, Report.key, many, first).where(Report.state == "open")
    query = query.group_by(Report.origin, Report.key).order_by(many.desc(), first)
    return list(query.limit(limit).tuples())


def count_open(*, town: bytes | None = None) -> int:
    """Return how many reports wait, of all or those a partner town passed on."""
    query = Report.select().where(Report.state == "open")
    return query.where(Report.town == town).count() if town is not None else query.count()


def rejected_since(member: int, since_ms: int) -> int:
    """Return how many reports of a member the desk has rejected since a moment."""
    query = Report.select().where(
        Report.member == member, Report.state == "rejected", Report.decided_ms >= since_ms
    )
    return query.count()


def decide(origin: bytes, key: bytes, state: str, answer: str, now_ms: int) -> list[Report]:
    """Answer every open report about a listing, whose words go; return them as they were."""
    with write_tx():
        answered = of_listing(origin, key, "open")
        Report.update(state=state, answer=answer, text="", decided_ms=now_ms).where(
            Report.origin == origin, Report.key == key, Report.state == "open"
        ).execute()
        return answered


def drop(report: int) -> None:
    """Delete a report (a partner town takes it back)."""
    with write_tx():
        Report.delete().where(Report.id == report).execute()


def drop_town(town: bytes) -> None:
    """Delete what a town passed on, and what was reported of it (a removed partner)."""
    with write_tx():
        Report.delete().where((Report.town == town) | (Report.origin == town)).execute()


def forget_member(member: int) -> None:
    """Leave nothing that tells who reported, or their words (erasure); that it was said stays."""
    with write_tx():
        for each in Report.select(Report.id).where(Report.member == member):
            Report.update(member=None, text="", who=f"e{secrets.token_hex(8)}").where(
                Report.id == each.id
            ).execute()


def sweep(before_ms: int) -> int:
    """Close the open reports whose listing is gone, delete those decided long ago; how many."""
    live = Listing.select(Listing.id).where(
        Listing.origin == Report.origin, Listing.key == Report.key, Listing.state.in_(LIVE_STATES)
    )
    with write_tx():
        Report.update(state="gone", text="", decided_ms=Report.at_ms).where(
            Report.state == "open", ~peewee.fn.EXISTS(live)
        ).execute()
        old = Report.decided_ms.is_null(False) & (Report.decided_ms < before_ms)
        return Report.delete().where(old).execute()


def is_any_open() -> bool:
    """Return whether a report waits; reads only."""
    sql = "SELECT 1 FROM report WHERE state = 'open' LIMIT 1"
    return db.execute_sql(sql).fetchone() is not None
