"""Other shapes than the national base: GeoJSON and CSV by a mapping, shown and shared."""

import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.domain.errors import DomainError
from node.store.catalogue import holdings
from node.store.catalogue.listings import Listing
from tests.node.import_town import bnlc, bodies, bring, counts, spot
from tests.world import Place, World


@pytest.fixture
def lorient(tmp_path: Path) -> Iterator[Place]:
    place = World(tmp_path).found("Lorient")
    yield place
    place.town.close()


BOXES = (
    "practice=directory",
    "key=id",
    "title=nom",
    "sort:=boite_a_livres",
    "postcode=cp",
    "commune=ville",
)
SAID = {"source": "Ville de Lorient", "licence": "Licence Ouverte 2.0"}


def test_geojson_with_options_becomes_listings(lorient: Place, tmp_path: Path) -> None:
    def item(id: int, geometry: object, **more: object) -> dict[str, object]:
        properties = {"id": id, "nom": f"Boîte {id}", "ville": "Lorient", **more}
        return {"type": "Feature", "geometry": geometry, "properties": properties}

    square = [[[-3.37, 47.74], [-3.36, 47.74], [-3.36, 47.75], [-3.37, 47.75], [-3.37, 47.74]]]
    tree = {
        "type": "FeatureCollection",
        "features": [
            item(1, {"type": "Point", "coordinates": [-3.37, 47.75]}),
            item(2, {"type": "Point", "coordinates": [47.75, -3.37]}),
            item(3, None),
            item(4, None, ville=""),
            item(5, {"type": "Polygon", "coordinates": square}),
            item(6, {"type": "LineString", "coordinates": [[-3.3, 47.7], [-3.2, 47.7]]}),
            item(7, {"type": "Point", "coordinates": [float("nan"), float("inf")]}, ville=""),
            item(8, {"type": "Point", "coordinates": [-3.36, 47.74]}, note="<b>gras</b>"),
        ],
    }
    path = tmp_path / "boites.geojson"
    path.write_text(json.dumps(tree), encoding="utf-8")
    report = bring(lorient, path, "geojson", options=BOXES, **SAID)
    assert counts(report) == {"new": 5, "rejected": 3}
    assert report.reasons() == {"no_place": 2, "geometry": 1}
    doubts = report.doubts()
    assert (doubts["swapped"], doubts["no_position"], doubts["area"], doubts["html"]) == (
        1,
        1,
        1,
        1,
    )
    assert bodies(lorient)["Boîte 8"]["extra"] == [["note", "<b>gras</b>"]]
    assert bodies(lorient)["Boîte 2"]["place"]["lat_e6"] == 47_750_000
    assert counts(bring(lorient, path, "geojson", options=BOXES, **SAID)) == {
        "unchanged": 5,
        "rejected": 3,
    }


def test_imported_html_and_links_never_become_markup_on_a_page(
    lorient: Place, tmp_path: Path
) -> None:
    path = tmp_path / "boites.csv"
    path.write_text(
        "id,nom,ville,texte,note\n"
        "1,<script>alert(1)</script>,Lorient,<img src=x onerror=alert(2)>,<i>n</i>\n",
        encoding="utf-8",
    )
    report = bring(lorient, path, "csv", options=(*BOXES, "text=texte"), **SAID)
    assert report.doubts()["html"] == 3
    with lorient.inside():
        code = Listing.select().get().code
    page = lorient.app.test_client().get(f"/a/{code}").get_data(as_text=True)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for markup in ("<script>alert", "<img src=x", "<i>n</i>"):
        assert markup not in page


def test_a_column_the_mapping_reads_and_the_file_lacks_is_told(
    lorient: Place, tmp_path: Path
) -> None:
    path = tmp_path / "boites.csv"
    path.write_text("id,nom,ville\n1,Boîte,Lorient\n", encoding="utf-8")
    report = bring(lorient, path, "csv", options=(*BOXES, "text=remarqe"), **SAID)
    assert counts(report) == {"new": 1}
    assert [(note.field, note.code) for note in report.notes] == [
        ("remarqe", "column_absent"),
        ("cp", "column_absent"),
    ]
    with pytest.raises(DomainError) as refused:
        bring(lorient, path, "csv", options=(*BOXES, "title=name"), **SAID)
    assert refused.value.code == "columns_missing"


def test_a_licence_typed_with_loose_accents_and_spaces_is_kept_in_its_one_form(
    lorient: Place, tmp_path: Path
) -> None:
    path = tmp_path / "boites.csv"
    path.write_text("id,nom,ville\n1,Boîte,Lorient\n", encoding="utf-8")
    loose = unicodedata.normalize("NFD", "  Données  libres\n")
    bring(lorient, path, "csv", options=BOXES, source="Ville", licence=loose)
    assert bodies(lorient)["Boîte"]["source"]["licence"] == "Données libres"


def test_a_practice_without_the_fields_of_the_file_still_keeps_its_columns(
    lorient: Place, tmp_path: Path
) -> None:
    path = tmp_path / "objets.csv"
    path.write_text("ref;objet;etat;ville\n1;Perceuse;rouge;Lorient\n", encoding="utf-8")
    options = (
        "practice=lending", "key=ref", "title=objet", "commune=ville", "object:=bricolage",
        "verb:=preter", "condition:=bon", "owner:=library",
    )  # fmt: skip
    report = bring(lorient, path, "csv", options=options, **SAID)
    assert counts(report) == {"new": 1}
    assert bodies(lorient)["Perceuse"]["extra"] == [["etat", "rouge"]]


def test_imported_listings_cross_to_a_partner_with_their_source(tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    world.folder.mkdir()
    lorient, quimper = world.found("Lorient"), world.found("Quimper")
    world.pair("Lorient", "Quimper")
    bring(lorient, bnlc(tmp_path, [spot(1), spot(2)]))
    world.sync()
    with quimper.inside():
        found = list(Listing.select().where(Listing.origin == lorient.town.id))
        assert {row.title for row in found} == {"Aire 1", "Aire 2"}
        assert {row.source for row in found} == {"Base nationale des lieux de covoiturage"}
        assert not holdings.of_source("Base nationale des lieux de covoiturage")
    bring(lorient, bnlc(tmp_path, [spot(1)]))
    world.sync()
    with quimper.inside():
        live = Listing.select().where(Listing.state == "published")
        assert {row.title for row in live} == {"Aire 1"}
