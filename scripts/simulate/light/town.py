"""A town of the light tier: real keys, records, store and sessions, kept in memory.

What a crash takes (nonces) and what it leaves (store, marks) are apart, and so is what an old copy
of the house brings back.
"""

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from federation.adapters.memory import MemoryNonces, MemoryPurse
from federation.admission import Verdict, admit
from federation.channel import Channel
from federation.gate import Gate
from federation.keys import SigningKey
from federation.keyset import Keyset, genesis, next_keyset
from federation.messages import Introduction
from federation.record import (
    LIVE,
    TOMBSTONE,
    Draft,
    Record,
    live_until,
    new_key,
    sign,
    tombstone_until,
)
from federation.session import Event, Host, Visit, drive
from federation.signature import HttpReply, HttpRequest
from federation.stamp import is_trusted, next_stamp
from federation.store import MemoryStore

START_MS = 1_795_430_400_000  # 2026-11-23 11:40 in Paris
BUILT_MS = 1_793_491_200_000
FOUNDED_S = 1_790_000_000
KIND = "lending.item/1"


class House(NamedTuple):
    """A copy of what the town keeps on its disk."""

    store: MemoryStore
    last_stamp: int
    gen: int
    acked: dict[tuple[bytes, bytes], Record]


@dataclass
class LightTown:
    """One town; `clock_off_ms` is how wrong its clock is."""

    name: str
    true_ms: "TrueTime"
    clock_off_ms: int = 0
    last_stamp: int = 0
    gen: int = 0
    is_restoring: bool = False
    partners: set[bytes] = field(default_factory=set)
    introduces: dict[bytes, set[bytes]] = field(default_factory=dict)
    offers: dict[bytes, Introduction] = field(default_factory=dict)
    houses: list[House] = field(default_factory=list)
    acked: dict[tuple[bytes, bytes], Record] = field(default_factory=dict)
    latest_ms: int = 0  # the latest its clock ever showed: what it may have let expire

    def __post_init__(self) -> None:
        self.root = _seed(self.name, "root")
        self.key = SigningKey.from_seed(_seed(self.name, 0))
        self.keyset = genesis(self.root, self.key.public, FOUNDED_S)
        self.id = self.keyset.town
        self.keys: dict[int, SigningKey] = {self.keyset.number: self.key}
        self.store = MemoryStore(self.id)
        self.store.add_keyset(self.keyset)
        self.start()

    def start(self) -> None:
        """Start the process: what was only in memory is gone."""
        self.purse, self.nonces = MemoryPurse(), MemoryNonces()

    def now_ms(self) -> int:
        """Return what the town's clock shows."""
        now_ms = max(self.true_ms.now_ms + self.clock_off_ms, 0)
        self.latest_ms = max(self.latest_ms, now_ms)
        return now_ms

    # ── writing ──

    @property
    def may_sign(self) -> bool:
        """Return whether the town may sign: a clock it can trust, and no restore under way."""
        return not self.is_restoring and is_trusted(self.now_ms(), self.last_stamp, BUILT_MS)

    def publish(
        self, held: Record | None, *, scope: int, to: bytes | None, days: int, state: int = LIVE
    ) -> Record:
        """Sign a new register, a revision of `held` or its tombstone, and store it."""
        stamp = self.last_stamp = next_stamp(self.now_ms(), self.last_stamp)
        is_live = state == LIVE
        ends = live_until(stamp, days) if is_live else tombstone_until(stamp)
        draft = Draft(
            origin=self.id,
            keyset=self.keyset.number,
            key=held.key if held else new_key(),
            stamp=stamp,
            expires=max(ends, held.expires) if held and is_live else ends,
            scope=held.scope if held else scope,
            kind=KIND,
            state=state,
            body=new_key() * 4 if is_live else b"",
            to=held.to if held else to,
        )
        record = sign(draft, self.key)
        self.store.put([record])
        return record

    def bury(self, held: Record) -> Record:
        """Sign and store the tombstone of a register."""
        return self.publish(held, scope=0, to=None, days=0, state=TOMBSTONE)

    def rotate(self, reason: str) -> Keyset:
        """Take a new key into force."""
        number = max(self.true_ms.now_ms // 1000, self.keyset.number + 1)
        self.key = SigningKey.from_seed(_seed(self.name, number))
        self.keyset = next_keyset(self.root, self.keyset, self.key.public, number, reason)
        self.keys[number] = self.key
        self.store.add_keyset(self.keyset)
        return self.keyset

    # ── keeping ──

    def copy_house(self) -> None:
        """Make a backup."""
        self.houses.append(House(_copied(self.store), self.last_stamp, self.gen, dict(self.acked)))

    def restore(self, house: House) -> None:
        """Come back from an old copy: keys and partners are on the recovery sheet, records not."""
        before = self.store
        self.store, self.last_stamp = _copied(house.store), house.last_stamp
        self.acked = dict(house.acked)
        self.gen = max(self.true_ms.now_ms // 1000, self.gen + 1)
        for town in sorted(before.accepted()):
            self.store.accept(town)
            if not self.store.keysets(town):
                self.store.add_keyset(before.keysets(town)[0])
        self.store.add_keyset(self.keyset)
        self.is_restoring = True
        self.start()

    # ── meeting ──

    def admit(self, raws: Sequence[bytes], carrier: bytes, now_ms: int) -> list[Verdict]:
        """Judge what came, by the one door."""
        verdicts = admit(raws, self.store, now_ms)
        stored = (self.store._held.get(each.id) for each in verdicts if each.code == "stored")
        own = [record.stamp for record in stored if record and record.origin == self.id]
        self.last_stamp = max(self.last_stamp, *own) if own else self.last_stamp
        return verdicts

    def told_to(self, peer: bytes) -> tuple[Introduction, ...]:
        """Return the towns introduced to a peer."""
        towns = sorted(t for t in self.introduces.get(peer, ()) if self.store.keysets(t))
        return tuple(
            Introduction(t, t.hex()[:8], "", tuple(k.raw for k in self.store.keysets(t)))
            for t in towns
        )

    def answer(self, request: HttpRequest) -> HttpReply:
        """Answer a request through the gate."""
        host = Host(self.store, self.admit, self.id, gen=self.gen, introductions=self.told_to)
        gate = Gate(host, self.key, self.id, self.store, self.nonces, self.partners.__contains__)
        return gate.answer(request, self.now_ms()).reply

    def visit(self, peer: bytes, send: object) -> list[Event]:
        """Pay one whole visit; raises RemoteProtocolError, PowerCut."""
        channel = Channel(send, self.key, self.id, peer, self.store, self.purse, self.now_ms)  # type: ignore[arg-type]
        visit = Visit(self.store, self.admit, self.id, peer, self.now_ms(), gen=self.gen)
        return list(drive(visit, channel.post, self.now_ms))

    def held(self) -> dict[bytes, Record]:
        """Return what the store holds, by id."""
        return self.store._held


@dataclass
class TrueTime:
    """The time it really is, UTC milliseconds."""

    now_ms: int = START_MS


def _copied(store: MemoryStore) -> MemoryStore:
    """Copy a store; records and keysets never change and are shared."""
    memo = {id(each): each for each in store._held.values()}
    for keysets in store._keysets.values():
        memo |= {id(each): each for each in keysets}  # type: ignore[misc]
    return copy.deepcopy(store, memo)


def _seed(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()
