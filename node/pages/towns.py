"""The towns: who our partners are, how fresh what we hold of them is, and why one is silent."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for

from node.domain.errors import NotFound
from node.domain.words import N_
from node.identity import replacing
from node.pages import agreeing
from node.pages.around import basins, counts_of, draw_map, held_towns, slug
from node.pages.cards import distance_here
from node.pages.here import member, names, now_ms, town
from node.partners import health, pairing
from node.store.catalogue.search import Search
from node.store.network import partners, successions, towns

blueprint = Blueprint("towns", __name__)


@blueprint.get("/villes")
def list_() -> str:
    """Show our town and every partner with its freshness."""
    counts = counts_of(_all())
    troughs = basins(counts, set())
    for each in troughs:
        each["health"] = _health(each["origin"])
        row = towns.find(each["origin"])
        each["manager"] = row.manager if row else ""
        each["distance"] = distance_here(row.lat_e6, row.lon_e6) if row else ""
    return render_template(
        "towns/list.html",
        towns=troughs,
        map=draw_map(counts, lambda origin: url_for(".show", which=slug(origin))),
    )


@blueprint.get("/villes/<which>")
def show(which: str) -> Any:
    """Show one town: who keeps it, how it is doing, the words of its key.

    The page of a town that lost its keys leads to the one that took its place.
    """
    if new := _in_its_place(which):
        return redirect(url_for(".show", which=slug(new)))
    origin = _origin(which)
    row = towns.find(origin)
    is_home = origin == town().id
    basin = next(each for each in basins(counts_of(_all()), set()) if each["origin"] == origin)
    return render_template(
        "towns/town.html",
        name=names()[origin],
        row=row,
        basin=basin,
        is_home=is_home,
        distance=distance_here(row.lat_e6, row.lon_e6) if row and not is_home else "",
        words=[] if is_home else pairing.words(town().id, origin),
        health=_health(origin),
        agreement=None if is_home else agreeing.of(origin),
        home=names()[town().id],
    )


def _all() -> Search:
    """Return the search that finds all the reader may read."""
    return Search(resident=member() is not None)


def _health(origin: bytes) -> health.Health | None:
    partner = partners.find(origin)
    return health.of(partner, now_ms()) if partner is not None else None


def _in_its_place(which: str) -> bytes | None:
    held = held_towns()
    for old in successions.listed():
        new = replacing.successor(old)
        if slug(old) == which and old not in held and new in held:
            return new
    return None


def _origin(which: str) -> bytes:
    for origin in held_towns():
        if slug(origin) == which:
            return origin
    raise NotFound("unknown_town", N_("There is no such partner town."))
