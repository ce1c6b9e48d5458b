"""Terms amended, or of a listing that changed; what the page tells; restored, silent, erased."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.domain.errors import Conflict
from node.engagements import proposal
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from node.store.sets import records
from tests.node.engagement_towns import (
    TODAY,
    TownHere,
    Two,
    exchange,
    iso,
    two_towns,
)
from tests.node.other_terms import (
    answer,
    held,
    out,
    propose,
    same_in_both,
    span,
    verdicts,
)
from tests.node.restored_towns import back_up, leave_restore, pull_back, put_back, visit


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


# ── amended terms ────────────────────────────────────────────────────────────────────────────────


def test_a_renewal_is_reckoned_alike_in_both_towns(two: Two) -> None:
    row = out(two)
    two.away.act(row, "renew", "asker", "asker", args={"last_day": iso(TODAY + 9)})
    assert span(two.away.row(row).terms) == (3, 4)
    two.exchange()
    assert verdicts(two.away, row)["renew"] == "ok" and same_in_both(two, row)
    assert span(two.away.row(row).terms) == (3, 9) and held(two.home, row) == set(range(3, 10))


def test_a_renewal_over_days_that_are_taken_changes_nothing(two: Two) -> None:
    row = out(two)
    two.home.act(two.home.ask(two.home.listing(_listing(two, row)), "neighbour", 6, 7), "approve")
    two.away.act(row, "renew", "asker", "asker", args={"last_day": iso(TODAY + 9)})
    two.exchange()
    assert verdicts(two.away, row)["renew"] == "full" and held(two.home, row) == {3, 4}
    assert same_in_both(two, row)


def test_a_renewal_reckoned_on_another_listing_binds_nobody(two: Two) -> None:
    row = out(two)
    two.home.publish(renewals=1, max_days=9, key=two.home.row(row).listing_key)
    two.away.act(row, "renew", "asker", "asker")  # for as long again: 7 days as seen there
    two.exchange()
    assert verdicts(two.away, row)["renew"] == "stale" and same_in_both(two, row)
    assert span(two.away.row(row).terms) == (3, 4)


def test_a_rule_of_the_practice_is_told_by_its_code_and_said_in_words(two: Two) -> None:
    row = two.asked(renewals=0)
    for action in ("approve", "hand_over"):
        two.home.act(row, action)
    two.exchange()
    two.away.act(row, "renew", "asker", "asker", args={"last_day": iso(TODAY + 9)})
    two.exchange()
    code = json.loads(two.away.row(row).reason)["code"]
    with two.away.inside():
        away = two.away.engine.find(row.id)
        reasons = two.away.engine.ground.rules(away).reasons
        assert two.away.engine.words(away).note == reasons[code]
    assert span(two.away.row(row).terms) == (3, 4) and held(two.home, row) == {3, 4}


def _listing(two: Two, row: Engagement) -> Any:
    from types import SimpleNamespace

    home = two.home.row(row)
    return SimpleNamespace(origin=home.listing_origin, key=home.listing_key)


# ── a listing that changed before the ask arrived ────────────────────────────────────────────────


def changed(two: Two, **body: Any) -> Engagement:
    """Return an ask that came for a listing that is another by now."""
    listing = two.home.publish(deposit=1_000, **body)
    two.exchange()
    row = two.away.ask(listing)
    two.home.publish(deposit=9_000, key=listing.key, **body)
    two.exchange()
    return row


def test_a_yes_to_a_listing_that_changed_is_an_ask_and_no_more(two: Two) -> None:
    row = changed(two)
    with pytest.raises(Conflict):
        two.home.act(row, "approve")
    answer(two.away, row)
    two.exchange()
    assert two.both(row) == ("requested", "requested") and same_in_both(two, row)
    assert two.home.row(row).turn == "keeper" and held(two.home, row) == set()
    two.home.act(row, "approve")
    two.exchange()
    assert two.both(row) == ("approved", "approved") and held(two.home, row) == {3, 4}


def test_a_yes_to_a_listing_that_accepts_by_itself_is_enough(two: Two) -> None:
    row = changed(two, auto=True)
    assert two.both(row) == ("requested", "requested") and held(two.home, row) == set()
    answer(two.away, row)
    two.exchange()
    assert two.both(row) == ("approved", "approved") and same_in_both(two, row)


def test_no_word_on_a_listing_that_changed_ends_the_ask(two: Two) -> None:
    row = changed(two)
    two.clock.forward(days=8)
    two.home.sweep()
    two.away.sweep()
    two.exchange()
    assert two.both(row)[0] in ("lapsed", "cancelled") and len(set(two.both(row))) == 1


def test_a_no_is_heard_whatever_terms_it_comes_with(two: Two) -> None:
    listing = two.home.publish(deposit=1_000)
    two.exchange()
    row = two.away.ask(listing, first=1, last=2)
    two.home.publish(deposit=9_000, key=listing.key)
    two.clock.forward(days=2)
    two.exchange()
    assert two.both(row) == ("declined", "declined") and two.away.row(row).version
    assert span(two.away.row(row).terms) == (1, 2)


# ── what the page tells of the way ───────────────────────────────────────────────────────────────


def steps(town: TownHere, row: Engagement) -> list[tuple[str, str]]:
    """Return the steps of the timeline with their status."""
    with town.inside():
        told = town.engine.timeline(town.engine.find(row.id))
        return [(each.label, each.status) for each in told]


def test_the_timeline_tells_each_word_about_other_terms_and_who_signed_it(two: Two) -> None:
    row = two.asked()
    propose(two.home, row, "counter", 8, 9)
    two.exchange()
    assert ("Other terms proposed", "done") in steps(two.away, row)
    answer(two.away, row)
    assert ("Your word is written here", "now") in steps(two.away, row)
    with two.away.inside():
        records.mark_sent([rows.find(row.id).request_record], two.clock.now_ms() + 60_000)
    assert ("Your word left %(town)s", "now") in steps(two.away, row)
    two.exchange()
    propose(two.away, row, "change", 10, 12)
    two.exchange()
    two.home.act(row, "keep")
    two.exchange()
    labels = [label for label, _ in steps(two.away, row)]
    order = ["Other terms proposed", "New terms agreed", "Accepted", "Change refused"]
    assert [each for each in labels if each in order] == order
    with two.away.inside():
        told = two.away.engine.timeline(two.away.engine.find(row.id))
        accepted = next(each for each in told if each.label == "Accepted")
        assert accepted.signed_by == two.home.id and accepted.record_id


# ── restored, and silent ─────────────────────────────────────────────────────────────────────────


def again(town: TownHere, other: TownHere, backup: Path) -> TownHere:
    """Return a town put back to its backup that has heard the other since."""
    back = put_back(town, backup, with_logbook=False)
    pull_back(back, other)
    leave_restore(back)
    visit(back, other)
    visit(other, back)
    exchange(back, other)
    return back


@pytest.mark.parametrize("side", ["home", "away"])
@pytest.mark.parametrize("action", ["counter", "propose", "change"])
def test_a_proposal_survives_a_restore_of_either_town(
    two: Two, tmp_path: Path, side: str, action: str
) -> None:
    row = two.asked()
    if action != "counter":
        two.home.act(row, "approve")
        two.exchange()
    town = two.home if side == "home" else two.away
    backup = back_up(town, tmp_path / "backup.db")
    propose(two.away if action == "change" else two.home, row, action, 4, 7)
    two.exchange()
    on_table = proposal.on_table(two.home.row(row))
    two.clock.forward(minutes=5)
    setattr(two, side, again(town, two.away if side == "home" else two.home, backup))
    assert proposal.on_table(two.home.row(row)) == on_table and same_in_both(two, row)
    expected = {4, 5, 6, 7} | (set() if action == "counter" else {3})
    assert held(two.home, row) == expected
    if action == "change":
        two.home.act(row, "accept")
    else:
        answer(two.away, row)
    two.exchange()
    assert span(two.away.row(row).terms) == (4, 7) and same_in_both(two, row)
    assert held(two.home, row) == {4, 5, 6, 7}


@pytest.mark.parametrize("side", ["home", "away"])
def test_a_yes_to_other_terms_survives_a_restore_of_either_town(
    two: Two, tmp_path: Path, side: str
) -> None:
    row = two.asked()
    town = two.home if side == "home" else two.away
    backup = back_up(town, tmp_path / "backup.db")
    propose(two.home, row, "counter", 8, 9)
    two.exchange()
    answer(two.away, row)
    two.exchange()
    two.clock.forward(minutes=5)
    setattr(two, side, again(town, two.away if side == "home" else two.home, backup))
    assert two.both(row) == ("approved", "approved") and same_in_both(two, row)
    assert span(two.away.row(row).terms) == (8, 9) and held(two.home, row) == {8, 9}


def test_a_town_lost_for_ever_leaves_no_proposal_open(two: Two) -> None:
    row = two.asked()
    propose(two.home, row, "counter", 8, 9)
    two.exchange()
    other = two.asked(title="Autre chose")
    two.home.act(other, "approve")
    two.exchange()
    propose(two.away, other, "change", 4, 7)
    for _ in range(4):
        two.clock.forward(days=60)
        two.home.sweep()
        two.away.sweep()
    assert two.home.row(row).state == "lapsed" and two.home.row(other).final
    assert two.away.row(row).final and two.away.row(other).final
    assert held(two.home, row) | held(two.home, other) == set()


def test_everything_delivered_twice_and_backwards_changes_nothing(two: Two) -> None:
    row = two.asked()
    air = two.home.raws() + two.away.raws()

    def carry() -> None:
        nonlocal air
        two.exchange()
        air += two.home.raws() + two.away.raws()

    two.home.act(row, "approve")
    carry()
    propose(two.away, row, "change", 4, 7)
    carry()
    two.home.act(row, "accept")
    carry()
    propose(two.home, row, "propose", 10, 11)
    carry()
    answer(two.away, row, "keep")
    carry()
    kept = [dict(town.row(row).__data__) for town in (two.home, two.away)]
    for raw in reversed(air + air):
        two.home.hear([raw])
        two.away.hear([raw])
    assert [dict(town.row(row).__data__) for town in (two.home, two.away)] == kept
    assert span(two.home.row(row).terms) == (4, 7)


def test_who_leaves_with_a_proposal_on_the_table_is_withdrawn(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    propose(two.away, row, "change", 4, 7)
    two.exchange()
    with two.away.inside():
        two.away.engine.forget(two.away.member("asker"))
    two.exchange()
    assert two.both(row) == ("cancelled", "cancelled") and held(two.home, row) == set()
    assert two.home.row(row).proposal == two.away.row(row).proposal == ""
