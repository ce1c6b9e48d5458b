"""The journal: the one place where records enter, ours signed and theirs verified.

Both then take the same path in one transaction: store, read model, whoever waits for the kind.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from federation import codec
from federation.admission import (
    KNOWN,
    OLDER,
    REFUSED,
    STORED,
    Examined,
    Verdict,
    examine,
    keep,
)
from federation.checkpoint import Vouch
from federation.errors import ProtocolError, RemoteProtocolError
from federation.record import SCOPE_PUBLIC, SCOPE_SEALED, TOMBSTONE, Record, new_key, parse, wins
from federation.seal import HpkeKey, open_message
from federation.store import Current, Register
from node.domain.clock import Clock
from node.domain.errors import Conflict, DomainError
from node.domain.practice import Registry
from node.domain.words import N_
from node.journal import (
    checkpoints,
    erasing,
    keptout,
    keychain,
    profile,
    projection,
    restoring,
    signing,
)
from node.journal.keychain import Keychain
from node.journal.keyring import Keyring
from node.journal.logbook import Logbook
from node.store.catalogue import listings
from node.store.database import at_commit, write_tx
from node.store.network import partners, refusals, towns
from node.store.sets import records
from node.store.sets.record_store import SqlRecordStore

log = logging.getLogger(__name__)

# what a fault of our own program raises, as against a disk or a rule that says no
BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError,
        ValueError)  # fmt: skip

CRASHES_MAX = 2  # of one record, each undoing the whole batch it came in

Handler = Callable[[Record, Any], None]
Progress = Callable[[int, int], None]


class Journal:
    """The door of one town; every call expects the town's database to be current."""

    def __init__(
        self,
        keys: Keyring | Keychain,
        clock: Clock,
        registry: Registry,
        store: SqlRecordStore,
        logbook: Logbook | None = None,
    ) -> None:
        self.keys = keys if isinstance(keys, Keychain) else Keychain(keys)
        self.clock = clock
        self.registry = registry
        self.store = store
        self.logbook = logbook
        self._crashes: Counter[bytes] = Counter()
        self._handlers: dict[str, Handler] = {}
        self._own_handlers: dict[str, Handler] = {}
        self.is_unheard: Callable[[bytes], bool] = lambda town: False  # since our restore: see gate

    @property
    def town(self) -> bytes:
        """Return our town id."""
        return self.keys.town

    @property
    def keyring(self) -> Keyring:
        """Return the keys in force now."""
        return self.keys.ring

    def on(self, kind: str, handler: Handler) -> None:
        """Call `handler(record, body)` inside the transaction that admits a foreign `kind`.

        A sealed body comes opened, a tombstone's is None; a sealed record that is not for us
        never reaches a handler.
        """
        self._handlers[kind] = handler

    @property
    def handled(self) -> frozenset[str]:
        """Return the kinds somebody here waits for."""
        return frozenset(self._handlers)

    def on_own(self, kind: str, handler: Handler) -> None:
        """Call `handler(record, body)` when a record of ours comes home that this node lacked."""
        self._own_handlers[kind] = handler

    # ── ours ─────────────────────────────────────────────────────────────────────────────────

    def publish(
        self,
        kind: str,
        body: dict[str, Any],
        *,
        key: bytes | None = None,
        scope: int | None = None,
    ) -> Record:
        """Sign a revision of one of our registers (a new one without `key`), store and show it.

        A revision keeps the scope of its register; a new one is public unless told otherwise.
        Raises Conflict("clock", "old_keys") and LocalProtocolError (a body over 16 KiB).
        """
        key = key or new_key()
        with write_tx():
            record = signing.live(
                keychain.in_force(self.keys, self.store),
                signing.fresh_stamp(self.clock),
                kind=kind,
                key=key,
                scope=self._scope(key, scope),
                body=codec.dumps(body),
                not_before_s=self._ends_s(key),
            )
            self._keep(record)
        return record

    def publish_sealed(
        self, kind: str, inner: dict[int, Any], *, to: bytes, key: bytes | None = None
    ) -> Record:
        """Sign and seal a revision of one of our registers for the town `to`.

        Raises Conflict("no_seal_key") while that town's sealing key is not known here.
        """
        key = key or new_key()
        with write_tx():
            reader = towns.find(to)
            if reader is None or not reader.hpke:
                raise Conflict("no_seal_key", N_("That town's sealing key has not arrived yet."))
            record = signing.sealed(
                keychain.in_force(self.keys, self.store),
                signing.fresh_stamp(self.clock),
                inner,
                kind=kind,
                key=key,
                to=to,
                to_public=reader.hpke,
                not_before_s=self._ends_s(key),
            )
            self._keep(record)
        return record

    def withdraw(self, key: bytes) -> Record | None:
        """Bury one of our registers: the tombstone of it, None if it holds nothing live."""
        with write_tx():
            row = records.find(self.town, key)
            held = parse(row.raw) if row else None
            if held is None or held.is_tombstone:
                return None
            stamp = signing.fresh_stamp(self.clock)
            ring = keychain.in_force(self.keys, self.store)
            record = signing.tombstone(ring, stamp, held)
            self._keep(record)
            at_commit(self._log, record)
        return record

    def _log(self, tombstones: list[Record]) -> None:
        erasing.log(tombstones, self.logbook)

    def _scope(self, key: bytes, wanted: int | None) -> int:
        """Return the scope a revision must have; raises Conflict("scope_changed") for another.

        Whoever held a register under one scope would keep it under the other as well.
        """
        held = records.holders([(self.town, key)]).get((self.town, key))
        if held is None:
            return SCOPE_PUBLIC if wanted is None else wanted
        if wanted not in (None, held.scope):
            raise Conflict("scope_changed", N_("To change who sees it, publish it anew."))
        return held.scope

    def _ends_s(self, key: bytes) -> int:
        """Return when what the register holds ends (unix seconds), 0 for a new register.

        Raises Conflict("withdrawn"): a tombstone is final, what comes back is a new register.
        """
        held = self.store.current([(self.town, key)]).get((self.town, key))
        if held is not None and held.state == TOMBSTONE:
            raise Conflict("withdrawn", N_("This was withdrawn; publish it as a new listing."))
        return held.expires if held else 0

    def _keep(self, record: Record) -> None:
        now_ms = self.clock.now_ms()
        SqlRecordStore(self.town, now_ms=now_ms).put([record])
        erasing.note(record, now_ms)
        projection.show(record, self.registry)
        checkpoints.changed(self, record.scope, is_urgent=record.is_tombstone)
        partners.hasten(now_ms)

    # ── theirs ───────────────────────────────────────────────────────────────────────────────

    def ingest(
        self, raws: Iterable[bytes], carrier: bytes | None = None, vouch: Vouch | None = None
    ) -> list[Verdict]:
        """Admit what another town, a relay or a stick brought; a bad record stops nothing.

        Signatures are checked before the write lock is taken, later for what `vouch` covers (kinds
        that are acted upon apart). What is refused is, with a `carrier` (town id), named on that
        partner's page. Returns one verdict for each of `raws`.
        """
        now_ms = self.clock.now_ms()
        vouch = vouch and vouch._replace(but=self.handled | {profile.KIND})
        examined = examine(raws, self.store, now_ms, vouch)
        with write_tx():
            settled = self._settled(examined)
            keep(settled, SqlRecordStore(self.town, carrier=carrier or b"", now_ms=now_ms), now_ms)
            for each in settled:
                if each.code == STORED and each.record is not None:
                    self._arrived(each.record, carrier)
            if carrier is not None:
                keptout.note(settled, carrier, now_ms, vouch.ids if vouch else ())
            if carrier is not None and any(each.code == STORED for each in settled):
                partners.hasten(now_ms, but=carrier)
        return [Verdict(each.id, each.code, each.rival) for each in settled]

    def _settled(self, examined: list[Examined]) -> list[Examined]:
        """Look again, under the write lock, whether another visit brought the same or newer."""
        fresh = [each.record for each in examined if each.code == STORED and each.record]
        held = self.store.current(record.register for record in fresh)
        return [
            each._replace(code=self._final(each, held)) if each.code == STORED else each
            for each in examined
        ]

    def _final(self, each: Examined, held: dict[Register, Current]) -> str:
        """Keep out, until the next start, what our own program stumbled over CRASHES_MAX times."""
        is_poison = self._crashes[each.id] >= CRASHES_MAX
        return REFUSED + "internal" if is_poison else _beaten(each, held)

    def _arrived(self, record: Record, carrier: bytes | None) -> None:
        if record.origin == self.town:
            restoring.came_home(record.stamp, self.clock.now_ms())
            checkpoints.mark_dirty(record.scope)
        erasing.note(record, self.clock.now_ms())
        try:
            projection.show(record, self.registry)
            self.tell(record, carrier)
        except BUGS:  # the batch is undone; the next time but one it goes on without this record
            log.exception("record %s of %s", record.id.hex(), record.origin.hex())
            self._crashes[record.id] += 1
            raise

    def tell(self, record: Record, carrier: bytes | None = None) -> None:
        """Let whoever waits for a held record hear of it; what breaks a rule is noted, not raised.

        Inside a write transaction. Hearing it twice must change nothing.
        """
        is_ours = record.origin == self.town
        handler = (self._own_handlers if is_ours else self._handlers).get(record.kind)
        if handler is None or not (is_ours or self._concerns_us(record)):
            return
        try:
            with write_tx():
                handler(record, None if record.is_tombstone else self._body(record))
        except (DomainError, ProtocolError) as error:
            log.info("record %s of %s: %s", record.id.hex(), record.origin.hex(), error)
            self._refuse(carrier or record.origin, record.id, error.code, record)

    def _concerns_us(self, record: Record) -> bool:
        return record.scope != SCOPE_SEALED or record.to == self.town

    def _body(self, record: Record) -> Any:
        is_sealed = record.scope == SCOPE_SEALED
        return self.open_sealed(record) if is_sealed else codec.loads(record.body)

    def open_sealed(self, record: Record) -> dict[int, Any]:
        """Return the inner message of a record sealed to us or by us.

        Raises RemoteProtocolError (not_readable, bad_seal, not_yours, bad_signature, ...).
        """
        signing_keys = {each.number: each.signing for each in self.store.keysets(record.origin)}
        public = signing_keys.get(record.keyset)
        if public is None:
            raise RemoteProtocolError("unknown_keyset")
        archive = HpkeKey.from_private(self.keyring.archive)
        return open_message(record, (*self.keyring.hpke, archive), public)

    def _refuse(self, carrier: bytes, record_id: bytes, code: str, record: Record | None) -> None:
        origin = record.origin if record else None
        refusals.note(carrier, record_id, code, self.clock.now_ms(), origin)

    # ── again ────────────────────────────────────────────────────────────────────────────────

    def _show(self, record: Record) -> None:
        try:
            with write_tx():
                projection.show(record, self.registry)
        except BUGS:
            log.exception("record %s of %s", record.id.hex(), record.origin.hex())

    def rebuild(self, progress: Progress | None = None) -> int:
        """Replay every held record into the read models and drop what has none; return how many.

        `progress(done, total)` is told now and then. Interrupted, it changes nothing.
        """
        with write_tx():
            towns.clear()
            total = records.count()
            done = 0
            for row in records.walk():
                self._show(parse(row.raw))
                done += 1
                if progress and (done % 500 == 0 or done == total):
                    progress(done, total)
            listings.drop_unheld()
        return done


def _beaten(each: Examined, held: dict[Register, Current]) -> str:
    record = each.record
    rival = held.get(record.register) if record else None
    if record is None or rival is None or wins(record, rival):
        return each.code
    return KNOWN if rival.id == record.id else OLDER
