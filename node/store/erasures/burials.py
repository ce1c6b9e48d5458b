"""The burials: the registers whose tombstone is held here, and how far their erasure went.

noted (the row's text is gone) ──▶ gone (from every file) ──▶ told (to the town it is of)
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

import peewee

from node.store import marks
from node.store.database import db, execute_many, write_tx
from node.store.row import BytesField, Row

Register = tuple[bytes, bytes]  # (origin, key)
PART_MAX_KEYS = 512  # of one record of `erasure-ack/1`
PARTS_MAX = 64
TOLD_AT_ONCE = 4 * PART_MAX_KEYS  # so that a town that buries without end keeps nobody busy

_RECORD_OF = 'SELECT record FROM burial WHERE origin = ? AND "key" = ?'
_RENEW = 'UPDATE burial SET record = ?, expires = ?, is_logged = 0 WHERE origin = ? AND "key" = ?'
_INSERT = (
    'INSERT INTO burial (origin, "key", record, scope, kind, at_ms, expires, kept, is_logged)'
    " VALUES (?, ?, ?, ?, ?, ?, ?, '', 0)"
)

# the number of the last deletion that left words behind, and of the last one that was scrubbed
LEFT, SCRUBBED = "scrub_left", "scrub_done"


class Burial(Row):
    """One buried register.

    record     id of the tombstone
    at_ms      when it was signed, or came here
    expires    unix seconds, the tombstone's
    gone_ms    when nothing of it was left in any file of this node, None before
    kept       why a row without name or contact stays for now (`engagement`), "" when nothing does
    part       which record of our acknowledgement names it; told_ms: since when
    is_logged  whether the logbook can bury it again after a restore
    successor  key of the register it was published anew in
    """

    origin = BytesField()
    key = BytesField()
    record = BytesField()
    scope = peewee.IntegerField()
    kind = peewee.TextField()
    at_ms = peewee.BigIntegerField(index=True)
    expires = peewee.BigIntegerField()
    gone_ms = peewee.BigIntegerField(null=True, index=True)
    kept = peewee.TextField(default="")
    part = peewee.IntegerField(null=True)
    told_ms = peewee.BigIntegerField(null=True)
    is_logged = peewee.BooleanField(default=False, index=True)
    successor = BytesField(null=True)

    class Meta:
        primary_key = peewee.CompositeKey("origin", "key")
        indexes = ((("told_ms", "origin"), False),)
        without_rowid = True


def note(record: Any, now_ms: int) -> None:
    """Note that a tombstone is held; one signed again is news for the logbook alone."""
    place = (record.origin, record.key)
    with write_tx():
        held = db.execute_sql(_RECORD_OF, place).fetchone()
        if held is None:
            said = (record.id, record.scope, record.kind, now_ms, record.expires)
            db.execute_sql(_INSERT, (*place, *said))
            words_left()
        elif held[0] != record.id:
            db.execute_sql(_RENEW, (record.id, record.expires, *place))


def words_left() -> None:
    """Note that words were deleted whose bytes may still lie in the files of the database."""
    with write_tx():
        marks.write_number(LEFT, marks.number(LEFT) + 1)


def find(origin: bytes, key: bytes) -> Burial | None:
    """Return what is known of the burial of a register."""
    return Burial.get_or_none(Burial.origin == origin, Burial.key == key)


def pending(limit: int = 50_000) -> list[Burial]:
    """Return burials of which something may be left in a file, oldest first."""
    query = Burial.select().where(Burial.gone_ms.is_null())
    return list(query.order_by(Burial.at_ms, Burial.key).limit(limit))


def unlogged(limit: int = 500) -> list[Burial]:
    """Return burials whose tombstone the logbook does not know yet."""
    query = Burial.select().where(Burial.is_logged == False)  # noqa: E712
    return list(query.order_by(Burial.at_ms, Burial.key).limit(limit))


def logged(registers: Iterable[Register]) -> None:
    """Note that the logbook can bury these again."""
    with write_tx():
        execute_many(
            'UPDATE burial SET is_logged = 1 WHERE origin = ? AND "key" = ?', list(registers)
        )


def gone(registers: Iterable[Register], now_ms: int) -> None:
    """Note that nothing of these is left in any file of this node."""
    with write_tx():
        execute_many(
            'UPDATE burial SET gone_ms = ? WHERE origin = ? AND "key" = ?',
            [(now_ms, *register) for register in registers],
        )


def keep(burial: Burial, kept: str) -> None:
    """Note why a row of it stays, or no longer does; it is to be told (again)."""
    with write_tx():
        Burial.update(kept=kept, told_ms=None).where(_is(burial)).execute()


def kept() -> list[Burial]:
    """Return the burials of which a nameless row stays for now."""
    return list(Burial.select().where(Burial.kept != ""))


def succeed(origin: bytes, key: bytes, successor: bytes) -> None:
    """Note in which register of ours a buried listing goes on."""
    with write_tx():
        Burial.update(successor=successor).where(
            Burial.origin == origin, Burial.key == key
        ).execute()


# ── telling ──────────────────────────────────────────────────────────────────────────────────────


def untold(but: bytes) -> list[bytes]:
    """Return the towns (all but ours) that are to be told of an erasure that is done."""
    query = Burial.select(Burial.origin).distinct().where(_is_due(), Burial.origin != but)
    return [origin for (origin,) in query.order_by(Burial.origin).tuples()]


def parts_to_tell(origin: bytes) -> list[int]:
    """Give each erasure that is to be told to `origin` a part; return the parts that change.

    What finds no room in PARTS_MAX parts waits until older ones have had their time.
    """
    with write_tx():
        counts = Counter(
            part
            for (part,) in Burial.select(Burial.part)
            .where(Burial.origin == origin, Burial.part.is_null(False))
            .tuples()
        )
        changed = set()
        due = Burial.select().where(_is_due(), Burial.origin == origin)
        for row in due.order_by(Burial.part.is_null(), Burial.at_ms).limit(TOLD_AT_ONCE):
            part = row.part if row.part is not None else _with_room(counts)
            if part is not None:
                counts[part] += row.part is None
                changed.add(part)
                Burial.update(part=part).where(_is(row)).execute()
        return sorted(changed)


def of_part(origin: bytes, part: int) -> list[Burial]:
    """Return what one part of our acknowledgement to `origin` names, by the moment it was gone."""
    query = Burial.select().where(
        Burial.origin == origin, Burial.part == part, Burial.gone_ms.is_null(False)
    )
    return list(query.order_by(Burial.gone_ms, Burial.key))


def told(origin: bytes, part: int, now_ms: int) -> None:
    """Note that a part was published."""
    with write_tx():
        Burial.update(told_ms=now_ms).where(
            Burial.origin == origin, Burial.part == part, _is_due()
        ).execute()


# ── of a town ────────────────────────────────────────────────────────────────────────────────────


def listed(
    origin: bytes,
    kinds: Collection[str],
    *,
    before_ms: int | None = None,
    after: int = 0,
    limit: int = 50,
) -> list[Burial]:
    """Return the burials of an origin's registers of these kinds, newest first, `after` so many."""
    query = Burial.select().where(Burial.origin == origin, Burial.kind.in_(list(kinds)))
    if before_ms is not None:
        query = query.where(Burial.at_ms < before_ms)
    return list(query.order_by(Burial.at_ms.desc(), Burial.key).limit(limit).offset(after))


