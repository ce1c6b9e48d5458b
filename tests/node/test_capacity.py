"""Days and copies: half-open, never two on one copy, right when the clocks change."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.capacity import (
    Span,
    calendar_day,
    day_number,
    day_of,
    free_units,
    midnight_ms,
    quarter,
    quarter_ms,
    quarters,
    runs,
    spread,
    weekday,
)

PARIS = "Europe/Paris"
HOUR_MS = 3_600_000
days = st.integers(20_000, 20_060)
spans = st.builds(lambda first, length: Span(first, first + length), days, st.integers(1, 12))
wishes = st.lists(st.tuples(spans, st.integers(1, 3)), max_size=40)


def promise(copies: int, asked: list[tuple[Span, int]]) -> list[tuple[int, int]]:
    """Promise one after the other what is free; return the (unit, day) pairs held."""
    held: list[tuple[int, int]] = []
    for span, wanted in asked:
        for unit in free_units(span, copies, held, wanted):
            held += [(unit, day) for day in span.days]
    return held


@given(st.integers(1, 5), wishes)
def test_no_two_promises_ever_overlap_on_a_copy(copies: int, asked: list[tuple[Span, int]]) -> None:
    held = promise(copies, asked)
    assert len(set(held)) == len(held)
    assert all(0 <= unit < copies for unit, _ in held)
    assert max(Counter(day for _, day in held).values(), default=0) <= copies


@given(wishes, st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_fewer_copies_than_promised_are_never_promised_again(
    asked: list[tuple[Span, int]], later: list[int]
) -> None:
    held = promise(5, asked)
    for copies in later:
        for span, wanted in asked:
            units = free_units(span, copies, held, wanted)
            assert len(units) in (0, wanted)
            for day in span.days if units else ():
                depth = sum(day == other for _, other in held)
                assert depth + wanted <= copies


@given(spans, st.integers(1, 4), st.lists(st.tuples(st.integers(0, 6), days), max_size=30))
def test_a_unit_is_free_only_if_nobody_holds_it(
    span: Span, copies: int, held: list[tuple[int, int]]
) -> None:
    for unit in free_units(span, copies, held):
        assert all((unit, day) not in held for day in span.days)
        assert 0 <= unit < copies


def test_what_comes_back_one_day_is_taken_again_the_next() -> None:
    held = [(0, day) for day in Span(10, 13).days]
    assert free_units(Span(12, 14), 1, held) == ()
    assert free_units(Span(13, 14), 1, held) == (0,)
    assert free_units(Span(8, 10), 1, held) == (0,)
    assert free_units(Span(8, 11), 1, held) == ()


@pytest.mark.parametrize("wanted", [0, -1, 4])
def test_none_less_than_none_or_too_many_are_not_promised(wanted: int) -> None:
    assert free_units(Span(1, 2), 3, [], wanted) == ()


@pytest.mark.parametrize(("first", "after"), [(5, 5), (5, 4)])
def test_a_span_holds_a_day(first: int, after: int) -> None:
    with pytest.raises(ValueError):
        Span(first, after)


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_a_day_has_one_number_and_one_weekday(day: date) -> None:
    number = day_number(day)
    assert calendar_day(number) == day
    assert weekday(number) == day.weekday()


@given(
    st.dates(date(2020, 1, 1), date(2060, 1, 1)),
    st.sampled_from((PARIS, "UTC", "America/Martinique", "Indian/Reunion", "Pacific/Noumea")),
)
def test_a_day_begins_at_its_midnight_in_its_zone(day: date, zone: str) -> None:
    number = day_number(day)
    begins_ms = midnight_ms(number, zone)
    assert day_of(begins_ms, zone) == number
    assert day_of(begins_ms - 1, zone) == number - 1
    assert begins_ms % 60_000 == 0


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2027, 3, 27), 24),
        (date(2027, 3, 28), 23),
        (date(2027, 3, 29), 24),
        (date(2027, 10, 30), 24),
        (date(2027, 10, 31), 25),
        (date(2027, 11, 1), 24),
        (date(2028, 2, 29), 24),
        (date(2026, 12, 31), 24),
    ],
)
def test_days_are_as_long_as_the_clocks_make_them(day: date, hours: int) -> None:
    number = day_number(day)
    length_ms = midnight_ms(number + 1, PARIS) - midnight_ms(number, PARIS)
    assert length_ms == hours * HOUR_MS


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2027, 3, 28, 0, 59, tzinfo=UTC), date(2027, 3, 28)),
        (datetime(2027, 3, 27, 23, 0, tzinfo=UTC), date(2027, 3, 28)),
        (datetime(2027, 3, 27, 22, 59, tzinfo=UTC), date(2027, 3, 27)),
        (datetime(2027, 10, 30, 22, 0, tzinfo=UTC), date(2027, 10, 31)),
        (datetime(2027, 10, 31, 23, 0, tzinfo=UTC), date(2027, 11, 1)),
        (datetime(2027, 10, 31, 22, 59, tzinfo=UTC), date(2027, 10, 31)),
        (datetime(2028, 2, 28, 23, 30, tzinfo=UTC), date(2028, 2, 29)),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), date(2027, 1, 1)),
    ],
)
def test_a_moment_falls_on_the_day_people_call_it(moment: datetime, day: date) -> None:
    assert day_of(int(moment.timestamp() * 1000), PARIS) == day_number(day)


@given(st.integers(1_577_836_800_000, 2_840_140_800_000))
def test_every_moment_lies_between_the_midnights_of_its_day(at_ms: int) -> None:
    day = day_of(at_ms, PARIS)
    assert midnight_ms(day, PARIS) <= at_ms < midnight_ms(day + 1, PARIS)
    utc = datetime.fromtimestamp(at_ms / 1000, UTC).date()
    assert calendar_day(day) - utc in (timedelta(0), timedelta(days=1))


# ── what somebody holds already, quarters of an hour, runs ───────────────────────────────────────

pairs = st.sets(st.tuples(st.integers(0, 4), st.integers(20_000, 20_040)), max_size=40)


@given(spans, spans, st.integers(1, 4), st.integers(1, 3), pairs)
def test_other_terms_never_take_what_somebody_else_holds(
    old: Span, new: Span, copies: int, wanted: int, others: set[tuple[int, int]]
) -> None:
    units = free_units(old, copies, others, wanted)
    mine = [(unit, day) for unit in units for day in old.days]
    again = free_units(new, copies, others, wanted, mine)
    assert len(again) in (0, wanted)
    assert not {(unit, day) for unit in again for day in new.days} & others
    for day in new.days if again else ():
        is_mine = units and old.first <= day < old.after
        assert is_mine or sum(slot == day for _, slot in others) + wanted <= copies


@given(spans, st.integers(0, 4), st.integers(1, 3), pairs)
def test_what_is_held_is_never_refused_to_its_holder_on_the_same_units(
    span: Span, copies: int, wanted: int, others: set[tuple[int, int]]
) -> None:
    units = free_units(span, 5, others, wanted)
    mine = [(unit, day) for unit in units for day in span.days]
    for part in (span, Span(span.first, span.first + 1), Span(span.after - 1, span.after)):
        assert not units or free_units(part, copies, others, wanted, mine) == units


@given(pairs)
def test_runs_say_the_same_in_fewer_words(held: set[tuple[int, int]]) -> None:
    short = runs(held)
    assert set(spread(short)) == held and len(spread(short)) == len(held)
    assert all(first < after for _, first, after in short)
    assert len(short) <= len(held)


@given(st.integers(0, 4_102_444_800_000), st.integers(1, 90 * 24 * HOUR_MS))
def test_quarters_cover_a_span_and_no_more(from_ms: int, length_ms: int) -> None:
    until_ms = from_ms + length_ms
    span = quarters(from_ms, until_ms)
    assert quarter_ms(span.first) <= from_ms < until_ms <= quarter_ms(span.after)
    assert quarter_ms(span.first + 1) > from_ms and quarter_ms(span.after - 1) < until_ms
    assert quarters(until_ms, until_ms + length_ms).first >= span.after - 1
    assert quarter(from_ms) == span.first


@pytest.mark.parametrize(
    ("day", "count"),
    [(date(2027, 3, 28), 92), (date(2027, 10, 31), 100), (date(2028, 2, 29), 96)],
)
def test_a_day_has_as_many_quarters_as_the_clocks_leave_it(day: date, count: int) -> None:
    number = day_number(day)
    whole = quarters(midnight_ms(number, PARIS), midnight_ms(number + 1, PARIS))
    assert len(whole.days) == count
    after = quarters(midnight_ms(number + 1, PARIS), midnight_ms(number + 2, PARIS))
    assert after.first == whole.after


def test_a_span_of_no_quarter_is_none() -> None:
    with pytest.raises(ValueError):
        quarters(0, 0)
