"""What is still true is signed again before its record ends; what is over is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.journal import profile, renewal, restoring
from node.store.catalogue import listings
from node.store.sets import records
from tests.node.engagement_towns import DAY_MS, TODAY, Two, exchange, two_towns


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


def renewed(two: Two) -> int:
    with two.home.inside():
        return renewal.renew(two.home.journal)


def test_a_live_listing_never_expires_however_long_nobody_touches_it(two: Two) -> None:
    listing = two.home.publish()
    exchange(two.home, two.away)
    for _ in range(9):
        two.clock.forward(days=100)
        renewed(two)
        exchange(two.home, two.away)
        for town in (two.home, two.away):
            with town.inside():
                held = records.find(two.home.id, listing.key)
                assert held.expires * 1_000 > two.clock.now_ms() + 99 * DAY_MS
                seen = listings.find(two.home.id, listing.key)
                assert (seen.state, seen.created_ms) == ("published", listing.created_ms)
                listings.close_expired(two.clock.now_ms())


def test_nothing_is_signed_before_it_is_time_and_nothing_twice(two: Two) -> None:
    two.home.publish()
    two.clock.forward(days=289)
    assert renewed(two) == 0
    two.clock.forward(days=2)
    assert renewed(two) == 2  # the listing and the town's own card
    assert renewed(two) == 0


def test_the_card_of_a_town_is_renewed_too(two: Two) -> None:
    two.clock.forward(days=300)
    assert renewed(two) == 1
    with two.home.inside():
        held = records.find(two.home.id, profile.KEY)
    assert held.expires * 1_000 > two.clock.now_ms() + 370 * DAY_MS


def test_what_is_over_may_end(two: Two) -> None:
    gone, ended = two.home.publish(), two.home.publish(ends=TODAY + 30)
    two.home.withdraw(gone)
    two.clock.forward(days=300)
    assert renewed(two) == 1
    with two.home.inside():
        assert (
            records.find(two.home.id, ended.key).expires * 1_000 < two.clock.now_ms() + 81 * DAY_MS
        )


def test_a_paused_listing_is_still_there_in_a_year(two: Two) -> None:
    listing = two.home.publish(state="paused")
    two.clock.forward(days=300)
    renewed(two)
    with two.home.inside():
        assert (
            records.find(two.home.id, listing.key).expires * 1_000
            > two.clock.now_ms() + 370 * DAY_MS
        )


def test_the_photo_and_words_are_the_same_bytes(two: Two) -> None:
    listing = two.home.publish(text="Deux roues, une bâche")
    two.clock.forward(days=300)
    renewed(two)
    with two.home.inside():
        assert listings.find(two.home.id, listing.key).body == listing.body


def test_a_town_in_restore_mode_renews_nothing(two: Two) -> None:
    two.clock.forward(days=300)
    with two.home.inside():
        restoring.begin(two.clock.now_ms(), restoring.RESTORED)
    assert renewed(two) == 0


def test_registers_between_towns_are_not_its_affair(two: Two) -> None:
    row = two.asked()
    before = two.home.row(row).reply_record
    two.clock.forward(days=300)
    renewed(two)
    assert two.home.row(row).reply_record == before
