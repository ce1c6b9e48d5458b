"""One row in careful hands: nothing lost, nothing personal out, and where it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.errors import Invalid
from node.imports.rows.personal import MASK, is_personal_column, without_contacts
from node.imports.rows.position import Columns, is_in_france, millionths
from node.imports.rows.row import Row
from node.imports.rows.whereabouts import whereabouts

TODAY = 20_780  # 2026-11-23
WHERE = Columns(insee="insee", postcode="cp", commune="ville", lat="lat", lon="lon")
LORIENT = {"lat": "47.7483", "lon": "-3.3701"}


def row(point: tuple[str, str] | None = None, **cells: str) -> Row:
    return Row(7, cells, point, today=TODAY)


def doubts(one: Row) -> list[str]:
    return [each.code for each in one.doubts]


# ── cells ────────────────────────────────────────────────────────────────────────────────────


def test_what_no_field_took_stays_in_the_order_of_the_columns() -> None:
    one = row(a="1", b="", c="3", d="4")
    assert one.text("c", 100) == "3"
    assert one.rest() == [["a", "1"], ["d", "4"]]
    assert one.kept == ["a", "d"]


def test_a_label_names_a_column_that_stays() -> None:
    one = row(horaires="9 h")
    one.labels = {"horaires": "Opening hours"}
    assert one.rest() == [["Opening hours", "9 h"]]


def test_a_column_left_out_on_purpose_is_named() -> None:
    one = row(a="1", b="2", empty="")
    one.leave(["b", "empty"])
    assert one.rest() == [["a", "1"]] and one.left == ["b"]


@pytest.mark.parametrize(
    ("cell", "number", "code"),
    [
        ("42", 42, ""),
        ("42.0", 42, ""),
        ("", None, ""),
        ("beaucoup", None, "not_a_number"),
        ("-3", None, "not_a_number"),
        ("1e9", None, "not_a_number"),
        ("9" * 400, None, "not_a_number"),
        ("100001", None, "not_a_number"),
        ("٤٢", None, "not_a_number"),
    ],
)
def test_a_number_is_read_or_stays_as_it_is_written(cell: str, number: object, code: str) -> None:
    one = row(n=cell)
    assert one.count("n", 100_000) == number
    assert doubts(one) == ([code] if code else [])
    assert one.rest() == ([["n", cell]] if code else [])


@pytest.mark.parametrize(
    ("cell", "answer", "code"),
    [("true", True, ""), ("Non", False, ""), ("", None, ""), ("peut-être", None, "not_yes_no")],
)
def test_a_yes_or_no_is_read_or_stays_as_it_is_written(
    cell: str, answer: object, code: str
) -> None:
    one = row(q=cell)
    assert one.yes_no("q") is answer
    assert doubts(one) == ([code] if code else [])
    assert bool(one.rest()) == bool(code)


@pytest.mark.parametrize(
    ("cell", "day", "codes"),
    [
        ("2026-11-23", TODAY, []),
        ("2026-11-23 09:29:22", TODAY, []),
        ("2026-12-13", TODAY + 20, ["future"]),
        ("24-06-2019", 18_071, ["day_format"]),
        ("24/06/2019", 18_071, ["day_format"]),
        ("2019-02-30", None, ["not_a_day"]),
        ("31/31/2019", None, ["not_a_day"]),
        ("hier", None, ["not_a_day"]),
        ("1969-01-01", 0, []),
    ],
)
def test_a_day_is_read_or_stays_as_it_is_written(cell: str, day: object, codes: object) -> None:
    one = row(d=cell)
    assert one.day("d") == day
    assert doubts(one) == codes


def test_html_and_formulas_stay_the_characters_they_are_and_are_told() -> None:
    one = row(a="<script>alert(1)</script>", b='=HYPERLINK("http://x")', c="a < b & c > d")
    values = [value for _label, value in one.rest()]
    assert values[:2] == ["<script>alert(1)</script>", '=HYPERLINK("http://x")']
    assert set(doubts(one)) == {"html", "formula"}


def test_an_html_line_break_is_a_line_break() -> None:
    one = row(a="Pôle associatif<br />38, rue du Breil")
    assert one.text("a", 100, lines=True) == "Pôle associatif\n38, rue du Breil"


def test_control_and_direction_characters_are_taken_out() -> None:
    one = row(a="pla\x07ce\u202e!\tici")
    assert one.text("a", 100) == "place! ici"
    assert doubts(one) == ["control_characters"]


def test_what_is_too_long_is_cut_told_and_kept_whole_beside() -> None:
    one = row(title="x" * 300)
    assert one.text("title", 120) == "x" * 119 + "…"
    assert doubts(one) == ["shortened"]
    assert one.rest() == [["title", "x" * 300]]


def test_a_reference_is_read_from_its_columns_and_must_be_there() -> None:
    assert row(insee="56121", local="C-001").key_of(["insee", "local"]) == "56121-C-001"
    with pytest.raises(Invalid) as refused:
        row(id=" ").key_of(["id"])
    assert refused.value.code == "no_key"


def test_a_reference_that_is_long_or_a_contact_is_not_published_as_it_is() -> None:
    assert len(row(id="x" * 500).key_of(["id"])) == 32
    assert "@" not in row(id="jean@laposte.net").key_of(["id"])
    assert row(email="1").key_of(["email"]) != "1"


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=50), max_size=8))
def test_every_cell_is_kept_withheld_or_empty(cells: dict[str, str]) -> None:
    one = Row(1, cells)
    one.rest()
    assert set(one.kept).isdisjoint(one.withheld)
    gone = set(cells) - set(one.kept) - set(one.withheld)
    masked = {each.field for each in one.doubts if each.code == "contact_in_text"}
    assert all(not Row(1, cells).raw(column) or column in masked for column in gone)


# ── contacts ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "column",
    ["email", "E-mail", "tel", "Téléphone", "contact_tel", "contact:phone", "tel 2", "Fax",
     "nom_contact", "courriel", "mails", "Prénom"],
)  # fmt: skip
def test_columns_of_contacts_are_known_by_name(column: str) -> None:
    assert is_personal_column(column)


@pytest.mark.parametrize(
    "column",
    ["hotel", "url", "titre", "service:mobile_phone:repair", "détail", "date_maj", "address.city"],
)
def test_other_columns_are_not_taken_for_contacts(column: str) -> None:
    assert not is_personal_column(column)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("appelez le 02 97 12 34 56 svp", f"appelez le {MASK} svp"),
        ("0297123456.", f"{MASK}."),
        ("+33 1 (0)9.81.29.17.31", MASK),
        ("écrire à jean.dupont@laposte.net", f"écrire à {MASK}"),
        ("225600014", "225600014"),
        ("2023-11-24 09:29:22", "2023-11-24 09:29:22"),
        ("48.6085394, -4.2988327", "48.6085394, -4.2988327"),
        ("Cré@vallée Nord", "Cré@vallée Nord"),
        ("https://x.fr/0297123456", "https://x.fr/0297123456"),
    ],
)
def test_contacts_in_a_text_are_masked_and_nothing_else(text: str, public: str) -> None:
    assert without_contacts(text) == public


def test_contacts_stay_out_unless_their_column_is_meant_to_be_public() -> None:
    cells = {"email": "contact@fablab.example", "adresse": "x@laposte.net", "nom": "Fablab"}
    one = Row(1, cells)
    assert one.rest() == [["nom", "Fablab"]]
    assert one.withheld == ["email"] and doubts(one) == ["contact_in_text"]
    public = Row(1, cells, publish=frozenset({"email"}))
    assert ["email", "contact@fablab.example"] in public.rest()


# ── positions ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-3.3701", -3_370_100),
        ("47,7483", 47_748_300),
        ("1.5e-05", 15),
        ("180", 180_000_000),
        ("180.1", None),
        ("NaN", None),
        ("Infinity", None),
        ("1e400", None),
        ("1_0", None),
        ("٤", None),
        ("9" * 5_000, None),
        ("0x10", None),
        ("", None),
    ],
)
def test_degrees_are_decimal_and_within_bounds(text: str, value: int | None) -> None:
    assert millionths(text) == value


@given(st.floats())
def test_any_float_is_degrees_or_nothing(number: float) -> None:
    value = millionths(repr(number))
    assert value is None or abs(value - number * 1_000_000) <= 1


def test_exchanged_latitude_and_longitude_are_put_back_and_told() -> None:
    one = row(lat="-3.3701", lon="47.7483")
    place = whereabouts(one, WHERE)
    assert (place["lat_e6"], place["lon_e6"]) == (47_748_300, -3_370_100)
    assert "swapped" in doubts(one)


def test_reunion_is_in_france_and_its_exchange_is_seen_too() -> None:
    assert is_in_france(-21_100_000, 55_500_000)
    one = row(lat="55.5", lon="-21.1", insee="97411")
    assert whereabouts(one, WHERE)["lat_e6"] == -21_100_000


def test_a_position_abroad_is_kept_and_told() -> None:
    one = row(lat="52.52", lon="13.40", ville="Lorient")
    assert whereabouts(one, WHERE)["lat_e6"] == 52_520_000
    assert "outside_france" in doubts(one)


@pytest.mark.parametrize(
    ("lat", "lon"), [("0", "0"), ("NaN", "NaN"), ("47.7", ""), ("4 rue", "x"), ("95", "170")]
)
def test_an_unreadable_position_leaves_the_commune_and_its_cells(lat: str, lon: str) -> None:
    one = row(lat=lat, lon=lon, insee="56121")
    place = whereabouts(one, WHERE)
    assert place == {"name": "Lorient", "insee": "56121"}
    assert "not_degrees" in doubts(one) and "no_position" in doubts(one)
    assert ["lat", lat] in one.rest()


def test_a_row_that_is_nowhere_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        whereabouts(row(name="x"), WHERE)
    assert refused.value.code == "no_place"


def test_a_position_that_is_not_exact_is_blurred() -> None:
    place = whereabouts(row(**LORIENT), WHERE, exact=False)
    assert place["lat_e6"] % 3_000 == 0 and "exact" not in place


def test_both_coordinates_may_stand_in_one_cell() -> None:
    one = row(coord="48.6085394, -4.2988327")
    assert whereabouts(one, Columns(lat_lon="coord"))["lon_e6"] == -4_298_833


# ── communes ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cells", "insee", "code"),
    [
        ({"insee": "29149", "ville": "MILIZAC"}, "29076", "former_insee"),
        ({"insee": "69382", "ville": "Lyon 2e Arrondissement"}, "69123", "former_insee"),
        ({"insee": "03330", "ville": "BELLENAVES"}, "03022", "postcode_as_insee"),
        # 59380 is a postcode and the former code of a part of Dunkirk
        ({"insee": "59380", "ville": "QUAEDYPRE"}, "59478", "postcode_as_insee"),
        ({"insee": "33000", "ville": "villandraut"}, "33547", "insee_doubtful"),
        ({"insee": "76000", "ville": "Dieppe"}, "76217", "insee_doubtful"),
        ({"cp": "56000", "ville": "VANNES CEDEX"}, "56260", ""),
        ({"cp": "56390", "ville": "Grandchamp"}, "56067", ""),
        ({"cp": "56700", "ville": "hennebont"}, "56083", ""),
        ({"cp": "1000", "ville": "Bourg-en-Bresse"}, "01053", ""),
        ({"cp": "56450", "ville": "Theix"}, "56251", ""),
        ({"cp": "56950", "ville": "Crac h"}, "56046", ""),
        ({"cp": "QUIMPERLE", "ville": "29300"}, "29233", "postcode_town_swapped"),
        ({"cp": "017", "ville": "Saint xandre"}, "17414", "postcode_doubtful"),
        ({"cp": "58870", "ville": "Larmor-baden"}, "56106", "postcode_doubtful"),
        ({"cp": "29740", "ville": "Lesconil"}, "29165", "commune_doubtful"),
    ],
)
def test_the_commune_of_today_is_found_and_what_is_odd_is_told(
    cells: dict[str, str], insee: str, code: str
) -> None:
    one = Row(1, cells)
    assert whereabouts(one, WHERE)["insee"] == insee
    assert (code in doubts(one)) if code else doubts(one) == ["no_position"]


def test_a_postcode_that_is_also_another_communes_code_is_told_apart_by_name_and_place() -> None:
    one = row(insee="59310", ville="ORCHIES", lat="50.476651", lon="3.249671")
    assert whereabouts(one, WHERE)["insee"] == "59449"  # 59310 is Hon-Hergies, 44 km away
    assert doubts(one) == ["postcode_as_insee"]


def test_a_commune_far_from_its_position_is_kept_and_told() -> None:
    one = row(insee="56034", ville="CARNAC", lat="47.803", lon="-3.36")
    place = whereabouts(one, WHERE)
    assert place["insee"] == "56034" and place["lat_e6"] == 47_803_000
    (doubt,) = one.doubts
    assert doubt.code == "far_from_commune" and 20 <= int(str(doubt.params["km"])) <= 40


def test_without_a_name_the_nearest_commune_is_taken_and_told() -> None:
    one = row(**LORIENT)
    assert whereabouts(one, WHERE)["insee"] == "56121"
    assert doubts(one) == ["commune_by_position"]


def test_cells_that_say_other_than_the_place_stay() -> None:
    one = row(insee="29149", ville="MILIZAC", cp="29290")
    whereabouts(one, WHERE)
    assert one.rest() == [["insee", "29149"], ["ville", "MILIZAC"]]


TEXT = st.text(max_size=12) | st.sampled_from(["56121", "56100", "Lorient", "0", "-3.4", "47.7"])


@given(st.fixed_dictionaries(dict.fromkeys(("insee", "cp", "ville", "lat", "lon"), TEXT)))
def test_no_cells_at_all_break_the_search_for_a_place(cells: dict[str, str]) -> None:
    one = Row(1, cells)
    try:
        place = whereabouts(one, WHERE)
    except Invalid as refused:
        assert refused.code == "no_place"
        return
    assert place.get("insee") or "lat_e6" in place
