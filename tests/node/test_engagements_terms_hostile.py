"""Other terms said by a town that means harm, said twice, or said too late."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.domain.errors import DomainError
from node.engagements import proposal
from node.engagements.between import post
from node.engagements.between.registers import Deed, Proposed, request_inner
from node.store.promises import acts
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
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
    propose,
    refused,
    span,
)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


# ── hostile towns ────────────────────────────────────────────────────────────────────────────────


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
