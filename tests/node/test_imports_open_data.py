"""Real open data, where a copy lies beside the project: nothing crashes, every surprise is told."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from federation import codec
from node.domain.errors import DomainError
from node.imports.report import Report
from node.imports.run import import_file
from node.store.catalogue.listings import Listing
from tests.world import Place, World

DATA = Path(__file__).parents[2].parent / "shared/data"
NAMED = {"source": "Essai", "licence": "Licence des essais"}
FILES = {  # file: (format, rows, what else must be said)
    "covoiturage/bnlc_morbihan_finistere.csv": ("bnlc", 155, {}),
    "covoiturage/bnlc_reste_france.csv": ("bnlc", 1_852, {}),
    "covoiturage/schema-lieux-covoiturage/exemple-valide.csv": ("bnlc", 1, {}),
    "covoiturage/schema-lieux-covoiturage/exemple-invalide.csv": ("bnlc", 2, {}),
    "tiers-lieux/maplabbzh_morbihan_finistere.geojson": ("maplabbzh", 63, {}),
    "tiers-lieux/maplabbzh_cp_vide_ou_hors_56_29_22_35.geojson": ("maplabbzh", 11, {}),
    "tiers-lieux/fablabs_io_france_2017_hors_ouest.json": ("fablabs-io", 119, NAMED),
    "partage/boites_a_livres_morbihan_finistere.geojson": ("boites-a-livres", 268, {}),
    "partage/boites_a_livres_cp_anormal.geojson": ("boites-a-livres", 7, {}),
    "partage/reemploi_reparation_vrac_loire_atlantique_osm.json": ("reemploi-osm", 104, {}),
    "ess/transiscope_deux_sevres.json": ("transiscope", 47, NAMED),
    "jardins/jardins_partages_strasbourg.geojson": (
        "geojson",
        58,
        {
            **NAMED,
            "options": ("practice=directory", "key=id", "title=name", "sort:=jardin_partage"),
        },
    ),
    "formation/mednum_bourgogne_franche_comte.csv": (
        "csv",
        697,
        {
            **NAMED,
            "options": (
                "practice=directory", "key=bfc_id", "title=nom_structure", "sort:=numerique",
                "lat=lat", "lon=lon", "postcode=code_postal", "commune=ville", "address=adresse",
            ),
        },
    ),
}  # fmt: skip
AMAP = (
    "practice=directory", "key=NomAmap,NomExploitation", "title=NomAmap", "sort:=amap",
    "lat=LATAMAP", "lon=LONGAMAP",
)  # fmt: skip

SURPRISES = {  # what the person who imports must be told of, by code
    "covoiturage/bnlc_reste_france.csv": {
        "future": 1,
        "same_position": 6,
        "former_insee": 16,
        "insee_doubtful": 3,
        # 23 postcodes that are no commune's code today, and 24 that happen to be the code of
        # some other commune of the department: the name and the position tell
        "postcode_as_insee": 47,
    },
    "covoiturage/schema-lieux-covoiturage/exemple-invalide.csv": {
        "swapped": 1,
        "insee_doubtful": 1,
        "day_format": 1,
    },
    "partage/boites_a_livres_cp_anormal.geojson": {
        "postcode_town_swapped": 3,
        "far_from_commune": 3,
    },
}

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="no copy of the open data in ../shared/data"
)


@pytest.fixture
def town(tmp_path: Path) -> Place:
    return World(tmp_path).found("Lorient")


def bring(place: Place, name: str) -> Report:
    format, _rows, how = FILES[name]
    return run(place, DATA / name, format, **how)


def run(place: Place, path: Path, format: str, **how: Any) -> Report:
    with place.inside() as town:
        now_ms = town.clock.now_ms()
        return import_file(town.journal, town.registry, path, format=format, now_ms=now_ms, **how)


@pytest.mark.parametrize("name", FILES)
def test_every_row_is_a_listing_or_a_rejection_and_the_second_run_changes_nothing(
    town: Place, name: str
) -> None:
    first = bring(town, name)
    assert first.rows == FILES[name][1]
    assert first.new + first.rejected == first.rows
    with town.inside():
        live = Listing.select().where(Listing.state == "published")
        assert live.count() == first.new
        bodies = [codec.loads(row.body) for row in live]
    assert all(body["source"]["licence"] and body["source"]["ref"] for body in bodies)
    second = bring(town, name)
    assert (second.unchanged, second.rejected) == (first.new, first.rejected)
    assert SURPRISES.get(name, {}).items() <= first.doubts().items()
    assert second.new == second.changed == second.renewed == second.withdrawn == 0


def told(report: Report, code: str) -> dict[int, dict[str, object]]:
    return {each.line: each.problem.params for each in report.warnings if each.problem.code == code}


def test_the_surprises_of_brittanys_carpool_places_are_told(town: Place) -> None:
    report = bring(town, "covoiturage/bnlc_morbihan_finistere.csv")
    assert report.doubts() == {"former_insee": 1, "far_from_commune": 1}
    (milizac,) = told(report, "former_insee").values()
    assert (milizac["written"], milizac["insee"]) == ("29149", "29076")
    (kercado,) = told(report, "far_from_commune").values()
    assert kercado["insee"] == "56034"


def test_mail_addresses_typed_as_addresses_of_book_boxes_are_not_published(town: Place) -> None:
    report = bring(town, "partage/boites_a_livres_morbihan_finistere.geojson")
    assert report.doubts()["contact_in_text"] == 6
    with town.inside():
        for row in Listing.select():
            assert "@" not in str(codec.loads(row.body)), row.title


def test_contacts_of_fab_labs_are_withheld_and_counted(town: Place) -> None:
    report = bring(town, "tiers-lieux/maplabbzh_morbihan_finistere.geojson")
    assert report.withheld == Counter({"email": 24, "tel": 15})
    assert report.doubts()["html"] == 18


def test_two_files_about_the_same_places_tell_what_is_listed_already(town: Place) -> None:
    bring(town, "tiers-lieux/maplabbzh_morbihan_finistere.geojson")
    path = DATA / "tiers-lieux/maplabbzh_morbihan_finistere.geojson"
    again = run(town, path, "maplabbzh", source="Une autre copie")
    assert again.doubts()["listed_already"] == 63


def test_exchanged_coordinates_of_the_amap_are_put_back(town: Place) -> None:
    path = DATA / "alimentation/amap_producteurs_loire_atlantique.csv"
    report = run(town, path, "csv", options=AMAP, **NAMED)
    assert report.rows == 301 and report.new + report.rejected == 301
    assert report.doubts()["swapped"] == report.new
    with town.inside():
        assert all(46_000_000 < row.lat_e6 < 48_500_000 for row in Listing.select())


def test_gardens_drawn_as_areas_are_shown_at_their_centre(town: Place) -> None:
    path = DATA / "jardins/jardins_familiaux_strasbourg_2024.geojson"
    options = ("practice=directory", "key=NOM", "title=NOM", "sort:=jardin_partage")
    report = run(town, path, "geojson", options=options, **NAMED)
    assert report.rows == report.new + report.rejected == 145
    assert set(report.reasons()) <= {"no_key", "reference_twice", "required"}
    assert report.doubts()["area"] == 145


def test_a_file_of_javascript_is_refused_whole(town: Place) -> None:
    with pytest.raises(DomainError) as refused:
        run(town, DATA / "ess/gogocarto/elements.js", "json", **NAMED, options=AMAP)
    assert refused.value.code == "not_json"
