"""One listing: what it is, where it comes from, whether its signature holds, how to ask for it."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from federation.errors import ProtocolError
from federation.record import parse, verify
from node.domain.errors import NotFound
from node.domain.words import N_
from node.pages import formats
from node.pages.cards import distance_here, photo, remote
from node.pages.here import Shown, member, names, shown, town
from node.partners import pairing
from node.store.catalogue import blobs, codes, holdings, listings
from node.store.network import partners
from node.store.sets import keysets, records

blueprint = Blueprint("listing", __name__)


@blueprint.get("/a/<code>")
def show(code: str) -> Any:
    """Show a listing; one that was withdrawn or has expired says so, with status 410."""
    listing = find(code)
    if listing.row.code != code:
        return redirect(url_for(".show", code=listing.row.code), 301)
    if listing.row.state not in listings.LIVE_STATES:
        return render_template("listing/gone.html", section="listings", listing=listing), 410
    return render_template(
        "listing/show.html",
        section="listings",
        listing=listing,
        photos=_photos(listing),
        remote=None if listing.is_local else remote(listing),
        distance=distance_here(listing.row.lat_e6, listing.row.lon_e6),
        origin=None if listing.is_local else _origin(listing),
        is_mine=is_mine(listing),
        can_ask=can_ask(listing),
    )


def find(code: str) -> Shown:
    """Return the listing a code (as typed) names; raises NotFound."""
    row = listings.by_code(codes.tidy(code))
    listing = shown(row) if row is not None and not row.hidden else None
    if listing is None:
        raise NotFound("no_listing", N_("There is no listing with this code here."))
    return listing


def is_mine(listing: Shown) -> bool:
    """Return whether the person signed in stands behind this listing."""
    if not listing.is_local or member() is None:
        return False
    held = holdings.find(listing.key)
    return bool(held is not None and held.member == member().id)


def can_ask(listing: Shown) -> bool:
    """Return whether a resident may ask for it here: the practice, the town and its words allow."""
    if listing.practice.engaging is None or listing.row.state != "published":
        return False
    if listing.is_local:
        return True
    partner = partners.find(listing.origin)
    return bool(partner and partner.status == "active" and listing.row.who == "partners")


def signature_of(listing: Shown) -> str:
    """Return "verified", "unmet" (words not compared) or "false", checked now on the held bytes."""
    row = records.by_id(listing.row.record)
    try:
        record = parse(row.raw) if row else None
    except ProtocolError:
        return "false"
    if record is None:
        return "false"
    signed = {each.number: each.signing for each in keysets.of_town(record.origin)}
    public = signed.get(record.keyset)
    if public is None or not verify(record, public):
        return "false"
    partner = partners.find(record.origin)
    return "verified" if partner is not None and partner.status == "active" else "unmet"


def _origin(listing: Shown) -> dict[str, Any]:
    row = records.by_id(listing.row.record)
    partner = partners.find(listing.origin)
    return {
        "town": listing.town,
        "home": town().config.name,
        "copied": formats.moment(row.received_ms) if row else "",
        "signature": signature_of(listing),
        "words": pairing.words(town().id, listing.origin),
        "checked_by": "",
        "checked_on": "",
        "href": f"{partner.url}/a/{listing.row.code}" if partner and partner.url else "",
        "report_href": "",
        "carrier": names()[row.carrier] if row and row.carrier else "",
    }


def _photos(listing: Shown) -> list[dict[str, Any]]:
    found = []
    for each in listing.body.photos:
        held = blobs.find(each.hash)
        here = held is not None and held.status in ("local", "remote")
        small = photo(each.hash, each.alt) if here else None
        src = url_for("photos.show", name=f"{each.hash.hex()}.webp") if here else ""
        found.append({"src": src, "small": small, "alt": each.alt, "photo": each})
    return found


@blueprint.get("/a")
def by_code() -> Any:
    """Lead from a code typed in a field to its page."""
    return redirect(url_for(".show", code=codes.tidy(request.args.get("code", "")) or "-"))
