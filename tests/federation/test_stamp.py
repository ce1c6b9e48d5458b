"""The stamp: grows with our own writes and follows nobody else's clock."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from federation import stamp

moments = st.integers(0, 2**42)  # milliseconds, to the year 2109


@given(st.lists(moments, max_size=30))
def test_stamps_of_one_town_always_grow_whatever_its_clock_does(clock):
    last = 0
    for now_ms in clock:
        following = stamp.next_stamp(now_ms, last)
        assert following > last
        assert stamp.stamp_ms(following) >= now_ms
        last = following


@given(moments)
def test_with_a_clock_that_runs_ahead_a_stamp_is_the_moment(now_ms):
    assert stamp.stamp_ms(stamp.next_stamp(now_ms, 0)) == max(now_ms, 0)
    assert stamp.stamp_unix_s(stamp.stamp_at(now_ms)) == now_ms // 1000


def test_sixty_five_thousand_writes_fit_into_one_millisecond():
    last = stamp.stamp_at(5)
    assert stamp.stamp_ms(last + 2**16 - 1) == 5
    assert stamp.stamp_ms(last + 2**16) == 6


def test_a_set_is_ordered_in_seconds_from_2020_below_two_to_the_31():
    first = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC).timestamp() * 1000
    at = stamp.stamp_at(int(first))
    assert (stamp.stamp_seconds(at), stamp.is_stamp(at)) == (0, True)
    assert not stamp.is_stamp(at - 1)
    end = stamp.stamp_at(int(first) + 2**31 * 1000)
    assert (stamp.stamp_seconds(end - 1), stamp.is_stamp(end - 1)) == (2**31 - 1, True)
    assert not stamp.is_stamp(end)


def test_the_bounds_are_what_their_names_say():
    assert stamp.MAX_FUTURE_MS == stamp.MAX_BEHIND_MS == 24 * 60 * 60 * 1000 == stamp.DAY_MS
    assert stamp.DAY_S == 24 * 60 * 60


def test_a_box_without_battery_goes_on_from_its_last_stamp():
    last = stamp.stamp_at(1_780_000_000_000)
    assert stamp.clock_ms(0, last) == 1_780_000_000_000
    assert stamp.clock_ms(1_780_000_000_001, last) == 1_780_000_000_001


def test_a_clock_before_the_software_or_a_day_behind_its_own_stamp_signs_nothing():
    built, last = 1_770_000_000_000, stamp.stamp_at(1_780_000_000_000)
    assert stamp.is_trusted(1_780_000_000_000, last, built)
    assert stamp.is_trusted(1_780_000_000_000 - stamp.MAX_BEHIND_MS, last, built)
    assert not stamp.is_trusted(1_780_000_000_000 - stamp.MAX_BEHIND_MS - 1, last, built)
    assert stamp.is_trusted(built, 0, built)
    assert not stamp.is_trusted(built - 1, 0, built)


@given(st.integers(0, 2**33), st.integers(0, 100_000))
def test_a_record_is_out_of_its_set_from_the_first_day_that_begins_at_or_after_its_end(end_s, day):
    is_out = end_s <= stamp.day_start_s(day)
    assert (stamp.end_day(end_s) <= day) == is_out


@given(moments)
def test_a_day_holds_its_moment(now_ms):
    start = stamp.day_start_s(stamp.as_of_day(now_ms)) * 1000
    assert start <= now_ms < start + stamp.DAY_MS
