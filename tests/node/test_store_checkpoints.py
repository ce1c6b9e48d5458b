"""Checkpoints in the database: what hangs on them is what hangs on them in memory."""

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from federation.checkpoint import Checkpoint, make_runs, sign_checkpoint
from federation.keys import SigningKey
from federation.record import LIVE, TOMBSTONE
from federation.sets import fingerprint
from federation.stamp import DAY_MS, stamp_at
from node.store.database import using, write_tx
from node.store.sets import checkpoints, record_store, records, waiting
from node.store.sets.record_store import SqlRecordStore
from tests.node.test_store_sets import (
    CARRIER,
    NOW_MS,
    NUMBERS,
    OWN,
    PARTNER,
    STRANGER,
    TODAY,
    TOWNS,
    database,
    drawn_records,
    fresh_store,
    memory_store,
    record,
    store,
)

__all__ = ["database", "store"]  # fixtures


def checkpoint(origin: bytes, scope: int, days_ago: int, order: int = 0) -> Checkpoint:
    """A word of an origin on a set, with made-up contents: a store only keeps it."""
    digest = hashlib.sha256(repr((origin, scope, days_ago, order)).encode()).digest()
    stamp = stamp_at(NOW_MS - days_ago * DAY_MS) + order
    key = SigningKey.from_seed(b"k" * 32)
    return sign_checkpoint(
        key,
        [(1, digest)],
        origin=origin,
        keyset=NUMBERS[origin][1],
        scope=scope,
        stamp=stamp,
        as_of=TODAY - days_ago,
        size_bytes=0,
    )[0]


said = st.builds(checkpoint, st.sampled_from(TOWNS), st.integers(0, 2), st.integers(0, 20))


def assert_alike(store, twin, drawn):
    assert store.witness.checkpoints() == twin.witness.checkpoints()
    for each in (*store.witness.checkpoints(), checkpoint(PARTNER, 0, 9)):
        assert store.covered(each) == twin.covered(each)
        assert store.later(each) == twin.later(each)
    assert sorted(store.unverified(99)) == sorted(twin.unverified(99))
    for peer in (None, PARTNER, STRANGER, CARRIER):
        assert store.raws((r.id for r in drawn), peer) == twin.raws((r.id for r in drawn), peer)
        assert set(store.rows(peer, TODAY)) == set(twin.rows(peer, TODAY))
        for origin in TOWNS:
            one = store.items(origin, 0, TODAY, peer)
            assert one == twin.items(origin, 0, TODAY, peer)
    for peer in (PARTNER, CARRIER):
        news = [each.news(0, peer, TODAY, 99, TOWNS) for each in (store, twin)]
        assert sorted(news[0]) == sorted(news[1])


@settings(max_examples=12, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.lists(drawn_records(), max_size=5),
            st.sampled_from((None, CARRIER, PARTNER)),
            st.none() | said,
        ),
        max_size=3,
    )
)
def test_the_database_witnesses_as_the_memory_does(database, steps):
    drawn = [each for batch, _, _ in steps for each in batch]
    with using(database), write_tx():
        store, twin = fresh_store(), memory_store()
        for batch, carrier, word in steps:
            unverified = {each.id for each in batch} if carrier else set()
            for each in (store, twin):
                each.put(batch, carrier=carrier or CARRIER, unverified=unverified)
                if word is not None:
                    each.witness.keep(word)
            assert_alike(store, twin, drawn)
        for each in (store, twin):
            each.expel(drawn[:2])
            each.verified([r.id for r in drawn[2:5]])
        assert_alike(store, twin, drawn)


