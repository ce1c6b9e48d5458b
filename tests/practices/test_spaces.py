"""The own rules of spaces: hours, steps, lengths, prices, and what the clocks do."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.capacity import day_number
from node.domain.lifecycle import Lifecycle, LifecycleError
from node.practices.spaces import actions, hours
from node.practices.spaces.lifecycle import BOOKING, CHECKED
from node.practices.spaces.practice import PRACTICE
from tests.practices.spaces_asks import TODAY, WEEK, agreed, at, on, problems, space, utc


@pytest.mark.parametrize(
    ("fields", "form", "wrong"),
    [
        ({}, at(0, "9:00"), {}),
        ({"opening": WEEK}, at(0, "9:00"), {}),
        ({"opening": WEEK}, at(0, "11:00", minutes=60), {}),
        ({"opening": WEEK}, at(0, "11:00", minutes=120), {"start": "closed"}),
        ({"opening": WEEK}, at(0, "12:00"), {"start": "closed"}),
        ({"opening": WEEK}, at(0, "8:45"), {"start": "closed"}),
        ({"opening": WEEK}, at(5, "9:00"), {"day": "closed"}),
        ({"opening": WEEK, "step": 30}, at(0, "14:30", minutes=240), {}),
        ({"opening": WEEK, "step": 30}, at(0, "14:30", minutes=270), {"start": "closed"}),
        ({"opening": WEEK}, at(0, "9:30"), {"start": "off_step"}),
        ({"opening": WEEK, "step": 15}, at(0, "9:45", minutes=15), {}),
        ({"step": 120}, at(0, "10:00"), {}),
        ({"step": 120}, at(0, "11:00"), {"start": "off_step"}),
        ({"step": 240}, at(0, "8:00", minutes=240), {}),
        ({}, at(0, "9:05"), {"start": "off_step"}),
        ({}, at(0, "9:00", minutes=90), {"minutes": "off_step"}),
        ({}, at(0, "9:00", minutes=7), {"minutes": "off_step"}),
        ({}, at(0, "9:00", until="10:20"), {"until": "off_step"}),
        ({"min_minutes": 120}, at(0, "9:00", minutes=60), {"minutes": "too_short"}),
        ({"min_minutes": 120}, at(0, "9:00"), {}),
        ({"max_minutes": 120}, at(0, "9:00", minutes=180), {"minutes": "too_long"}),
        ({"max_minutes": 120}, at(0, "9:00", until="12:00"), {"until": "too_long"}),
        ({}, at(-1, "9:00"), {"day": "in_the_past"}),
        ({"advance_days": 30}, at(30, "9:00"), {}),
        ({"advance_days": 30}, at(31, "9:00"), {"day": "too_far"}),
        ({}, {"day": "9999-12-31", "start": "9:00"}, {"day": "too_far"}),
        ({"closed": [[TODAY + 2, TODAY + 3]]}, at(2, "9:00"), {"day": "closed"}),
        ({"closed": [[TODAY + 2, TODAY + 3]]}, at(4, "9:00"), {}),
        ({"closed_holidays": True}, on(date(2026, 12, 25), "9:00"), {"day": "closed"}),
        ({}, on(date(2026, 12, 25), "9:00"), {}),
        ({}, {"day": "2026-11-24"}, {"start": "required"}),
        ({}, {"start": "9:00"}, {"day": "required"}),
        ({"units": 3}, at(0, "9:00", units=3), {}),
        ({"units": 3}, at(0, "9:00", units=4), {"units": "out_of_range"}),
        ({"units": 3}, at(0, "9:00", units="-1"), {"units": "not_a_number"}),
        ({"seats": 12}, at(0, "9:00", people=13), {"people": "out_of_range"}),
    ],
)
def test_a_booking_keeps_to_hours_steps_lengths_and_days(
    fields: dict[str, Any], form: dict[str, str], wrong: dict[str, str]
) -> None:
    assert problems(space(**fields), form) == wrong


@pytest.mark.parametrize(
    ("fields", "form", "wrong"),
    [
        ({}, {"day": "2026-11-24"}, {}),
        ({}, {"day": "2026-11-24", "last_day": "2026-11-28"}, {}),
        (
            {"max_days": 2},
            {"day": "2026-11-24", "last_day": "2026-11-26"},
            {"last_day": "too_long"},
        ),
        ({}, {"day": "2026-11-24", "last_day": "2026-11-23"}, {"last_day": "before_first"}),
        ({"opening": WEEK}, {"day": "2026-11-28"}, {"day": "closed"}),
        (
            {"opening": WEEK},
            {"day": "2026-11-27", "last_day": "2026-11-28"},
            {"last_day": "closed"},
        ),
        ({"opening": WEEK, "max_days": 9}, {"day": "2026-11-27", "last_day": "2026-11-30"}, {}),
    ],
)
def test_whole_days_run_from_an_opening_to_a_closing(
    fields: dict[str, Any], form: dict[str, str], wrong: dict[str, str]
) -> None:
    of = space(step=1_440, **fields)
    assert problems(of, form) == wrong
    if not wrong and of.opening:
        assert utc(agreed(of, form)) == ("11-27 08:00", "11-30 17:30")


# ── what the clocks do ───────────────────────────────────────────────────────────────────────────

FORWARD, BACK = date(2027, 3, 28), date(2027, 10, 31)


def test_an_hour_that_does_not_exist_is_refused_with_a_sentence() -> None:
    today = day_number(FORWARD) - 5
    for start in ("2:00", "2:15", "2:30", "2:45"):
        assert problems(space(), on(FORWARD, start), today) == {"start": "no_such_time"}
    ending = on(FORWARD, "1:00", until="2:30")
    assert problems(space(step=15), ending, today) == {"until": "no_such_time"}
    assert utc(agreed(space(), on(FORWARD, "3:00"), today)) == ("03-28 01:00", "03-28 02:00")


def test_an_hour_over_the_missing_one_is_an_hour() -> None:
    today = day_number(FORWARD) - 5
    terms = agreed(space(), on(FORWARD, "1:00", minutes=60), today)
    assert utc(terms) == ("03-28 00:00", "03-28 01:00")
    assert hours.local_of(terms["after"]) == (day_number(FORWARD), 180)
    typed = agreed(space(), on(FORWARD, "1:00", until="3:00"), today)
    assert typed["after"] - typed["first"] == 4


def test_an_hour_that_comes_twice_means_the_first_one_and_says_so() -> None:
    today = day_number(BACK) - 5
    first = agreed(space(step=15), on(BACK, "2:30", minutes=60), today)
    assert utc(first) == ("10-31 00:30", "10-31 01:30")
    assert first["twice"] == 1
    assert hours.local_of(first["after"]) == (day_number(BACK), 150)  # 2:30 again
    assert "twice" not in agreed(space(), on(BACK, "3:00"), today)


def test_a_length_that_was_picked_travels_as_a_length() -> None:
    """1:30 for two hours ends at the second 2:30; typed as an hour it would be the first."""
    today, of = day_number(BACK) - 5, space(step=30, min_minutes=30)
    picked = agreed(of, on(BACK, "1:30", minutes=120), today)
    assert utc(picked) == ("10-30 23:30", "10-31 01:30")
    typed = agreed(of, on(BACK, "1:30", until="2:30"), today)
    assert typed["after"] - typed["first"] == 4


@pytest.mark.parametrize(
    ("day", "quarters"),
    [(FORWARD, 92), (BACK, 100), (date(2028, 2, 29), 96), (date(2026, 12, 31), 96)],
)
def test_a_whole_day_is_as_long_as_that_day(day: date, quarters: int) -> None:
    of = space(step=1_440, max_days=2)
    terms = agreed(of, {"day": day.isoformat()}, day_number(day) - 3)
    assert terms["after"] - terms["first"] == quarters
    assert len(actions.claim(terms).span.days) == quarters


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 12, 31), "01-01 01:00"),
        (date(2028, 2, 29), "03-01 01:00"),
        (date(2028, 2, 28), "02-29 01:00"),
        (date(2027, 4, 30), "05-01 00:00"),
    ],
)
def test_a_booking_over_midnight_ends_on_the_next_day(day: date, end: str) -> None:
    evenings = [{"day": each, "opens": 1_200, "closes": 1_560} for each in range(7)]
    for of in (space(), space(opening=evenings)):
        terms = agreed(of, on(day, "20:00", until="2:00"), day_number(day) - 3)
        assert utc(terms)[1] == end
        assert terms["after"] - terms["first"] == 24


def test_hours_of_the_night_end_with_their_evening() -> None:
    of = space(opening=[{"day": 4, "opens": 1_200, "closes": 1_560}])  # Friday 20:00-2:00
    friday = date(2026, 11, 27)
    assert problems(of, on(friday, "23:00", until="2:00")) == {}
    assert problems(of, on(friday, "23:00", until="3:00")) == {"start": "closed"}
    assert problems(of, on(date(2026, 11, 28), "1:00", minutes=60)) == {}
    assert problems(of, on(date(2026, 11, 28), "20:00")) == {"start": "closed"}


quarters_of_a_year = st.integers(slot := hours.slot_of(TODAY, 0), slot + 366 * 96)


@given(quarters_of_a_year)
def test_a_quarter_is_the_wall_time_it_shows(quarter: int) -> None:
    day, minute = hours.local_of(quarter)
    again = hours.slot_of(day, minute)
    assert hours.exists(day, minute)
    assert again == quarter or (hours.comes_twice(day, minute) and again == quarter - 4)


@given(quarters_of_a_year, st.integers(1, 400))
def test_minutes_by_day_lose_and_add_nothing(first: int, length: int) -> None:
    found = hours.minutes_by_day(first, first + length)
    assert sum(found.values()) == length * 15
    assert min(found) == hours.local_of(first)[0]
    assert max(found) == hours.local_of(first + length - 1)[0]


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 95), st.integers(1, 96)), max_size=6),
    st.sampled_from([15, 30, 60, 120, 240]),
    st.integers(0, 40),
    st.integers(0, 95),
    st.integers(1, 96),
)
def test_what_can_be_booked_lies_in_opening_hours(
    typed: list[tuple[int, int, int]], step: int, day: int, start: int, length: int
) -> None:
    opening = [
        {"day": weekday, "opens": 15 * opens, "closes": 15 * (opens + long)}
        for weekday, opens, long in typed
    ]
    of = space(opening=opening, step=step, max_minutes=1_440)
    form = at(day, f"{start // 4}:{start % 4 * 15:02}", minutes=15 * length)
    if problems(of, form):
        return
    terms = agreed(of, form)
    assert (terms["after"] - terms["first"]) * 15 % step == 0
    spans = hours.open_spans(of, TODAY + day, TODAY + day + 1)
    for quarter in range(terms["first"], terms["after"]):
        assert any(each.first <= quarter < each.after for each in spans)


# ── what it holds, what it costs ─────────────────────────────────────────────────────────────────


def test_grr_96_a_gap_is_kept_free_behind_each_booking() -> None:
    of = space(gap_minutes=20, step=60)
    terms = agreed(of, at(1, "9:00", minutes=60))
    claim = actions.claim(terms)
    assert (terms["gap"], len(claim.span.days)) == (2, 6)  # twenty minutes are two quarters
    after = actions.claim(agreed(space(step=15), at(1, "10:30"))).span
    assert after.first == claim.span.after


PRICES = [{"group": "Adhérents", "cents": 450}, {"group": "Entreprises", "cents": 1_999}]


@pytest.mark.parametrize(
    ("minutes", "group", "cents"),
    [
        (60, "Adhérents", 450),
        (30, "Adhérents", 225),
        (15, "Adhérents", 113),
        (45, "Entreprises", 1_499),
    ],
)
def test_fab_manager_204_half_an_hour_costs_half_an_hour(
    minutes: int, group: str, cents: int
) -> None:
    of = space(prices=PRICES, step=15)
    terms = agreed(of, at(1, "9:00", minutes=minutes, group=group))
    assert terms["cents"] == cents
    assert (terms["group"], agreed(of, at(1, "9:00", group=group))["rate"]) == (
        group,
        terms["rate"],
    )


def test_a_price_is_chosen_among_those_shown() -> None:
    assert problems(space(prices=PRICES), at(1, "9:00")) == {"group": "required"}
    assert problems(space(prices=PRICES), at(1, "9:00", group="Moi")) == {"group": "unknown_choice"}
    assert agreed(space(prices=PRICES[:1]), at(1, "9:00"))["cents"] == 450
    free = agreed(space(), at(1, "9:00"))
    assert free["cents"] == 0 and "group" not in free
    two = agreed(space(prices=PRICES[:1], units=4), at(1, "9:00", units=2))
    assert two["cents"] == 900


def test_grr_77_446_what_was_validated_keeps_its_price_and_its_hours() -> None:
    """Terms are numbers, not a look at the listing: a later change of it changes no booking."""
    before = agreed(space(prices=PRICES[:1]), at(1, "9:00", minutes=120))
    kept = dict(before)
    engaging = PRACTICE.engaging
    assert engaging is not None
    assert engaging.moments(before, "Europe/Paris") and engaging.claim(before)
    assert before == kept
    assert {"prices", "opening", "step", "gap_minutes"} <= set(engaging.material)
    cheaper = {**before, "rate": 100, "cents": 200}
    assert actions.is_milder(before, cheaper)
    assert not actions.is_milder(before, {**before, "cents": before["cents"] + 1})
    assert not actions.is_milder(before, {**cheaper, "after": before["after"] - 4})


def test_participants_are_a_number_and_never_names() -> None:
    of = space(seats=12)
    form = at(1, "9:00", people=9, message="Répétition de la chorale, avec Anna et Yann")
    terms = agreed(of, form)
    assert terms["people"] == 9
    assert all(isinstance(each, int) for each in terms.values())


def test_what_was_asked_travels_in_words_and_means_the_same_at_home() -> None:
    of = space(units=4, seats=8, prices=PRICES, repeat_max=5)
    form = at(1, "9:00", until="11:00", minutes=60, units=2, people=3, group="Adhérents")
    wish = actions.wish(of, {**form, "series": "00112233445566ff", "x": "y"})
    assert set(wish) == {"day", "start", "until", "units", "people", "group", "series"}
    terms = actions.terms(of, wish, TODAY)
    assert terms == actions.terms(of, actions.wish(of, wish), TODAY)
    assert (terms["series"], terms["after"] - terms["first"]) == ("00112233445566ff", 8)
    assert "series" not in actions.wish(of, {**form, "series": "<script>"})


# ── the tables, the form, the record ─────────────────────────────────────────────────────────────


def test_which_table_a_listing_follows() -> None:
    engaging = PRACTICE.engaging
    assert engaging is not None
    assert engaging.lifecycle(space()) is BOOKING
    assert engaging.lifecycle(space(check_in=True)) is CHECKED


@pytest.mark.parametrize(("minutes", "after"), [(60, 30), (30, 30), (15, 15)])
def test_who_has_not_arrived_after_half_an_hour_loses_the_place(minutes: int, after: int) -> None:
    of = space(step=15, check_in=True)
    moments = actions.moments(agreed(of, at(1, "9:00", minutes=minutes)), "Europe/Paris")
    deadline = CHECKED.state("confirmed").deadline
    assert deadline is not None
    assert deadline.at_ms({**moments, "since": 0}) - moments["start"] == after * 60_000
    assert CHECKED.state("confirmed").lapses_to == "no_show"


def test_a_hold_lasts_ten_minutes() -> None:
    deadline = BOOKING.state("held").deadline
    assert deadline is not None
    assert deadline.at_ms({"since": 1_000, "start": 10**15}) == 1_000 + 10 * 60_000
    assert BOOKING.holding == CHECKED.holding == "held"


@pytest.mark.parametrize("wrong", [{"takes": False}, {"turn": "keeper"}, {"leavable": False}])
def test_a_table_refuses_a_hold_that_is_none(wrong: dict[str, Any]) -> None:
    import dataclasses

    states = [
        dataclasses.replace(each, **wrong) if each.name == "held" else each
        for each in BOOKING.states.values()
    ]
    with pytest.raises(LifecycleError, match="held while choosing"):
        Lifecycle(
            "booking", start="requested", refuses_to="refused", waiting="waiting", holding="held",
            states=states, transitions=BOOKING.written,
        )  # fmt: skip
