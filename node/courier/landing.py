"""The landing: what comes out of a courier file goes through the journal, a batch at a time."""

import hashlib
import logging
from typing import Any

from federation import bundle
from federation.admission import (
    EXPIRED,
    KNOWN,
    OLDER,
    QUARANTINED,
    REFUSED,
    STORED,
    Verdict,
    admit_keyset,
)
from federation.bundle import Item
from federation.errors import RemoteProtocolError
from federation.record import SCOPE_PARTNERS, SCOPE_PUBLIC, SCOPE_SEALED, Record, parse
from federation.stamp import MAX_FUTURE_MS, stamp_ms
from node.courier import pictures, poison, receipts
from node.courier.report import Arrived
from node.domain.errors import DomainError
from node.store.database import write_tx
from node.store.network import quarantine, refusals

log = logging.getLogger(__name__)

BATCH = 500  # records in one transaction
RECEIPTS_MAX = 100  # of one file: each costs three checks of a signature
POISONED = REFUSED + "internal"  # it ended the program twice, or broke it
NOT_DIRECT = REFUSED + "not_shown"  # for partners only, and not from its own town
HELD = (STORED, KNOWN, OLDER)
WAITS = (QUARANTINED, REFUSED + "unknown_keyset")


class Landing:
    """Takes items one by one and tells `told` what became of them."""

    def __init__(self, town: Any, told: Arrived) -> None:
        self.town = town
        self.told = told
        self._held: list[bytes] = []  # of one kind and one maker
        self._kind = ""
        self._receipts = 0
        self._maker: bytes | None = None
        self._wanted: set[bytes] | None = None  # photos, asked for once no more records come

    def take(self, item: Item, maker: bytes | None) -> None:
        """Take one item of a file that the partner `maker` made (None: that cannot be told)."""
        is_next = item.kind == self._kind and len(self._held) < BATCH
        if maker != self._maker or not is_next:
            self.finish()
        self._maker, self._kind = maker, item.kind
        if item.kind == bundle.RECORD:
            self.told.found += 1
            self._wanted = None
        if item.kind in (bundle.RECORD, bundle.KEYSET):
            self._held.append(item.raw)
        elif item.kind == bundle.RECEIPT and self._receipts < RECEIPTS_MAX:
            self._receipts += 1
            self.told.confirmed += receipts.take(self.town, item.raw) is not None
        elif item.kind == bundle.PHOTO:
            self._photo(item.raw)
        elif item.kind == bundle.LOCKED:
            self.told.locked = item.raw.decode()

    def finish(self) -> None:
        """Admit what is held back."""
        raws, self._held = self._held, []
        if raws and self._kind == bundle.KEYSET:
            with write_tx():
                for raw in raws:
                    admit_keyset(raw, self.town.store)
        elif raws:
            self._records(raws)

    def _records(self, raws: list[bytes]) -> None:
        read = {hashlib.sha256(raw).digest(): _read(raw) for raw in raws}
        direct = [raw for raw in raws if self._may_come(read[hashlib.sha256(raw).digest()])]
        verdicts = self._admitted(direct)
        kept_out = set(raws) - set(direct)
        verdicts += [Verdict(hashlib.sha256(raw).digest(), NOT_DIRECT) for raw in kept_out]
        with write_tx():
            quarantine.release(each.id for each in verdicts if each.code not in WAITS)
            for each in verdicts:
                self._tell(each, read[each.id])

    def _may_come(self, record: Record | None) -> bool:
        """For partners only means straight from its town, or home."""
        if record is None or record.scope != SCOPE_PARTNERS:
            return True
        return record.origin in (self._maker, self.town.id)

    def _admitted(self, raws: list[bytes]) -> list[Verdict]:
        """Admit a batch; what breaks it is found by admitting its records one by one."""
        if not raws:
            return []
        verdicts = None
        if not poison.begin(raws):
            verdicts = self._tried(raws, alone=False)
        if verdicts is None:
            verdicts = [each for raw in raws for each in self._alone(raw)]
        poison.end(raws)
        return verdicts

    def _alone(self, raw: bytes) -> list[Verdict]:
        verdicts = None
        if not poison.begin([raw], alone=True):
            verdicts = self._tried([raw], alone=True)
        poison.end([raw], alone=True)
        return verdicts or [Verdict(hashlib.sha256(raw).digest(), POISONED)]

    def _tried(self, raws: list[bytes], *, alone: bool) -> list[Verdict] | None:
        """Return the verdicts on a batch, None where a record of it breaks the program."""
        try:
            return list(self.town.journal.ingest(raws))
        except (DomainError, KeyboardInterrupt):  # the disk, or a person, says stop
            poison.end(raws, alone=alone)
            raise
        except Exception:
            log.exception("%d records of a courier file could not be taken", len(raws))
            return None

    def _tell(self, verdict: Verdict, record: Record | None) -> None:
        told, code, now_ms = self.told, verdict.code, self.town.clock.now_ms()
        told.verdicts[code] += 1
        if record is not None and code in HELD and self._is_for_us(record):
            told.sealed.append(record.id)
        if record is not None and code in (*HELD, EXPIRED):
            told.landed[record.scope == SCOPE_PUBLIC].add(record.id)
        if not code.startswith((REFUSED, QUARANTINED)):
            return
        origin = record.origin if record is not None else None
        told.refuse(verdict.id, code.removeprefix(REFUSED), origin)
        if self._maker is None:
            return
        if code in WAITS and record is not None:
            until_ms = stamp_ms(record.stamp) - MAX_FUTURE_MS if code == QUARANTINED else None
            row = (verdict.id, record.origin, code.removeprefix(REFUSED), until_ms)
            quarantine.note(self._maker, [row], now_ms)
        else:
            refusals.note(self._maker, verdict.id, code.removeprefix(REFUSED), now_ms, origin)

    def _is_for_us(self, record: Record) -> bool:
        is_ours = record.scope == SCOPE_SEALED and record.to == self.town.id
        return is_ours and record.origin == self._maker

    def _photo(self, raw: bytes) -> None:
        """Keep a photo that a listing held here shows and that is missing; its hash proves it."""
        photos, digest = self.town.photos, hashlib.sha256(raw).digest()
        if self._wanted is None:
            self._wanted = pictures.wanted(self.town.store.accepted())
        if digest not in self._wanted or photos.shelf.holds(digest):
            return
        try:
            photos.take_remote(digest, raw)
        except DomainError as error:
            log.info("photo %s of a courier file: %s", digest.hex(), error.code)
        else:
            self.told.photos += 1


def _read(raw: bytes) -> Record | None:
    try:
        return parse(raw)
    except RemoteProtocolError:
        return None
