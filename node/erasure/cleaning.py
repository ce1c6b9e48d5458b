"""The cleaning: a job that takes the bytes of what was erased out of every file of the node.

The rows are empty before it begins. What it takes out: letters kept as files, photos, the words in
the search index, copies SQLite left in the unused parts of pages, the log of the database. Only
then is an erasure said to be done, here and to the town whose it was.
"""

import logging
import time
from pathlib import Path
from typing import Any

from federation.record import parse
from node.erasure import letters, telling
from node.journal import erasing
from node.store import marks
from node.store.catalogue import blobs, listings
from node.store.database import StorageRefused, compact, empty_wal, write_tx
from node.store.erasures import burials
from node.store.erasures.burials import Burial
from node.store.promises import engagements
from node.store.sets import records

log = logging.getLogger(__name__)

# To write the database anew wears a memory card out: it may take a five hundredth of the time.
REST_FACTOR = 500
NEXT_MS = "scrub_next_ms"
IN_REACH = "scrub_in_reach"  # the number of the last deletion whose letters, index, log are clean


def has_work(town: Any) -> bool:
    """Return whether something is to be deleted, noted or told now; reads only."""
    left = marks.number(burials.LEFT)
    return (
        left > marks.number(IN_REACH)
        or (left > marks.number(burials.SCRUBBED) and _may_compact(town))
        or burials.is_any_unlogged()
        or telling.has_work(town)
    )


def clean(town: Any, at_once: bool = False) -> bool:
    """Do what is to be done; return whether every erasure noted before is complete.

    `at_once`: do not wait for the rest between two writings of the whole database. A crash anywhere
    leaves it to be done again.
    """
    _log(town)
    done = delete(town, at_once)
    _look_at_kept()
    telling.tell(town)
    return done


def delete(town: Any, at_once: bool = True) -> bool:
    """Take the bytes out of every file; return whether none is left. Signs and tells nothing.

    Letters, photos, the index and the log are cleaned whenever something was deleted, the pages of
    the database when they may be written anew.
    """
    left = marks.number(burials.LEFT)
    wholly = at_once or _may_compact(town)
    is_due = left > marks.number(burials.SCRUBBED if wholly else IN_REACH)
    if not is_due and not (at_once and burials.is_any_pending()):
        return not burials.is_any_pending()
    buried = burials.pending()
    _drop_letters(town, buried)
    town.photos.drop_doomed()
    if _scrub(town, wholly):
        marks.write_number(IN_REACH, left)
        if wholly:
            waiting = {(each.origin, each.key) for each in blobs.doomed()}
            gone = [row for row in buried if (row.origin, row.key) not in waiting]
            _note_gone(town, gone, left)
    return not burials.is_any_pending()


def _log(town: Any) -> None:
    """Write down, outside the database, the tombstones that other towns brought or we re-signed."""
    while rows := burials.unlogged():
        held = [records.find(row.origin, row.key) for row in rows]
        with write_tx():
            erasing.log(
                (parse(each.raw) for each in held if each is not None), town.journal.logbook
            )
            burials.logged((row.origin, row.key) for row in rows)


def _drop_letters(town: Any, buried: list[Burial]) -> None:
    named = [each.id for row in buried for each in engagements.of_listing(row.origin, row.key)]
    try:
        letters.drop(Path(town.config.mail), named)
    except OSError as error:
        log.warning("a letter about an erased listing cannot be deleted: %s", error)


def _scrub(town: Any, wholly: bool) -> bool:
    """Take deleted words out of the index, the pages and the log; False while others are at it."""
    try:
        listings.scrub_search()
        if wholly:
            began = time.monotonic()
            if not compact():
                return False
            _rest(town, int((time.monotonic() - began) * 1_000) * REST_FACTOR)
        return empty_wal()
    except StorageRefused as error:
        log.warning("the database cannot be cleaned (%s): erasures wait", error.code)
        _rest(town, 60_000)
        return False


def _may_compact(town: Any) -> bool:
    return bool(town.clock.now_ms() >= marks.number(NEXT_MS))


def _rest(town: Any, rest_ms: int) -> None:
    marks.write_number(NEXT_MS, town.clock.now_ms() + rest_ms)


def _note_gone(town: Any, gone: list[Burial], left: int) -> None:
    with write_tx():
        marks.write_number(burials.SCRUBBED, max(left, marks.number(burials.SCRUBBED)))
        burials.gone([(row.origin, row.key) for row in gone], town.clock.now_ms())
        for row in gone:
            if _keeps_row(row):
                burials.keep(row, telling.ENGAGEMENT)


def _look_at_kept() -> None:
    """Tell again of what was kept because a thing was out, once it is back."""
    for row in burials.kept():
        if not _keeps_row(row):
            burials.keep(row, "")


def _keeps_row(row: Burial) -> bool:
    """Return whether a buried request is of an engagement that is not over: a thing is out."""
    held = engagements.by_register(row.key) if row.kind == telling.REQUEST else None
    return held is not None and held.asker_town == row.origin and not held.final
