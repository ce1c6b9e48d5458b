"""The messages: what is written is read again, and nothing else is."""

from __future__ import annotations

from unicodedata import is_normalized

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec, limits
from federation.errors import RemoteProtocolError
from federation.messages import (
    Difference,
    Group,
    Hello,
    HelloAnswer,
    Introduction,
    KeysetsQuestion,
    ReconcileQuestion,
    Row,
    Said,
    SetMessage,
    SummaryAnswer,
    SummaryQuestion,
    decode_error,
    decode_ids,
    decode_keysets,
    decode_round,
    decode_verdicts,
    encode_error,
    encode_ids,
    encode_keysets,
    encode_round,
    encode_verdicts,
)
from federation.sets import Bound
from federation.stretch import RangePage, RangeQuestion

towns = st.binary(min_size=32, max_size=32)
keysets = st.binary(max_size=300)
days = st.integers(0, 2**20)
moments = st.integers(0, 2**53)
marks = st.integers(0, 2**63 - 1)
rows = st.builds(Row, st.integers(0, 2), st.integers(0, 2**32), st.binary(min_size=16, max_size=16))
texts = st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), max_size=80).filter(
    lambda text: is_normalized("NFC", text) and text.isprintable()
)


tokens = st.just(b"") | st.binary(min_size=32, max_size=32)
bounds = st.builds(Bound, st.integers(0, 2**32), st.binary(max_size=32))


def several(each, most=4):
    return st.lists(each, max_size=most).map(tuple)


sets = st.lists(rows, max_size=3, unique_by=lambda row: row.scope).map(tuple)

MESSAGES = {
    Hello: st.builds(Hello, st.integers(0, 255), several(keysets)),
    HelloAnswer: st.builds(
        HelloAnswer,
        st.integers(0, 255),
        several(keysets),
        days,
        moments,
        marks,
        several(st.integers(0, 2**32)),
    ),
    SummaryQuestion: st.builds(
        SummaryQuestion,
        days,
        marks,
        moments,
        several(st.builds(Group, towns, st.binary(min_size=8, max_size=8), sets)),
        st.just(b"") | st.binary(min_size=16, max_size=16),
        st.binary(max_size=80),
        tokens,
        st.binary(max_size=99),
        several(keysets),
    ),
    SummaryAnswer: st.builds(
        SummaryAnswer,
        days,
        marks,
        moments,
        several(st.builds(Difference, towns, sets)),
        several(towns),
        st.none() | several(st.builds(Introduction, towns, texts, texts, several(keysets, 2))),
        several(st.builds(Said, towns, several(keysets, 3))),
        tokens,
        st.binary(max_size=99),
        several(st.tuples(st.just("stored"), several(towns).map(b"".join))),
    ),
    KeysetsQuestion: st.builds(KeysetsQuestion, several(towns), several(keysets), several(keysets)),
    RangeQuestion: st.builds(RangeQuestion, days, towns, st.integers(0, 2), bounds, bounds),
    RangePage: st.builds(
        RangePage,
        bounds,
        st.binary(max_size=99),
        several(st.tuples(st.integers(0, 2**32), towns)),
    ),
    ReconcileQuestion: st.builds(
        ReconcileQuestion,
        days,
        several(st.builds(SetMessage, towns, st.integers(0, 2), st.binary(max_size=99))),
    ),
}


