"""The measures of moderators: hide, show again, withdraw, warn, suspend, reject; each is told.

Nobody moderates what they published themself. Every measure but showing again gives a reason, in
the moderator's words, to whoever reported and whoever is concerned; the audit names both.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from federation import codec
from federation.errors import ProtocolError
from node.domain.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, Problem
from node.domain.schema import plain, replace, tidy
from node.domain.words import N_
from node.erasure import erase
from node.members import accounts, reporting, told
from node.partners import reports as between
from node.store import audit
from node.store.catalogue import codes, holdings, listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.people import reports
from node.store.people.members import Member
from node.store.promises.engagements import Engagement

log = logging.getLogger(__name__)

BY_DESK = "desk"  # why a listing is hidden; also reporting.BY_REPORTS
SUSPENDED, SUSPENDED_PAUSED = "suspended", "suspended-paused"
REASON_MAX = 500


@dataclass(frozen=True)
class Case:
    """A listing as a moderator decides on it: its row, its code, the member behind it."""

    row: Listing
    code: str
    publisher: int | None
    is_local: bool

    @property
    def register(self) -> tuple[bytes, bytes]:
        """Return the (origin, key) it lives in."""
        return bytes(self.row.origin), bytes(self.row.key)


def case_of(town: Any, code: str) -> Case:
    """Return the case of a listing's code; raises NotFound where there is none any more."""
    register = codes.register(code)
    row = listings.find(*register) if register else None
    if row is None or row.state not in listings.LIVE_STATES:
        raise NotFound("no_listing", N_("There is no listing with this code here."))
    publisher = reporting.publisher(row, town.id)
    return Case(row, codes.of(*register), publisher, row.origin == town.id)


def take(town: Any, case: Case, measure: str, words: str, by: Member) -> None:
    """Take one of MEASURES, whole or not at all.

    Raises Invalid(measure, reason), NotAllowed, Conflict, NotFound.
    """
    act, said = MEASURES.get(measure), tidy(words)
    if act is None:
        message = N_("Please choose one of the answers offered.")
        raise Invalid([Problem("measure", "unknown_choice", message)])
    if not said and measure != "show":
        raise Invalid([Problem("reason", "required", N_("Please say why: they will read it."))])
    if len(said) > REASON_MAX:
        message = N_("At most %(max)d characters, please.")
        raise Invalid([Problem("reason", "too_long", message, {"max": REASON_MAX})])
    if case.publisher is not None and case.publisher == by.id:
        raise NotAllowed("own_listing", N_("This is your own listing."))
    with write_tx():
        act(town, case, said, by)


# ── on the listing ───────────────────────────────────────────────────────────────────────────────


def _hide(town: Any, case: Case, words: str, by: Member) -> None:
    if case.row.hidden not in ("", reporting.BY_REPORTS):
        raise Conflict("hidden", N_("It is hidden already."))
    listings.hide(*case.register, BY_DESK)
    _tell(town, case, "hidden", words)
    _answer(town, case, "acted", "report_hidden", words)
    _note(town, "hide", case, words, by)


def _show(town: Any, case: Case, words: str, by: Member) -> None:
    if case.row.hidden not in (BY_DESK, reporting.BY_REPORTS):
        raise Conflict("not_hidden", N_("It is not hidden, or not by a moderator."))
    listings.hide(*case.register, "")
    _tell(town, case, "shown", words)
    _answer(town, case, "rejected", "report_rejected", words)
    _note(town, "show", case, words, by)


def _withdraw(town: Any, case: Case, words: str, by: Member) -> None:
    if not case.is_local:
        raise NotAllowed(
            "not_ours", N_("Only its own town can withdraw it. Here it can be hidden.")
        )
    _tell(town, case, "withdrawn", words)
    _answer(town, case, "acted", "report_withdrawn", words)
    _note(town, "withdraw", case, words, by)
    erase(town, case.register[1])


# ── on who published it ──────────────────────────────────────────────────────────────────────────


def _warn(town: Any, case: Case, words: str, by: Member) -> None:
    _published(case)
    _tell(town, case, "warned", words)
    _answer(town, case, "acted", "report_warned", words)
    _note(town, "warn", case, words, by)


def _suspend(town: Any, case: Case, words: str, by: Member) -> None:
    member = _published(case)
    _answer(town, case, "acted", "report_suspended", words)
    suspend(town, member, words, by)


