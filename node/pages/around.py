"""The towns around: whose listings are held here, how many, how fresh, and where they lie."""

from collections.abc import Callable
from typing import Any

from flask import url_for

from node.pages import formats
from node.pages.here import names, now_ms, seen_ms, town
from node.pages.language import _, ngettext
from node.partners import health
from node.places import outline
from node.store.catalogue.search import Search, count_by
from node.store.network import partners, towns


def held_towns() -> list[bytes]:
    """Return the ids of the towns whose listings are held here, ours first, then by name."""
    return [town().id, *(row.town for row in partners.listed(*partners.HELD))]


def slug(origin: bytes) -> str:
    """Return how a town is written in addresses: the beginning of its id, which never changes."""
    return origin.hex()[:12]


def counts_of(wanted: Search) -> dict[Any, int]:
    """Return {town id: how many listings} of what is looked for."""
    return count_by("origin", wanted, now_ms())


def basins(counts: dict[Any, int], chosen: set[bytes]) -> list[dict[str, Any]]:
    """Return every town held, with its water level and count, as the macro `basins` wants it."""
    return [
        {
            "slug": slug(origin),
            "name": names()[origin],
            "count": counts.get(origin, 0),
            "fresh": formats.freshness(seen_ms().get(origin), now_ms()),
            "level": formats.level(seen_ms().get(origin), now_ms()),
            "checked": not chosen or origin in chosen,
            "origin": origin,
            "here": origin == town().id,
        }
        for origin in held_towns()
    ]


def draw_map(counts: dict[Any, int], href: Callable[[bytes], str]) -> outline.Map | None:
    """Return the map of the towns and their counts, None while no town has told its place."""
    held = set(held_towns())
    dots = [
        outline.Dot(
            name=row.name,
            lat_e6=row.lat_e6,
            lon_e6=row.lon_e6,
            count=counts.get(row.town, 0),
            href=href(row.town),
            here=row.town == town().id,
        )
        for row in towns.listed()
        if row.town in held and row.lat_e6 is not None and row.lon_e6 is not None
    ]
    return outline.around(dots) if dots else None


def standing() -> dict[str, str] | None:
    """Return the word on top of every page: whether our partners answer; None without partners."""
    rows = partners.listed("active")
    failing = [row for row in rows if row.failures]
    if len(failing) == 1:
        row = failing[0]
        word = _("%(town)s is out of reach", town=row.name)
        href = url_for("towns.show", which=slug(row.town))
        return {"word": word, "tone": health.of(row, now_ms()).tone, "when": "", "href": href}
    href = url_for("towns.list_")
    if failing:
        many = len(failing)
        word = ngettext("%(num)d town out of reach", "%(num)d towns out of reach", many)
        return {"word": word, "tone": "wait", "when": "", "href": href}
    seen = [row.last_ok_ms for row in rows if row.last_ok_ms]
    if not seen:
        return None
    if now_ms() - max(seen) > formats.DAY_MS:
        word = _("Last exchange %(ago)s", ago=formats.ago(max(seen), now_ms()))
        return {"word": word, "tone": "wait", "when": "", "href": href}
    return {"word": _("Up to date"), "tone": "ok", "when": formats.clock(max(seen)), "href": href}
