"""The catalogue: what is shared here and around, searched, filtered, as a list and on a map."""

from typing import Any

from flask import Blueprint, render_template, request, url_for

from node.pages import formats, quartiers
from node.pages.around import basins, counts_of, draw_map, slug
from node.pages.cards import cards
from node.pages.here import member, names, now_ms, town
from node.pages.language import _
from node.store.catalogue.search import Found, Search, search
from node.store.network import towns

blueprint = Blueprint("catalogue", __name__)

PER_PAGE = 20
RADII_KM = (2, 10, 40, 100)
FILTERS = ("q", "rubrique", "ville", "rayon", "quartier", "commune")


@blueprint.get("/")
def home() -> str:
    """Show the listings that match the address: words, rubric, towns, distance."""
    return _page("catalogue/home.html")


@blueprint.get("/carte")
def on_map() -> str:
    """Show the same listings beside a large map."""
    return _page("catalogue/map.html")


def _page(template: str) -> str:
    wanted = _wanted()
    found = search(wanted, now_ms=now_ms(), cursor=request.args.get("page", ""), limit=PER_PAGE)
    counts = counts_of(_wanted(any_town=True))
    troughs = basins(counts, set(wanted.towns))
    return render_template(
        template,
        section="listings",
        found=found,
        cards=cards(found.rows),
        rubrics=_rubrics(),
        basins=troughs,
        map=draw_map(counts, lambda origin: _without("ville", ville=slug(origin))),
        radii=RADII_KM,
        pages=_pages(found),
        filters=_filters(wanted),
        elsewhere=[
            {**each, "href": _without("ville", ville=each["slug"])}
            for each in troughs
            if each["count"] and not each["checked"]
        ],
        order=_order(wanted),
        living=quartiers.offered(request.args),
    )


def _wanted(any_town: bool = False) -> Search:
    """Read the address; what it asks for in vain (an unknown town or rubric) does not narrow."""
    practice = town().registry.by_rubric.get(request.args.get("rubrique", ""))
    radius_km = request.args.get("rayon", "")
    centre = _centre() if radius_km.isascii() and radius_km.isdigit() else None
    lives = quartiers.filters(request.args)
    towns = () if any_town else lives.pop("towns", ()) or _towns()
    lives.pop("towns", None)
    return Search(
        text=request.args.get("q", "")[:200],
        practice=practice.name if practice else "",
        towns=towns,
        **lives,
        near=centre,
        radius_m=min(int(radius_km[:4]), 1_000) * 1_000 if centre else 0,
        resident=member() is not None,
        order="best" if request.args.get("q") and not centre else "",
    )


def _towns() -> tuple[bytes, ...]:
    by_slug = {slug(origin): origin for origin in (*names(), town().id)}
    asked = dict.fromkeys(request.args.getlist("ville"))
    return tuple(by_slug[each] for each in asked if each in by_slug)


def _centre() -> tuple[int, int] | None:
    home = towns.find(town().id)
    if home is None or home.lat_e6 is None or home.lon_e6 is None:
        return None
    return home.lat_e6, home.lon_e6


def _order(wanted: Search) -> str:
    if wanted.near is not None:
        return _("Nearest first")
    return _("Best matches first") if wanted.order == "best" else _("Newest first")


# ── the same address, one thing changed ──────────────────────────────────────────────────────────


def _without(*gone: str, **changed: Any) -> str:
    """Return the address of this page without some of its filters, others changed; page one."""
    args = request.args.to_dict(flat=False)
    kept = {name: args[name] for name in FILTERS if name in args and name not in gone}
    endpoint = request.endpoint or ".home"
    return url_for(endpoint, **{**kept, **changed})


def _rubrics() -> list[dict[str, Any]]:
    """Return the row of practices; each keeps what else is chosen."""
    now = request.args.get("rubrique", "")
    first = {"label": "", "icon": "", "href": _without("rubrique"), "current": not now}
    return [first] + [
        {
            "label": each.label,
            "icon": each.icon,
            "href": _without(rubrique=each.rubric),
            "current": each.rubric == now,
        }
        for each in town().registry.practices
    ]


def _filters(wanted: Search) -> list[dict[str, str]]:
    """Name each filter in force, with the address that removes it."""
    practice = town().registry.by_name.get(wanted.practice)
    found = [
        ("q", wanted.text and _("“%(words)s”", words=wanted.text)),
        ("rubrique", practice and _(practice.label)),
        ("rayon", wanted.radius_m and formats.distance(wanted.radius_m)),
    ]
    found += quartiers.words(wanted, request.args)
    lines = [{"text": str(text), "href": _without(name)} for name, text in found if text]
    chosen = [slug(each) for each in _towns()]
    for origin in _towns():
        others = [each for each in chosen if each != slug(origin)]
        href = _without("ville", **({"ville": others} if others else {}))
        lines.append({"text": names()[origin], "href": href})
    return lines


def _pages(found: Found) -> dict[str, str]:
    following = _without(page=found.next) if found.next else ""
    return {"next": following, "first": _without() if request.args.get("page") else ""}
