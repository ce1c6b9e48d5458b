"""How a space is typed in, and what of a foreign listing is not read."""

from typing import Any

import pytest

from node.domain.errors import Invalid
from node.practices.spaces.schema import SCHEMA, Space, opening_of
from tests.practices.spaces_asks import space


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("9:00-12:00, 14 h - 18 h 30", [(540, 720), (840, 1_110)]),
        ("14:00-18:00; 9-12", [(540, 720), (840, 1_080)]),
        ("20h–2h", [(1_200, 1_560)]),
        ("0-24", [(0, 1_440)]),
        ("8:30-24:00", [(510, 1_440)]),
    ],
)
def test_opening_hours_are_read_as_people_type_them(
    text: str, found: list[tuple[int, int]]
) -> None:
    assert [(each.opens, each.closes) for each in opening_of(3, text)] == found


@pytest.mark.parametrize("text", ["9", "9-", "25-26", "9:61-10", "x", "9:00 12:00", "1-2," * 9])
def test_opening_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        opening_of(0, text)


def typed(**more: str) -> Space:
    """Return what the publish form makes of what was typed."""
    form = {
        "title": "Découpe laser", "sort": "machine", "site": "Fab lab", "area": "Atelier",
        "step": "30", "opening_1": "9:00-12:00", "opening_4": "20:00-1:00",
        "prices": "Adhérents : 4,50\nTous: 12", "closed": "24/12/2026 au 02/01/2027",
        "closed_holidays": "1", "habilitation": "laser",
    }  # fmt: skip
    read = SCHEMA.clean({**form, **more})
    assert isinstance(read, Space)
    return read


def test_the_form_of_a_listing_is_read_as_people_fill_it_in() -> None:
    read = typed()
    assert [(each.day, each.opens, each.closes) for each in read.opening] == [
        (1, 540, 720),
        (4, 1_200, 1_500),
    ]
    assert [(each.group, each.cents) for each in read.prices] == [
        ("Adhérents", 450),
        ("Tous", 1_200),
    ]
    assert (read.step, read.closed_holidays, len(read.closed)) == (30, True, 1)


@pytest.mark.parametrize(
    ("field", "text", "name"),
    [
        ("opening_2", "neuf heures", "opening"),
        ("prices", "4,50", "prices"),
        ("prices", "Tous: beaucoup", "prices"),
        ("prices", "\n".join(f"g{n}: 1" for n in range(9)), "prices"),
        ("closed", "demain", "closed"),
        ("step", "7", "step"),
        ("units", "0", "units"),
        ("area", "", ""),
    ],
)
def test_what_cannot_be_read_in_the_form_is_named(field: str, text: str, name: str) -> None:
    if not name:
        assert typed(area="").area == ""
        return
    with pytest.raises(Invalid) as caught:
        typed(**{field: text})
    assert name in [each.field for each in caught.value.problems]


@pytest.mark.parametrize(
    "fields",
    [
        {"units": 0},
        {"units": 101},
        {"units": -1},
        {"step": 7},
        {"sort": "boat"},
        {"verb": "vendre"},
        {"opening": [{"day": 7, "opens": 0, "closes": 60}]},
        {"opening": [{"day": 1, "opens": 600, "closes": 600}]},
        {"opening": [{"day": 1, "opens": 0, "closes": 2_000}]},
        {"prices": [{"group": "", "cents": 1}]},
        {"prices": [{"group": "x", "cents": -1}]},
        {"min_minutes": 500, "max_minutes": 60},
        {"area": "Étage"},
        {"advance_days": 401},
        {"gap_minutes": 1_441},
        {"max_days": 32},
        {"repeat_max": 31},
        {"closed": [[1]]},
        {"auto": "yes"},
    ],
    ids=str,
)
def test_a_foreign_listing_out_of_bounds_is_not_read(fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        space(**fields)
