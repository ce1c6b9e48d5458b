"""The port every set of records is kept behind, and the small store that keeps one in memory.

A set is the records of one (origin, scope), tombstones included, less those out of life on the
agreed day `as_of` (a UTC day number). What a peer may see follows from who it is, never from what
it asks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from federation.keyset import Keyset, check_next, compromised, retired
from federation.record import LIVE, SCOPE_PARTNERS, SCOPE_PUBLIC, SCOPES, Record, wins
from federation.sets import fingerprint
from federation.stamp import DAY_S, end_day, stamp_seconds

EXPIRED_KEPT_DAYS: Final = 2  # two nodes a day apart must still find the same sets
Register = tuple[bytes, bytes]  # (origin, key)
_ID_SPACE: Final = 2**256


@dataclass(frozen=True, slots=True)
class SetRow:
    """One line of a summary: enough to see that two sets are equal."""

    origin: bytes
    scope: int
    count: int
    fingerprint: bytes  # 16 bytes, Negentropy V1


class Current(NamedTuple):
    """What admission needs to know of the revision a register holds."""

    stamp: int
    state: int
    id: bytes
    expires: int  # unix seconds
    size_bytes: int


class Usage(NamedTuple):
    """What one origin takes up here, and when its allowance of new records is full again."""

    live: int = 0
    size_bytes: int = 0
    full_at_ms: int = 0


class RecordStore(Protocol):
    """What the protocol asks of a place that keeps records. Calls of one batch see one state."""

    def rows(self, peer: bytes | None, as_of: int) -> list[SetRow]:
        """The sets that authenticated `peer` may see and that are not empty; None: anyone."""

    def items(self, origin: bytes, scope: int, as_of: int) -> list[tuple[int, bytes]]:
        """(seconds since 2020, id) of one set, sorted."""

    def raws(self, ids: Iterable[bytes], peer: bytes | None) -> dict[bytes, bytes]:
        """The bytes of those of `ids` that are held and that `peer` may see."""

    def known(self, ids: Iterable[bytes]) -> set[bytes]:
        """Those of `ids` that need not be fetched: held, or remembered as useless."""

    def current(self, registers: Iterable[Register]) -> dict[Register, Current]:
        """The revision each of `registers` holds, if any."""

    def usage(self, origins: Iterable[bytes]) -> dict[bytes, Usage]:
        """What each of `origins` takes up here (absent: nothing)."""

    def keysets(self, origin: bytes) -> list[Keyset]:
        """The keysets of a town by number: genesis first, the one in force last."""

    def add_keyset(self, keyset: Keyset) -> None:
        """Keep a keyset; a genesis founds its town here. Raises as `keyset.check_next`.

        Records under a keyset that is now compromised are dropped at once, so that a forged stamp
        cannot stand in the way of the true revision signed again.
        """

    def is_accepted(self, origin: bytes) -> bool:
        """Whether the admin accepted that town: ourselves, a partner, or introduced."""

    def accepted(self) -> set[bytes]:
        """All accepted towns, ourselves included."""

    def is_frozen(self, origin: bytes) -> bool:
        """Whether the town signed two keysets with one number."""

    def freeze(self, origin: bytes) -> None:
        """Admit nothing more of that town until its admin speaks."""

    def put(self, records: Sequence[Record]) -> None:
        """Keep records that win their registers; whatever they replace is remembered."""

    def spend(self, origin: bytes, full_at_ms: int) -> None:
        """Keep the moment at which the origin's allowance of new records is full again."""

    def remember(self, record_id: bytes, code: str, until: int) -> None:
        """Do not ask for that id again before `until` (unix seconds)."""


class _Set:
    """The count and the sum of ids of one (origin, scope), split by last day and keyset.

    Split so that a day's end or a keyset's retirement leaves whole buckets out, and no row is read.
    """

    def __init__(self) -> None:
        self.records: dict[bytes, Record] = {}
        self.buckets: dict[tuple[int, int], tuple[int, int]] = {}

    def change(self, record: Record, step: int) -> None:
        """Count a record in (`step` 1) or out (-1)."""
        place = (end_day(record.expires), record.keyset)
        count, total = self.buckets.get(place, (0, 0))
        total = (total + step * int.from_bytes(record.id, "little")) % _ID_SPACE
        if count + step:
            self.buckets[place] = (count + step, total)
        else:
            del self.buckets[place]
        if step > 0:
            self.records[record.id] = record
        else:
            del self.records[record.id]

    def total(self, as_of: int, dead: frozenset[int]) -> tuple[int, int]:
        """(count, sum of ids) of what is in life on that day under keysets not `dead`."""
        alive = [
            bucket
            for (day, keyset), bucket in self.buckets.items()
            if day > as_of and keyset not in dead
        ]
        return sum(count for count, _ in alive), sum(total for _, total in alive) % _ID_SPACE


