"""Towns in one process: real stores, real signatures, a link that can be told to fail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from federation import codec, limits
from federation.adapters.memory import Faults, MemoryLink, MemoryNonces, MemoryPurse
from federation.admission import Verdict, admit
from federation.channel import Channel
from federation.checkpoint import Checkpoint, Vouch, sign_checkpoint
from federation.gate import Gate, Passage
from federation.keys import SigningKey
from federation.keyset import genesis, next_keyset
from federation.messages import Introduction
from federation.record import (
    LIVE,
    SCOPE_PUBLIC,
    TOMBSTONE,
    Draft,
    Record,
    live_until,
    parse,
    sign,
    tombstone_until,
)
from federation.session import (
    Done,
    Event,
    Hint,
    Hinted,
    Host,
    Received,
    Request,
    Sent,
    Visit,
    drive,
)
from federation.signature import HttpReply, HttpRequest
from federation.stamp import DAY_MS, as_of_day, stamp_at
from federation.store import MemoryStore, SetRow

NOW_MS = 1_790_000_000_000  # 2026-09-21
FOUNDED_S = 1_700_000_000
TODAY = as_of_day(NOW_MS)


def seed(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()


class Town:
    """One town: its keys, its store, both ends of its HTTP side."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root = seed(name, "root")
        self.key = SigningKey.from_seed(seed(name, 0))
        self.keyset = genesis(self.root, self.key.public, FOUNDED_S)
        self.id = self.keyset.town
        self.store = MemoryStore(self.id)
        self.store.add_keyset(self.keyset)
        self.purse, self.nonces = MemoryPurse(), MemoryNonces()
        self.now_ms = NOW_MS
        self.gen = 0
        self.introduces: tuple[Introduction, ...] = ()
        self.photos: dict[bytes, bytes] = {}
        self.secret = b""  # makes the tokens it gives
        self.hints: dict[bytes, Hint] | None = None  # of its own visits; None: it keeps none
        self.events: list[Event] = []  # of the visits it received
        self._written = 0

    # ── writing ──

    def sign(
        self,
        key: bytes | None = None,
        *,
        scope: int = SCOPE_PUBLIC,
        state: int = LIVE,
        at_ms: int | None = None,
        body: bytes = b"",
        to: bytes | None = None,
    ) -> Record:
        """A record of this town, not stored; each one later than the one before."""
        self._written += 1
        stamp = stamp_at(NOW_MS - 20 * DAY_MS + self._written * 90 if at_ms is None else at_ms)
        is_live = state == LIVE
        draft = Draft(
            origin=self.id,
            keyset=self.keyset.number,
            key=key or seed(self.name, "key", self._written)[:16],
            stamp=stamp,
            expires=live_until(stamp) if is_live else tombstone_until(stamp),
            scope=scope,
            kind="lending.item/1",
            state=state,
            salt=seed(self.name, "salt", self._written)[:16],
            body=(body or seed(self._written) * 12) if is_live else b"",
            to=to,
        )
        return sign(draft, self.key)

    def publish(self, count: int = 1, **how: object) -> list[Record]:
        records = [self.sign(**how) for _ in range(count)]
        self.store.put(records)
        return records

    def bury(self, record: Record) -> Record:
        tombstone = self.sign(record.key, state=TOMBSTONE, scope=record.scope, to=record.to)
        self.store.put([tombstone])
        return tombstone

    def checkpoint(
        self, scope: int = SCOPE_PUBLIC, at_ms: int = NOW_MS, as_of: int = TODAY
    ) -> Checkpoint:
        """Sign what it holds of its own, younger than all it wrote, and keep that."""
        items = self.store.items(self.id, scope, as_of, self.id)
        self._written += 1
        made, _ = sign_checkpoint(
            self.key,
            items,
            origin=self.id,
            keyset=self.keyset.number,
            scope=scope,
            stamp=stamp_at(at_ms) + self._written,
            as_of=as_of,
            size_bytes=sum(map(len, self.store.raws([i for _, i in items], self.id).values())),
        )
        self.store.witness.keep(made)
        return made

    def rotate(self, number: int, reason: str = "routine") -> None:
        self.key = SigningKey.from_seed(seed(self.name, number))
        self.keyset = next_keyset(self.root, self.keyset, self.key.public, number, reason)
        self.store.add_keyset(self.keyset)

    # ── knowing ──

    def know(self, *others: Town) -> None:
        """Accept other towns, by the keysets they have now."""
        for other in others:
            self.store.accept(other.id)
            for keyset in other.store.keysets(other.id):
                self.store.add_keyset(keyset)

    def admit(self, raws: Sequence[bytes], carrier: bytes, now_ms: int) -> list[Verdict]:
        return admit(raws, self.store, now_ms, carrier=carrier)

    def admit_vouched(
        self, raws: Sequence[bytes], vouch: Vouch, carrier: bytes, now_ms: int
    ) -> list[Verdict]:
        return admit(raws, self.store, now_ms, carrier=carrier, vouch=vouch)

    def rows(self, peer: Town) -> list[SetRow]:
        return self.store.rows(peer.id, TODAY)

    # ── meeting ──

    @property
    def host(self) -> Host:
        return Host(
            self.store,
            self.admit,
            self.id,
            gen=self.gen,
            introductions=lambda peer: self.introduces,
            blob=lambda digest, peer: self.photos.get(digest),
            secret=self.secret,
        )

    @property
    def gate(self) -> Gate:
        return Gate(self.host, self.key, self.id, self.store, self.nonces, self.store.is_accepted)

    def passage(self, request: HttpRequest) -> Passage:
        passage = self.gate.answer(request, self.now_ms)
        self.events += passage.events
        return passage

    def reply(self, request: HttpRequest) -> HttpReply:
        return self.passage(request).reply

    def link_to(self, other: Town, faults: Faults | None = None) -> MemoryLink:
        return MemoryLink(other.reply, faults or Faults())

    def channel(self, other: Town, link: MemoryLink) -> Channel:
        return Channel(
            link.send, self.key, self.id, other.id, self.store, self.purse, lambda: self.now_ms
        )

    def start(self, other: Town, introductions: bytes = b"") -> Visit:
        return Visit(
            self.store,
            self.admit,
            self.id,
            other.id,
            self.now_ms,
            gen=self.gen,
            introductions=introductions,
            vouched=self.admit_vouched,
            hint=(self.hints or {}).get(other.id),
        )

    def visit(self, other: Town, link: MemoryLink | None = None) -> list[Event]:
        """One whole visit, over HTTP messages that are signed and verified."""
        channel = self.channel(other, link or self.link_to(other))
        events = list(drive(self.start(other), channel.post, lambda: self.now_ms))
        return self._remembered(other, events)

    def _remembered(self, other: Town, events: list[Event]) -> list[Event]:
        if self.hints is not None:
            for event in events:
                if isinstance(event, Hinted):
                    self.hints[other.id] = Hint(*event)
        return events

    def call(self, other: Town) -> list[Event]:
        """One whole visit without HTTP: the host answers the visitor's bytes."""
        events: list[Event] = []

        def post(request: Request) -> bytes:
            return other.host.answer(request.path, request.body, self.id, other.now_ms).body

        events += drive(self.start(other), post, lambda: self.now_ms)
        return self._remembered(other, events)


