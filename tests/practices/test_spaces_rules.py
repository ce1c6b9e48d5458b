"""Who may book a space: how early, not twice the same, with which habilitation, how many hours."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.practice import Terms
from node.domain.standing import Other, Standing
from node.practices.spaces import actions, hours, rules
from node.practices.spaces.schema import Space
from tests.practices.spaces_asks import TODAY, agreed, at, space

HOUR_MS = 3_600_000
LISTING = b"L" * 16

OPEN = space(auto=True)


def standing(**fields: Any) -> Standing:
    """Return somebody who asks on TODAY at eight."""
    now_ms = hours.slot_of(TODAY, 480) * hours.QUARTER_MS
    given = {"now_ms": now_ms, "today": TODAY, "at_ms": now_ms, "listing": LISTING, **fields}
    return Standing(**given)


def other(terms: Terms, state: str = "confirmed", **fields: Any) -> Other:
    """Return another booking of the same person."""
    given: dict[str, Any] = {
        "id": b"o" * 16, "lifecycle": "booking", "state": state, "since_ms": 0, "terms": terms,
        "listing": LISTING, "has_promise": True, "is_over": state in ("done", "no_show"),
    }  # fmt: skip
    return Other(**{**given, **fields})


def code(guard: str, of: Space, form: dict[str, str], who: Standing) -> str:
    """Return the code of what stands in the way, "" for nothing."""
    found = rules.GUARDS[guard](of, agreed(of, form), who)
    assert found is None or found.code in rules.REASONS
    return found.code if found else ""


def test_an_hour_that_has_begun_is_not_booked_but_by_staff() -> None:
    assert code("ask", OPEN, at(0, "8:00"), standing()) == ""
    assert code("ask", OPEN, at(0, "7:00"), standing()) == "too_soon"
    assert code("ask", OPEN, at(0, "7:00"), standing(is_staff=True)) == ""
    early = space(advance_hours=24)
    assert code("ask", early, at(1, "8:00"), standing()) == ""
    assert code("ask", early, at(1, "7:00"), standing()) == "too_soon"


def test_an_ask_counts_from_when_it_was_made_not_from_when_it_came() -> None:
    late = standing(now_ms=standing().now_ms + 5 * HOUR_MS)
    assert code("ask", OPEN, at(0, "9:00"), late) == ""


def test_grr_508_the_same_person_does_not_ask_twice_for_the_same_hour() -> None:
    mine = other(agreed(OPEN, at(1, "9:00", minutes=120)))
    who = standing(others=(mine,))
    assert code("ask", OPEN, at(1, "10:00"), who) == "booked_twice"
    assert code("ask", OPEN, at(1, "11:00"), who) == ""
    assert code("ask", OPEN, at(1, "8:00"), who) == ""
    elsewhere = standing(others=(other(mine.terms, listing=b"M" * 16),))  # type: ignore[arg-type]
    assert code("ask", OPEN, at(1, "10:00"), elsewhere) == ""
    over = standing(others=(other(mine.terms, "done"),))  # type: ignore[arg-type]
    assert code("ask", OPEN, at(1, "10:00"), over) == ""


def test_a_habilitation_gates_the_machine_and_has_to_last() -> None:
    laser = space(habilitation="laser", auto=True)
    form = at(3, "9:00", minutes=60)
    end_ms = actions.moments(agreed(laser, form), "Europe/Paris")["end"]
    for guard in ("ask", "queue", "hold", "book", "accept"):
        assert code(guard, laser, form, standing()) == "habilitation"
        assert code(guard, laser, form, standing(habilitations={"cnc": None})) == "habilitation"
        assert code(guard, laser, form, standing(habilitations={"laser": None})) == ""
        assert code(guard, laser, form, standing(habilitations={"laser": end_ms})) == ""
        gone = standing(habilitations={"laser": end_ms - 1})
        assert code(guard, laser, form, gone) == "habilitation_ends"


def test_nobody_confirms_their_own_request_by_holding_it() -> None:
    for guard in ("hold", "book"):
        assert code(guard, space(auto=False), at(1, "9:00"), standing()) == "moderated"


WEEKLY = space(quota_hours=4, quota_days=7)


def test_fab_manager_512_only_what_is_asked_for_or_booked_counts() -> None:
    booked = agreed(WEEKLY, at(1, "9:00", minutes=240))
    for state in ("requested", "countered", "confirmed", "checked_in", "done", "no_show"):
        assert (
            code("ask", WEEKLY, at(2, "9:00"), standing(others=(other(booked, state),))) == "quota"
        )
    for state in ("held", "waiting", "offered", "cancelled", "refused", "lapsed", "revoked"):
        assert code("ask", WEEKLY, at(2, "9:00"), standing(others=(other(booked, state),))) == ""


@pytest.mark.parametrize("days", [1, 2, 3, 5, 7, 8])
def test_commonsbooking_2_11_an_uneven_number_of_days_slides_right_at_both_edges(days: int) -> None:
    """The first day outside the period is free, the last inside is not, whichever side."""
    of = space(quota_hours=2, quota_days=days)
    booked = other(agreed(of, at(20, "9:00", minutes=120)))
    for side in (-1, 1):
        inside, outside = 20 + side * (days - 1), 20 + side * days
        form = at(inside, "12:00" if inside == 20 else "9:00")
        assert code("ask", of, form, standing(others=(booked,))) == "quota"
        assert code("ask", of, at(outside, "9:00"), standing(others=(booked,))) == ""


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=8),
    st.integers(0, 30),
    st.integers(1, 12),
)
def test_a_quota_looks_at_every_period_that_touches_the_booking(
    booked: list[tuple[int, int]], day: int, days: int
) -> None:
    spans = [(TODAY + each, length) for each, length in (*booked, (day, 2))]
    terms = [
        {"first": hours.slot_of(each, 600), "after": hours.slot_of(each, 600) + n, "units": 1}
        for each, n in spans
    ]
    naive = max(
        sum(n * 15 for each, n in spans if first <= each < first + days)
        for first in range(TODAY + day - days + 1, TODAY + day + 1)
    )
    assert rules.most_minutes(terms[-1], terms[:-1], days) == naive


def test_a_booking_over_midnight_counts_in_both_days() -> None:
    late = agreed(space(step=15), at(1, "23:00", minutes=180))
    assert rules.most_minutes(late, (), 1) == 120
    assert rules.most_minutes(late, (), 2) == 180