class MemoryStore:
    """A RecordStore in memory: complete, for tests, the simulation and the courier's reader."""

    def __init__(self, own: bytes | None = None) -> None:
        self.own = own
        self._accepted: set[bytes] = {own} if own else set()
        self._frozen: set[bytes] = set()
        self._keysets: dict[bytes, list[Keyset]] = defaultdict(list)
        self._sets: dict[tuple[bytes, int], _Set] = defaultdict(_Set)
        self._registers: dict[Register, Record] = {}
        self._held: dict[bytes, Record] = {}
        self._remembered: dict[bytes, tuple[str, int]] = {}
        self._usage: dict[bytes, Usage] = {}

    # ── what a peer sees ──

    def rows(self, peer: bytes | None, as_of: int) -> list[SetRow]:
        rows = []
        for (origin, scope), held in sorted(self._sets.items(), key=lambda pair: pair[0]):
            if self._may_see(peer, origin, scope):
                count, total = held.total(as_of, retired(self._keysets[origin], as_of))
                if count:
                    rows.append(SetRow(origin, scope, count, fingerprint(total, count)))
        return rows

    def items(self, origin: bytes, scope: int, as_of: int) -> list[tuple[int, bytes]]:
        dead = retired(self._keysets[origin], as_of)
        return sorted(
            (stamp_seconds(record.stamp), record.id)
            for record in self._sets[origin, scope].records.values()
            if end_day(record.expires) > as_of and record.keyset not in dead
        )

    def raws(self, ids: Iterable[bytes], peer: bytes | None) -> dict[bytes, bytes]:
        found = (self._held[record_id] for record_id in ids if record_id in self._held)
        return {r.id: r.raw for r in found if self._may_see(peer, r.origin, r.scope)}

    def _may_see(self, peer: bytes | None, origin: bytes, scope: int) -> bool:
        """Public: anyone. Sealed: partners. For partners: only between the origin and a partner."""
        if origin not in self._accepted or origin in self._frozen:
            return False
        if scope == SCOPE_PUBLIC:
            return True
        if peer is None or peer not in self._accepted:
            return False
        return scope != SCOPE_PARTNERS or origin in (self.own, peer)

    # ── what is known ──

    def known(self, ids: Iterable[bytes]) -> set[bytes]:
        return {each for each in ids if each in self._held or each in self._remembered}

    def current(self, registers: Iterable[Register]) -> dict[Register, Current]:
        held = ((register, self._registers.get(register)) for register in registers)
        return {
            register: Current(r.stamp, r.state, r.id, r.expires, len(r.raw))
            for register, r in held
            if r is not None
        }

    def record(self, register: Register) -> Record | None:
        """The whole revision a register holds."""
        return self._registers.get(register)

    def reason(self, record_id: bytes) -> str | None:
        """Why an id is remembered as useless."""
        return self._remembered.get(record_id, (None, 0))[0]

    def usage(self, origins: Iterable[bytes]) -> dict[bytes, Usage]:
        return {origin: self._usage[origin] for origin in origins if origin in self._usage}

    # ── towns ──

    def accept(self, origin: bytes) -> None:
        """The admin takes a town in."""
        self._accepted.add(origin)

    def accepted(self) -> set[bytes]:
        return set(self._accepted)

    def is_accepted(self, origin: bytes) -> bool:
        return origin in self._accepted

    def is_frozen(self, origin: bytes) -> bool:
        return origin in self._frozen

    def freeze(self, origin: bytes) -> None:
        self._frozen.add(origin)

    def keysets(self, origin: bytes) -> list[Keyset]:
        return list(self._keysets[origin])

    def add_keyset(self, keyset: Keyset) -> None:
        held = self._keysets[keyset.town]
        if check_next(held or [keyset], keyset) or not held:
            held.append(keyset)
            held.sort(key=lambda each: each.number)
            dead = compromised(held)
            self._bury([r for r in self._of(keyset.town) if r.keyset in dead])

    # ── writing ──

    def put(self, records: Sequence[Record]) -> None:
        for record in records:
            holder = self._registers.get(record.register)
            if holder is None or wins(record, holder):
                if holder is not None:
                    self._drop(holder)
                    self._remember_older(holder)
                self._keep(record)
            elif record.id != holder.id:
                self._remember_older(record)

    def spend(self, origin: bytes, full_at_ms: int) -> None:
        self._usage[origin] = self._usage.get(origin, Usage())._replace(full_at_ms=full_at_ms)

    def remember(self, record_id: bytes, code: str, until: int) -> None:
        self._remembered[record_id] = (code, until)

    def sweep(self, as_of: int) -> int:
        """Drop what no set of that day or the day before can hold; return how many."""
        gone = [
            record
            for record in self._held.values()
            if end_day(record.expires) + EXPIRED_KEPT_DAYS <= as_of
            or record.keyset in retired(self._keysets[record.origin], as_of - EXPIRED_KEPT_DAYS)
        ]
        self._bury(gone)
        now_s = as_of * DAY_S
        self._remembered = {k: v for k, v in self._remembered.items() if v[1] > now_s}
        return len(gone)

    def _of(self, origin: bytes) -> list[Record]:
        return [r for scope in SCOPES for r in self._sets[origin, scope].records.values()]

    def _bury(self, records: Iterable[Record]) -> None:
        for record in records:
            self._drop(record)
            del self._registers[record.register]

    def _keep(self, record: Record) -> None:
        self._registers[record.register] = record
        self._held[record.id] = record
        self._count(record, 1)

    def _drop(self, record: Record) -> None:
        del self._held[record.id]
        self._count(record, -1)

    def _count(self, record: Record, step: int) -> None:
        self._sets[record.origin, record.scope].change(record, step)
        used = self._usage.get(record.origin, Usage())
        self._usage[record.origin] = used._replace(
            live=used.live + step * (record.state == LIVE),
            size_bytes=used.size_bytes + step * len(record.raw),
        )

    def _remember_older(self, record: Record) -> None:
        self.remember(record.id, "older", record.expires + EXPIRED_KEPT_DAYS * DAY_S)
