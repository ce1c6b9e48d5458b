"""The search over listings: words, practice, towns, facets, a box or a circle; page by page."""

import math
from dataclasses import dataclass, field

import peewee

from federation.record import SCOPE_PUBLIC
from node.domain.errors import Invalid, Problem
from node.domain.words import N_
from node.store.catalogue import facets
from node.store.catalogue.folding import match_query
from node.store.catalogue.listings import Listing, ListingSearch
from node.store.network import sightings

EARTH_M = 6_371_008.8  # mean radius
UNCONFIRMED_MS = 30 * 86_400_000  # a town not heard for longer is no longer listed
LIMIT_MAX = 200
OFFSET_MAX = 10_000
TITLE_WEIGHT = 4.0
ORDERS = ("newest", "best", "near")


@dataclass(frozen=True)
class Search:
    """What is looked for; empty fields do not narrow.

    text      whatever a person typed
    quartiers names of which one must be said, for what has had several; communes: INSEE codes
    towns     origins
    facets    (name, value) pairs, all of which must hold
    bbox      south, west, north, east in millionths of a degree
    near      latitude, longitude in millionths of a degree; radius_m around it
    order     newest, best (of the words) or near; "" is near when `near` is given, else newest
    resident  who looks is signed in: also what is for residents of partner towns alone
    """

    text: str = ""
    practice: str = ""
    verb: str = ""
    quartier: str = ""
    quartiers: tuple[str, ...] = ()
    communes: tuple[str, ...] = ()
    towns: tuple[bytes, ...] = ()
    facets: tuple[tuple[str, str], ...] = ()
    bbox: tuple[int, int, int, int] | None = None
    near: tuple[int, int] | None = None
    radius_m: int = 0
    order: str = ""
    resident: bool = False


@dataclass(frozen=True)
class Found:
    """One page: the listings (of a `near` search with distance_m by id), of how many, what next."""

    rows: list[Listing]
    total: int
    next: str = ""
    distance_m: dict[int, int] = field(default_factory=dict)


def search(wanted: Search, *, now_ms: int, cursor: str = "", limit: int = 20) -> Found:
    """Return one page of what is shown here now; `cursor` is the `next` of the page before.

    Raises Invalid when the cursor is none of ours or the order is unknown.
    """
    if wanted.order not in ("", *ORDERS):
        raise Invalid([Problem("order", "unknown_choice", N_("This order is not known."))])
    limit = max(1, min(limit, LIMIT_MAX))
    if wanted.near is not None:
        return _around(wanted, now_ms, _read(cursor, "o", 1)[0], limit)
    if wanted.order == "best" and match_query(wanted.text):
        return _best(wanted, now_ms, _read(cursor, "o", 1)[0], limit)
    return _newest(wanted, now_ms, cursor, limit)


def count_by(column: str, wanted: Search, now_ms: int) -> dict[object, int]:
    """Return {value: how many} of a column (practice, origin, insee ...) over all that is found."""
    by = getattr(Listing, column)
    query = _matching(wanted, now_ms, by, peewee.fn.COUNT(Listing.id)).group_by(by)
    return dict(query.tuples())


def points(wanted: Search, now_ms: int, limit: int = 2_000) -> list[Listing]:
    """Return what a map needs of the located listings found, newest first."""
    columns = ("id", "origin", "code", "practice", "title", "lat_e6", "lon_e6")
    query = _matching(wanted, now_ms, *(getattr(Listing, name) for name in columns))
    query = query.where(Listing.lat_e6.is_null(False), Listing.lon_e6.is_null(False))
    return list(query.order_by(Listing.created_ms.desc(), Listing.id.desc()).limit(limit))


