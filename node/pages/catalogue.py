"""The catalogue: what is shared here and around, searched, filtered, as a list and on a map."""

from typing import Any

from flask import Blueprint, render_template, request, url_for

from node.pages.cards import basins, cards, slug
from node.pages.here import names, now_ms, town
from node.places import outline
from node.store.catalogue.search import Found, Search, count_by, search
from node.store.network import towns

blueprint = Blueprint("catalogue", __name__)

PER_PAGE = 20
RADII_KM = (2, 10, 40)


@blueprint.get("/")
def home() -> str:
    """Show the listings that match the address: words, rubric, towns, distance."""
    wanted = _wanted()
    found = search(wanted, now_ms=now_ms(), cursor=request.args.get("page", ""), limit=PER_PAGE)
    chosen = set(wanted.towns)
    everywhere = _wanted(any_town=True)
    return render_template(
        "catalogue/home.html",
        section="listings",
        found=found,
        cards=cards(found.rows),
        rubrics=_rubrics(),
        basins=basins(everywhere, chosen),
        map=draw_map(everywhere),
        radii=RADII_KM,
        pages=_pages(found),
        filters=_filters(wanted),
    )


@blueprint.get("/carte")
def on_map() -> str:
    """Show the same listings on a large map, with the list below."""
    wanted = _wanted()
    found = search(wanted, now_ms=now_ms(), cursor=request.args.get("page", ""), limit=PER_PAGE)
    return render_template(
        "catalogue/map.html",
        section="listings",
        found=found,
        cards=cards(found.rows),
        map=draw_map(_wanted(any_town=True)),
        pages=_pages(found),
    )


def _wanted(any_town: bool = False) -> Search:
    """Read the address; what it asks for in vain (an unknown town or rubric) does not narrow."""
    practice = town().registry.by_rubric.get(request.args.get("rubrique", ""))
    radius_km = request.args.get("rayon", "")
    centre = _centre() if radius_km.isascii() and radius_km.isdigit() else None
    return Search(
        text=request.args.get("q", "")[:200],
        practice=practice.name if practice else "",
        towns=() if any_town else _towns(),
        near=centre,
        radius_m=min(int(radius_km), 1_000) * 1_000 if centre else 0,
        order="best" if request.args.get("q") and not centre else "",
    )


def _towns() -> tuple[bytes, ...]:
    by_slug = {slug(origin): origin for origin in (*names(), town().id)}
    return tuple(by_slug[each] for each in request.args.getlist("ville") if each in by_slug)


def _centre() -> tuple[int, int] | None:
    home = towns.find(town().id)
    if home is None or home.lat_e6 is None or home.lon_e6 is None:
        return None
    return home.lat_e6, home.lon_e6


def _rubrics() -> list[dict[str, Any]]:
    """Return the row of practices; each keeps the words and towns already chosen."""
    now = request.args.get("rubrique", "")
    kept = {"q": request.args.get("q") or None, "ville": request.args.getlist("ville") or None}
    rows = [{"label": "", "icon": "", "href": url_for(".home", **kept), "current": not now}]
    rows += [
        {
            "label": each.label,
            "icon": each.icon,
            "href": url_for(".home", rubrique=each.rubric, **kept),
            "current": each.rubric == now,
        }
        for each in town().registry.practices
    ]
    return rows


def draw_map(wanted: Search) -> outline.Map | None:
    """Return the map of the towns with how many listings each has, None where none has a place."""
    counts = count_by("origin", wanted, now_ms())
    dots = [
        outline.Dot(
            name=row.name,
            lat_e6=row.lat_e6,
            lon_e6=row.lon_e6,
            count=counts.get(row.town, 0),
            href=url_for("catalogue.home", ville=slug(row.town)),
            here=row.town == town().id,
        )
        for row in towns.listed()
        if row.lat_e6 is not None
    ]
    return outline.around(dots) if dots else None


def _pages(found: Found) -> dict[str, str]:
    args = request.args.to_dict(flat=False)
    args.pop("page", None)
    endpoint = request.endpoint or ".home"
    following = url_for(endpoint, **{**args, "page": found.next}) if found.next else ""
    return {"next": following, "first": url_for(endpoint, **args) if "page" in request.args else ""}


def _filters(wanted: Search) -> list[dict[str, str]]:
    """Name each filter in force with the address that removes it, for an empty result."""
    texts = {
        "q": wanted.text,
        "rubrique": _label(wanted),
        "ville": ", ".join(names()[each] for each in wanted.towns),
        "rayon": f"{wanted.radius_m // 1000} km" if wanted.radius_m else "",
    }
    args = request.args.to_dict(flat=False)
    args.pop("page", None)
    return [
        {"text": text, "href": url_for(".home", **{k: v for k, v in args.items() if k != name})}
        for name, text in texts.items()
        if text
    ]


def _label(wanted: Search) -> str:
    practice = town().registry.by_name.get(wanted.practice)
    return practice.label if practice else ""
