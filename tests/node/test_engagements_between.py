"""Between two towns: asked is not booked, home alone decides, and every act gets its verdict."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.domain.errors import Conflict, NotAllowed
from node.engagements import Step
from node.engagements.gate import name_of
from node.store.network import partners
from node.store.promises import acts, claims
from node.store.promises.engagements import Engagement
from node.store.sets import records
from tests.node.engagement_towns import (
    DAY_MS,
    START_MS,
    TODAY,
    Two,
    iso,
    two_towns,
)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


def test_a_loan_between_two_towns_from_ask_to_close(two: Two) -> None:
    row = two.asked()
    assert two.both(row) == ("requested", "requested")
    for action, state in (
        ("approve", "approved"),
        ("hand_over", "handed_over"),
        ("take_back", "returned"),
        ("close", "closed"),
    ):
        before = two.away.row(row).state
        two.home.act(row, action)
        assert two.both(row) == (state, before)
        two.exchange()
        assert two.both(row) == (state, state)
    home, away = two.home.row(row), two.away.row(row)
    assert (home.version, away.version, home.ack) == (5, 5, 5)
    assert home.terms == away.terms and away.final


def test_a_page_never_says_more_than_what_is_signed(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing)
    assert two.away.words(row) == "Noted here, not yet sent to %(town)s."
    with two.away.inside():
        partners.succeeded(two.home.id, START_MS - DAY_MS, next_ms=0)
    assert "last contact" in two.away.words(row)
    with two.away.inside():
        sent = two.away.engine.find(row.id).request_record
        records.mark_sent([sent], START_MS + 60_000)
    assert two.away.words(row).startswith("On its way to %(town)s since %(left)s.")
    two.exchange()
    assert two.away.words(row).startswith("%(town)s has it since")
    assert two.home.words(row).startswith("Asked from %(town)s.")
    two.home.act(row, "approve")
    with two.home.inside():
        assert two.home.engine.words(two.home.row(row)).note == "%(town)s may not know yet."
    assert two.away.words(row).startswith("%(town)s has it since")
    two.exchange()
    assert two.away.words(row).startswith("Confirmed by %(town)s on %(since)s")
    with two.home.inside():
        assert two.home.engine.words(two.home.row(row)).note == ""
    two.away.withdraw_ask(row)
    assert "still in your name" in two.away.words(row)
    assert two.away.row(row).state == "approved"
    two.exchange()
    assert two.away.words(row) == "Cancelled; %(town)s knows it."
    assert two.both(row) == ("cancelled", "cancelled")


def test_the_timeline_shows_who_signed_what_and_when(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing)

    def steps() -> list[Step]:
        with two.away.inside():
            return list(two.away.engine.timeline(two.away.engine.find(row.id)))

    assert [(each.label, each.status) for each in steps()] == [
        ("Written", "done"),
        ("Left %(town)s", "now"),
        ("Received in %(town)s", "later"),
        ("Answer", "later"),
        ("Pick-up", "later"),
        ("Return", "later"),
    ]
    two.clock.forward(minutes=10)
    two.exchange()
    two.clock.forward(hours=2)
    two.home.act(row, "approve")
    two.exchange()
    received, accepted, ahead = steps()[2], steps()[3], steps()[4]
    with two.away.inside():
        reply = two.away.engine.find(row.id).reply_record
    assert (received.status, received.signed_by) == ("done", two.home.id)
    assert received.at_ms == START_MS + 10 * 60_000
    assert (accepted.label, accepted.record_id, accepted.signed_by) == (
        "Accepted",
        reply,
        two.home.id,
    )
    assert accepted.at_ms == START_MS + 130 * 60_000
    assert (ahead.label, ahead.status) == ("Pick-up", "now")


def test_the_asker_and_the_keeper_stay_nameless_to_whoever_need_not_know(two: Two) -> None:
    row = two.asked()
    names = json.loads(two.home.row(row).names)
    assert names == {"asker": "asker", "message": "Pour un déménagement"}
    home = two.home.row(row)
    assert home.asker is None and len(home.who) == 16
    carried = b"".join(two.away.raws("request/1") + two.home.raws("reply/1"))
    for secret in (b"asker@example.org", "déménagement".encode(), row.id):
        assert secret not in carried


def test_contact_crosses_only_once_promised_and_only_what_each_ticked(two: Two) -> None:
    listing = two.home.publish(copies=2)
    two.exchange()
    row = two.away.ask(listing, share="1", contact="06 11 22 33 44")
    silent = two.away.ask(listing, "other", contact="06 99")
    two.exchange()
    assert json.loads(two.home.row(row).contacts) == {}
    two.home.act(row, "approve", args={"share": "1", "contact": "Porte verte"})
    two.home.act(silent, "approve", args={"contact": "Porte verte"})
    two.exchange()
    with two.home.inside():
        keeper = two.home.member("keeper")
        assert two.home.engine.contact(two.home.row(row), keeper) == "06 11 22 33 44"
        assert two.home.engine.contact(two.home.row(silent), keeper) == ""
    with two.away.inside():
        asker, other = two.away.member("asker"), two.away.member("other")
        assert two.away.engine.contact(two.away.row(row), asker) == "Porte verte"
        assert two.away.engine.contact(two.away.row(silent), other) == ""
    two.home.act(row, "revoke")
    two.exchange()
    assert two.home.row(row).contacts == two.away.row(row).contacts == "{}"


def test_withdrawing_before_home_heard_is_one_ask_and_one_withdrawal(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing)
    two.away.withdraw_ask(row)
    two.away.withdraw_ask(row)
    two.exchange()
    assert two.both(row) == ("cancelled", "cancelled")
    with two.home.inside():
        judged = [(act.action, act.verdict) for act in acts.of_engagement(row.id)]
    assert judged == [("ask", "ok"), ("withdraw", "ok")]


@pytest.mark.parametrize("home_first", [True, False])
def test_withdraw_and_approve_race_to_cancelled(two: Two, home_first: bool) -> None:
    row = two.asked()
    two.away.withdraw_ask(row)
    if home_first:
        two.home.act(row, "approve")
    two.exchange()
    if not home_first:
        with pytest.raises(Conflict):
            two.home.act(row, "approve")
    assert two.both(row) == ("cancelled", "cancelled")
    with two.home.inside():
        assert claims.of_engagement(row.id) == []


def test_a_withdrawal_after_the_hand_over_comes_too_late(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    two.away.withdraw_ask(row)
    two.home.act(row, "hand_over")
    two.exchange()
    assert two.both(row) == ("handed_over", "handed_over")
    with two.away.inside():
        verdicts = [act.verdict for act in acts.of_engagement(row.id) if act.action == "withdraw"]
    assert verdicts == ["too_late"]
    with pytest.raises(Conflict):
        two.away.withdraw_ask(row)


def test_a_thing_given_by_itself_is_confirmed_when_the_ask_arrives(two: Two) -> None:
    row = two.asked(auto=True)
    assert two.both(row) == ("approved", "approved")
    with two.home.inside():
        assert len(claims.of_engagement(row.id)) == 2


def why(two: Two, row: Engagement) -> str:
    """Return the reason home gave, as the asker's town knows it."""
    return str(json.loads(two.away.row(row).reason)["code"])


