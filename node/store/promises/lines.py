"""The waiting lines: who waits for a listing of ours, in what order."""

import peewee

from node.store.database import execute
from node.store.promises.engagements import Engagement

IN_LINE = Engagement.rank >= 0  # an index finds that; `IS NOT NULL` would read every row
ORDER = (Engagement.rank, Engagement.created_ms, Engagement.id)


def waiting(origin: bytes, key: bytes) -> list[Engagement]:
    """Return who waits for a listing, the next one first."""
    query = Engagement.select().where(
        Engagement.listing_origin == origin, Engagement.listing_key == key, IN_LINE
    )
    return list(query.order_by(*ORDER))


def last(origin: bytes, key: bytes) -> tuple[int, int]:
    """Return the last rank given in the line of a listing, and how many wait in it."""
    query = Engagement.select(peewee.fn.MAX(Engagement.rank), peewee.fn.COUNT(Engagement.id))
    found = query.where(Engagement.listing_origin == origin, Engagement.listing_key == key, IN_LINE)
    rank, count = found.tuples().first()
    return rank or 0, count


def place(row: Engagement) -> int | None:
    """Return the place of an engagement in its line, 1 for the next; None when it is in none."""
    if row.rank is None:
        return None
    before = (Engagement.rank < row.rank) | (
        (Engagement.rank == row.rank)
        & (
            (Engagement.created_ms < row.created_ms)
            | ((Engagement.created_ms == row.created_ms) & (Engagement.id < row.id))
        )
    )
    query = Engagement.select().where(
        Engagement.listing_origin == row.listing_origin,
        Engagement.listing_key == row.listing_key,
        IN_LINE,
        before,
    )
    return int(query.count()) + 1


def listings(home: bytes) -> list[bytes]:
    """Return the keys of our listings that somebody waits for."""
    query = Engagement.select(Engagement.listing_key).where(IN_LINE, Engagement.home == home)
    return [key for (key,) in query.distinct().order_by(Engagement.listing_key).tuples()]


def touched(home: bytes) -> list[bytes]:
    """Return which of these had an engagement change in the present transaction."""
    return [bytes(key) for (key,) in execute(TOUCHED, (home,)).fetchall()]


TOUCHED = (
    "SELECT DISTINCT e.listing_key FROM engagement AS e"
    " WHERE e.id IN (SELECT engagement FROM unlogged) AND e.home = ? AND EXISTS"
    ' (SELECT 1 FROM engagement AS w WHERE w."rank" IS NOT NULL'
    " AND w.listing_origin = e.listing_origin AND w.listing_key = e.listing_key)"
    " ORDER BY e.listing_key"
)


OUT = {"rank": None, "place": None}  # the columns of who is in no line


def at_end(origin: bytes, key: bytes) -> dict[str, int | None]:
    """Return the columns of who joins the line of a listing: at its end, the place as it is now."""
    rank, count = last(origin, key)
    return {"rank": rank + 1, "place": count + 1}
