"""The logbook as a file: whole, torn, rotten, full, replaced and shared."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.seal import HpkeKey
from node.domain.clock import FixedClock
from node.journal import logbook as module
from node.journal.logbook import BEGIN, VOID, Entry, Logbook, frames, read
from node.store.database import StorageRefused

KEY = HpkeKey.generate()
START_MS = 1_795_417_200_000
DAY_MS = 86_400_000


@pytest.fixture
def book(tmp_path: Path) -> Logbook:
    return Logbook(tmp_path, KEY.public, FixedClock(START_MS))


def bodies(book: Logbook, after_seq: int = 0) -> list[dict]:
    return [line.body for line in read(book.path.parent, KEY.private, after_seq)]


def test_what_was_written_is_read_in_order_with_its_moment(book: Logbook) -> None:
    for number in range(3):
        book.write("erasure", {0: number})
    lines = list(read(book.path.parent, KEY.private))
    assert [(line.at_ms, line.kind, line.body) for line in lines] == [
        (START_MS, "erasure", {0: number}) for number in range(3)
    ]
    assert [line.seq for line in lines] == sorted({line.seq for line in lines})


def test_only_the_archive_key_reads_it(book: Logbook) -> None:
    book.write("erasure", {0: b"secret of a family"})
    assert list(read(book.path.parent, HpkeKey.generate().private)) == []
    assert b"secret" not in book.path.read_bytes()
    assert os.stat(book.path).st_mode & 0o077 == 0


def test_a_clock_set_back_does_not_turn_the_order(book: Logbook) -> None:
    first = book.write_all([Entry("a", {})])
    book._clock.forward(days=-400)
    assert book.write_all([Entry("a", {})]) == first + 1
    assert book.write_all([Entry("a", {})], after_seq=first + 100) == first + 101


@given(cut=st.integers(1, 400), flipped=st.integers(0, 10_000))
def test_a_power_cut_loses_at_most_the_last_lines_and_the_next_write_mends_it(
    cut: int, flipped: int
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        book = Logbook(Path(folder), KEY.public, FixedClock(START_MS))
        for number in range(4):
            book.write("a", {0: number})
        raw = book.path.read_bytes()
        book.path.write_bytes(raw[: len(raw) - min(cut, len(raw))])
        left = len(bodies(book))
        again = Logbook(Path(folder), KEY.public, FixedClock(START_MS))
        assert again.standing().rotten == 0
        again.write("a", {0: 9})
        assert bodies(again) == [{0: number} for number in range(left)] + [{0: 9}]
        assert (again.standing().rotten, again.standing().torn) == (0, 0)
        raw = bytearray(book.path.read_bytes())
        raw[flipped % (len(raw) - 1)] ^= 0x55
        book.path.write_bytes(raw)
        standing = Logbook(Path(folder), KEY.public, FixedClock(START_MS)).standing()
        assert standing.torn + standing.rotten >= 1
        assert len(bodies(book)) <= left


def test_two_processes_write_into_one_file(book: Logbook) -> None:
    other = Logbook(book.path.parent, KEY.public, FixedClock(START_MS))
    for number in range(6):
        (book, other)[number % 2].write("a", {0: number})
    assert bodies(book) == [{0: number} for number in range(6)]
    assert book.standing().last_seq == other.standing().last_seq
    other.compact(START_MS)
    book.write("a", {0: 6})
    assert len(bodies(other)) == 7


def test_a_group_that_was_rolled_back_is_void(book: Logbook) -> None:
    book.begin([], 0)
    kept = book.write_all([Entry("a", {0: 1})], is_tx=True)
    lost = book.write_all([Entry("a", {0: 2})], is_tx=True)
    assert book.standing().groups[-2:] == [kept, lost]
    book.write(VOID, {}, about=lost.to_bytes(8, "big"))
    assert book.standing().last_group == kept
    assert [body for body in bodies(book) if body] == [{0: 1}]
    book.compact(START_MS)
    assert [frame.kind for frame in frames(book.path)] == [BEGIN, "a"]


def test_compaction_keeps_the_newest_line_of_each_thing_until_its_end(book: Logbook) -> None:
    book.begin([], 0)
    for number in range(5):
        book.write("a", {0: number}, about=b"one")
    book.write("a", {0: 7}, about=b"two", until_ms=START_MS + DAY_MS)
    book.write("a", {0: 8}, about=b"gone")
    book.write("b", {0: 9})
    before = book.path.stat().st_size
    assert book.compact(START_MS, gone=[b"gone"]) == before - book.path.stat().st_size > 0
    assert bodies(book) == [{}, {0: 4}, {0: 7}, {0: 9}]
    assert book.compact(START_MS + 2 * DAY_MS) > 0
    assert bodies(book) == [{}, {0: 4}, {0: 9}]
    assert bodies(book, book.standing().last_seq) == []
    book.compact(START_MS + 1_300 * DAY_MS)
    assert bodies(book) == [{}, {0: 4}]


def test_a_book_begun_anew_keeps_the_erasures_of_the_old_one(book: Logbook) -> None:
    book.write("erasure", {0: 1})
    book.write_all([Entry("engagement", {0: 2})], is_tx=True)
    book.begin([Entry("engagement", {0: 3})], 0)
    assert bodies(book) == [{0: 1}, {}, {0: 3}]


def test_abuse_105_a_full_disk_refuses_and_leaves_the_lines_before(
    book: Logbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.write("a", {0: 1})

    def full(handle: int, raw: bytes, at: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "pwrite", full)
    with pytest.raises(StorageRefused) as refused:
        book.write("a", {0: 2})
    assert refused.value.code == "disk_full"
    monkeypatch.undo()
    book.write("a", {0: 3})
    assert bodies(book) == [{0: 1}, {0: 3}]


def test_a_crash_while_it_is_compacted_leaves_the_old_file(
    book: Logbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        book.write("a", {0: number}, about=b"one")

    def cut(one: object, other: object) -> None:
        raise OSError(5, "cut")

    monkeypatch.setattr(module.os, "replace", cut)
    with pytest.raises(StorageRefused):
        book.compact(START_MS)
    monkeypatch.undo()
    assert len(bodies(book)) == 3 and not book.path.with_name("logbook.part").exists()


def test_a_file_that_is_no_logbook_is_neither_read_nor_believed(book: Logbook) -> None:
    book.path.write_bytes(os.urandom(5_000) + b"\n\n\x00 \n")
    assert bodies(book) == [] and not book.exists()
    book.write("a", {0: 1})
    assert bodies(book) == [{0: 1}]
