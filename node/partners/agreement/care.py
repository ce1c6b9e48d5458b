"""The care of agreements: what is due by itself, looked at every minute.

Words both sides wrote alike need no second click; a register is sealed again to a newer key and
renewed before it ends; after a new link the end of the old one is taken back.
"""

import logging
from typing import Any

from node.domain.agreement import says_the_same
from node.domain.errors import Conflict
from node.journal import restoring
from node.partners.agreement import force, ours, wire
from node.store.database import write_tx
from node.store.network import agreements, partners, towns
from node.store.network.agreements import Agreement
from node.store.sets import records

log = logging.getLogger(__name__)

RENEW_S = 100 * 86_400


def care(town: Any) -> int:
    """Sign what is due; return how many statements. Nothing is signed in restore mode."""
    if restoring.is_restoring():
        return 0
    count = 0
    for row in agreements.listed():
        if not _asks_for_care(town, row):
            continue
        try:
            with write_tx():
                _care_for(town, agreements.find(row.town))
            count += 1
        except Conflict as error:  # the clock, the keys: later
            log.info("agreement with %s: %s", row.town.hex(), error.code)
    return count


def _asks_for_care(town: Any, row: Agreement) -> bool:
    """Whether something is to be signed; reads only, for an idle node must not wear its card out.

    Our end while the partner is active is that of an earlier link.
    """
    if not partners.is_linked(row.town):
        return False
    is_linked_again = row.ended_ms is not None and partners.is_active(row.town)
    return is_linked_again or _is_agreed_unsigned(row) or _is_due(town, row)


def _care_for(town: Any, row: Agreement) -> None:
    if row.ended_ms is not None and partners.is_active(row.town):
        number = max(town.clock.now_ms(), row.number + 1)
        agreements.save(row.town, ended_ms=None, number=number)
    elif _is_agreed_unsigned(row):
        _sign_yes(town, row)
    ours.publish(town, row.town)


def _is_agreed_unsigned(row: Agreement) -> bool:
    """Whether they agreed to our text and wrote the same: then our yes is in our text."""
    if row.ours is None or row.theirs is None or row.accepted != wire.digest(row.ours):
        return False
    is_signed = row.accepts == wire.digest(row.theirs)
    return not is_signed and says_the_same(*(wire.read_text(x)[0] for x in (row.ours, row.theirs)))


def _sign_yes(town: Any, row: Agreement) -> None:
    number = max(town.clock.now_ms(), row.number + 1)
    agreements.save(row.town, accepts=wire.digest(row.theirs), number=number)
    force.settle(town.id, row.town)


def _is_due(town: Any, row: Agreement) -> bool:
    """Whether our register is to be said again: never yet, to a newer key, or near its end."""
    if not row.number:
        return False
    card = towns.find(row.town)
    held = records.find(town.id, wire.register_key(town.id, row.town))
    if held is None or (card is not None and card.hpke and card.hpke != row.sealed_to):
        return card is not None and bool(card.hpke)
    return bool(held.expires < town.clock.now_ms() // 1_000 + RENEW_S)
