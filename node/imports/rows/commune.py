"""The commune of a row, as it is today.

Open data names communes by codes that no longer exist, postcodes typed as codes, and names without
accents. Each hint speaks for communes; the one most is said for is kept, and what speaks against it
is told.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from node.domain.words import N_
from node.imports.rows.position import Columns
from node.imports.rows.row import Row
from node.places import communes
from node.places.communes import Commune, Position

FAR_M = 20_000  # from the middle of a commune; hardly one of mainland France is that wide


def commune_of(row: Row, columns: Columns, position: Position | None) -> Commune | None:
    """Return today's commune of a row: the one its code, postcode and name speak most for.

    Among equals the nearest to the position wins; without any hint the nearest commune is taken.
    What speaks against the commune kept is doubted, and its cells stay with the rest.
    """
    said = _said(row, columns)
    candidates = {each.insee: each for each in _candidates(said)}.values()
    if not candidates:
        return _nearest(row, columns, said, position)
    best = min(candidates, key=lambda c: (-_weight(c, said, position), _distance(c, position)))
    _tell_misfit(row, columns, said, best)
    return best


@dataclass(frozen=True)
class _Said:
    insee: str
    postcode: str
    name: str


def _said(row: Row, columns: Columns) -> _Said:
    insee, postcode, name = (
        row.raw(column) if column else ""
        for column in (columns.insee, columns.postcode, columns.commune)
    )
    if name.isdigit() and postcode and not postcode.isdigit():
        message = N_("Postcode and town were exchanged; read the other way round.")
        row.doubt(columns.postcode, "postcode_town_swapped", message)
        postcode, name = name, postcode
    postcode = postcode.zfill(5) if postcode.isdigit() and len(postcode) == 4 else postcode
    return _Said(insee.upper(), postcode, name)


_NOISE = re.compile(r"\bcedex\b.*|\(.*\)|\d.*", re.IGNORECASE)  # "Lorient Cedex 2", "Paris 12"


def _candidates(said: _Said) -> Iterator[Commune]:
    """Yield the communes that the code, the postcode or the name may mean."""
    coded = communes.find(said.insee)
    if coded is not None:
        yield coded
    yield from communes.by_postcode(said.postcode or said.insee)
    named = communes.by_name(_NOISE.sub("", said.name), limit=100)
    yield from (commune for commune in named if _core(commune.name) == _core(said.name))


def _weight(commune: Commune, said: _Said, position: Position | None) -> int:
    """Return how much is said for a commune: first its code, then its name, then its postcode."""
    weight = 4 * (said.insee == commune.insee) + 2 * (said.insee in commune.former)
    weight += (said.postcode or said.insee) in commune.postcodes
    weight += 2 if _core(commune.name) == _core(said.name) else _begins(commune, said.name)
    return weight + (position is not None and 0 <= _distance(commune, position) < FAR_M)


_ARTICLE = re.compile(r"^(?:le|la|les|l) ")


def _core(name: str) -> str:
    """Return a name without accents, spaces, article and what the post office adds to it."""
    return _ARTICLE.sub("", communes.folded(_NOISE.sub("", name))).replace(" ", "")


def _begins(commune: Commune, written: str) -> bool:
    wanted = communes.folded(_NOISE.sub("", written))
    return bool(wanted) and communes.folded(commune.name).startswith(wanted + " ")


def _distance(commune: Commune, position: Position | None) -> float:
    if position is None or commune.position is None:
        return -float(commune.population or 0)  # the biggest of the name, when nothing else tells
    return communes.distance_m(commune.position, position)


def _nearest(row: Row, columns: Columns, said: _Said, position: Position | None) -> Commune | None:
    near = communes.nearest(*position) if position else None
    if near is not None:
        message = N_("No commune is named; %(name)s (%(insee)s) is the nearest.")
        column = columns.insee or columns.commune or "geometry"
        row.doubt(column, "commune_by_position", message, name=near.name, insee=near.insee)
    elif said.insee or said.name:
        row.doubt(columns.insee or columns.commune, "commune_unknown", N_("No such commune."))
    row.keep(column for column in (columns.insee, columns.postcode, columns.commune) if column)
    return near


def _tell_misfit(row: Row, columns: Columns, said: _Said, commune: Commune) -> None:
    read_as = {"name": commune.name, "insee": commune.insee}
    if said.insee and said.insee != commune.insee:
        code, message = _code_misfit(said.insee, commune)
        row.give_back(columns.insee, code, message, written=said.insee, **read_as)
    if said.postcode and said.postcode not in commune.postcodes:
        message = N_("%(written)s is no postcode of %(name)s.")
        row.doubt(columns.postcode, "postcode_doubtful", message, written=said.postcode, **read_as)
    elif said.name and not said.insee and not _is_named(commune, said.name):
        message = N_("“%(written)s” is no commune of today; read as %(name)s (%(insee)s).")
        row.doubt(columns.commune, "commune_doubtful", message, written=said.name, **read_as)
    if said.postcode and commune.postcodes != (said.postcode,):
        row.keep([columns.postcode])
    if said.name and communes.folded(commune.name) != communes.folded(said.name):
        row.keep([columns.commune])


def _is_named(commune: Commune, written: str) -> bool:
    return _core(commune.name) == _core(written) or _begins(commune, written)


def _code_misfit(code: str, commune: Commune) -> tuple[str, str]:
    if code in commune.former:
        return "former_insee", N_("INSEE code %(written)s stands for %(name)s (%(insee)s) today.")
    if code in commune.postcodes:
        message = N_("%(written)s is a postcode, not an INSEE code; read as %(name)s (%(insee)s).")
        return "postcode_as_insee", message
    message = N_("INSEE code %(written)s does not go with the name; read as %(name)s (%(insee)s).")
    return "insee_doubtful", message
