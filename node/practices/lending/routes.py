"""The one page only lending has: the loan slip, printed for the lender and the borrower."""

import json

from flask import Blueprint, render_template

from node.domain.errors import NotFound
from node.domain.words import N_
from node.pages.here import names, shown, town
from node.pages.security import require_member
from node.store.catalogue import listings
from node.store.people import members
from node.store.promises.engagements import Engagement

blueprint = Blueprint("lending", __name__)

PRACTICE = "lending"


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
    engagements = town().engagements
    try:
        row = engagements.find(bytes.fromhex(which))
    except ValueError:
        row = None
    is_theirs = row is not None and bool(engagements.roles(row, member_id))
    if row is None or not is_theirs or row.practice != PRACTICE:
        raise NotFound("unknown_engagement", N_("That request is not known here."))
    if not engagements.state(row).takes:
        raise NotFound("no_slip", N_("There is a slip only while a request is accepted."))
    return row


def _lender(row: Engagement) -> str:
    """The name of the lender, known at home only."""
    keeper = members.find(row.keeper) if row.keeper is not None else None
    return keeper.name if keeper else ""
