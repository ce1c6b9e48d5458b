"""Lending's own rules: which days, how many, until when, and what a gift leaves behind."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.capacity import calendar_day, day_number, midnight_ms, weekday
from node.domain.errors import Invalid
from node.practices.lending import actions
from node.practices.lending.lifecycle import GIFT, LOAN
from node.practices.lending.practice import PRACTICE
from node.practices.lending.schema import DAYS_MAX, SCHEMA, Item

PARIS = "Europe/Paris"
TODAY = day_number(date(2026, 11, 23))  # a Monday
HOUR_MS = 3_600_000


def item(**fields: Any) -> Item:
    """Return a listing."""
    read = SCHEMA.read({"title": "Remorque", **fields})
    assert isinstance(read, Item)
    return read


def asked(first: int, last: int, **more: str) -> dict[str, str]:
    """Return a form that asks for days counted from TODAY."""
    days = {"first_day": calendar_day(TODAY + first), "last_day": calendar_day(TODAY + last)}
    return {**{name: day.isoformat() for name, day in days.items()}, **more}


def problems(thing: Item, form: dict[str, str]) -> dict[str, str]:
    """Return {field: code} of what is wrong with an ask."""
    try:
        actions.terms(thing, form, TODAY)
    except Invalid as invalid:
        return {each.field: each.code for each in invalid.problems}
    return {}


@pytest.mark.parametrize(
    ("fields", "first", "last", "wrong"),
    [
        ({}, 0, 0, {}),
        ({}, 0, 6, {}),
        ({}, 3, 3, {}),
        ({"max_days": 1}, 3, 3, {}),
        ({"max_days": 90}, 0, 89, {}),
        ({}, 0, 7, {"last_day": "too_long"}),
        ({"max_days": 1}, 3, 4, {"last_day": "too_long"}),
        ({}, -1, 0, {"first_day": "in_the_past"}),
        ({}, 4, 3, {"last_day": "before_first"}),
        ({}, -1, -2, {"first_day": "in_the_past", "last_day": "before_first"}),
        ({}, 364, 365, {}),
        ({}, 365, 366, {"last_day": "too_far"}),
        ({"open_days": [0]}, 0, 0, {}),
        ({"open_days": [0]}, 1, 1, {"first_day": "closed"}),
        ({"open_days": [2, 5]}, 2, 4, {}),
    ],
)
def test_an_ask_keeps_to_the_days_of_the_listing(
    fields: dict[str, Any], first: int, last: int, wrong: dict[str, str]
) -> None:
    assert problems(item(**fields), asked(first, last)) == wrong


@pytest.mark.parametrize(
    ("open_days", "first", "last", "due"),
    [
        ([], 2, 4, 4),
        ([2, 5], 2, 3, 5),
        ([2, 5], 2, 5, 5),
        ([2, 5], 5, 7, 9),
        ([0], 0, 1, 7),
        ([0, 1, 2, 3, 4], 4, 5, 7),
    ],
)
def test_opening_days_move_due_dates(open_days: list[int], first: int, last: int, due: int) -> None:
    agreed = actions.terms(item(open_days=open_days), asked(first, last), TODAY)
    assert agreed["first_day"] - TODAY == first
    assert agreed["after_day"] - 1 - TODAY == due
    claim = actions.claim(agreed)
    assert list(claim.span.days) == list(range(TODAY + first, TODAY + due + 1))


open_weekdays = st.lists(st.integers(0, 6), unique=True)


@given(open_weekdays, st.integers(1, DAYS_MAX), st.integers(0, 300), st.integers(0, 30))
def test_terms_are_what_was_asked_moved_to_opening_days_and_no_more(
    open_days: list[int], max_days: int, first: int, length: int
) -> None:
    thing = item(open_days=open_days, max_days=max_days)
    form = asked(first, first + length)
    if problems(thing, form):
        return
    agreed = actions.terms(thing, form, TODAY)
    assert agreed["first_day"] == TODAY + first
    last = agreed["after_day"] - 1
    assert TODAY + first + length <= last < TODAY + first + length + 7
    for day in (agreed["first_day"], last, agreed["pickup_until"]):
        assert not open_days or weekday(day) in open_days
    assert agreed["pickup_until"] > agreed["first_day"]
    moments = actions.moments(agreed, PARIS)
    assert moments["first_day"] < moments["pickup_over"] and moments["first_day"] < moments["due"]
    assert moments["start"] <= moments["pickup_over"]


@given(st.integers(0, 400), st.integers(0, 20))
def test_a_lender_answers_before_the_loan_begins_or_that_very_day(first: int, length: int) -> None:
    form = asked(first, first + length)
    if problems(item(max_days=30), form):
        return
    agreed = actions.terms(item(max_days=30), form, TODAY)
    due = agreed["answer_until"] - TODAY
    assert due == (first if first > 0 else 1)


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [
        (date(2027, 3, 27), date(2027, 3, 28), 47),
        (date(2027, 3, 28), date(2027, 3, 28), 23),
        (date(2027, 10, 30), date(2027, 10, 31), 49),
        (date(2027, 10, 31), date(2027, 10, 31), 25),
        (date(2028, 2, 28), date(2028, 3, 1), 72),
        (date(2026, 12, 31), date(2027, 1, 1), 48),
    ],
)
def test_a_loan_is_due_at_midnight_whatever_the_clocks_do(
    first: date, last: date, hours: int
) -> None:
    form = {"first_day": first.isoformat(), "last_day": last.isoformat()}
    agreed = actions.terms(item(), form, day_number(first) - 20)
    moments = actions.moments(agreed, PARIS)
    assert moments["due"] - moments["first_day"] == hours * HOUR_MS
    assert moments["due"] == midnight_ms(day_number(last) + 1, PARIS)
    assert moments["last_day"] == midnight_ms(day_number(last), PARIS)


def test_days_ticked_in_the_calendar_stand_for_the_first_and_the_last() -> None:
    ticked = [calendar_day(TODAY + at).isoformat() for at in (5, 3, 4)]
    wish = actions.wish(item(), {"days": ticked, "message": " Merci ! "})
    assert wish == {"first_day": ticked[1], "last_day": ticked[0], "message": "Merci !"}
    assert actions.wish(item(), {"days": ",".join(ticked)}) == {
        "first_day": ticked[1],
        "last_day": ticked[0],
    }
    one = actions.wish(item(), {"days": ticked[:1], "first_day": "2030-01-01"})
    assert one == {"first_day": ticked[0], "last_day": ticked[0]}


def test_what_was_asked_travels_in_words_and_means_the_same_at_home() -> None:
    thing = item(copies=4, open_days=[2, 5])
    form = {"days": ["2026-11-25", "2026-11-26"], "units": "3", "message": "Fête", "x": "y"}
    wish = actions.wish(thing, form)
    assert set(wish) == {"first_day", "last_day", "units", "message"}
    agreed = actions.terms(thing, wish, TODAY)
    assert agreed == actions.terms(thing, dict(wish), TODAY)
    assert (agreed["units"], actions.claim(agreed).units) == (3, 3)


def test_a_gift_has_no_days_and_holds_its_units_once() -> None:
    pots = item(verb="donner", copies=5)
    assert [each.name for each in actions.fields(pots)] == ["units", "message"]
    assert [each.name for each in actions.fields(item(verb="donner"))] == ["message"]
    agreed = actions.terms(pots, {"units": "2"}, TODAY)
    assert agreed == {"units": 2}
    claim = actions.claim(agreed)
    assert (len(claim.span.days), claim.units) == (1, 2)
    assert actions.moments(agreed, PARIS) == {}
    assert "days" not in actions.wish(pots, {"days": "2026-11-25"})


@given(st.integers(1, 500), st.integers(1, 500))
def test_a_gift_handed_over_leaves_what_is_left(copies: int, units: int) -> None:
    after = actions.handed_over(item(verb="donner", copies=copies), {"units": units})
    left = copies - units
    assert (after is None) == (left <= 0)
    assert after is None or after.copies == left


def test_a_loan_handed_over_changes_nothing_of_the_listing() -> None:
    trailer = item(copies=2)
    agreed = actions.terms(trailer, asked(1, 2), TODAY)
    assert actions.handed_over(trailer, agreed) is trailer


def test_one_may_ask_for_as_many_as_there_are() -> None:
    units = next(each for each in actions.fields(item(copies=20)) if each.name == "units")
    assert (units.minimum, units.maximum) == (1, 20)
    assert all(each.name != "units" for each in actions.fields(item(copies=1)))


def test_which_table_a_listing_follows() -> None:
    engaging = PRACTICE.engaging
    assert engaging is not None
    assert engaging.lifecycle(item()) is LOAN
    assert engaging.lifecycle(item(verb="donner")) is GIFT


def test_every_field_the_rules_depend_on_needs_a_new_yes() -> None:
    engaging = PRACTICE.engaging
    assert engaging is not None
    assert {"verb", "max_days", "open_days", "deposit", "place"} <= set(engaging.material)


@pytest.mark.parametrize(
    "fields",
    [
        {"copies": 0},
        {"copies": 501},
        {"deposit": -1},
        {"max_days": 0},
        {"max_days": 91},
        {"open_days": [7]},
        {"open_days": [0] * 8},
        {"verb": "vendre"},
        {"object": "moon"},
        {"condition": "?"},
        {"owner": "mayor"},
        {"auto": "yes"},
        {"accessories": "x" * 1_001},
        {"closed": [[1, 2, 3]]},
        {"closed": [[1, 2]] * 41},
        {"renewals": 11},
        {"at_once": -1},
        {"turnround": "never"},
    ],
    ids=str,
)
def test_a_foreign_listing_out_of_bounds_is_not_read(fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        item(**fields)


def test_the_form_of_a_listing_is_read_as_people_fill_it_in() -> None:
    read = SCHEMA.clean(
        {
            "title": "Broyeur",
            "object": "jardin",
            "verb": "preter",
            "condition": "bon",
            "owner": "library",
            "copies": "",
            "deposit": "100",
            "max_days": "3",
            "open_days": ["2", "5"],
            "hours": "14 h à 18 h",
            "auto": "1",
        }
    )
    assert isinstance(read, Item)
    assert (read.copies, read.deposit, read.open_days, read.auto) == (1, 10_000, [2, 5], True)
