"""The words of an agreement: what both say is in force, and hostile bytes are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec
from federation.errors import RemoteProtocolError
from node.domain.agreement import (
    ALL,
    GRACE_DAYS,
    NONE,
    WHO,
    Text,
    Way,
    in_force,
    mirrored,
    says_the_same,
    who_may_ask,
)
from node.domain.schema import tidy
from node.partners.agreement import wire
from tests.node.agreeing import a_statement, text

TODAY = 20_780

ways = st.builds(Way, st.sampled_from(WHO), st.sampled_from(WHO))
texts = st.builds(
    Text,
    st.dictionaries(st.sampled_from(("lending", "spaces", "rides")), ways),
    st.just("a@b.example"),
    st.none() | st.integers(0, 30_000),
    st.text(max_size=40).map(tidy),
)


# ── the rule ─────────────────────────────────────────────────────────────────────────────────────


@given(texts, texts)
def test_in_force_is_only_what_both_say_and_both_read_the_same(one, other):
    here, there = in_force(one, other), in_force(other, one)
    assert here.review == there.review
    assert here.ways.keys() == there.ways.keys() == one.ways.keys() & other.ways.keys()
    for name, way in here.ways.items():
        assert (way.inward, way.outward) == (there.ways[name].outward, there.ways[name].inward)
        assert WHO.index(way.inward) <= WHO.index(one.ways[name].inward)
        assert WHO.index(way.outward) <= WHO.index(one.ways[name].outward)


@given(texts)
def test_the_same_words_from_the_other_side_say_the_same(said):
    assert says_the_same(said, mirrored(said, "c@d.example"))
    assert mirrored(mirrored(said, "x"), said.contact) == said


def test_without_an_agreement_everybody_may_ask():
    assert who_may_ask(None, "lending", TODAY, inward=True) == ALL


def test_what_is_not_named_is_not_exchanged():
    agreed = in_force(text(), text())
    assert who_may_ask(agreed, "spaces", TODAY, inward=True) == NONE


def test_sixty_days_after_the_review_nothing_new_is_asked():
    agreed = in_force(text(review=TODAY), text(review=TODAY + 400))
    assert who_may_ask(agreed, "lending", TODAY + GRACE_DAYS - 1, inward=True) == ALL
    assert who_may_ask(agreed, "lending", TODAY + GRACE_DAYS, inward=True) == NONE


# ── the bytes ────────────────────────────────────────────────────────────────────────────────────


@given(texts, st.integers(0, 2_000_000_000_000))
def test_a_text_reads_back_as_it_was_written(said, number):
    assert wire.read_text(wire.written(said, number)) == (said, number)


A, B = b"a" * 32, b"b" * 32
KEY = wire.register_key(A, B)


@given(st.integers(0, 11), st.one_of(st.none(), st.integers(), st.binary(max_size=40), st.text(),
       st.lists(st.binary(max_size=9), max_size=3), st.booleans()))  # fmt: skip
def test_a_statement_with_anything_in_a_field_is_read_or_refused(number, value):
    whole = a_statement(force=(wire.written(text(), 1), wire.written(text(), 2)), ended_ms=7)
    message = {**wire.inner(KEY, 0, whole), number: value}
    try:
        wire.read(message, KEY, A, B)
    except RemoteProtocolError as error:
        assert error.code in ("bad_inner", "not_yours")


@pytest.mark.parametrize(
    "fields",
    [
        {6: b""},
        {6: b"\xa0"},
        {6: b"\xff" * 20},
        {6: wire.written(text(), 5) + b"\x00"},
        {6: b"x" * (wire.TEXT_MAX_BYTES + 1)},
        {7: b"short"},
        {8: [b"x"]},
        {8: [wire.written(text(), 5), 9]},
        {9: -1},
        {9: 2**60},
        {9: True},
        {10: "soon"},
    ],
)
def test_a_statement_that_breaks_a_rule_is_refused_whole(fields):
    with pytest.raises(RemoteProtocolError):
        wire.read({**wire.inner(KEY, 0, a_statement()), **fields}, KEY, A, B)


@pytest.mark.parametrize("way", [[["lending", 3, 0]], [["lending", -1, 0]], [["lending", 1]],
                                 [["LENDING", 1, 1]], [["x", 1, 1], ["x", 1, 1]], [["", 0, 0]],
                                 [["a" * 40, 0, 0]], {"lending": 1}])  # fmt: skip
def test_ways_of_another_form_are_refused(way):
    raw = codec.dumps({0: 5, 1: way})
    with pytest.raises(RemoteProtocolError):
        wire.read_text(raw)


def test_the_register_of_two_other_towns_is_not_yours():
    message = wire.inner(KEY, 0, a_statement())
    for author, to in ((B, A), (A, A), (b"c" * 32, B)):
        with pytest.raises(RemoteProtocolError, match=r"not_yours|register"):
            wire.read(message, KEY, author, to)


def test_the_number_of_what_is_in_force_is_the_same_from_both_sides():
    one, other = wire.written(text(), 1), wire.written(text(note="x"), 2)
    assert wire.pair_of(A, one, B, other) == wire.pair_of(B, other, A, one)
    assert wire.pair_of(A, one, B, other) != wire.pair_of(A, other, B, one)
