"""Courier files: whatever happens to the bytes, what is whole is read and nothing else is."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import bundle, codec, frames
from federation.bundle import HEADER, KEYSET, LOCKED, PHOTO, RECORD, parse_header
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.limits import PHOTO_MAX_BYTES
from federation.seal import HpkeKey
from tests.federation.freight import (
    CAST,
    KEYSETS,
    LORIENT,
    PHOTOS,
    QUIMPER,
    buried,
    of_kind,
    packed,
    private,
    public,
    unpacked,
)

WHOLE = packed()
RECORDS = [*buried(2), *private(), *public(4)]
TRUE = {
    HEADER: set(of_kind(unpacked(WHOLE)[0], HEADER)),
    RECORD: set(RECORDS),
    PHOTO: set(PHOTOS),
    KEYSET: {each.raw for each in KEYSETS},
}


def edges():
    """Where each item of WHOLE ends."""
    return [len(WHOLE) - len(rest) for rest in _rests(WHOLE)]


def _rests(raw):
    whole = b"".join(codec.sequence(raw))
    assert whole == raw, "a courier file is a CBOR sequence"
    at = 0
    for item in codec.sequence(raw):
        at += len(item)
        yield raw[at:]


def test_a_file_reads_back_in_its_order_tombstones_first():
    items, damaged = unpacked(WHOLE)
    assert [each.kind for each in items] == [
        HEADER, KEYSET, KEYSET, *[RECORD] * 8, PHOTO, PHOTO, HEADER
    ]  # fmt: skip
    assert of_kind(items, RECORD) == RECORDS
    assert [each.raw for each in items if each.is_private] == private()
    assert of_kind(items, PHOTO) == PHOTOS
    assert damaged == 0


@pytest.mark.parametrize("block", [1, 7, 1000, 1 << 20])
def test_a_file_is_the_same_in_whatever_blocks_it_comes(block):
    assert unpacked(WHOLE, block=block) == unpacked(WHOLE)


def test_the_header_says_and_proves_who_made_the_file_when_and_for_whom():
    header = parse_header(of_kind(unpacked(WHOLE)[0], HEADER)[0])
    assert (header.town, header.to) == (LORIENT, QUIMPER)
    assert header.names == ("Lorient", "Quimper") and header.counts == (6, 2, 2)
    assert parse_header(of_kind(unpacked(packed(None))[0], HEADER)[0]).to is None


def test_a_finder_sees_who_made_it_and_what_is_public_and_nothing_else():
    for privates in ([], [HpkeKey.generate().private]):
        items, damaged = unpacked(WHOLE, town=CAST.v1.town, privates=privates)
        assert of_kind(items, RECORD) == [*buried(2), *public(4)]
        assert of_kind(items, LOCKED) == [b"not_readable"]
        assert damaged == 0
    for secret in private():
        assert secret[60:] not in WHOLE and CAST.draft("sealed").key not in WHOLE


def test_a_file_for_anyone_holds_nothing_private():
    items, _ = unpacked(packed(None))
    assert of_kind(items, RECORD) == [*buried(2), *public(4)]
    assert of_kind(items, LOCKED) == []


def test_sizes_of_private_items_are_rounded_up():
    cut = lambda hidden: len(packed(hidden=hidden)) - len(packed(hidden=[]))  # noqa: E731
    ends = [CAST.signed("small", body=codec.dumps("x" * size)).raw for size in (1, 300)]
    assert len(ends[0]) != len(ends[1]) and cut(ends[:1]) == cut(ends[1:])


def test_abuse_001_a_bundle_cut_at_every_byte_keeps_its_whole_items():
    ends = edges()
    for cut in range(len(WHOLE)):
        items, damaged = unpacked(WHOLE[:cut])
        found = [each for each in items if each.kind != LOCKED]
        whole = sum(end <= cut for end in ends)
        parts = sum(each.is_private for each in found)
        assert len(found) + (whole >= 6) + (whole >= 9) >= whole, cut
        assert (damaged > 0) == (cut not in ends and cut > 0), cut
        assert parts <= 2
        for each in found:
            assert each.raw in TRUE[each.kind]


@given(st.data())
@settings(max_examples=150)
def test_a_byte_changed_anywhere_spoils_the_item_it_is_in_and_no_other(data):
    at = data.draw(st.integers(0, len(WHOLE) - 1))
    raw = bytearray(WHOLE)
    raw[at] ^= data.draw(st.integers(1, 255))
    items, _ = unpacked(bytes(raw))
    good = {kind: sum(each.raw in TRUE[kind] for each in items if each.kind == kind)
            for kind in TRUE}  # fmt: skip
    expected = {HEADER: 2, KEYSET: 2, RECORD: 8, PHOTO: 2}
    lost = sum(expected[kind] - good[kind] for kind in expected)
    in_stream_head = edges()[4] <= at < edges()[5]
    assert lost <= (2 if in_stream_head else 1)


@given(st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(1, 600)), max_size=5), st.data())
@settings(max_examples=60)
def test_bytes_lost_or_put_in_between_spoil_only_what_they_touch(wounds, data):
    raw = bytearray(WHOLE)
    for at, size in wounds:
        if data.draw(st.booleans()):
            del raw[at : at + size]
        else:
            raw[at:at] = random.Random(at).randbytes(size)
    items, _ = unpacked(bytes(raw))
    records = [each for each in of_kind(items, RECORD) if each in TRUE[RECORD]]
    assert len(records) >= 8 - 8 * len(wounds)
    if not wounds:
        assert records == RECORDS


@given(st.binary(max_size=3000))
@settings(max_examples=150)
def test_any_bytes_are_read_to_their_end(raw):
    for head in (b"", frames._PHOTO_HEAD, frames._PART_HEAD, codec.SIGN1_HEAD):
        items, damaged = unpacked(head + raw, block=100)
        assert items or damaged or not raw
        items, _ = unpacked(WHOLE[:2000] + head + raw + WHOLE[2000:], block=5000)
        assert len(items) >= 6


def test_two_files_one_after_the_other_are_both_read():
    other = packed(QUIMPER, count=1, hidden=[], photos=[])
    items, damaged = unpacked(WHOLE + other)
    assert len(of_kind(items, RECORD)) == 8 + 3 and damaged == 0
    assert len({parse_header(raw).id for raw in of_kind(items, HEADER)}) == 2


def test_halves_of_two_files_give_what_is_whole_of_both():
    other = packed(QUIMPER, count=2, hidden=private()[:1], photos=[])
    items, damaged = unpacked(WHOLE[: len(WHOLE) // 2] + other[len(other) // 2 :])
    assert damaged >= 1
    assert set(of_kind(items, RECORD)) <= TRUE[RECORD]


def test_a_private_part_moved_to_another_file_or_place_does_not_open():
    parts = [each for each in codec.sequence(WHOLE) if each.startswith(frames._PART_HEAD)]
    others = [each for each in codec.sequence(packed()) if each.startswith(frames._PART_HEAD)]
    items, damaged = unpacked(parts[0] + others[1] + parts[2])
    assert of_kind(items, RECORD) == private()[1:] and damaged == 1
    items, damaged = unpacked(parts[0] + frames.part(2, codec.loads(parts[1])[2]))
    assert of_kind(items, RECORD) == [] and damaged == 1
    items, _ = unpacked(b"".join(parts[1:]))
    assert of_kind(items, LOCKED) == [b"torn"] and of_kind(items, RECORD) == []
    items, _ = unpacked(b"".join(parts), town=LORIENT)
    assert of_kind(items, LOCKED) == [b"bad_seal"]


def test_what_claims_to_be_long_is_not_waited_for_beyond_its_limit():
    bomb = frames._PHOTO_HEAD + b"\x5a" + (PHOTO_MAX_BYTES + 1).to_bytes(4, "big")
    items, damaged = unpacked(bomb + public(1)[0])
    assert of_kind(items, RECORD) == public(1) and damaged == 1
    for size in (2, 4, 8):
        head = bytes((0x58 + (size.bit_length() - 1),)) + b"\xff" * size
        for form in (frames._PHOTO_HEAD, codec.SIGN1_HEAD, frames._PART_HEAD + b"\x01"):
            items, _ = unpacked(form + head + public(1)[0])
            assert of_kind(items, RECORD) == public(1)


def test_a_million_false_beginnings_are_passed_in_one_go():
    reader = bundle.Reader(QUIMPER, [])
    junk = (codec.SIGN1_HEAD + b"\x41a\x00" + frames._PART_HEAD + b"\x1b") * 20_000
    assert list(reader.feed(junk)) == [] and list(reader.end()) == []
    assert reader.damaged == 1


def altered(**changes):
    said = {
        "to": QUIMPER, "made_ms": 1, "as_of": 1, "gen": 0, "names": ("a", "b"),
        "counts": bundle.Counts(), "rows": [],
    }  # fmt: skip
    return bundle.sign_header(KEYSETS, CAST.keys["L3"], **(said | changes))


def test_a_header_out_of_form_is_refused():
    refusals = {
        "bad_message": [
            altered(to=b"short"), altered(names=("line\nbreak", "")), altered(names=("x" * 81, "")),
            altered(counts=(1, 2)), altered(made_ms=-1), altered(gen=True),
        ],
        "bad_type": [CAST.forged(codec.dumps({**_fields(), 0: "lavoir-receipt/1"}))],
        "broken_chain": [
            CAST.forged(codec.dumps({**_fields(), 1: QUIMPER})),
            CAST.forged(codec.dumps({**_fields(), 3: []})),
            CAST.forged(codec.dumps({**_fields(), 2: CAST.l2.number})),
            CAST.forged(codec.dumps({**_fields(), 3: [CAST.l1.raw, CAST.q2.raw]})),
        ],
        "bad_signature": [CAST.forged(codec.dumps(_fields()), signer="L2")],
        "bad_cose": [altered()[:-1], b""],
    }  # fmt: skip
    for code, raws in refusals.items():
        for raw in raws:
            with pytest.raises(RemoteProtocolError) as caught:
                parse_header(raw)
            assert caught.value.code == code


def _fields():
    return codec.loads(codec.sign1_split(altered())[0])


def test_a_field_of_a_later_version_of_the_header_is_passed_over():
    assert parse_header(CAST.forged(codec.dumps(_fields() | {20: "new"}))).to == QUIMPER


def test_only_the_key_in_force_signs_a_header():
    with pytest.raises(LocalProtocolError):
        packed(key="L2")
