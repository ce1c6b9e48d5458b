"""The small store that keeps sets of records in memory, behind the port of `federation.port`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from federation.checkpoint import Checkpoint
from federation.keyset import Keyset, check_next, compromised, retired
from federation.port import Current, RecordStore, Register, SetRow, Usage
from federation.record import LIVE, SCOPE_PARTNERS, SCOPE_PUBLIC, SCOPES, Record, wins
from federation.sets import Item, fingerprint, id_sum
from federation.stamp import DAY_S, end_day, stamp_seconds
from federation.witness import Gap, MemoryWitness

__all__ = [
    "EXPIRED_KEPT_DAYS",
    "Current",
    "MemoryStore",
    "RecordStore",
    "Register",
    "SetRow",
    "Usage",
    "fingerprint",
]

EXPIRED_KEPT_DAYS: Final = 2  # two nodes a day apart must still find the same sets
_ID_SPACE: Final = 2**256


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
        self._witness = MemoryWitness(self._arrives)
        self._unverified: set[bytes] = set()
        self._arrived: dict[bytes, tuple[int, bytes]] = {}  # id: (place, carrier), in that order
        self._arrivals = 0

    @property
    def witness(self) -> MemoryWitness:
        """What is kept of the origins' checkpoints."""
        return self._witness

    # ── what a peer sees ──

    def rows(self, peer: bytes | None, as_of: int) -> list[SetRow]:
        rows = []
        for (origin, scope), held in sorted(self._sets.items(), key=lambda pair: pair[0]):
            if self._may_see(peer, origin, scope):
                dead = retired(self._keysets[origin], as_of)
                count, total = held.total(as_of, dead)
                if self._unverified:
                    hidden = self._hidden(peer, self._alive(origin, scope, as_of))
                    count, total = count - len(hidden), total - id_sum(hidden)
                if count:
                    rows.append(SetRow(origin, scope, count, fingerprint(total, count)))
        return rows

    def items(self, origin: bytes, scope: int, as_of: int, peer: bytes | None = None) -> list[Item]:
        alive = self._alive(origin, scope, as_of)
        hidden = self._hidden(peer, alive)
        return sorted(
            (stamp_seconds(record.stamp), record.id) for record in alive if record.id not in hidden
        )

    def covered(self, checkpoint: Checkpoint) -> list[Item]:
        origin, scope = checkpoint.name
        dead = retired(self._keysets[origin], checkpoint.as_of)
        held = [
            (stamp_seconds(record.stamp), record.id)
            for record in self._alive(origin, scope, checkpoint.as_of)
            if record.stamp < checkpoint.stamp
        ]
        return sorted({*held, *self._witness.gap_items(checkpoint, dead)})

    def later(self, checkpoint: Checkpoint) -> int:
        held = self._sets[checkpoint.name].records.values()
        return sum(record.stamp > checkpoint.stamp for record in held)

    def _alive(self, origin: bytes, scope: int, as_of: int) -> list[Record]:
        dead = retired(self._keysets[origin], as_of)
        return [
            record
            for record in self._sets[origin, scope].records.values()
            if end_day(record.expires) > as_of and record.keyset not in dead
        ]

    def _hidden(self, peer: bytes | None, records: Iterable[Record]) -> set[bytes]:
        """Those of `records` that wait to be checked, and that `peer` neither wrote nor brought."""
        if not self._unverified or (peer is not None and peer == self.own):
            return set()
        return {
            record.id
            for record in records
            if record.id in self._unverified
            and (peer is None or peer not in (record.origin, self._arrived[record.id][1]))
        }

    def raws(self, ids: Iterable[bytes], peer: bytes | None) -> dict[bytes, bytes]:
        found = [self._held[record_id] for record_id in ids if record_id in self._held]
        hidden = self._hidden(peer, found)
        return {
            r.id: r.raw
            for r in found
            if r.id not in hidden and self._may_see(peer, r.origin, r.scope)
        }

    def arrivals(self) -> int:
        return self._arrivals

    def _arrives(self) -> int:
        self._arrivals += 1
        return self._arrivals

    def news(
        self, since: int, peer: bytes, as_of: int, limit: int, towns: Collection[bytes]
    ) -> list[bytes]:
        later = [
            record_id
            for record_id, (place, carrier) in self._arrived.items()
            if place > since and carrier != peer and self._is_alive(self._held[record_id], as_of)
            if self._held[record_id].origin in towns
        ]
        return list(self.raws(later, peer).values())[:limit]

    def _is_alive(self, record: Record, as_of: int) -> bool:
        dead = retired(self._keysets[record.origin], as_of)
        return end_day(record.expires) > as_of and record.keyset not in dead

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
            register: Current(r.stamp, r.state, r.id, r.expires, len(r.raw), r.keyset)
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

    def put(
        self,
        records: Sequence[Record],
        *,
        carrier: bytes = b"",
        unverified: Collection[bytes] = (),
    ) -> None:
        for record in records:
            holder = self._registers.get(record.register)
            if holder is None or wins(record, holder):
                if holder is not None:
                    self._drop(holder)
                    self._remember_older(holder)
                    gaps = self._witness.gaps[holder.origin, holder.scope]
                    gaps.append(Gap.of(holder, record.stamp))
                self._keep(record)
                self._arrived[record.id] = self._arrives(), carrier
                if record.id in unverified:
                    self._unverified.add(record.id)
            elif record.id != holder.id:
                self._remember_older(record)

    def unverified(self, limit: int) -> list[bytes]:
        return [self._held[one].raw for one in sorted(self._unverified)[:limit]]

    def verified(self, ids: Iterable[bytes]) -> None:
        self._unverified.difference_update(ids)

    def expel(self, records: Iterable[Record]) -> None:
        self._bury({one.id: one for one in records if one.id in self._held}.values())

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
        self._arrived.pop(record.id)
        self._unverified.discard(record.id)
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
