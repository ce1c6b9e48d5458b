"""The sightings: until when we know what each town said, whoever told us.

A town is heard when a visit between the two of us ends well, when it visits us, and when something
it signed arrives by another way: then at the moment it signed it.
"""

from collections.abc import Iterable

import peewee

from federation.stamp import EPOCH_S, stamp_ms
from node.store.database import db, write_tx
from node.store.network import partners
from node.store.row import BytesField, Row

CAME_EVERY_MS = 10 * 60_000  # noted no oftener: a card wears out


class Sighting(Row):
    """When a town last came to us and could prove it."""

    town = BytesField(primary_key=True)
    came_ms = peewee.BigIntegerField()

    class Meta:
        without_rowid = True


def came(town: bytes, now_ms: int) -> None:
    """Note that a town was here; also when the last time lies ahead, for a clock was wrong then."""
    row = Sighting.get_or_none(Sighting.town == town)
    if row is None or not 0 <= now_ms - row.came_ms < CAME_EVERY_MS:
        Sighting.upsert(town=town, came_ms=now_ms)


def heard_ms(towns: Iterable[bytes], now_ms: int) -> dict[bytes, int]:
    """Return {town: until when we know what it said, UTC ms}; absent: never heard."""
    wanted = list(towns)
    found: dict[bytes, int] = {}
    for row in partners.listed():
        if row.town in wanted and row.last_ok_ms:
            found[row.town] = row.last_ok_ms
    for row in Sighting.select().where(Sighting.town.in_(wanted)):
        found[row.town] = max(row.came_ms, found.get(row.town, 0))
    for town in wanted:
        found[town] = max(_signed_ms(town), found.get(town, 0))
    return {town: min(at_ms, now_ms) for town, at_ms in found.items() if at_ms}


def silent_since(before_ms: int, now_ms: int) -> list[bytes]:
    """Return the towns held here of which nothing is known that is younger than `before_ms`.

    One that was never heard is silent since it was accepted.
    """
    held = {row.town: row.since_ms for row in partners.listed(*partners.HELD)}
    heard = heard_ms(held, now_ms)
    return [town for town, since in held.items() if heard.get(town, since) < before_ms]


def forget(town: bytes) -> None:
    """Forget one town (a removed partner)."""
    with write_tx():
        Sighting.delete().where(Sighting.town == town).execute()


def _signed_ms(town: bytes) -> int:
    """Return when the newest thing held of a town was signed, to the second; 0: nothing held.

    Its checkpoints count: a town that publishes nothing says so in them.
    """
    newest = max(
        db.execute_sql(
            "SELECT COALESCE(MAX(seconds), -1) FROM record WHERE origin = ? AND scope = ?",
            (town, scope),
        ).fetchone()[0]
        for scope in (0, 1, 2)
    )
    sql = "SELECT COALESCE(MAX(stamp), 0) FROM checkpoint WHERE origin = ?"
    said_ms = stamp_ms(db.execute_sql(sql, (town,)).fetchone()[0])
    return max(said_ms, (newest + EPOCH_S) * 1_000 if newest >= 0 else 0)
