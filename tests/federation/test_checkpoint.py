"""A checkpoint: one signature over a whole set, read strictly; runs that hold or do not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import checkpoint as subject
from federation import codec
from federation.checkpoint import (
    RUN_LIST_MAX_BYTES,
    RUN_MAX_IDS,
    Vouch,
    check_age,
    check_signer,
    make_runs,
    parse_checkpoint,
    parse_runs,
    sign_checkpoint,
    vouch,
)
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.keys import SigningKey
from federation.keyset import next_keyset
from federation.record import SCOPE_PUBLIC, SCOPE_SEALED
from federation.sets import Sealed, fingerprint, id_sum
from federation.stamp import DAY_MS, as_of_day, stamp_at, stamp_seconds
from tests.federation.towns import FOUNDED_S, NOW_MS, TODAY, Town, seed

SECONDS = stamp_seconds(stamp_at(NOW_MS))


def items_of(count: int, *, per_second: int = 3) -> list[tuple[int, bytes]]:
    return sorted((SECONDS - 9_000 + n // per_second, seed("item", n)) for n in range(count))


def made(items, **changed):
    town = Town("Lorient")
    said = {
        "origin": town.id,
        "keyset": town.keyset.number,
        "scope": SCOPE_PUBLIC,
        "stamp": stamp_at(NOW_MS),
        "as_of": TODAY,
        "size_bytes": 700 * len(items),
    }
    return sign_checkpoint(town.key, items, **(said | changed))


@given(st.integers(0, 1_100), st.integers(1, 600))
@settings(max_examples=30, deadline=None)
def test_runs_cut_any_set_into_pieces_of_256_and_every_one_holds(count, per_second):
    items = items_of(count, per_second=per_second)
    checkpoint, runs = made(items)
    assert (checkpoint.records, checkpoint.run_count) == (count, -(-count // RUN_MAX_IDS))
    assert checkpoint.fingerprint == fingerprint(id_sum(one for _, one in items), count)
    assert all(one.bound < other.bound for one, other in pairwise(runs.runs))
    assert parse_runs(runs.raw, checkpoint) == runs
    assert parse_checkpoint(checkpoint.raw) == checkpoint
    assert vouch(checkpoint, runs, items).ids == {one for _, one in items}


def test_the_hash_of_a_run_is_over_its_domain_and_its_ids_in_set_order():
    items = items_of(300)
    _, runs = made(items)
    first = b"".join(one for _, one in items[:256])
    assert runs.runs[0].digest == hashlib.sha256(b"lavoir-run/1" + first).digest()
    last = b"".join(one for _, one in items[256:])
    assert runs.runs[1] == (items[-1][0] + 1, b"", hashlib.sha256(b"lavoir-run/1" + last).digest())


def test_bounds_are_the_shortest_that_separate():
    items = items_of(600, per_second=1_000)
    _, runs = made(items)
    for number, run in enumerate(runs.runs[:-1], 1):
        before, after = items[number * 256 - 1][1], items[number * 256][1]
        assert before < run.prefix <= after
        assert before[: len(run.prefix) - 1] == run.prefix[:-1]
    assert make_runs(items_of(600, per_second=256)).runs[0].prefix == b""


def test_a_checkpoint_of_twenty_thousand_records_is_small_and_so_is_its_list():
    checkpoint, runs = made(items_of(20_000))
    assert len(checkpoint.raw) < 260
    assert len(runs.raw) < 3_500


def test_a_set_too_large_for_one_list_is_not_signed():
    items = [(n, n.to_bytes(32, "big")) for n in range(RUN_MAX_IDS * 1_700)]
    with pytest.raises(LocalProtocolError) as caught:
        made(items)
    assert caught.value.code == "too_big"


def test_an_empty_set_can_be_signed():
    checkpoint, runs = made([])
    assert (checkpoint.records, checkpoint.run_count, runs.raw) == (0, 0, b"\x80")
    assert checkpoint.runs == hashlib.sha256(b"\x80").digest()


# ── the form of a checkpoint ─────────────────────────────────────────────────────────────────────


def refusal(raw: bytes) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_checkpoint(raw)
    return caught.value.code


def changed(**fields) -> bytes:
    """A checkpoint of 600 records with other values in some fields, truly signed."""
    checkpoint, _ = made(items_of(600))
    payload, _ = codec.sign1_split(checkpoint.raw)
    values = codec.loads(payload) | {int(name[1:]): value for name, value in fields.items()}
    payload = codec.dumps({key: value for key, value in values.items() if value is not None})
    return codec.sign1_join(payload, Town("Lorient").key.sign(codec.sign1_message(payload)))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"f0": "lavoir-record/1"}, "bad_type"),
        ({"f1": bytes(31)}, "bad_field"),
        ({"f2": 0}, "bad_field"),
        ({"f3": 3}, "bad_scope"),
        ({"f4": 0}, "bad_stamp"),
        ({"f5": TODAY - 2}, "bad_checkpoint"),
        ({"f5": TODAY + 2}, "bad_checkpoint"),
        ({"f6": -1}, "bad_checkpoint"),
        ({"f6": 513}, None),
        ({"f6": 512}, "bad_checkpoint"),
        ({"f6": 769}, "bad_checkpoint"),
        ({"f7": bytes(15)}, "bad_field"),
        ({"f8": bytes(33)}, "bad_field"),
        ({"f9": 2}, "bad_checkpoint"),
        ({"f9": True}, "bad_field"),
        ({"f10": -1}, "bad_checkpoint"),
        ({"f10": None}, "bad_field"),
        ({"f11": 0}, "bad_field"),
        ({"f10": [1]}, "bad_cbor"),
    ],
    ids=str,
)
def test_a_checkpoint_has_exactly_its_eleven_fields(fields, code):
    if code is None:
        assert parse_checkpoint(changed(**fields)).records == 513
    else:
        assert refusal(changed(**fields)) == code


@given(st.binary(max_size=300), st.integers(0, 200))
@settings(max_examples=200)
def test_any_bytes_are_read_or_refused_with_a_code(noise, at):
    good = changed()
    for raw in (noise, good[:at] + noise + good[at + len(noise) :], good + noise):
        try:
            parse_checkpoint(raw)
        except RemoteProtocolError as error:
            assert error.code


def test_a_record_is_no_checkpoint():
    assert refusal(Town("Lorient").sign().raw) == "bad_type"
    assert refusal(bytes(1_025)) == "too_big"


# ── who signed it, and when ──────────────────────────────────────────────────────────────────────


def test_a_checkpoint_counts_under_the_keyset_in_force_alone():
    town = Town("Lorient")
    checkpoint, _ = made(items_of(3))
    later = next_keyset(
        town.root, town.keyset, SigningKey.from_seed(seed("new")).public, FOUNDED_S + 9
    )
    check_signer(checkpoint, [town.keyset])
    for keysets, code in (
        ([later], "unknown_keyset"),
        ([town.keyset, later], "keyset_retired"),
        ([town.keyset._replace(signing=later.signing)], "bad_signature"),
    ):
        with pytest.raises(RemoteProtocolError) as caught:
            check_signer(checkpoint, keysets)
        assert caught.value.code == code


def test_a_checkpoint_vouches_for_seven_days_and_not_from_the_future():
    checkpoint, _ = made([])
    at_ms = NOW_MS
    for now_ms in (at_ms, at_ms + 7 * DAY_MS - 1, at_ms - DAY_MS):
        check_age(checkpoint, now_ms)
    for now_ms in (at_ms + 7 * DAY_MS, at_ms - DAY_MS - 1):
        with pytest.raises(RemoteProtocolError) as caught:
            check_age(checkpoint, now_ms)
        assert caught.value.code == "stale_checkpoint"


# ── the form of a run list ───────────────────────────────────────────────────────────────────────


@dataclass
class List:
    """A run list of 600 items, changed, under a checkpoint that names it all the same."""

    rows: list

    def refusal(self) -> str:
        raw = codec.dumps(self.rows)
        checkpoint, _ = made(items_of(600))
        with pytest.raises(RemoteProtocolError) as caught:
            parse_runs(raw, checkpoint._replace(runs=hashlib.sha256(raw).digest()))
        return caught.value.code


def good_rows() -> list:
    return [list(run) for run in made(items_of(600))[1].runs]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows[:2],
        lambda rows: [*rows, rows[-1]],
        lambda rows: [rows[1], rows[0], rows[2]],
        lambda rows: [rows[0], rows[0], rows[2]],
        lambda rows: [rows[0], rows[1], [*rows[2][:1], b"\x01", rows[2][2]]],
        lambda rows: [rows[0], rows[1], [SECONDS + 2, b"", rows[2][2]]],
        lambda rows: [[-1, b"", rows[0][2]], *rows[1:]],
        lambda rows: [[rows[0][0], bytes(33), rows[0][2]], *rows[1:]],
        lambda rows: [[*rows[0][:2], bytes(31)], *rows[1:]],
        lambda rows: [rows[0][:2], *rows[1:]],
        lambda rows: [[*rows[0], 1], *rows[1:]],
        lambda rows: [[True, *rows[0][1:]], *rows[1:]],
        lambda rows: {0: 1},
    ],
    ids=[
        "a run too few",
        "a run too many",
        "bounds out of order",
        "a bound twice",
        "a last bound with a prefix",
        "a last bound after the checkpoint",
        "a negative time",
        "a prefix of 33 bytes",
        "a hash of 31 bytes",
        "a run of two values",
        "a run of four values",
        "a time that is true",
        "no list",
    ],
)
def test_a_run_list_out_of_form_is_ignored_as_a_whole(spoil):
    assert List(spoil(good_rows())).refusal() == "bad_runs"


def test_a_run_list_is_the_one_that_was_signed():
    checkpoint, runs = made(items_of(600))
    with pytest.raises(RemoteProtocolError) as caught:
        parse_runs(made(items_of(601))[1].raw, checkpoint)
    assert caught.value.code == "bad_runs"
    with pytest.raises(RemoteProtocolError) as caught:
        parse_runs(runs.raw + bytes(RUN_LIST_MAX_BYTES), checkpoint)
    assert caught.value.code == "too_big"


# ── what a run vouches for ───────────────────────────────────────────────────────────────────────


@given(st.sets(st.integers(0, 699), max_size=5), st.sets(st.integers(700, 720), max_size=3))
@settings(max_examples=40, deadline=None)
def test_a_run_holds_over_exactly_its_ids(lost, strange):
    items = items_of(700)
    checkpoint, runs = made(items)
    known = [item for n, item in enumerate(items) if n not in lost]
    known += [(items[n % 700][0], seed("strange", n)) for n in strange]
    expected = set()
    for at in range(0, 700, 256):
        of_run = items[at : at + 256]
        bound = Sealed(items).boundary(at + 256) if at + 256 < 700 else (2**31, b"")
        lower = Sealed(items).boundary(at) if at else (0, b"")
        if [item for item in sorted(known) if lower <= item < bound] == of_run:
            expected |= {one for _, one in of_run}
    assert vouch(checkpoint, runs, known).ids == expected


def test_a_checkpoint_never_vouches_for_the_record_of_another_town():
    lorient, quimper = Town("Lorient"), Town("Quimper")
    theirs = [quimper.sign() for _ in range(100)]
    items = sorted((stamp_seconds(each.stamp), each.id) for each in theirs)
    checkpoint, runs = made(items)
    assert checkpoint.origin == lorient.id
    covering = vouch(checkpoint, runs, items)
    assert len(covering.ids) == 100
    assert not any(covering.covers(each) for each in theirs)


def test_a_vouch_is_for_one_scope_one_keyset_and_what_is_older():
    town = Town("Lorient")
    record = town.sign()
    checkpoint, _ = made([(stamp_seconds(record.stamp), record.id)])
    ids = frozenset((record.id,))
    assert Vouch(checkpoint, ids).covers(record)
    for other in (
        {"scope": SCOPE_SEALED},
        {"keyset": checkpoint.keyset + 1},
        {"stamp": record.stamp},
        {"origin": bytes(32)},
    ):
        assert not Vouch(checkpoint._replace(**other), ids).covers(record)
    assert not Vouch(checkpoint, frozenset()).covers(record)


def test_the_day_of_a_checkpoint_is_that_of_its_stamp_give_or_take_one():
    assert as_of_day(NOW_MS) == TODAY
    for day in (TODAY - 1, TODAY, TODAY + 1):
        assert made([], as_of=day)[0].as_of == day
    assert subject.COUNT_MAX > 400_000
