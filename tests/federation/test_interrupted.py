"""Interrupted visits: what was admitted stays, and the next visit goes on from there."""

from __future__ import annotations

import pytest

from federation import limits
from federation.adapters.memory import Faults
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.session import Undelivered
from tests.federation.towns import NOW_MS, done, received, same_public_sets, towns


@pytest.mark.parametrize("fault", ["lost_requests", "lost_answers", "cut_answers"])
def test_a_visit_broken_at_any_exchange_is_finished_by_the_next(fault, monkeypatch):
    monkeypatch.setattr("federation.session.pages.FETCH_MAX_IDS", 30)
    monkeypatch.setattr("federation.session.pages.PUSH_MAX_RECORDS", 30)
    at = 0
    is_unbroken = False
    while not is_unbroken:
        at += 1
        lorient, quimper = towns("Lorient", "Quimper")
        theirs = quimper.publish(110)
        ours = lorient.publish(110)
        link = lorient.link_to(quimper, Faults(**{fault: {at}}))
        try:
            lorient.visit(quimper, link)
            is_unbroken = link.exchanges < at
        except RemoteProtocolError as error:
            assert error.code in ("unreachable", "timeout", "bad_digest")
        before = lorient.store.known(record.id for record in theirs)
        again = lorient.link_to(quimper)
        events = lorient.visit(quimper, again)
        assert same_public_sets(lorient, quimper), f"after a fault at exchange {at}"
        assert done(events).code == ""
        assert not before & set(received(events)), "fetched again"
        assert quimper.store.known(record.id for record in ours) == {r.id for r in ours}
    assert at >= 11


def test_a_visit_without_its_last_answers_pushes_again_without_harm():
    lorient, quimper = towns("Lorient", "Quimper")
    (record,) = lorient.publish()
    assert quimper.admit([record.raw], lorient.id, NOW_MS)[0].code == "stored"
    assert quimper.admit([record.raw], lorient.id, NOW_MS)[0].code == "known"


def test_two_visits_at_once_do_not_starve_each_other():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(40)
    link = lorient.link_to(quimper)
    channel = lorient.channel(quimper, link)
    visits = [lorient.start(quimper), lorient.start(quimper)]
    last = {}
    while len(last) < 2:
        for number, visit in enumerate(visits):
            request = visit.next_request(NOW_MS)
            if request is None:
                continue
            events = visit.receive(channel.post(request), NOW_MS)
            if visit.is_done:
                last[number] = done(events)
    assert [last[0].code, last[1].code] == ["", ""]
    assert same_public_sets(lorient, quimper)


def test_a_session_ends_after_ten_minutes_and_keeps_what_it_has():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(2_500)
    visit = lorient.start(quimper)
    now_ms = NOW_MS
    events = []
    while (request := visit.next_request(now_ms)) is not None:
        now_ms += limits.SESSION_MAX_MS // 3
        events = visit.receive(
            quimper.host.answer(request.path, request.body, lorient.id, NOW_MS).body, now_ms
        )
    assert done(events).code == "too_many_rounds"
    assert 0 < lorient.rows(quimper)[0].count < 2_500
    lorient.visit(quimper)
    assert same_public_sets(lorient, quimper)


def test_a_visit_is_asked_and_answered_in_turn():
    lorient, quimper = towns("Lorient", "Quimper")
    visit = lorient.start(quimper)
    with pytest.raises(LocalProtocolError):
        visit.receive(b"", NOW_MS)
    assert visit.next_request(NOW_MS) is not None
    with pytest.raises(LocalProtocolError):
        visit.next_request(NOW_MS)


def test_a_record_replaced_between_listing_and_fetching_is_told_as_undelivered():
    lorient, quimper = towns("Lorient", "Quimper")
    (record,) = quimper.publish()
    visit = lorient.start(quimper)
    events = []
    while (request := visit.next_request(NOW_MS)) is not None:
        if request.path == limits.FETCH:
            quimper.publish(key=record.key)
        body = quimper.host.answer(request.path, request.body, lorient.id, NOW_MS).body
        events += visit.receive(body, NOW_MS)
    assert Undelivered((record.id,)) in events
    assert done(events).tally.undelivered == 1
    lorient.visit(quimper)
    assert same_public_sets(lorient, quimper)
