"""The pages only lending has: the loan slip for both sides, and who comes today, for keepers."""

import json
from typing import Any

from flask import Blueprint, render_template, url_for

from node.domain.capacity import day_of
from node.domain.errors import NotFound
from node.domain.words import N_
from node.pages.here import names, now_ms, shown, town
from node.pages.security import require_member
from node.practices.lending.today import STATES, Visit, visits
from node.store.catalogue import listings
from node.store.people import members
from node.store.promises import engagements
from node.store.promises.engagements import Engagement

blueprint = Blueprint("lending", __name__)

PRACTICE = "lending"


@blueprint.get("/objets/aujourdhui")
def today() -> str:
    """Show who comes today to fetch or bring back what this member keeps; the desk sees all."""
    person = require_member()
    day = day_of(now_ms(), town().config.timezone)
    expected = [_line(each) for each in visits(_kept_by(person.id), day)]
    return render_template("lending/today.html", section="requests", day=day, expected=expected)


def _kept_by(member_id: int) -> list[Engagement]:
    """Return what is promised or out of the things a member keeps."""
    promised = engagements.in_states(PRACTICE, town().id, STATES)
    theirs = ("keeper", "staff")
    return [row for row in promised if set(town().engagements.roles(row, member_id)) & set(theirs)]


def _line(visit: Visit) -> dict[str, Any]:
    row = visit.row
    listing = listings.find(row.listing_origin, row.listing_key)
    held = shown(listing) if listing is not None and listing.body else None
    return {
        "visit": visit,
        "href": url_for("requests.show", which=row.id.hex()),
        "number": row.id.hex()[:8],
        "title": listing.title if listing is not None else "",
        "body": held.body if held else None,
        "who": json.loads(row.names or "{}").get("asker", ""),
        "town": names()[row.asker_town] if row.asker_town != town().id else "",
        "units": visit.terms.get("units", 1),
    }


@blueprint.get("/demandes/<which>/bon")
def slip(which: str) -> str:
    """Show the slip of a loan that was accepted, to either side of it."""
    row = _accepted(which, require_member().id)
    listing = listings.find(row.listing_origin, row.listing_key)
    held = shown(listing) if listing is not None and listing.body else None
    return render_template(
        "lending/slip.html",
        section="requests",
        row=row,
        listing=held,
        title=listing.title if held else "",
        town=names()[row.home],
        is_gift=row.lifecycle == "gift",
        terms=json.loads(row.terms),
        parts=held.body.parts if held else (),
        lender=_lender(row) or names()[row.home],
        borrower=json.loads(row.names).get("asker", ""),
    )


def _accepted(which: str, member_id: int) -> Engagement:
    """Return the loan this member has a part in; raises NotFound."""
    here = town().engagements
    try:
        row = here.find(bytes.fromhex(which))
    except ValueError:
        row = None
    is_theirs = row is not None and bool(here.roles(row, member_id))
    if row is None or not is_theirs or row.practice != PRACTICE:
        raise NotFound("unknown_engagement", N_("That request is not known here."))
    if not here.state(row).takes:
        raise NotFound("no_slip", N_("There is a slip only while a request is accepted."))
    return row


def _lender(row: Engagement) -> str:
    """The name of the lender, known at home only."""
    keeper = members.find(row.keeper) if row.keeper is not None else None
    return keeper.name if keeper else ""
