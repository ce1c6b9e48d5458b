"""Where a row is: its commune and its position as the place of a listing, if they fit together."""

from typing import Any

from node.domain.errors import Invalid, Problem
from node.domain.listing import Place, rounded
from node.domain.schema import plain
from node.domain.words import N_
from node.imports.rows.commune import FAR_M, commune_of
from node.imports.rows.position import Columns, position_of
from node.imports.rows.row import Row
from node.places import communes
from node.places.communes import Commune, Position

WIDE_DEPARTMENT = "973"  # communes of Guyane are as wide as a mainland region


def whereabouts(row: Row, columns: Columns, *, exact: bool = True) -> dict[str, Any]:
    """Return the place of a row as plain values; raises Invalid when nothing says where it is.

    Cells that say more or other than the place does stay with the rest. A position that is not
    `exact` is blurred to about 300 m.
    """
    position = position_of(row, columns)
    commune = commune_of(row, columns, position)
    if position is None and commune is None:
        message = N_("Nothing says where it is: no position, no commune.")
        raise Invalid([Problem(columns.lat or columns.commune, "no_place", message)])
    if position is None:
        row.doubt(columns.lat, "no_position", N_("No position; only the commune is known."))
    elif commune is not None:
        _tell_if_far(row, columns, commune, position)
    return _place(row, columns, commune, position, exact=exact)


def _place(
    row: Row, columns: Columns, commune: Commune | None, position: Position | None, *, exact: bool
) -> dict[str, Any]:
    place: dict[str, Any] = {"name": commune.name if commune else row.raw(columns.commune)[:200]}
    if commune is not None:
        place["insee"] = commune.insee
    if position is not None:
        spot = rounded(Place(lat_e6=position[0], lon_e6=position[1], exact=exact))
        place.update(plain(spot))
    return place


def _tell_if_far(row: Row, columns: Columns, commune: Commune, position: Position) -> None:
    if commune.position is None or commune.department == WIDE_DEPARTMENT:
        return
    away_m = communes.distance_m(commune.position, position)
    if away_m > FAR_M:
        message = N_("The position is %(km)d km from %(name)s (%(insee)s).")
        column = columns.insee or columns.commune or columns.postcode
        names = {"name": commune.name, "insee": commune.insee, "km": round(away_m / 1000)}
        row.doubt(column, "far_from_commune", message, **names)
