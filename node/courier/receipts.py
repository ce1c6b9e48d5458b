"""The receipts: our word on a file that was read here, a partner's word on one that was made here.

A receipt is no authority: it only lets a page say where a request is.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from federation.bundle import Header
from federation.errors import ProtocolError
from federation.keyset import retired
from federation.receipt import Receipt, parse_receipt, sign_receipt
from federation.record import SCOPE_SEALED
from federation.stamp import as_of_day
from node.store.database import write_tx
from node.store.network import arrivals, carriages, partners
from node.store.sets import records

log = logging.getLogger(__name__)


def give(town: Any, header: Header, verdicts: Mapping[str, int], arrived: Sequence[bytes]) -> bytes:
    """Sign what of a file reached us, for the town that made it."""
    keyring = town.journal.keyring
    return sign_receipt(
        [keyring.genesis, keyring.keyset],
        keyring.signing,
        to=header.town,
        bundle=header.id,
        when_ms=town.clock.now_ms(),
        verdicts=verdicts,
        arrived=arrived,
    )


def take(town: Any, raw: bytes) -> Receipt | None:
    """Believe a partner's receipt for us; None for any other, which changes nothing."""
    try:
        receipt = parse_receipt(raw)
    except ProtocolError as error:
        log.info("a receipt that is none: %s", error)
        return None
    if receipt.to != town.id or not believed(town, receipt.town, receipt.keyset):
        return None
    now_ms = town.clock.now_ms()
    with write_tx():
        ours = [each for each in receipt.arrived if _is_for(town.id, receipt.town, each)]
        records.mark_sent(ours, now_ms)
        arrivals.note(ours, receipt.town, min(receipt.when_ms, now_ms))
        carriages.confirm(receipt.bundle, receipt.town, now_ms)
    return receipt


def believed(town: Any, author: bytes, keyset: int) -> bool:
    """Whether a statement of `author` under that keyset counts: a partner, its key not retired."""
    if not partners.is_linked(author) or town.store.is_frozen(author):
        return False
    held = town.store.keysets(author)
    return keyset not in retired(held, as_of_day(town.clock.now_ms()))


def _is_for(ours: bytes, theirs: bytes, record_id: bytes) -> bool:
    row = records.by_id(record_id)
    return row is not None and (row.origin, row.to, row.scope) == (ours, theirs, SCOPE_SEALED)
