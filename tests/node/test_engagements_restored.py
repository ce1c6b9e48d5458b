"""A restored town: it promises nothing before it heard what it promised."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.record import parse
from node.domain.errors import Conflict
from node.engagements import gate
from node.journal.again import seal_again
from node.store import audit, marks
from node.store.catalogue import listings
from node.store.promises import acts, claims, doubts
from node.store.promises import engagements as rows
from node.store.sets import records
from tests.node.engagement_towns import Two, two_towns
from tests.node.restored_towns import (
    back_up,
    leave_restore,
    put_back,
    restored,
    visit,
)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        for town in (made.home, made.away):
            for name in ("keeper", "asker", "neighbour"):
                town.member(name)
        yield made


def plain(town, row) -> dict:
    """Return all of a row, to be compared byte for byte, but when to look again at it."""
    return {**town.row(row).__data__, "remind_ms": None}


def doubted(town) -> list[str]:
    with town.inside():
        return [each.code for each in doubts.unsettled()]


def test_without_a_logbook_a_promise_is_not_given_twice(two, tmp_path):
    """Counter-example 4: home confirms, the asker hears, home is restored to before."""
    row = two.asked()
    backup = back_up(two.home, tmp_path / "backup.db")
    two.home.act(row, "approve")
    two.exchange()
    two.home = restored(two.home, backup, with_logbook=False)
    neighbour = two.home.ask(two.home.listing(_listing(two, row)), "neighbour")
    with pytest.raises(Conflict) as refused:
        two.home.act(neighbour, "approve")
    assert refused.value.code == "checking" and refused.value.params == {"town": "Quimper"}
    with pytest.raises(Conflict):
        two.home.act(row, "decline")
    assert two.home.words(row) == "Being checked with %(town)s after a restore."
    with two.home.inside():
        assert two.home.engine.buttons(two.home.row(row), two.home.member("keeper")) == ()
    visit(two.home, two.away)
    assert two.both(row) == ("approved", "approved")
    with pytest.raises(Conflict) as full:
        two.home.act(neighbour, "approve")
    assert full.value.code == "full"


def _listing(two, row):
    with two.home.inside():
        return listings.find(row.listing_origin, row.listing_key)


def test_an_engagement_made_wholly_since_the_backup_comes_back_from_its_two_registers(
    two, tmp_path
):
    listing = two.home.publish()
    two.exchange()
    backup = back_up(two.home, tmp_path / "backup.db")
    row = two.away.ask(listing, message="Pour un déménagement", share="1", contact="06")
    two.exchange()
    two.home.act(row, "approve")
    two.exchange()
    before = plain(two.home, row)
    two.home = restored(two.home, backup, two.away, with_logbook=False)
    visit(two.home, two.away)
    after = plain(two.home, row)
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"gen", "reply_record", "request_record", "created_ms", "ack", "answer_by_ms"}
    assert json.loads(after["names"])["message"] == "Pour un déménagement"
    with two.home.inside():
        assert len(claims.of_engagement(row.id)) == 2
        assert [act.verdict for act in acts.of_engagement(row.id) if act.action == "ask"] == ["ok"]
    kept = plain(two.home, row)
    two.exchange()
    two.home.hear(two.away.held())
    assert plain(two.home, row) | {"ack": 0} == kept | {"ack": 0}


def test_a_yes_that_home_forgot_does_not_come_back_by_a_relay(two, tmp_path):
    """Counter-example 6: the yes is in flight, home is restored and gives the place away."""
    row = two.asked()
    backup = back_up(two.home, tmp_path / "backup.db")
    two.clock.forward(minutes=1)
    two.home.act(row, "approve")
    in_flight = two.home.raws("reply/1")
    two.clock.forward(minutes=1)
    two.home = restored(two.home, backup, with_logbook=False)
    visit(two.home, two.away)
    neighbour = two.home.ask(two.home.listing(_listing(two, row)), "neighbour")
    two.home.act(neighbour, "approve")
    two.away.hear(in_flight)
    assert two.away.row(row).state == "requested"
    two.home.hear(in_flight, two.away)
    two.exchange()
    assert two.both(row) == ("requested", "requested")
    with pytest.raises(Conflict):
        two.home.act(row, "approve")


def test_a_forgotten_yes_with_a_later_stamp_does_not_silence_home(two, tmp_path):
    """The clock ran ahead before the restore: what home says now wins its register all the same."""
    row = two.asked()
    backup = back_up(two.home, tmp_path / "backup.db")
    two.clock.forward(hours=5)
    two.home.act(row, "approve")
    in_flight = two.home.raws("reply/1")
    two.clock.forward(hours=-4)
    two.away.hear(in_flight)
    assert two.away.row(row).state == "approved"
    two.home = restored(two.home, backup, two.away, with_logbook=False)
    visit(two.home, two.away)
    two.exchange()
    assert two.both(row) == ("approved", "approved")


def test_the_asker_s_town_re_adopts_what_its_resident_did(two, tmp_path):
    listing = two.home.publish(copies=3)
    two.exchange()
    backup = back_up(two.away, tmp_path / "backup.db")
    row = two.away.ask(listing, message="Pour un déménagement", share="1", contact="06")
    two.exchange()
    two.home.act(row, "approve")
    two.exchange()
    before = plain(two.away, row)
    two.away = restored(two.away, backup, two.home, with_logbook=False)
    visit(two.away, two.home)
    after = plain(two.away, row)
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"request_record", "created_ms"}
    assert after["asker"] == two.away.member("asker")
    assert two.away.withdraw_ask(row).id == row.id
    two.exchange()
    assert two.both(row) == ("cancelled", "cancelled")


def test_a_withdrawal_that_the_asker_s_town_forgot_stays_a_withdrawal(two, tmp_path):
    """Counter-example 2: nothing re-signed brings a cancelled engagement back."""
    row = two.asked()
    backup = back_up(two.away, tmp_path / "backup.db")
    old = two.away.raws("request/1")
    two.away.withdraw_ask(row)
    two.exchange()
    assert two.both(row) == ("cancelled", "cancelled")
    two.away = restored(two.away, backup, two.home, with_logbook=False)
    visit(two.away, two.home)
    two.home.hear(old)
    assert two.both(row) == ("cancelled", "cancelled")
    with two.away.inside():
        said = [(act.action, act.by) for act in acts.of_engagement(row.id) if act.verdict]
    assert ("withdraw", "self") in said


def test_a_later_act_never_hides_an_earlier_one_from_home(two):
    """Counter-example 1: the request holds every act, so home sees the ask behind the note."""
    listing = two.home.publish(copies=3)
    two.exchange()
    row = two.away.ask(listing)
    two.away.withdraw_ask(row)
    two.exchange()
    with two.home.inside():
        judged = [act.action for act in acts.of_engagement(row.id) if act.by == "self"]
    assert judged == ["ask", "withdraw"] and two.both(row) == ("cancelled", "cancelled")


def test_an_act_home_says_we_did_is_home_s_word_and_not_the_resident_s(two, tmp_path):
    row = two.asked()
    backup = back_up(two.away, tmp_path / "backup.db")
    two.away.withdraw_ask(row)
    two.exchange()
    two.away = put_back(two.away, backup, with_logbook=False)
    leave_restore(two.away)
    only_home = two.home.raws()
    two.away.hear(only_home)
    with two.away.inside():
        two.away.engine.heard(two.home.id, marks.number(marks.RESTORED_S))
        claimed = [act.by for act in acts.of_engagement(row.id) if act.action == "withdraw"]
    assert claimed == ["claimed"] and two.away.row(row).state == "cancelled"


def test_a_gated_town_stores_what_comes_and_judges_it_when_it_has_heard(two, tmp_path):
    listing = two.home.publish(copies=3)
    two.exchange()
    backup = back_up(two.home, tmp_path / "backup.db")
    two.home = restored(two.home, backup, with_logbook=False)
    row = two.away.ask(listing)
    two.home.hear(two.away.raws(), two.away)
    with two.home.inside():
        assert rows.find(row.id) is None
        assert two.home.raws("reply/1") == []
        two.home.engine.heard(two.away.id, marks.number(marks.RESTORED_S) - 1)
        assert rows.find(row.id) is None
        two.home.engine.heard(two.away.id, marks.number(marks.RESTORED_S))
        assert rows.find(row.id).state == "requested"


def test_nothing_is_gated_that_no_partner_could_ask_for(two, tmp_path):
    listing = two.home.publish(who="town")
    backup = back_up(two.home, tmp_path / "backup.db")
    two.home = restored(two.home, backup, with_logbook=False)
    assert two.home.act(two.home.ask(listing, "neighbour"), "approve").state == "approved"


def test_no_deadline_ends_what_home_may_have_promised(two, tmp_path):
    row = two.asked()
    backup = back_up(two.home, tmp_path / "backup.db")
    two.home.act(row, "approve")
    two.exchange()
    two.home = restored(two.home, backup, with_logbook=False)
    with two.home.inside():
        rows.change(row.id, deadline_ms=two.clock.now_ms() - 10**9)
    two.home.sweep()
    assert two.home.row(row).state == "requested"
    visit(two.home, two.away)
    assert two.both(row) == ("approved", "approved")


def test_the_gate_is_opened_by_hand_with_a_name_and_late_evidence_is_adopted_or_in_doubt(
    two, tmp_path
):
    listing = two.home.publish()
    two.exchange()
    first, second = two.away.ask(listing, first=3, last=4), two.away.ask(listing, first=8, last=9)
    two.exchange()
    backup = back_up(two.home, tmp_path / "backup.db")
    for row in (first, second):
        two.home.act(row, "approve")
    two.exchange()
    two.home = restored(two.home, backup, with_logbook=False)
    with two.home.inside():
        two.home.engine.open_gate(two.away.id, "Nolwenn")
        said = audit.latest(1)[0]
        assert (said.action, said.actor, said.detail) == ("gate.open", "Nolwenn", "Quimper")
        assert not gate.closed()
    neighbour = two.home.act(two.home.ask(listing, "neighbour", 3, 4), "approve")
    visit(two.home, two.away)
    assert two.home.row(second).state == "approved"
    assert two.home.row(neighbour).state == "approved"
    assert two.home.row(first).state == "requested"
    assert doubted(two.home) == ["collides"]
    with two.home.inside():
        assert not gate.is_by_hand(two.away.id)


def test_signed_evidence_beats_a_restored_row_which_is_in_doubt(two, tmp_path):
    listing = two.home.publish()
    two.exchange()
    neighbour = two.home.act(two.home.ask(listing, "neighbour"), "approve")
    row = two.away.ask(listing, first=8, last=9)
    two.exchange()
    backup = back_up(two.home, tmp_path / "backup.db")
    two.home.act(neighbour, "revoke")
    row = two.away.ask(listing)
    two.exchange()
    two.home.act(row, "approve")
    two.exchange()
    two.home = restored(two.home, backup, two.away, with_logbook=False)
    visit(two.home, two.away)
    assert two.both(row) == ("approved", "approved")
    assert two.home.row(neighbour).state == "approved" and doubted(two.home) == ["collides"]
    with two.home.inside():
        assert claims.of_engagement(row.id) and not claims.of_engagement(neighbour.id)
    two.home.act(row, "revoke")
    two.home.sweep()
    assert doubted(two.home) == []
    with two.home.inside():
        assert claims.of_engagement(neighbour.id)


def test_an_answer_to_a_request_nobody_knows_is_shown_to_the_staff(two, tmp_path):
    listing = two.home.publish()
    two.exchange()
    backup = back_up(two.away, tmp_path / "backup.db")
    row = two.away.ask(listing)
    two.exchange()
    two.home.act(row, "approve")
    two.away = put_back(two.away, backup, with_logbook=False)
    leave_restore(two.away)
    two.away.hear(two.home.raws(), two.home)
    with two.away.inside():
        two.away.engine.heard(two.home.id, marks.number(marks.RESTORED_S))
        waiting = doubts.unsettled()
        assert [(each.code, each.engagement) for each in waiting] == [("unknown", row.id)]
        assert json.loads(waiting[0].told)["state"] == "approved"


def test_two_restored_towns_hear_each_other(two, tmp_path):
    row = two.asked()
    backups = [back_up(t, tmp_path / f"{t.name}.db") for t in (two.home, two.away)]
    two.home.act(row, "approve")
    two.exchange()
    held = two.home.held() + two.away.held()
    two.home = restored(two.home, backups[0], two.away, with_logbook=False)
    two.away = restored(two.away, backups[1], two.home, with_logbook=False)
    visit(two.home, two.away)
    visit(two.away, two.home)
    two.exchange()
    assert two.both(row) == ("approved", "approved")
    for town in (two.home, two.away):
        town.hear(held)
    assert two.both(row) == ("approved", "approved")


def test_two_words_without_gen_in_a_third_town_change_nothing(two, tmp_path):
    """A relay that holds every record ever signed may hand them back in any order."""
    row = two.asked()
    air = two.home.held() + two.away.held()
    backup = back_up(two.home, tmp_path / "backup.db")
    two.home.act(row, "approve")
    two.exchange()
    air += two.home.held() + two.away.held()
    two.home = restored(two.home, backup, two.away, with_logbook=False)
    visit(two.home, two.away)
    two.home.act(row, "revoke")
    two.exchange()
    kept = [plain(town, row) for town in (two.home, two.away)]
    for town in (two.home, two.away):
        town.hear(air)
        town.hear(reversed(air))
    assert [plain(town, row) for town in (two.home, two.away)] == kept
    assert two.both(row) == ("revoked", "revoked")


def test_a_stale_word_is_not_signed_again_over_the_later_one_a_partner_holds(two, tmp_path):
    """New keys after a restore sign everything again, but not what may be behind."""
    row = two.asked()
    backup = back_up(two.home, tmp_path / "backup.db")
    two.home.act(row, "approve")
    two.exchange()
    two.home = restored(two.home, backup, with_logbook=False)
    with two.home.inside():
        stale = parse(records.find(two.home.id, two.home.row(row).reply_key).raw)
        with pytest.raises(Conflict) as refused:
            seal_again(two.home.journal, stale)
    assert refused.value.code == "unheard"
    visit(two.home, two.away)
    assert two.both(row) == ("approved", "approved")
    with two.home.inside():
        held = parse(records.find(two.home.id, two.home.row(row).reply_key).raw)
        assert seal_again(two.home.journal, held).id != held.id
