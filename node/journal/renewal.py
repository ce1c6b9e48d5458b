"""The renewal: what is still true is signed again before its record ends, a record living 400 days.

A listing that is live must not vanish because nobody touched it for a year. Registers between two
towns are the engagements' affair; an acknowledgement is about something that ends by itself.
"""

import logging

from federation.record import SCOPE_SEALED, Record, parse
from node.domain.errors import Conflict
from node.journal import again, profile, restoring, signing
from node.journal.journal import Journal
from node.store.catalogue import listings
from node.store.database import write_tx
from node.store.sets import records
from node.store.sets.records import RecordRow

log = logging.getLogger(__name__)

RENEW_DAYS = 90
A_RUN = 500  # records of one run: the rest follows tomorrow
DAY_S = 86_400


def renew(journal: Journal) -> int:
    """Sign again our live public records that end within RENEW_DAYS; return how many.

    Content and key stay; a listing keeps the day it was first published. Nothing is signed in
    restore mode.
    """
    if restoring.is_restoring():
        return 0
    now_ms = journal.clock.now_ms()
    ending = records.expiring(journal.town, now_ms // 1000 + RENEW_DAYS * DAY_S)
    wanted = [each for each in ending if is_wanted(journal, each, now_ms)][:A_RUN]
    count = 0
    for each in wanted:
        try:
            count += _renewed(journal, each)
        except Conflict as error:  # the clock or the keys: tomorrow
            log.warning("our records are not renewed: %s", error.code)
            break
    return count


def is_wanted(journal: Journal, row: RecordRow, now_ms: int) -> bool:
    """Return whether a record of ours is still true."""
    if row.scope == SCOPE_SEALED:
        return False
    if row.kind == profile.KIND:
        return True
    listing = listings.find(journal.town, row.key)
    if row.kind not in journal.registry.by_kind or listing is None:
        return False
    is_over = listing.ends_ms is not None and listing.ends_ms <= now_ms
    return listing.state in listings.LIVE_STATES and not is_over


def _renewed(journal: Journal, row: RecordRow) -> bool:
    with write_tx():
        held = records.find(journal.town, row.key)
        if held is None or held.id != row.id:
            return False
        again.sign_again(journal, [longer(parse(held.raw), journal.clock.now_ms())])
    return True


def longer(record: Record, now_ms: int) -> Record:
    """Return what a register says with a whole life before it."""
    return record._replace(expires=max(record.expires, now_ms // 1000 + signing.LIVE_DAYS * DAY_S))
