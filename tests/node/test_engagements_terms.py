"""Other terms: proposed, changed, amended; nobody is bound to what they did not agree to."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.domain.errors import Conflict, DomainError, Invalid, NotAllowed
from node.engagements import proposal
from node.engagements.between import post
from node.engagements.between.registers import Deed, Proposed, request_inner
from node.store.network import refusals
from node.store.promises import acts, claims
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from node.store.sets import records
from tests.node.engagement_towns import (
    DAY_MS,
    TODAY,
    TownHere,
    Two,
    exchange,
    iso,
    two_towns,
)
from tests.node.restored_towns import back_up, leave_restore, pull_back, put_back, visit


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


def days(first: int, last: int, **more: str) -> dict[str, str]:
    """Return what the form of other days says, counted from TODAY."""
    return {"first_day": iso(TODAY + first), "last_day": iso(TODAY + last), **more}


def propose(
    town: TownHere, row: Engagement, action: str, first: int, last: int, **more: Any
) -> Engagement:
    """Put other days on the table: the keeper by counter or propose, the asker by change."""
    who = "asker" if action == "change" else "keeper"
    return town.act(row, action, who, who, args=days(first, last), **more)


def answer(town: TownHere, row: Engagement, action: str = "accept", **more: Any) -> Engagement:
    """Answer as the asker."""
    return town.act(row, action, "asker", "asker", **more)


def span(terms: str) -> tuple[int, int]:
    """Return the first and the last day of a loan, counted from TODAY."""
    read = json.loads(terms)
    return read["first_day"] - TODAY, read["after_day"] - 1 - TODAY


def held(town: TownHere, row: Engagement) -> set[int]:
    """Return the days an engagement holds at home, counted from TODAY."""
    with town.inside():
        return {day - TODAY for _, day in claims.of_engagement(row.id)}


def verdicts(town: TownHere, row: Engagement) -> dict[str, str]:
    """Return the last verdict on each action of the asker's side."""
    with town.inside():
        return {act.action: act.verdict for act in acts.of_engagement(row.id) if act.verdict}


def same_in_both(two: Two, row: Engagement) -> bool:
    """Whether both towns hold the same of an engagement."""
    names = ("state", "terms", "proposal", "version", "turn", "deadline_ms", "since_ms")
    home, away = two.home.row(row), two.away.row(row)
    return all(getattr(home, name) == getattr(away, name) for name in names)


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


# ── amended terms ────────────────────────────────────────────────────────────────────────────────


def out(two: Two, **body: Any) -> Engagement:
    """Return a loan that was handed over."""
    row = two.asked(renewals=1, **body)
    for action in ("approve", "hand_over"):
        two.home.act(row, action)
    two.exchange()
    return row


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


# ── hostile towns ────────────────────────────────────────────────────────────────────────────────


def refused(town: TownHere, partner: TownHere) -> dict[str, int]:
    """Return the refusals on a partner's page."""
    with town.inside():
        return refusals.counts(partner.id)


def say(two: Two, row: Engagement, **change: Any) -> None:
    """Let home sign whatever it likes about an engagement."""
    with two.home.inside():
        ground, mine = two.home.engine.ground, two.home.engine.find(row.id)
        said = replace(post.reply_of(ground, mine), version=mine.version + 1, **change)
        inner = post.registers.reply_inner(said)
        two.home.journal.publish_sealed("reply/1", inner, to=two.away.id, key=mine.reply_key)
    two.exchange()


