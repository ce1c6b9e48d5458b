"""Range reconciliation: any two sets converge, and the bytes are the reference implementations'."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.adapters.negentropy_line import answers
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.ranges import Item, Negentropy, Sealed, fingerprint, id_sum
from federation.sets import Bound, varint

ROOT = Path(__file__).parents[2]


def item(name: str, span_s: int) -> Item:
    """An item that any language can make again: all of it comes from one hash."""
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:8], "big") % span_s, hashlib.sha256(digest).digest()


def pair(seed: str, count: int, span_s: int, only: int) -> tuple[list[Item], list[Item]]:
    """Two sets of `count` items of which every `only`-th is only here, and the next only there."""
    items = [item(f"{seed}/{n}", span_s) for n in range(count)]
    here = [one for n, one in enumerate(items) if n % only != 1]
    there = [one for n, one in enumerate(items) if n % only != 0]
    return here, there


class Session:
    """A whole reconciliation in one process: what was found and every message, in order."""

    def __init__(self, here: list[Item], there: list[Item], limits: tuple[int, int] = (0, 0)):
        initiator, other = Negentropy(here, limits[0]), Negentropy(there, limits[1])
        self.have: list[bytes] = []
        self.need: list[bytes] = []
        self.trace: list[bytes] = []
        message: bytes | None = initiator.initiate()
        while message is not None:
            answer = other.respond(message)
            self.trace += (message, answer)
            assert len(self.trace) < 4_000, "the session does not end"
            message, have, need = initiator.reconcile(answer)
            self.have += have
            self.need += need


ids = st.binary(min_size=32, max_size=32) | st.integers(0, 255).map(
    lambda n: bytes(31) + bytes([n])
)
seconds = st.integers(0, 3) | st.integers(0, 2**31 - 1)
items = st.dictionaries(ids, seconds, max_size=150).map(
    lambda d: [(s, one) for one, s in d.items()]
)
frames = st.sampled_from((0, 4_096, 5_000))


@given(items, items, items, frames, frames)
@settings(deadline=None)
def test_any_two_sets_converge(common, here, there, limit, other_limit):
    taken = {one for _, one in common}
    ours = common + [one for one in here if one[1] not in taken]
    taken |= {one for _, one in ours}
    theirs = common + [one for one in there if one[1] not in taken]
    found = Session(ours, theirs, (limit, other_limit))
    assert set(found.have) == {one for _, one in ours} - {one for _, one in theirs}
    assert set(found.need) == {one for _, one in theirs} - {one for _, one in ours}


@pytest.mark.parametrize("limits", [(0, 0), (4_096, 0), (0, 4_096), (4_096, 5_000)])
@pytest.mark.parametrize(("count", "span_s", "only"), [(3_000, 1, 7), (3_000, 2**31 - 1, 50)])
def test_large_sets_converge_within_their_frames(count, span_s, only, limits):
    here, there = pair("large", count, span_s, only)
    found = Session(here, there, limits)
    assert {one for _, one in there} == ({one for _, one in here} | set(found.need)) - set(
        found.have
    )
    for index, message in enumerate(found.trace):
        limit = limits[index % 2]
        assert not limit or len(message) <= limit


REFERENCE_TRACES = [  # SHA-256 of all messages of the C++ reference implementation, both ends
    ("one", 1, 100, 2, (0, 0), "81a82412ff8b926af1afe8983bb6484f5375c09d445603cf99efd7396dfb07da"),
    ("list", 31, 5, 3, (0, 0), "9f9894e35e4bbc8284d1f41b84c870cfb606e32f7695b72b3b120a31b9897f42"),
    ("split", 32, 5, 9, (0, 0), "e88fe0d86896eecf01688c74abf262882c13ad8611836b4ccd6eaac5470bcd65"),
    (
        "dense",
        3_000,
        3,
        11,
        (0, 0),
        "99a33f9412c1e073c77af6388db2b8167c1279fe1b31f96b5a43d15a52e166a4",
    ),
    (
        "wide",
        5_000,
        2**31 - 1,
        100,
        (0, 0),
        "2558ba49761cf4e8629a46605f3f688b942ab6fcc6edf4cdb8bdb861ef652bb7",
    ),
    (
        "apart",
        2_000,
        2**31 - 1,
        2,
        (0, 0),
        "4ed2b6411ca9d90031db8bbba070510b5ca94a3f4f493b05a1abea8079f73b8b",
    ),
    (
        "framed",
        3_000,
        1_000,
        11,
        (4_096, 4_096),
        "0043e874ac05bb1df794557cff7b8204b0bda5666daf2c0064a190c43a73a497",
    ),
    (
        "one frame",
        2_000,
        7,
        2,
        (0, 5_000),
        "7fecfdcb734585078105b1a23df114c8620a464eb1fbf7d87cd4f987ea8f2634",
    ),
    (
        "other frame",
        5_000,
        2**31 - 1,
        30,
        (6_000, 0),
        "05a667c745bbc5b3fb91ff27eec4f4593b906f4226b96cc2d920dff554e0d60a",
    ),
]


@pytest.mark.parametrize(("seed", "count", "span_s", "only", "limits", "digest"), REFERENCE_TRACES)
def test_messages_are_those_of_the_reference(seed, count, span_s, only, limits, digest):
    here, there = pair(seed, count, span_s, only)
    trace = Session(here, there, limits).trace
    assert hashlib.sha256(b"".join(trace)).hexdigest() == digest


def test_identical_sets_cost_one_short_message_and_one_byte():
    here = [item(f"same/{n}", 2**31 - 1) for n in range(20_000)]
    trace = Session(here, here).trace
    assert len(trace[0]) < 400
    assert trace[1:] == [b"\x61"]


def test_identical_sets_of_few_items_are_listed_once():
    here = [item(f"few/{n}", 100) for n in range(5)]
    assert len(Session(here, here).trace) == 2


# ── versions (hoytech/negentropy, test/protoversion.pl) ──────────────────────────────────────────


def line_answers(*lines: str) -> list[str]:
    here = [f"item,{s},{one.hex()}" for s, one in (item(f"v/{n}", 9) for n in range(3))]
    return list(answers([*here, "seal", *lines]))


def test_another_version_is_answered_with_ours_and_changes_nothing():
    whole = line_answers("msg,6100000200")
    assert line_answers("msg,62aabbccddeeff", "msg,6100000200") == ["msg,61", *whole]


def test_an_answer_in_another_version_ends_the_initiators_session():
    end = Negentropy([item("v", 9)])
    end.initiate()
    with pytest.raises(RemoteProtocolError, match="version"):
        end.reconcile(b"\x60")


# ── hostile bytes ────────────────────────────────────────────────────────────────────────────────

HOSTILE = {
    "nothing": b"",
    "no version": b"\x00",
    "a version from elsewhere": b"\x70\x00\x00\x00",
    "a bound torn after its time": b"\x61\x05",
    "a bound torn in its prefix": b"\x61\x05\x04\xaa",
    "a prefix of 33 bytes": b"\x61\x05\x21" + bytes(33) + b"\x00",
    "a mode that does not exist": b"\x61\x00\x00\x03",
    "a torn fingerprint": b"\x61\x00\x00\x01" + bytes(15),
    "a list longer than the message": b"\x61\x00\x00\x02\xff\xff\xff\xff\x7f",
    "a list one byte short": b"\x61\x00\x00\x02\x01" + bytes(31),
    "a number of 11 digits": b"\x61" + b"\x80" * 10 + b"\x00",
    "a number above 64 bits": b"\x61" + b"\x83" + b"\xff" * 8 + b"\x7f",
    "an endless number": b"\x61" + b"\xff" * 1_000,
}


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("is_initiator", [False, True])
def test_a_malformed_message_is_refused(message, is_initiator):
    end = Negentropy([item(f"h/{n}", 9) for n in range(40)], 4_096)
    take = end.respond
    if is_initiator:
        end.initiate()
        take = end.reconcile
    with pytest.raises(RemoteProtocolError) as caught:
        take(message)
    assert caught.value.code == "bad_range"


@given(st.binary(max_size=300), st.booleans())
@settings(deadline=None)
def test_any_bytes_are_refused_or_answered_within_the_frame(tail, is_initiator):
    end = Negentropy([item(f"h/{n}", 9) for n in range(400)], 4_096)
    try:
        if is_initiator:
            end.initiate()
            answer = end.reconcile(b"\x61" + tail).message or b""
        else:
            answer = end.respond(b"\x61" + tail)
    except RemoteProtocolError as error:
        assert error.code == "bad_range"
    else:
        assert len(answer) <= 4_096


def test_a_five_byte_question_is_answered_within_the_frame():
    end = Negentropy([item(f"big/{n}", 2**31 - 1) for n in range(5_000)], 8_192)
    assert 7_900 < len(end.respond(bytes.fromhex("6100000200"))) <= 8_192


def test_times_above_every_item_saturate():
    most = varint(2**64 - 1)
    message = b"\x61" + (most + b"\x00\x00") * 3 + b"\x00\x00\x02\x00"
    assert Negentropy([item("x", 9)]).respond(message).startswith(b"\x61")


# ── the set itself ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "wrong",
    [[(1, bytes(31))], [(-1, bytes(32))], [(2**31, bytes(32))], [(1, bytes(32)), (1, bytes(32))]],
)
def test_an_item_out_of_bounds_or_twice_is_our_own_fault(wrong):
    with pytest.raises(LocalProtocolError):
        Sealed(wrong)


@given(items, st.data())
@settings(deadline=None)
def test_a_ranges_fingerprint_is_that_of_its_ids_alone(some, data):
    sealed = Sealed(some)
    lower = data.draw(st.integers(0, len(some)))
    upper = data.draw(st.integers(lower, len(some)))
    within = [one for _, one in sorted(some)][lower:upper]
    assert sealed.fingerprint(lower, upper) == fingerprint(id_sum(within), len(within))


def test_the_fingerprint_wraps_at_32_bytes():
    most = b"\xff" * 32
    assert fingerprint(id_sum([most, b"\x01" + bytes(31)]), 2) == fingerprint(0, 2)


@given(items.filter(lambda some: len(some) > 1), st.data())
@settings(deadline=None)
def test_a_boundary_is_the_shortest_bound_that_separates(some, data):
    sealed = Sealed(some)
    index = data.draw(st.integers(1, len(some) - 1))
    bound = sealed.boundary(index)
    assert sealed.before(bound, 0) == index
    if bound.prefix:
        assert sealed.before(Bound(bound.seconds, bound.prefix[:-1]), 0) < index
