"""The checking: what was let in on an origin's word is verified, and its word held against it.

signatures    of vouched records, before anyone else sees them
look          is each set what its origin last said it was, or is something missing
audit         once a day, id by id: fingerprints add up, hashes do not lie
"""

from typing import Any

from federation import vouching
from federation.checkpoint import Checkpoint
from federation.stamp import as_of_day, stamp_ms
from node.store import marks
from node.store.catalogue import listings
from node.store.database import write_tx
from node.store.network import refusals
from node.store.sets import completeness as kept
from node.store.sets import records, waiting
from node.store.sets.completeness import CompletenessRow
from node.store.sets.record_store import figures

BATCH = 100  # some 10 ms of the write lock, 80 on a small box

Journal = Any


def check_signatures(journal: Journal) -> int:
    """Check the signatures of all records let in unverified; return how many were bad.

    A bad one is removed and what pages showed of it; its origin vouches for nothing until our
    admin has spoken, and whoever carried it is not to blame.
    """
    bad = 0
    while waiting.any_left():
        now_ms = journal.clock.now_ms()
        with write_tx():
            found = vouching.check_unverified(journal.store, BATCH, now_ms)
            for record in found.bad:
                listings.close(record.origin, record.key, "distrusted", stamp_ms(record.stamp))
                refusals.note(record.origin, record.id, "bad_signature", now_ms, record.origin)
        bad += len(found.bad)
        if not found.good and not found.bad:
            waiting.drop_orphans()
    return bad


def needs_look() -> bool:
    """Return whether anything came in since the last look; reads only."""
    return records.last_arrival() != marks.number(marks.LOOKED_ARRIVAL)


def look(journal: Journal) -> int:
    """Lay every set of others beside the newest word of its origin; return how many were looked at.

    What did not change since the last look is not looked at again.
    """
    arrival, now_ms = records.last_arrival(), journal.clock.now_ms()
    rows = {(each.origin, each.scope): each.fingerprint for each in figures(as_of_day(now_ms))}
    known = {(each.origin, each.scope): each for each in kept.every()}
    looked = 0
    for said in _of_others(journal):
        fingerprint = rows.get(said.name, b"")
        if not _is_same(known.get(said.name), said, fingerprint):
            found = vouching.completeness(journal.store, said)
            kept.keep(found, checkpoint=said.id, fingerprint=fingerprint, now_ms=now_ms)
            looked += 1
    marks.write_number(marks.LOOKED_ARRIVAL, arrival)
    return looked


def audit(journal: Journal) -> int:
    """Compare every set that seems complete with its origin's word id by id; return how many lied.

    Run once a day; some 0.1 s for 10,000 records.
    """
    look(journal)
    now_ms, lies = journal.clock.now_ms(), 0
    known = {(each.origin, each.scope): each for each in kept.every()}
    for said in _of_others(journal):
        row = known.get(said.name)
        if row is not None and row.checkpoint == said.id and row.state == vouching.COMPLETE:
            is_true = vouching.audit(journal.store, said, now_ms)
            lies += not is_true
            if is_true:
                kept.audited(*said.name, now_ms)
    return lies


def completeness(origin: bytes) -> list[CompletenessRow]:
    """Return what is known of the sets of a town, by scope: as of when (`stamp`), how many it
    `listed`, how many of them are `missing`, and `state`: complete, missing, unsure or differs.
    """
    return kept.of_origin(origin)


def _of_others(journal: Journal) -> list[Checkpoint]:
    return [said for said in journal.store.witness.checkpoints() if said.origin != journal.town]


def _is_same(row: CompletenessRow | None, said: Checkpoint, fingerprint: bytes) -> bool:
    return row is not None and (row.checkpoint, row.fingerprint) == (said.id, fingerprint)
