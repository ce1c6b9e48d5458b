"""The rest: everything healed, clocks right, admins have spoken; visits until nothing moves."""

import contextlib
from typing import TYPE_CHECKING, Any

from federation.record import SCOPE_PARTNERS, SCOPES, TOMBSTONE
from federation.sets import fingerprint
from federation.stamp import DAY_MS, MAX_FUTURE_MS, as_of_day, end_day, stamp_ms
from node.backup import release
from node.domain.errors import Conflict
from node.engagements.ground import read
from node.journal import restoring
from node.store import marks
from node.store.catalogue.listings import Listing
from node.store.database import db
from node.store.network.towns import TownRow
from node.store.promises.engagements import Engagement
from node.store.sets import memory
from scripts.simulate.whole import promises, rules
from scripts.simulate.whole.place import Place
from scripts.simulate.whole.rules import Held, broken

if TYPE_CHECKING:
    from scripts.simulate.whole.world import WholeWorld

ROUNDS_MAX = 14
ROUND_MS = 11 * 60_000  # so that what runs every ten minutes runs
SHOWN = ("origin", "key", "record", "title", "text", "verb", "who", "state", "expires", "body")


def come_to_rest(world: "WholeWorld") -> None:
    """Heal everything, let the towns visit until nothing moves, check that they agree."""
    world.wire.cuts.clear()
    for place in world.places:
        place.clock.off_ms = 0
        place.stop()
        place.start()
    _until_quiet(world)
    for place in world.places:
        rules.check(world, place)
        promises.check(world, place)
        _check_sums(world, place)
    _check_equal(world)
    _check_erased(world)
    _check_engagements(world)
    for place in world.places:
        _check_rebuild(place)


def _until_quiet(world: "WholeWorld") -> None:
    """Let everything the nodes and admins do happen, until a whole round brings nothing."""
    quiet: dict[int, tuple[object, object]] = {}  # pair: what both held when nothing moved
    for number in range(ROUNDS_MAX):
        ended = [_round(world, at, number, quiet) for at in range(len(world.pairs))]
        world.true_ms += ROUND_MS
        for place in world.places:
            _keep_house(world, place, number)
        is_still = all(quiet.get(at) == _state(world, at) for at in range(len(world.pairs)))
        if is_still and _nobody_restores(world):
            world.trace.count("rounds until rest", number + 1)
            return
    broken("comes to rest", f"still moving after {ROUNDS_MAX} rounds: {ended}")


def _round(
    world: "WholeWorld", at: int, number: int, quiet: dict[int, tuple[object, object]]
) -> str:
    """One visit between two partners, from one side or the other in turn, if either has news."""
    before = _state(world, at)
    if quiet.get(at) == before:
        return "ok 0"
    one, other = world.pairs[at]
    visitor, host = (one, other) if number % 2 == 0 else (other, one)
    ended = world.visit(visitor, host, {})
    if ended == "ok 0":
        quiet[at] = _state(world, at)
    return ended


def _state(world: "WholeWorld", at: int) -> tuple[object, object]:
    """What two partners hold and show: as long as it stays, a visit has nothing to bring."""
    one, other = world.pairs[at]
    return _shown(one, other), _shown(other, one)


def _shown(place: Place, peer: Place) -> object:
    with place.inside() as town:
        day = as_of_day(town.clock.now_ms())
        keysets = db.execute_sql("SELECT COUNT(*) FROM keyset").fetchone()[0]
        return town.store.rows(peer.id, day), keysets


def _keep_house(world: "WholeWorld", place: Place, number: int) -> None:
    """What a day brings: the jobs, and an admin who ends a restore once partners were heard."""
    place.run_jobs()
    with place.inside() as town:
        held = restoring.state()
        if held is None or (number < 2 and held.why not in restoring.BY_HAND):
            return
        with contextlib.suppress(Conflict):  # a clock or keys that cannot be right: later
            release.leave(town, by="admin")
            world.trace.count("restore ended by its admin at last")


def _nobody_restores(world: "WholeWorld") -> bool:
    """Say whether every town works again; one whose stamps are of the future has to wait."""
    for place in world.places:
        with place.inside():
            if restoring.is_restoring() and not _is_exiled(world, place):
                return False
    return True


# ── records ──────────────────────────────────────────────────────────────────────────────────────


def _check_equal(world: "WholeWorld") -> None:
    """Any two partners hold the same of every town both accept, as far as scopes allow."""
    held = {place.name: rules.held_by(place) for place in world.places}
    ahead = _ahead(world, held)
    for one, other in world.pairs:
        with one.inside() as town:
            accepted = town.store.accepted()
        with other.inside() as town:
            accepted &= town.store.accepted()
        for origin in sorted(accepted):
            for scope in SCOPES:
                if scope != SCOPE_PARTNERS or origin in (one.id, other.id):
                    _compare(world, (one, other), held, origin, scope, ahead)


