"""Signing again: what our registers hold, in the same words, under the keys in force (SPEC 3.6).

Pages keep what they show; only the record it was read from has another id.
"""

from collections.abc import Sequence
from typing import Any

from federation.record import Record
from federation.stamp import stamp_ms
from node.domain.errors import Conflict
from node.domain.words import N_
from node.journal import checkpoints, erasing, keychain, profile, projection, signing
from node.store.catalogue import listings
from node.store.database import write_tx
from node.store.network import partners
from node.store.sets.record_store import SqlRecordStore

Journal = Any  # node.journal.journal has one


def sign_again(journal: Journal, batch: Sequence[Record]) -> list[Record]:
    """Sign the open records and tombstones of `batch` once more, in one transaction.

    Their end stays; a tombstone's life begins anew. Raises Conflict ("clock", "restoring",
    "old_keys").
    """
    with write_tx():
        ring = keychain.in_force(journal.keys, journal.store)
        fresh = [_signed(ring, signing.fresh_stamp(journal.clock), held) for held in batch]
        now_ms = journal.clock.now_ms()
        SqlRecordStore(journal.town, now_ms=now_ms).put(fresh)
        for record in fresh:
            erasing.note(record, now_ms)
            _show(journal, record)
        for scope in {record.scope for record in fresh}:
            is_urgent = any(each.is_tombstone for each in fresh if each.scope == scope)
            checkpoints.changed(journal, scope, is_urgent=is_urgent)
        partners.hasten(now_ms)
    return fresh


def seal_again(journal: Journal, held: Record) -> Record:
    """Open one of our sealed records, sign its message anew and seal it to its addressee's newest.

    Raises Conflict ("no_seal_key", "unheard" and as `sign_again`), RemoteProtocolError where it
    cannot be read back.
    """
    if held.to is not None and journal.is_unheard(held.to):  # it may hold a later word of ours
        raise Conflict("unheard", N_("That town is yet to be heard after our restore."))
    with write_tx():
        inner = journal.open_sealed(held)
        fresh: Record = journal.publish_sealed(held.kind, inner, to=held.to, key=held.key)
    return fresh


def _signed(ring: Any, stamp: int, held: Record) -> Record:
    if held.is_tombstone:
        return signing.tombstone(ring, stamp, held)
    return signing.again(ring, stamp, held)


def _show(journal: Journal, record: Record) -> None:
    if record.kind == profile.KIND:
        projection.show(record, journal.registry)
    elif not record.is_tombstone:
        listings.signed_again(
            record.origin, record.key, record.id, stamp_ms(record.stamp), record.expires
        )
