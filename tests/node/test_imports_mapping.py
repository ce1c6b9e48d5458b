"""Mappings: what a TOML file or options say, and a row filling in a form by it."""

from pathlib import Path
from typing import Any

import pytest

from node.domain.errors import Invalid
from node.domain.practice import Registry
from node.imports.mapped import mapped
from node.imports.mapping import FieldMap, read_mapping
from node.imports.order import formats, order_of
from node.imports.rows.row import Row
from node.practices.directory.formats import FOLDER
from node.practices.directory.practice import PRACTICE as DIRECTORY
from node.practices.lending.practice import PRACTICE as LENDING
from node.practices.rides.practice import PRACTICE as RIDES

REGISTRY = Registry((LENDING, RIDES, DIRECTORY))
MAPPING = """
practice = "directory"
key = "id"
leave = ["photo"]
[source]
name = "Fablabs"
licence = "CC BY 4.0"
[place]
postcode = "cp"
commune = "ville"
[labels]
twitter = "Twitter"
[fields]
title = "nom"
text = ["resume", "suite"]
sort = { column = "type", values = { fablabMIT = "fablab" }, otherwise = "tiers_lieu" }
links = { columns = ["web", "fil"], as = "links" }
confirmed = { column = "maj", as = "day" }
address = { text = "{rue}, {@commune}" }
"""
CELLS = {
    "id": "7", "nom": "N°4", "resume": "Un atelier.", "suite": "Deux soirs.", "type": "fablabMIT",
    "web": "www.n4.example", "fil": "https://n4.example/fil", "maj": "03/09/2026",
    "rue": "15 rue Galilée", "cp": "56270", "ville": "ploemeur", "photo": "x.jpg",
    "twitter": "@n4", "email": "contact@n4.example",
}  # fmt: skip


def mapping_of(tmp_path: Path, text: str, options: tuple[str, ...] = ()) -> FieldMap:
    path = tmp_path / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    return read_mapping(path, options)


def body_of(mapping: FieldMap, **cells: str) -> tuple[dict[str, Any], Row]:
    row = Row(3, {**CELLS, **cells}, ("-3.40837", "47.74043"), today=20_780)
    return mapped(mapping, DIRECTORY, "geojson").body(row), row


def refused(call: Any, *args: Any, **named: Any) -> str:
    with pytest.raises(Invalid) as error:
        call(*args, **named)
    return error.value.code


def test_a_row_fills_in_the_form_as_the_mapping_says(tmp_path: Path) -> None:
    body, row = body_of(mapping_of(tmp_path, MAPPING))
    assert body["title"] == "N°4" and body["text"] == "Un atelier.\n\nDeux soirs."
    assert (body["sort"], body["category"]) == ("fablab", "production_distribuee")
    assert body["links"] == ["http://www.n4.example", "https://n4.example/fil"]
    assert body["address"] == "15 rue Galilée, Ploemeur"
    assert body["confirmed"] == 20_699
    assert body["place"]["insee"] == "56162" and body["place"]["exact"] is True
    assert [pair[0] for pair in row.rest()] == ["id", "type", "Twitter"]
    assert row.left == ["photo"] and row.withheld == ["email"]


def test_a_value_the_mapping_does_not_know_is_told_and_the_cell_kept(tmp_path: Path) -> None:
    body, row = body_of(mapping_of(tmp_path, MAPPING), type="hakerspace")
    assert body["sort"] == "tiers_lieu"
    assert "unknown_value" in [each.code for each in row.doubts]
    assert ["type", "hakerspace"] in row.rest()


def test_what_is_no_link_stays_as_it_is_written_and_scripts_never_become_links(
    tmp_path: Path,
) -> None:
    body, row = body_of(mapping_of(tmp_path, MAPPING), web="javascript:alert(1)", fil="@n4")
    assert "links" not in body or body["links"] == []
    assert ["web", "javascript:alert(1)"] in row.rest()


