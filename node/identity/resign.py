"""The signing again: after a rotation every record of ours that lives is signed under the new key.

What is left to do is what stands under another keyset, so it can be cut anywhere and goes on. Each
batch is one transaction; tombstones go first, that no erasure is late.
"""

import logging
from collections.abc import Callable
from typing import Any

from federation.errors import ProtocolError
from federation.keyset import compromised
from federation.record import Record, parse
from node.domain.errors import Conflict
from node.journal import checkpoints
from node.journal.again import seal_again, sign_again
from node.journal.journal import Journal
from node.store.database import write_tx
from node.store.promises import engagements
from node.store.sets import foreign, keysets, record_store, records
from node.store.sets.records import RecordRow

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
BATCH = 100  # some 0.2 s of the write lock on a small box


def pending(journal: Journal) -> int:
    """Return how many records of ours that live wait to be signed under the keys in force."""
    return foreign.count(journal.town, journal.keyring.keyset.number, _now_s(journal))


def resign_all(town_or_journal: Any, progress: Progress | None = None) -> int:
    """Sign every live record and tombstone of ours again under the keys in force (SPEC 3.6).

    Our checkpoints are signed after them. Returns how many were signed; called again it goes on
    where it was cut. `progress(done, total)` is told after each batch. A sealed record nobody can
    be sealed to any more, or that cannot be read back, stays as it is and dies with its keyset.
    What came home under a stolen key is dropped first: the thief may have signed it.

    Raises Conflict ("clock", "restoring", "old_keys"): nothing can be signed now.
    """
    journal: Journal = getattr(town_or_journal, "journal", town_or_journal)
    _drop_returned(journal)
    total, done, looked, after = pending(journal), 0, 0, (-1, 0)
    while True:
        with write_tx():
            number = journal.keyring.keyset.number
            rows = foreign.page(journal.town, number, _now_s(journal), after, BATCH)
            done += _batch(journal, rows)
        if not rows:
            if done:
                checkpoints.sign_all(journal)
            return done
        after = (1 - rows[-1].state, rows[-1].seq)
        looked += len(rows)
        if progress is not None:
            progress(looked, max(total, looked))


def _drop_returned(journal: Journal) -> None:
    """Drop what other towns brought home under a key of ours that is compromised by now."""
    stolen = compromised(keysets.of_town(journal.town))
    with write_tx():
        record_store.disown(foreign.returned(journal.town, stolen))


def _batch(journal: Journal, rows: list[RecordRow]) -> int:
    held = [(parse(row.raw), row.sent_ms) for row in rows]
    sealed = [each for each in held if each[0].to is not None and not each[0].is_tombstone]
    open_ = [each for each, _ in held if each.to is None or each.is_tombstone]
    return len(sign_again(journal, open_)) + sum(_seal_again(journal, *each) for each in sealed)


def _seal_again(journal: Journal, held: Record, sent_ms: int | None) -> bool:
    try:
        fresh = seal_again(journal, held)
    except Conflict as conflict:
        if conflict.code not in ("no_seal_key", "unheard"):
            raise
        log.info("record %s stays under its old key: %s", held.id.hex(), conflict.code)
        return False
    except ProtocolError as error:
        log.warning("record %s cannot be signed again: %s", held.id.hex(), error)
        return False
    _keep_place(held, fresh, sent_ms)
    return True


def _keep_place(held: Record, fresh: Record, sent_ms: int | None) -> None:
    """Let the engagement know its register by the new id, and when its words left this town."""
    row = engagements.by_register(held.key)
    for column in ("request_record", "reply_record"):
        if row is not None and getattr(row, column) == held.id:
            engagements.change(row.id, **{column: fresh.id})
    if sent_ms is not None:
        records.mark_sent([fresh.id], sent_ms)


def _now_s(journal: Journal) -> int:
    return journal.clock.now_ms() // 1000
