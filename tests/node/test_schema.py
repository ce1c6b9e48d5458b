"""What is typed or signed elsewhere becomes a body the rules can trust, or is Invalid."""

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from federation import codec
from node.domain.errors import Invalid
from node.domain.listing import PLACE_ROUNDING_E6, ListingBody, Place, rounded
from node.domain.schema import KINDS, Field, Schema, checked, plain, said, tidy, typed
from node.pages.formats import typed_dates

CHOICES = (("a", "A"), ("b", "B"))
FIELDS = tuple(Field(kind, kind, kind.title(), maximum=1_000, choices=CHOICES) for kind in KINDS)
SCHEMA = Schema("test.thing/1", ListingBody, (Field("title", "text", "Title", required=True),))


def problem(kind: str, text: str, **more: Any) -> str:
    """Return the code of the refusal of a text in a field, "" if it is taken."""
    field = Field("it", kind, "It", **{"maximum": 1_000, "choices": CHOICES, **more})
    try:
        typed((field,), {"it": text})
    except Invalid as invalid:
        return invalid.problems[0].code
    return ""


def value(kind: str, text: str) -> Any:
    """Return what a field makes of a text."""
    return typed((Field("it", kind, "It", choices=CHOICES),), {"it": text}).get("it")


@given(st.dictionaries(st.sampled_from(KINDS), st.text(max_size=40)))
def test_whatever_is_typed_is_kept_or_refused_by_name(form: dict[str, str]) -> None:
    try:
        values = typed(FIELDS, form)
    except Invalid as invalid:
        assert {each.field for each in invalid.problems} <= set(form)
    else:
        assert set(values) <= set(KINDS)


@given(st.sampled_from([each for each in KINDS if each not in ("text", "long")]))
def test_no_field_takes_digits_of_other_scripts_or_signs(kind: str) -> None:
    for text in ("١٢", "²", "-1", "+1", "1e3", "1_0", "0x1", "NaN", "∞", "1.5.2"):
        assert kind in ("place", "photos", "check") or problem(kind, text)


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("text", "  Échelle \t 3 m ", "Échelle 3 m"),
        ("long", "un\r\ndeux\rtrois", "un\ndeux\ntrois"),
        ("count", "1 000", 1_000),
        ("count", "0", 0),
        ("cents", "12,50", 1_250),
        ("cents", "12.5 €", 1_250),
        ("cents", "12", 1_200),
        ("cents", "1 234,05 €", 123_405),
        ("cents", "0,01", 1),
        ("day", "2026-11-27", 20_784),
        ("day", "2028-02-29", 21_243),
        ("dates", "24/12/2026", [(20_811, 20_811)]),
        ("dates", "2026-12-24 - 2027-01-02\r\n\r\n1/5/2027", [(20_811, 20_820), (20_939, 20_939)]),
        ("dates", "du 24/12/2026 au 02/01/2027\n24/12/2026 au 2/1/2027", [(20_811, 20_820)]),
        ("dates", "29/02/2028", [(21_243, 21_243)]),
        ("time", "7:35", 455),
        ("time", "7h35", 455),
        ("time", "7h", 420),
        ("time", "23:59", 1_439),
        ("days", "5,2", [2, 5]),
        ("days", "2,2", [2]),
        ("choice", "b", "b"),
        ("check", "1", True),
        ("check", "", False),
        ("check", "0", False),
        ("check", "no", False),
    ],
)
def test_a_field_reads_what_people_write(kind: str, text: str, kept: object) -> None:
    assert value(kind, text) == kept


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        ("count", "1001", "out_of_range"),
        ("count", "beaucoup", "not_a_number"),
        ("count", "9" * 10, "not_a_number"),
        ("cents", "10,01", "out_of_range"),
        ("cents", "1,234", "not_an_amount"),
        ("cents", "12,5x", "not_an_amount"),
        ("cents", "-3", "not_an_amount"),
        ("cents", ",50", "not_an_amount"),
        ("day", "2027-02-29", "not_a_day"),
        ("day", "27/11/2026", "not_a_day"),
        ("time", "24:00", "not_a_time"),
        ("time", "7:60", "not_a_time"),
        ("time", "midi", "not_a_time"),
        ("days", "7", "not_a_weekday"),
        ("days", "lundi", "not_a_weekday"),
        ("dates", "Noël", "not_dates"),
        ("dates", "31/02/2027", "not_dates"),
        ("dates", "02/01/2027 - 24/12/2026", "not_dates"),
        ("dates", "1/1/2027 2/1/2027 3/1/2027", "not_dates"),
        ("dates", "1/1/2027\n" * 41, "too_long"),
        ("choice", "c", "unknown_choice"),
        ("text", "x" * 201, "too_long"),
    ],
)
def test_a_field_refuses_with_a_stable_code(kind: str, text: str, code: str) -> None:
    assert problem(kind, text) == code


def test_days_are_typed_again_as_they_were_read() -> None:
    spans = [(20_811, 20_811), (20_820, 20_900)]
    assert value("dates", typed_dates(spans)) == spans


