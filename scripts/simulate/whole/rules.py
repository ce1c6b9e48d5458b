"""The rules of the whole tier: what must hold of records, at any town and after every step."""

from typing import TYPE_CHECKING, NamedTuple, NoReturn

from federation.keyset import compromised, retired
from federation.record import SCOPE_PARTNERS, TOMBSTONE, Record, parse, verify, wins
from federation.stamp import as_of_day, end_day
from node.store import marks
from node.store.database import db
from node.store.sets import keysets as kept_keysets
from scripts.simulate.findings import Broken
from scripts.simulate.whole.place import Place

if TYPE_CHECKING:
    from scripts.simulate.whole.world import WholeWorld

SQL = 'SELECT id, origin, "key", scope, state, stamp, expires, keyset FROM record'


class Held(NamedTuple):
    """The columns of a held record that rules look at."""

    id: bytes
    origin: bytes
    key: bytes
    scope: int
    state: int
    stamp: int
    expires: int
    keyset: int

    @property
    def register(self) -> tuple[bytes, bytes]:
        """(origin, key)."""
        return self.origin, self.key


def broken(rule: str, seen: str) -> NoReturn:
    """Say that a rule does not hold."""
    raise Broken(rule, seen)


def held_by(place: Place) -> dict[tuple[bytes, bytes], Held]:
    """Return what a town holds, by register."""
    with place.inside():
        rows = (Held(*row) for row in db.execute_sql(SQL).fetchall())
        return {row.register: row for row in rows}


def acknowledge(place: Place, record: Record) -> None:
    """Note that a town said it has a record."""
    known = place.memory.acked.get(record.register)
    if known is None or beats(record, known):
        place.memory.acked[record.register] = record


def beats(one: Record | Held, other: Record | Held) -> bool:
    """Say whether one revision wins over another, or is it."""
    return one.id == other.id or wins(one, other)


def check(world: "WholeWorld", place: Place) -> None:
    """Check what must hold of the records at one town at any time."""
    held = held_by(place)
    _check_authors(world, place, held)
    _check_scopes(world, place, held)
    _check_kept(place, held)
    _learn(world, place, held)
    _check_stamps(place, held)


def _check_authors(
    world: "WholeWorld", place: Place, held: dict[tuple[bytes, bytes], Held]
) -> None:
    """No authority by carrying: whatever is held was signed by its origin, whom we accepted."""
    new = [row for row in held.values() if (place.name, row.id) not in world.verified]
    with place.inside() as town:
        accepted = town.store.accepted()
        signing = {
            origin: {each.number: each.signing for each in kept_keysets.of_town(origin)}
            for origin in {row.origin for row in new}
        }
        for row in new:
            if row.origin not in accepted:
                broken("authors", f"{place.name} holds a town it never accepted")
            record = _record(world, row.id)
            public = signing[row.origin].get(row.keyset)
            if public is None or not verify(record, public):
                broken("authors", f"{place.name} holds what {row.origin.hex()[:8]} never said")
            world.verified.add((place.name, row.id))


def _record(world: "WholeWorld", record_id: bytes) -> Record:
    """Return a record by its id, read from the current database where it is new to us."""
    if record_id not in world.records:
        (raw,) = db.execute_sql("SELECT raw FROM record WHERE id = ?", (record_id,)).fetchone()
        record = parse(bytes(raw))
        if record.id != record_id:
            broken("authors", "a record is kept under another id")
        world.records[record_id] = record
    return world.records[record_id]


def _check_scopes(world: "WholeWorld", place: Place, held: dict[tuple[bytes, bytes], Held]) -> None:
    """What is for partners is held by its origin and its partners alone."""
    allowed = world.partners[place.name] | {place.id}
    for row in held.values():
        if row.scope == SCOPE_PARTNERS and row.origin not in allowed:
            broken("scopes", f"{place.name} holds what is for the partners of another town")


def _check_kept(place: Place, held: dict[tuple[bytes, bytes], Held]) -> None:
    """What a town said it has is there, or newer; what it knew to be erased is not live again."""
    latest_day = as_of_day(place.clock.latest_ms)
    for register, record in place.memory.acked.items():
        row = held.get(register)
        if record.state == TOMBSTONE and row is not None and row.state != TOMBSTONE:
            broken("erased stays erased", f"{place.name} {register[1].hex()[:8]} lives again")
        if row is not None and beats(row, record):
            continue
        if end_day(record.expires) > latest_day and not _is_dead(place, record, latest_day):
            broken("acknowledged is kept", f"{place.name} lost {record.id.hex()[:8]}")


def _is_dead(place: Place, record: Record, day: int) -> bool:
    """Whether a record's keyset is out of force, so that it may have been dropped."""
    with place.inside():
        keysets = kept_keysets.of_town(record.origin)
    return record.keyset in retired(keysets, day) | compromised(keysets)


def _learn(world: "WholeWorld", place: Place, held: dict[tuple[bytes, bytes], Held]) -> None:
    """Remember what is held now: nothing of it may vanish."""
    for register, row in held.items():
        known = place.memory.acked.get(register)
        if known is None or known.id != row.id:
            place.memory.acked[register] = world.records[row.id]


def _check_stamps(place: Place, held: dict[tuple[bytes, bytes], Held]) -> None:
    """The last stamp of a town is not before any it signed."""
    own = [row.stamp for row in held.values() if row.origin == place.id]
    with place.inside():
        place.note_height()
        last = marks.number(marks.LAST_STAMP)
    if own and max(own) > last:
        broken("stamps grow", f"{place.name} holds its own {max(own)} and would go on from {last}")
