"""Hostile hosts: whatever they answer, a visit ends with a code and good records stay."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import codec, limits
from federation.errors import CODES, RemoteProtocolError
from federation.messages import (
    Difference,
    ReconcileQuestion,
    Row,
    SummaryAnswer,
    encode_round,
)
from federation.record import SCOPE_PARTNERS
from federation.session import Event, Received, Request, Unasked, Undelivered
from federation.sets import varint
from federation.stamp import DAY_MS
from tests.federation.towns import (
    HOSTED,
    NOW_MS,
    TODAY,
    Town,
    done,
    forged,
    junk,
    received,
    towns,
)

Answers = dict[str, Callable[[bytes], bytes]]


def meet(visitor: Town, host: Town, answers: Answers, most: int = 200) -> list[Event]:
    """A visit to a host that answers some endpoints in its own way."""
    visit, events = visitor.start(host), []
    for _ in range(most):
        request = visit.next_request(NOW_MS)
        if request is None:
            return events
        events += visit.receive(said(host, visitor, answers, request), NOW_MS)
    raise AssertionError("the visit does not end")


def said(host: Town, visitor: Town, answers: Answers, request: Request) -> bytes:
    if request.path in answers:
        return answers[request.path](request.body)
    return host.host.answer(request.path, request.body, visitor.id, NOW_MS).body


def ended(visitor: Town, host: Town, answers: Answers) -> str:
    """The code with which such a visit is given up."""
    with pytest.raises(RemoteProtocolError) as caught:
        meet(visitor, host, answers)
    return caught.value.code


# ── bad records among good ones ──────────────────────────────────────────────────────────────────


def test_a_forged_record_is_named_and_its_neighbours_are_kept():
    lorient, quimper = towns("Lorient", "Quimper")
    good = quimper.publish(20)
    (bad,) = forged(quimper, 1)
    events = meet(lorient, quimper, {})
    page = next(event for event in events if isinstance(event, Received))
    refused = [each for each in page.outcomes if each.code != "stored"]
    assert [(each.id, each.code, each.origin) for each in refused] == [
        (bad.id, "refused:bad_signature", quimper.id)
    ]
    assert lorient.rows(quimper)[0].count == len(good)
    assert done(events).code == ""


def test_a_refused_record_is_not_fetched_again_and_one_from_the_future_is():
    lorient, quimper = towns("Lorient", "Quimper")
    (bad,) = forged(quimper, 1)
    future = quimper.sign(at_ms=NOW_MS + 2 * DAY_MS)
    quimper.store.put([future])
    codes = {bad.id: "refused:bad_signature", future.id: "quarantined"}
    assert received(meet(lorient, quimper, {})) == codes
    assert received(meet(lorient, quimper, {})) == {future.id: "quarantined"}


def test_twenty_bad_signatures_end_the_visit():
    lorient, quimper = towns("Lorient", "Quimper")
    forged(quimper, limits.BAD_SIGNATURES_MAX)
    quimper.publish(2_000)
    last = done(meet(lorient, quimper, {}))
    assert last.code == "too_many_bad_signatures"
    assert last.tally.received["stored"] < 2_000


def test_nineteen_bad_signatures_do_not():
    lorient, quimper = towns("Lorient", "Quimper")
    forged(quimper, limits.BAD_SIGNATURES_MAX - 1)
    quimper.publish(2_000)
    last = done(meet(lorient, quimper, {}))
    assert (last.code, last.tally.received["stored"]) == ("", 2_000)


# ── lies about what there is ─────────────────────────────────────────────────────────────────────


def test_records_nobody_asked_for_are_dropped_and_counted():
    lorient, quimper = towns("Lorient", "Quimper")
    (wanted,) = quimper.publish()
    extra = [quimper.sign() for _ in range(3)]

    def fetch(_: bytes) -> bytes:
        return b"".join(record.raw for record in (*extra, wanted, wanted))

    events = meet(lorient, quimper, {limits.FETCH: fetch})
    assert received(events) == {wanted.id: "stored"}
    assert Unasked(4) in events
    assert lorient.rows(quimper)[0].count == 1


def test_a_record_with_another_id_does_not_pass_for_the_one_asked_for():
    lorient, quimper = towns("Lorient", "Quimper")
    (wanted,) = quimper.publish()
    events = meet(lorient, quimper, {limits.FETCH: lambda _: quimper.sign().raw})
    assert Undelivered((wanted.id,)) in events
    assert not lorient.rows(quimper)


def inventing(count: int) -> Callable[[bytes], bytes]:
    """A host that lists `count` ids of records that do not exist, anew at each round."""
    rounds = iter(range(1_000))

    def answer(body: bytes) -> bytes:
        number = next(rounds)
        ids = [hashlib.sha256(b"%d/%d" % (number, n)).digest() for n in range(count)]
        message = b"\x61\x00\x00\x02" + varint(count) + b"".join(ids)
        return encode_round([message] * len(ReconcileQuestion.decode(body).sets))

    return answer


def test_a_host_that_lists_what_it_does_not_have_is_left_after_a_thousand():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish()
    lying = {limits.RECONCILE: inventing(5_000), limits.FETCH: lambda _: b""}
    last = done(meet(lorient, quimper, lying))
    assert last.code == "undelivered"
    assert last.tally.undelivered == limits.UNDELIVERED_MAX_IDS
    assert last.tally.exchanges == 3


def test_a_host_may_not_list_more_of_one_town_than_a_town_may_have(monkeypatch):
    monkeypatch.setattr("federation.session.pages.WANTED_MAX_IDS", 100)
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish()
    lying = {limits.RECONCILE: inventing(5_000), limits.FETCH: lambda _: b""}
    last = done(meet(lorient, quimper, lying))
    assert last.code == "over_quota"
    assert last.tally.undelivered == 100


def test_a_reconciliation_that_tells_nothing_is_given_up():
    """The host answers each round with a fingerprint of everything that fits nothing."""
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(5)
    lorient.publish(200)

    def answer(body: bytes) -> bytes:
        message = b"\x61\x00\x00\x01" + bytes(16)
        return encode_round([message] * len(ReconcileQuestion.decode(body).sets))

    last = done(meet(lorient, quimper, {limits.RECONCILE: answer}))
    assert last.code == "no_progress"
    assert last.tally.rounds == limits.IDLE_ROUNDS_MAX + 1


def test_a_reconciliation_that_never_ends_is_cut_and_what_was_learnt_is_fetched():
    """Each round lists one new id and asks again about the rest."""
    lorient, quimper = towns("Lorient", "Quimper")
    records = quimper.publish(100)
    lorient.publish(40)
    fresh = iter(records)

    def answer(body: bytes) -> bytes:
        start, end = varint(1), b"\x00\x00"  # a list up to time 0 and a prefix, then the rest
        message = b"\x61" + start + b"\x01\xff\x02\x01" + next(fresh).id + end + b"\x01" + bytes(16)
        return encode_round([message] * len(ReconcileQuestion.decode(body).sets))

    events = meet(lorient, quimper, {limits.RECONCILE: answer})
    last = done(events)
    assert last.code == "too_many_rounds"
    assert last.tally.rounds == limits.ROUNDS_MAX
    assert last.tally.received["stored"] >= limits.ROUNDS_MAX


def test_a_host_that_shows_what_is_not_its_to_show_is_left():
    lorient, quimper = towns("Lorient", "Quimper")
    vannes = Town("Vannes")
    lorient.know(vannes)
    row = Row(SCOPE_PARTNERS, 1, bytes(16))

    def answering(*differing: Difference) -> Answers:
        answer = SummaryAnswer(TODAY, 0, NOW_MS, differing)
        return {limits.SUMMARY: lambda _: answer.encode()}

    assert ended(lorient, quimper, answering(Difference(vannes.id, (row,)))) == "not_shown"
    unknown = Difference(bytes(32), (Row(0, 1, bytes(16)),))
    assert ended(lorient, quimper, answering(unknown)) == "not_shown"


def test_a_host_that_moves_the_day_twice_is_left():
    lorient, quimper = towns("Lorient", "Quimper")
    days = iter((TODAY + 5, TODAY + 6))
    moving = {limits.SUMMARY: lambda _: SummaryAnswer(next(days), 0, NOW_MS).encode()}
    assert ended(lorient, quimper, moving) == "bad_as_of"


def test_a_torn_page_keeps_its_whole_records():
    lorient, quimper = towns("Lorient", "Quimper")
    first, second = quimper.publish(2)
    events = meet(lorient, quimper, {limits.FETCH: lambda _: first.raw + second.raw[:-5]})
    assert received(events) == {first.id: "stored"}
    assert Undelivered((second.id,)) in events


def test_a_page_of_a_million_crumbs_is_not_unpacked():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish()
    events = meet(lorient, quimper, {limits.FETCH: lambda _: bytes(limits.FRAME_MAX_BYTES)})
    assert Unasked(limits.FETCH_MAX_IDS) in events
    assert done(events).code == "bad_cbor"


def test_a_push_without_verdicts_is_told():
    lorient, quimper = towns("Lorient", "Quimper")
    lorient.publish(2)
    last = done(meet(lorient, quimper, {limits.PUSH: lambda _: codec.dumps({0: []})}))
    assert last.tally.sent == {"unanswered": 2}


def test_a_town_refused_as_a_whole_is_not_pushed_page_after_page():
    lorient, quimper = towns("Lorient", "Quimper")
    lorient.publish(2_500)

    def refuse(body: bytes) -> bytes:
        ids = [hashlib.sha256(raw).digest() for raw in codec.sequence(body)]
        return codec.dumps({0: [["refused:over_quota", b"".join(ids)]]})

    last = done(meet(lorient, quimper, {limits.PUSH: refuse}))
    assert last.tally.sent == {"refused:over_quota": 1_000}


def test_a_town_that_is_frozen_at_either_end_costs_nothing():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    vannes.publish(5)
    quimper.visit(vannes)
    for frozen_at in (lorient, quimper):
        frozen_at.store.freeze(vannes.id)
        assert done(meet(lorient, quimper, {})).tally.exchanges == 1
        assert done(meet(quimper, lorient, {})).tally.exchanges == 1


def test_a_root_that_signs_keysets_without_end_does_not_stop_the_others():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    for number in range(2 * limits.KEYSETS_PER_TOWN_MAX):
        vannes.rotate(1_780_000_000 + number)
        quimper.store.add_keyset(vannes.keyset)
    quimper.publish(3)
    assert done(meet(lorient, quimper, {})).code == ""
    assert lorient.store.keysets(vannes.id)[-1] == vannes.keyset
    assert done(meet(lorient, quimper, {})).tally.exchanges == 1


# ── any bytes at all ─────────────────────────────────────────────────────────────────────────────


@given(st.sampled_from(HOSTED), junk)
@settings(max_examples=150)
def test_a_visitor_meets_any_answer_with_a_code_or_an_end(path, body):
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(2)
    lorient.publish(2)
    quimper.rotate(1_789_000_000)
    try:
        events = meet(lorient, quimper, {path: lambda _: body})
    except RemoteProtocolError as error:
        assert error.code in CODES
    else:
        assert done(events).code in ("", *CODES)
