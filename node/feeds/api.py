"""The public JSON of the catalogue: /api/v1/listings, one listing, the towns.

Errors are problem documents (RFC 9457) with a stable code; they are made where all errors are.
"""

import math
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request, url_for

from federation import codec
from node.domain.errors import Invalid, NotFound, Problem
from node.domain.words import N_
from node.members import rates
from node.store.catalogue import codes, listings
from node.store.catalogue.listings import LIVE_STATES, Listing
from node.store.catalogue.search import LIMIT_MAX, Search, count_by, search
from node.store.network import partners, towns

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")

PER_PAGE = 50
RADIUS_MAX_M = 1_000_000
CACHE_S = 60


@blueprint.before_request
def _not_too_often() -> None:
    """Count one more request of this network address; raises TooMany."""
    town = current_app.extensions["lavoir"]
    rates.take(
        "api",
        rates.network(request.remote_addr),
        secret=town.keyring.secret,
        now_ms=town.clock.now_ms(),
        limits=rates.table(town.config),
    )


@blueprint.get("/listings")
def list_() -> Response:
    """List what is shown, by q, practice, town, bbox (west,south,east,north), near + radius."""
    town = current_app.extensions["lavoir"]
    limit = _whole("limit", PER_PAGE, 1, LIMIT_MAX)
    found = search(
        _wanted(town), now_ms=town.clock.now_ms(), cursor=request.args.get("page", ""), limit=limit
    )
    following = {**request.args.to_dict(), "page": found.next}
    return _answer(
        {
            "total": found.total,
            "listings": [_told(row, found.distance_m.get(row.id)) for row in found.rows],
            "next": url_for(".list_", **following) if found.next else None,
        }
    )


@blueprint.get("/listings/<which>")
def one(which: str) -> Response:
    """Tell one listing by its id (origin.key) or by its short code, with its whole body."""
    row = _find(which)
    if row is None or row.hidden or row.scope or row.state not in LIVE_STATES:
        raise NotFound("no_listing", N_("There is no listing with this code here."))
    return _answer({**_told(row, None), "body": _spelled(codec.loads(row.body))})


@blueprint.get("/towns")
def towns_() -> Response:
    """List the towns whose listings are held here, ours first."""
    town = current_app.extensions["lavoir"]
    counts = count_by("origin", Search(), town.clock.now_ms())
    held = {row.town: row for row in partners.listed(*partners.HELD)}
    cards = {row.town: row for row in towns.listed()}
    told = []
    for origin in (town.id, *held):
        card, partner = cards.get(origin), held.get(origin)
        told.append(
            {
                "id": origin.hex(),
                "name": card.name if card else (partner.name if partner else ""),
                "url": card.url if card else (partner.url if partner else ""),
                "insee": card.insee if card else "",
                "position": _position(card) if card else None,
                "here": origin == town.id,
                "listings": counts.get(origin, 0),
                "last_seen_ms": partner.last_ok_ms if partner else town.clock.now_ms(),
            }
        )
    return _answer({"towns": told})


def _wanted(town: Any) -> Search:
    near = _numbers("near", 2)
    return Search(
        text=request.args.get("q", "")[:200],
        practice=_practice(town),
        towns=_towns(town),
        bbox=_bbox(),
        near=(near[0], near[1]) if near else None,
        radius_m=_whole("radius", 10_000, 1, RADIUS_MAX_M) if near else 0,
    )


def _practice(town: Any) -> str:
    name = request.args.get("practice", "")
    if name and name not in town.registry.by_name:
        raise _refused("practice", "unknown_practice", N_("There is no such rubric here."))
    return name


def _towns(town: Any) -> tuple[bytes, ...]:
    """Read `town`: ids or names, which may be given several times."""
    known = {row.name.casefold(): row.town for row in towns.listed()}
    known |= {row.town.hex(): row.town for row in partners.listed()}
    known |= {town.id.hex(): town.id, town.config.name.casefold(): town.id}
    asked = [each.casefold() for each in request.args.getlist("town")]
    if any(each not in known for each in asked):
        raise _refused("town", "unknown_town", N_("There is no such partner town."))
    return tuple(known[each] for each in asked)


def _bbox() -> tuple[int, int, int, int] | None:
    sides = _numbers("bbox", 4)
    if not sides:
        return None
    west, south, east, north = sides
    if south > north:
        raise _refused("bbox", "invalid", N_("A box is west,south,east,north in degrees."))
    return south, west, north, east


def _numbers(name: str, count: int) -> list[int]:
    """Read a list of degrees as millionths; [] when it is not given. Raises Invalid."""
    text = request.args.get(name, "")
    if not text:
        return []
    try:
        degrees = [float(each) for each in text.split(",")]
    except ValueError:
        degrees = []
    if len(degrees) != count or not all(
        math.isfinite(each) and abs(each) <= 180 for each in degrees
    ):
        raise _refused(name, "invalid", N_("Degrees such as 47.75,-3.36, please."))
    return [round(each * 1e6) for each in degrees]


def _whole(name: str, default: int, least: int, most: int) -> int:
    text = request.args.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise Invalid(
            [
                Problem(
                    name,
                    "out_of_range",
                    N_("Between %(min)d and %(max)d, please."),
                    {"min": least, "max": most},
                )
            ]
        )
    return int(text)


def _refused(name: str, code: str, message: str) -> Invalid:
    return Invalid([Problem(name, code, message)])


def _find(which: str) -> Listing | None:
    origin, _, key = which.partition(".")
    try:
        return listings.find(bytes.fromhex(origin), bytes.fromhex(key)) if key else _by_code(which)
    except ValueError:
        return None


def _by_code(code: str) -> Listing | None:
    return listings.by_code(codes.tidy(code))


def _told(row: Listing, distance_m: int | None) -> dict[str, Any]:
    told = {
        "id": f"{row.origin.hex()}.{row.key.hex()}",
        "code": row.code,
        "town": row.origin.hex(),
        "record": row.record.hex(),
        "practice": row.practice,
        "kind": row.kind,
        "title": row.title,
        "text": row.text,
        "verb": row.verb,
        "place": row.place_name,
        "insee": row.insee,
        "position": _position(row),
        "quartier": row.quartier,
        "who": row.who,
        "state": row.state,
        "photo": row.photo.hex() if row.photo else None,
        "source": row.source,
        "updated_ms": row.updated_ms,
        "url": url_for("listing.show", code=row.code, _external=True),
    }
    return told if distance_m is None else {**told, "distance_m": distance_m}


def _position(row: Any) -> dict[str, float] | None:
    if row.lat_e6 is None or row.lon_e6 is None:
        return None
    return {"lat": row.lat_e6 / 1e6, "lon": row.lon_e6 / 1e6}


def _spelled(value: Any) -> Any:
    """Return a body with its bytes as hex, so that JSON can say it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: _spelled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_spelled(each) for each in value]
    return value


def _answer(told: dict[str, Any]) -> Response:
    answer = jsonify(told)
    answer.cache_control.public = True
    answer.cache_control.max_age = CACHE_S
    return answer
