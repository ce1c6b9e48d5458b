"""Erasing, as far as the journal goes: a tombstone is noted as it enters, and in the logbook.

The logbook keeps the tombstone itself. So a restored town, which has forgotten it, admits it again
by the same door before it shows anything (`node.erasure.replay`).
"""

import hashlib
from collections.abc import Iterable

from federation.record import Record
from node.journal.logbook import Entry, Logbook
from node.store.erasures import burials

ERASURE = "erasure"  # {0: origin, 1: key, 2: id of the tombstone, 3: the tombstone}


def note(record: Record, now_ms: int) -> None:
    """Note a tombstone that just won its register, inside the transaction that keeps it."""
    if record.is_tombstone:
        burials.note(record, now_ms)


def log(tombstones: Iterable[Record], logbook: Logbook | None) -> None:
    """Write tombstones down outside the database; they are on the disk when this returns.

    Of ours before their transaction commits, so that no page says "erased" of what a restore could
    bring back. Rolled back, the line stays: the erasure was asked for. Raises StorageRefused.
    """
    entries = [_entry(each) for each in tombstones]
    if logbook is None or not entries:
        return
    logbook.write_all(entries)
    burials.logged((each.body[0], each.body[1]) for each in entries)


def _entry(tombstone: Record) -> Entry:
    body = {0: tombstone.origin, 1: tombstone.key, 2: tombstone.id, 3: tombstone.raw}
    return Entry(ERASURE, body, about=_about(tombstone), until_ms=tombstone.expires * 1_000)


def _about(tombstone: Record) -> bytes:
    """Name a register: another town may bury one with the same key, and replaces no line of it."""
    return hashlib.sha256(b"lavoir-erasure" + tombstone.origin + tombstone.key).digest()[:16]
