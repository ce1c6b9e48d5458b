"""The little map of towns: a piece of the coast and a circle a town, as plain SVG numbers.

The coast is Brittany's (coast.json, built by scripts/places.py); around towns elsewhere the map
shows land only. Towns lie where they are: equirectangular projection at their middle latitude.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

FILE = Path(__file__).with_name("coast.json")
CREDIT = "© OpenStreetMap"  # the ODbL asks that it be said where the coast is drawn
WIDTH = 652
HEIGHTS = (400, 480)
MARGIN = 84  # pixels kept free around the towns, for their names
SMALLEST_DEGREES = 0.25  # one town alone is shown with this much latitude around it
STEP = 1.5  # pixels: nearer points of the coast are one
LETTER = 14  # pixels of one letter of a name at 25 px, on the wide side
RADII = (16, 30)

Pixel = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Dot:
    """A town to be shown: `count` is written in its circle (None leaves it empty)."""

    name: str
    lat_e6: int
    lon_e6: int
    count: int | None = None
    href: str = ""
    here: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A town on the map, in pixels; `anchor` is SVG's text-anchor of its name."""

    name: str
    x: int
    y: int
    radius: int
    count: int | None
    href: str
    here: bool
    label_x: int
    label_y: int
    anchor: str


@dataclass(frozen=True, slots=True)
class Map:
    """A drawing of `width` by `height` pixels; `land` is path data, `credit` whose data it is."""

    width: int
    height: int
    land: tuple[str, ...]
    towns: tuple[Placed, ...]
    credit: str


def around(dots: Sequence[Dot]) -> Map:
    """The map that holds all these towns; raises ValueError when there is none."""
    if not dots:
        raise ValueError("a map needs at least one town")
    view = _View(dots)
    inside = view.shows_coast()
    land = _land(view) if inside else (f"M0 0H{WIDTH}V{view.height}H0Z",)
    return Map(WIDTH, view.height, land, _placed(dots, view), CREDIT if inside else "")


class _View:
    """How degrees become pixels for these towns."""

    def __init__(self, dots: Sequence[Dot]) -> None:
        lats = [dot.lat_e6 / 1e6 for dot in dots]
        lons = [dot.lon_e6 / 1e6 for dot in dots]
        self.lat, self.lon = (max(lats) + min(lats)) / 2, (max(lons) + min(lons)) / 2
        self.squeeze = max(0.1, math.cos(math.radians(self.lat)))
        wide = max((max(lons) - min(lons)) * self.squeeze, SMALLEST_DEGREES)
        high = max(max(lats) - min(lats), SMALLEST_DEGREES / 2)
        self.scale = min((WIDTH - 2 * MARGIN) / wide, (HEIGHTS[1] - 2 * MARGIN) / high)
        self.height = round(min(max(high * self.scale + 2 * MARGIN, HEIGHTS[0]), HEIGHTS[1]))

    def pixel(self, lat: float, lon: float) -> Pixel:
        """Where a position falls."""
        x = WIDTH / 2 + (lon - self.lon) * self.squeeze * self.scale
        return x, self.height / 2 - (lat - self.lat) * self.scale

    def shows_coast(self) -> bool:
        """Whether the file knows the whole of this view."""
        box, _rings = _coast()
        half_lat, half_lon = self.height / 2 / self.scale, WIDTH / 2 / self.scale / self.squeeze
        return (
            box["west"] / 1000 <= self.lon - half_lon
            and self.lon + half_lon <= box["east"] / 1000
            and box["south"] / 1000 <= self.lat - half_lat
            and self.lat + half_lat <= box["north"] / 1000
        )


def _land(view: _View) -> tuple[str, ...]:
    """Path data of every piece of land in view, cut just outside the edges, which stay bare."""
    _box, rings = _coast()
    frame = (-4.0, -4.0, WIDTH + 4.0, view.height + 4.0)
    drawn = (_clipped([view.pixel(lat, lon) for lon, lat in ring], frame) for ring in rings)
    return tuple(path for ring in drawn if (path := _path(ring)))


