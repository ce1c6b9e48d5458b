"""Vouching: one signature lets thousands in, and nobody gains anything by carrying it."""

from __future__ import annotations

import pytest

from federation import limits
from federation.checkpoint import make_runs, vouch
from federation.errors import RemoteProtocolError
from federation.keyset import COMPROMISE
from federation.record import SCOPE_PARTNERS, SCOPE_SEALED, Record, parse
from federation.session import Checkpoints
from federation.sets import Bound
from federation.stamp import DAY_MS, stamp_at, stamp_seconds
from federation.stretch import RangePage
from federation.vouching import (
    MISSING,
    admit_checkpoint,
    check_unverified,
    completeness,
    standing,
)
from tests.federation.towns import (
    NOW_MS,
    TODAY,
    Town,
    done,
    forged,
    received,
    same_public_sets,
    towns,
    visit_by,
)

MANY = limits.RANGE_ABOVE_RECORDS + 200


def unverified(town: Town) -> set[bytes]:
    return {parse(raw).id for raw in town.store.unverified(100_000)}


def code_of(events) -> str:
    return done(events).code


# ── what it saves ────────────────────────────────────────────────────────────────────────────────


def test_many_missing_records_come_as_runs_under_one_signature():
    lorient, quimper = towns("Lorient", "Quimper")
    theirs = quimper.publish(MANY)
    quimper.checkpoint()
    events, paths = visit_by(lorient, quimper)
    assert code_of(events) == ""
    assert set(received(events).values()) == {"stored"}
    assert unverified(lorient) == {record.id for record in theirs}
    assert limits.FETCH not in paths and limits.RECONCILE not in paths
    assert paths[:2] == [limits.SUMMARY, paths[1]] and paths[1].startswith(limits.RUNS)
    assert same_public_sets(lorient, quimper)


def test_a_few_missing_records_are_fetched_by_their_ids_and_verified():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(limits.RANGE_ABOVE_RECORDS)
    quimper.checkpoint()
    _, paths = visit_by(lorient, quimper)
    assert not unverified(lorient)
    assert paths[-1] == limits.FETCH
    assert same_public_sets(lorient, quimper)


def test_pages_of_a_range_are_cut_at_the_frame_and_runs_still_hold(monkeypatch):
    monkeypatch.setattr("federation.session.stretches._ROOM_BYTES", 90_000)
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(MANY)
    quimper.checkpoint()
    _, paths = visit_by(lorient, quimper)
    assert paths.count(limits.RANGE) >= 5
    assert len(unverified(lorient)) == MANY
    assert same_public_sets(lorient, quimper)


def test_what_is_younger_than_the_checkpoint_is_verified():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(MANY)
    quimper.checkpoint()
    (young,) = quimper.publish(at_ms=NOW_MS + 5_000)
    visit_by(lorient, quimper)
    assert len(unverified(lorient)) == MANY
    assert young.id not in unverified(lorient)
    assert same_public_sets(lorient, quimper)


def test_only_the_runs_that_are_mostly_missing_are_brought():
    lorient, quimper = towns("Lorient", "Quimper")
    old = quimper.publish(600)
    visit_by(lorient, quimper)
    new = quimper.publish(MANY)
    quimper.checkpoint()
    events, _ = visit_by(lorient, quimper)
    codes = received(events)
    assert {codes[record.id] for record in new} == {"stored"}
    assert sum(record.id in codes for record in old) < 128
    assert same_public_sets(lorient, quimper)


# ── what it does not let in ──────────────────────────────────────────────────────────────────────


def claiming(town: Town, records: list[Record]):
    """A checkpoint of `town` over records that are not its own, truly signed."""
    own = Town(town.name)
    own.store.put([record._replace(origin=own.id, scope=0) for record in records])
    return own.checkpoint()


