"""What staff date back, give more time for, and move in the line; each with two names."""

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.domain.errors import Conflict, DomainError, Invalid, NotAllowed
from node.store import audit
from node.store.catalogue.listings import Listing
from node.store.promises import acts
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import (
    DAY_MS,
    START_MS,
    TODAY,
    TownHere,
    Two,
    found,
    iso,
    two_towns,
)

HOUR_MS = 3_600_000


@pytest.fixture
def town(tmp_path: Path) -> TownHere:
    made = found(tmp_path, "Lorient", FixedClock(START_MS))
    for who in ("desk", "other desk"):
        made.member(who, "moderator")
    return made


@pytest.fixture
def two(tmp_path: Path) -> Any:
    with two_towns(tmp_path) as made:
        yield made


def refused(error: type[DomainError], code: str, call: Any, *args: Any, **named: Any) -> None:
    with pytest.raises(error) as raised:
        call(*args, **named)
    assert raised.value.code == code


def entries(town: TownHere) -> list[tuple[str, int | None, int | None, dict[str, Any]]]:
    with town.inside():
        found = [each for each in audit.latest(50) if each.action == "engagement.act"]
        return [(each.actor, each.member, each.other, json.loads(each.detail)) for each in found]


# ── dated back ───────────────────────────────────────────────────────────────────────────────────


def test_circulate_462_a_hand_over_of_saturday_is_typed_in_on_monday(town: TownHere) -> None:
    row = town.ask(
        town.publish(None, open_days=[5, 2], max_days=14), first=5, last=12
    )  # Saturday, Saturday
    town.act(row, "approve", "desk", "staff")
    saturday_ms = START_MS + 5 * DAY_MS + 2 * HOUR_MS
    town.clock.forward(days=7)  # Monday
    town.sweep()
    row = town.act(row, "hand_over", "desk", "staff", at_ms=saturday_ms)
    assert (row.state, row.since_ms) == ("handed_over", saturday_ms)
    with town.inside():
        done = acts.of_engagement(row.id)[-1]
    assert (done.at_ms, done.verdict_ms) == (saturday_ms, town.clock.now_ms())
    assert entries(town)[0][3] == {"action": "hand_over", "by": "desk", "at_ms": saturday_ms}


def test_what_came_back_in_time_and_is_typed_in_late_was_never_overdue(town: TownHere) -> None:
    row = town.ask(town.publish(None), first=0, last=1)
    town.act(row, "approve", "desk", "staff")
    town.act(row, "hand_over", "desk", "staff")
    back_ms = START_MS + DAY_MS + HOUR_MS
    town.clock.forward(days=4)
    town.sweep()
    assert town.row(row).state == "overdue"
    row = town.act(row, "take_back", "desk", "staff", at_ms=back_ms)
    assert (row.state, row.since_ms, row.deadline_ms) == (
        "returned", back_ms, back_ms + 7 * DAY_MS,
    )  # fmt: skip


def test_deadlines_count_from_when_it_happened(town: TownHere) -> None:
    row = town.ask(town.publish(None), first=0, last=6)
    town.act(row, "approve", "desk", "staff")
    town.act(row, "hand_over", "desk", "staff")
    town.clock.forward(days=10)
    town.sweep()
    row = town.act(row, "take_back", "desk", "staff", at_ms=START_MS + HOUR_MS)
    assert row.state == "closed"  # seven days after it came back were over already
    assert row.since_ms == START_MS + HOUR_MS + 7 * DAY_MS


@pytest.mark.parametrize(
    ("at_ms", "code"),
    [
        (START_MS + HOUR_MS + 1, "in_the_future"),
        (2**62, "in_the_future"),
        (START_MS - 1, "too_early"),
        (0, "too_early"),
        (-(2**62), "too_early"),
    ],
)
def test_nothing_is_dated_into_the_future_or_before_its_state_began(
    town: TownHere, at_ms: int, code: str
) -> None:
    row = town.ask(town.publish(None), first=0)
    town.act(row, "approve", "desk", "staff")
    town.clock.forward(hours=1)
    refused(Invalid, code, town.act, row, "hand_over", "desk", "staff", at_ms=at_ms)
    assert town.row(row).state == "approved" and len(entries(town)) == 1


def test_an_answer_is_not_dated_back_before_the_listing_was_there_nor_the_request(
    town: TownHere,
) -> None:
    town.clock.forward(days=1)
    listing = town.publish(None)
    town.clock.forward(hours=1)
    row = town.ask(listing)
    for at_ms in (START_MS, town.clock.now_ms() - HOUR_MS, town.clock.now_ms() - 1):
        refused(Invalid, "too_early", town.act, row, "approve", "desk", "staff", at_ms=at_ms)


def test_whoever_asks_never_dates_back(town: TownHere) -> None:
    row = town.ask(town.publish(None))
    at_ms = town.clock.now_ms()
    refused(NotAllowed, "not_allowed", town.act, row, "withdraw", "asker", "asker", at_ms=at_ms)