def _path(ring: Sequence[Pixel]) -> str:
    points: list[tuple[int, int]] = []
    for x, y in ring:
        if not points or math.dist(points[-1], (x, y)) >= STEP:
            points.append((round(x), round(y)))
    if len(points) < 3:
        return ""
    moves = [f"{bx - ax} {by - ay}" for (ax, ay), (bx, by) in pairwise(points)]
    return f"M{points[0][0]} {points[0][1]}l{' '.join(moves)}z".replace(" -", "-")


def _clipped(ring: list[Pixel], box: Box) -> list[Pixel]:
    """The ring cut to the box (Sutherland-Hodgman)."""
    for axis, limit, side in ((0, box[0], 1), (1, box[1], 1), (0, box[2], -1), (1, box[3], -1)):
        kept: list[Pixel] = []
        for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
            a_in, b_in = (a[axis] - limit) * side >= 0, (b[axis] - limit) * side >= 0
            if a_in:
                kept.append(a)
            if a_in != b_in:
                t = (limit - a[axis]) / (b[axis] - a[axis])
                kept.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
        ring = kept
    return ring


def _placed(dots: Sequence[Dot], view: _View) -> tuple[Placed, ...]:
    """The towns with the side of the circle where their name fits best."""
    most = max((dot.count or 0 for dot in dots), default=0)
    spots = [view.pixel(dot.lat_e6 / 1e6, dot.lon_e6 / 1e6) for dot in dots]
    radii = [_radius(dot.count, most) for dot in dots]
    taken = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(spots, radii, strict=True)]
    placed = []
    for dot, (x, y), radius in zip(dots, spots, radii, strict=True):
        text = len(dot.name) * LETTER
        sides = (
            (x + radius + 6, y + 9, "start", (x + radius, y - 14, x + radius + 6 + text, y + 14)),
            (x - radius - 6, y + 9, "end", (x - radius - 6 - text, y - 14, x - radius, y + 14)),
            (
                x,
                y + radius + 25,
                "middle",
                (x - text / 2, y + radius, x + text / 2, y + radius + 30),
            ),
            (
                x,
                y - radius - 9,
                "middle",
                (x - text / 2, y - radius - 30, x + text / 2, y - radius),
            ),
        )
        label = min(sides, key=lambda side: _clashes(side[3], taken, view.height))
        taken.append(label[3])
        placed.append(
            Placed(
                name=dot.name,
                x=round(x),
                y=round(y),
                radius=radius,
                count=dot.count,
                href=dot.href,
                here=dot.here,
                label_x=round(label[0]),
                label_y=round(label[1]),
                anchor=label[2],
            )
        )
    return tuple(placed)


def _radius(count: int | None, most: int) -> int:
    """A circle whose area follows the count, never too small for its number or a finger."""
    low, high = RADII
    if count is None or most == 0:
        return low
    return round(max(low + 6, high * math.sqrt(count / most)))


def _clashes(box: Box, taken: Sequence[Box], height: int) -> float:
    """How much of the box is hidden by others or falls outside the map, in pixels squared."""
    left, top, right, bottom = box
    hidden = 0.0
    for a, b, c, d in taken:
        hidden += max(0, min(right, c) - max(left, a)) * max(0, min(bottom, d) - max(top, b))
    shown = max(0, min(right, WIDTH) - max(left, 0)) * max(0, min(bottom, height) - max(top, 0))
    return hidden + 10 * ((right - left) * (bottom - top) - shown)


@lru_cache(maxsize=1)
def _coast() -> tuple[dict[str, int], tuple[tuple[tuple[float, float], ...], ...]]:
    """The box that is known and its rings as (longitude, latitude) in degrees."""
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    rings = []
    for flat in stored["rings"]:
        x = y = 0
        ring = []
        for dx, dy in zip(flat[::2], flat[1::2], strict=True):
            x, y = x + dx, y + dy
            ring.append((x / 1000, y / 1000))
        rings.append(tuple(ring))
    return stored["box"], tuple(rings)
