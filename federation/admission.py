"""Admission: what becomes of records that arrive, by whichever way they came (SPEC.md section 6).

The rules stand in one order, cheap ones first, and none knows who carried the record. One bad
record is kept out and named; its neighbours are not touched.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from federation.checkpoint import Vouch
from federation.errors import RemoteProtocolError
from federation.keyset import parse_keyset, retired
from federation.port import Current, RecordStore, Register, Usage
from federation.record import LIVE, TOMBSTONE, Record, is_equivocation, parse, verify, wins
from federation.stamp import DAY_MS, DAY_S, MAX_FUTURE_MS, as_of_day, end_day, stamp_ms
from federation.store import EXPIRED_KEPT_DAYS

STORED: Final = "stored"
KNOWN: Final = "known"
OLDER: Final = "older"
EXPIRED: Final = "expired"
QUARANTINED: Final = "quarantined"
REFUSED: Final = "refused:"  # followed by a code of federation.errors.CODES

ORIGIN_LIVE_MAX: Final = 20_000  # live records of one origin; its tombstones count in bytes only
ORIGIN_MAX_BYTES: Final = 64 * 1024 * 1024
ORIGIN_NEW_PER_DAY: Final = 2_000  # sustained; the burst is ORIGIN_LIVE_MAX
NEW_EVERY_MS: Final = DAY_MS // ORIGIN_NEW_PER_DAY
ALLOWANCE_MS: Final = ORIGIN_LIVE_MAX * NEW_EVERY_MS  # in which an allowance used up is full again
EXPIRY_GRACE_DAYS: Final = 1  # a set agreed for yesterday can still be completed
MALFORMED_KEPT_DAYS: Final = 30  # a later version of this software may read it
OVER_QUOTA_KEPT_DAYS: Final = 1
EXPIRED_KEPT_S: Final = EXPIRED_KEPT_DAYS * DAY_S

# what nothing can change while the record lives; all else is tried again at the next visit, above
# all what was judged by a clock, which may have been wrong
_FOR_LIFE: Final = frozenset(
    (OLDER, *(REFUSED + code for code in ("bad_signature", "expires_early")))
)


class Examined(NamedTuple):
    """What would become of one arrived record, and why."""

    raw: bytes
    id: bytes
    record: Record | None  # None if it could not be read
    code: str  # stored known older expired quarantined refused:<code>
    rival: bytes | None = None  # id of the other live record with the same stamp: equivocation
    is_vouched: bool = False  # let in on its origin's checkpoint: its signature was not checked
    is_counted: bool = False  # it uses up allowance


class Verdict(NamedTuple):
    """What became of one arrived record."""

    id: bytes
    code: str
    rival: bytes | None = None


def examine(
    raws: Iterable[bytes], store: RecordStore, now_ms: int, vouch: Vouch | None = None
) -> list[Examined]:
    """Judge a batch in its order, reading the store once and writing nothing.

    What `vouch` (see `checkpoint.vouch`) covers needs no signature of its own yet.
    """
    arrived = [_parse(raw) for raw in raws]
    batch = _Batch([each.record for each in arrived if each.record], store, now_ms, vouch)
    return [batch.judge(each) for each in arrived]


def admit(
    raws: Iterable[bytes],
    store: RecordStore,
    now_ms: int,
    *,
    carrier: bytes = b"",
    vouch: Vouch | None = None,
) -> list[Verdict]:
    """Judge a batch and keep what it brings; run inside one transaction of the store."""
    examined = examine(raws, store, now_ms, vouch)
    keep(examined, store, now_ms, carrier=carrier)
    return [Verdict(each.id, each.code, each.rival) for each in examined]


def keep(
    examined: Sequence[Examined], store: RecordStore, now_ms: int, *, carrier: bytes = b""
) -> None:
    """Write what an examination found: the winners, the allowance they used, ids not to fetch."""
    records = [each.record for each in examined if each.code == STORED and each.record]
    store.put(
        records, carrier=carrier, unverified={each.id for each in examined if each.is_vouched}
    )
    new = Counter(
        each.record.origin
        for each in examined
        if each.code == STORED and each.is_counted and each.record
    )
    for origin, used in store.usage(new).items():
        store.spend(origin, full_at_ms(used.full_at_ms, new[origin], now_ms))
    for each in examined:
        until = remembered_until(each, now_ms)
        if until is not None:
            store.remember(each.id, each.code, until)


def admit_keyset(raw: bytes, store: RecordStore) -> str:
    """Judge a keyset of an accepted town and keep it: stored, known or refused:<code>.

    Two keysets with one number freeze their town.
    """
    try:
        keyset = parse_keyset(raw)
        if not store.is_accepted(keyset.town):
            raise RemoteProtocolError("not_accepted")
        is_known = any(held.id == keyset.id for held in store.keysets(keyset.town))
        if not is_known:
            store.add_keyset(keyset)
    except RemoteProtocolError as error:
        if error.code == "keyset_equivocation":
            store.freeze(keyset.town)
        return REFUSED + error.code
    return KNOWN if is_known else STORED


def full_at_ms(full_at: int, count: int, now_ms: int) -> int:
    """When an allowance that was full at `full_at` is full again after `count` more new records.

    No allowance takes longer than ALLOWANCE_MS to fill: a `full_at` beyond was kept by a clock that
    was ahead, and counts as full.
    """
    is_filling = now_ms < full_at <= now_ms + ALLOWANCE_MS
    return (full_at if is_filling else now_ms) + count * NEW_EVERY_MS


def remembered_until(examined: Examined, now_ms: int) -> int | None:
    """Unix seconds until which that id need not be fetched again; None: try at every visit."""
    now_s = now_ms // 1000
    if examined.record is None:
        return now_s + MALFORMED_KEPT_DAYS * DAY_S
    if examined.code in _FOR_LIFE:
        return examined.record.expires + EXPIRED_KEPT_S
    if examined.code == REFUSED + "over_quota":
        return now_s + OVER_QUOTA_KEPT_DAYS * DAY_S
    return None


def _parse(raw: bytes) -> Examined:
    """Size and form."""
    try:
        record = parse(raw)
    except RemoteProtocolError as error:
        return Examined(raw, hashlib.sha256(raw).digest(), None, REFUSED + error.code)
    return Examined(raw, record.id, record, STORED)


class _Batch:
    """What the rules need to know of the store, read once, and kept right as the batch goes on."""

    def __init__(
        self, records: Sequence[Record], store: RecordStore, now_ms: int, vouch: Vouch | None
    ) -> None:
        origins = {record.origin for record in records}
        self.now_ms = now_ms
        self.vouch = vouch
        self.today = as_of_day(now_ms)
        self.known: set[bytes] = store.known([record.id for record in records])
        self.accepted = {origin for origin in origins if store.is_accepted(origin)}
        self.frozen = {origin for origin in self.accepted if store.is_frozen(origin)}
        self.current: dict[Register, Current] = store.current(
            {record.register for record in records if record.origin in self.accepted}
        )
        self.usage: dict[bytes, Usage] = store.usage(self.accepted)
        held = {origin: store.keysets(origin) for origin in self.accepted}
        self.signing = {
            origin: {k.number: k.signing for k in sets} for origin, sets in held.items()
        }
        self.retired = {origin: retired(sets, self.today) for origin, sets in held.items()}
        # the order of SPEC.md section 6, after size and form
        self.rules: tuple[Callable[[Record], str | None], ...] = (
            self._known,
            self._origin,
            self._quota,
            self._time,
            self._signature,
            self._winner,
        )

    def judge(self, arrived: Examined) -> Examined:
        """The first rule that objects names the code; if none does, the record counts as held."""
        record = arrived.record
        if record is None:
            return arrived
        code = next(filter(None, (rule(record) for rule in self.rules)), STORED)
        rival = self._rival(record) if code in (STORED, OLDER) else None
        is_vouched = code == STORED and self._is_vouched(record)
        is_counted = code == STORED and self._is_counted(record)
        if code == STORED:
            self._hold(record)
        return arrived._replace(
            code=code, rival=rival, is_vouched=is_vouched, is_counted=is_counted
        )

    def _known(self, record: Record) -> str | None:
        return KNOWN if record.id in self.known else None

    def _origin(self, record: Record) -> str | None:
        if record.origin not in self.accepted:
            return REFUSED + "not_accepted"
        return REFUSED + "frozen" if record.origin in self.frozen else None

    def _quota(self, record: Record) -> str | None:
        """A revision takes the place of the one it replaces; a burial is never too many."""
        used = self._used_with(record)
        before = self.usage.get(record.origin, Usage())
        is_heavier = used.size_bytes > max(before.size_bytes, ORIGIN_MAX_BYTES)
        is_too_many = used.live > max(before.live, ORIGIN_LIVE_MAX)
        is_too_fast = self._is_counted(record) and used.full_at_ms - self.now_ms > ALLOWANCE_MS
        return REFUSED + "over_quota" if is_heavier or is_too_many or is_too_fast else None

    def _time(self, record: Record) -> str | None:
        if stamp_ms(record.stamp) > self.now_ms + MAX_FUTURE_MS:
            return QUARANTINED
        return EXPIRED if end_day(record.expires) <= self.today - EXPIRY_GRACE_DAYS else None

    def _signature(self, record: Record) -> str | None:
        public = self.signing[record.origin].get(record.keyset)
        if public is None:
            return REFUSED + "unknown_keyset"
        if record.keyset in self.retired[record.origin]:
            return REFUSED + "keyset_retired"
        is_right = self._is_vouched(record) or verify(record, public)
        return None if is_right else REFUSED + "bad_signature"

    def _is_vouched(self, record: Record) -> bool:
        return self.vouch is not None and self.vouch.covers(record)

    def _winner(self, record: Record) -> str | None:
        """A later revision must not end before the one it replaces, else that one would return."""
        held = self.current.get(record.register)
        if held is None:
            return None
        if not wins(record, held):
            return OLDER
        is_early = record.stamp > held.stamp and record.expires < held.expires
        return REFUSED + "expires_early" if is_early else None

    def _rival(self, record: Record) -> bytes | None:
        held = self.current.get(record.register)
        return held.id if held is not None and is_equivocation(record, held) else None

    def _is_counted(self, record: Record) -> bool:
        """What lives, and what is buried once more for no new keyset: that could have no end."""
        held = self.current.get(record.register)
        is_again = held is not None and held.state == TOMBSTONE and record.keyset <= held.keyset
        return record.state == LIVE or is_again

    def _used_with(self, record: Record) -> Usage:
        used = self.usage.get(record.origin, Usage())
        held = self.current.get(record.register)
        is_live = record.state == LIVE
        return Usage(
            used.live + is_live - (held is not None and held.state == LIVE),
            used.size_bytes + len(record.raw) - (held.size_bytes if held else 0),
            full_at_ms(used.full_at_ms, int(self._is_counted(record)), self.now_ms),
        )

    def _hold(self, record: Record) -> None:
        self.usage[record.origin] = self._used_with(record)
        self.known.add(record.id)
        self.current[record.register] = Current(
            record.stamp,
            record.state,
            record.id,
            record.expires,
            len(record.raw),
            record.keyset,
        )
