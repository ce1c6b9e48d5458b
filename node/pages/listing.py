"""One listing: what it is, where it comes from, whether its signature holds, how to ask for it."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from federation.errors import ProtocolError
from federation.record import parse, verify
from node.domain.errors import NotFound
from node.domain.words import N_
from node.engagements import keeping
from node.members import accounts
from node.pages import askform, formats, gone, quartiers, ticketing
from node.pages.cards import distance_here, line, remote, state
from node.pages.here import Shown, member, names, now_ms, shown, town
from node.pages.language import _
from node.pages.security import require_member
from node.partners import pairing
from node.store import audit
from node.store.catalogue import blobs, codes, listings
from node.store.network import partners, towns
from node.store.sets import keysets, records

blueprint = Blueprint("listing", __name__)


@blueprint.get("/a/<code>")
def show(code: str) -> Any:
    """Show a listing; one that was withdrawn or has expired says so, with status 410."""
    listing = find(code)
    if listing.row.scope:  # for residents of its town and of partner towns
        require_member()
    if listing.row.code != code:
        return redirect(url_for(".show", code=listing.row.code), 301)
    if listing.row.state not in listings.LIVE_STATES or listing.row.expires * 1_000 <= now_ms():
        return gone.page(listing)
    refused = askform.refusal(listing)
    may_ask = refused is None and member() is not None
    return render_template(
        "listing/show.html",
        section="listings",
        listing=listing,
        line=line(listing),
        in_line=askform.in_line(listing),
        photos=_photos(listing),
        remote=None if listing.is_local else remote(listing),
        distance=distance_here(listing.row.lat_e6, listing.row.lon_e6),
        origin=None if listing.is_local else _origin(listing),
        lives=quartiers.of_listing(listing),
        may_moderate=accounts.may(member(), "moderator"),
        may_name=_may_name(listing),
        own=_own(listing) if askform.is_mine(listing) else None,
        is_named=_is_named(listing),
        state=state(listing),
        through="" if listing.practice.engaging else _association(listing.origin),
        refused=_(refused.message, **refused.params) if refused else "",
        ask=askform.draw(listing, askform.first_values(), {}) if may_ask else None,
        tickets=ticketing.of_listing(listing, member()),
    )


@blueprint.get("/a")
def by_code() -> Any:
    """Lead from a code typed in a field to its page."""
    return redirect(url_for(".show", code=codes.tidy(request.args.get("code", "")) or "-"))


def find(code: str) -> Shown:
    """Return the listing a code (as typed), or the key of one of ours in hex, names.

    Raises NotFound.
    """
    row = listings.by_code(codes.tidy(code)) or _by_key(code)
    listing = shown(row) if row is not None else None
    if listing is not None and row.hidden and not _may_see_hidden(listing):
        listing = None
    if listing is None:
        raise NotFound("no_listing", N_("There is no listing with this code here."))
    return listing


def _may_see_hidden(listing: Shown) -> bool:
    """Return whether what the desk has hidden is shown to who asks: its keeper, a moderator."""
    return askform.is_mine(listing) or accounts.may(member(), "moderator")


def _by_key(text: str) -> listings.Listing | None:
    """Return our listing of a register: how other towns link to it, whatever code they use."""
    try:
        return listings.find(town().id, bytes.fromhex(text))
    except ValueError:
        return None


def _association(origin: bytes) -> str:
    """Return who keeps the node of a town and how to reach them, where nobody can be asked here."""
    card = towns.find(origin)
    return ", ".join(filter(None, (card.manager, card.contact))) if card is not None else ""


def _may_name(listing: Shown) -> bool:
    """Return whether who asks may say who keeps a listing: who keeps it, and the desk."""
    is_kept = listing.is_local and listing.practice.engaging is not None
    return is_kept and member() is not None and keeping.may_name(listing.key, member().id)


def _is_named(listing: Shown) -> bool:
    """Return whether who asks was named to keep a listing of somebody else."""
    is_here = listing.is_local and member() is not None and not askform.is_mine(listing)
    return is_here and keeping.is_keeper(listing.key, member().id)


def _own(listing: Shown) -> dict[str, Any]:
    """Return what its keeper reads beside a listing: how many requests are open."""
    rows = town().engagements.open_for_listing(listing.origin, listing.key)
    return {"open": len(rows), "is_paused": listing.row.state == "paused"}


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
    return "verified" if partner is not None and partner.status in partners.LINKED else "unmet"


def _origin(listing: Shown) -> dict[str, Any]:
    row = records.by_id(listing.row.record)
    partner = partners.find(listing.origin)
    compared_ms = _compared_ms(listing.origin)
    carrier = names()[row.carrier] if row and row.carrier else ""
    return {
        "town": listing.town,
        "home": town().config.name,
        "copied": formats.moment(row.received_ms) if row else "",
        "signature": signature_of(listing),
        "words": pairing.words(town().id, listing.origin),
        "checked_by": _("the desk of %(town)s", town=town().config.name) if compared_ms else "",
        "checked_on": formats.day(formats.as_moment(compared_ms).date()) if compared_ms else "",
        "href": f"{partner.url}/a/{listing.key.hex()}" if partner and partner.url else "",
        "report_href": "",
        "carrier": carrier if carrier != listing.town else "",
    }


def _compared_ms(origin: bytes) -> int:
    """Return when our desk compared the words with a town, 0 if it did not."""
    told = audit.latest(20, subject=origin.hex())
    return next((each.at_ms for each in told if each.action == "partner.confirm"), 0)


def _photos(listing: Shown) -> list[dict[str, Any]]:
    """Return the photos that are here; others are still on their way."""
    found = []
    for each in listing.body.photos:
        held = blobs.find(each.hash)
        if held is not None and held.status in ("local", "remote"):
            src = url_for("photos.show", name=f"{each.hash.hex()}.webp")
            small = url_for("photos.show", name=f"{each.hash.hex()}-320.webp")
            size = {"width": each.width, "height": each.height}
            found.append({"src": src, "small": small, "alt": each.alt, **size})
    return found