@pytest.mark.parametrize("kind", MESSAGES, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_message_is_read_as_it_was_written(kind, data):
    message = data.draw(MESSAGES[kind])
    assert kind.decode(message.encode()) == message


@given(several(keysets), several(towns, 20))
def test_a_list_is_read_as_it_was_written(raws, ids):
    assert decode_keysets(encode_keysets(raws)) == raws
    assert decode_round(encode_round(raws), len(raws)) == raws
    assert decode_ids(encode_ids(ids)) == ids


@given(st.dictionaries(towns, st.sampled_from(["stored", "known", "refused:bad_signature"])))
def test_verdicts_are_read_as_they_were_written(verdicts):
    assert decode_verdicts(encode_verdicts(list(verdicts.items()))) == verdicts


def test_the_smallest_messages_are_these_bytes():
    assert SummaryAnswer(1, 0, 2).encode().hex() == "a3000101000202"
    assert SummaryQuestion(1, 0, 2, ()).encode().hex() == "a40001010002020380"
    assert encode_ids([]).hex() == "a10040"


QUESTION = {0: 20_000, 1: 0, 2: 1, 3: [[bytes(32), bytes(8), [[0, 1, bytes(16)]]]]}
BROKEN = {
    "not a map": [1, 2],
    "text keys": {"as_of": 1},
    "no day": {key: value for key, value in QUESTION.items() if key},
    "a negative day": {**QUESTION, 0: -1},
    "a day of text": {**QUESTION, 0: "today"},
    "a day that is true": {**QUESTION, 0: True},
    "a day in the far future": {**QUESTION, 0: 2**30},
    "a short town": {**QUESTION, 3: [[bytes(31), bytes(8), []]]},
    "a long digest": {**QUESTION, 3: [[bytes(32), bytes(9), []]]},
    "a scope of no version": {**QUESTION, 3: [[bytes(32), bytes(8), [[256, 1, bytes(16)]]]]},
    "one scope twice": {**QUESTION, 3: [[bytes(32), bytes(8), [[0, 1, bytes(16)]] * 2]]},
    "half a row": {**QUESTION, 3: [[bytes(32), bytes(8), [[0, 1]]]]},
    "a town without rows": {**QUESTION, 3: [[bytes(32), bytes(8)]]},
    "too many towns": {**QUESTION, 3: QUESTION[3] * (limits.ORIGINS_MAX + 1)},
    "a short digest of introductions": {**QUESTION, 4: bytes(15)},
}


@pytest.mark.parametrize("value", BROKEN.values(), ids=BROKEN.keys())
def test_a_summary_of_another_form_is_refused(value):
    assert SummaryQuestion.decode(codec.dumps(QUESTION))
    with pytest.raises(RemoteProtocolError) as caught:
        SummaryQuestion.decode(codec.dumps(value))
    assert caught.value.code == "bad_message"


def test_a_field_of_a_later_version_is_passed_over():
    assert SummaryQuestion.decode(codec.dumps({**QUESTION, 20: "later"})) == SummaryQuestion.decode(
        codec.dumps(QUESTION)
    )


def test_bytes_that_are_not_the_one_form_are_refused():
    with pytest.raises(RemoteProtocolError) as caught:
        SummaryQuestion.decode(codec.dumps(QUESTION) + b"\x00")
    assert caught.value.code == "bad_cbor"


@pytest.mark.parametrize("size", [1, 31, 33])
def test_ids_are_whole(size):
    with pytest.raises(RemoteProtocolError):
        decode_ids(codec.dumps({0: bytes(size)}))


def test_a_round_answers_each_set_once():
    for count in (1, 3):
        with pytest.raises(RemoteProtocolError):
            decode_round(encode_round([b"", b""]), count)


@pytest.mark.parametrize("name", ["Ville\nde Lorient", "\x1b[31mrouge", "\u202eenroL", "x" * 81])
def test_a_name_cannot_play_tricks_on_the_page_that_shows_it(name):
    told = [[bytes(32), name, "http://lorient.test", []]]
    with pytest.raises(RemoteProtocolError):
        SummaryAnswer.decode(codec.dumps({0: 1, 1: 0, 2: 0, 5: told}))


def test_an_error_is_its_code_and_a_printable_detail():
    assert decode_error(encode_error("bad_range", "at byte\n7 é")) == ("bad_range", "at byte7 ")
    assert decode_error(encode_error("not_a_code")) == ("garbage", "not_a_code")
    assert decode_error(b"<html>") == ("garbage", "")
