"""The tickets: something of ours is broken or looked after; who is warned, and when it is closed.

A `hint` only warns. While a `repair` or a `maintenance` lasts nothing new is promised; what was
promised stands, and whoever holds it is told. When it is closed, whoever waits in line is next.
Only what a keeper or the desk wrote is shown to others; a borrower's words go to the keepers.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass

from node.domain.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound, Problem
from node.domain.lifecycle import DAY_MS
from node.domain.schema import tidy
from node.domain.words import N_
from node.engagements import closures, contacts, keeping, line, telling
from node.engagements.ground import Ground
from node.engagements.sayings import say
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.people import members
from node.store.promises import engagements as rows
from node.store.promises import tickets
from node.store.promises.engagements import Engagement
from node.store.promises.tickets import CLOSING, HINT, WHATS, Ticket

TEXT_MAX = 300
OPEN_MAX = 20  # tickets of one listing
LONGEST_DAYS = 400
BORROWER, KEEPER, STAFF = "asker", "keeper", "desk"


@dataclass(frozen=True)
class Report:
    """What somebody says is wrong; instants are UTC ms, `until_ms` None until it is closed."""

    what: str
    text: str
    from_ms: int | None = None
    until_ms: int | None = None


class Tickets:
    """The tickets on the listings of a town; its database must be current."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def open_(self, listing: Listing, report: Report, member_id: int) -> Ticket:
        """Open a ticket as a keeper or the desk, and warn whoever holds something meanwhile.

        Raises Invalid, NotAllowed, NotFound, Conflict (too many are open).
        """
        with write_tx():
            return _open(self.ground, listing, report, _by(listing.key, member_id), member_id)

    def report(self, row: Engagement, report: Report, member_id: int) -> Ticket:
        """Say in a request of this town that something is broken: who has it, or who keeps it.

        Of a borrower it is a hint, whatever they ticked: the keepers read it and decide.
        Raises as `open_`.
        """
        with write_tx():
            listing = listings.find(row.listing_origin, row.listing_key)
            if listing is None or row.home != self.ground.town:
                raise NotFound("no_listing", N_("There is no listing with this code here."))
            if row.asker != member_id or row.asker_town != self.ground.town:
                by = _by(listing.key, member_id)
            elif self.may_report(row):
                by, report = BORROWER, Report(HINT, report.text)
            else:
                raise NotAllowed("not_yours", N_("This request is somebody else's."))
            return _open(self.ground, listing, report, by, member_id, row)

    def may_report(self, row: Engagement) -> bool:
        """Return whether the asker of this town may say that what they were promised is broken."""
        is_here = self.ground.is_here(row) and self.ground.decides(row)
        return is_here and contacts.is_open(self.ground, row)

    def close(self, ticket: int, member_id: int) -> bool:
        """Close a ticket as a keeper or the desk, and pass on to whoever waits in line.

        Returns whether it was open. Raises NotFound, NotAllowed.
        """
        with write_tx():
            held = tickets.find(ticket)
            if held is None:
                raise NotFound("no_ticket", N_("There is no such note."))
            _by(held.listing_key, member_id)
            is_done = tickets.close(ticket, member_id, self.ground.now_ms())
            listing = listings.find(self.ground.town, held.listing_key)
            if is_done and held.what in CLOSING and listing is not None:
                line.pass_on(self.ground, listing)
            return is_done

    def of_listing(self, listing: Listing, member_id: int | None) -> list[Ticket]:
        """Return what a member may read of a listing's tickets; borrowers' words go to keepers."""
        if listing.origin != self.ground.town:
            return []
        sees_all = member_id is not None and may_close(listing.key, member_id)
        held = closures.of_now(self.ground, listing.key)
        return [each for each in held if sees_all or each.by != BORROWER]

    def of_row(self, row: Engagement) -> list[Ticket]:
        """Return the tickets that touch what an engagement of ours is about, while it is open."""
        return closures.of_engagement(self.ground, row)


def may_close(listing_key: bytes, member_id: int) -> bool:
    """Return whether a member decides on a listing's tickets: who keeps it, and the desk."""
    return keeping.is_keeper(listing_key, member_id) or keeping.is_desk(members.find(member_id))


def _open(
    ground: Ground,
    listing: Listing,
    report: Report,
    by: str,
    member_id: int,
    row: Engagement | None = None,
) -> Ticket:
    said, now_ms = _checked(report, ground.now_ms()), ground.now_ms()
    if len(closures.of_now(ground, listing.key)) >= OPEN_MAX:
        raise Conflict("too_many", N_("Many notes are open here. Please close some first."))
    ticket = tickets.open_(
        listing.key,
        what=said.what,
        text=said.text,
        from_ms=said.from_ms,
        until_ms=said.until_ms,
        by=by,
        opened_by=member_id,
        opened_ms=now_ms,
        engagement=row.id if row is not None else None,
    )
    if by == BORROWER and row is not None:
        telling.warn(ground, row, "keeper")
    for each in rows.open_of_listing(listing.origin, listing.key):
        if each.id != ticket.engagement and closures.touches(ground, each, ticket):
            _warn(ground, each, ticket, member_id)
    return ticket


def _warn(ground: Ground, row: Engagement, ticket: Ticket, member_id: int) -> None:
    """Tell whoever waits for the thing; to another town it goes as the keeper's message."""
    telling.warn(ground, row, "asker")
    if not ground.is_here(row) and ticket.by != BORROWER:
        about = hashlib.sha256(b"lavoir-ticket" + row.id + str(ticket.id).encode()).digest()[:8]
        with suppress(DomainError):  # a talk that is full: the keeper's page still says it
            say(ground, row, "keeper", ticket.text, about, member_id)


def _checked(report: Report, now_ms: int) -> Report:
    """Return a report as it is kept; raises Invalid."""
    text, problems = tidy(report.text), []
    from_ms = now_ms if report.from_ms is None else max(report.from_ms, now_ms - DAY_MS)
    if report.what not in WHATS:
        problems.append(
            Problem("what", "unknown_choice", N_("Please choose one of the answers offered."))
        )
    if not text:
        problems.append(Problem("broken", "missing", N_("Please say what is wrong.")))
    elif len(text) > TEXT_MAX:
        params: dict[str, object] = {"max": TEXT_MAX}
        problems.append(
            Problem("broken", "too_long", N_("At most %(max)d characters, please."), params)
        )
    if (
        report.until_ms is not None
        and not from_ms < report.until_ms <= now_ms + LONGEST_DAYS * DAY_MS
    ):
        problems.append(
            Problem("until", "bad_span", N_("The end lies after the beginning, and within a year."))
        )
    if problems:
        raise Invalid(problems)
    return Report(report.what, text, from_ms, report.until_ms)


def _by(listing_key: bytes, member_id: int) -> str:
    if keeping.is_keeper(listing_key, member_id):
        return KEEPER
    if keeping.is_desk(members.find(member_id)):
        return STAFF
    raise NotAllowed("not_yours", N_("Only who keeps it, or the desk, can do this."))
