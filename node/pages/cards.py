"""Listings as cards: rows turned into what the macros draw."""

import logging
from collections.abc import Iterable
from typing import Any

from flask import current_app, g, url_for
from markupsafe import Markup

from federation.errors import ProtocolError
from node.domain.errors import DomainError
from node.pages import formats
from node.pages.here import Shown, now_ms, seen_ms, shown, town
from node.pages.language import _
from node.store.catalogue import blobs
from node.store.catalogue.listings import Listing
from node.store.catalogue.search import distance_m
from node.store.network import towns

log = logging.getLogger(__name__)


def cards(rows: Iterable[Listing]) -> list[dict[str, Any]]:
    """Return the cards of these rows, without those this node cannot show (any more)."""
    return [drawn for drawn in map(_card, map(shown, rows)) if drawn is not None]


def _card(listing: Shown | None) -> dict[str, Any] | None:
    try:
        return card(listing) if listing is not None else None
    except (DomainError, ProtocolError) as error:
        log.warning("listing %s cannot be shown: %s", listing and listing.code, error)
        return None


def card(listing: Shown) -> dict[str, Any]:
    """Return one listing as the macro `listing_card` wants it; raises Invalid, ProtocolError."""
    return {
        "href": listing.href,
        "title": listing.row.title,
        "icon": listing.practice.icon,
        "price": "",
        "summary": line(listing),
        "photo": photo(listing.row.photo),
        "state": state(listing),
        "remote": None if listing.is_local else remote(listing),
    }


def line(listing: Shown) -> Markup:
    """Return the one line of a card, as the practice draws it."""
    template = current_app.jinja_env.get_template(f"{listing.practice.name}/card.html")
    # rendered, and escaped, by the practice's own template
    return Markup(template.render(listing=listing).strip())


def state(listing: Shown) -> dict[str, str] | None:
    """Return what keeps a listing from being asked for now, None if nothing does."""
    if listing.row.state == "paused":
        return {"label": _("Not available at the moment"), "tone": "wait"}
    if listing.row.ends_ms is not None and listing.row.ends_ms <= now_ms():
        return {"label": _("Over"), "tone": "stop"}
    return None


def photo(digest: bytes | None, alt: str = "") -> dict[str, Any] | None:
    """Return the thumbnail of a photo that is on our shelf, None otherwise."""
    held = blobs.find(digest) if digest else None
    if digest is None or held is None or held.status not in ("local", "remote"):
        return None
    src = url_for("photos.show", name=f"{digest.hex()}-320.webp")
    return {"src": src, "width": 320, "height": 240, "alt": alt}


def remote(listing: Shown) -> dict[str, str]:
    """Return what the blue foot of a listing from elsewhere says."""
    return {
        "town": listing.town,
        "distance": distance_here(listing.row.lat_e6, listing.row.lon_e6),
        "fresh": formats.freshness(seen_ms().get(listing.origin), now_ms()),
    }


def distance_here(lat_e6: int | None, lon_e6: int | None) -> str:
    """Return how far a position is from our town, "" where one of them is not known."""
    if "home" not in g:
        g.home = towns.find(town().id)
    home = g.home
    if home is None or None in (lat_e6, lon_e6, home.lat_e6, home.lon_e6):
        return ""
    return formats.distance(distance_m((home.lat_e6, home.lon_e6), (lat_e6 or 0, lon_e6 or 0)))
