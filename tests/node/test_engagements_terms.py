"""Other terms: proposed, changed; nobody is bound to what they did not agree to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.domain.errors import Conflict, Invalid, NotAllowed
from tests.node.engagement_towns import (
    DAY_MS,
    TODAY,
    Two,
    iso,
    two_towns,
)
from tests.node.other_terms import (
    answer,
    days,
    held,
    out,
    propose,
    refused,
    same_in_both,
    span,
    verdicts,
)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


# ── a counter-proposal ───────────────────────────────────────────────────────────────────────────


def test_a_counter_proposal_holds_the_new_days_until_it_is_answered(two: Two) -> None:
    row = two.asked()
    propose(two.home, row, "counter", 8, 9)
    assert held(two.home, row) == {8, 9} and two.home.row(row).turn == "asker"
    two.exchange()
    assert two.both(row) == ("countered", "countered") and same_in_both(two, row)
    assert two.away.words(row).startswith("%(town)s proposes other terms: it is your turn until")
    answer(two.away, row)
    assert two.away.words(row) == "Your yes is on its way to %(town)s. It is not yours yet."
    assert two.away.row(row).state == "countered"
    two.exchange()
    assert two.both(row) == ("approved", "approved") and same_in_both(two, row)
    assert span(two.away.row(row).terms) == (8, 9) and held(two.home, row) == {8, 9}


def test_a_counter_proposal_inside_one_town_is_the_same(two: Two) -> None:
    listing = two.home.publish()
    row = two.home.ask(listing)
    propose(two.home, row, "counter", 8, 9)
    row = answer(two.home, row)
    assert (row.state, row.proposal, span(row.terms)) == ("approved", "", (8, 9))


def test_home_counters_twice_and_a_yes_to_the_first_is_stale(two: Two) -> None:
    row = two.asked()
    propose(two.home, row, "counter", 8, 9)
    two.exchange()
    answer(two.away, row)
    propose(two.home, row, "propose", 12, 13)
    two.exchange()
    assert verdicts(two.away, row)["accept"] == "stale"
    assert two.both(row) == ("countered", "countered") and held(two.home, row) == {12, 13}
    answer(two.away, row)
    two.exchange()
    assert two.both(row) == ("approved", "approved") and span(two.home.row(row).terms) == (12, 13)


def test_withdraw_and_counter_proposal_cross_and_the_proposal_dies(two: Two) -> None:
    row = two.asked()
    propose(two.home, row, "counter", 8, 9)
    two.away.withdraw_ask(row)
    two.exchange()
    assert two.both(row) == ("cancelled", "cancelled")
    assert held(two.home, row) == set() and two.home.row(row).proposal == ""


def test_a_counter_proposal_nobody_answers_lapses(two: Two) -> None:
    row = two.asked()
    propose(two.home, row, "counter", 8, 9)
    two.exchange()
    until_ms = two.home.row(row).deadline_ms
    two.clock.at_ms = until_ms + DAY_MS - 1
    assert two.home.sweep() == 0
    two.clock.at_ms = until_ms + DAY_MS
    two.home.sweep()
    two.exchange()
    assert two.both(row) == ("lapsed", "lapsed") and held(two.home, row) == set()


def test_a_yes_dated_in_time_and_received_within_the_grace_counts(two: Two) -> None:
    row = two.asked()
    propose(two.home, row, "counter", 20, 21)
    two.exchange()
    until_ms = two.home.row(row).deadline_ms
    two.clock.at_ms = until_ms - 1
    answer(two.away, row)
    two.clock.at_ms = until_ms + DAY_MS - 1
    two.home.sweep()
    two.exchange()
    assert two.both(row) == ("approved", "approved")


def test_a_yes_dated_after_the_deadline_is_late(two: Two) -> None:
    row = two.asked()
    propose(two.home, row, "counter", 20, 21)
    two.exchange()
    two.clock.at_ms = two.home.row(row).deadline_ms + 1
    with pytest.raises(Conflict) as late:
        answer(two.away, row)
    assert late.value.code == "late"


def test_days_that_are_taken_cannot_be_proposed(two: Two) -> None:
    listing = two.home.publish()
    row = two.home.ask(listing)
    two.home.act(two.home.ask(listing, "neighbour", 8, 8), "approve")
    with pytest.raises(Conflict) as full:
        propose(two.home, row, "counter", 8, 9)
    assert full.value.code == "full" and two.home.row(row).state == "requested"
    with pytest.raises(Invalid):
        propose(two.home, row, "counter", 9, 8)


def test_no_contact_is_told_before_the_other_terms_are_accepted(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing, share="1", contact="06 11")
    two.exchange()
    args = days(8, 9, share="1", contact="Porte verte")
    two.home.act(row, "counter", args=args)
    two.exchange()
    assert "06 11" not in two.home.row(row).contacts
    assert "Porte" not in two.away.row(row).contacts
    answer(two.away, row)
    two.exchange()
    assert "06 11" in two.home.row(row).contacts and "Porte" in two.away.row(row).contacts


# ── a proposal on what was agreed ────────────────────────────────────────────────────────────────


def test_a_proposal_on_what_was_agreed_holds_the_union_until_it_is_answered(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    propose(two.home, row, "propose", 4, 6)
    assert held(two.home, row) == {3, 4, 5, 6}
    two.exchange()
    assert two.both(row) == ("approved", "approved") and same_in_both(two, row)
    assert "what was agreed holds" in two.away.words(row)
    answer(two.away, row)
    two.exchange()
    assert held(two.home, row) == {4, 5, 6} and span(two.away.row(row).terms) == (4, 6)
    assert same_in_both(two, row)


def test_no_to_a_proposal_keeps_what_was_agreed(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    propose(two.home, row, "propose", 8, 9)
    two.exchange()
    answer(two.away, row, "keep")
    two.exchange()
    assert held(two.home, row) == {3, 4} and span(two.away.row(row).terms) == (3, 4)
    assert same_in_both(two, row) and two.away.row(row).proposal == ""


def test_a_proposal_nobody_answers_falls_away_and_what_was_agreed_stays(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing, first=20, last=21)
    two.exchange()
    two.home.act(row, "approve")
    propose(two.home, row, "propose", 30, 31)
    two.exchange()
    two.clock.forward(days=6)
    two.home.sweep()
    two.exchange()
    assert two.both(row) == ("approved", "approved") and held(two.home, row) == {20, 21}
    assert same_in_both(two, row)
    with pytest.raises(Conflict) as stale:
        answer(two.away, row)
    assert stale.value.code == "stale"


def test_whoever_proposed_can_take_it_back_and_nobody_else(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    propose(two.home, row, "propose", 8, 9)
    two.exchange()
    with pytest.raises(NotAllowed):
        answer(two.away, row, "retract")
    with pytest.raises(NotAllowed):
        two.home.act(row, "accept")
    two.home.act(row, "retract")
    two.exchange()
    assert held(two.home, row) == {3, 4} and same_in_both(two, row)


def test_home_alone_may_only_give_more(two: Two) -> None:
    row = two.asked()
    for action in ("approve", "hand_over"):
        two.home.act(row, action)
    two.exchange()
    extended = two.home.act(row, "propose", args=days(3, 8))
    assert (extended.proposal, span(extended.terms)) == ("", (3, 8))
    two.exchange()
    assert span(two.away.row(row).terms) == (3, 8) and same_in_both(two, row)


# ── a change by the asker ────────────────────────────────────────────────────────────────────────


def test_less_than_what_is_held_is_taken_at_once(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing, first=3, last=6)
    two.exchange()
    two.home.act(row, "approve")
    two.exchange()
    propose(two.away, row, "change", 4, 5)
    assert "Until they answer what was agreed holds." in two.away.words(row)
    assert span(two.away.row(row).terms) == (3, 6)
    two.exchange()
    assert verdicts(two.away, row)["change"] == "ok" and held(two.home, row) == {4, 5}
    assert span(two.away.row(row).terms) == (4, 5) and same_in_both(two, row)


@pytest.mark.parametrize(
    ("said", "verdict", "after"), [("accept", "ok", (4, 7)), ("keep", "not_allowed", (3, 4))]
)
def test_other_days_wait_for_the_keeper(
    two: Two, said: str, verdict: str, after: tuple[int, int]
) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    propose(two.away, row, "change", 4, 7)
    two.exchange()
    assert verdicts(two.away, row)["change"] == "pending" and same_in_both(two, row)
    assert two.home.row(row).turn == "keeper" and held(two.home, row) == {3, 4, 5, 6, 7}
    two.home.act(row, said)
    two.exchange()
    assert verdicts(two.away, row)["change"] == verdict
    assert span(two.away.row(row).terms) == after and same_in_both(two, row)


def test_a_change_the_keeper_never_answers_falls_away(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing, first=20, last=21)
    two.exchange()
    two.home.act(row, "approve")
    two.exchange()
    propose(two.away, row, "change", 22, 24)
    two.exchange()
    two.clock.forward(days=5)
    two.home.sweep()
    two.exchange()
    assert verdicts(two.away, row)["change"] == "late" and held(two.home, row) == {20, 21}
    assert same_in_both(two, row)


def test_a_change_after_the_lock_is_late(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    two.home.act(row, "hand_over")
    propose(two.away, row, "change", 3, 8)
    two.exchange()
    assert verdicts(two.away, row)["change"] == "late"
    assert two.both(row) == ("handed_over", "handed_over") and span(two.home.row(row).terms) == (
        3,
        4,
    )


def test_a_change_is_taken_back_by_who_asked(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    propose(two.away, row, "change", 4, 7)
    two.exchange()
    answer(two.away, row, "retract")
    two.exchange()
    assert verdicts(two.away, row) == {**verdicts(two.away, row), "change": "ended"}
    assert held(two.home, row) == {3, 4} and same_in_both(two, row)


def test_who_changed_their_mind_too_often_can_still_withdraw(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    with pytest.raises(Conflict) as limit:
        for number in range(40):
            propose(two.away, row, "change", 4, 6 + number % 2)
    assert limit.value.code == "over_limit"
    two.away.withdraw_ask(row)
    two.exchange()
    assert two.both(row) == ("cancelled", "cancelled")


def test_words_without_end_do_not_stop_a_request_on_its_way(two: Two) -> None:
    row = out(two)
    endless = {"last_day": iso(TODAY + 9), "units": "1" * 9_000, "message": "x" * 9_000}
    two.away.act(row, "renew", "asker", "asker", args=endless)
    two.exchange()
    assert refused(two.home, two.away) == {} and verdicts(two.away, row)["renew"]


def test_a_hand_over_ends_what_was_on_the_table(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    propose(two.away, row, "change", 4, 7)
    two.exchange()
    two.home.act(row, "hand_over")
    two.exchange()
    assert verdicts(two.away, row)["change"] == "ended" and held(two.home, row) == {3, 4}
    assert same_in_both(two, row)