def test_home_cannot_change_terms_alone(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    terms = {**json.loads(two.away.row(row).terms), "first_day": TODAY + 1}
    say(two, row, terms=terms)
    assert span(two.away.row(row).terms) == (3, 4)
    assert refused(two.away, two.home) == {"other_terms": 1}


def test_home_cannot_say_that_a_yes_was_to_other_terms(two: Two) -> None:
    row = two.asked()
    propose(two.home, row, "counter", 8, 9)
    two.exchange()
    answer(two.away, row)
    two.home.hear(two.away.raws())
    terms = {**json.loads(two.home.row(row).terms), "units": 7}
    say(two, row, terms=terms)
    assert two.away.row(row).state == "countered"
    assert refused(two.away, two.home) == {"other_terms": 1}


@pytest.mark.parametrize(
    "terms",
    [
        {"first_day": 3},
        {"first_day": "tomorrow", "after_day": 9, "units": 1},
        {"first_day": -(2**60), "after_day": 2**60},
        {"first_day": 2**52, "after_day": 2**52 + 1},
    ],
)
def test_a_proposal_that_cannot_be_drawn_is_refused_whole(two: Two, terms: dict[str, Any]) -> None:
    row = two.asked()
    whole = {**json.loads(two.away.row(row).terms), **terms} if len(terms) > 1 else terms
    hung = Proposed(2, "keeper", whole, two.clock.now_ms() + DAY_MS, "lapsed")
    say(two, row, state="countered", proposal=hung)
    assert two.away.row(row).state == "requested"
    assert refused(two.away, two.home) == {"bad_inner": 1}


def send(two: Two, row: Engagement, *deeds: Deed) -> None:
    """Let the asker's town send whatever acts it likes."""
    with two.away.inside():
        mine = two.away.engine.find(row.id)
        request = post.request_of(two.away.engine.ground, mine)
        more = replace(request, deeds=(*request.deeds, *deeds))
        inner = request_inner(more)
        two.away.journal.publish_sealed("request/1", inner, to=two.home.id, key=mine.request_key)
    two.exchange()


def deed(action: str, two: Two, row: Engagement, **more: Any) -> Deed:
    """Return an act as the asker's town may forge it."""
    home = two.home.row(row)
    return Deed(secrets.token_bytes(8), action, two.clock.now_ms(), "self", home.version, **more)


@pytest.mark.parametrize("action", ["counter", "propose", "approve", "hand_over"])
def test_another_town_does_nothing_that_is_the_keeper_s(two: Two, action: str) -> None:
    row = two.asked()
    send(two, row, deed(action, two, row, wish=days(8, 9)))
    assert two.home.row(row).state == "requested" and held(two.home, row) == set()
    assert refused(two.home, two.away) == {"not_allowed": 1}


def test_another_town_cannot_accept_its_own_change(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    propose(two.away, row, "change", 4, 7)
    two.exchange()
    hung = proposal.on_table(two.home.row(row))
    assert hung is not None
    seen = proposal.digest(hung.terms)
    send(two, row, deed("accept", two, row, seen=seen))
    assert held(two.home, row) == {3, 4, 5, 6, 7} and two.home.row(row).proposal


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"first_day": "x", "last_day": ""},
        {"first_day": iso(TODAY + 4), "last_day": "9999-12-31"},
        {"first_day": iso(TODAY + 4), "last_day": iso(TODAY + 5), "units": "-3"},
        {"first_day": iso(TODAY + 4), "last_day": iso(TODAY + 5), "units": "1" * 300},
    ],
)
def test_a_change_to_nonsense_changes_nothing(two: Two, wish: dict[str, str]) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    send(two, row, deed("change", two, row, wish=wish, seen=b"12345678"))
    assert held(two.home, row) == {3, 4} and two.home.row(row).proposal == ""


def test_a_change_without_the_digest_of_its_terms_is_stale(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    change = deed("change", two, row, wish=days(4, 7))
    send(two, row, change)
    with two.home.inside():
        assert acts.find(row.id, change.id).verdict == "stale"
    assert held(two.home, row) == {3, 4}


def test_covoiturage_44_what_was_decided_is_refused_with_a_conflict(two: Two) -> None:
    """standard-covoiturage #44: refusing what was decided is 409."""
    listing = two.home.publish()
    row = two.home.ask(listing)
    two.home.act(row, "decline")
    for action in ("approve", "counter", "accept", "keep", "retract", "propose"):
        with pytest.raises(DomainError) as over:
            two.home.act(row, action, args=days(8, 9))
        assert (over.value.code, over.value.status) == ("ended", 409)


def test_covoiturage_51_it_is_always_said_whose_turn_it_is(two: Two) -> None:
    """standard-covoiturage #51: whose turn it is can be read at every step."""
    row = two.asked()
    turns = [two.home.row(row).turn]
    for do in (
        lambda: two.home.act(row, "approve"),
        lambda: propose(two.home, row, "propose", 8, 9),
        lambda: answer(two.away, row, "keep"),
        lambda: propose(two.away, row, "change", 4, 7),
        lambda: two.home.act(row, "accept"),
        lambda: two.home.act(row, "hand_over"),
    ):
        do()
        two.exchange()
        assert two.home.row(row).turn == two.away.row(row).turn
        turns.append(two.home.row(row).turn)
    assert turns == ["keeper", "keeper", "asker", "keeper", "keeper", "keeper", "asker"]


def test_the_same_press_twice_is_one_act(two: Two) -> None:
    row = two.asked()
    act_id = secrets.token_bytes(8)
    propose(two.home, row, "counter", 8, 9, act_id=act_id)
    version = two.home.row(row).version
    propose(two.home, row, "counter", 8, 9, act_id=act_id)
    assert two.home.row(row).version == version
    two.exchange()
    answer(two.away, row)
    answer(two.away, row)
    with two.away.inside():
        said = [act.action for act in acts.of_engagement(row.id)]
    assert said.count("accept") == 1
    with two.away.inside():
        assert rows.find(row.id).state == "countered"


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
