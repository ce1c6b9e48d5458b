"""The rows of a JSON file: GeoJSON features (RFC 7946) or the objects of a plain list.

Numbers keep the text they were written with, so that no size, NaN or Infinity can hurt here.
Objects inside objects become columns with a dot ("address.city"), lists one line for each value.
"""

import json
from collections.abc import Iterable
from typing import Any

from node.domain.errors import Invalid, Problem
from node.domain.words import N_
from node.imports.sheets.geometry import position_of
from node.imports.sheets.line import Line, one_line

DEPTH_MAX = 6
CELL_MAX = 20_000  # far more than a listing keeps; what is longer is told there


def json_lines(text: str, *, geojson: bool) -> tuple[tuple[str, ...], list[Line]]:
    """Return (columns, lines) of a JSON text: of a FeatureCollection, or of a list of objects.

    Raises Invalid when it is no JSON, nested too deep, or holds no such list.
    """
    tree = _parsed(text)
    items = tree.get("features") if geojson and isinstance(tree, dict) else tree
    if not isinstance(items, list):
        message = (
            N_("Not a GeoJSON collection of features.") if geojson else N_("Not a list of objects.")
        )
        raise Invalid([Problem("file", "no_list", message)])
    read = _feature if geojson else _object
    lines = [read(number, item) for number, item in enumerate(items, 1)]
    columns = dict.fromkeys(column for line in lines for column in line.cells)
    return tuple(columns), lines


def _parsed(text: str) -> Any:
    try:
        return json.loads(
            text,
            parse_int=str,
            parse_float=str,
            parse_constant=str,
            object_pairs_hook=_object_of,
        )
    except RecursionError:
        raise Invalid([Problem("file", "too_deep", N_("The JSON is nested too deep."))]) from None
    except json.JSONDecodeError as error:
        message = N_("Not JSON: %(reason)s at line %(line)d, column %(column)d.")
        params = {"reason": error.msg, "line": error.lineno, "column": error.colno}
        raise Invalid([Problem("file", "not_json", message, params)]) from None


def _object_of(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of its pairs; a name that comes again is kept as "name (2)"."""
    found: dict[str, Any] = {}
    for written, value in pairs:
        name = one_line(written) or "?"
        spelled, turn = name, 2
        while spelled in found:
            spelled, turn = f"{name} ({turn})", turn + 1
        found[spelled] = value
    return found


def _feature(number: int, item: Any) -> Line:
    if not isinstance(item, dict) or item.get("type") != "Feature":
        return Line(number, fault=Problem("", "not_a_feature", N_("Not a GeoJSON feature.")))
    properties = item.get("properties") or {}
    if not isinstance(properties, dict):
        message = N_("The properties are not an object.")
        return Line(number, fault=Problem("properties", "not_an_object", message))
    cells = _cells(properties)
    others = {name: item[name] for name in item if name not in _MEMBERS}
    cells.update({f"feature.{name}": value for name, value in _cells(others).items()})
    position = position_of(item.get("geometry"))
    fault = position.fault or _fault(cells)
    return Line(number, cells, position.point, fault, position.doubt)


_MEMBERS = ("type", "geometry", "properties", "bbox")


def _object(number: int, item: Any) -> Line:
    if not isinstance(item, dict):
        return Line(number, fault=Problem("", "not_an_object", N_("Not an object.")))
    cells = _cells(item)
    return Line(number, cells, fault=_fault(cells))


def _fault(cells: dict[str, str]) -> Problem | None:
    for column, cell in cells.items():
        if cell == _TOO_DEEP:
            return Problem(column, "too_deep", N_("Nested too deep."))
        if "\0" in cell:
            return Problem(column, "nul", N_("Holds a NUL character."))
    return None


_TOO_DEEP = "\0 deep"


def _cells(tree: dict[str, Any]) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, value in tree.items():
        _flatten(name, value, cells, 0)
    return cells


def _flatten(name: str, value: Any, cells: dict[str, str], depth: int) -> None:
    if isinstance(value, dict | list) and depth >= DEPTH_MAX:
        cells[name] = _TOO_DEEP
    elif isinstance(value, dict):
        for inner, each in value.items():
            _flatten(f"{name}.{inner}", each, cells, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _flatten(name, each, cells, depth + 1)
    elif len(cells.setdefault(name, "")) < CELL_MAX:
        cells[name] = f"{cells[name]}\n{_written(value)}".removeprefix("\n")[:CELL_MAX]


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
