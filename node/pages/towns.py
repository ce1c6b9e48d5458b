"""The towns: who our partners are, how fresh what we hold of them is, and why one is silent."""

from typing import Any

from flask import Blueprint, render_template

from node.domain.errors import NotFound
from node.domain.words import N_
from node.pages.cards import basins, distance_here, slug
from node.pages.catalogue import draw_map
from node.pages.here import names, town
from node.partners import health, pairing
from node.store.catalogue.search import Search
from node.store.network import partners, towns

blueprint = Blueprint("towns", __name__)


@blueprint.get("/villes")
def list_() -> str:
    """Show our town and every partner with its freshness."""
    return render_template(
        "towns/list.html", towns=basins(Search(), set()), map=draw_map(Search()), home=town().id
    )


@blueprint.get("/villes/<which>")
def show(which: str) -> str:
    """Show one town: who keeps it, how it is doing, the words of its key."""
    origin = _origin(which)
    row, partner = towns.find(origin), partners.find(origin)
    basin = next((each for each in basins(Search(), set()) if each["origin"] == origin), None)
    return render_template(
        "towns/town.html",
        name=names()[origin],
        row=row,
        partner=partner,
        basin=basin,
        is_home=origin == town().id,
        distance=distance_here(row.lat_e6, row.lon_e6) if row else "",
        words=[] if origin == town().id else pairing.words(town().id, origin),
        health=health.of(partner, town().clock.now_ms()) if partner else None,
    )


def _origin(which: str) -> Any:
    held = [town().id, *(row.town for row in partners.listed("active", "introduced"))]
    for origin in held:
        if slug(origin) == which:
            return origin
    raise NotFound("unknown_town", N_("There is no such partner town."))
