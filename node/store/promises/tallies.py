"""The tallies: how much of each line of a listing's stock is held, and what each engagement holds.

A line is a product, a reward, or "" for the one sum of a listing that is counted whole. The tally
is what the database compares at each promise; the shares are what it can be reckoned from again.
"""

from collections.abc import Mapping

import peewee

from node.domain.errors import Conflict
from node.domain.words import N_
from node.store.database import execute, write_tx
from node.store.promises import unlogged
from node.store.promises.engagements import Engagement
from node.store.row import BytesField, Row

UNITS_MAX = 2**53  # more of anything is a mistake, and no database adds it up


class Tally(Row):
    """How much of a line is `held`, of at most `most` when it was last promised (None: any).

    `most` is not the stock of now: fewer published later break nothing that was promised.
    """

    listing_origin = BytesField()
    listing_key = BytesField()
    line = peewee.TextField()
    held = peewee.BigIntegerField(constraints=[peewee.Check("held >= 0")])
    most = peewee.BigIntegerField(null=True)

    class Meta:
        primary_key = peewee.CompositeKey("listing_origin", "listing_key", "line")
        constraints = [peewee.Check('held <= "most"')]
        without_rowid = True


class Share(Row):
    """What one engagement holds of one line."""

    engagement = peewee.ForeignKeyField(
        Engagement, on_delete="CASCADE", backref="shares", index=False
    )
    line = peewee.TextField()
    units = peewee.BigIntegerField(constraints=[peewee.Check("units > 0")])

    class Meta:
        primary_key = peewee.CompositeKey("engagement", "line")
        without_rowid = True


def replace(
    engagement: bytes,
    origin: bytes,
    key: bytes,
    wanted: Mapping[str, int],
    most: Mapping[str, int | None],
) -> None:
    """Let an engagement hold exactly `wanted`, {line: units}, of a listing; all or nothing.

    `most` is how much there is of each line, None for any. Raises Conflict("taken") when a line
    would hold more than that; then nothing changed.
    """
    held = of_engagement(engagement)
    if held == dict(wanted):
        return
    with write_tx():
        unlogged.note(engagement)
        for line in sorted({*held, *wanted}):  # always in one order: two never wait for each other
            more = wanted.get(line, 0) - held.get(line, 0)
            if more:
                _add(origin, key, line, more, most.get(line, 0))
                _keep(engagement, line, wanted.get(line, 0))


def _add(origin: bytes, key: bytes, line: str, more: int, most: int | None) -> None:
    where = (Tally.listing_origin == origin, Tally.listing_key == key, Tally.line == line)
    if more < 0:
        Tally.update(held=Tally.held + more).where(*where).execute()
        return
    new = Tally.insert(listing_origin=origin, listing_key=key, line=line, held=0, most=most)
    new.on_conflict_ignore().execute()
    room = (*where, Tally.held + more <= most) if most is not None else where
    if Tally.update(held=Tally.held + more, most=most).where(*room).execute() != 1:
        raise Conflict("taken", N_("There is not enough of it left."))


def _keep(engagement: bytes, line: str, units: int) -> None:
    mine = (Share.engagement == engagement) & (Share.line == line)
    if not units:
        Share.delete().where(mine).execute()
    elif Share.update(units=units).where(mine).execute() == 0:
        Share.insert(engagement=engagement, line=line, units=units).execute()


def release(engagement: bytes, origin: bytes, key: bytes) -> int:
    """Give back what an engagement holds of a listing; return how many lines that frees."""
    held = of_engagement(engagement)
    replace(engagement, origin, key, {}, {})
    return len(held)


def of_engagement(engagement: bytes) -> dict[str, int]:
    """Return {line: units} that an engagement holds."""
    sql = "SELECT line, units FROM share WHERE engagement_id = ? ORDER BY line"
    return dict(execute(sql, (engagement,)).fetchall())


def held(origin: bytes, key: bytes, *, but: bytes | None = None) -> dict[str, int]:
    """Return {line: units held} of a listing, without what the engagement `but` holds."""
    query = Tally.select(Tally.line, Tally.held).where(
        Tally.listing_origin == origin, Tally.listing_key == key
    )
    mine = of_engagement(but) if but is not None else {}
    return {line: units - mine.get(line, 0) for line, units in query.tuples()}


def most_of(origin: bytes, key: bytes) -> dict[str, int | None]:
    """Return {line: how much there was when it was last promised} of a listing."""
    query = Tally.select(Tally.line, Tally.most).where(
        Tally.listing_origin == origin, Tally.listing_key == key
    )
    return dict(query.tuples())


def recomputed(origin: bytes, key: bytes) -> dict[str, int]:
    """Return {line: units held} of a listing, added up from what each engagement holds."""
    total = peewee.fn.SUM(Share.units)
    query = (
        Share.select(Share.line, total)
        .join(Engagement)
        .where(Engagement.listing_origin == origin, Engagement.listing_key == key)
        .group_by(Share.line)
    )
    return {line: int(units) for line, units in query.tuples()}


def holders(origin: bytes, key: bytes, lines: list[str]) -> list[bytes]:
    """Return the engagements that hold some of any of these lines of a listing."""
    query = (
        Share.select(Share.engagement)
        .join(Engagement)
        .where(
            Engagement.listing_origin == origin,
            Engagement.listing_key == key,
            Share.line.in_(lines),
        )
    )
    return [row for (row,) in query.distinct().order_by(Share.engagement).tuples()]
