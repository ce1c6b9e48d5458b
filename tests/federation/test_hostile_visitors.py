"""Hostile visitors: whatever they ask, a host answers within its bounds and shows only theirs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import codec, limits
from federation.errors import CODES, RemoteProtocolError
from federation.messages import (
    KeysetsQuestion,
    ReconcileQuestion,
    SetMessage,
    SummaryAnswer,
    SummaryQuestion,
    encode_ids,
)
from federation.ranges import Negentropy
from federation.record import SCOPE_PARTNERS
from federation.session import Received
from federation.stamp import DAY_MS, stamp_at
from tests.federation.towns import HOSTED, NOW_MS, TODAY, Town, forged, junk, towns


def test_twenty_bad_signatures_pushed_end_the_visitors_session_and_good_ones_stay():
    lorient, quimper = towns("Lorient", "Quimper")
    bad = forged(lorient, limits.BAD_SIGNATURES_MAX)
    good = lorient.publish(3)
    body = b"".join(record.raw for record in [*bad, *good])
    answer = quimper.host.answer(limits.PUSH, body, lorient.id, NOW_MS)
    assert answer.status == 429
    assert quimper.rows(lorient)[0].count == 3
    assert isinstance(answer.events[0], Received) and len(answer.events[0].outcomes) == 23


@given(st.sampled_from((*HOSTED, limits.HELLO, f"{limits.BLOB}00", "/")), junk)
@settings(max_examples=150)
def test_a_host_meets_any_question_with_an_answer_or_a_code(path, body):
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(2)
    try:
        answer = quimper.host.answer(path, body, lorient.id, NOW_MS)
    except RemoteProtocolError as error:
        assert error.code in CODES and 400 <= error.status_hint < 500
    else:
        assert len(answer.body) <= limits.FRAME_MAX_BYTES


def refusal(host: Town, path: str, body: bytes, peer: Town) -> tuple[str, int]:
    with pytest.raises(RemoteProtocolError) as caught:
        host.host.answer(path, body, peer.id, NOW_MS)
    return caught.value.code, caught.value.status_hint


def test_a_question_larger_than_a_frame_or_longer_than_its_list_is_refused():
    lorient, quimper = towns("Lorient", "Quimper")
    huge = bytes(limits.FRAME_MAX_BYTES + 1)
    assert refusal(quimper, limits.PUSH, huge, lorient) == ("too_large", 413)
    many = encode_ids(bytes(32) for _ in range(limits.FETCH_MAX_IDS + 1))
    assert refusal(quimper, limits.FETCH, many, lorient) == ("bad_message", 400)
    sets = (SetMessage(quimper.id, 0, b""),) * (limits.SETS_PER_REQUEST_MAX + 1)
    wide = ReconcileQuestion(TODAY, sets).encode()
    assert refusal(quimper, limits.RECONCILE, wide, lorient) == ("bad_message", 400)
    twice = ReconcileQuestion(TODAY, sets[:2]).encode()
    assert refusal(quimper, limits.RECONCILE, twice, lorient) == ("bad_message", 400)
    late = ReconcileQuestion(TODAY + 2, ()).encode()
    assert refusal(quimper, limits.RECONCILE, late, lorient) == ("bad_as_of", 400)


def test_what_a_peer_may_not_see_looks_empty_whatever_it_asks():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    (secret,) = lorient.publish(scope=SCOPE_PARTNERS)
    quimper.visit(lorient)
    asked = SummaryQuestion(
        TODAY, 0, NOW_MS, vannes.start(quimper)._course.view.groups([lorient.id])
    )
    answer = quimper.host.answer(limits.SUMMARY, asked.encode(), vannes.id, NOW_MS)
    assert not SummaryAnswer.decode(answer.body).differing
    message = Negentropy([]).initiate()
    question = ReconcileQuestion(TODAY, (SetMessage(lorient.id, SCOPE_PARTNERS, message),))
    answer = quimper.host.answer(limits.RECONCILE, question.encode(), vannes.id, NOW_MS)
    assert secret.id not in answer.body
    answer = quimper.host.answer(limits.FETCH, encode_ids([secret.id]), vannes.id, NOW_MS)
    assert answer.body == b""
    answer = quimper.host.answer(limits.FETCH, encode_ids([secret.id]), lorient.id, NOW_MS)
    assert answer.body == secret.raw


def test_keysets_of_towns_not_accepted_are_neither_taken_nor_given():
    lorient, quimper = towns("Lorient", "Quimper")
    vannes, brest = Town("Vannes"), Town("Brest")
    quimper.store.add_keyset(brest.keyset)
    asked = KeysetsQuestion((vannes.id, brest.id), (vannes.keyset.raw,))
    answer = quimper.host.answer(limits.KEYSETS, asked.encode(), lorient.id, NOW_MS)
    assert codec.loads(answer.body) == {0: []}
    assert not quimper.store.keysets(vannes.id)


def test_a_torn_push_gets_verdicts_for_its_whole_records():
    lorient, quimper = towns("Lorient", "Quimper")
    first, second = lorient.publish(2)
    body = first.raw + second.raw[:30]
    answer = quimper.host.answer(limits.PUSH, body, lorient.id, NOW_MS)
    assert codec.loads(answer.body) == {0: [["stored", first.id]]}


def test_a_future_stamp_does_not_move_the_hosts_sets():
    lorient, quimper = towns("Lorient", "Quimper")
    future = lorient.sign(at_ms=NOW_MS + 2 * DAY_MS)
    answer = quimper.host.answer(limits.PUSH, future.raw, lorient.id, NOW_MS)
    assert codec.loads(answer.body) == {0: [["quarantined", future.id]]}
    assert future.stamp == stamp_at(NOW_MS + 2 * DAY_MS)
    assert not quimper.rows(lorient)
