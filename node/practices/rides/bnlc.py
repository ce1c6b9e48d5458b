"""The national base of carpool places: one row of schema-lieux-covoiturage as a listing.

Source: https://schema.data.gouv.fr/etalab/schema-lieux-covoiturage (0.3.0, 18 columns; the national
base puts its own `id_lieu` before them). Every column has its field:

    id_lieu, id_local   carpool_place.ref, .local_ref     Xlong, Ylat  place (0.1 m)
    nom_lieu            title                             nbre_pl      carpool_place.spaces
    ad_lieu             carpool_place.address             nbre_pmr     .accessible_spaces
    com_lieu, insee     .commune, .insee as written;      duree        .stay_max_minutes
                        place.insee as of today           horaires     .hours
    type                .sort                             proprio      .owner
    date_maj, ouvert    .updated, .open                   lumiere      .lit
    source              .siren                            comm         text
"""

from typing import Any

from node.domain.errors import Invalid, Problem
from node.domain.listing import TEXT_MAX, TITLE_MAX, Source
from node.domain.practice import Importer
from node.domain.words import N_
from node.imports.rows.position import Columns
from node.imports.rows.row import Row
from node.imports.rows.whereabouts import whereabouts

SOURCE = Source(
    name="Base nationale des lieux de covoiturage",
    licence="ODbL 1.0",
    url="https://transport.data.gouv.fr/datasets/base-nationale-des-lieux-de-covoiturage",
)
REQUIRED = ("id_local", "nom_lieu", "insee", "type", "date_maj", "ouvert", "Xlong", "Ylat")
SORTS = (
    "Aire de covoiturage",
    "Sortie d'autoroute",
    "Parking",
    "Supermarché",
    "Parking relais",
    "Délaissé routier",
    "Auto-stop",
)
WHERE = Columns(insee="insee", commune="com_lieu", lat="Ylat", lon="Xlong")
LINE_MAX = 200
ADDRESS_MAX = 300
COUNT_MAX = 100_000


def key(row: Row) -> str:
    """Return the national id of a place, or what the national base would mint for it."""
    if row.cells.get("id_lieu", "").strip():
        return row.key_of(["id_lieu"])
    return row.key_of(["insee", "id_local"])


def body(row: Row) -> dict[str, Any]:
    """Return a carpool place as the plain body; raises Invalid without a name or a position."""
    _tell_gaps(row)
    place = whereabouts(row, WHERE)
    if "lat_e6" not in place:
        message = N_("A carpool place without a position cannot be found.")
        raise Invalid([Problem("Xlong", "no_position", message)])
    title = row.text("nom_lieu", TITLE_MAX)
    if not title:
        raise Invalid([Problem("nom_lieu", "required", N_("Please fill this in."))])
    facts = {name: value for name, value in _facts(row).items() if value not in (None, "")}
    found = {"verb": "meet", "title": title, "place": place, "carpool_place": facts}
    remark = row.text("comm", TEXT_MAX, lines=True)
    return {**found, "text": remark} if remark else found


def _tell_gaps(row: Row) -> None:
    for column in ("insee", "type", "date_maj", "ouvert"):
        if not row.cells.get(column, "").strip():
            row.doubt(column, "gap", N_("The schema wants a value here."))


def _facts(row: Row) -> dict[str, Any]:
    open_now = row.yes_no("ouvert")
    return {
        "ref": row.text("id_lieu", LINE_MAX),
        "local_ref": row.text("id_local", LINE_MAX),
        "sort": _sort(row),
        "address": row.text("ad_lieu", ADDRESS_MAX),
        "commune": row.text("com_lieu", LINE_MAX),
        "insee": row.text("insee", LINE_MAX),
        "updated": row.day("date_maj"),
        "open": True if open_now is None else open_now,
        "siren": _siren(row),
        "spaces": row.count("nbre_pl", COUNT_MAX),
        "accessible_spaces": row.count("nbre_pmr", COUNT_MAX),
        "stay_max_minutes": row.count("duree", COUNT_MAX),
        "hours": row.text("horaires", LINE_MAX),
        "owner": row.text("proprio", LINE_MAX),
        "lit": row.yes_no("lumiere"),
    }


def _sort(row: Row) -> str:
    sort = row.text("type", LINE_MAX)
    if sort and sort not in SORTS:
        message = N_("“%(value)s” is none of the types of the schema.")
        row.doubt("type", "unknown_type", message, value=sort)
    return sort


def _siren(row: Row) -> str:
    siren = row.text("source", LINE_MAX)
    if siren and not (siren.isascii() and siren.isdigit() and len(siren) == 9):
        row.doubt("source", "not_a_siren", N_("Not the nine digits of a SIREN."))
    return siren


BNLC = Importer(reader="csv", body=body, key=key, columns=REQUIRED, source=SOURCE)
