"""Streams: what comes out is what went in, or the beginning of it and a code."""

import io
import random
from itertools import cycle, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import stream
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.seal import HpkeKey
from federation.stream import CHUNK_BYTES, SEALED_CHUNK_BYTES, read_stream, write_stream

READER, OTHER, STRANGER = (HpkeKey.generate() for _ in range(3))
INFO = b"a backup of the harbour"
SIZES = st.one_of(
    st.integers(0, 300),
    st.integers(CHUNK_BYTES - 2, CHUNK_BYTES + 2),
    st.integers(3 * CHUNK_BYTES - 1, 3 * CHUNK_BYTES + 1),
)


def plain_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def sealed(plain: bytes, cuts=(), publics=(READER.public,), info=INFO) -> bytes:
    out = io.BytesIO()
    writer = write_stream(out.write, publics, info)
    edges = [0, *sorted(min(cut, len(plain)) for cut in cuts), len(plain)]
    for start, end in pairwise(edges):
        writer.write(plain[start:end])
    writer.close()
    return out.getvalue()


def opened(raw: bytes, privates=(READER.private,), info=INFO) -> tuple[bytes, str]:
    """What comes out of a stream, and the code it ends with ("" for none)."""
    given_out = b""
    try:
        for chunk in read_stream(io.BytesIO(raw).read, privates, info):
            given_out += chunk
    except RemoteProtocolError as error:
        return given_out, error.code
    return given_out, ""


def blocks(raw: bytes) -> tuple[bytes, list[bytes]]:
    """The head of a stream and its sealed chunks."""
    head = stream.read_head(io.BytesIO(raw).read)
    rest = raw[len(head) :]
    return head, [rest[i : i + SEALED_CHUNK_BYTES] for i in range(0, len(rest), SEALED_CHUNK_BYTES)]


@given(SIZES, st.lists(st.integers(0, 3 * CHUNK_BYTES), max_size=8))
@settings(max_examples=60)
def test_any_split_of_what_is_written_reads_back_whole(size, cuts):
    plain = plain_of(size)
    assert opened(sealed(plain, cuts)) == (plain, "")


@given(st.lists(st.integers(99, 70_000), min_size=1, max_size=30))
@settings(max_examples=30)
def test_a_source_that_gives_less_than_asked_is_read_on(sizes):
    plain = plain_of(2 * CHUNK_BYTES + 7)
    left, steps = io.BytesIO(sealed(plain)), cycle(sizes)
    chunks = read_stream(lambda wanted: left.read(min(wanted, next(steps))), [READER.private], INFO)
    assert b"".join(chunks) == plain


def test_every_reader_reads_it_and_nobody_else_does():
    raw = sealed(b"for two", publics=(READER.public, OTHER.public))
    assert opened(raw, [OTHER.private]) == opened(raw) == (b"for two", "")
    assert opened(raw, [STRANGER.private, OTHER.private]) == (b"for two", "")
    assert opened(raw, [STRANGER.private]) == opened(raw, []) == (b"", "not_readable")


def test_a_stream_opens_only_as_what_it_is():
    assert opened(sealed(b"words"), info=b"another thing") == (b"", "bad_seal")


def test_nothing_is_a_stream_too():
    assert opened(sealed(b"")) == (b"", "")
    assert opened(b"") == (b"", "torn")


@given(SIZES, st.data())
@settings(max_examples=80)
def test_a_stream_cut_anywhere_gives_its_whole_chunks_and_says_torn(size, data):
    plain, raw = plain_of(size), sealed(plain_of(size))
    cut = data.draw(st.integers(0, len(raw) - 1))
    given_out, code = opened(raw[:cut])
    assert code == "torn"
    assert plain.startswith(given_out)
    head, _ = blocks(raw)
    whole = max(cut - len(head), 0) // SEALED_CHUNK_BYTES
    assert len(given_out) == whole * CHUNK_BYTES


@given(SIZES, st.data())
@settings(max_examples=80)
def test_a_byte_changed_anywhere_gives_a_code_and_never_other_bytes(size, data):
    plain, raw = plain_of(size), bytearray(sealed(plain_of(size)))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    given_out, code = opened(bytes(raw))
    assert code in {"bad_seal", "torn", "not_readable"}
    assert plain.startswith(given_out) and len(given_out) % CHUNK_BYTES == 0


@given(st.permutations(range(4)), st.data())
@settings(max_examples=60)
def test_chunks_in_another_order_dropped_or_twice_are_refused(order, data):
    plain = plain_of(3 * CHUNK_BYTES + 5)
    head, parts = blocks(sealed(plain))
    order = list(order)[: data.draw(st.integers(1, 4))]
    order.insert(data.draw(st.integers(0, len(order))), data.draw(st.integers(0, 3)))
    given_out, code = opened(head + b"".join(parts[i] for i in order))
    whole = order == [0, 1, 2, 3]
    assert (code == "") is whole
    assert plain.startswith(given_out)


@given(st.binary(min_size=1, max_size=2 * SEALED_CHUNK_BYTES))
@settings(max_examples=30)
def test_nothing_may_follow_the_last_chunk(tail):
    assert opened(sealed(b"short") + tail)[1] in {"bad_seal", "torn"}
    assert opened(sealed(plain_of(CHUNK_BYTES)) + tail)[1] in {"bad_seal", "torn"}


def test_an_empty_chunk_does_not_end_a_stream_that_has_others():
    sealer = stream.Sealer([READER.public], INFO)
    full = sealer.seal(bytes(CHUNK_BYTES), is_last=False)
    raw = sealer.head + full + sealer.seal(b"", is_last=True)
    assert opened(raw) == (bytes(CHUNK_BYTES), "bad_seal")


def test_chunks_of_another_stream_are_refused():
    head, _ = blocks(sealed(b"one"))
    _, parts = blocks(sealed(b"one"))
    assert opened(head + parts[0]) == (b"", "torn")


@given(st.binary(max_size=400))
def test_any_bytes_are_a_stream_or_a_code(raw):
    assert opened(raw)[1] in {"torn", "bad_seal", "not_readable"}
    assert opened(len(raw).to_bytes(2, "big") + raw)[1] in {"torn", "bad_seal", "not_readable"}


def test_a_stream_has_one_to_sixteen_readers_that_can_be_sealed_to():
    for publics in ((), (READER.public,) * 17):
        with pytest.raises(LocalProtocolError):
            sealed(b"", publics=publics)
    for weak in (bytes(32), b"short"):
        with pytest.raises(RemoteProtocolError, match="bad_public_key"):
            sealed(b"", publics=(weak,))