def forget_origin(origin: bytes) -> None:
    """Forget the burials of a town that is held no longer; its words may still lie in the files."""
    with write_tx():
        Burial.delete().where(Burial.origin == origin).execute()
        words_left()


def sweep(now_s: int) -> int:
    """Forget burials whose tombstone has had its time (unix seconds); return how many."""
    with write_tx():
        return (
            Burial.delete().where(Burial.expires < now_s, Burial.gone_ms.is_null(False)).execute()
        )


def is_any_pending() -> bool:
    """Return whether something waits to be deleted from the files; reads only."""
    held = db.execute_sql("SELECT 1 FROM burial WHERE gone_ms IS NULL LIMIT 1").fetchone()
    return held is not None or is_scrub_due()


def is_any_unlogged() -> bool:
    """Return whether the logbook does not know a tombstone yet; reads only."""
    sql = "SELECT 1 FROM burial WHERE is_logged = 0 LIMIT 1"
    return db.execute_sql(sql).fetchone() is not None


def is_scrub_due() -> bool:
    """Return whether words were deleted since the last scrub; reads only."""
    return marks.number(LEFT) > marks.number(SCRUBBED)


def is_any_untold(but: bytes) -> bool:
    """Return whether a town is to be told that an erasure is done; reads only."""
    sql = "SELECT 1 FROM burial WHERE told_ms IS NULL AND gone_ms IS NOT NULL AND origin != ?"
    return db.execute_sql(f"{sql} LIMIT 1", (but,)).fetchone() is not None


def _is_due() -> peewee.Expression:
    return Burial.told_ms.is_null() & Burial.gone_ms.is_null(False)


def _is(row: Burial) -> peewee.Expression:
    return (Burial.origin == row.origin) & (Burial.key == row.key)


def _with_room(counts: Counter[int]) -> int | None:
    return next((each for each in range(PARTS_MAX) if counts[each] < PART_MAX_KEYS), None)
