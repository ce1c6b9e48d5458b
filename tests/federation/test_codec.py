"""The codec: one value, one byte string, and nothing else is read."""

import unicodedata

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from federation import codec
from federation.errors import LocalProtocolError, RemoteProtocolError

texts = st.text(max_size=12).map(lambda text: unicodedata.normalize("NFC", text))
plain = st.one_of(
    st.integers(codec.INTEGER_MIN, codec.INTEGER_MAX),
    texts,
    st.binary(max_size=40),
    st.booleans(),
    st.none(),
)
values = st.recursive(
    plain,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.integers(0, codec.MAX_KEY), inner, max_size=4),
        st.dictionaries(texts, inner, max_size=4),
    ),
    max_leaves=12,
)


@given(values)
def test_what_is_encoded_is_read_back(value):
    assert codec.loads(codec.dumps(value)) == value


@given(values, st.data())
def test_bytes_changed_anywhere_are_refused_or_are_the_one_form_of_another_value(value, data):
    raw = bytearray(codec.dumps(value))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    check_one_form(bytes(raw))


@given(st.binary(max_size=60))
@example(bytes.fromhex("81" * 15 + "00"))
def test_any_bytes_are_refused_or_are_the_one_form_of_a_value(raw):
    check_one_form(raw)


def check_one_form(raw):
    try:
        value = codec.loads(raw)
    except RemoteProtocolError as error:
        assert error.code == "bad_cbor"
    else:
        assert codec.dumps(value) == raw


@pytest.mark.parametrize("tag", [*range(300), 1004, 43000, 55799, 2**32 - 1, 2**64 - 1])
def test_no_tag_is_ever_followed(tag):
    for content in (b"\x00", b"\x41\x00", b"\x61a", b"\x80", b"\x82\x01\x02", b"\xa0"):
        raw = cbor2.dumps(cbor2.CBORTag(tag, 0))[:-1] + content
        with pytest.raises(RemoteProtocolError, match="bad_cbor"):
            codec.loads(raw)


@pytest.mark.parametrize(
    "bad",
    [
        1.0,
        2**64,
        -(2**64) - 1,
        "e\u0301",
        {"e\u0301": 1},
        {24: 0},
        {-1: 0},
        {True: 0},
        {b"a": 0},
        {1: 0, "a": 0},
        {(1,): 0},
        {1, 2},
        bytearray(b"a"),
        "\ud800",
        cbor2.undefined,
        cbor2.CBORTag(1, 0),
    ],
    ids=repr,
)
def test_what_the_profile_has_no_place_for_is_our_own_fault(bad):
    for value in (bad, [bad], {1: bad}):
        with pytest.raises(LocalProtocolError, match="bad_cbor"):
            codec.dumps(value)


def test_a_tuple_is_written_as_a_list():
    assert codec.dumps((1, (2,))) == codec.dumps([1, [2]])


def nested(depth):
    return b"\x81" * (depth - 1) + b"\x80"


def test_sixteen_containers_are_read_and_seventeen_are_not():
    deepest = codec.loads(nested(codec.MAX_DEPTH))
    assert codec.dumps(deepest) == nested(codec.MAX_DEPTH)
    with pytest.raises(RemoteProtocolError, match="bad_cbor"):
        codec.loads(nested(codec.MAX_DEPTH + 1))
    with pytest.raises(LocalProtocolError, match="too deep"):
        codec.dumps([deepest])


@pytest.mark.parametrize(
    "raw", ["9bffffffffffffffff", "bbffffffffffffffff", "5bffffffffffffffff00"]
)
def test_a_length_nobody_sent_costs_nothing(raw):
    with pytest.raises(RemoteProtocolError, match="bad_cbor"):
        codec.loads(bytes.fromhex(raw))
    with pytest.raises(RemoteProtocolError, match="bad_cbor"):
        list(codec.sequence(bytes.fromhex(raw)))


# ── sequences ────────────────────────────────────────────────────────────────────────────────────

signed = st.builds(codec.sign1_join, st.binary(max_size=300), st.binary(min_size=64, max_size=64))
items = st.lists(st.one_of(values.map(codec.dumps), signed), max_size=6)


@given(items)
def test_a_sequence_is_cut_into_the_exact_items(parts):
    assert list(codec.sequence(b"".join(parts))) == parts


@given(items, st.one_of(values.map(codec.dumps), signed), st.data())
def test_a_torn_sequence_gives_the_items_before_the_tear(parts, last, data):
    torn = last[: data.draw(st.integers(0, len(last) - 1))]
    found = []
    try:
        for item in codec.sequence(b"".join(parts) + torn):
            found.append(item)
    except RemoteProtocolError as error:
        assert error.code == "bad_cbor"
        assert torn
    assert found[: len(parts)] == parts


@given(st.binary(max_size=200))
def test_any_bytes_are_a_sequence_or_are_refused(raw):
    try:
        assert b"".join(codec.sequence(raw)) == raw
    except RemoteProtocolError as error:
        assert error.code == "bad_cbor"


# ── COSE_Sign1 ───────────────────────────────────────────────────────────────────────────────────

SIGNATURE = bytes(range(64))
SIZES = (0, 1, 23, 24, 255, 256, 65_535, 65_536, 70_000)


def split_slowly(raw):
    """The oracle: the whole structure through cbor2, then written again and compared."""
    outer = cbor2.loads(raw)
    protected, unprotected, payload, signature = outer.value
    head = (outer.tag, protected, unprotected, type(payload), len(signature))
    if head != (18, b"\xa1\x01\x32", {}, bytes, 64) or cbor2.dumps(outer) != raw:
        raise ValueError("not the one form")
    return payload, signature


@pytest.mark.parametrize("size", SIZES)
def test_the_template_is_cose_sign1(size):
    raw = codec.sign1_join(bytes(size), SIGNATURE)
    assert codec.sign1_split(raw) == split_slowly(raw) == (bytes(size), SIGNATURE)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_signed_is_the_sig_structure_of_rfc_9052(size):
    expected = cbor2.dumps(["Signature1", b"\xa1\x01\x32", b"", bytes(size)])
    assert codec.sign1_message(bytes(size)) == expected


@given(signed, st.data())
def test_the_template_and_the_slow_form_agree_on_changed_bytes(raw, data):
    changed = bytearray(raw)
    for _ in range(data.draw(st.integers(1, 2))):
        changed[data.draw(st.integers(0, min(len(raw) - 1, 14)))] = data.draw(st.integers(0, 255))
    cut = bytes(changed[: data.draw(st.one_of(st.none(), st.integers(0, len(raw))))])
    assert answer(codec.sign1_split, cut) == answer(split_slowly, cut)


def answer(split, raw):
    try:
        return split(raw)
    except (RemoteProtocolError, cbor2.CBORError, ValueError, TypeError, AttributeError):
        return None


def test_a_signature_of_another_length_is_our_own_fault():
    with pytest.raises(LocalProtocolError, match="bad_cose"):
        codec.sign1_join(b"", bytes(63))
