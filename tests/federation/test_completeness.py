"""Completeness: whoever withholds is seen, and what has its reasons raises no alarm."""

from __future__ import annotations

from federation.keyset import COMPROMISE
from federation.record import parse
from federation.stamp import DAY_MS
from federation.vouching import (
    COMPLETE,
    DIFFERS,
    MISSING,
    UNSURE,
    admit_checkpoint,
    audit,
    completeness,
)
from tests.federation.towns import NOW_MS, TODAY, Town, received, seed, towns, visit_by


def state_at(town: Town, origin: Town) -> tuple[int, str]:
    said = town.store.witness.checkpoint(origin.id, 0)
    assert said is not None
    found = completeness(town.store, said)
    return found.missing, found.state


def test_abuse_042_a_relay_that_withholds_one_record_is_seen():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    theirs = quimper.publish(40)
    quimper.checkpoint()
    visit_by(vannes, quimper)
    vannes.store.expel([theirs[7]])
    visit_by(lorient, vannes)
    assert state_at(lorient, quimper) == (1, MISSING)
    visit_by(lorient, quimper)
    assert state_at(lorient, quimper) == (0, COMPLETE)


def test_abuse_130_a_hostile_town_between_two_others_can_only_withhold_and_is_seen():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    theirs = quimper.publish(30)
    visit_by(vannes, quimper)
    quimper.checkpoint()
    visit_by(vannes, quimper)
    vannes.store.expel(theirs[:20])
    vannes.store.put([parse(each.raw[:-1] + bytes((each.raw[-1] ^ 1,))) for each in theirs[:5]])
    events, _ = visit_by(lorient, vannes)
    assert list(received(events).values()).count("refused:bad_signature") == 5
    assert state_at(lorient, quimper) == (20, MISSING)


def test_nothing_is_said_to_be_missing_that_newer_records_may_have_replaced():
    lorient, quimper = towns("Lorient", "Quimper")
    theirs = quimper.publish(10)
    quimper.checkpoint()
    quimper.publish(key=theirs[0].key, at_ms=NOW_MS + 1_000)
    visit_by(lorient, quimper)
    assert state_at(lorient, quimper) == (1, UNSURE)
    quimper.checkpoint(at_ms=NOW_MS + 2_000)
    visit_by(lorient, quimper)
    assert state_at(lorient, quimper) == (0, COMPLETE)


def test_what_was_held_and_replaced_since_is_not_missing():
    lorient, quimper = towns("Lorient", "Quimper")
    theirs = quimper.publish(10)
    quimper.checkpoint()
    visit_by(lorient, quimper)
    for record in theirs[:4]:
        quimper.publish(key=record.key, at_ms=NOW_MS + 1_000)
    visit_by(lorient, quimper)
    assert state_at(lorient, quimper) == (0, COMPLETE)


def test_the_end_of_a_record_s_life_raises_no_alarm():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(10)
    quimper.publish(5, at_ms=NOW_MS - 399 * DAY_MS)  # end tomorrow
    quimper.checkpoint()
    visit_by(lorient, quimper)
    for days in (0, 1, 2):
        lorient.store.sweep(TODAY + days)
        assert state_at(lorient, quimper) == (0, COMPLETE), f"after {days} days"
    quimper.checkpoint(at_ms=NOW_MS + 2 * DAY_MS, as_of=TODAY + 2)
    lorient.now_ms = quimper.now_ms = NOW_MS + 2 * DAY_MS
    visit_by(lorient, quimper)
    lorient.store.sweep(TODAY + 4)
    assert state_at(lorient, quimper) == (0, COMPLETE)


def test_a_word_under_a_key_that_was_replaced_raises_no_alarm():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(10)
    quimper.checkpoint()
    visit_by(lorient, quimper)
    quimper.rotate(NOW_MS // 1_000, COMPROMISE)
    lorient.know(quimper)
    assert state_at(lorient, quimper)[1] == UNSURE


def test_more_than_the_origin_says_it_has_is_told_apart():
    lorient, quimper = towns("Lorient", "Quimper")
    theirs = quimper.publish(10)
    visit_by(lorient, quimper)
    quimper.store.expel(theirs[:2])
    said = quimper.checkpoint()
    admit_checkpoint(said.raw, lorient.store, NOW_MS)
    assert state_at(lorient, quimper) == (0, DIFFERS)


def test_an_audit_finds_what_a_fingerprint_cannot():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(300)
    said = quimper.checkpoint()
    visit_by(lorient, quimper)
    assert audit(lorient.store, said, NOW_MS)
    lying = said._replace(runs=seed("another set of the same sum"))
    lorient.store.witness.keep(lying)
    assert state_at(lorient, quimper) == (0, COMPLETE)
    assert not audit(lorient.store, lying, NOW_MS)
    assert lorient.store.witness.distrusted() == {quimper.id: "bad_runs"}
