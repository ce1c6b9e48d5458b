"""Loans as people live them, in one town and between two: each bug of a peer has its test here."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.domain.errors import Conflict, DomainError, NotAllowed
from node.engagements.ground import read
from node.engagements.telling import MOVED
from node.engagements.tickets import Report
from node.store.catalogue import listings
from node.store.notices import Notice
from node.store.promises import claims
from tests.node.engagement_towns import TODAY, TownHere, Two, iso, two_towns


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


@pytest.fixture
def town(two: Two) -> TownHere:
    return two.home


def queue(town: TownHere, listing: Any, who: str, first: int = 3, last: int = 4) -> Any:
    """Ask, ready to wait in line."""
    return town.ask(listing, who, first, last, queue="1")


def promise(town: TownHere, listing: Any, who: str = "asker", first: int = 3, last: int = 4) -> Any:
    """Return a request that was accepted."""
    return town.act(town.ask(listing, who, first, last), "approve")


def lent(town: TownHere, listing: Any, who: str = "asker", last: int = 1, **form: str) -> Any:
    """Return a loan that is out since today."""
    return town.act(town.act(town.ask(listing, who, 0, last, **form), "approve"), "hand_over")


def refused(act: Any, *given: Any, **named: Any) -> str:
    """Return the code of a refusal, "" if there was none."""
    try:
        act(*given, **named)
    except DomainError as error:
        return error.code
    return ""


def taken(town: TownHere, listing: Any) -> list[int]:
    """Return the days held of a listing, counted from TODAY, one for each unit."""
    with town.inside():
        held = claims.taken(listing.origin, listing.key, TODAY, TODAY + 60)
    return sorted(day - TODAY for _unit, day in held)


# ── no two loans of one copy at once ─────────────────────────────────────────────────────────────


def test_commonsbooking_610_two_yeses_for_one_day_give_one_loan(town: TownHere) -> None:
    drill = town.publish()
    first, second = town.ask(drill, "anne"), town.ask(drill, "yann", 4, 6)
    town.act(first, "approve")
    assert refused(town.act, second, "approve") == "full"
    assert taken(town, drill) == [3, 4]


def test_commonsbooking_949_a_longer_loan_around_a_shorter_one_is_refused(town: TownHere) -> None:
    drill = town.publish()
    promise(town, drill, "anne", 4, 5)
    assert refused(town.ask, drill, "yann", 3, 8) == "full"
    assert refused(town.ask, drill, "yann", 5, 5) == "full"
    assert town.ask(drill, "yann", 6, 8).state == "requested"


def test_commonsbooking_1900_what_the_calendar_shows_free_is_what_can_be_had(
    town: TownHere,
) -> None:
    drill = town.publish(turnround="day_between")
    promise(town, drill, "anne", 3, 4)
    with town.inside():
        days = {each["day"] - TODAY: each["free"] for each in town.engine.days(town.listing(drill))}
    for day in range(1, 9):
        code = refused(town.ask, drill, "yann", day, day)
        assert (code == "") == days[day] or (day == 2 and code == "full"), (day, code)


def test_circulate_1258_a_day_between_is_kept_free_and_the_same_day_can_be_had(two: Two) -> None:
    slow, quick = two.home.publish(turnround="day_between"), two.home.publish(turnround="same_day")
    promise(two.home, slow, "anne", 3, 4)
    promise(two.home, quick, "anne", 3, 4)
    assert refused(two.home.ask, slow, "yann", 5, 6) == "full"
    assert two.home.ask(slow, "yann", 6, 7).state == "requested"
    assert promise(two.home, quick, "yann", 4, 6).state == "approved"


# ── the waiting line ─────────────────────────────────────────────────────────────────────────────


def test_who_waits_is_offered_what_comes_free_and_says_yes(town: TownHere) -> None:
    drill = town.publish()
    held = promise(town, drill, "anne")
    waiting = queue(town, drill, "yann")
    assert waiting.state == "waiting" and taken(town, drill) == [3, 4]
    town.withdraw_ask(held, "anne")
    offered = town.row(waiting)
    assert offered.state == "offered" and taken(town, drill) == [3, 4]
    assert town.act(offered, "accept", "yann", "asker").state == "approved"


def test_an_offer_nobody_takes_passes_on_after_two_days(two: Two) -> None:
    town, clock = two.home, two.clock
    drill = town.publish()
    held = promise(town, drill, "anne", 9, 10)
    first, second = queue(town, drill, "yann", 9, 10), queue(town, drill, "soizic", 9, 10)
    town.withdraw_ask(held, "anne")
    clock.forward(hours=49)
    town.sweep()
    assert (town.row(first).state, town.row(second).state) == ("passed", "offered")


def test_what_is_paused_is_offered_to_nobody_until_it_is_published_again(town: TownHere) -> None:
    drill = town.publish()
    held, waiting = promise(town, drill, "anne"), queue(town, drill, "yann")
    town.publish(key=drill.key, state="paused")
    town.withdraw_ask(held, "anne")
    town.sweep()
    assert town.row(waiting).state == "waiting"
    town.publish(key=drill.key)
    town.sweep()
    assert town.row(waiting).state == "offered"


def test_circulate_523_nobody_freezes_the_stock_with_holds(town: TownHere) -> None:
    drills = [town.publish() for _ in range(5)]
    for drill in drills:
        promise(town, drill, "anne")
    codes = [refused(queue, town, drill, "yann") for drill in drills]
    assert codes == ["", "", "", "too_many_lines", "too_many_lines"]
    assert refused(queue, town, drills[0], "yann") == "in_line_already"


def test_circulate_666_a_hold_is_never_stuck_with_who_does_not_come(two: Two) -> None:
    town, clock = two.home, two.clock
    drill = town.publish(open_days=[2, 5])  # Wednesday and Saturday
    held = promise(town, drill, "anne", 2, 5)
    town.withdraw_ask(held, "anne")
    kept = promise(town, drill, "yann", 2, 5)  # for Wednesday; set aside until Saturday evening
    waiting = queue(town, drill, "soizic", 5, 9)
    clock.forward(days=5, hours=15)  # Saturday, 23:00
    town.sweep()
    assert town.row(kept).state == "approved"
    clock.forward(hours=2)
    town.sweep()
    assert town.row(kept).state == "lapsed"
    assert town.row(waiting).state == "offered"


# ── overdue, renewals ────────────────────────────────────────────────────────────────────────────


def test_circulate_20_no_new_loan_while_one_is_overdue(two: Two) -> None:
    town, clock = two.home, two.clock
    drill, tent = town.publish(), town.publish()
    out = lent(town, drill)
    asked = town.ask(tent, "asker", 5, 6)
    clock.forward(days=3)
    assert refused(town.ask, tent, "asker", 7, 8) == "overdue"
    assert refused(town.act, asked, "approve") == "overdue"
    assert refused(town.ask, tent, "yann", 7, 8) == ""
    town.sweep()
    assert town.row(out).state == "overdue"
    town.act(town.row(out), "take_back")
    assert refused(town.ask, tent, "asker", 10, 11) == ""
    assert town.act(town.row(asked), "approve").state == "approved"


def test_renewal_is_refused_while_somebody_waits_and_given_when_nobody_does(town: TownHere) -> None:
    drill = town.publish(max_days=3, renewals=2)
    out = lent(town, drill, "anne")
    waiting = queue(town, drill, "yann", 1, 2)
    assert waiting.state == "waiting"
    assert refused(town.act, out, "renew", "anne", "asker") == "somebody_waits"
    town.withdraw_ask(waiting, "yann")
    again = town.act(out, "renew", "anne", "asker")
    assert (again.state, read(again.terms)["after_day"]) == ("handed_over", TODAY + 5)
    assert taken(town, drill) == [0, 1, 2, 3, 4]
    third = town.act(again, "renew", "anne", "asker", args={"last_day": iso(TODAY + 5)})
    assert read(third.terms)["after_day"] == TODAY + 6
    assert refused(town.act, third, "renew", "anne", "asker") == "no_renewal_left"


def test_a_renewal_never_takes_the_days_of_who_comes_next(town: TownHere) -> None:
    drill = town.publish(max_days=3)
    out = lent(town, drill, "anne")
    promise(town, drill, "yann", 3, 4)
    assert refused(town.act, out, "renew", "anne", "asker") == "full"
    again = town.act(out, "renew", "anne", "asker", args={"last_day": iso(TODAY + 2)})
    assert read(again.terms)["after_day"] == TODAY + 3
    assert taken(town, drill) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("day", [-1, 0, 1, 5, 400])
def test_a_renewal_of_nonsense_is_refused_and_changes_nothing(town: TownHere, day: int) -> None:
    drill = town.publish(max_days=3)
    out = lent(town, drill)
    args = {"last_day": iso(TODAY + day)}
    assert refused(town.act, out, "renew", "asker", "asker", args=args) in (
        "not_longer",
        "too_long",
    )
    assert town.row(out).terms == out.terms and taken(town, drill) == [0, 1]


def test_a_renewal_across_towns_is_reckoned_alike_and_stops_the_reminder(two: Two) -> None:
    drill = two.home.publish(max_days=3, open_days=[0, 1, 2, 3, 4])
    two.exchange()
    row = two.away.ask(drill, "asker", 1, 3)
    two.exchange()
    two.home.act(row, "approve")
    two.clock.forward(days=1)
    two.home.act(row, "hand_over")
    two.exchange()
    two.away.act(row, "renew", "asker", "asker")
    assert two.away.row(row).terms == row.terms  # not before home says so
    two.exchange()
    here, there = two.home.row(row), two.away.row(row)
    assert read(here.terms) == read(there.terms)
    assert read(there.terms)["after_day"] == TODAY + 8  # Sunday moves to Monday
    assert here.state == there.state == "handed_over"


def test_a_renewal_that_home_refuses_tells_the_other_town_why(two: Two) -> None:
    drill = two.home.publish(renewals=0)
    two.exchange()
    row = two.away.ask(drill, "asker", 0, 1)
    two.exchange()
    two.home.act(row, "approve")
    two.home.act(row, "hand_over")
    two.exchange()
    two.away.act(row, "renew", "asker", "asker")
    two.exchange()
    assert read(two.away.row(row).reason).get("code") == "no_renewal_left"
    assert read(two.away.row(row).terms) == read(two.home.row(row).terms)


# ── limits ───────────────────────────────────────────────────────────────────────────────────────


def test_circulate_1986_the_limit_is_known_before_asking_and_kept(town: TownHere) -> None:
    tools = [town.publish(object="bricolage", at_once=2) for _ in range(3)]
    pot = town.publish(object="cuisine", at_once=1)
    lent(town, tools[0])
    promise(town, tools[1])
    with town.inside():
        found = town.engine.rules.against_asking(town.listing(tools[2]), town.member("asker"))
        other = town.engine.rules.against_asking(town.listing(pot), town.member("asker"))
    assert found is not None and found.code == "at_once" and other is None
    assert refused(town.ask, tools[2]) == "at_once"
    assert refused(town.ask, pot) == ""


# ── broken, lost, given ──────────────────────────────────────────────────────────────────────────


def test_commons_booking_2_48_a_broken_thing_warns_who_comes_next(town: TownHere) -> None:
    drill = town.publish()
    out = lent(town, drill, "anne")
    later = promise(town, drill, "yann", 3, 4)
    town.act(out, "take_back")
    with town.inside():
        town.engine.tickets.report(
            town.row(out), Report("repair", "Mandrin cassé"), town.member("keeper")
        )
        warned = town.engine.tickets.of_row(town.engine.find(later.id))
    assert [each.text for each in warned] == ["Mandrin cassé"]
    assert town.row(later).state == "approved"
    assert refused(town.ask, drill, "soizic", 6, 7) == "full"


def test_what_is_lost_is_over_for_both_towns(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.home.act(row, "hand_over")
    two.home.act(row, "lose")
    two.exchange()
    assert two.both(row) == ("lost", "lost")
    assert taken(two.home, two.home.listing(listing_of(two.home, row))) == []


def listing_of(town: TownHere, row: Any) -> Any:
    """Return the listing an engagement is about."""
    with town.inside():
        return listings.find(row.listing_origin, row.listing_key)


def test_what_is_given_away_leaves_one_less_and_nothing_at_the_end(town: TownHere) -> None:
    pots = town.publish(verb="donner", copies=2)
    for who in ("anne", "yann"):
        given = town.act(town.ask(pots, who), "approve")
        assert town.act(given, "hand_over").state == "handed_over"
    assert listing_of(town, given).state == "withdrawn"


def test_circulate_462_a_forgotten_hand_over_and_return_are_dated_back(two: Two) -> None:
    town, clock = two.home, two.clock
    row = promise(town, town.publish(), first=0, last=2)
    morning_ms = clock.now_ms() + 3_600_000
    clock.forward(hours=9)
    out = town.act(row, "hand_over", at_ms=morning_ms)
    assert (out.state, out.since_ms) == ("handed_over", morning_ms)
    clock.forward(days=5)
    town.sweep()
    assert town.row(row).state == "overdue"
    came_back_ms = morning_ms + 2 * 86_400_000  # on the last day, and nobody wrote it down
    back = town.act(town.row(row), "take_back", at_ms=came_back_ms)
    assert (back.state, back.since_ms) == ("returned", came_back_ms)
    assert refused(town.ask, town.publish(), "asker", 9, 9) == ""
    assert refused(town.act, back, "close", at_ms=morning_ms) == "too_early"


def test_commonsbooking_2_11_what_was_confirmed_is_withdrawn_and_never_deleted(
    town: TownHere,
) -> None:
    drill = town.publish()
    row = promise(town, drill, "anne")
    assert refused(town.act, row, "withdraw", "yann", "asker") == "not_allowed"
    gone = town.withdraw_ask(row, "anne")
    assert (gone.state, gone.final, taken(town, drill)) == ("cancelled", True, [])
    assert refused(town.act, gone, "withdraw", "anne", "asker") == "ended"
    out = lent(town, drill, "anne")
    assert refused(town.act, out, "withdraw", "anne", "asker") == "too_late"
    assert town.row(out).state == "handed_over"


def test_mrbs_3807_a_cancellation_tells_the_keeper_and_frees_the_rest(town: TownHere) -> None:
    drill = town.publish()
    row = promise(town, drill, "anne", 3, 6)
    town.withdraw_ask(row, "anne")
    with town.inside():
        told = Notice.select().where(Notice.engagement == row.id, Notice.kind == MOVED)
        assert town.members["keeper"] in [each.member for each in told]
    assert taken(town, drill) == []
    assert promise(town, drill, "yann", 4, 5).state == "approved"


def test_rero_ils_2545_a_town_cannot_tell_that_two_loans_are_one_person_s(two: Two) -> None:
    drill, saw = two.home.publish(), two.home.publish()
    two.exchange()
    rows = [two.away.ask(each, "anne", *days) for each, days in ((drill, (3, 4)), (saw, (3, 4)))]
    rows.append(two.away.ask(drill, "anne", 9, 9))
    two.exchange()
    first, other, again = (two.home.row(row) for row in rows)
    assert first.who == again.who != other.who
    assert (first.asker, other.asker) == (None, None)


def test_one_does_not_lend_to_oneself(town: TownHere) -> None:
    with pytest.raises(NotAllowed):
        town.ask(town.publish(), "keeper")


def test_the_same_yes_twice_is_one_loan(town: TownHere) -> None:
    drill = town.publish()
    row, act = town.ask(drill), secrets.token_bytes(8)
    for _ in range(2):
        town.act(row, "approve", act_id=act)
    assert taken(town, drill) == [3, 4]
    with pytest.raises(Conflict):
        town.act(row, "approve", on_version=1)