def test_a_final_state_is_final_for_what_is_dated_back_too(town: TownHere) -> None:
    row = town.ask(town.publish(None), first=0, last=0)
    town.act(row, "approve", "desk", "staff")
    town.clock.forward(days=5)
    town.sweep()
    assert town.row(row).state == "lapsed"
    with pytest.raises(DomainError):
        town.act(row, "hand_over", "desk", "staff", at_ms=START_MS + HOUR_MS)
    assert town.row(row).state == "lapsed"


def test_a_double_click_is_one_act_and_one_entry(town: TownHere) -> None:
    row = town.ask(town.publish(None))
    for _ in range(2):
        town.act(row, "approve", "desk", "staff", act_id=b"12345678")
    assert town.row(row).version == 2 and len(entries(town)) == 1


# ── more time ────────────────────────────────────────────────────────────────────────────────────


def out(town: TownHere, listing: Listing, first: int = 0, last: int = 2) -> Engagement:
    """Return a loan that was handed over."""
    row = town.ask(listing, first=first, last=last)
    town.act(row, "approve", "desk", "staff")
    return town.act(row, "hand_over", "desk", "staff")


def extend(town: TownHere, row: Engagement, day: int, who: str = "desk") -> Engagement:
    member = town.member(who)
    with town.inside():
        return town.engine.staff.extend(
            row, {"last_day": iso(TODAY + day)}, member_id=member, act_id=secrets.token_bytes(8)
        )


def test_commonsbooking_603_staff_extend_a_late_return(town: TownHere) -> None:
    row = out(town, town.publish(None))
    town.clock.forward(days=4)
    town.sweep()
    assert town.row(row).state == "overdue"
    row = extend(town, row, 6)
    terms = json.loads(row.terms)
    assert (row.state, terms["after_day"]) == ("handed_over", TODAY + 7)
    town.clock.forward(days=3)
    town.sweep()
    assert town.row(row).state == "overdue"  # it is due again, and late again
    assert entries(town)[0][3] == {"action": "extend", "by": "desk"}


def test_more_time_is_not_given_over_somebody_elses_promise(town: TownHere) -> None:
    listing = town.publish(None)
    row = out(town, listing)
    other = town.ask(listing, "bernez", first=4, last=5)
    town.act(other, "approve", "desk", "staff")
    refused(Conflict, "full", extend, town, row, 5)
    assert json.loads(town.row(row).terms)["after_day"] == TODAY + 3


@pytest.mark.parametrize("day", [2, 1, -3, 5_000])
def test_less_time_and_impossible_time_are_refused(town: TownHere, day: int) -> None:
    row = out(town, town.publish(None))
    with pytest.raises(DomainError):
        extend(town, row, day)
    assert json.loads(town.row(row).terms)["after_day"] == TODAY + 3


def test_nobody_but_home_side_gives_more_time_and_nothing_of_what_is_over(town: TownHere) -> None:
    listing = town.publish(None)
    row = out(town, listing)
    for who in ("asker", "neighbour"):
        refused(NotAllowed, "not_allowed", extend, town, row, 5, who)
    town.act(row, "take_back", "desk", "staff")
    refused(NotAllowed, "not_allowed", extend, town, row, 5)
    asked = town.ask(listing, first=10, last=11)
    refused(NotAllowed, "not_allowed", extend, town, asked, 12)


def test_more_time_reaches_the_other_town_without_a_word_of_theirs(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.clock.forward(days=3)
    two.exchange()
    two.home.act(row, "hand_over")
    extend(two.home, row, 6, "keeper")
    two.exchange()
    assert two.both(row) == ("handed_over", "handed_over")
    assert two.away.row(row).terms == two.home.row(row).terms
    assert json.loads(two.away.row(row).terms)["after_day"] == TODAY + 7


# ── the line ─────────────────────────────────────────────────────────────────────────────────────


def test_circulate_524_staff_move_somebody_up_the_line_under_their_name(town: TownHere) -> None:
    listing = town.publish(None)
    held = town.ask(listing, "first")
    town.act(held, "approve", "desk", "staff")
    second, third = (town.ask(listing, who, queue="1") for who in ("second", "third"))
    with town.inside():
        town.engine.staff.bump(town.engine.find(third.id), 1, member_id=town.member("desk"))
    refused(
        NotAllowed, "not_allowed", bump, town, second, 1, "second"
    )  # nobody pushes in by themselves
    town.withdraw_ask(held, "first")
    assert (town.row(third).state, town.row(second).state) == ("offered", "waiting")
    assert entries(town)[0][3]["action"] == "bump"


def bump(town: TownHere, row: Engagement, place: int | None, who: str) -> Engagement:
    member = town.member(who)
    with town.inside():
        return town.engine.staff.bump(row, place, member_id=member)


@pytest.mark.parametrize("place", [0, 2, 99, 2**40])
def test_a_place_that_nobody_has_is_refused(town: TownHere, place: int) -> None:
    listing = town.publish(None)
    town.act(town.ask(listing, "first"), "approve", "desk", "staff")
    row = town.ask(listing, "second", queue="1")
    refused(Conflict, "not_in_line", bump, town, row, place, "desk")
