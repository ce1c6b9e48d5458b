"""Inside one town: the engine asks, decides and lapses, and nothing is promised twice."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.domain.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from node.store.promises import acts, claims
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import DAY_MS, START_MS, TODAY, TownHere, found, iso


@pytest.fixture
def town(tmp_path: Path) -> TownHere:
    return found(tmp_path, "Lorient", FixedClock(START_MS))


def held(town: TownHere, row: Engagement) -> list[tuple[int, int]]:
    """Return what an engagement holds, days counted from TODAY."""
    with town.inside():
        return [(unit, day - TODAY) for unit, day in claims.of_engagement(row.id)]


def refused(error: type[DomainError], code: str, call: Any, *args: Any, **named: Any) -> None:
    """Call and expect a refusal with this code."""
    with pytest.raises(error) as raised:
        call(*args, **named)
    assert raised.value.code == code


def test_a_loan_goes_from_ask_to_close(town: TownHere) -> None:
    row = town.ask(town.publish())
    assert (row.state, row.turn, row.version, held(town, row)) == ("requested", "keeper", 1, [])
    for action, state, turn, days in (
        ("approve", "approved", "keeper", [(0, 3), (0, 4)]),
        ("hand_over", "handed_over", "asker", [(0, 3), (0, 4)]),
        ("take_back", "returned", "keeper", []),
        ("close", "closed", "", []),
    ):
        row = town.act(row, action)
        assert (row.state, row.turn, held(town, row)) == (state, turn, days)
    assert row.final and row.version == 5 and row.deadline_ms is None


def test_a_gift_goes_for_good_and_leaves_fewer(town: TownHere) -> None:
    pots = town.publish(title="Pots", verb="donner", copies=3)
    row = town.ask(pots, units="2")
    town.act(row, "approve")
    assert held(town, row) == [(0, -TODAY), (1, -TODAY)]
    row = town.act(row, "hand_over")
    assert (row.state, row.final, held(town, row)) == ("handed_over", True, [])
    with town.inside():
        assert town.engine.ground.body(town.listing(pots)).copies == 1


def test_the_last_gift_withdraws_the_listing_and_declines_who_only_asked(town: TownHere) -> None:
    sofa = town.publish(title="Canapé", verb="donner")
    first, second = town.ask(sofa, "anne"), town.ask(sofa, "bernez")
    town.act(first, "approve")
    refused(Conflict, "full", town.act, second, "approve")
    town.act(first, "hand_over")
    assert town.listing(sofa).state == "withdrawn"
    assert town.row(second).state == "declined"
    assert "unknown_listing" in town.row(second).reason


def test_a_gift_promised_to_all_is_full_whatever_was_fetched(town: TownHere) -> None:
    pots = town.publish(title="Pots", verb="donner", copies=3)
    rows = [town.ask(pots, who) for who in ("anne", "bernez", "corentin")]
    late = town.ask(pots, "denez")
    for row in rows:
        town.act(row, "approve")
    town.act(rows[0], "hand_over")
    refused(Conflict, "full", town.act, late, "approve")
    town.withdraw_ask(rows[2], "corentin")
    assert town.act(late, "approve").state == "approved"


def test_the_same_form_sent_twice_asks_once(town: TownHere) -> None:
    listing, member, token = town.publish(), town.member("asker"), secrets.token_bytes(16)
    form = {"first_day": iso(TODAY + 1), "last_day": iso(TODAY + 1)}
    with town.inside():
        one = town.engine.ask(listing, member, form, token)
        two = town.engine.ask(listing, member, {"first_day": "whatever"}, token)
        assert one.id == two.id and len(town.engine.for_listing(listing.origin, listing.key)) == 1
        other = town.publish(title="Tente")
        refused(Conflict, "token_reused", town.engine.ask, other, member, form, token)
        neighbour = town.member("somebody")
        refused(Conflict, "token_reused", town.engine.ask, listing, neighbour, form, token)


def test_the_same_act_sent_twice_counts_once(town: TownHere) -> None:
    row, token = town.ask(town.publish()), secrets.token_bytes(8)
    one = town.act(row, "approve", act_id=token)
    two = town.act(row, "approve", act_id=token)
    three = town.act(row, "decline", act_id=token)
    assert one.version == two.version == three.version == 2
    assert three.state == "approved"


def test_nobody_asks_for_their_own_listing(town: TownHere) -> None:
    refused(NotAllowed, "own_listing", town.ask, town.publish(), "keeper")


def test_only_the_keeper_decides_and_only_the_asker_withdraws(town: TownHere) -> None:
    row = town.ask(town.publish())
    for who, role in (("asker", "keeper"), ("stranger", "keeper"), ("stranger", "staff")):
        refused(NotAllowed, "not_allowed", town.act, row, "approve", who, role)
    refused(NotAllowed, "not_allowed", town.act, row, "approve", "asker", "asker")
    refused(NotAllowed, "not_allowed", town.act, row, "withdraw", "keeper", "keeper")
    refused(NotAllowed, "not_allowed", town.act, row, "withdraw", "stranger", "asker")
    assert town.row(row).version == 1


def test_the_desk_acts_for_a_keeper_but_never_on_its_own_ask(town: TownHere) -> None:
    town.member("desk", role="moderator")
    row = town.ask(town.publish())
    assert town.act(row, "approve", "desk", "staff").state == "approved"
    with town.inside():
        assert [act.by for act in acts.of_engagement(row.id)] == ["self", "desk"]
    own = town.ask(town.publish(title="Tente"), "desk")
    refused(NotAllowed, "not_allowed", town.act, own, "approve", "desk", "staff")


def test_a_listing_of_the_association_is_kept_by_its_desk(town: TownHere) -> None:
    town.member("desk", role="admin")
    row = town.ask(town.publish(keeper=None))
    assert town.act(row, "approve", "desk", "keeper").state == "approved"


def test_days_are_never_promised_twice_on_one_copy(town: TownHere) -> None:
    tent = town.publish(title="Tente", copies=1)
    first = town.ask(tent, "anne", 3, 5)
    second = town.ask(tent, "bernez", 5, 6)
    town.act(first, "approve")
    refused(Conflict, "full", town.act, second, "approve")
    refused(Conflict, "full", town.ask, tent, "corentin", 4, 4)
    after = town.ask(tent, "denez", 6, 7)
    assert town.act(after, "approve").state == "approved"


def test_a_withdrawal_frees_the_days_at_once(town: TownHere) -> None:
    tent = town.publish(title="Tente")
    first, second = town.ask(tent, "anne"), town.ask(tent, "bernez")
    town.act(first, "approve")
    town.withdraw_ask(first, "anne")
    assert town.row(first).state == "cancelled"
    assert town.act(second, "approve").state == "approved"


def test_fewer_copies_than_promised_promise_nothing_more(town: TownHere) -> None:
    chairs = town.publish(title="Chaises", copies=3)
    for who in ("anne", "bernez"):
        town.act(town.ask(chairs, who), "approve")
    fewer = town.publish(title="Chaises", copies=2, key=chairs.key)
    refused(Conflict, "full", town.ask, fewer, "corentin")


def test_a_thing_given_by_itself_is_accepted_while_one_is_free(town: TownHere) -> None:
    drill = town.publish(title="Perceuse", auto=True)
    row = town.ask(drill, "anne")
    assert (row.state, held(town, row)) == ("approved", [(0, 3), (0, 4)])
    refused(Conflict, "full", town.ask, drill, "bernez", 4, 4)
    with town.inside():
        assert len(town.engine.for_listing(drill.origin, drill.key)) == 1


def test_too_late_to_withdraw_once_the_thing_is_out(town: TownHere) -> None:
    row = town.ask(town.publish())
    town.act(row, "approve")
    town.act(row, "hand_over")
    refused(Conflict, "too_late", town.withdraw_ask, row)
    assert town.row(row).state == "handed_over"


def test_what_is_over_stays_over(town: TownHere) -> None:
    row = town.ask(town.publish())
    town.act(row, "decline", args={"reason": "Elle est cassée, désolé."})
    for action in ("approve", "decline", "hand_over", "revoke", "moon"):
        refused(Conflict, "ended", town.act, row, action)
    refused(Conflict, "ended", town.withdraw_ask, row)
    assert "cassée" in town.row(row).reason


def test_an_action_of_another_moment_or_practice_is_refused(town: TownHere) -> None:
    row = town.ask(town.publish())
    refused(Conflict, "stale", town.act, row, "hand_over")
    refused(NotAllowed, "not_allowed", town.act, row, "vote")
    assert town.row(row).version == 1


def test_an_old_page_decides_nothing(town: TownHere) -> None:
    row = town.ask(town.publish())
    approved = town.act(row, "approve", on_version=row.version)
    refused(Conflict, "stale", town.act, row, "hand_over", on_version=row.version)
    assert town.act(row, "hand_over", on_version=approved.version).state == "handed_over"


def test_a_yes_taken_back_frees_the_days_and_says_so(town: TownHere) -> None:
    row = town.ask(town.publish())
    town.act(row, "approve")
    row = town.act(row, "revoke", args={"reason": "Pneu crevé"})
    assert (row.state, row.final, held(town, row)) == ("revoked", True, [])
    assert town.words(row) == "The yes was taken back."


@pytest.mark.parametrize(
    ("days", "state"),
    [(2, "requested"), (3, "lapsed")],
)
def test_without_an_answer_before_the_first_day_it_lapses(
    town: TownHere, days: int, state: str
) -> None:
    row = town.ask(town.publish(), first=3, last=4)
    town.clock.forward(days=days)
    town.sweep()
    assert town.row(row).state == state


def test_without_an_answer_in_five_days_it_lapses(town: TownHere) -> None:
    row = town.ask(town.publish(), first=30, last=31)
    town.clock.forward(days=5)
    assert town.sweep() == 1 and town.row(row).state == "lapsed"
    assert town.sweep() == 0


def test_deadlines_count_at_each_act_even_if_the_job_never_ran(town: TownHere) -> None:
    row = town.ask(town.publish())
    town.clock.forward(days=9)
    refused(Conflict, "ended", town.act, row, "approve")


def test_a_job_a_year_late_enters_each_state_at_its_own_moment(town: TownHere) -> None:
    row = town.ask(town.publish(), first=3, last=4)
    town.act(row, "approve")
    town.act(row, "hand_over")
    due_ms = town.row(row).deadline_ms
    town.clock.forward(days=365)
    town.sweep()
    row = town.row(row)
    assert (row.state, row.since_ms) == ("lost", due_ms + 90 * DAY_MS)
    with town.inside():
        lapses = [act.at_ms for act in acts.of_engagement(row.id) if act.action == "lapse"]
    assert lapses == [due_ms, due_ms + 90 * DAY_MS]


def test_a_thing_brought_back_late_is_overdue_then_returned(town: TownHere) -> None:
    row = town.ask(town.publish(), first=0, last=1)
    town.act(row, "approve")
    town.act(row, "hand_over")
    town.clock.forward(days=2)
    town.sweep()
    assert (town.row(row).state, town.row(row).turn) == ("overdue", "asker")
    assert town.act(row, "take_back").state == "returned"
    town.clock.forward(days=7)
    town.sweep()
    assert town.row(row).state == "closed"


def test_a_loan_over_the_spring_night_is_due_at_the_end_of_its_last_day(tmp_path: Path) -> None:
    march = FixedClock(1_806_101_999_000)  # Friday 2027-03-26, 23:59:59 in Paris
    town = found(tmp_path, "Lorient", march)
    member = town.member("asker")
    listing = town.publish()
    form = {"first_day": "2027-03-27", "last_day": "2027-03-28"}
    with town.inside():
        row = town.engine.ask(listing, member, form, secrets.token_bytes(16))
    town.act(row, "approve")
    row = town.act(row, "hand_over")
    assert row.deadline_ms == 1_806_271_200_000  # 2027-03-28 24:00 in Paris: 22:00 UTC
    assert row.deadline_ms - 1_806_102_000_000 == 47 * 3_600_000  # hours of the two days


def test_the_listing_that_changed_asks_for_a_new_look(town: TownHere) -> None:
    listing = town.publish(deposit=1_000)
    with town.inside():
        shown = town.engine.saw(listing)
    town.publish(deposit=1_000, text="Pneus neufs", key=listing.key)
    assert town.ask(listing, saw=shown).state == "requested"
    town.publish(deposit=9_000, key=listing.key)
    refused(Conflict, "stale", town.ask, listing, "bernez", saw=shown)


@pytest.mark.parametrize(
    "body", [{"state": "paused"}, {"ends": TODAY - 1}], ids=["paused", "at its end"]
)
def test_what_is_not_on_offer_is_not_asked_for(town: TownHere, body: dict[str, Any]) -> None:
    refused(NotFound, "unknown_listing", town.ask, town.publish(**body))


def test_a_withdrawn_listing_declines_asks_and_keeps_promises(town: TownHere) -> None:
    listing = town.publish(copies=2)
    promised, asked = town.ask(listing, "anne"), town.ask(listing, "bernez")
    town.act(promised, "approve")
    town.withdraw(listing)
    assert (town.row(promised).state, town.row(asked).state) == ("approved", "declined")
    assert town.act(promised, "hand_over").state == "handed_over"
    refused(NotFound, "unknown_listing", town.ask, listing, "corentin")


def test_a_yes_to_a_listing_that_is_gone_is_refused(town: TownHere) -> None:
    listing = town.publish()
    row = town.ask(listing)
    with town.inside():
        town.journal.withdraw(listing.key)
    refused(NotFound, "unknown_listing", town.act, row, "approve")


@pytest.mark.parametrize(
    "form",
    [
        {"first_day": "", "last_day": ""},
        {"first_day": "demain"},
        {"units": "-1"},
        {"units": "0"},
        {"units": "1000000000000"},
        {"message": "x" * 301},
    ],
)
def test_bad_input_stores_nothing(town: TownHere, form: dict[str, str]) -> None:
    listing = town.publish(copies=3)
    with pytest.raises(Invalid):
        town.ask(listing, **form)
    with town.inside():
        assert town.engine.for_listing(listing.origin, listing.key) == []
