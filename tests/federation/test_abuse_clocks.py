"""Abuse, clocks and order: replays, revisions out of order, dates that cannot be (31 to 45)."""

from __future__ import annotations

import pytest

from federation import limits
from federation.admission import admit
from federation.messages import decode_verdicts
from federation.record import TOMBSTONE, tombstone_until
from federation.stamp import DAY_MS, stamp_at
from tests.federation.abuse import record_of
from tests.federation.test_gate import asked
from tests.federation.towns import NOW_MS, Town, done, received, same_public_sets, towns

TEN_YEARS_MS = 3_652 * DAY_MS


def codes(town: Town, *raws: bytes, now_ms: int = NOW_MS) -> list[str]:
    return [each.code for each in admit(raws, town.store, now_ms)]


def buried(town: Town, at_ms: int):
    return record_of(
        town, at_ms, state=TOMBSTONE, body=b"", expires=tombstone_until(stamp_at(at_ms))
    )


def test_abuse_031_two_records_of_one_moment_are_told_and_one_wins_everywhere():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    one, other = (record_of(lorient, body=body) for body in (b"\xa0", b"\xa1\x00\x01"))
    winner = max((one, other), key=lambda record: record.id)
    assert one.stamp == other.stamp and one.id != other.id
    first = admit([one.raw, other.raw], quimper.store, NOW_MS)
    second = admit([other.raw, one.raw], vannes.store, NOW_MS)
    for verdicts in (first, second):
        assert [each.rival for each in verdicts].count(None) == 1  # the second names the first
    for town in (quimper, vannes):
        assert town.store.current([one.register])[one.register].id == winner.id
    assert same_public_sets(quimper, vannes)


def test_abuse_032_the_same_again_a_hundred_times_by_every_way():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    (record,) = lorient.publish()
    vannes.visit(lorient)
    quimper.visit(vannes)  # by a relay
    before = quimper.store.usage([lorient.id])
    assert codes(quimper, *[record.raw] * 100) == ["known"] * 100  # by a file
    body = record.raw * 100
    answer = quimper.host.answer(limits.PUSH, body, lorient.id, NOW_MS)
    assert (answer.status, decode_verdicts(answer.body)) == (200, {record.id: "known"})
    request = asked(lorient, quimper, path=limits.PUSH, body=body)
    statuses = [quimper.passage(request).reply.status for _ in range(3)]
    assert statuses == [200, 409, 409]
    assert quimper.store.usage([lorient.id]) == before


def test_abuse_033_an_older_version_after_a_newer_one():
    lorient, quimper = towns("Lorient", "Quimper")
    old, new = record_of(lorient, NOW_MS - 9_000), record_of(lorient, NOW_MS - 5_000)
    assert codes(quimper, new.raw, old.raw, old.raw) == ["stored", "older", "older"]
    assert quimper.store.current([new.register])[new.register].id == new.id


@pytest.mark.parametrize("turns", ["live grave", "grave live", "live grave live", "later grave"])
def test_abuse_034_what_was_buried_stays_buried_in_whatever_order_it_comes(turns):
    lorient, quimper = towns("Lorient", "Quimper")
    said = {
        "live": record_of(lorient, NOW_MS - 9_000),
        "grave": buried(lorient, NOW_MS - 7_000),
        "later": record_of(lorient, NOW_MS - 5_000),
    }
    codes(quimper, *(said[each].raw for each in turns.split()))
    grave = said["grave"]
    assert quimper.store.current([grave.register])[grave.register].id == grave.id


def test_abuse_039_a_partner_whose_clock_is_ten_years_ahead():
    lorient, quimper = towns("Lorient", "Quimper")
    (now,) = lorient.publish()
    future = record_of(lorient, NOW_MS + TEN_YEARS_MS, key=now.key)
    assert codes(quimper, now.raw, future.raw) == ["stored", "quarantined"]
    assert quimper.store.current([now.register])[now.register].id == now.id
    lorient.now_ms += TEN_YEARS_MS
    events = lorient.visit(quimper)  # it takes our day and goes on
    assert done(events).code == ""
    assert quimper.visit(lorient) and quimper.rows(lorient)[0].count == 1


def test_abuse_039_a_record_that_waits_is_judged_again_and_taken_on_its_day():
    lorient, quimper = towns("Lorient", "Quimper")
    future = record_of(lorient, NOW_MS + 3 * DAY_MS)
    lorient.store.put([future])
    for days, code in ((0, "quarantined"), (1, "quarantined"), (2, "stored")):
        quimper.now_ms = lorient.now_ms = NOW_MS + days * DAY_MS
        assert admit([future.raw], quimper.store, quimper.now_ms)[0].code == code


def test_abuse_043_a_ring_of_towns_with_losses_and_repeats_comes_to_rest():
    ring = towns("Lorient", "Quimper", "Vannes")
    for town in ring:
        town.publish(5)
    for _ in range(2):
        for at, town in enumerate(ring):
            town.visit(ring[(at + 1) % 3])
            town.visit(ring[(at + 1) % 3])
    assert same_public_sets(*ring)
    assert all(done(town.visit(other)).tally.exchanges == 1 for town in ring for other in ring[:1]
               if town is not other)  # fmt: skip


def test_abuse_044_only_its_own_town_revises_a_listing():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    (listing,) = lorient.publish()
    for town in (quimper, vannes):
        town.visit(lorient)
        revision = record_of(town, key=listing.key, origin=lorient.id, keyset=lorient.keyset.number)
        other = vannes if town is quimper else quimper
        assert codes(other, revision.raw) == ["refused:bad_signature"]
    assert same_public_sets(lorient, quimper, vannes)


def test_abuse_045_what_was_answered_as_stored_is_there_whatever_happened_to_the_answer():
    lorient, quimper = towns("Lorient", "Quimper")
    records = lorient.publish(3)
    body = b"".join(each.raw for each in records)
    request = asked(lorient, quimper, path=limits.PUSH, body=body)
    quimper.passage(request)  # the answer is lost
    events = lorient.visit(quimper)
    assert done(events).tally.exchanges == 1  # both hold the same already
    assert received(events) == {}