def test_a_checkpoint_lets_no_record_of_another_town_in():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    false = forged(vannes, MANY)
    said = claiming(quimper, false)
    assert admit_checkpoint(said.raw, lorient.store, NOW_MS) == "stored"
    items = sorted((stamp_seconds(each.stamp), each.id) for each in false)
    covering = vouch(said, make_runs(items), items)
    assert len(covering.ids) == MANY
    verdicts = lorient.admit_vouched([each.raw for each in false], covering, quimper.id, NOW_MS)
    assert {each.code for each in verdicts} == {"refused:bad_signature"}


def test_a_vouched_record_is_shown_to_nobody_else_before_it_was_checked():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    theirs = quimper.publish(MANY)
    quimper.checkpoint()
    visit_by(lorient, quimper)
    assert lorient.rows(vannes) == []
    assert lorient.store.raws([theirs[0].id], vannes.id) == {}
    assert lorient.store.raws([theirs[0].id], None) == {}
    assert set(lorient.store.raws([theirs[0].id], quimper.id)) == {theirs[0].id}
    assert lorient.store.items(quimper.id, 0, TODAY, vannes.id) == []
    visit_by(vannes, lorient)
    assert not vannes.store.known(record.id for record in theirs)
    assert check_unverified(lorient.store, 100_000, NOW_MS).good == MANY
    visit_by(vannes, lorient)
    assert same_public_sets(lorient, quimper, vannes)


def test_a_bad_one_among_the_vouched_is_removed_and_its_origin_vouches_no_more():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(MANY)
    (false,) = forged(quimper, 1)
    quimper.checkpoint()
    events, _ = visit_by(lorient, quimper)
    assert received(events)[false.id] == "stored"
    found = check_unverified(lorient.store, 100_000, NOW_MS)
    assert (found.good, [each.id for each in found.bad]) == (MANY, [false.id])
    assert lorient.store.reason(false.id) == "refused:bad_signature"
    assert lorient.store.witness.distrusted() == {quimper.id: "bad_signature"}
    assert standing(lorient.store, quimper.id, 0, NOW_MS) is None
    again, _ = visit_by(lorient, quimper)
    assert false.id not in received(again)


def test_a_relay_is_not_blamed_for_what_its_origin_vouched_for():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    quimper.publish(MANY)
    forged(quimper, 40)
    quimper.checkpoint()
    visit_by(vannes, quimper)
    vannes.store.verified(unverified(vannes))  # a relay that did not look
    events, _ = visit_by(lorient, vannes)
    assert code_of(events) == ""
    assert len(check_unverified(lorient.store, 100_000, NOW_MS).bad) == 40
    assert set(lorient.store.witness.distrusted()) == {quimper.id}


def test_a_relay_that_changes_a_byte_breaks_one_run_and_its_neighbours_survive():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(MANY)
    quimper.checkpoint()
    victim = quimper.store.items(quimper.id, 0, TODAY, None)[300][1]

    def flip(path: str, body: bytes) -> bytes:
        if path != limits.RANGE:
            return body
        page = RangePage.decode(body)
        raw = quimper.store.raws([victim], None)[victim]
        return page._replace(
            records=page.records.replace(raw, raw[:-1] + bytes((raw[-1] ^ 1,)))
        ).encode()

    events, _ = visit_by(lorient, quimper, flip)
    codes = list(received(events).values())
    assert codes.count("refused:bad_signature") == 1
    assert codes.count("stored") == MANY
    assert len(unverified(lorient)) == MANY - 256
    assert same_public_sets(lorient, quimper)


def test_a_hole_that_is_named_breaks_no_run_and_is_seen():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    theirs = quimper.publish(MANY)
    quimper.checkpoint()
    visit_by(vannes, quimper)
    check_unverified(vannes.store, 100_000, NOW_MS)
    held_back = theirs[10]
    vannes.store.expel([held_back])  # the relay withholds one, and says so
    place = (stamp_seconds(held_back.stamp), held_back.id)

    def confess(path: str, body: bytes) -> bytes:
        if path != limits.RANGE:
            return body
        return RangePage.decode(body)._replace(gaps=(place,)).encode()

    visit_by(lorient, vannes, confess)
    assert len(unverified(lorient)) == MANY - 1
    said = lorient.store.witness.checkpoint(quimper.id, 0)
    assert said is not None
    assert completeness(lorient.store, said)[-2:] == (1, MISSING)


