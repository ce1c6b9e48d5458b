"""The logbook beside the database: what it brings back, and when it is enough."""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.record import parse
from node.engagements import diary, gate
from node.engagements.between import arrivals
from node.engagements.between.registers import Reply, register_key, reply_inner
from node.journal import logbook as logbook_module
from node.journal.again import seal_again
from node.journal.logbook import read
from node.store import marks
from node.store.database import StorageRefused, open_database, using, write_tx
from node.store.people import members
from node.store.promises import acts, claims, doubts
from node.store.promises import engagements as rows
from node.store.sets import records
from tests.node.engagement_towns import Two, two_towns
from tests.node.restored_towns import (
    back_up,
    leave_restore,
    pull_back,
    put_back,
    reopened,
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


def test_a_whole_logbook_brings_back_every_row_and_opens_the_gate_at_once(two, tmp_path):
    listing = two.home.publish(copies=3)
    two.exchange()
    backup = back_up(two.home, tmp_path / "backup.db")
    here = two.home.act(two.home.ask(listing, "neighbour"), "approve")
    row = two.away.ask(listing, message="Pour un déménagement")
    two.exchange()
    two.home.act(row, "approve", args={"share": "1", "contact": "02"})
    two.exchange()
    before = [plain(two.home, each) for each in (here, row)]
    two.home = restored(two.home, backup, two.away, with_logbook=True)
    assert [plain(two.home, each) | {"gen": 0, "reply_record": None} for each in (here, row)] == [
        each | {"gen": 0, "reply_record": None} for each in before
    ]
    with two.home.inside():
        assert not gate.closed()
        assert len(claims.of_engagement(row.id)) == 2
        assert all(act.verdict for act in acts.of_engagement(row.id))
    two.exchange()
    assert two.away.row(row).gen == two.home.row(row).gen > 0
    assert doubted(two.home) == doubted(two.away) == []


def test_an_answer_that_came_in_restore_mode_counts_once_it_is_over(two, tmp_path):
    row = two.asked()
    two.home.act(row, "approve")
    two.exchange()
    backup = back_up(two.away, tmp_path / "backup.db")
    two.away = put_back(two.away, backup, with_logbook=True)
    two.home.act(row, "hand_over")
    pull_back(two.away, two.home)
    assert two.away.row(row).state == "approved"
    leave_restore(two.away)
    assert two.away.row(row).state == "handed_over"
    two.exchange()
    assert two.both(row) == ("handed_over", "handed_over")


def test_a_logbook_that_does_not_reach_our_last_record_opens_nothing(two, tmp_path):
    row = two.asked()
    backup = back_up(two.home, tmp_path / "backup.db")
    two.home.act(row, "approve")
    short = (tmp_path / "Lorient" / "logbook").read_bytes()
    two.clock.forward(minutes=1)
    two.home.act(row, "hand_over")
    two.exchange()
    (tmp_path / "Lorient" / "logbook").write_bytes(short)
    two.home = restored(two.home, backup, two.away, with_logbook=True)
    assert two.home.row(row).state == "approved"
    with two.home.inside():
        assert [each.town for each in gate.closed()] == [two.away.id]
    visit(two.home, two.away)
    assert two.both(row) == ("handed_over", "handed_over")


def test_a_rotten_line_closes_the_gate_and_a_torn_last_one_does_not(two, tmp_path):
    listing = two.home.publish(copies=3)
    backup = back_up(two.home, tmp_path / "backup.db")
    first = two.home.ask(listing, "neighbour")
    second = two.home.ask(listing, "neighbour", 8, 9)
    logbook = tmp_path / "Lorient" / "logbook"
    whole = logbook.read_bytes()
    for changed, is_closed in ((whole + b"torn", False), (_rotten(whole), True)):
        logbook.write_bytes(changed)
        town = put_back(two.home, backup, with_logbook=True)
        leave_restore(town)
        with town.inside():
            assert bool(gate.closed()) == is_closed
            assert rows.find(second.id) is not None
        assert is_closed or town.row(first).state == "requested"
        two.home = town


def _rotten(whole: bytes) -> bytes:
    lines = whole.splitlines(keepends=True)
    lines[-2] = lines[-2][:40] + b"X" + lines[-2][41:]
    return b"".join(lines)


def test_a_member_who_did_not_come_back_owns_nothing_of_a_stranger(two, tmp_path):
    listing = two.home.publish(copies=3)
    backup = back_up(two.home, tmp_path / "backup.db")
    row = two.home.ask(listing, "newcomer")
    two.home = restored(two.home, backup, with_logbook=True)
    del two.home.members["newcomer"]
    stranger = two.home.member("stranger")
    assert two.home.row(row).asker is None and stranger
    assert doubted(two.home) == ["memberless"]


def test_what_a_power_cut_took_between_line_and_commit_is_done_again(two, tmp_path):
    listing = two.home.publish(copies=3)
    row = two.home.ask(listing, "neighbour")
    before = back_up(two.home, tmp_path / "before.db")
    two.home.act(row, "approve")
    logbook = (tmp_path / "Lorient" / "logbook").read_bytes()
    town = put_back(two.home, before, with_logbook=True)
    with town.inside():
        marks.forget(marks.RESTORING)
    (tmp_path / "Lorient" / "logbook").write_bytes(logbook)
    two.home = reopened(town)
    assert two.home.row(row).state == "approved"


def test_a_line_whose_change_was_rolled_back_says_nothing(two, tmp_path):
    listing = two.home.publish(copies=3)
    backup = back_up(two.home, tmp_path / "backup.db")
    row = two.home.ask(listing, "neighbour")
    lines = len((tmp_path / "Lorient" / "logbook").read_bytes().splitlines())
    with two.home.inside(), pytest.raises(ZeroDivisionError), write_tx():
        rows.change(row.id, state="approved")
        raise ZeroDivisionError
    assert len((tmp_path / "Lorient" / "logbook").read_bytes().splitlines()) == lines
    with two.home.inside(), pytest.raises(ZeroDivisionError), write_tx():
        rows.change(row.id, state="approved")
        diary.flush(two.home.engine.ground, two.home.journal.logbook)
        raise ZeroDivisionError
    two.home.act(row, "decline")
    two.home = restored(two.home, backup, with_logbook=True)
    assert two.home.row(row).state == "declined"


def test_a_copy_of_the_logbook_tells_a_stranger_nothing(two, tmp_path):
    two.home.ask(two.home.publish(), "neighbour", message="Secret de famille")
    raw = (tmp_path / "Lorient" / "logbook").read_bytes()
    plain_text = b"".join(base64.b64decode(line.split()[0]) for line in raw.splitlines())
    assert b"Secret" not in plain_text and b"neighbour" not in plain_text


def test_an_erased_person_is_in_no_line_and_erased_again_after_a_restore(two, tmp_path):
    listing = two.home.publish(copies=3)
    backup = back_up(two.home, tmp_path / "backup.db")
    row = two.home.ask(listing, "neighbour", message="Secret de famille", share="1", contact="06")
    with two.home.inside(), write_tx():
        two.home.engine.forget(two.home.member("neighbour"))
        members.erase(two.home.member("neighbour"))
    told = list(read(tmp_path / "Lorient", two.home.keyring.archive))
    assert not [each for each in told if b"Secret" in str(each.body).encode()]
    assert "Secret" not in str([each.body for each in told])
    two.home = restored(two.home, backup, with_logbook=True)
    with two.home.inside():
        assert members.find(two.home.members["neighbour"]).status == "erased"
    assert two.home.row(row).state == "cancelled"
    assert "Secret" not in str(plain(two.home, row))


def test_a_database_without_a_line_of_its_change_is_noted_by_the_next_one(two, tmp_path):
    """A program that wrote past the logbook: nothing is lost, it is only late."""
    listing = two.home.publish(copies=3)
    row = two.home.ask(listing, "neighbour")
    two.home.database.close()
    database = open_database(tmp_path / "Lorient" / "lavoir.db")
    with using(database):
        rows.change(row.id, reason='{"code": "by hand"}')
    database.close()
    two.home = reopened(two.home)
    two.home.ask(listing, "neighbour", 8, 9)
    told = [line.body["row"] for line in read(tmp_path / "Lorient", two.home.keyring.archive)
            if line.kind == diary.KIND]  # fmt: skip
    assert [each["reason"] for each in told if each["id"] == row.id][-1] == '{"code": "by hand"}'


def test_a_logbook_that_was_deleted_is_begun_anew_with_all_that_is_open(two, tmp_path):
    listing = two.home.publish(copies=3)
    first = two.home.ask(listing, "neighbour")
    backup = back_up(two.home, tmp_path / "backup.db")
    (tmp_path / "Lorient" / "logbook").unlink()
    second = two.home.ask(listing, "neighbour", 8, 9)
    two.home.act(first, "approve")
    two.home = restored(two.home, backup, with_logbook=True)
    assert two.home.row(first).state == "approved"
    assert two.home.row(second).state == "requested"
    with two.home.inside():
        assert not gate.closed()


def test_abuse_105_a_full_disk_beside_the_database_refuses_the_act_in_words(two, monkeypatch):
    listing = two.home.publish(copies=3)
    row = two.home.ask(listing, "neighbour")

    def full(handle, raw, at):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(logbook_module.os, "pwrite", full)
    with pytest.raises(StorageRefused) as refused:
        two.home.act(row, "approve")
    assert refused.value.code == "disk_full" and two.home.row(row).state == "requested"
    monkeypatch.undo()
    assert two.home.act(row, "approve").state == "approved"


def test_a_hostile_partner_fills_no_list_without_end(two, monkeypatch):
    monkeypatch.setattr(arrivals, "UNKNOWN_MAX", 3)
    two.home.publish()
    two.exchange()
    for _ in range(6):
        engagement = secrets.token_bytes(16)
        inner = reply_inner(Reply(engagement, 1, "requested", two.clock.now_ms()))
        with two.home.inside():
            two.home.journal.publish_sealed(
                "reply/1", inner, to=two.away.id, key=register_key("reply/1", engagement)
            )
    two.exchange()
    assert doubted(two.away) == ["unknown"] * 3


def test_a_line_of_another_form_stops_no_town_and_closes_the_gate(two, tmp_path):
    listing = two.home.publish(copies=3)
    backup = back_up(two.home, tmp_path / "backup.db")
    row = two.home.ask(listing, "neighbour")
    for kind in (diary.KIND, diary.STAMP, diary.FORGOTTEN):
        two.home.journal.logbook.write(kind, {0: "of a later version"})
    two.home = restored(two.home, backup, with_logbook=True)
    assert two.home.row(row).state == "requested"
    with two.home.inside():
        assert gate.closed()


def test_once_a_day_the_logbook_says_how_far_our_stamps_went(two, tmp_path):
    """So that renewals and new keys, which change no engagement, leave it whole."""
    row = two.asked()
    backup = back_up(two.home, tmp_path / "backup.db")
    two.clock.forward(days=1)
    two.home.act(row, "approve")
    two.clock.forward(days=1)
    with two.home.inside():
        for held in records.walk(two.home.id, "reply/1"):
            seal_again(two.home.journal, parse(held.raw))
    two.home.sweep()
    two.exchange()
    two.home = restored(two.home, backup, two.away, with_logbook=True)
    assert two.home.row(row).state == "approved"
    with two.home.inside():
        assert not gate.closed()
