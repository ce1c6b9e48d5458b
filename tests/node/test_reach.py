"""The reach of a partner: nine words in ten were here by then, whatever its silences were."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.clock import FixedClock
from node.partners import reach
from node.partners.reach import WINDOW_MS, reach_ms
from node.store.network import partners, reaches, sightings
from node.store.network.reaches import DAY_MS, LEAST_MS, MOST_MS
from node.store.sets import records
from tests.node.engagement_towns import START_MS, found, know, two_towns
from tests.world import Place, World

NOW = 40 * DAY_MS
SINCE = NOW - WINDOW_MS
HOUR_MS = 3_600_000


def days(*numbers: float) -> list[int]:
    """Moments so many days after the window began."""
    return [SINCE + int(each * DAY_MS) for each in numbers]


def test_a_town_heard_every_quarter_of_an_hour_has_the_least_reach():
    assert reach_ms(range(SINCE, NOW, 15 * 60_000), SINCE, NOW) == LEAST_MS


def test_a_town_heard_once_a_week_has_six_days():
    weekly = days(*range(0, 31, 7))
    found = reach_ms(weekly, SINCE, NOW)
    assert 6 * DAY_MS < found < 7 * DAY_MS


def test_one_silence_of_ten_days_in_a_month_counts_for_what_it_has_beyond_a_tenth():
    often = [*days(*range(11)), *days(*range(20, 31))]
    assert reach_ms(often, SINCE, NOW) == pytest.approx(7 * DAY_MS, abs=1)


def test_a_silence_that_still_lasts_counts_as_far_as_it_has_come():
    assert reach_ms(days(*range(21)), SINCE, NOW) == pytest.approx(7 * DAY_MS, abs=1)
    assert reach_ms(days(*range(4)), SINCE, NOW) == MOST_MS


def test_a_town_that_never_came_has_the_least_on_the_first_day_and_the_most_after_two_weeks():
    assert reach_ms([], NOW - DAY_MS, NOW) == LEAST_MS
    assert reach_ms([], NOW - 10 * DAY_MS, NOW) == 9 * DAY_MS
    assert reach_ms([], NOW - 16 * DAY_MS, NOW) == MOST_MS
    assert reach_ms([], SINCE, NOW) == MOST_MS


def test_a_link_of_this_moment_has_the_least():
    assert reach_ms([], NOW, NOW) == LEAST_MS


@given(st.lists(st.integers(SINCE, NOW), max_size=60))
def test_nine_moments_in_ten_were_answered_within_the_reach(contacts):
    """Beside the definition: look at many moments, take the 90th of their sorted waits."""
    found = reach_ms(contacts, SINCE, NOW)
    ends = sorted({*(each for each in contacts if SINCE < each < NOW), NOW})
    step = WINDOW_MS // 3_000
    waits = sorted(min(e for e in ends if e >= at) - at for at in range(SINCE, NOW, step))
    plain = waits[int(len(waits) * 0.9)]
    assert LEAST_MS <= found <= MOST_MS
    assert abs(found - min(max(plain, LEAST_MS), MOST_MS)) <= 3 * step


def test_what_visits_relays_and_sticks_brought_is_measured(world: World, lorient: Place):
    other = world.places["Quimper"].town.id
    with lorient.inside() as town:
        reach.measure(town)
        assert reaches.of(other) == LEAST_MS
    seen = []
    for _ in range(21):  # silence of three weeks
        world.clock.forward(ms=DAY_MS)
        with lorient.inside() as town:
            reach.measure(town)
            seen.append(reaches.of(other))
    assert seen == sorted(seen) and seen[-1] == MOST_MS
    world.sync()
    for _ in range(30):  # and daily visits again
        world.clock.forward(ms=DAY_MS)
        world.sync(1)
        with lorient.inside() as town:
            reach.measure(town)
    with lorient.inside():
        assert reaches.of(other) == LEAST_MS


def test_the_node_off_for_weeks_measures_the_silence_when_it_is_back(world: World, lorient: Place):
    other = world.places["Quimper"].town.id
    world.sync()
    with lorient.inside() as town:
        reach.measure(town)
    world.clock.forward(ms=20 * DAY_MS)  # no job ran
    with lorient.inside() as town:
        reach.measure(town)
        assert reaches.of(other) == MOST_MS


def test_moments_a_wrong_clock_wrote_in_the_future_are_forgotten(lorient: Place, world: World):
    other = world.places["Quimper"].town.id
    with lorient.inside() as town:
        reaches.note(other, town.clock.now_ms() + 900 * DAY_MS)
        reach.measure(town)
        assert all(each <= town.clock.now_ms() for each in reaches.contacts(other, 0))
        assert reaches.of(other) == LEAST_MS


def test_no_more_than_one_moment_an_hour_is_kept(lorient: Place, world: World):
    other = world.places["Quimper"].town.id
    for _ in range(50):
        world.clock.forward(ms=5 * 60_000)
        world.sync(1)
        with lorient.inside() as town:
            reach.measure(town)
    with lorient.inside():
        assert len(reaches.contacts(other, 0)) <= 6


def test_deadlines_wait_for_the_words_of_a_silent_town(tmp_path: Path):
    with two_towns(tmp_path) as two:
        row = two.asked()
        with two.home.inside():
            reaches.keep(two.away.id, 9 * DAY_MS, START_MS)
            held = two.home.engine.find(row.id)
            deadline_ms = held.deadline_ms
        two.clock.forward(ms=deadline_ms - two.clock.now_ms() + 8 * DAY_MS)
        assert two.home.sweep() == 0 and two.home.row(row).state == "requested"
        two.clock.forward(ms=DAY_MS)
        two.home.sweep()
        assert two.home.row(row).state == "lapsed"


def test_a_removed_partner_leaves_no_moment_behind(tmp_path: Path):
    clock = FixedClock(START_MS)
    one, other = found(tmp_path, "Lorient", clock), found(tmp_path, "Quimper", clock)
    know(one, other)
    with one.inside():
        reaches.note(other.id, START_MS)
        reaches.keep(other.id, MOST_MS, START_MS)
        reaches.forget(other.id)
        assert reaches.contacts(other.id, 0) == [] and reaches.of(other.id) == LEAST_MS


def test_the_clock_set_back_measures_nothing_negative():
    seed = random.randrange(1_000_000)
    drawn = random.Random(seed)
    for _ in range(200):
        since, now = drawn.randrange(NOW), drawn.randrange(NOW)
        moments = [drawn.randrange(2 * NOW) for _ in range(drawn.randrange(9))]
        found = reach_ms(moments, min(since, now), now)
        assert LEAST_MS <= found <= MOST_MS, seed


def test_partners_heard_by_a_relay_alone_count(world: World, lorient: Place):
    """`sightings` says until when we know what a town said, whoever brought it."""
    other = world.places["Quimper"].town.id
    world.clock.forward(ms=5 * DAY_MS)
    with world.places["Quimper"].inside() as there:
        there.journal.publish("lending.item/1", {"title": "Échelle"})
        raws = [each.raw for each in records.walk(there.id)]
    with lorient.inside() as town:
        town.journal.ingest(raws)
        assert sightings.heard_ms([other], town.clock.now_ms())[other] >= town.clock.now_ms() - 999
        reach.measure(town)
        assert reaches.contacts(other, 0)
        assert partners.is_linked(other)
