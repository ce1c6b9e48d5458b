"""Between two towns that hear each other late, twice, restored, or never again."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from federation.record import parse
from node.domain.clock import FixedClock
from node.domain.errors import Conflict, NotAllowed
from node.domain.schema import plain
from node.engagements import gate
from node.engagements.between import post
from node.engagements.between.registers import ACTS_MAX, register_key, request_inner
from node.journal import profile
from node.journal.keychain import Keychain
from node.store import marks, notices
from node.store.network import partners, refusals
from node.store.promises import acts
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from node.store.sets import records
from tests.node.engagement_towns import (
    DAY_MS,
    START_MS,
    TownHere,
    Two,
    exchange,
    found,
    know,
    two_towns,
)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


def why(two: Two, row: Engagement) -> str:
    """Return the reason home gave, as the asker's town knows it."""
    return str(json.loads(two.away.row(row).reason)["code"])


def test_home_waits_a_day_longer_for_words_that_travel(two: Two) -> None:
    row = two.asked()
    two.clock.forward(days=3)
    two.home.sweep()
    assert two.home.row(row).state == "requested"
    two.clock.forward(days=1)
    two.home.sweep()
    two.exchange()
    assert two.both(row) == ("lapsed", "lapsed")


def test_without_an_answer_the_asker_s_town_withdraws_for_them(two: Two) -> None:
    row = two.asked()
    patience_ms = two.away.row(row).answer_by_ms
    assert patience_ms is not None and patience_ms - START_MS < 6 * DAY_MS
    two.clock.at_ms = patience_ms - 1
    assert two.away.sweep() == 0
    two.clock.at_ms = patience_ms
    assert two.away.sweep() == 1 and two.away.sweep() == 0
    assert two.away.words(row) == "No answer from %(town)s: withdrawn for you."
    with two.away.inside():
        kinds = [each.kind for each in notices.due(two.clock.now_ms())]
    assert "engagement_unanswered" in kinds


