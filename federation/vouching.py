"""Vouching: which checkpoints are believed, what they let in, and what they show to be missing.

A checkpoint speaks for its own origin only. What it lets in has its own signature checked later,
before anyone else sees it; if one is bad, it is the origin that is no longer believed, never the
town that carried it (SPEC.md section 7.4).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from federation import checkpoint as form
from federation.admission import EXPIRED_KEPT_S, KNOWN, OLDER, QUARANTINED, REFUSED, STORED
from federation.checkpoint import Checkpoint
from federation.errors import RemoteProtocolError
from federation.port import RecordStore
from federation.record import Record, parse, verify
from federation.sets import fingerprint, id_sum
from federation.stamp import MAX_FUTURE_MS, stamp_ms

COMPLETE: Final = "complete"
MISSING: Final = "missing"
UNSURE: Final = "unsure"  # newer records may have replaced what seems to be missing
DIFFERS: Final = "differs"  # more is held than the origin says it had


class Completeness(NamedTuple):
    """One set beside the newest word of its origin."""

    origin: bytes
    scope: int
    stamp: int  # of the checkpoint: as of when
    listed: int  # records the origin says it had
    missing: int  # of those, not held here
    state: str  # COMPLETE, MISSING, UNSURE, DIFFERS


class Checked(NamedTuple):
    """What became of records that had been let in on a checkpoint's word."""

    good: int
    bad: tuple[Record, ...]


def admit_checkpoint(raw: bytes, store: RecordStore, now_ms: int, carrier: bytes = b"") -> str:
    """Judge a checkpoint and keep it if it is the newest of its set, whoever carried it.

    Returns stored, known, older, quarantined or refused:<code>. Two with one stamp are kept as
    proof, and their origin vouches for nothing until its admin has spoken.
    """
    try:
        offered = form.parse_checkpoint(raw)
        if not store.is_accepted(offered.origin):
            raise RemoteProtocolError("not_accepted")
        if store.is_frozen(offered.origin):
            raise RemoteProtocolError("frozen")
        held = store.witness.checkpoint(*offered.name)
        if held is not None and held.id == offered.id:
            return KNOWN
        form.check_signer(offered, store.keysets(offered.origin))
        _check_rank(offered, held, store, now_ms)
    except RemoteProtocolError as error:
        return REFUSED + error.code
    if held is not None and offered.rank < held.rank:
        return OLDER
    if stamp_ms(offered.stamp) > now_ms + MAX_FUTURE_MS:
        return QUARANTINED
    store.witness.keep(offered, carrier)
    return STORED


def _check_rank(
    offered: Checkpoint, held: Checkpoint | None, store: RecordStore, now_ms: int
) -> None:
    if held is not None and offered.rank == held.rank:
        code = "checkpoint_equivocation"
        store.witness.distrust(offered.origin, code, offered.raw, now_ms)
        raise RemoteProtocolError("checkpoint_equivocation")


def standing(store: RecordStore, origin: bytes, scope: int, now_ms: int) -> Checkpoint | None:
    """The checkpoint of a set that may vouch now: young, under the keyset in force, believed."""
    held = store.witness.checkpoint(origin, scope)
    if held is None or origin in store.witness.distrusted() or store.is_frozen(origin):
        return None
    try:
        form.check_signer(held, store.keysets(origin))
        form.check_age(held, now_ms)
    except RemoteProtocolError:
        return None
    return held


def check_unverified(store: RecordStore, limit: int, now_ms: int) -> Checked:
    """Check the signatures of up to `limit` records let in on a checkpoint's word.

    A bad one is removed, its id remembered as refused, and its origin vouches for nothing until
    its admin has spoken. Run inside one transaction of the store.
    """
    records = [parse(raw) for raw in store.unverified(limit)]
    publics = {
        (origin, keyset.number): keyset.signing
        for origin in {record.origin for record in records}
        for keyset in store.keysets(origin)
    }
    bad = [each for each in records if not _is_signed(each, publics)]
    worst = {record.id for record in bad}
    store.verified([record.id for record in records if record.id not in worst])
    store.expel(bad)
    for record in bad:
        store.remember(record.id, REFUSED + "bad_signature", record.expires + EXPIRED_KEPT_S)
        store.witness.distrust(record.origin, "bad_signature", record.id, now_ms)  # no words
    return Checked(len(records) - len(bad), tuple(bad))


def _is_signed(record: Record, publics: dict[tuple[bytes, int], bytes]) -> bool:
    public = publics.get((record.origin, record.keyset))
    return public is not None and verify(record, public)


def completeness(store: RecordStore, checkpoint: Checkpoint) -> Completeness:
    """Lay what is held beside an origin's word.

    A record that is younger than the checkpoint may have replaced one that seems to be missing and
    never came here; as long as they could explain the difference nothing is said to be missing, nor
    while the word itself stands under a keyset that was replaced.
    """
    held = store.covered(checkpoint)
    numbers = [keyset.number for keyset in store.keysets(checkpoint.origin)]
    is_in_force = numbers[-1:] == [checkpoint.keyset]
    total = fingerprint(id_sum(one for _, one in held), len(held))
    missing = checkpoint.records - len(held)
    if (len(held), total) == (checkpoint.records, checkpoint.fingerprint):
        state = COMPLETE
    elif not is_in_force:
        state = UNSURE
    elif missing <= 0:
        state = DIFFERS
    else:
        state = MISSING if missing > store.later(checkpoint) else UNSURE
    return Completeness(
        *checkpoint.name, checkpoint.stamp, checkpoint.records, max(missing, 0), state
    )


def audit(store: RecordStore, checkpoint: Checkpoint, now_ms: int) -> bool:
    """Whether a set that seems complete is the very one its origin signed, id by id.

    Fingerprints add up, and whoever chooses many of its own ids can make two sets with one; the
    hashes of the runs cannot be so forged. Its origin is then no longer believed.
    """
    is_the_one = form.make_runs(store.covered(checkpoint)).id == checkpoint.runs
    if not is_the_one:
        store.witness.distrust(checkpoint.origin, "bad_runs", checkpoint.raw, now_ms)
    return is_the_one
