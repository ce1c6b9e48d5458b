"""Where a GeoJSON geometry is (RFC 7946): a point, or the centre of an area."""

from dataclasses import dataclass
from typing import Any

from node.domain.errors import Problem
from node.domain.words import N_
from node.imports.rows.position import millionths

Corner = tuple[float, float]


@dataclass(frozen=True)
class Position:
    """(longitude, latitude) as written, None when there is none; a fault, or a doubt about it."""

    point: tuple[str, str] | None = None
    fault: Problem | None = None
    doubt: Problem | None = None


def position_of(geometry: Any) -> Position:
    """Return the position of a geometry; lines and collections have none, which is their fault."""
    if geometry is None:
        return Position()
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind == "Point":
        return Position(_pair(geometry.get("coordinates")))
    if kind == "Polygon":
        return _centre_of([geometry.get("coordinates")])
    if kind == "MultiPolygon":
        return _centre_of(geometry.get("coordinates"))
    message = N_("A %(kind)s is no place on the map; points and areas are.")
    return Position(fault=Problem("geometry", "geometry", message, {"kind": str(kind)[:40]}))


def _pair(coordinates: Any) -> tuple[str, str]:
    if not isinstance(coordinates, list) or len(coordinates) < 2:
        return "", ""
    lon, lat = (part if isinstance(part, str) else "" for part in coordinates[:2])
    return lon, lat


def _centre_of(polygons: Any) -> Position:
    """Return the centre of the biggest outer ring."""
    found = polygons if isinstance(polygons, list) else []
    rings = [polygon[0] for polygon in found if isinstance(polygon, list) and polygon]
    centres = [_centroid(corners) for corners in map(_corners, rings) if len(corners) > 2]
    if not centres:
        message = N_("The area has no readable outline.")
        return Position(fault=Problem("geometry", "geometry", message))
    _area, lon, lat = max(centres)
    doubt = Problem("geometry", "area", N_("An area; shown at its centre."))
    return Position((f"{lon / 1e6:.6f}", f"{lat / 1e6:.6f}"), doubt=doubt)


def _corners(ring: Any) -> list[Corner]:
    """Return the corners in millionths of a degree; none at all when one cannot be read."""
    corners = []
    for pair in ring if isinstance(ring, list) else []:
        lon, lat = map(millionths, _pair(pair))
        if lon is None or lat is None:
            return []
        corners.append((float(lon), float(lat)))
    return corners


def _centroid(corners: list[Corner]) -> tuple[float, float, float]:
    """Return (twice the area, lon, lat) of a ring."""
    x0, y0 = corners[0]  # near the origin, so that small areas keep their digits
    area = x = y = 0.0  # twice the area, and the corners weighed by it
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        cross = (ax - x0) * (by - y0) - (bx - x0) * (ay - y0)
        area += cross
        x += (ax + bx - 2 * x0) * cross
        y += (ay + by - 2 * y0) * cross
    if not area:
        return 0.0, x0, y0
    return abs(area), x0 + x / (3 * area), y0 + y / (3 * area)
