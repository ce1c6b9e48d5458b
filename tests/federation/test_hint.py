"""The hint: ten new records cost one exchange, and nothing is ever lost by it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import limits
from federation.messages import SummaryAnswer, SummaryQuestion
from federation.record import SCOPE_PARTNERS, SCOPE_SEALED
from federation.session import Hint, Hinted, Request, drive
from federation.session import hint as subject
from tests.federation.towns import (
    NOW_MS,
    Town,
    done,
    forged,
    received,
    same_public_sets,
    sent,
    towns,
)

SECRET = b"s" * 32


def hinting(*names: str) -> list[Town]:
    made = towns(*names)
    for town in made:
        town.secret, town.hints = town.name.encode() * 4, {}
    return made


# ── the price ────────────────────────────────────────────────────────────────────────────────────


def test_ten_new_records_cost_one_exchange():
    lorient, quimper = hinting("Lorient", "Quimper")
    quimper.publish(1_000)
    lorient.visit(quimper)
    new = quimper.publish(10)
    link = lorient.link_to(quimper)
    events = lorient.visit(quimper, link)
    assert received(events) == {record.id: "stored" for record in new}
    assert link.exchanges == 1
    assert link.bytes_up < 500
    assert link.bytes_down < sum(len(record.raw) for record in new) + 500
    assert same_public_sets(lorient, quimper)


def test_news_of_both_ends_cost_one_exchange():
    lorient, quimper = hinting("Lorient", "Quimper")
    lorient.publish(50)
    quimper.publish(50)
    lorient.visit(quimper)
    theirs, ours = quimper.publish(100), lorient.publish(100)
    quimper.checkpoint()
    lorient.checkpoint()
    link = lorient.link_to(quimper)
    events = lorient.visit(quimper, link)
    assert received(events) == {record.id: "stored" for record in theirs}
    assert sent(events) == {record.id: "stored" for record in ours}
    assert link.exchanges == 1
    assert same_public_sets(lorient, quimper)
    for one, other in ((lorient, quimper), (quimper, lorient)):
        said = one.store.witness.checkpoint(other.id, 0)
        assert said == other.store.witness.checkpoint(other.id, 0) is not None


def test_identical_towns_still_take_one_exchange_of_few_bytes():
    three = hinting("Lorient", "Quimper", "Vannes")
    lorient, quimper, vannes = three
    for town in three:
        town.publish(20)
        town.publish(5, scope=SCOPE_SEALED, to=lorient.id)
        town.publish(2, scope=SCOPE_PARTNERS)
        for scope in (0, 1, 2):
            town.checkpoint(scope)
    for visitor, host in ((lorient, quimper), (vannes, quimper), (lorient, quimper)):
        visitor.visit(host)
    link = lorient.link_to(quimper)
    last = done(lorient.visit(quimper, link))
    assert (last.code, last.tally.exchanges, link.exchanges) == ("", 1, 1)
    assert link.bytes_up <= 500 and link.bytes_down <= 500


def test_what_a_town_brought_is_not_brought_back_to_it():
    lorient, quimper = hinting("Lorient", "Quimper")
    lorient.visit(quimper)
    lorient.publish(5)
    lorient.visit(quimper)
    quimper.publish(1)
    events = lorient.visit(quimper)
    assert list(received(events).values()) == ["stored"]
    assert not sent(events)


def test_more_than_a_thousand_are_reconciled():
    lorient, quimper = hinting("Lorient", "Quimper")
    lorient.visit(quimper)
    quimper.publish(limits.NEWS_MAX_RECORDS + 1)
    events = lorient.visit(quimper)
    assert done(events).tally.rounds > 0
    assert same_public_sets(lorient, quimper)


def test_news_larger_than_a_frame_are_reconciled():
    lorient, quimper = hinting("Lorient", "Quimper")
    lorient.visit(quimper)
    lorient.publish(80, body=bytes(15_000))
    quimper.publish(80, body=bytes(15_000))
    events = lorient.visit(quimper)
    assert done(events).code == ""
    assert same_public_sets(lorient, quimper)


# ── what is shown ────────────────────────────────────────────────────────────────────────────────


def test_news_are_of_the_sets_a_peer_may_see():
    lorient, quimper, vannes = hinting("Lorient", "Quimper", "Vannes")
    lorient.visit(quimper)
    (theirs,) = vannes.publish(scope=SCOPE_PARTNERS)
    quimper.visit(vannes)
    (ours,) = quimper.publish(scope=SCOPE_PARTNERS)
    events = lorient.visit(quimper)
    assert set(received(events)) == {ours.id}
    assert not lorient.store.known([theirs.id])


def test_news_of_a_town_the_host_does_not_accept_are_neither_taken_nor_refused():
    lorient, quimper = hinting("Lorient", "Quimper")
    lorient.visit(quimper)
    stranger = Town("Vannes")
    lorient.know(stranger)
    lorient.store.put([stranger.sign()])
    (ours,) = lorient.publish()
    events = lorient.visit(quimper)
    assert quimper.store.known([ours.id])
    assert [code for code in sent(events).values() if code.startswith("refused")] == []


def test_news_are_of_the_towns_the_visitor_accepts_under_the_same_keysets():
    lorient, quimper = hinting("Lorient", "Quimper")
    lorient.visit(quimper)
    stranger = Town("Vannes")
    quimper.know(stranger)
    quimper.store.put([stranger.sign()])
    (ours,) = quimper.publish()
    assert set(received(lorient.visit(quimper))) == {ours.id}
    quimper.rotate(1_789_000_000)
    (new,) = quimper.publish()
    assert received(lorient.visit(quimper)) == {new.id: "stored"}


def test_a_host_that_brings_partners_records_of_a_third_town_is_left():
    lorient, quimper, vannes = hinting("Lorient", "Quimper", "Vannes")
    lorient.visit(quimper)
    secret = vannes.sign(scope=SCOPE_PARTNERS)
    visit = lorient.start(quimper)
    assert visit.next_request(NOW_MS) is not None
    answer = SummaryAnswer(NOW_MS // 86_400_000, 0, NOW_MS, news=secret.raw)
    with pytest.raises(Exception, match="not_shown"):
        visit.receive(answer.encode(), NOW_MS)
    assert not lorient.store.known([secret.id])


def test_news_nobody_asked_for_are_dropped():
    lorient, quimper = towns("Lorient", "Quimper")
    record = quimper.sign()
    visit = lorient.start(quimper)
    assert visit.next_request(NOW_MS) is not None
    answer = SummaryAnswer(NOW_MS // 86_400_000, 0, NOW_MS, news=record.raw)
    events = visit.receive(answer.encode(), NOW_MS)
    assert done(events).tally.unasked == 1
    assert not lorient.store.known([record.id])


def test_bad_news_are_named_and_the_good_are_kept():
    lorient, quimper = hinting("Lorient", "Quimper")
    lorient.visit(quimper)
    (false,) = forged(quimper, 1)
    (good,) = quimper.publish()
    codes = received(lorient.visit(quimper))
    assert codes == {false.id: "refused:bad_signature", good.id: "stored"}


def test_twenty_forged_news_end_the_visit():
    lorient, quimper = hinting("Lorient", "Quimper")
    lorient.visit(quimper)
    forged(quimper, 25)
    assert done(lorient.visit(quimper)).code == "too_many_bad_signatures"


# ── tokens ───────────────────────────────────────────────────────────────────────────────────────


@given(st.integers(0, 2**63), st.integers(0, 2**40), st.integers(0, 2**53))
def test_a_token_is_read_by_its_issuer_alone(arrival, gen, now_ms):
    token = subject.issue(SECRET, b"p" * 32, gen, arrival, now_ms)
    assert len(token) == limits.TOKEN_BYTES
    assert subject.read(SECRET, b"p" * 32, gen, token) == arrival
    assert subject.read(b"t" * 32, b"p" * 32, gen, token) is None
    assert subject.read(SECRET, b"q" * 32, gen, token) is None
    assert subject.read(SECRET, b"p" * 32, gen + 1, token) is None


@given(st.binary(max_size=64))
def test_a_forged_token_means_nothing(token):
    assert subject.read(SECRET, b"p" * 32, 0, token) is None
    assert subject.read(b"", b"p" * 32, 0, token) is None


def test_a_token_does_not_tell_how_much_arrived():
    one = subject.issue(SECRET, b"p" * 32, 0, 7, NOW_MS)
    other = subject.issue(SECRET, b"p" * 32, 0, 7, NOW_MS + 1)
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 8


@pytest.mark.parametrize("spoil", ["nothing", "forged", "old", "another town's", "restored"])
def test_no_token_loses_anything(spoil):
    lorient, quimper, vannes = hinting("Lorient", "Quimper", "Vannes")
    quimper.publish(20)
    lorient.visit(quimper)
    assert lorient.hints is not None
    first = lorient.hints[quimper.id]
    quimper.publish(20)
    lorient.visit(quimper)
    vannes.visit(quimper)
    assert vannes.hints is not None
    quimper.publish(5)
    lorient.publish(5)
    if spoil == "nothing":
        lorient.hints.clear()
    elif spoil == "forged":
        lorient.hints[quimper.id] = Hint(bytes(32), 10**9)
    elif spoil == "old":
        lorient.hints[quimper.id] = first
    elif spoil == "another town's":
        lorient.hints[quimper.id] = vannes.hints[quimper.id]
    else:
        quimper.gen = 5
    assert done(lorient.visit(quimper)).code == ""
    assert same_public_sets(lorient, quimper)


def test_a_visit_that_was_cut_gives_no_hint():
    lorient, quimper = hinting("Lorient", "Quimper")
    forged(quimper, 30)
    events = lorient.visit(quimper)
    assert done(events).code == "too_many_bad_signatures"
    assert not [event for event in events if isinstance(event, Hinted)]


def test_a_host_without_a_secret_gives_no_token():
    lorient, quimper = towns("Lorient", "Quimper")
    assert not [event for event in lorient.visit(quimper) if isinstance(event, Hinted)]


@given(st.binary(max_size=300))
@settings(max_examples=60)
def test_any_bytes_as_news_are_judged_or_dropped(noise):
    lorient, quimper = hinting("Lorient", "Quimper")
    question = SummaryQuestion(NOW_MS // 86_400_000, 0, NOW_MS, (), news=noise)
    answer = quimper.host.answer(limits.SUMMARY, question.encode(), lorient.id, NOW_MS)
    assert answer.status == 200


# ── whatever happened ────────────────────────────────────────────────────────────────────────────

operations = st.lists(
    st.tuples(
        st.sampled_from(
            ["publish", "revise", "bury", "sign", "visit", "visit", "restore", "check"]
        ),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=30,
)


@given(operations)
@settings(max_examples=40, deadline=None)
def test_with_checkpoints_and_hints_a_round_of_visits_makes_all_equal(story):
    three = hinting("Lorient", "Quimper", "Vannes")
    own: dict[Town, list] = {town: [] for town in three}
    at_ms = NOW_MS - 1_000_000
    for verb, first, second in story:
        town, other = three[first], three[second]
        at_ms += 1_000
        if verb == "publish":
            own[town] += town.publish(2, at_ms=at_ms)
        elif verb == "sign":
            town.checkpoint(at_ms=at_ms)
        elif verb == "restore":
            town.gen += 1
        elif verb == "check":
            town.store.verified([*town.store._unverified])
        elif verb == "visit":
            if town is not other:
                assert done(town.call(other)).code == ""
        elif own[town]:
            index = second % len(own[town])
            record = own[town][index]
            if verb == "bury":
                own[town][index] = town.bury(record)
            elif not record.is_tombstone:
                (own[town][index],) = town.publish(key=record.key, at_ms=at_ms)
    lorient, quimper, vannes = three
    for visitor, host in ((lorient, quimper), (vannes, quimper), (lorient, quimper)):
        visitor.call(host)
    assert same_public_sets(*three)
    last = done(vannes.call(lorient))
    assert (last.code, last.tally.exchanges) == ("", 1)


def test_the_visitors_news_arrive_with_its_question_and_before_its_answer():
    lorient, quimper = hinting("Lorient", "Quimper")
    lorient.visit(quimper)
    (record,) = lorient.publish()
    paths = []

    def post(request: Request) -> bytes:
        paths.append(request.path)
        return quimper.host.answer(request.path, request.body, lorient.id, NOW_MS).body

    list(drive(lorient.start(quimper), post, lambda: NOW_MS))
    assert paths == [limits.SUMMARY]
    assert quimper.store.known([record.id])