def _compare(
    world: "WholeWorld",
    ends: tuple[Place, Place],
    held: dict[str, dict[tuple[bytes, bytes], Held]],
    origin: bytes,
    scope: int,
    ahead: set[tuple[bytes, bytes]],
) -> None:
    one, other = ({r.id: r for r in _set(world, held[e.name], origin, scope, ahead)} for e in ends)
    for record_id in sorted(one.keys() ^ other.keys())[:1]:
        has, lacks = ends if record_id in one else ends[::-1]
        row = (one | other)[record_id]
        now = held[lacks.name].get(row.register)
        with lacks.inside():
            why = memory.reason(record_id) or "never came"
        days = (row.expires * 1000 - world.true_ms) // DAY_MS
        broken(
            "converges",
            f"{lacks.name} lacks {record_id.hex()[:8]} of {origin.hex()[:8]} that {has.name} holds"
            f" (scope {scope}, state {row.state}, {days} days left): {why},"
            f" holds {now.id.hex()[:8] if now else 'nothing'}",
        )


def _set(
    world: "WholeWorld",
    held: dict[tuple[bytes, bytes], Held],
    origin: bytes,
    scope: int,
    ahead: set[tuple[bytes, bytes]],
) -> list[Held]:
    today = as_of_day(world.true_ms)
    return [
        row
        for row in held.values()
        if (row.origin, row.scope) == (origin, scope)
        and end_day(row.expires) > today
        and row.register not in ahead
    ]


def _ahead(
    world: "WholeWorld", held: dict[str, dict[tuple[bytes, bytes], Held]]
) -> set[tuple[bytes, bytes]]:
    """Registers with a revision from the future: it waits in quarantine until its day."""
    latest_ms = world.true_ms + MAX_FUTURE_MS
    every = (row for rows in held.values() for row in rows.values())
    return {row.register for row in every if stamp_ms(row.stamp) > latest_ms}


def _check_sums(world: "WholeWorld", place: Place) -> None:
    """The sums of sets are those of what is held, so that two ends that agree do agree."""
    day = as_of_day(world.true_ms)
    with place.inside() as town:
        for row in town.store.rows(place.id, day):
            items = town.store.items(row.origin, row.scope, day)
            total = sum(int.from_bytes(record_id, "little") for _, record_id in items) % 2**256
            if (row.count, row.fingerprint) != (len(items), fingerprint(total, len(items))):
                broken("sums", f"{place.name} sums {row.origin.hex()[:8]} wrongly")


def _check_erased(world: "WholeWorld") -> None:
    """What somebody erased is live nowhere, whatever was put back since."""
    held = {place.name: rules.held_by(place) for place in world.places}
    erased = world.erased - _ahead(world, held)
    for place in world.places:
        for register, row in held[place.name].items():
            if register in erased and row.state != TOMBSTONE:
                broken("erased stays erased", f"{place.name} shows {register[1].hex()[:8]} again")


def _check_rebuild(place: Place) -> None:
    """What pages read is what the records alone would make of it."""
    with place.inside() as town:
        before = _read_model()
        town.journal.rebuild()
        after = _read_model()
    if before != after:
        changed = [one for one in before + after if one not in before or one not in after]
        broken("read model", f"{place.name}: a rebuild changes {changed[:2]}")


def _read_model() -> list[Any]:
    columns = ", ".join(f'"{name}"' for name in SHOWN)
    sql = f"SELECT {columns} FROM listing WHERE state = 'published' ORDER BY origin, \"key\""
    cards = TownRow.select(TownRow.town, TownRow.name, TownRow.hpke, TownRow.url)
    return [*db.execute_sql(sql).fetchall(), *sorted(cards.tuples())]


# ── engagements ──────────────────────────────────────────────────────────────────────────────────


def _check_engagements(world: "WholeWorld") -> None:
    """Both towns of an engagement know the same of it, and every act has a verdict."""
    exiled = {place.id for place in world.places if _is_exiled(world, place)}
    at = {place.id: _engagements(place) for place in world.places}
    for away in world.places:
        for row in at[away.id].values():
            if row.home == away.id or row.asker_town != away.id or {row.home, away.id} & exiled:
                continue
            other = at[bytes(row.home)].get(bytes(row.id))
            if other is not None:
                _check_same(world, away, world.by_id[bytes(row.home)], row, other)
                world.trace.count(f"both know: {row.state}")


def _engagements(place: Place) -> dict[bytes, Engagement]:
    with place.inside():
        return {bytes(row.id): row for row in Engagement.select()}


def _is_exiled(world: "WholeWorld", place: Place) -> bool:
    """Whether a town signed ahead of the time: it cannot be heard until its stamps have come."""
    with place.inside():
        return stamp_ms(marks.number(marks.LAST_STAMP)) > world.true_ms + MAX_FUTURE_MS


def _check_same(
    world: "WholeWorld", away: Place, home: Place, row: Engagement, other: Engagement
) -> None:
    """Compare the two rows of one engagement (invariants 4, 7, 8)."""
    name = f"{row.id.hex()[:8]} of {away.name} at {home.name}"
    said = (other.state, other.version, bool(other.final))
    heard = (row.state, row.version, bool(row.final))
    if row.final and other.final and row.state == other.state:
        return
    if said != heard:
        broken("both know the same", f"{name}: home says {said}, heard {heard}")
    if row.proposal != other.proposal:
        broken("both know the same", f"{name}: another proposal")
    if read(other.terms) and read(row.terms) != read(other.terms):
        broken("both know the same", f"{name}: other terms")
    with away.inside():
        waiting = [each.action for each in promises.own_acts(row) if not each.verdict]
    if waiting:
        broken("every act has a verdict", f"{name}: {waiting} in {row.state}")


__all__ = ["Listing", "come_to_rest"]
