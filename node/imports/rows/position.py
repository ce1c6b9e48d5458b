"""The position of a row: degrees as text become millionths, or a doubt.

A position is never moved, but for one case: latitude and longitude that were plainly exchanged are
put back in order.
"""

import re
from decimal import Decimal

from node.domain.schema import Struct
from node.domain.words import N_
from node.imports.rows.row import Row
from node.places.communes import Position

_DECIMAL = re.compile(r"[+-]?\d{1,3}(?:[.,]\d{1,40})?(?:[eE]-?\d{1,2})?", re.ASCII)
FRANCE_E6 = (  # south, north, west, east
    (41_200_000, 51_200_000, -5_300_000, 9_700_000),  # mainland and Corsica
    (15_700_000, 18_200_000, -63_300_000, -60_900_000),  # Guadeloupe, Saint-Martin
    (14_300_000, 15_000_000, -61_300_000, -60_700_000),  # Martinique
    (2_000_000, 5_900_000, -54_700_000, -51_500_000),  # Guyane
    (-21_500_000, -20_800_000, 55_100_000, 55_900_000),  # Réunion
    (-13_100_000, -12_500_000, 44_900_000, 45_400_000),  # Mayotte
    (46_700_000, 47_200_000, -56_500_000, -56_100_000),  # Saint-Pierre-et-Miquelon
)


class Columns(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Which columns say where a row is; "" where there is none.

    `lat_lon` holds both in one cell ("47.7, -3.4").
    """

    insee: str = ""
    postcode: str = ""
    commune: str = ""
    lat: str = ""
    lon: str = ""
    lat_lon: str = ""


def position_of(row: Row, columns: Columns) -> Position | None:
    """Return the position of a row in millionths of a degree, None when it has none."""
    lat_text, lon_text = _written_position(row, columns)
    if not lat_text and not lon_text:
        return None
    lat, lon = millionths(lat_text), millionths(lon_text)
    if lat is None or lon is None:
        message = N_("“%(lat)s, %(lon)s” is no position in degrees.")
        _doubt_position(row, columns, "not_degrees", message, lat=lat_text, lon=lon_text)
        return None
    if (lat, lon) == (0, 0):
        _doubt_position(row, columns, "not_degrees", N_("The position is the zero of the map."))
        return None
    return _in_order(row, columns, lat, lon)


def _in_order(row: Row, columns: Columns, lat: int, lon: int) -> Position | None:
    if is_in_france(lat, lon):
        return lat, lon
    if is_in_france(lon, lat):
        message = N_("Latitude and longitude were exchanged; put back in order.")
        row.doubt(columns.lat or columns.lat_lon, "swapped", message)
        return lon, lat
    if abs(lat) > 90_000_000:
        message = N_("“%(lat)s, %(lon)s” is no position in degrees.")
        _doubt_position(row, columns, "not_degrees", message, lat=lat / 1e6, lon=lon / 1e6)
        return None
    row.doubt(
        columns.lat or columns.lat_lon, "outside_france", N_("The position is not in France.")
    )
    return lat, lon


def is_in_france(lat_e6: int, lon_e6: int) -> bool:
    """Return whether a position is in one of the boxes around France and its islands."""
    return any(
        south <= lat_e6 <= north and west <= lon_e6 <= east
        for south, north, west, east in FRANCE_E6
    )


def _written_position(row: Row, columns: Columns) -> tuple[str, str]:
    if columns.lat and columns.lon:
        return row.raw(columns.lat), row.raw(columns.lon)
    if columns.lat_lon:
        parts = re.split(r"\s*[,;]\s*|\s+", row.raw(columns.lat_lon))
        return (parts[0], parts[1]) if len(parts) == 2 else (row.raw(columns.lat_lon), "")
    return (row.point[1], row.point[0]) if row.point else ("", "")


def _doubt_position(row: Row, columns: Columns, code: str, message: str, **params: object) -> None:
    """Doubt a position and leave its cells with the rest."""
    cells = [column for column in (columns.lat, columns.lon, columns.lat_lon) if column]
    row.doubt(cells[0] if cells else "geometry", code, message, **params)
    row.keep(cells)


def millionths(text: str) -> int | None:
    """Return degrees written as a decimal in millionths; None for anything else or beyond 180."""
    if not _DECIMAL.fullmatch(text.strip()):
        return None
    degrees = Decimal(text.strip().replace(",", "."))
    return round(degrees * 1_000_000) if abs(degrees) <= 180 else None