def test_what_was_replaced_since_the_checkpoint_breaks_no_run():
    lorient, quimper = towns("Lorient", "Quimper")
    theirs = quimper.publish(MANY)
    quimper.checkpoint()
    quimper.publish(key=theirs[5].key, at_ms=NOW_MS + 1_000)
    visit_by(lorient, quimper)
    assert len(unverified(lorient)) == MANY - 1
    assert same_public_sets(lorient, quimper)


@pytest.mark.parametrize("lie", ["no list", "another list", "torn"])
def test_without_a_good_run_list_the_set_is_reconciled_as_ever(lie):
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(MANY)
    quimper.checkpoint()
    answers = {"no list": b"", "another list": b"\x80", "torn": b"\x83\x83"}

    def spoil(path: str, body: bytes) -> bytes:
        return answers[lie] if path.startswith(limits.RUNS) else body

    events, paths = visit_by(lorient, quimper, spoil)
    assert code_of(events) == ""
    assert limits.RANGE not in paths and limits.RECONCILE in paths
    assert not unverified(lorient)
    assert same_public_sets(lorient, quimper)


def test_a_page_that_brings_nothing_further_ends_the_visit():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(MANY)
    quimper.checkpoint()

    def stand_still(path: str, body: bytes) -> bytes:
        if path != limits.RANGE:
            return body
        return RangePage.decode(body)._replace(end=Bound(0)).encode()

    with pytest.raises(RemoteProtocolError) as caught:
        visit_by(lorient, quimper, stand_still)
    assert caught.value.code == "bad_message"


# ── which checkpoint counts ──────────────────────────────────────────────────────────────────────


def test_the_highest_stamp_counts_whatever_comes_when():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(3)
    first, second = quimper.checkpoint(), quimper.checkpoint()
    assert admit_checkpoint(second.raw, lorient.store, NOW_MS) == "stored"
    assert admit_checkpoint(first.raw, lorient.store, NOW_MS) == "older"
    assert admit_checkpoint(second.raw, lorient.store, NOW_MS) == "known"
    assert lorient.store.witness.checkpoint(quimper.id, 0) == second


def test_two_checkpoints_of_one_stamp_freeze_vouching_and_are_kept_as_proof():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(MANY)
    first = quimper.checkpoint()
    twin = Town("Quimper")
    twin.publish(2)
    twin._written = quimper._written - 1
    second = twin.checkpoint()
    assert (first.stamp, first.id != second.id) == (second.stamp, True)
    assert admit_checkpoint(first.raw, lorient.store, NOW_MS) == "stored"
    code = admit_checkpoint(second.raw, lorient.store, NOW_MS)
    assert code == "refused:checkpoint_equivocation"
    witness = lorient.store.witness
    assert witness.distrusted() == {quimper.id: "checkpoint_equivocation"}
    assert (witness.checkpoint(quimper.id, 0), witness.proofs[quimper.id]) == (first, second.raw)
    visit_by(lorient, quimper)
    assert not unverified(lorient)
    assert same_public_sets(lorient, quimper)


def test_a_checkpoint_of_a_town_nobody_accepted_is_not_kept():
    lorient = Town("Lorient")
    stranger = Town("Vannes")
    code = admit_checkpoint(stranger.checkpoint().raw, lorient.store, NOW_MS)
    assert code == "refused:not_accepted"
    assert lorient.store.witness.checkpoints() == []


def test_a_checkpoint_from_the_future_is_not_kept():
    lorient, quimper = towns("Lorient", "Quimper")
    ahead = quimper.checkpoint(at_ms=NOW_MS + 2 * DAY_MS, as_of=TODAY + 2)
    assert admit_checkpoint(ahead.raw, lorient.store, NOW_MS) == "quarantined"
    assert lorient.store.witness.checkpoints() == []


