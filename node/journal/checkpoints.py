"""Our checkpoints: our signed word on each of our sets, kept true as they change.

A burial, an erasure, a rotation or the end of restore mode is followed by a new one at once; other
changes by one a minute, and every day has its own (SPEC 7.4). While an old one would be untrue and
a new one is not signed yet, none is shown.
"""

from typing import Any

from federation.checkpoint import Checkpoint, sign_checkpoint
from federation.record import SCOPES
from federation.stamp import as_of_day, stamp_ms
from node.domain.errors import DomainError
from node.journal import keychain, restoring, signing
from node.store import marks
from node.store.database import write_tx
from node.store.sets.record_store import figures

LAZY_MS = 60_000
AT_ONCE_MS = 1_000  # a hundred burials in a row are one checkpoint, soon after
DIRTY, URGENT = "dirty", "urgent"

Journal = Any  # the journal calls here, and is called with here


def mark_dirty(scope: int, urgent: bool = False) -> None:
    """Note that what our newest checkpoint of a scope says is no longer so."""
    if urgent or not marks.read(_mark(scope)):
        marks.write(_mark(scope), URGENT if urgent else DIRTY)


def changed(journal: Journal, scope: int, *, is_urgent: bool) -> None:
    """Follow a change of one of our sets; call inside the transaction that makes it.

    An urgent one is signed in that very transaction. When one was signed a moment ago the old one
    is taken back instead, and the job signs soon.
    """
    is_waiting = marks.read(_mark(scope)) == URGENT  # for the job: one was taken back a moment ago
    mark_dirty(scope, is_urgent)
    if not is_urgent or restoring.is_restoring():
        return
    held = journal.store.witness.checkpoint(journal.town, scope)
    if held is None and is_waiting:
        return
    since_ms = journal.clock.now_ms() - stamp_ms(held.stamp) if held else AT_ONCE_MS
    if 0 <= since_ms < AT_ONCE_MS:
        journal.store.witness.void(journal.town, scope)
    else:
        sign(journal, scope)


def sign(journal: Journal, scope: int) -> Checkpoint:
    """Sign what our set of one scope holds now, and keep that as its newest checkpoint.

    Raises Conflict ("clock", "restoring", "old_keys").
    """
    store, clock = journal.store, journal.clock
    with write_tx():
        ring = keychain.in_force(journal.keys, store)
        held = store.witness.checkpoint(journal.town, scope)
        if held is not None and held.stamp > marks.number(marks.LAST_STAMP):
            marks.write_number(marks.LAST_STAMP, held.stamp)  # one of ours that came home
        stamp = signing.fresh_stamp(clock)
        as_of = as_of_day(clock.now_ms())
        made, runs = sign_checkpoint(
            ring.signing,
            store.items(journal.town, scope, as_of, journal.town),
            origin=journal.town,
            keyset=ring.keyset.number,
            scope=scope,
            stamp=stamp,
            as_of=as_of,
            size_bytes=_size_bytes(journal.town, scope, as_of),
        )
        store.witness.keep(made)
        store.witness.keep_runs(runs.raw)
        marks.forget(_mark(scope))
    return made


def sign_all(journal: Journal) -> list[Checkpoint]:
    """Sign all our sets anew: after a rotation, at the end of restore mode. Raises as `sign`."""
    with write_tx():
        return [sign(journal, scope) for scope in SCOPES if _is_worth_it(journal, scope)]


def sign_due(journal: Journal, now_ms: int) -> int:
    """Sign what is due; return how many. While nothing can be signed (clock, restore) none is."""
    signed = 0
    for scope in due(journal, now_ms):
        try:
            sign(journal, scope)
        except DomainError:
            break
        signed += 1
    return signed


def due(journal: Journal, now_ms: int) -> list[int]:
    """Return the scopes whose checkpoint should be signed now; reads only."""
    if restoring.is_restoring():
        return []
    return [scope for scope in SCOPES if _is_due(journal, scope, now_ms)]


def _is_due(journal: Journal, scope: int, now_ms: int) -> bool:
    state = marks.read(_mark(scope))
    held = journal.store.witness.checkpoint(journal.town, scope)
    if held is None:
        return bool(state)
    if state == URGENT or held.keyset != journal.keyring.keyset.number:
        return True
    if stamp_ms(held.stamp) <= 1_000 * marks.number(marks.RESTORED_S):
        return True
    if state == DIRTY and not 0 <= now_ms - stamp_ms(held.stamp) < LAZY_MS:
        return True
    return as_of_day(now_ms) > held.as_of


def _is_worth_it(journal: Journal, scope: int) -> bool:
    is_said = journal.store.witness.checkpoint(journal.town, scope) is not None
    as_of = as_of_day(journal.clock.now_ms())
    return is_said or bool(journal.store.items(journal.town, scope, as_of, journal.town))


def _size_bytes(town: bytes, scope: int, as_of: int) -> int:
    return sum(
        each.size_bytes for each in figures(as_of) if (each.origin, each.scope) == (town, scope)
    )


def _mark(scope: int) -> str:
    return f"checkpoint {scope}"
