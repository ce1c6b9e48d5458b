"""Hostile words: false lists, pages that go nowhere, floods; and links that break in between."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import codec, limits
from federation.adapters.memory import Faults
from federation.errors import RemoteProtocolError
from federation.messages import SummaryAnswer
from federation.sets import Bound
from federation.stretch import RangePage, RangeQuestion
from federation.vouching import admit_checkpoint, check_unverified
from tests.federation.towns import (
    NOW_MS,
    TODAY,
    done,
    junk,
    received,
    same_public_sets,
    towns,
    visit_by,
)

MANY = limits.RANGE_ABOVE_RECORDS + 60


@given(junk)
@settings(max_examples=60, deadline=None)
def test_any_answer_to_a_range_or_a_run_list_is_met_with_a_code_or_an_end(noise):
    for path in (limits.RUNS, limits.RANGE):
        lorient, quimper = towns("Lorient", "Quimper")
        quimper.store.put([quimper.sign() for _ in range(2)])
        said = quimper.checkpoint()
        counted = said._replace(records=MANY)
        quimper.store.witness.keep(counted)

        def spoil(asked: str, body: bytes, path=path) -> bytes:
            return noise if asked.startswith(path) else body

        try:
            events, _ = visit_by(lorient, quimper, spoil)
            assert done(events)
        except RemoteProtocolError as error:
            assert error.code


@given(
    st.builds(Bound, st.integers(0, 2**32), st.binary(max_size=32)),
    st.builds(Bound, st.integers(0, 2**32), st.binary(max_size=32)),
    st.integers(0, 2),
)
@settings(max_examples=60, deadline=None)
def test_any_stretch_is_answered_with_what_lies_in_it(lower, upper, scope):
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(3)
    quimper.checkpoint()
    asked = RangeQuestion(TODAY, quimper.id, scope, lower, upper)
    answer = quimper.host.answer(limits.RANGE, asked.encode(), lorient.id, NOW_MS)
    page = RangePage.decode(answer.body)
    inside = [one for at in quimper.store.items(quimper.id, scope, TODAY) for one in [at]]
    expected = [item for item in inside if lower <= item < upper]
    assert len(list(codec.sequence(page.records))) == len(expected)


@pytest.mark.parametrize("fault", ["lost_requests", "lost_answers", "cut_answers"])
def test_a_sync_by_runs_broken_at_any_exchange_is_finished_by_the_next(fault, monkeypatch):
    monkeypatch.setattr("federation.session.stretches._ROOM_BYTES", 120_000)
    at, is_unbroken = 0, False
    while not is_unbroken:
        at += 1
        lorient, quimper = towns("Lorient", "Quimper")
        quimper.publish(MANY)
        quimper.checkpoint()
        link = lorient.link_to(quimper, Faults(**{fault: {at}}))
        try:
            lorient.visit(quimper, link)
            is_unbroken = link.exchanges < at
        except RemoteProtocolError as error:
            assert error.code in ("unreachable", "timeout", "bad_digest")
        events = lorient.visit(quimper)
        assert done(events).code == ""
        assert same_public_sets(lorient, quimper), f"after a fault at exchange {at}"
    assert at >= 6


def test_a_page_that_is_not_at_its_end_must_bring_something():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(MANY)
    quimper.checkpoint()

    def crawl(path: str, body: bytes) -> bytes:
        if path != limits.RANGE:
            return body
        return RangePage(Bound(1), b"").encode()

    with pytest.raises(RemoteProtocolError) as caught:
        visit_by(lorient, quimper, crawl)
    assert caught.value.code == "bad_message"


def test_a_host_that_floods_a_run_with_other_records_gains_nothing_by_it():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(MANY)
    quimper.checkpoint()
    late = [quimper.sign() for _ in range(700)]  # between the runs, in no list

    def flood(path: str, body: bytes) -> bytes:
        if path != limits.RANGE:
            return body
        page = RangePage.decode(body)
        return page._replace(records=b"".join(each.raw for each in late) + page.records).encode()

    events, _ = visit_by(lorient, quimper, flood)
    assert done(events).tally.unasked >= len(late) - 256
    assert set(received(events).values()) == {"stored"}
    assert not check_unverified(lorient.store, 100_000, NOW_MS).bad


def test_a_host_that_names_a_thousand_gaps_gains_nothing_by_it():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(MANY)
    quimper.checkpoint()

    def confess(path: str, body: bytes) -> bytes:
        if path != limits.RANGE:
            return body
        page = RangePage.decode(body)
        gaps = tuple((page.end.seconds - 2, n.to_bytes(32, "big")) for n in range(1_000))
        return page._replace(gaps=gaps).encode()

    events, _ = visit_by(lorient, quimper, confess)
    assert done(events).code == ""
    assert same_public_sets(lorient, quimper)


def test_a_thousand_checkpoints_of_strangers_are_named_and_not_kept():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    stranger = vannes.checkpoint()
    visit = lorient.start(quimper)
    assert visit.next_request(NOW_MS) is not None
    answer = SummaryAnswer(TODAY, 0, NOW_MS, checkpoints=((bytes(32), (stranger.raw,) * 3),))
    events = visit.receive(answer.encode(), NOW_MS)
    assert done(events).code == ""
    assert lorient.store.witness.checkpoints() == []


@given(junk)
@settings(max_examples=100)
def test_any_bytes_as_a_checkpoint_get_a_code(noise):
    lorient, _ = towns("Lorient", "Quimper")
    assert admit_checkpoint(noise, lorient.store, NOW_MS).startswith("refused:")