def test_a_stolen_key_that_stamped_ahead_gives_way_to_the_next_keyset():
    lorient, quimper = towns("Lorient", "Quimper")
    false = quimper.checkpoint(at_ms=NOW_MS + DAY_MS // 2)
    assert admit_checkpoint(false.raw, lorient.store, NOW_MS) == "stored"
    quimper.rotate(NOW_MS // 1_000, COMPROMISE)
    lorient.know(quimper)
    assert standing(lorient.store, quimper.id, 0, NOW_MS) is None
    true = quimper.checkpoint()
    assert true.stamp < false.stamp
    assert admit_checkpoint(true.raw, lorient.store, NOW_MS) == "stored"
    assert standing(lorient.store, quimper.id, 0, NOW_MS) == true


def test_an_old_checkpoint_lets_nothing_in():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(MANY)
    quimper.checkpoint(at_ms=NOW_MS - 8 * DAY_MS, as_of=TODAY - 8)
    _, paths = visit_by(lorient, quimper)
    assert limits.RANGE not in paths
    assert not unverified(lorient)
    assert same_public_sets(lorient, quimper)


# ── how it travels ───────────────────────────────────────────────────────────────────────────────


def test_a_relay_forwards_the_newest_checkpoint_in_either_direction():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    quimper.publish(3)
    old = quimper.checkpoint()
    visit_by(lorient, quimper)
    new = quimper.checkpoint()
    visit_by(vannes, quimper)
    events, _ = visit_by(vannes, lorient)  # the visitor's is newer: it is told
    assert lorient.store.witness.checkpoint(quimper.id, 0) == new != old
    newest = quimper.checkpoint()
    visit_by(lorient, quimper)
    events, _ = visit_by(vannes, lorient)  # the host's is newer: it is given
    assert Checkpoints(("stored",)) in events
    assert vannes.store.witness.checkpoint(quimper.id, 0) == newest
    events, paths = visit_by(vannes, lorient)
    assert paths == [limits.SUMMARY]


def test_a_checkpoint_for_partners_never_goes_through_a_third_town():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    quimper.publish(3, scope=SCOPE_PARTNERS)
    quimper.publish(3, scope=SCOPE_SEALED, to=vannes.id)
    said = quimper.checkpoint(SCOPE_PARTNERS)
    quimper.checkpoint(SCOPE_SEALED)
    visit_by(lorient, quimper)
    assert lorient.store.witness.checkpoint(quimper.id, SCOPE_PARTNERS) == said
    visit_by(vannes, lorient)
    assert vannes.store.witness.checkpoint(quimper.id, SCOPE_PARTNERS) is None
    assert vannes.store.witness.checkpoint(quimper.id, SCOPE_SEALED) is not None
    assert lorient.host.answer(limits.RUNS + said.runs.hex(), b"", vannes.id, NOW_MS).body == b""
    assert lorient.host.answer(limits.RUNS + said.runs.hex(), b"", quimper.id, NOW_MS).body


def test_a_checkpoint_under_a_new_keyset_is_believed_once_the_keyset_came():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    quimper.rotate(1_789_000_000)
    quimper.publish(3)
    said = quimper.checkpoint()
    visit_by(vannes, quimper)
    events, _ = visit_by(lorient, vannes)
    assert Checkpoints(("stored",)) in events
    assert lorient.store.witness.checkpoint(quimper.id, 0) == said


def test_gaps_are_forgotten_with_the_checkpoint_they_belong_to():
    quimper = Town("Quimper")
    first, *_ = quimper.publish(3)
    quimper.checkpoint()
    quimper.publish(key=first.key, at_ms=NOW_MS + 1_000)
    gaps = quimper.store.witness.gaps[quimper.id, 0]
    assert [gap.id for gap in gaps] == [first.id]
    assert gaps[0].by >= stamp_at(NOW_MS + 1_000)
    quimper.checkpoint(at_ms=NOW_MS + 2_000)
    assert not quimper.store.witness.gaps[quimper.id, 0]
