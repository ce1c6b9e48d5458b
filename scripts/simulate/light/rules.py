"""The rules of the light tier: what must hold after every step, and once everything is healed."""

from typing import TYPE_CHECKING

from federation.keyset import compromised, retired
from federation.record import SCOPE_PARTNERS, SCOPES, TOMBSTONE, Record, verify, wins
from federation.sets import fingerprint
from federation.stamp import DAY_MS, MAX_FUTURE_MS, as_of_day, end_day, stamp_ms
from scripts.simulate.findings import Broken
from scripts.simulate.light.town import LightTown

if TYPE_CHECKING:
    from scripts.simulate.light.world import LightWorld

ROUNDS_MAX = 14


def beats(one: Record, other: Record) -> bool:
    """Say whether one revision wins over another, or is it."""
    return one.id == other.id or wins(one, other)


def check_stamp(world: "LightWorld", town: LightTown, record: Record) -> None:
    """Stamps of one town only grow (until an old copy of it comes back)."""
    last = world.stamps.get(town.name, 0)
    if record.stamp <= last:
        raise Broken("stamps grow", f"{town.name} signed {record.stamp} after {last}")
    world.stamps[town.name] = record.stamp


def check_town(world: "LightWorld", town: LightTown) -> None:
    """Check what must hold at one town at any time."""
    _check_authors(world, town)
    _check_scopes(world, town)
    _check_graves(town)
    _check_acknowledged(town)


def _check_authors(world: "LightWorld", town: LightTown) -> None:
    """No authority by carrying: whatever is held was signed by its origin."""
    for record_id, record in town.held().items():
        if world.verified.get(record_id) == record.raw:
            continue
        keysets = {k.number: k.signing for k in town.store.keysets(record.origin)}
        public = keysets.get(record.keyset)
        if public is None or not verify(record, public):
            raise Broken("authors", f"{town.name} holds what {record.origin.hex()[:8]} never said")
        if not town.store.is_accepted(record.origin):
            raise Broken("authors", f"{town.name} holds a town it never accepted")
        world.verified[record_id] = record.raw


def _check_scopes(world: "LightWorld", town: LightTown) -> None:
    """What is for partners is held by its origin and its partners alone."""
    for (origin, scope), held in town.store._sets.items():
        is_for_partners = scope == SCOPE_PARTNERS and held.records and origin != town.id
        if is_for_partners and origin not in town.partners:
            raise Broken("scopes", f"{town.name} holds what is for others' partners")


def _check_graves(town: LightTown) -> None:
    """A register whose tombstone was held is never live again, while anybody could say so."""
    for register, grave in town.acked.items():
        held = town.store.record(register)
        if grave.state == TOMBSTONE and held is not None and held.state != TOMBSTONE:
            raise Broken("erased stays erased", f"{town.name} {register[1].hex()[:8]} lives again")


def _check_acknowledged(town: LightTown) -> None:
    """What a town said it has is there, or something newer, unless its time was over."""
    latest_day = as_of_day(town.latest_ms)
    for register, record in town.acked.items():
        held = town.store.record(register)
        if held is not None and beats(held, record):
            continue
        keysets = town.store.keysets(record.origin)
        is_over = end_day(record.expires) <= latest_day
        is_over = is_over or record.keyset in retired(keysets, latest_day) | compromised(keysets)
        if not is_over:
            raise Broken("acknowledged is kept", f"{town.name} lost {record.id.hex()[:8]}")


# ── at rest ──────────────────────────────────────────────────────────────────────────────────────


def come_to_rest(world: "LightWorld") -> None:
    """Visit until nothing moves, and check that all hold the same."""
    for number in range(1, ROUNDS_MAX + 1):
        before = world.trace.reach["visit: with news"]
        codes = [_visit_all(world, town) for town in world.towns]
        problems = [code for some in codes for code in some if code]
        if world.trace.reach["visit: with news"] == before and not problems:
            world.trace.count("rounds until rest", number)
            break
    else:
        raise Broken("comes to rest", f"still moving after {ROUNDS_MAX} rounds: {problems}")
    for town in world.towns:
        check_town(world, town)
        _check_sums(town, as_of_day(world.time.now_ms))
    _check_equal(world)


def _visit_all(world: "LightWorld", town: LightTown) -> list[str]:
    ended = (world.visit(town, world.by_id[peer], {}) for peer in sorted(town.partners))
    return [each for each in ended if not each.startswith("ok")]


def _check_sums(town: LightTown, day: int) -> None:
    """The sums of sets are those of what is held, so that two ends that agree do agree."""
    for row in town.store.rows(town.id, day):
        items = town.store.items(row.origin, row.scope, day)
        total = sum(int.from_bytes(record_id, "little") for _, record_id in items) % 2**256
        if (row.count, row.fingerprint) != (len(items), fingerprint(total, len(items))):
            raise Broken("sums", f"{town.name} sums {row.origin.hex()[:8]} wrongly")


def _check_equal(world: "LightWorld") -> None:
    """Any two partners hold the same of every town both accept, as far as scopes allow."""
    ahead = _ahead(world)
    for town in world.towns:
        for peer in sorted(town.partners):
            other = world.by_id[peer]
            for origin in sorted(town.store.accepted() & other.store.accepted()):
                for scope in SCOPES:
                    if scope == SCOPE_PARTNERS and origin not in (town.id, other.id):
                        continue
                    ours, theirs = (
                        _ids(each, origin, scope, world, ahead) for each in (town, other)
                    )
                    if ours != theirs:
                        raise Broken("converges", _difference(town, other, ours, theirs))


def _ids(
    town: LightTown, origin: bytes, scope: int, world: "LightWorld", ahead: set[tuple[bytes, bytes]]
) -> set[bytes]:
    day = as_of_day(world.time.now_ms)
    ids = {record_id for _, record_id in town.store.items(origin, scope, day)}
    return {each for each in ids if town.held()[each].register not in ahead}


def _ahead(world: "LightWorld") -> set[tuple[bytes, bytes]]:
    """Registers with a revision from the future: it waits in quarantine until its day."""
    latest_ms = world.time.now_ms + MAX_FUTURE_MS
    return {
        record.register
        for town in world.towns
        for record in town.held().values()
        if stamp_ms(record.stamp) > latest_ms
    }


def _difference(town: LightTown, other: LightTown, ours: set[bytes], theirs: set[bytes]) -> str:
    return "; ".join(_lack(town, other, each, each in ours) for each in sorted(ours ^ theirs)[:3])


def _lack(town: LightTown, other: LightTown, record_id: bytes, is_ours: bool) -> str:
    holder, lacking = (town, other) if is_ours else (other, town)
    record = holder.held()[record_id]
    held = lacking.store.record(record.register)
    why = lacking.store.reason(record_id) or "never came"
    days = (record.expires * 1000 - town.true_ms.now_ms) // DAY_MS
    return (
        f"{lacking.name} lacks {record_id.hex()[:8]} of {record.origin.hex()[:8]} that"
        f" {holder.name} holds (scope {record.scope}, state {record.state}, {days} days left):"
        f" {why}, holds {held.id.hex()[:8] if held else 'nothing'}"
    )
