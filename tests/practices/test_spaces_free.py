"""What a page shows free is what an ask gets, and nothing else."""

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from node.domain.capacity import Span, calendar_day, day_number, free_units
from node.domain.errors import Invalid
from node.practices.spaces import actions, free, hours
from node.practices.spaces.schema import Space
from tests.practices.spaces_asks import TODAY, WEEK, agreed, space

NOW = hours.slot_of(TODAY, 0)


def asked(of: Space, day: int, start: free.Start, quarters: int) -> tuple[Any, Span]:
    """Ask for what was shown; return the terms and the span they hold."""
    local_day, minute = hours.local_of(start.first)
    assert local_day == day
    form = {"day": calendar_day(day).isoformat(), "start": f"{minute // 60}:{minute % 60:02}"}
    if not of.is_daily:
        form["minutes"] = str(quarters * 15)
    terms = agreed(of, form, today=day - 1)
    return terms, actions.claim(terms).span


spaces = st.builds(
    lambda units, step, gap, most, opening: space(
        units=units, step=step, gap_minutes=gap, max_minutes=most, opening=opening
    ),
    st.integers(1, 3),
    st.sampled_from([15, 30, 60, 120, 240, 1_440]),
    st.sampled_from([0, 15, 40]),
    st.sampled_from([60, 240, 1_440]),
    st.sampled_from([[], WEEK, [{"day": d, "opens": 1_200, "closes": 1_560} for d in range(7)]]),
)
DAYS = [TODAY, TODAY + 4, *(day_number(date(2027, m, d)) for m, d in ((3, 28), (10, 31)))]


@settings(max_examples=150, deadline=None)
@given(
    spaces,
    st.sampled_from(DAYS),
    st.lists(st.tuples(st.integers(0, 3), st.integers(-8, 130), st.integers(1, 20)), max_size=6),
)
def test_grr_553_the_free_sign_is_never_shown_though_full(
    of: Space, day: int, bookings: list[tuple[int, int, int]]
) -> None:
    midnight = hours.slot_of(day, 0)
    taken = {
        (unit, midnight + at + each) for unit, at, length in bookings for each in range(length)
    }
    shown = free.starts(of, day, taken, midnight)
    for start in shown:
        terms, span = asked(of, day, start, start.longest)
        assert (terms["first"], terms["after"]) == (start.first, start.first + start.longest)
        assert free_units(span, of.units, taken)
    step = max(of.step, 15) // 15
    for start in shown:  # nor is less shown than there is
        if of.is_daily or start.longest * 15 + of.step > of.max_minutes:
            continue
        try:
            _, longer = asked(of, day, start, start.longest + step)
        except Invalid:
            continue
        assert not free_units(longer, of.units, taken)


@settings(max_examples=100, deadline=None)
@given(spaces, st.sampled_from(DAYS), st.sets(st.tuples(st.integers(0, 2), st.integers(0, 100))))
def test_every_hour_that_can_be_had_is_shown(
    of: Space, day: int, held: set[tuple[int, int]]
) -> None:
    if of.is_daily:
        return
    midnight = hours.slot_of(day, 0)
    taken = {(unit, midnight + at) for unit, at in held}
    shown = {each.first for each in free.starts(of, day, taken, midnight)}
    for minute in range(0, 1_440, 15):
        form = {
            "day": calendar_day(day).isoformat(), "start": f"{minute // 60}:{minute % 60:02}",
        }  # fmt: skip
        try:
            terms = agreed(of, form, today=day)
        except Invalid:
            continue
        span = actions.claim(terms).span
        assert (terms["first"] in shown) == bool(free_units(span, of.units, taken))


@given(st.integers(0, 100))
def test_what_is_over_is_not_shown(begun: int) -> None:
    now = NOW + begun
    assert all(each.first >= now for each in free.starts(space(), TODAY, (), now))
    spans = free.free_spans(free.starts(space(), TODAY, (), now))
    assert all(each.after > now for each in free.taken_spans(space(), TODAY, spans, now))


def test_a_day_is_free_or_taken_and_nothing_between() -> None:
    of = space(opening=WEEK, step=30, min_minutes=60)
    nine = hours.slot_of(TODAY, 540)
    taken = [(0, nine + each) for each in (4, 5, 6, 7)]  # 10:00-11:00
    spans = free.free_spans(free.starts(of, TODAY, taken, NOW))
    assert [hours.local_of(each.first)[1] for each in spans] == [540, 660, 840]
    left = free.taken_spans(of, TODAY, spans, NOW)
    assert [(hours.local_of(e.first)[1], hours.local_of(e.after)[1]) for e in left] == [(600, 660)]
    quarters = sum(len(each.days) for each in (*spans, *left))
    assert quarters == sum(len(each.days) for each in hours.intervals(of, TODAY))


def test_a_unit_more_than_there_are_now_still_holds_its_hour() -> None:
    """Three desks were promised, the keeper now has two: those two are taken."""
    of, first = space(units=2, step=60), hours.slot_of(TODAY, 600)
    taken = [(unit, first + each) for unit in (0, 2) for each in range(4)]
    assert first not in {each.first for each in free.starts(of, TODAY, taken, NOW)}
    assert len(free.starts(of, TODAY, (), NOW)) == 24
