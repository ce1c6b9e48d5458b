"""Carpooling: what a trip and a carpool place say, how they are found, shown and imported."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.capacity import calendar_day
from node.domain.errors import Invalid
from node.domain.listing import Place
from node.domain.schema import plain
from node.imports.rows.row import Row
from node.practices.rides import bnlc
from node.practices.rides.facets import commune_key, facets
from node.practices.rides.practice import PRACTICE
from node.practices.rides.schema import SCHEMA, STOPS_MAX, Ride, Stop
from node.store.catalogue import listings
from tests.world import World

DEMO = Path(bnlc.__file__).with_name("demo.json")
LORIENT = Place(name="Lorient", insee="56121", lat_e6=47_748_000, lon_e6=-3_369_000)
VANNES = Place(name="Vannes", insee="56260")
TYPED = {
    "verb": "drive",
    "weekdays": ["0", "4"],
    "leaves_minute": "7h35",
    "returns_minute": "17:45",
    "seats": "3",
    "share_cents": "3,50",
    "stops": "Hennebont, Auray ;  Landévant",
}
SPOT = {
    "id_lieu": "29020-C-001",
    "id_local": "C-001",
    "nom_lieu": "Aire de Kerlez",
    "ad_lieu": "1451 ZI des Pays Bas. 29510 Briec",
    "com_lieu": "BRIEC",
    "insee": "29020",
    "type": "Aire de covoiturage",
    "date_maj": "2019-08-29",
    "ouvert": "true",
    "source": "222900011",
    "Xlong": "-4.029732",
    "Ylat": "48.100508",
    "nbre_pl": "42",
    "nbre_pmr": "3",
    "duree": "480",
    "horaires": "Mo-Fr 08:00-20:00",
    "proprio": "Département",
    "lumiere": "false",
    "comm": "Présence de sanitaires\net d’eau courante",
}


def typed(**changes: Any) -> Ride:
    body = SCHEMA.clean({**TYPED, **changes}, departure=LORIENT, arrival=VANNES)
    assert isinstance(body, Ride)
    return body


def spot(**cells: str) -> tuple[Ride, Row]:
    row = Row(2, {**SPOT, **cells}, today=20_780)
    body = SCHEMA.read(bnlc.body(row))
    assert isinstance(body, Ride)
    return body, row


# ── what a trip says ─────────────────────────────────────────────────────────────────────────


def test_a_typed_trip_is_a_record_and_is_read_back_the_same() -> None:
    ride = typed()
    assert ride.title == "Lorient – Vannes" and ride.place == LORIENT
    assert (ride.leaves_minute, ride.returns_minute) == (455, 1_065)
    assert (ride.weekdays, ride.seats, ride.share_cents) == ([0, 4], 3, 350)
    assert [stop.name for stop in ride.stops] == ["Hennebont", "Auray", "Landévant"]
    assert SCHEMA.read(plain(ride)) == ride


def test_a_form_that_says_too_little_names_every_gap_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        SCHEMA.clean({"verb": "drive"})
    found = [each.field for each in refused.value.problems]
    assert found == ["departure", "arrival", "day", "leaves_minute", "seats"]


def test_who_looks_for_a_seat_need_not_say_how_many() -> None:
    assert typed(verb="travel", seats="").seats is None


def test_a_carpool_place_needs_a_name_and_a_place_and_no_trip() -> None:
    ride = SCHEMA.clean({"verb": "meet", "title": "Aire du Bois"}, place=LORIENT)
    assert isinstance(ride, Ride) and not ride.is_trip
    with pytest.raises(Invalid) as refused:
        SCHEMA.clean({"verb": "meet"})
    assert [each.field for each in refused.value.problems] == ["place", "title"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"seats": "0"},
        {"seats": "9"},
        {"share_cents": "-1"},
        {"leaves_minute": "24:00"},
        {"weekdays": ["7"]},
        {"verb": "fly"},
        {"stops": ",".join(f"Ville {number}" for number in range(STOPS_MAX + 1))},
    ],
)
def test_what_no_trip_can_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        typed(**wrong)
    assert [each.field for each in refused.value.problems] == list(wrong)


@pytest.mark.parametrize(
    "body",
    [
        {"title": "x"},
        {"title": "x", "verb": "meet"},
        {"title": "x", "verb": "swim"},
        {**plain(typed()), "seats": 0},
        {**plain(typed()), "leaves_minute": 1_440},
        {**plain(typed()), "weekdays": [7]},
        {**plain(typed()), "day": -1},
        {**plain(typed()), "stops": [{"name": "x"}] * (STOPS_MAX + 1)},
        [],
        None,
    ],
)
def test_a_foreign_record_that_makes_no_sense_is_refused(body: object) -> None:
    with pytest.raises(Invalid):
        SCHEMA.read(body)


# ── how it is found ──────────────────────────────────────────────────────────────────────────


def test_a_trip_is_found_by_its_ends_stops_and_days() -> None:
    ride = typed(stops="Pont-l’Abbé", day="2027-03-28")
    ride.stops.append(Stop(name="Aire", insee="56083", ref="56083-C-001"))
    found = set(facets(ride))
    assert {("from", "56121"), ("to", "56260"), ("insee", "56121"), ("verb", "drive")} <= found
    assert {("stop", "pont l abbe"), ("stop", "56083"), ("stop", "56083-C-001")} <= found
    assert {value for name, value in found if name == "weekday"} == {"0", "4", "6"}
    assert calendar_day(ride.day or 0).weekday() == 6


def test_a_carpool_place_is_found_by_commune_and_type() -> None:
    ride, _row = spot(com_lieu="MILIZAC", insee="29149", Xlong="-4.57", Ylat="48.46")
    found = dict(facets(ride))
    assert found["insee"] == "29076" and found["commune"] == "milizac"
    assert found["type"] == "Aire de covoiturage" and found["verb"] == "meet"


@given(st.text(max_size=60))
def test_a_commune_without_a_code_is_named_alike_however_it_is_typed(name: str) -> None:
    assert commune_key(Place(name=name)) == commune_key(Place(name=f" {name.upper().lower()} "))


# ── the national base ────────────────────────────────────────────────────────────────────────

WHERE = {  # column: where its value is in a listing
    "id_lieu": lambda ride: ride.carpool_place.ref,
    "id_local": lambda ride: ride.carpool_place.local_ref,
    "nom_lieu": lambda ride: ride.title,
    "ad_lieu": lambda ride: ride.carpool_place.address,
    "com_lieu": lambda ride: ride.carpool_place.commune,
    "insee": lambda ride: ride.carpool_place.insee,
    "type": lambda ride: ride.carpool_place.sort,
    "date_maj": lambda ride: calendar_day(ride.carpool_place.updated).isoformat(),
    "ouvert": lambda ride: str(ride.carpool_place.open).lower(),
    "source": lambda ride: ride.carpool_place.siren,
    "Xlong": lambda ride: f"{ride.place.lon_e6 / 1e6:.6f}",
    "Ylat": lambda ride: f"{ride.place.lat_e6 / 1e6:.6f}",
    "nbre_pl": lambda ride: str(ride.carpool_place.spaces),
    "nbre_pmr": lambda ride: str(ride.carpool_place.accessible_spaces),
    "duree": lambda ride: str(ride.carpool_place.stay_max_minutes),
    "horaires": lambda ride: ride.carpool_place.hours,
    "proprio": lambda ride: ride.carpool_place.owner,
    "lumiere": lambda ride: str(ride.carpool_place.lit).lower(),
    "comm": lambda ride: ride.text,
}


@pytest.mark.parametrize("column", SPOT)
def test_each_of_the_nineteen_columns_is_in_the_listing(column: str) -> None:
    ride, row = spot()
    assert WHERE[column](ride) == SPOT[column]
    assert row.rest() == [] and len(WHERE) == 19


def test_an_example_of_the_schema_without_id_lieu_gets_the_id_the_base_would_mint() -> None:
    row = Row(2, {name: cell for name, cell in SPOT.items() if name != "id_lieu"}, today=20_780)
    SCHEMA.read(bnlc.body(row))
    assert bnlc.key(row) == "29020-C-001" == bnlc.key(Row(2, SPOT))


def test_empty_optional_columns_say_nothing_rather_than_zero() -> None:
    empty = dict.fromkeys(("nbre_pl", "nbre_pmr", "duree", "lumiere", "horaires", "comm"), "")
    ride, row = spot(**empty)
    facts = plain(ride)["carpool_place"]
    assert not {"spaces", "accessible_spaces", "stay_max_minutes", "lit"} & set(facts)
    assert not row.doubts


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"type": "Parking de luxe"}, "unknown_type"),
        ({"source": "12345"}, "not_a_siren"),
        ({"date_maj": "2026-12-13"}, "future"),
        ({"date_maj": "24-06-2019"}, "day_format"),
        ({"date_maj": ""}, "gap"),
        ({"nbre_pl": "une vingtaine"}, "not_a_number"),
        ({"nbre_pl": "1e99"}, "not_a_number"),
        ({"ouvert": "parfois"}, "not_yes_no"),
        ({"comm": "appeler le 02 97 12 34 56"}, "contact_in_text"),
        ({"Xlong": "48.100508", "Ylat": "-4.029732"}, "swapped"),
        (
            {"insee": "29149", "com_lieu": "MILIZAC", "Xlong": "-4.57", "Ylat": "48.46"},
            "former_insee",
        ),
    ],
)
def test_what_is_odd_is_kept_and_told(cells: dict[str, str], code: str) -> None:
    _ride, row = spot(**cells)
    assert code in [each.code for each in row.doubts]


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"nom_lieu": ""}, "nom_lieu"),
        ({"Xlong": ""}, "Xlong"),
        ({"Xlong": "NaN", "Ylat": "Infinity"}, "Xlong"),
        ({"Xlong": "", "Ylat": "", "insee": "", "com_lieu": ""}, "Ylat"),
    ],
)
def test_a_place_without_name_or_position_is_refused_naming_the_column(
    cells: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        spot(**cells)
    assert refused.value.problems[0].field == field


# ── demonstration and pages ──────────────────────────────────────────────────────────────────


def demo() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DEMO.read_text(encoding="utf-8"))
    return found


def test_the_demonstration_has_trips_for_each_town_and_nothing_personal() -> None:
    towns = [each["town"] for each in demo()]
    assert min(towns.count(name) for name in ("lorient", "quimper", "vannes")) >= 12
    for each in demo():
        ride = SCHEMA.read({name: value for name, value in each.items() if name != "town"})
        assert isinstance(ride, Ride) and ride.is_trip and facets(ride)
        assert "@" not in ride.text and sum(c.isdigit() for c in ride.text) < 9


@pytest.fixture(scope="module")
def lorient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    place = World(tmp_path_factory.mktemp("world")).found("Lorient")
    yield place
    place.town.close()


def page_of(place: Any, body: Ride, lang: str) -> str:
    with place.inside() as town:
        record = town.journal.publish(PRACTICE.kind, plain(body))
        code = listings.find(record.origin, record.key).code
    answer = place.app.test_client().get(f"/a/{code}?lang={lang}")
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            "fr",
            (
                "Propose un trajet",
                "lundi, vendredi",
                "7\u00a0h\u00a035",
                "3,50\u00a0€",
                "Hennebont",
            ),
        ),
        ("en", ("Offers a ride", "Monday, Friday", "07:35", "€3.50")),
        ("br", ("A ginnig un droiad", "Lun, Gwener")),
    ],
)
def test_a_trip_is_shown_in_three_languages(
    lorient: Any, lang: str, words: tuple[str, ...]
) -> None:
    page = page_of(lorient, typed(), lang)
    assert not [word for word in words if word not in page]


def test_a_carpool_place_is_shown_with_all_its_facts(lorient: Any) -> None:
    ride, _row = spot()
    page = page_of(lorient, ride, "fr")
    for word in (
        "Aire de covoiturage",
        "1451 ZI",
        "42",
        "Mo-Fr",
        "Département",
        "222900011",
        "2019",
    ):
        assert word in page