def test_places_in_the_order_of_arrival_are_never_given_twice(store):
    made = [record(OWN, key, 5, 30, 0, LIVE, NUMBERS[OWN][0]) for key in range(3)]
    store.put(made[:1])
    since = store.arrivals()
    store.put(made[1:2])
    store.expel(made[1:2])
    store.put(made[2:])
    assert store.news(since, PARTNER, TODAY, 9, TOWNS) == [made[2].raw]
    revised = record(OWN, 2, 1, 60, 0, LIVE, NUMBERS[OWN][0])
    since = store.arrivals()
    store.put([revised])
    assert store.news(since, PARTNER, TODAY, 9, TOWNS) == [revised.raw]
    assert store.news(store.arrivals(), PARTNER, TODAY, 9, TOWNS) == []


def test_what_is_replaced_or_dropped_no_longer_waits_to_be_checked(store):
    made = [record(PARTNER, key, 5, 30, 0, LIVE, NUMBERS[PARTNER][1]) for key in range(3)]
    store.put(made, unverified={each.id for each in made})
    store.put([record(PARTNER, 0, 1, 60, 0, TOMBSTONE, NUMBERS[PARTNER][1])])
    store.expel(made[1:2])
    assert waiting.count() == waiting.count(PARTNER) == 1
    with write_tx():
        records.delete([made[2].id])
    waiting.drop_orphans()
    assert not waiting.any_left()


def test_a_gap_lasts_until_a_checkpoint_is_younger_than_what_replaced_it(store):
    old, new = (record(PARTNER, 1, age, 90, 0, LIVE, NUMBERS[PARTNER][1]) for age in (9, 3))
    store.put([old])
    before = checkpoint(PARTNER, 0, 6)
    store.witness.keep(before)
    store.put([new])
    assert [one for _, one in store.covered(before)] == [old.id]
    after = checkpoint(PARTNER, 0, 1)
    store.witness.keep(after)
    assert [one for _, one in store.covered(after)] == [new.id]
    assert checkpoints.GapRow.select().count() == 0


def test_run_lists_are_kept_while_a_checkpoint_names_them(store):
    items = [(5, b"\x01" * 32)]
    runs = make_runs(items)
    named = checkpoint(PARTNER, 0, 2)._replace(runs=runs.id)
    store.witness.keep(named)
    store.witness.keep_runs(runs.raw)
    assert store.witness.runs(runs.id) == runs.raw
    store.witness.keep(checkpoint(PARTNER, 0, 1))
    assert store.witness.runs(runs.id) is None


def test_the_first_reason_to_distrust_is_kept_with_its_proof_until_the_admin_speaks(store):
    store.witness.distrust(PARTNER, "checkpoint_equivocation", b"proof", NOW_MS)
    store.witness.distrust(PARTNER, "bad_signature", b"later", NOW_MS + 1)
    (row,) = checkpoints.distrusted()
    assert (row.town, row.code, row.proof, row.at_ms) == (
        PARTNER,
        "checkpoint_equivocation",
        b"proof",
        NOW_MS,
    )
    checkpoints.trust_again(PARTNER)
    assert store.witness.distrusted() == {}


def test_a_removed_town_leaves_nothing_behind(store):
    made = record(PARTNER, 1, 5, 30, 0, LIVE, NUMBERS[PARTNER][1])
    store.put([made], unverified={made.id})
    store.witness.keep(checkpoint(PARTNER, 0, 1))
    store.witness.distrust(PARTNER, "bad_signature", b"", NOW_MS)
    record_store.forget_origin(PARTNER)
    assert store.witness.checkpoints() == checkpoints.distrusted() == []
    assert waiting.count() == records.count() == 0


def test_the_day_of_a_set_filters_what_is_hidden_as_well(store):
    made = record(PARTNER, 1, 5, 6, 0, LIVE, NUMBERS[PARTNER][1])
    store.put([made], unverified={made.id})
    assert isinstance(store, SqlRecordStore)
    assert store.rows(None, TODAY) == []
    assert store.rows(None, TODAY + 5) == []
    (row,) = store.rows(OWN, TODAY)
    assert row.fingerprint == fingerprint(int.from_bytes(made.id, "little"), 1)
