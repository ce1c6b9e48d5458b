"""The two registers: what is written is read back the same, anything else is refused whole."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec
from federation.errors import RemoteProtocolError
from node.engagements.between.inner import read_reply, read_request
from node.engagements.between.registers import (
    ACTS_MAX,
    ASKER_SIDE,
    Deed,
    Proposed,
    Reply,
    Request,
    Said,
    Verdict,
    register_key,
    reply_inner,
    request_inner,
)
from node.engagements.verdicts import CODES

instants = st.integers(0, 2**41)
words = st.text("abcdefghijklmnop_", min_size=1, max_size=20)
lines = st.text("abcdefé ’", max_size=30).map(str.strip)
deeds = st.builds(
    Deed,
    id=st.binary(min_size=8, max_size=8),
    action=words,
    at_ms=instants,
    by=st.sampled_from(ASKER_SIDE),
    on=st.none() | st.integers(0, 99),
    wish=st.dictionaries(words, lines, max_size=4),
    seen=st.binary(max_size=8),
)
said = st.lists(
    st.builds(
        Said,
        st.binary(min_size=8, max_size=8),
        instants,
        st.text("abcé ’", min_size=1, max_size=40).map(str.strip),
    ).filter(lambda each: each.text),
    max_size=4,
    unique_by=lambda each: each.id,
).map(tuple)
requests = st.builds(
    Request,
    engagement=st.binary(min_size=16, max_size=16),
    listing_key=st.binary(min_size=16, max_size=16),
    saw=st.binary(min_size=32, max_size=32),
    who=st.binary(min_size=16, max_size=16),
    deeds=st.lists(deeds, min_size=1, max_size=4, unique_by=lambda deed: deed.id).map(tuple),
    gen=st.integers(0, 2**33),
    ack=st.integers(0, 99),
    answer_by_ms=st.none() | instants,
    contact=lines,
    name=lines,
    messages=said,
)
terms = st.dictionaries(
    words, st.integers(0, 99_999) | lines | st.lists(st.integers(0, 9)), min_size=1, max_size=4
)
by_keeper = st.builds(
    Proposed,
    version=st.integers(1, 9),
    by=st.just("keeper"),
    terms=terms,
    until_ms=instants,
    on_lapse=st.sampled_from(("", "lapsed")),
)
by_asker = st.builds(
    Proposed,
    version=st.integers(1, 9),
    by=st.just("asker"),
    terms=terms,
    until_ms=instants,
    act=st.binary(min_size=8, max_size=8),
)
replies = st.builds(
    Reply,
    engagement=st.binary(min_size=16, max_size=16),
    version=st.integers(9, 99),
    state=words,
    since_ms=instants,
    gen=st.integers(0, 2**33),
    turn=st.sampled_from(("", "asker", "keeper")),
    deadline_ms=st.none() | instants,
    lapses_to=st.sampled_from(("", "lapsed")),
    terms=st.dictionaries(
        words, st.integers(0, 99_999) | lines | st.lists(st.integers(0, 9)), max_size=4
    ),
    verdicts=st.lists(
        st.builds(
            Verdict, st.binary(min_size=8, max_size=8), words, st.sampled_from(sorted(CODES))
        ),
        max_size=4,
    ).map(tuple),
    reason=st.sampled_from(("", "stale")),
    reason_text=lines,
    contact=lines,
    ends_ms=st.none() | instants,
    messages=said,
)


def sent(inner: dict[int, Any]) -> Any:
    """Send an inner message over the wire."""
    return codec.loads(codec.dumps(inner))


@given(requests)
def test_a_request_is_read_as_it_was_written(request: Request) -> None:
    assert read_request(sent(request_inner(request))) == request


@given(replies)
def test_a_reply_is_read_as_it_was_written(reply: Reply) -> None:
    assert read_reply(sent(reply_inner(reply))) == reply


@given(requests)
def test_the_keys_of_a_request_are_those_of_the_rules(request: Request) -> None:
    assert set(request_inner(request)) <= {1, 4, 5, *range(6, 16)}


@given(replies)
def test_the_keys_of_a_reply_are_those_of_the_rules(reply: Reply) -> None:
    assert set(reply_inner(reply)) <= {1, 4, 5, *range(6, 19), 21}


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.text(max_size=9)
    | st.binary(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.integers(0, 23), inner, max_size=4)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(requests, st.integers(6, 18), anything)
def test_a_request_with_anything_in_a_field_is_read_or_refused(
    request: Request, number: int, value: object
) -> None:
    inner = {**request_inner(request), number: value}
    try:
        read = read_request(inner)
    except RemoteProtocolError as error:
        assert error.code == "bad_inner"
    else:
        assert codec.dumps(request_inner(read))


@given(replies, st.integers(6, 18), anything)
def test_a_reply_with_anything_in_a_field_is_read_or_refused(
    reply: Reply, number: int, value: object
) -> None:
    inner = {**reply_inner(reply), number: value}
    try:
        read = read_reply(inner)
    except RemoteProtocolError as error:
        assert error.code == "bad_inner"
    else:
        assert json.dumps(read.terms) and codec.dumps(reply_inner(read))


REQUEST = Request(
    engagement=b"e" * 16,
    listing_key=b"l" * 16,
    saw=b"s" * 32,
    who=b"w" * 16,
    deeds=(Deed(b"12345678", "ask", 1, "self"),),
)
ACT = {0: b"12345678", 1: "ask", 2: 1, 3: "self"}
PROPOSAL = {0: 1, 1: "keeper", 2: {"units": 1}, 3: 5}


def acts(*changes: dict[int, Any]) -> dict[int, Any]:
    """Return the change of a request that replaces its acts."""
    return {9: [{**ACT, **change} for change in changes]}


@pytest.mark.parametrize(
    "change",
    [
        {6: b"short"},
        {7: None},
        {8: b"w" * 17},
        {9: []},
        acts(*({0: bytes([at]) * 8} for at in range(ACTS_MAX + 1))),
        acts({}, {}),
        acts({1: ""}),
        acts({1: "x" * 33}),
        acts({2: -1}),
        acts({2: 2**62}),
        acts({3: "keeper"}),
        acts({3: "home"}),
        acts({3: ""}),
        acts({4: -1}),
        acts({4: "1"}),
        acts({5: [1]}),
        acts({5: {0: {"units": 1}}}),
        acts({5: {0: {"text": "x" * 5_000}}}),
        acts({5: {0: {str(at): "x" for at in range(25)}}}),
        acts({5: {1: b"x" * 33}}),
        {10: -1},
        {10: True},
        {11: "tomorrow"},
        {13: "x" * 1_001},
        {14: "x" * 201},
        {14: b"name"},
    ],
    ids=str,
)
def test_a_request_that_breaks_a_rule_is_refused_whole(change: dict[int, Any]) -> None:
    inner = request_inner(REQUEST)
    assert read_request(inner) == REQUEST
    with pytest.raises(RemoteProtocolError) as refused:
        read_request({**inner, **change})
    assert refused.value.code == "bad_inner"


@pytest.mark.parametrize(
    "change",
    [
        {6: -1},
        {7: 3},
        {8: 2**60},
        {12: {"when": b"bytes"}},
        {12: {1: "number"}},
        {12: {"long": "x" * 9_000}},
        {13: None},
        {13: {}},
        {13: [1]},
        {13: {**PROPOSAL, 0: 0}},
        {13: {**PROPOSAL, 0: 2}},
        {13: {**PROPOSAL, 1: "home"}},
        {13: {**PROPOSAL, 1: "asker"}},
        {13: {**PROPOSAL, 2: {}}},
        {13: {**PROPOSAL, 2: {"when": b"bytes"}}},
        {13: {**PROPOSAL, 2: {"long": "x" * 9_000}}},
        {13: {**PROPOSAL, 3: -1}},
        {13: {**PROPOSAL, 3: "soon"}},
        {13: {**PROPOSAL, 4: "x" * 65}},
        {13: {**PROPOSAL, 5: b"12345678"}},
        {14: [{0: b"12345678", 1: "ask", 2: "perhaps"}]},
        {14: [{0: b"1", 1: "ask", 2: "ok"}]},
        {14: [{0: b"12345678", 1: "ask", 2: "ok"}] * 33},
        {14: {0: 1}},
        {16: "gone"},
        {16: {1: "x" * 1_001}},
        {18: -5},
    ],
    ids=str,
)
def test_a_reply_that_breaks_a_rule_is_refused_whole(change: dict[int, Any]) -> None:
    inner = reply_inner(Reply(b"e" * 16, 1, "requested", 1))
    with pytest.raises(RemoteProtocolError) as refused:
        read_reply({**inner, **change})
    assert refused.value.code == "bad_inner"


@given(st.binary(min_size=16, max_size=16))
def test_a_relay_cannot_read_an_engagement_from_its_registers(engagement: bytes) -> None:
    request, reply = (register_key(kind, engagement) for kind in ("request/1", "reply/1"))
    assert len({engagement, request, reply}) == 3 and len(request) == len(reply) == 16


def test_foreign_names_are_tidied_before_anybody_reads_them() -> None:
    inner = {**request_inner(REQUEST), 14: " Anne\u202e \x07"}
    assert read_request(inner).name == "Anne"


HOSTILE = (
    {0: "not a list"},
    [{0: b"12345678", 1: 1, 2: "x"}] * 2,
    [{0: bytes([each] * 8), 1: 1, 2: "x"} for each in range(21)],
    [{0: bytes([each] * 8), 1: 1, 2: "é" * 500} for each in range(5)],
    [{0: b"1234567", 1: 1, 2: "x"}],
    [{0: b"12345678", 1: -1, 2: "x"}],
    [{0: b"12345678", 1: 2**60, 2: "x"}],
    [{0: b"12345678", 1: True, 2: "x"}],
    [{0: b"12345678", 1: 1, 2: b"x"}],
    [{0: b"12345678", 1: 1, 2: "x" * 501}],
    [{0: b"12345678", 1: 1, 2: "\u202e\x00"}],
    [{0: b"12345678", 1: 1}],
    ["x"],
    [None],
)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_messages_that_break_a_rule_are_refused_with_their_register(number: int) -> None:
    request = Request(
        b"e" * 16, b"k" * 16, b"s" * 32, b"w" * 16, (Deed(b"a" * 8, "ask", 1, "self"),)
    )
    for inner, key, read in (
        (request_inner(request), 15, read_request),
        (reply_inner(Reply(b"e" * 16, 1, "requested", 1)), 21, read_reply),
    ):
        assert read(inner).messages == ()
        with pytest.raises(RemoteProtocolError) as refused:
            read({**inner, key: HOSTILE[number]})
        assert refused.value.code == "bad_inner"


def test_controls_and_marks_of_direction_do_not_come_in_with_a_message() -> None:
    message = {0: b"12345678", 1: 1, 2: "a\u202egnp\x1b[0m\r\nb"}
    inner = {**reply_inner(Reply(b"e" * 16, 1, "requested", 1)), 21: [message]}
    assert read_reply(inner).messages == (Said(b"12345678", 1, "agnp[0m\nb"),)
