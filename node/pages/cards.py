"""Listings as cards and towns as basins: rows turned into what the macros draw."""

from collections.abc import Iterable
from typing import Any

from flask import render_template, url_for
from markupsafe import Markup

from node.pages import formats
from node.pages.here import Shown, names, now_ms, seen_ms, shown, town
from node.store.catalogue import blobs
from node.store.catalogue.listings import Listing
from node.store.catalogue.search import Search, count_by, distance_m
from node.store.network import partners, towns


def cards(rows: Iterable[Listing]) -> list[dict[str, Any]]:
    """Return the cards of these rows; those of practices unknown here are left out."""
    return [card(each) for each in map(shown, rows) if each is not None]


def card(listing: Shown) -> dict[str, Any]:
    """Return one listing as the macro `listing_card` wants it."""
    line = render_template(f"{listing.practice.name}/card.html", listing=listing)
    return {
        "href": listing.href,
        "title": listing.row.title,
        "icon": listing.practice.icon,
        "price": "",
        "summary": Markup(line),  # rendered, and escaped, by the practice's own template
        "photo": photo(listing.row.photo),
        "state": None,
        "remote": None if listing.is_local else remote(listing),
    }


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
    home = towns.find(town().id)
    if home is None or None in (lat_e6, lon_e6, home.lat_e6, home.lon_e6):
        return ""
    return formats.distance(distance_m((home.lat_e6, home.lon_e6), (lat_e6 or 0, lon_e6 or 0)))


def basins(wanted: Search, chosen: set[bytes]) -> list[dict[str, Any]]:
    """Return every town whose listings are held, ours first, with its water level and count."""
    counts = count_by("origin", wanted, now_ms())
    held = [town().id, *(row.town for row in partners.listed("active", "introduced"))]
    return [
        {
            "slug": slug(origin),
            "name": names()[origin],
            "count": counts.get(origin, 0),
            "fresh": formats.freshness(seen_ms().get(origin), now_ms()),
            "level": formats.level(seen_ms().get(origin), now_ms()),
            "checked": not chosen or origin in chosen,
            "origin": origin,
        }
        for origin in held
    ]


def slug(origin: bytes) -> str:
    """Return how a town is written in addresses: the beginning of its id, which never changes."""
    return origin.hex()[:12]
