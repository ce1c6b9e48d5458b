"""The communes of France and the little map: real files, real towns."""

import math
import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.places import communes, outline
from node.places.outline import Dot

FOLDER = Path(communes.__file__).parent
POSITIONS = st.tuples(st.integers(-90_000_000, 90_000_000), st.integers(-180_000_000, 180_000_000))


def test_a_current_code_gives_its_commune() -> None:
    lorient = communes.find("56121")
    assert lorient is not None
    assert (lorient.name, lorient.department, lorient.postcodes) == ("Lorient", "56", ("56100",))
    assert lorient.population is not None and lorient.population > 50_000


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("29149", "Milizac-Guipronvel"),
        ("35267", "Maen Roch"),  # still written in the national base of carpool places
        ("56095", "Lorient"),  # Keryado
        ("75111", "Paris"),  # a district
    ],
)
def test_a_former_code_gives_the_commune_of_today(former: str, now: str) -> None:
    found = communes.find(former)
    assert found is not None
    assert (found.name, former in found.former) == (now, True)


@pytest.mark.parametrize("code", ["", "0", "99999", "5612", "561210", "56121\t", "é", "🌊"])
def test_an_unknown_code_gives_nothing(code: str) -> None:
    assert communes.find(code) is None


def test_no_code_is_both_former_and_current() -> None:
    gazetteer = communes._gazetteer()
    assert all(gazetteer.row_of(old) is None for old in gazetteer.former)


def test_every_commune_is_found_by_its_code_and_its_name(rng: random.Random) -> None:
    lines = communes._gazetteer().lines
    assert len(lines) > 34_000
    for line in rng.sample(lines, 200):
        code, name, *_rest = line.decode().split("\t")
        found = communes.find(code)
        assert found is not None and found.name == name
        assert all(
            one.name and communes.folded(one.name) == communes.folded(name)
            for one in communes.by_name(name)
        )
        assert any(one.insee == code for one in communes.by_name(name, limit=1000))


def test_a_postcode_lists_its_communes_the_largest_first() -> None:
    names = [commune.name for commune in communes.by_postcode("56400")]
    assert names[0] == "Auray" and "Brech" in names
    assert communes.by_postcode("00000") == []


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("LORIENT", "Lorient"),
        ("  saint ave ", "Saint-Avé"),
        ("St-Avé", "Saint-Avé"),
        ("hoedic", "Hœdic"),
        ("quimp", "Quimper"),
        ("L'Île-d'Arz", "Île-d'Arz"),
    ],
)
def test_a_name_is_found_however_it_is_typed(typed: str, name: str) -> None:
    found = communes.by_name(typed) or communes.by_name(typed.partition("'")[2])
    assert found[0].name == name


@pytest.mark.parametrize("typed", ["", "   ", "-", "zzzz", "\x00"])
def test_no_name_finds_nothing(typed: str) -> None:
    assert communes.by_name(typed) == []


def test_brittany_is_covered() -> None:
    """Every commune of the four departments has a position, inside Brittany."""
    rows = [line.decode().split("\t") for line in communes._gazetteer().lines]
    breton = [row for row in rows if row[2] in ("22", "29", "35", "56")]
    assert len(breton) > 1_150
    outside = [r[1] for r in breton if not (-5.2 < float(r[7]) < -0.9 and 47.2 < float(r[6]) < 49)]
    assert outside == []


def test_almost_all_of_france_has_a_position() -> None:
    lines = communes._gazetteer().lines
    assert sum(line.endswith(b"\t") for line in lines) < 120


def test_nearest_is_the_town_hall_nearby() -> None:
    near = communes.nearest(47_746_000, -3_365_000)
    assert near is not None and near.name == "Lorient"
    assert communes.nearest(45_000_000, -10_000_000) is None  # the open sea


def test_nearest_finds_each_town_hall_again() -> None:
    for insee in ("56121", "29232", "56260", "2A004", "97411", "59350"):
        commune = communes.find(insee)
        assert commune is not None and commune.position is not None
        assert communes.nearest(*commune.position) == commune


def test_lorient_is_47_km_from_vannes() -> None:
    lorient, vannes = communes.find("56121"), communes.find("56260")
    assert lorient and vannes and lorient.position and vannes.position
    assert 46_000 < communes.distance_m(lorient.position, vannes.position) < 48_000


@given(POSITIONS, POSITIONS)
def test_a_distance_is_the_same_both_ways_and_at_most_half_the_earth(
    a: tuple[int, int], b: tuple[int, int]
) -> None:
    there, back = communes.distance_m(a, b), communes.distance_m(b, a)
    assert there == pytest.approx(back, abs=0.01)
    assert 0 <= there <= math.pi * communes.EARTH_RADIUS_M + 1
    assert communes.distance_m(a, a) == 0


def dots(*codes: str) -> list[Dot]:
    found = [communes.find(code) for code in codes]
    return [
        Dot(one.name, *one.position, count=10, here=one.insee == codes[0])
        for one in found
        if one and one.position
    ]


def test_the_map_of_three_towns_shows_the_coast_and_says_whose_it_is() -> None:
    drawn = outline.around(dots("56121", "29232", "56260"))
    assert drawn.credit == outline.CREDIT
    assert len(drawn.land) > 1  # islands
    assert sum(map(len, drawn.land)) < 8_000
    assert [town.here for town in drawn.towns] == [True, False, False]


def test_west_is_left_and_north_is_up() -> None:
    lorient, quimper, vannes = outline.around(dots("56121", "29232", "56260")).towns
    assert quimper.x < lorient.x < vannes.x
    assert quimper.y < lorient.y < vannes.y


@pytest.mark.parametrize("codes", [("56121",), ("75056", "69123"), ("97411",), ("56121", "75056")])
def test_a_map_is_drawn_wherever_towns_are(codes: tuple[str, ...]) -> None:
    drawn = outline.around(dots(*codes))
    assert drawn.land
    for town in drawn.towns:
        assert 0 < town.x < drawn.width and 0 < town.y < drawn.height


def test_a_map_needs_a_town() -> None:
    with pytest.raises(ValueError):
        outline.around([])


@given(
    st.lists(
        st.tuples(
            st.text("abcdefghij", min_size=1, max_size=20),
            st.integers(-90_000_000, 90_000_000),
            st.integers(-180_000_000, 180_000_000),
            st.none() | st.integers(0, 10_000),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_any_towns_make_a_map_of_whole_numbers(
    towns: list[tuple[str, int, int, int | None]],
) -> None:
    drawn = outline.around([Dot(n, lat, lon, count=c) for n, lat, lon, c in towns])
    assert all(re.fullmatch(r"[Mlz0-9 HV-]+|M0 0H\d+V\d+H0Z", path) for path in drawn.land)
    assert all(0 <= t.x <= drawn.width and 0 <= t.y <= drawn.height for t in drawn.towns)


def test_names_do_not_lie_over_circles() -> None:
    drawn = outline.around(dots("56007", "56121", "56260", "29232"))
    for town in drawn.towns:
        for other in drawn.towns:
            apart = math.dist((town.label_x, town.label_y - 9), (other.x, other.y))
            assert apart > other.radius


def test_the_files_stay_small() -> None:
    assert (FOLDER / "coast.json").stat().st_size < 8_000
    assert (FOLDER / "communes.tsv.gz").stat().st_size < 1_500_000
