"""Reports between towns: what residents here report of a partner's listing, and its desk's answer.

Sealed, without anybody's name. A partner may say little and often the same: what it reports again
after an answer waits until the listing changes, and only so much of it waits at a time.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from federation.errors import ProtocolError, RemoteProtocolError
from federation.record import Record, parse
from node.domain.errors import Conflict
from node.domain.schema import tidy
from node.partners.report_form import (
    KIND,
    TEXT_MAX,
    WORDS_MAX,
    Answer,
    Said,
    answer_inner,
    answer_key,
    read,
    report_key,
    said_inner,
)
from node.store import marks
from node.store.catalogue import listings
from node.store.network import partners
from node.store.people import reports
from node.store.sets import records

log = logging.getLogger(__name__)

OPEN_MAX = 100  # listings a partner may have reported here that still wait
TOLD_EACH = 3  # after so many reporters of one listing, only each doubling is told
OTHER = "other"
REASONS = ("wrong", "advert", "danger", "hurtful", "private", OTHER)  # those known to this version
Tell = Callable[..., None]


def listen(journal: Any, tell: Tell) -> None:
    """Let the journal bring what partners report and answer; `tell` says a word to a member."""

    def arrived(record: Record, message: dict[int, Any] | None) -> None:
        hear(journal, record, message, tell)

    journal.on(KIND, arrived)


# ── ours ─────────────────────────────────────────────────────────────────────────────────────────


def tell(town: Any, home: bytes, key: bytes) -> bool:
    """Tell a partner what is reported here of its listing; return whether something was said.

    What cannot be sealed now is said by `tell_all`.
    """
    said = _said(home, key)
    register = report_key(town.id, home, key)
    if not _is_news(said.count, _before(_held(town, register))) or not _is_active(home):
        return False
    inner = said_inner(register, marks.number(marks.RESTORED_S), said)
    return _publish(town, inner, home, register)


def tell_all(town: Any) -> int:
    """Tell what could not be told when it was reported; return how much that was."""
    waiting = [each for each in reports.waiting(1_000) if each[0] != town.id]
    return sum(tell(town, home, key) for home, key, _, _ in waiting)


def take_back(town: Any, home: bytes, key: bytes) -> None:
    """Say that nothing is reported of a listing any more, where something was."""
    register = report_key(town.id, home, key)
    if _before(_held(town, register)) and _is_active(home):
        empty = Said(key, (), ())
        inner = said_inner(register, marks.number(marks.RESTORED_S), empty)
        _publish(town, inner, home, register)


def answer(town: Any, reporter: bytes, key: bytes, verdict: str, words: str) -> None:
    """Answer a partner that reported a listing of ours."""
    if _is_active(reporter):
        register = answer_key(town.id, reporter, key)
        told = Answer(key, verdict, words[:TEXT_MAX])
        inner = answer_inner(register, marks.number(marks.RESTORED_S), told)
        _publish(town, inner, reporter, register)


def forget(town: Any, partner: bytes) -> None:
    """Delete what was reported between us and a town, and bury our registers that said it.

    Inside the transaction that ends the link. Raises Conflict("clock", "restoring") where there
    is one to bury.
    """
    reports.drop_town(partner)
    for row in list(records.walk(town.id, KIND)):
        record = parse(row.raw)
        if record.to == partner and not record.is_tombstone:
            town.journal.withdraw(record.key)


def _said(home: bytes, key: bytes) -> Said:
    """Return what is open here of a listing: members' words, and how many gave which reason."""
    rows = [each for each in reports.of_listing(home, key, "open") if each.town is None]
    words = [each.text for each in rows if each.text and each.member is not None]
    return Said(
        key, tuple(Counter(each.reason for each in rows).items()), tuple(words[-WORDS_MAX:])
    )


def _is_news(count: int, before: int) -> bool:
    return count > before and (count <= TOLD_EACH or count >= 2 * before)


def _held(town: Any, register: bytes) -> dict[int, Any] | None:
    """Return what our own register says now, None when it is empty or cannot be read back."""
    row = records.find(town.id, register)
    record = parse(row.raw) if row is not None else None
    if record is None or record.is_tombstone:
        return None
    try:
        inner: dict[int, Any] = town.journal.open_sealed(record)
    except ProtocolError:
        return None
    return inner


def _before(held: dict[int, Any] | None) -> int:
    return sum(many for _, many in held.get(7, ())) if held else 0


def _publish(town: Any, inner: dict[int, Any], to: bytes, register: bytes) -> bool:
    try:
        town.journal.publish_sealed(KIND, inner, to=to, key=register)
    except Conflict as conflict:  # no key to seal to yet, a wrong clock, restore mode
        log.info("a report for %s cannot leave yet: %s", to.hex(), conflict.code)
        return False
    return True


def _is_active(town: bytes) -> bool:
    partner = partners.find(town)
    return partner is not None and partner.status == "active"


# ── theirs ───────────────────────────────────────────────────────────────────────────────────────


def hear(journal: Any, record: Record, message: dict[int, Any] | None, tell: Tell) -> None:
    """Keep what a partner reports of a listing of ours, or answers about one of its own.

    Raises RemoteProtocolError (bad_inner, over_quota, unknown_peer).
    """
    if message is None:
        return
    said = read(message, record.origin, journal.town, record.key)
    if not _is_active(record.origin):
        raise RemoteProtocolError("unknown_peer")
    now_ms = journal.clock.now_ms()
    if isinstance(said, Answer):
        _hear_answer(record.origin, said, tell, now_ms)
    else:
        _hear_report(journal.town, record.origin, said, now_ms)


def _hear_report(own: bytes, partner: bytes, said: Said, now_ms: int) -> None:
    who = f"t{partner.hex()}"
    held = reports.find(own, said.listing, who)
    listing = listings.find(own, said.listing)
    if not said.reasons:
        if held is not None and held.state == "open":
            reports.drop(held.id)
        return
    if listing is None or listing.state not in listings.LIVE_STATES:
        return  # gone: our tombstone tells them
    seen = hashlib.sha256(bytes(listing.body or b"")).digest()[:8]
    if held is not None and held.state != "open" and held.seen == seen:
        return  # answered, and nothing changed since
    is_more = held is None or held.state != "open"
    if is_more and reports.count_open(town=partner) >= OPEN_MAX:
        raise RemoteProtocolError("over_quota")
    most = max(said.reasons, key=lambda each: each[1])[0]
    reports.keep(
        own, said.listing, who, town=partner, reason=most if most in REASONS else OTHER,
        text="\n".join(filter(None, map(tidy, said.words))), count=min(said.count, 1_000_000),
        seen=seen, at_ms=now_ms,
    )  # fmt: skip


def _hear_answer(home: bytes, said: Answer, tell: Tell, now_ms: int) -> None:
    """Pass an answer on to who reported; hearing it twice finds nobody waiting any more."""
    words = tidy(said.words)
    for each in reports.decide(home, said.listing, said.verdict, words, now_ms):
        if each.member is not None:
            kind = "report_rejected" if said.verdict == "rejected" else "report_elsewhere"
            tell(each.member, kind, words, now_ms=now_ms, register=(home, said.listing))