def test_a_listing_that_changed_on_the_way_is_never_a_silent_yes(two: Two) -> None:
    listing = two.home.publish(deposit=1_000, auto=True)
    two.exchange()
    row = two.away.ask(listing)
    two.home.publish(deposit=9_000, auto=True, key=listing.key)
    two.exchange()
    assert two.both(row) == ("requested", "requested") and why(two, row) == "changed"
    said = "The listing changed in the meantime. %(town)s proposes other terms: it is your turn"
    assert two.away.words(row).startswith(said)
    with two.away.inside():
        assert two.away.engine.ground.body(two.away.listing(listing)).deposit == 9_000
    with two.home.inside():
        assert claims.of_engagement(row.id) == []


def test_a_listing_that_became_something_else_on_the_way_declines_the_ask(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing)
    two.home.publish(verb="donner", key=listing.key)
    two.exchange()
    assert two.both(row) == ("declined", "declined") and why(two, row) == "stale"
    with two.away.inside():
        note = two.away.engine.words(two.away.engine.find(row.id)).note
    assert note == "The listing changed in the meantime. Please look at it and ask anew."


def test_a_new_word_in_the_text_changes_nothing_for_who_asked(two: Two) -> None:
    listing = two.home.publish(text="Pneus neufs")
    two.exchange()
    row = two.away.ask(listing)
    two.home.publish(text="Pneus presque neufs", key=listing.key)
    two.exchange()
    assert two.both(row) == ("requested", "requested")


