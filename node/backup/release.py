"""The release: out of restore mode, once what the town said since its backup has come home.

By itself, after a round in which every partner was tried and one at least was heard; by a person at
any time, and only by a person where two houses may be alive (`restoring.BY_HAND`).
"""

from typing import Any, NamedTuple

from federation.record import SCOPES
from node.domain.errors import Conflict
from node.domain.words import N_
from node.journal import checkpoints, keychain, restoring, signing, twins
from node.store import audit
from node.store.database import write_tx
from node.store.network import partners
from node.store.network.partners import Partner
from node.store.sets import returned

Town = Any  # the object node.app builds


class Report(NamedTuple):
    """What came back so far: counts of our own records, names of partners heard and not heard."""

    since_ms: int
    why: str
    came_back: int
    withdrawn: int
    heard: list[str]
    unheard: list[str]


def report(town: Town) -> Report:
    """Return what has come home since restore mode began.

    Raises Conflict("not_restoring").
    """
    mode = restoring.state()
    if mode is None:
        raise Conflict("not_restoring", N_("This town is not being restored."))
    live, buried = returned.since(town.id, mode.since_ms)
    active = partners.listed(*partners.LINKED)
    heard = [each for each in active if _was_heard(each, mode.since_ms)]
    return Report(
        mode.since_ms, mode.why, live, buried, _names(heard),
        _names([each for each in active if each not in heard]),
    )  # fmt: skip


def may_leave(town: Town) -> bool:
    """Return whether restore mode may end by itself now; reads only."""
    mode = restoring.state()
    if mode is None or mode.why in restoring.BY_HAND or not signing.is_clock_trusted(town.clock):
        return False
    active = partners.listed(*partners.LINKED)
    is_tried = all(_was_tried(each, mode.since_ms) for each in active)
    return is_tried and (not active or any(_was_heard(each, mode.since_ms) for each in active))


def leave(town: Town, by: str, member: int | None = None) -> int:
    """End restore mode: return the new `gen`. What we hold is shown to partners again.

    Raises Conflict: not_restoring; clock, for the mark of a restore is a moment; old_keys, while
    the key file is older than the town's newest keyset and what it signs would be refused.
    """
    now_ms = town.clock.now_ms()
    with write_tx():
        signing.check_clock(town.clock)
        told = report(town)
        keychain.in_force(town.journal.keys, town.store)
        gen = restoring.finish(now_ms)
        twins.wake()  # a twin that hears of it, under the new gen, stops
        for scope in SCOPES:
            checkpoints.mark_dirty(scope, urgent=True)
        audit.note(
            "town.restored", at_ms=now_ms, actor=by, member=member, subject=town.id.hex(),
            detail=str(told.came_back + told.withdrawn),
        )  # fmt: skip
        partners.hasten(now_ms)
    town.publish_profile()
    checkpoints.sign_due(town.journal, now_ms)
    return gen


def _was_heard(row: Partner, since_ms: int) -> bool:
    return (row.last_ok_ms or 0) >= since_ms


def _was_tried(row: Partner, since_ms: int) -> bool:
    return _was_heard(row, since_ms) or (row.last_error_ms or 0) >= since_ms


def _names(rows: list[Partner]) -> list[str]:
    return [row.name or row.town.hex()[:12] for row in rows]