def test_a_field_that_is_refused_is_left_out_and_its_cell_kept(tmp_path: Path) -> None:
    spelled = (
        'sort = { column = "type", values = { fablabMIT = "fablab" }, otherwise = "tiers_lieu" }'
    )
    plain = 'sort = "type"\ncategory = { value = "production_distribuee" }'
    text = MAPPING.replace(spelled, plain)
    assert text != MAPPING
    body, row = body_of(mapping_of(tmp_path, text), type="soucoupe")
    assert "sort" not in body and body["category"] == "production_distribuee"
    assert ["type", "soucoupe"] in row.rest()
    assert [(each.field, each.code) for each in row.doubts if each.field == "type"] == [
        ("type", "unknown_choice")
    ]


def test_a_row_without_a_title_is_refused_naming_the_column(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as error:
        body_of(mapping_of(tmp_path, MAPPING), nom=" ")
    assert [(each.field, each.code) for each in error.value.problems] == [("nom", "required")]


def test_contacts_are_public_only_where_the_mapping_says_so(tmp_path: Path) -> None:
    _body, row = body_of(mapping_of(tmp_path, 'publish = ["email"]\n' + MAPPING))
    assert ["email", "contact@n4.example"] in row.rest() and not row.withheld


@pytest.mark.parametrize(
    "text",
    [
        "practice = ",
        'colour = "red"',
        '[fields]\ntitle = { colum = "nom" }',
        '[place]\nlatitude = "y"',
        '[fields]\ntitle = { column = "nom", as = "shout" }',
        "key = 7",
    ],
)
def test_a_mapping_with_a_wrong_word_is_refused_whole(tmp_path: Path, text: str) -> None:
    assert refused(mapping_of, tmp_path, text) in ("mapping", "invalid")


def test_a_mapping_must_know_the_fields_of_its_practice_a_title_and_a_key(tmp_path: Path) -> None:
    for text in (
        'key = "id"\n[fields]\ntitle = "nom"\nseats = "places"',
        'key = "id"\n[fields]\ntitle = "nom"\nplace = "ville"',
        'key = "id"\n[fields]\ntext = "nom"',
        '[fields]\ntitle = "nom"',
    ):
        assert refused(mapped, mapping_of(tmp_path, text), DIRECTORY, "csv") == "mapping"


def test_options_say_what_a_file_would(tmp_path: Path) -> None:
    options = ("practice=directory", "key=id", "title=nom,suite", "sort:=fablab", "lat=y", "lon=x")
    mapping = read_mapping(None, options)
    assert mapping.practice == "directory" and mapping.key_columns == ["id"]
    assert mapping.spelling("title").sources == ("nom", "suite")
    assert mapping.spelling("sort").value == "fablab" and mapping.place.lat == "y"
    assert refused(read_mapping, None, ["title"]) == "mapping"
    assert refused(read_mapping, tmp_path, []) == "mapping"


def test_nothing_is_imported_without_a_source_and_a_licence(tmp_path: Path) -> None:
    bare = mapping_of(tmp_path, 'practice = "directory"\nkey = "id"\n[fields]\ntitle = "nom"')
    assert refused(order_of, REGISTRY, "csv", bare) == "no_source"
    assert refused(order_of, REGISTRY, "csv", bare, name="Ville") == "no_licence"
    assert refused(order_of, REGISTRY, "csv", bare, name="Ville", licence=" ") == "no_licence"
    order = order_of(REGISTRY, "csv", bare, name="Ville", licence="ODbL 1.0")
    assert (order.source.name, order.source.licence) == ("Ville", "ODbL 1.0")


def test_a_plain_shape_needs_a_practice_and_an_unknown_format_is_named(tmp_path: Path) -> None:
    assert refused(order_of, REGISTRY, "csv", FieldMap(), name="a", licence="b") == "no_practice"
    assert refused(order_of, REGISTRY, "xlsx", FieldMap()) == "no_format"


def test_every_mapping_of_the_directory_is_a_format_of_its_own() -> None:
    names = {path.stem for path in FOLDER.glob("*.toml")}
    assert names and names | {"bnlc", "csv", "geojson", "json"} == set(formats(REGISTRY))