def test_a_listing_withdrawn_on_the_way_declines_the_ask(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing)
    two.home.withdraw(listing)
    two.exchange()
    assert two.both(row) == ("declined", "declined") and why(two, row) == "unknown_listing"


def test_an_ask_for_days_that_are_taken_is_answered_at_once(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    two.home.act(two.home.ask(listing, "neighbour", 4, 5), "approve")
    row = two.away.ask(listing, first=3, last=4)
    two.exchange()
    assert two.both(row) == ("declined", "declined") and why(two, row) == "full"


def test_an_ask_that_arrives_after_its_days_is_late(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing, first=1, last=2)
    two.clock.forward(days=2)
    two.exchange()
    assert two.both(row) == ("declined", "declined") and why(two, row) == "late"


def test_what_is_for_the_town_only_is_not_lent_outside(two: Two) -> None:
    listing = two.home.publish(who="town")
    two.exchange()
    with pytest.raises(NotAllowed) as refused:
        two.away.ask(listing)
    assert refused.value.code == "town_only"
    assert two.home.ask(listing, "neighbour").state == "requested"


def test_a_listing_closed_to_partners_on_the_way_says_so(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing)
    two.home.publish(who="town", key=listing.key)
    two.exchange()
    assert two.both(row) == ("declined", "declined") and why(two, row) == "no_agreement"


def test_the_same_person_is_known_by_one_name_for_a_listing_and_no_other(two: Two) -> None:
    one, other = two.home.publish(copies=3), two.home.publish(title="Tente", copies=3)
    two.exchange()
    asks = [two.away.ask(listing, "anne") for listing in (one, one, other)]
    asks.append(two.away.ask(one, "bernez"))
    two.exchange()
    who = [two.home.row(row).who for row in asks]
    assert who[0] == who[1] and len(set(who)) == 3


def test_a_town_is_called_by_its_name_as_soon_as_it_is_known(two: Two) -> None:
    with two.away.inside():
        assert name_of(two.home.id) == "Lorient"
        assert name_of(b"\xab" * 32) == "abababab"


def test_two_asks_for_one_day_are_decided_in_the_order_they_arrive(two: Two) -> None:
    listing = two.home.publish(auto=True)
    two.exchange()
    member = two.away.member("asker")
    form = {"first_day": iso(TODAY + 3), "last_day": iso(TODAY + 3)}
    with two.away.inside():
        row = two.away.engine.ask(two.away.listing(listing), member, form, secrets.token_bytes(16))
    here = two.home.ask(listing, "neighbour", 3, 3)
    two.exchange()
    assert (two.home.row(here).state, two.both(row)) == ("approved", ("declined", "declined"))


def test_a_withdrawal_is_one_step_of_the_timeline_first_ours_then_signed_by_home(two: Two) -> None:
    row = two.asked()
    two.away.withdraw_ask(row)
    two.exchange()
    with two.away.inside():
        steps = two.away.engine.timeline(two.away.row(row))
    assert [each.label for each in steps].count("Withdrawn") == 1
    assert steps[-1].label == "Withdrawn" and steps[-1].signed_by == two.home.id


def test_contacts_are_spoken_of_only_once_both_said_yes(two: Two) -> None:
    row = two.asked()

    def accepted() -> list[bool]:
        found = []
        for town in (two.home, two.away):
            with town.inside():
                found.append(town.engine.is_accepted(town.engine.find(row.id)))
        return found

    assert accepted() == [False, False]
    other = {"first_day": iso(TODAY + 5), "last_day": iso(TODAY + 6)}
    two.home.act(row, "counter", args=other)
    two.exchange()
    assert two.both(row) == ("countered", "countered") and accepted() == [False, False]
    two.away.act(row, "accept", "asker", "asker")
    two.exchange()
    assert two.both(row) == ("approved", "approved") and accepted() == [True, True]