def visit_by(
    visitor: Town, host: Town, change: Callable[[str, bytes], bytes] = lambda path, body: body
) -> tuple[list[Event], list[str]]:
    """A visit in which `change(path, answer)` may alter what the host says: events and paths."""
    paths: list[str] = []

    def post(request: Request) -> bytes:
        paths.append(request.path)
        answer = host.host.answer(request.path, request.body, visitor.id, host.now_ms)
        return change(request.path, answer.body)

    return list(drive(visitor.start(host), post, lambda: visitor.now_ms)), paths


def towns(*names: str, all_know: bool = True) -> list[Town]:
    """Towns that have all accepted each other, or none."""
    made = [Town(name) for name in names]
    if all_know:
        for town in made:
            town.know(*made)
    return made


def same_public_sets(*some: Town) -> bool:
    """Whether towns that all accept each other show each other the same public sets."""
    first = some[0]
    public = [[row for row in one.rows(first) if row.scope == SCOPE_PUBLIC] for one in some]
    return all(rows == public[0] for rows in public)


def done(events: Sequence[Event]) -> Done:
    """The last event of a visit that came to its end."""
    last = events[-1]
    assert isinstance(last, Done), last
    return last


def received(events: Sequence[Event]) -> dict[bytes, str]:
    """{id: code} of all records that came."""
    pages = [event for event in events if isinstance(event, Received)]
    return {each.id: each.code for page in pages for each in page.outcomes}


def sent(events: Sequence[Event]) -> dict[bytes, str]:
    """{id: code} of all records that went."""
    pages = [event for event in events if isinstance(event, Sent)]
    return {each.id: each.code for page in pages for each in page.outcomes}


def forged(town: Town, count: int):
    """Records with a signature of nobody, held by `town` as if they were good."""
    records = []
    for _ in range(count):
        raw = town.sign().raw
        records.append(parse(raw[:-1] + bytes((raw[-1] ^ 1,))))
    town.store.put(records)
    return records


HOSTED = (
    limits.SUMMARY,
    limits.KEYSETS,
    limits.RECONCILE,
    limits.FETCH,
    limits.RANGE,
    limits.PUSH,
)

# any bytes, and among them messages that look nearly right
junk = st.binary(max_size=200) | st.builds(
    codec.dumps,
    st.dictionaries(
        st.integers(0, 6),
        st.recursive(
            st.none() | st.booleans() | st.integers(0, 2**64 - 1) | st.binary(max_size=40),
            lambda inner: st.lists(inner, max_size=4),
            max_leaves=8,
        ),
        max_size=7,
    ),
)