def _reject(town: Any, case: Case, words: str, by: Member) -> None:
    if case.row.hidden == reporting.BY_REPORTS:
        listings.hide(*case.register, "")
        _tell(town, case, "shown", words)
    _answer(town, case, "rejected", "report_rejected", words)
    if not case.is_local:
        between.take_back(town, *case.register)
    _note(town, "reject", case, words, by)


MEASURES: dict[str, Callable[[Any, Case, str, Member], None]] = {
    "hide": _hide,
    "show": _show,
    "withdraw": _withdraw,
    "warn": _warn,
    "suspend": _suspend,
    "reject": _reject,
}


def suspend(town: Any, member: int, words: str, by: Member) -> list[Engagement]:
    """Shut a member out at once: their listings hidden and paused, what they only asked over.

    Returns the open promises: they stay, and the desk looks after them. Raises Conflict
    ("last_admin", "yourself"), NotAllowed, NotFound.
    """
    with write_tx():
        accounts.suspend(member, by=by.id, now_ms=town.clock.now_ms())
        for row in _listings_of(town, member):
            if not row.hidden:
                code = SUSPENDED if row.state == "published" else SUSPENDED_PAUSED
                listings.hide(row.origin, row.key, code)
            if row.state == "published":
                _restate(town, row, "paused")
        promised: list[Engagement] = town.engagements.suspend(member)
        told.tell(member, "suspended", words, now_ms=town.clock.now_ms())
        return promised


def restore(town: Any, member: int, by: Member) -> None:
    """Let a suspended member in again, with the listings that were hidden for it."""
    with write_tx():
        if accounts.find(member).status != "suspended":
            return
        accounts.restore(member, by=by.id, now_ms=town.clock.now_ms())
        for row in _listings_of(town, member):
            if row.hidden in (SUSPENDED, SUSPENDED_PAUSED):
                listings.hide(row.origin, row.key, "")
            if row.hidden == SUSPENDED:
                _restate(town, row, "published")
        told.tell(member, "restored", now_ms=town.clock.now_ms())


def _listings_of(town: Any, member: int) -> list[Listing]:
    rows = (listings.find(town.id, key) for key in holdings.of_member(member))
    return [row for row in rows if row is not None and row.state in listings.LIVE_STATES]


def _restate(town: Any, row: Listing, state: str) -> None:
    """Say in the other towns too that a listing is paused, or offered again; it can fail."""
    practice = town.registry.by_name.get(row.practice)
    if practice is None:
        return
    try:
        with write_tx():
            body = practice.schema.read(codec.loads(row.body))
            town.journal.publish(practice.kind, plain(replace(body, state=state)), key=row.key)
    except (DomainError, ProtocolError) as error:  # a wrong clock, restore mode: hidden it is
        log.warning("listing %s could not be made %s: %s", row.code, state, error.code)


# ── told ─────────────────────────────────────────────────────────────────────────────────────────


def _published(case: Case) -> int:
    if case.publisher is None:
        raise NotAllowed("nobody", N_("No member here stands behind this listing."))
    return case.publisher


def _tell(town: Any, case: Case, kind: str, words: str) -> None:
    if case.publisher is not None:
        now_ms = town.clock.now_ms()
        told.tell(case.publisher, kind, words, now_ms=now_ms, register=case.register)


def _answer(town: Any, case: Case, state: str, kind: str, words: str) -> None:
    """Answer every open report: members here, and the desks of the towns that passed one on."""
    now_ms = town.clock.now_ms()
    for each in reports.decide(*case.register, state, words, now_ms):
        if each.member is not None:
            told.tell(each.member, kind, words, now_ms=now_ms, register=case.register)
        if each.town is not None:
            between.answer(town, bytes(each.town), case.register[1], state, words)


def _note(town: Any, measure: str, case: Case, words: str, by: Member) -> None:
    """Write down who did it, and who is concerned: a member of ours, or the other town."""
    whose = f"member/{case.publisher}" if case.publisher is not None else ""
    audit.note(
        f"moderation.{measure}", at_ms=town.clock.now_ms(), actor=by.name, member=by.id,
        subject=whose if case.is_local else bytes(case.row.origin).hex(),
        detail=f"{case.code}: {words}" if words else case.code,
    )  # fmt: skip
