"""The upkeep: what has had its time is put away, once a day."""

from typing import Any

from federation.stamp import as_of_day, stamp_at
from node.journal import checking, renewal
from node.store import audit, notices, rates
from node.store.catalogue import listings
from node.store.erasures import acks, burials
from node.store.network import arrivals, nonces, quarantine, strikes
from node.store.people import desk_words, invitations, login_codes, reports, sessions, tokens
from node.store.promises import tickets
from node.store.sets import checkpoints, record_store

DAY_MS = 86_400_000
TOKENS_KEPT_DAYS = 120  # a phone may send again what it wrote a season ago
NOTICES_KEPT_DAYS = 30
AUDIT_KEPT_DAYS = 400
SHELLS_KEPT_DAYS = 60
TICKETS_KEPT_DAYS = 400
ANSWERS_KEPT_DAYS = 500  # longer than any tombstone
ARRIVALS_KEPT_DAYS = 430  # as long as a record
WORDS_KEPT_DAYS = 400  # reports the desk answered, what it told whom
GAPS_KEPT_DAYS = 8  # a checkpoint older than seven vouches for nothing


def upkeep(town: Any) -> None:
    """Close what expired, drop what no set can hold any more, forget what counts no longer."""
    now_ms = town.clock.now_ms()
    listings.close_expired(now_ms)
    record_store.sweep(as_of_day(now_ms), town.id)
    listings.drop_shells(now_ms - SHELLS_KEPT_DAYS * DAY_MS)
    burials.sweep(now_ms // 1_000)
    acks.sweep(now_ms - ANSWERS_KEPT_DAYS * DAY_MS)
    burials.words_left()  # the job of erasures scrubs the files soon after
    nonces.sweep(now_ms)
    quarantine.sweep(now_ms)
    strikes.sweep(now_ms)
    arrivals.sweep(now_ms - ARRIVALS_KEPT_DAYS * DAY_MS)
    tickets.sweep(now_ms - TICKETS_KEPT_DAYS * DAY_MS)
    login_codes.sweep(now_ms)
    invitations.sweep(now_ms)
    reports.sweep(now_ms - WORDS_KEPT_DAYS * DAY_MS)
    desk_words.sweep(now_ms - WORDS_KEPT_DAYS * DAY_MS)
    sessions.sweep(now_ms)
    tokens.sweep(now_ms - TOKENS_KEPT_DAYS * DAY_MS)
    notices.sweep(now_ms - NOTICES_KEPT_DAYS * DAY_MS)
    audit.sweep(now_ms - AUDIT_KEPT_DAYS * DAY_MS)
    rates.sweep(now_ms)
    checkpoints.sweep(stamp_at(now_ms - GAPS_KEPT_DAYS * DAY_MS))
    checking.audit(town.journal)
    renewal.renew(town.journal)
    town.photos.sweep()
    town.photos.private.sweep(town.engagements.conditions.sweep())
