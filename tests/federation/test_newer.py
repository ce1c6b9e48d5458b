"""Newer versions: a later one may tell an older one everything; none of it breaks a visit.

What a later version may change: new keys of messages, new places at the end of rows, new scopes,
new kinds and fields of records, new type constants, new endpoints, new codes.
"""

from __future__ import annotations

import pytest

from federation import codec, limits
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey
from federation.messages import (
    Hello,
    HelloAnswer,
    ReconcileQuestion,
    SetMessage,
    SummaryAnswer,
    SummaryQuestion,
    decode_error,
    decode_round,
    decode_verdicts,
    encode_error,
)
from federation.ranges import Negentropy
from federation.record import LIVE, SCOPE_PUBLIC, Draft, Record, live_until, parse, sign
from federation.session import Request
from federation.stamp import stamp_at
from tests.federation.towns import NOW_MS, TODAY, Town, done, seed, towns

LATER_ROW = [3, 7, bytes(16), "more"]


def grown(raw: bytes, **more: object) -> bytes:
    """The same message with fields of a later version."""
    return codec.dumps({**codec.loads(raw), 20: "new", 21: [1, {2: b"x"}], **more})


def record_of(
    town: Town, kind: str = "lending.item/1", crit: tuple[int, ...] = (), **extra: object
) -> Record:
    stamp = stamp_at(NOW_MS - 1_000)
    fields = {int(name[1:]): value for name, value in extra.items()}
    draft = Draft(
        origin=town.id, keyset=town.keyset.number, key=seed(kind, crit, fields)[:16], stamp=stamp,
        expires=live_until(stamp), scope=SCOPE_PUBLIC, kind=kind, state=LIVE, body=b"\xa0",
        crit=crit, extra=fields,
    )  # fmt: skip
    return sign(draft, town.key)


def resigned(record: Record, key: SigningKey, **change: object) -> bytes:
    """A structure that is no record of this version, rightly signed."""
    payload, _ = codec.sign1_split(record.raw)
    fields = codec.loads(payload)
    fields |= {int(name[1:]): value for name, value in change.items()}
    changed = codec.dumps(fields)
    return codec.sign1_join(changed, key.sign(codec.sign1_message(changed)))


def test_a_hello_of_a_later_version_is_answered_in_ours():
    lorient, quimper = towns("Lorient", "Quimper")
    said = Hello(2, (lorient.keyset.raw,))
    assert Hello.decode(grown(said.encode())) == said
    answer = HelloAnswer(2, (quimper.keyset.raw,), TODAY, NOW_MS, 0, (1, 2, 3, 4, 5))
    assert HelloAnswer.decode(grown(answer.encode())) == answer
    assert lorient.channel(quimper, lorient.link_to(quimper)).hello().version == limits.VERSION


def test_rows_of_a_later_scope_and_longer_rows_are_passed_over():
    town = bytes(range(32))
    known = [0, 1, bytes(16)]
    group = [town, bytes(8), [known, LATER_ROW], "more"]
    question = SummaryQuestion.decode(codec.dumps({0: TODAY, 1: 0, 2: NOW_MS, 3: [group]}))
    assert [(each.town, [row.scope for row in each.rows]) for each in question.groups] == [
        (town, [0])
    ]
    differing = [[town, [[1, 5, bytes(16), 9], LATER_ROW], None]]
    answer = SummaryAnswer.decode(codec.dumps({0: TODAY, 1: 0, 2: NOW_MS, 3: differing}))
    assert [row.scope for row in answer.differing[0].rows] == [1]


def test_a_set_of_a_later_scope_looks_empty():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(3)
    ours = Negentropy([])
    asked = ReconcileQuestion(TODAY, (SetMessage(quimper.id, 3, ours.initiate()),))
    answer = quimper.host.answer(limits.RECONCILE, asked.encode(), lorient.id, NOW_MS)
    (message,) = decode_round(answer.body, 1)
    assert all(record.id not in message for record in quimper.publish(0))
    assert len(message) < 64


def test_a_visit_between_versions_is_whole():
    """Every message both ways carries what only a later version knows."""
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(3)
    lorient.publish(3)
    visit = lorient.start(quimper)
    events = []
    while (request := visit.next_request(NOW_MS)) is not None:
        is_map = request.path not in (limits.PUSH,)
        body = grown(request.body) if is_map else request.body
        answer = quimper.host.answer(request.path, body, lorient.id, NOW_MS).body
        events += visit.receive(grown(answer) if request.path != limits.FETCH else answer, NOW_MS)
    assert done(events).code == ""
    assert len(lorient.rows(quimper)) == len(quimper.rows(lorient)) == 2


LATER_RECORDS = {
    "kind": lambda town: record_of(town, "future.thing/1"),
    "version of a kind": lambda town: record_of(town, "lending.item/9"),
    "field": lambda town: record_of(town, f13="later"),
    "fields": lambda town: record_of(town, f13=[1, {2: b"x"}], f23=True),
    "critical field": lambda town: record_of(town, crit=(14,), f14="later"),
}


@pytest.mark.parametrize("what", LATER_RECORDS)
def test_abuse_011_what_a_later_version_signs_goes_through_an_older_node_byte_for_byte(what):
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    record = LATER_RECORDS[what](lorient)
    lorient.store.put([record])
    quimper.visit(lorient)
    vannes.visit(quimper)
    assert vannes.store.raws([record.id], lorient.id) == {record.id: record.raw}
    assert record.is_understood == (what != "critical field")


STRANGE = {
    "bad_type": {"f0": "lavoir-record/2"},
    "bad_scope": {"f6": 3},
    "bad_state": {"f8": 2},
    "bad_field": {"f1": [b"a list"]},
}


@pytest.mark.parametrize("code", STRANGE)
def test_a_structure_of_a_later_version_is_refused_and_the_visit_goes_on(code):
    lorient, quimper = towns("Lorient", "Quimper")
    good = lorient.publish(3)
    raw = resigned(good[0], lorient.key, **STRANGE[code])
    with pytest.raises(RemoteProtocolError) as caught:
        parse(raw)
    assert caught.value.code == code
    body = raw + b"".join(each.raw for each in good)
    answer = quimper.host.answer(limits.PUSH, body, lorient.id, NOW_MS)
    verdicts = decode_verdicts(answer.body)
    assert sorted(verdicts.values()) == [f"refused:{code}", "stored", "stored", "stored"]
    again = quimper.host.answer(limits.PUSH, body, lorient.id, NOW_MS)
    assert again.status == 200


@pytest.mark.parametrize("path", ["digest", "v2/summary", "summary/2"])
def test_an_endpoint_of_a_later_version_is_not_found_and_the_visit_may_go_on(path):
    lorient, quimper = towns("Lorient", "Quimper")
    channel = lorient.channel(quimper, lorient.link_to(quimper))
    with pytest.raises(RemoteProtocolError) as caught:
        channel.post(Request(limits.PREFIX + path, b"\xa0"))
    assert (caught.value.code, caught.value.status_hint) == ("not_found", 404)
    channel.post(Request(limits.SUMMARY, SummaryQuestion(TODAY, 0, NOW_MS, ()).encode()))
    assert channel.hellos == 1


def test_a_code_of_a_later_version_is_named_in_the_detail():
    later = encode_error("bad_zeppelin", "above the town")
    assert decode_error(later) == ("garbage", "bad_zeppelin")