def test_what_is_left_empty_is_as_usual_once_the_others_are_known() -> None:
    def usual(said: Mapping[str, Any]) -> dict[str, Any]:
        return {"text": "short" if said["title"] == "Clou" else "long"}

    fields = (Field("title", "text", "Title", required=True), Field("text", "text", "Text"))
    schema = Schema("x.y/1", ListingBody, fields, usual)
    assert schema.clean({"title": "Clou"}).text == "short"
    assert schema.clean({"title": "Échelle"}).text == "long"
    assert schema.clean({"title": "Clou", "text": "rouillé"}).text == "rouillé"


def test_every_field_that_needs_mending_is_named_at_once() -> None:
    fields = (
        Field("title", "text", "Title", required=True),
        Field("copies", "count", "Copies"),
        Field("day", "day", "Day"),
    )
    with pytest.raises(Invalid) as refused:
        typed(fields, {"title": "  ", "copies": "many", "day": "soon"})
    codes = {each.field: each.code for each in refused.value.problems}
    assert codes == {"title": "required", "copies": "not_a_number", "day": "not_a_day"}


def test_several_ticked_values_are_heard_however_the_form_is_held() -> None:
    ticked = MultiDict([("days", "2"), ("days", "5")])
    for form in (ticked, {"days": ["2", "5"]}, {"days": "2,5"}):
        assert typed((Field("days", "days", "Days"),), form) == {"days": [2, 5]}
    assert said({}, "days") == ""


@given(st.text(max_size=60))
@example("a\u202eb\u2066c\x00d\ud7ff")
def test_tidy_text_is_tidy_and_stays_so(text: str) -> None:
    kept = tidy(text)
    assert tidy(kept) == kept == unicodedata.normalize("NFC", kept)
    assert kept == kept.strip()
    assert not any(unicodedata.category(c) == "Cc" and c != "\n" for c in kept)
    assert not set(kept) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


jsonish = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9) | st.integers(0, 23), inner, max_size=4)
    ),
    max_leaves=12,
)
names = st.sampled_from([*ListingBody.__struct_fields__, "x"])


@given(jsonish | st.dictionaries(names, jsonish, max_size=6))
def test_a_foreign_body_is_read_or_invalid(body: object) -> None:
    try:
        read = SCHEMA.read(body)
    except Invalid as invalid:
        assert invalid.problems[0].code == "invalid"
    else:
        assert isinstance(read, ListingBody)


@given(
    st.builds(
        dict,
        title=st.text(min_size=1, max_size=40).map(tidy).filter(bool),
        text=st.text(max_size=90).map(tidy),
        who=st.sampled_from(("town", "partners")),
        ends=st.none() | st.integers(0, 30_000),
        photos=st.lists(
            st.builds(
                dict,
                hash=st.binary(min_size=32, max_size=32),
                width=st.integers(1, 1280),
                height=st.integers(1, 1280),
                size=st.integers(1, 200_000),
                alt=st.sampled_from(("", "Une remorque")),
            ),
            max_size=2,
        ),
        place=st.none()
        | st.builds(
            dict,
            name=st.sampled_from(("", "Gare")),
            lat_e6=st.none() | st.integers(-90_000_000, 90_000_000),
            exact=st.booleans(),
        ),
    )
)
def test_a_body_comes_back_the_same_from_its_record(values: dict[str, Any]) -> None:
    body = checked(ListingBody, values)
    raw = codec.dumps(plain(body))
    again = SCHEMA.read(codec.loads(raw))
    assert again == body
    assert codec.dumps(plain(again)) == raw


def test_unknown_keys_of_a_newer_version_are_let_be() -> None:
    assert SCHEMA.read({"title": "Tente", "colour": "red", "wheels": [1, 2]}).title == "Tente"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"title": "x", "text": "y" * 4_001}, "text"),
        ({"title": "x", "who": "everybody"}, "who"),
        ({"title": "x", "state": "gone"}, "state"),
        ({"title": "x", "ends": -1}, "ends"),
        ({"title": "x", "photos": [{"hash": b"short"}]}, "photos"),
        ({"title": "x", "place": {"lat_e6": 90_000_001}}, "place.lat_e6"),
    ],
)
def test_a_foreign_body_is_refused_by_the_field_at_fault(body: object, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        SCHEMA.read(body)
    assert refused.value.problems[0].field == field


@given(
    st.integers(-90_000_000, 90_000_000),
    st.integers(-180_000_000, 180_000_000),
    st.booleans(),
)
def test_a_place_is_shown_to_within_300_m_unless_it_is_public(
    lat: int, lon: int, exact: bool
) -> None:
    place = Place(name="Gare", lat_e6=lat, lon_e6=lon, exact=exact)
    shown = rounded(place)
    assert shown.lat_e6 is not None and shown.lon_e6 is not None
    if exact:
        assert shown == place
    else:
        assert shown.lat_e6 % PLACE_ROUNDING_E6 == shown.lon_e6 % PLACE_ROUNDING_E6 == 0
        assert abs(shown.lat_e6 - lat) <= PLACE_ROUNDING_E6 // 2
        assert abs(shown.lon_e6 - lon) <= PLACE_ROUNDING_E6 // 2


def test_the_kinds_of_fields_are_those_the_forms_draw() -> None:
    inputs = Path(__file__).parents[2] / "node/pages/templates/macros/inputs.html"
    drawn = inputs.read_text("utf-8")
    missing = [kind for kind in KINDS if kind != "text" and f'"{kind}"' not in drawn]
    assert not missing, json.dumps(missing)
