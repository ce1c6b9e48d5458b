"""The waiting line across towns: who waits knows their place, and nobody is passed too early."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.domain.lifecycle import QUEUE
from node.engagements import line
from node.store.promises import acts
from tests.node.engagement_towns import Two, two_towns

HOUR_MS = 3_600_000


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


def full(two: Two) -> tuple[Any, Any, list[Any]]:
    """Return a listing of home, who has it, and three of the other town in its line."""
    listing = two.home.publish()
    two.exchange()
    held = two.home.act(two.home.ask(listing, "neighbour", 6, 7), "approve")
    waits = []
    for name in ("ana", "bob", "cleo"):
        waits.append(two.away.ask(listing, name, 6, 7, queue="1", message="Pour samedi"))
        two.exchange()
    return listing, held, waits


def places(two: Two, waits: list[Any]) -> list[int | None]:
    """Return the places as the askers' town knows them."""
    with two.away.inside():
        return [line.place(two.away.engine.find(row.id)) for row in waits]


def test_who_waits_elsewhere_knows_their_place(two: Two) -> None:
    _, _, waits = full(two)
    assert {two.both(row) for row in waits} == {("waiting", "waiting")}
    assert places(two, waits) == [1, 2, 3]
    with two.away.inside():
        assert acts.of_engagement(waits[0].id)[0].action == QUEUE
    two.away.withdraw_ask(waits[0], "ana")
    two.exchange()
    assert two.both(waits[0]) == ("cancelled", "cancelled")
    assert places(two, waits) == [None, 1, 2]


def test_what_comes_free_is_offered_across_towns_and_accepted(two: Two) -> None:
    _, held, waits = full(two)
    two.home.withdraw_ask(held, "neighbour")
    two.exchange()
    assert [two.both(row)[1] for row in waits] == ["offered", "waiting", "waiting"]
    assert places(two, waits) == [None, 1, 2]
    two.away.act(waits[0], "accept", "ana", "asker")
    two.exchange()
    assert two.both(waits[0]) == ("approved", "approved")


def test_nobody_is_passed_before_the_deadline_and_the_reach(two: Two) -> None:
    _, held, waits = full(two)
    two.home.withdraw_ask(held, "neighbour")
    with two.home.inside():
        reach_ms = two.home.engine.ground.reach_ms(two.home.row(waits[0]))
    deadline_ms = two.home.row(waits[0]).deadline_ms
    two.clock.at_ms = deadline_ms + reach_ms - 1
    two.home.sweep()
    assert two.home.row(waits[0]).state == "offered"
    two.clock.at_ms += 1
    two.home.sweep()
    assert [two.home.row(row).state for row in waits[:2]] == ["passed", "offered"]


def test_a_yes_dated_in_time_that_comes_within_the_reach_counts(two: Two) -> None:
    _, held, waits = full(two)
    two.home.withdraw_ask(held, "neighbour")
    two.exchange()
    two.clock.at_ms = two.home.row(waits[0]).deadline_ms - 1
    two.away.act(waits[0], "accept", "ana", "asker")
    two.clock.at_ms += HOUR_MS
    two.exchange()
    assert two.both(waits[0]) == ("approved", "approved")


def test_a_yes_dated_too_late_does_not_count_though_home_still_waits(two: Two) -> None:
    _, held, waits = full(two)
    two.home.withdraw_ask(held, "neighbour")
    two.exchange()
    two.clock.at_ms = two.home.row(waits[0]).deadline_ms + 1
    two.away.act(waits[0], "accept", "ana", "asker")
    two.clock.at_ms += HOUR_MS
    two.exchange()
    assert two.home.row(waits[0]).state == "offered"
    with two.away.inside():
        last = acts.of_engagement(waits[0].id)[-1]
    assert (last.action, last.verdict) == ("accept", "late")


def test_what_comes_free_too_late_to_be_fetched_is_offered_to_nobody(two: Two) -> None:
    _, held, waits = full(two)
    two.clock.at_ms = two.home.row(waits[0]).deadline_ms + HOUR_MS  # home still waits for words
    two.home.sweep()
    assert two.home.row(held).state == "lapsed"
    assert [two.home.row(row).state for row in waits] == ["waiting"] * 3


def test_the_line_is_the_same_whatever_is_delivered_twice_or_late(two: Two) -> None:
    _, held, waits = full(two)
    old = two.away.raws()
    two.home.withdraw_ask(held, "neighbour")
    two.exchange()
    before = [two.both(row) for row in waits]
    for _ in range(2):
        two.home.hear(old, two.away)
        two.exchange()
    assert [two.both(row) for row in waits] == before
    assert places(two, waits) == [None, 1, 2]


def test_in_one_delivery_who_waits_comes_before_who_asks_now(two: Two) -> None:
    listing = two.home.publish(auto=True)
    two.exchange()
    held = two.away.ask(listing, "ana", 6, 7)
    two.exchange()
    waits = two.home.ask(listing, "bob", 6, 7, queue="1")
    assert two.home.row(waits).state == "waiting"
    two.away.withdraw_ask(held, "ana")
    late = two.away.ask(listing, "cleo", 6, 7)
    two.home.hear(two.away.raws(), two.away)
    assert two.home.row(waits).state == "offered"
    assert two.home.row(late).state == "declined"


def test_who_waits_is_told_when_the_listing_is_withdrawn(two: Two) -> None:
    listing, _, waits = full(two)
    two.home.withdraw(listing)
    two.exchange()
    assert {two.both(row) for row in waits} == {("declined", "declined")}
