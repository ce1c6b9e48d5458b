"""The tickets as pages draw them, on a listing, on a request, on the desk's list; what is late."""

from typing import Any

from flask import url_for

from node.domain.words import N_
from node.engagements import absence
from node.engagements.closures import of_now
from node.engagements.tickets import may_close
from node.pages import formats
from node.pages.here import Shown, now_ms, shown, town
from node.pages.language import _
from node.store.catalogue import listings
from node.store.promises import tickets

WHATS = {
    "hint": N_("Something to know"),
    "repair": N_("Being repaired: nothing is promised meanwhile"),
    "maintenance": N_("Being looked after: nothing is promised meanwhile"),
}
REPORTED = N_("Somebody who had it says that something is broken. Whoever keeps it was told.")


def of_listing(listing: Shown, person: Any) -> dict[str, Any]:
    """What listing/tickets.html draws: the open tickets this person may read, and their links."""
    if not listing.is_local:
        return {"lines": [], "href": ""}
    number = person.id if person is not None else None
    lines = [_drawn(each) for each in town().engagements.tickets.of_listing(listing.row, number)]
    is_keeper = number is not None and may_close(listing.key, number)
    return {
        "lines": lines,
        "href": url_for("tickets.of_listing", code=listing.code) if is_keeper else "",
    }


def part(row: Any, person: Any) -> dict[str, Any]:
    """What requests/tickets.html draws: what touches this request, and where to say more.

    `late_since` is the day on which what was promised here should have come back.
    """
    engagements = town().engagements
    held = engagements.tickets.of_row(row)
    is_asker = row.asker == person.id
    sees_all = row.home == town().id and may_close(row.listing_key, person.id) and not is_asker
    href = ""
    if is_asker and engagements.tickets.may_report(row):
        href = url_for("tickets.of_request", which=row.id.hex())
    elif sees_all and not row.final:
        listing = listings.find(row.listing_origin, row.listing_key)
        href = url_for("tickets.of_listing", code=listing.code) if listing else ""
    due_ms = absence.due_ms(engagements.ground, row)
    return {
        "late_since": formats.day(formats.as_moment(due_ms - 1).date()) if due_ms else "",
        "tickets": {
            "lines": [_drawn(each, is_hidden=each.by == "asker" and not sees_all) for each in held],
            "href": href,
        },
    }


def of_town() -> list[dict[str, Any]]:
    """What the desk's list draws: every open ticket of the town with its listing."""
    found = []
    for each in tickets.all_open():
        if each.until_ms is not None and each.until_ms <= now_ms():
            continue
        row = listings.find(town().id, each.listing_key)
        held = shown(row) if row is not None else None
        title = row.title if row is not None and row.title else _("A listing that is gone")
        href = url_for("tickets.of_listing", code=held.code) if held is not None else ""
        found.append({**_drawn(each), "title": title, "href": href})
    return found


def here(listing: Shown) -> list[dict[str, Any]]:
    """What the page of a listing's tickets draws, for who may close them."""
    return [_drawn(each) for each in of_now(town().engagements.ground, listing.key)]


def _drawn(ticket: Any, is_hidden: bool = False) -> dict[str, Any]:
    """One ticket in words; of a borrower's report others read only that there is one."""
    return {
        "id": ticket.id,
        "what": _(WHATS[ticket.what]),
        "is_closing": ticket.what in tickets.CLOSING,
        "text": _(REPORTED) if is_hidden else ticket.text,
        "by_borrower": ticket.by == "asker",
        "since": formats.moment(ticket.from_ms),
        "until": formats.moment(ticket.until_ms) if ticket.until_ms else "",
    }