def distance_m(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Return the metres between two (latitude, longitude) in millionths of a degree (haversine)."""
    lat1, lon1, lat2, lon2 = (math.radians(value / 1e6) for value in (*one, *other))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return round(2 * EARTH_M * math.asin(min(1.0, math.sqrt(half))))


def box_around(centre: tuple[int, int], radius_m: int) -> tuple[int, int, int, int]:
    """Return a box (south, west, north, east) that holds the whole circle."""
    lat, lon = centre
    tall = math.ceil(math.degrees(radius_m / EARTH_M) * 1e6)
    narrowest = math.cos(math.radians(min(89.9, (abs(lat) + tall) / 1e6)))
    wide = min(180_000_000, math.ceil(tall / narrowest))
    return (lat - tall, lon - wide, lat + tall, lon + wide)


def _newest(wanted: Search, now_ms: int, cursor: str, limit: int) -> Found:
    query = _matching(wanted, now_ms, Listing)
    total = query.count()
    if cursor:
        created_ms, last = _read(cursor, "n", 2)
        earlier = Listing.created_ms < created_ms
        query = query.where(earlier | ((Listing.created_ms == created_ms) & (Listing.id < last)))
    query = query.order_by(Listing.created_ms.desc(), Listing.id.desc())
    rows = list(query.limit(limit + 1))
    more = len(rows) > limit
    rows = rows[:limit]
    return Found(rows, total, f"n.{rows[-1].created_ms}.{rows[-1].id}" if more else "")


def _best(wanted: Search, now_ms: int, offset: int, limit: int) -> Found:
    query = _matching(wanted, now_ms, Listing)
    total = query.count()
    rank = ListingSearch.bm25(TITLE_WEIGHT, 1.0)
    query = query.order_by(rank, Listing.created_ms.desc(), Listing.id.desc())
    rows = list(query.limit(limit).offset(offset))
    return Found(rows, total, _after(offset + len(rows), total))


def _around(wanted: Search, now_ms: int, offset: int, limit: int) -> Found:
    columns = (Listing.id, Listing.lat_e6, Listing.lon_e6, Listing.created_ms)
    query = _matching(wanted, now_ms, *columns).where(
        Listing.lat_e6.is_null(False), Listing.lon_e6.is_null(False)
    )
    if wanted.radius_m:
        query = query.where(_inside(box_around(wanted.near, wanted.radius_m)))
    reached = [
        (metres, -created_ms, -row_id)
        for row_id, lat, lon, created_ms in query.tuples()
        if (metres := distance_m(wanted.near, (lat, lon))) <= (wanted.radius_m or metres)
    ]
    reached.sort(key=lambda each: each[1:] if wanted.order == "newest" else each)
    page = {-row_id: metres for metres, _, row_id in reached[offset : offset + limit]}
    rows = {row.id: row for row in Listing.select().where(Listing.id.in_(list(page)))}
    shown = [rows[row_id] for row_id in page]
    return Found(shown, len(reached), _after(offset + len(shown), len(reached)), page)


def _matching(wanted: Search, now_ms: int, *columns: object) -> peewee.ModelSelect:
    query = Listing.select(*columns).where(
        Listing.state == "published",
        Listing.hidden == "",
        Listing.expires > now_ms // 1_000,
        Listing.ends_ms.is_null() | (Listing.ends_ms > now_ms),
        Listing.origin.not_in(sightings.silent_since(now_ms - UNCONFIRMED_MS, now_ms)),
    )
    if not wanted.resident:
        query = query.where(Listing.scope == SCOPE_PUBLIC)
    for name in ("practice", "verb", "quartier"):
        if value := getattr(wanted, name):
            query = query.where(getattr(Listing, name) == value)
    if wanted.quartiers:
        query = query.where(Listing.quartier.in_(wanted.quartiers))
    if wanted.communes:
        query = query.where(Listing.insee.in_(wanted.communes))
    if wanted.towns:
        query = query.where(Listing.origin.in_(wanted.towns))
    for name, value in wanted.facets:
        query = query.where(Listing.id.in_(facets.having(name, value)))
    if wanted.bbox is not None:
        query = query.where(_inside(wanted.bbox))
    return _worded(query, wanted.text)


def _worded(query: peewee.ModelSelect, text: str) -> peewee.ModelSelect:
    if not text.strip():
        return query
    words = match_query(text)
    if not words:
        return query.where(Listing.id == -1)  # something was typed, and no word in it
    return query.join(ListingSearch, on=(ListingSearch.rowid == Listing.id)).where(
        ListingSearch.match(words)
    )


def _inside(box: tuple[int, int, int, int]) -> peewee.Expression:
    south, west, north, east = box
    return Listing.lat_e6.between(south, north) & Listing.lon_e6.between(west, east)


def _read(cursor: str, form: str, count: int) -> list[int]:
    if not cursor:
        return [0] * count
    letter, *numbers = cursor.split(".")
    are_numbers = all(each.isascii() and each.isdigit() and len(each) < 17 for each in numbers)
    if letter == form and len(numbers) == count and are_numbers:
        return [int(each) for each in numbers]
    raise Invalid([Problem("cursor", "bad_cursor", N_("This page link is not one of ours."))])


def _after(shown: int, total: int) -> str:
    return f"o.{shown}" if shown < min(total, OFFSET_MAX) else ""
