"""Erasing: one of our registers buried for good, and buried again after a restore."""

import logging
from itertools import islice
from typing import Any

from federation.admission import EXPIRED, KNOWN, OLDER, STORED
from federation.record import Record
from node.erasure import cleaning
from node.journal import logbook
from node.journal.erasing import ERASURE
from node.store.catalogue import listings
from node.store.database import write_tx
from node.store.erasures import burials
from node.store.sets import records, sums

log = logging.getLogger(__name__)

BATCH = 500
BURIED = (STORED, KNOWN, OLDER, EXPIRED)  # nothing live is left in the register


def erase(town: Any, key: bytes) -> Record | None:
    """Bury one of our registers; return its tombstone, None if it holds nothing live.

    The logbook knows it before the transaction commits. Every row of it is without words when this
    returns; its photos, the search index and the log of the database follow within seconds, by the
    job (`cleaning.clean`). What was only asked of a listing is declined. Raises Conflict("clock",
    "restoring"), StorageRefused.
    """
    with write_tx():
        tombstone: Record | None = town.journal.withdraw(key)
        if tombstone is not None:
            town.engagements.listing_closed(key)
    return tombstone


def replay(town: Any) -> int:
    """Bury again what the logbook says was erased, ours and others'; return how many it named.

    For a town whose database was put back to an earlier day, before it shows or sends anything; it
    signs nothing. The bytes are gone from its files when this returns, unless somebody else has
    the database open (then the job does it).
    """
    held = logbook.read(town.home, town.keyring.archive)
    bodies = (line.body for line in held if line.kind == ERASURE)
    count = 0
    while batch := list(islice(bodies, BATCH)):
        _bury_again(town, [body for body in batch if _is_sound(body)])
        count += len(batch)
    if count:
        cleaning.delete(town)
    return count


def _bury_again(town: Any, bodies: list[dict[int, Any]]) -> None:
    verdicts = town.journal.ingest([body[3] for body in bodies])
    for body, verdict in zip(bodies, verdicts, strict=True):
        if verdict.code not in BURIED:
            log.info("erasure of %s again: %s", body[1].hex(), verdict.code)
            _delete_held(town, body[0], body[1])
    burials.logged((body[0], body[1]) for body in bodies)


def _delete_held(town: Any, origin: bytes, key: bytes) -> None:
    """Delete what a register holds though its tombstone is refused (its keyset is not known yet).

    The tombstone comes again with the next visit, or is signed again.
    """
    with write_tx():
        held = list(records.holders([(origin, key)]).values())
        records.delete(each.id for each in held)
        sums.change([], held)
        listings.close(origin, key, "withdrawn", town.clock.now_ms())


def _is_sound(body: dict[int, Any]) -> bool:
    return all(type(body.get(number)) is bytes for number in range(4))