def test_a_yes_under_way_when_patience_ended_surprises_nobody(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.clock.at_ms = two.away.row(row).answer_by_ms
    two.away.sweep()
    two.exchange()
    assert two.both(row) == ("cancelled", "cancelled")


def test_home_does_not_say_yes_to_who_stopped_waiting(two: Two) -> None:
    row = two.asked()
    with two.home.inside():
        rows.change(row.id, answer_by_ms=two.clock.now_ms() - 1)
    with pytest.raises(Conflict) as late:
        two.home.act(row, "approve")
    assert late.value.code == "late"
    assert two.home.act(row, "decline").state == "declined"


def test_what_was_carried_before_changes_nothing_when_it_comes_again(two: Two) -> None:
    row = two.asked()
    old = two.home.raws("reply/1") + two.away.raws("request/1")
    two.home.act(row, "approve")
    two.exchange()
    kept = [dict(town.row(row).__data__) for town in (two.home, two.away)]
    for town, other in ((two.home, two.away), (two.away, two.home)):
        assert set(town.hear(old + town.raws() + other.raws())) <= {"known", "older"}
    assert [dict(town.row(row).__data__) for town in (two.home, two.away)] == kept


def test_content_signed_again_changes_nothing(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    home, away = two.home.row(row), two.away.row(row)
    for town in (two.home, two.away):
        two.clock.forward(minutes=5)
        with town.inside():
            post.publish(town.engine.ground, town.engine.find(row.id))
    two.exchange()
    for town, before in ((two.home, home), (two.away, away)):
        now = town.row(row)
        same = ("state", "version", "since_ms", "terms", "contacts", "ack", "gen", "deadline_ms")
        assert [getattr(now, name) for name in same] == [getattr(before, name) for name in same]


def test_a_reply_from_before_a_restore_is_fenced(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    with two.away.inside():
        partners.save(two.home.id, generation_s=1_800_000_000)
    assert two.away.words(row) == "Being checked with %(town)s after a restore."
    with two.away.inside():
        buttons = two.away.engine.buttons(two.away.row(row), two.away.member("asker"))
        assert [each.action for each in buttons] == ["withdraw"]
    two.exchange()
    assert two.away.row(row).state == "requested"
    assert codes(two.away, two.home) == {"fenced": 1}


def test_a_greater_generation_raises_the_fence_and_is_newer_than_any_version(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    with two.home.inside():
        marks.write_number(marks.RESTORED_S, 1_800_000_000)
        gate.open_for(two.away.id, two.clock.now_ms())
        rows.change(row.id, version=1)
        post.publish(two.home.engine.ground, two.home.engine.find(row.id))
    two.exchange()
    away = two.away.row(row)
    assert (away.gen, away.version) == (1_800_000_000, 1)
    with two.away.inside():
        assert partners.find(two.home.id).generation_s == 1_800_000_000


def codes(town: TownHere, partner: TownHere) -> dict[str, int]:
    """Return the refusals on a partner's page."""
    with town.inside():
        return refusals.counts(partner.id)


def test_a_reply_waits_until_the_other_town_can_be_sealed_to(tmp_path: Path) -> None:
    clock = FixedClock(START_MS)
    home, away = found(tmp_path, "Lorient", clock), found(tmp_path, "Quimper", clock)
    know(home, away)
    know(away, home)
    listing = home.publish()
    away.hear(home.raws())
    row = away.ask(listing)
    home.hear(away.raws("request/1"))
    assert home.row(row).state == "requested" and home.raws("reply/1") == []
    home.sweep()
    assert home.raws("reply/1") == []
    home.hear(away.raws())
    home.sweep()
    assert len(home.raws("reply/1")) == 1
    exchange(home, away)
    assert away.row(row).version == 1


def test_an_ask_waits_until_home_can_be_sealed_to(tmp_path: Path) -> None:
    clock = FixedClock(START_MS)
    home, away = found(tmp_path, "Lorient", clock), found(tmp_path, "Quimper", clock)
    know(home, away)
    know(away, home)
    listing = home.publish()
    away.hear(home.raws("lending.item/1"))
    row = away.ask(listing)
    assert away.raws("request/1") == []
    assert away.words(row) == "Noted here, not yet sent to %(town)s."
    exchange(home, away)
    away.sweep()
    exchange(home, away)
    assert (home.row(row).state, away.row(row).version) == ("requested", 1)


def test_a_tombstoned_request_is_a_withdrawal_and_forgets_who_asked(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    with two.away.inside():
        two.away.journal.withdraw(two.away.engine.find(row.id).request_key)
    two.exchange()
    home = two.home.row(row)
    assert (home.state, home.names, home.contacts) == ("cancelled", "{}", "{}")


def test_a_tombstoned_request_does_not_end_a_loan_that_is_out(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.home.act(row, "hand_over")
    with two.away.inside():
        two.away.journal.withdraw(two.away.engine.find(row.id).request_key)
    two.exchange()
    home = two.home.row(row)
    assert (home.state, home.names) == ("handed_over", "{}")
    assert two.home.act(row, "take_back").state == "returned"


def test_a_tombstoned_reply_promises_nothing_any_more(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    with two.home.inside():
        two.home.journal.withdraw(two.home.engine.find(row.id).reply_key)
    two.exchange()
    assert two.away.row(row).state == "revoked" and why(two, row) == "record_removed"


def test_registers_are_buried_sixty_days_after_the_end_and_rows_stay(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "decline")
    two.exchange()
    for days, buried in ((59, False), (2, True)):
        two.clock.forward(days=days)
        for town in (two.home, two.away):
            town.sweep()
        two.exchange()
        for town, kind in ((two.home, "reply/1"), (two.away, "request/1")):
            with town.inside():
                state = records.find(town.id, register_key(kind, row.id)).state
            assert bool(state) == buried
    assert two.both(row) == ("declined", "declined")
    assert json.loads(two.home.row(row).names) == {}
    two.home.sweep()


def test_a_long_engagement_renews_its_registers_and_changes_no_state(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    row = two.away.ask(listing, first=340, last=341)
    two.exchange()
    two.home.act(row, "approve")
    two.exchange()
    ends = {}
    for days in (0, 300):
        two.clock.forward(days=days)
        for town, kind in ((two.home, "reply/1"), (two.away, "request/1")):
            town.sweep()
            with town.inside():
                ends[town.name, days] = records.find(town.id, register_key(kind, row.id)).expires
    assert ends["Lorient", 300] > ends["Lorient", 0]
    assert ends["Quimper", 300] > ends["Quimper", 0]
    two.exchange()
    assert two.both(row) == ("approved", "approved")
    assert two.home.row(row).version == two.away.row(row).version == 2


def test_an_engagement_of_a_town_that_fell_silent_is_put_away(two: Two) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    two.clock.forward(days=200)
    two.away.sweep()
    away = two.away.row(row)
    assert (away.state, away.final) == ("approved", True)


def test_only_partners_whose_words_were_compared_may_ask(two: Two) -> None:
    listing = two.home.publish()
    two.exchange()
    with two.away.inside():
        partners.save(two.home.id, status="introduced")
    with pytest.raises(NotAllowed) as refused:
        two.away.ask(listing)
    assert refused.value.code == "not_compared"
    with two.away.inside():
        partners.save(two.home.id, status="active")
    with two.home.inside():
        partners.save(two.away.id, status="introduced")
    row = two.away.ask(listing)
    two.exchange()
    assert two.away.row(row).version == 0
    assert codes(two.home, two.away) == {"no_agreement": 1}


def test_a_town_with_a_new_key_gets_every_open_register_sealed_to_it(two: Two) -> None:
    row = two.asked()
    before = two.home.row(row).reply_record
    two.exchange()
    assert two.home.row(row).reply_record == before
    two.clock.forward(days=31)
    two.away.journal.keys = Keychain(two.away.keyring.rotated_hpke(two.clock.now_ms()))
    with two.away.inside():
        said = profile.Profile(name="Quimper", hpke=two.away.journal.keyring.hpke[0].public)
        two.away.journal.publish(profile.KIND, plain(said), key=profile.KEY)
    two.home.hear(two.away.raws(profile.KIND))
    with two.home.inside():
        sealed = records.find(two.home.id, two.home.engine.find(row.id).reply_key)
    assert sealed.id != before
    keyring = two.away.journal.keyring
    two.away.journal.keys = Keychain(replace(keyring, hpke_made=keyring.hpke_made[:1]))
    with two.away.inside():
        assert two.away.journal.open_sealed(parse(sealed.raw))[1] == row.id


def test_a_final_answer_nobody_heard_is_sealed_to_the_new_key_as_well(two: Two) -> None:
    row = two.asked()
    two.exchange()
    two.home.act(row, "decline")
    two.clock.forward(days=31)
    fresh = two.away.keyring.rotated_hpke(two.clock.now_ms())
    two.away.journal.keys = Keychain(replace(fresh, hpke_made=fresh.hpke_made[:1]))
    with two.away.inside():
        said = profile.Profile(name="Quimper", hpke=two.away.journal.keyring.hpke[0].public)
        two.away.journal.publish(profile.KIND, plain(said), key=profile.KEY)
    two.home.hear(two.away.raws(profile.KIND))
    two.exchange()
    assert two.both(row) == ("declined", "declined")
    with two.home.inside():
        heard = two.home.engine.find(row.id).reply_record
    two.home.hear(two.away.raws(profile.KIND))
    assert two.home.row(row).reply_record == heard


def test_who_leaves_here_is_withdrawn_everywhere_and_named_nowhere(two: Two) -> None:
    listing = two.home.publish(copies=5)
    two.exchange()
    waiting, promised, out = (two.away.ask(listing, share="1", contact="06") for _ in range(3))
    two.exchange()
    for row in (promised, out):
        two.home.act(row, "approve")
    two.home.act(out, "hand_over")
    two.exchange()
    with two.away.inside():
        assert two.away.engine.forget(two.away.member("asker")) == 3
    two.exchange()
    assert two.both(waiting) == two.both(promised) == ("cancelled", "cancelled")
    assert two.both(out) == ("handed_over", "handed_over")
    for town in (two.home, two.away):
        for row in (waiting, promised, out):
            assert "asker" not in json.loads(town.row(row).names).values()
            assert "06" not in town.row(row).contacts


def test_a_keeper_who_leaves_takes_their_promises_back(two: Two) -> None:
    listing = two.home.publish(copies=3)
    two.exchange()
    away = two.away.ask(listing)
    two.exchange()
    here = two.home.ask(listing, "neighbour")
    two.home.act(away, "approve")
    with two.home.inside():
        two.home.engine.forget(two.home.member("keeper"))
    two.exchange()
    assert two.both(away) == ("revoked", "revoked")
    assert two.home.row(here).state == "revoked"


def test_no_more_acts_are_judged_than_one_engagement_may_hold(two: Two) -> None:
    row = two.asked()
    with two.away.inside():
        for number in range(ACTS_MAX):
            acts.append(row.id, bytes([number]) * 8, "moan", at_ms=START_MS, by="self")
        mine = two.away.engine.find(row.id)
        request = post.request_of(two.away.engine.ground, mine)
        two.away.journal.publish_sealed(
            "request/1",
            request_inner(replace(request, deeds=request.deeds[1:])),
            to=two.home.id,
            key=mine.request_key,
        )
    two.exchange()
    with two.home.inside():
        assert [act.action for act in acts.of_engagement(row.id)] == ["ask"]
    assert codes(two.home, two.away) == {"over_limit": 1}
