"""Files as lines: which may be read at all, and what hostile or careless ones come to."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.errors import DomainError
from node.imports.sheets import opening
from node.imports.sheets.csv_lines import csv_lines
from node.imports.sheets.json_lines import json_lines
from node.imports.sheets.opening import Sheet, open_sheet


def written(tmp_path: Path, content: bytes | str, name: str = "file") -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def codes(sheet: Sheet) -> list[str]:
    return [note.code for note in sheet.notes]


def refusal(path: Path, reader: str = "csv", **how: str) -> str:
    with pytest.raises(DomainError) as refused:
        open_sheet(path, reader, **how)
    return refused.value.code


def features(*found: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": found})


def feature(geometry: object = None, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


# ── what may be read at all ──────────────────────────────────────────────────────────────────


def test_a_folder_an_empty_and_a_missing_file_are_refused_with_a_reason(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "folder"
    assert refusal(tmp_path / "none") == "unreadable"
    assert refusal(written(tmp_path, b"")) == "empty"
    assert refusal(written(tmp_path, b" \n\r\n ")) == "empty"
    assert refusal(written(tmp_path, "id,name\n")) == "no_rows"


def test_a_pipe_is_refused_without_being_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert refusal(pipe) == "no_file"


def test_a_file_beyond_the_limit_is_refused_by_its_size_alone(tmp_path: Path) -> None:
    path = tmp_path / "one_line_of_200_MB"
    with path.open("wb") as stream:
        stream.truncate(200_000_000)  # a hole: it takes no room on the disk
    assert refusal(path) == "too_big"


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "ROWS_MAX", 2)
    assert refusal(written(tmp_path, "id\n1\n2\n3\n")) == "too_many_rows"


# ── text ─────────────────────────────────────────────────────────────────────────────────────


def test_a_byte_order_mark_is_taken_off_and_told(tmp_path: Path) -> None:
    sheet = open_sheet(written(tmp_path, b"\xef\xbb\xbfid,nom\n1,Auray\n"), "csv")
    assert sheet.columns == ("id", "nom") and codes(sheet) == ["bom"]


def test_windows_1252_is_read_and_told(tmp_path: Path) -> None:
    sheet = open_sheet(written(tmp_path, "id,nom\n1,Quimperlé œuvre\n".encode("cp1252")), "csv")
    assert sheet.lines[0].cells["nom"] == "Quimperlé œuvre" and codes(sheet) == ["not_utf_8"]


def test_utf_16_from_a_spreadsheet_is_read_and_told(tmp_path: Path) -> None:
    sheet = open_sheet(written(tmp_path, "id\tnom\n1\tÉtel\n".encode("utf-16")), "csv")
    assert sheet.lines[0].cells == {"id": "1", "nom": "Étel"}
    assert codes(sheet) == ["utf_16", "delimiter"]


def test_a_spreadsheet_file_is_no_text(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, b"PK\x03\x04\x14\x00\x06\x00")) == "not_text"


def test_bytes_of_no_encoding_are_refused(tmp_path: Path) -> None:
    assert refusal(written(tmp_path, b"id\n\x81\x8d\xff\n")) == "encoding"


def test_an_encoding_that_is_said_is_kept_to(tmp_path: Path) -> None:
    path = written(tmp_path, "id,nom\n1,Étel\n".encode("latin-1"))
    assert open_sheet(path, "csv", encoding="latin-1").lines[0].cells["nom"] == "Étel"
    assert refusal(path, encoding="utf-8") == "encoding"
    assert refusal(path, encoding="rot13") == "encoding"


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────


def test_lines_count_as_an_editor_counts_them(tmp_path: Path) -> None:
    text = 'id,nom\n1,Auray\n\n2,"deux\nlignes"\n3,Étel\n'
    sheet = open_sheet(written(tmp_path, text), "csv")
    assert [(line.number, line.cells["id"]) for line in sheet.lines] == [
        (2, "1"),
        (4, "2"),
        (6, "3"),
    ]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_another_delimiter_is_found_and_told(tmp_path: Path, mark: str) -> None:
    sheet = open_sheet(written(tmp_path, f"id{mark}nom\n1{mark}Vannes, port\n"), "csv")
    assert sheet.lines[0].cells == {"id": "1", "nom": "Vannes, port"}
    assert codes(sheet) == ["delimiter"]


def test_a_row_of_too_few_or_too_many_cells_is_at_fault_alone(tmp_path: Path) -> None:
    sheet = open_sheet(written(tmp_path, "a,b\n1,2\n1\n1,2,3\n4,5\n"), "csv")
    assert [line.fault.code if line.fault else "" for line in sheet.lines] == [
        "",
        "cells",
        "cells",
        "",
    ]


@pytest.mark.parametrize("text", ['a,b\n1,2\n3,"four\n5,6\n7,8\n', 'a,b\n1,2\n"3,4\n5,6\n7,8\n'])
def test_an_open_quote_costs_the_rows_it_swallows_and_says_how_far(
    tmp_path: Path, text: str
) -> None:
    sheet = open_sheet(written(tmp_path, text), "csv")
    assert [(line.number, bool(line.fault)) for line in sheet.lines] == [(2, False), (3, True)]
    fault = sheet.lines[1].fault
    assert fault is not None and fault.params["until"] == 5


def test_a_closed_quote_with_lines_in_it_is_no_fault(tmp_path: Path) -> None:
    sheet = open_sheet(written(tmp_path, 'a,b\n1,"deux\nlignes"'), "csv")
    assert sheet.lines[0].fault is None and sheet.lines[0].cells["b"] == "deux\nlignes"


def test_a_cell_longer_than_csv_allows_is_a_fault_and_the_rest_is_read(tmp_path: Path) -> None:
    text = "a,b\n1," + "x" * 1_000_000 + "\n2,y\n"
    sheet = open_sheet(written(tmp_path, text), "csv")
    assert [line.fault.code if line.fault else "" for line in sheet.lines] == ["unreadable", ""]


def test_a_nul_character_is_a_fault_of_its_row(tmp_path: Path) -> None:
    text = "a,b\n" + "1,2\n" * 500 + "3,x\0y\n4,5\n"
    faults = [line.fault for line in open_sheet(written(tmp_path, text), "csv").lines if line.fault]
    assert [(fault.code, fault.field) for fault in faults] == [("nul", "b")]


def test_columns_of_one_name_or_none_are_kept_apart_and_told(tmp_path: Path) -> None:
    sheet = open_sheet(written(tmp_path, "nom,nom,,nom\n1,2,3,4\n"), "csv")
    assert sheet.columns == ("nom", "nom (2)", "column 3", "nom (3)")
    assert codes(sheet) == ["column_twice", "column_nameless", "column_twice"]


@given(st.text(max_size=300))
def test_no_text_at_all_breaks_the_reader_of_csv(text: str) -> None:
    try:
        columns, lines = csv_lines(text, "", [])
    except DomainError:
        return
    assert all(line.fault or tuple(line.cells) == columns for line in lines)


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────


def test_items_are_counted_from_one_and_objects_become_columns_with_dots(tmp_path: Path) -> None:
    tree = [{"id": 1, "address": {"city": "Auray"}, "links": ["a", "b"], "tags": [{"name": "x"}]}]
    sheet = open_sheet(written(tmp_path, json.dumps(tree)), "json")
    assert sheet.counted_in == "item" and sheet.lines[0].number == 1
    cells = {"id": "1", "address.city": "Auray", "links": "a\nb", "tags.name": "x"}
    assert sheet.lines[0].cells == cells


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "not_json"),
        ('{"type": "FeatureCollection"}', "no_list"),
        ('"a"', "no_list"),
        ("[" * 100_000, "too_deep"),
        ('{"features": ' + "[" * 5_000 + "]" * 5_000 + "}", "too_deep"),
    ],
)
def test_what_is_no_geojson_is_refused_with_a_reason(tmp_path: Path, text: str, code: str) -> None:
    assert refusal(written(tmp_path, text), "geojson") == code


def test_numbers_keep_the_text_they_came_with(tmp_path: Path) -> None:
    text = '[{"big": 1' + "0" * 10_000 + ', "not": NaN, "far": -Infinity, "long": 1e400}]'
    cells = open_sheet(written(tmp_path, text), "json").lines[0].cells
    assert len(cells["big"]) == 10_001
    assert (cells["not"], cells["far"], cells["long"]) == ("NaN", "-Infinity", "1e400")


def test_a_name_that_comes_twice_in_an_object_keeps_both_values(tmp_path: Path) -> None:
    lines = open_sheet(written(tmp_path, '[{"a": 1, "a": 2}]'), "json").lines
    assert lines[0].cells == {"a": "1", "a (2)": "2"}


def test_an_item_nested_too_deep_or_of_another_kind_is_at_fault_alone() -> None:
    deep: object = "x"
    for _ in range(20):
        deep = {"in": deep}
    _columns, lines = json_lines(
        json.dumps([{"a": deep}, 7, {"a": "b\0"}, {"a": "ok"}]), geojson=False
    )
    found = [line.fault.code if line.fault else "" for line in lines]
    assert found == ["too_deep", "not_an_object", "nul", ""]


def test_a_long_list_of_values_takes_no_more_than_a_cell() -> None:
    _columns, lines = json_lines(json.dumps([{"a": ["x"] * 200_000}]), geojson=False)
    assert len(lines[0].cells["a"]) <= 20_000


@pytest.mark.parametrize(
    ("geometry", "point", "fault"),
    [
        ({"type": "Point", "coordinates": [-3.37, 47.75]}, ("-3.37", "47.75"), ""),
        ({"type": "Point", "coordinates": [-3.37, 47.75, 12]}, ("-3.37", "47.75"), ""),
        ({"type": "Point", "coordinates": []}, ("", ""), ""),
        ({"type": "Point"}, ("", ""), ""),
        (None, None, ""),
        ({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, None, "geometry"),
        ({"type": "GeometryCollection", "geometries": []}, None, "geometry"),
        ({"type": "Polygon", "coordinates": [[["a", "b"]]]}, None, "geometry"),
        ({"type": "Polygon", "coordinates": 7}, None, "geometry"),
        ("here", None, "geometry"),
        ([], None, "geometry"),
    ],
)
def test_a_geometry_is_a_position_or_a_reason(geometry: object, point: object, fault: str) -> None:
    _columns, (line,) = json_lines(features(feature(geometry, id=1)), geojson=True)
    assert line.point == point
    assert (line.fault.code if line.fault else "") == fault


def test_an_area_is_shown_at_the_centre_of_its_biggest_part_and_doubted() -> None:
    small = [[[0, 0], [0.1, 0], [0.1, 0.1], [0, 0.1], [0, 0]]]
    big = [[[2, 40], [4, 40], [4, 44], [2, 44], [2, 40]]]
    geometry = {"type": "MultiPolygon", "coordinates": [small, big]}
    _columns, (line,) = json_lines(features(feature(geometry, id=1)), geojson=True)
    assert line.point == ("3.000000", "42.000000")
    assert line.doubt is not None and line.doubt.code == "area"


def test_members_of_a_feature_beside_its_properties_are_kept() -> None:
    item = {**feature({"type": "Point", "coordinates": [1, 45]}, nom="x"), "id": "node/7", "v": 2}
    _columns, (line,) = json_lines(features(item), geojson=True)
    assert line.cells == {"nom": "x", "feature.id": "node/7", "feature.v": "2"}


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.lists(JSON, max_size=5), st.booleans())
def test_no_json_at_all_breaks_the_reader_of_json(items: list[object], geojson: bool) -> None:
    text = json.dumps({"features": items} if geojson else items)
    _columns, lines = json_lines(text, geojson=geojson)
    assert [line.number for line in lines] == list(range(1, len(items) + 1))
    assert all(isinstance(cell, str) for line in lines for cell in line.cells.values())


@given(JSON)
def test_no_geometry_at_all_breaks_the_reader_of_geojson(geometry: object) -> None:
    for kind in ("Point", "Polygon", "MultiPolygon"):
        shape = {"type": kind, "coordinates": geometry}
        _columns, (line,) = json_lines(features(feature(shape)), geojson=True)
        assert line.fault or line.point is not None
