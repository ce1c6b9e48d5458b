"""The store: its running sums are the truth, and what a peer sees follows from who it is."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import RemoteProtocolError
from federation.keyset import COMPROMISE, next_keyset, retired
from federation.record import (
    SCOPE_PARTNERS,
    SCOPE_PUBLIC,
    SCOPE_SEALED,
    SCOPES,
    TOMBSTONE,
    live_until,
    tombstone_until,
)
from federation.sets import fingerprint, id_sum
from federation.stamp import as_of_day, end_day, stamp_seconds
from federation.store import EXPIRED_KEPT_DAYS, MemoryStore, RecordStore, Usage
from scripts.vectors.cast import NOW_MS, Cast, stamp

CAST = Cast()
TODAY = as_of_day(NOW_MS)
LORIENT, QUIMPER, VANNES = CAST.l1.town, CAST.q1.town, CAST.v1.town
TOWNS = {LORIENT: ("L3", CAST.l3), QUIMPER: ("Q2", CAST.q2), VANNES: ("V1", CAST.v1)}


def store_at(own=LORIENT, accepted=(LORIENT, QUIMPER)) -> MemoryStore:
    store = MemoryStore(own)
    for town in accepted:
        store.accept(town)
    for keyset in (CAST.l1, CAST.l2, CAST.l3, CAST.q1, CAST.q2, CAST.v1):
        store.add_keyset(keyset)
    return store


@cache
def made(name, town=LORIENT, scope=SCOPE_PUBLIC, days_ago=5, days=380, is_dead=False):
    signer, keyset = TOWNS[town]
    at = stamp(days_ago)
    changes = {"origin": town, "keyset": keyset.number, "scope": scope, "stamp": at}
    changes |= {"to": VANNES} if scope == SCOPE_SEALED else {}
    if is_dead:
        changes |= {"state": TOMBSTONE, "body": b"", "expires": tombstone_until(at)}
    else:
        changes |= {"expires": live_until(at, days)}
    return CAST.signed(name, signer, **changes)


def test_the_memory_store_fills_the_port():
    store: RecordStore = store_at()
    assert store.accepted() == {LORIENT, QUIMPER}


# ── the sums ─────────────────────────────────────────────────────────────────────────────────────

records = st.builds(
    made,
    st.sampled_from("abcdef"),
    st.sampled_from([LORIENT, QUIMPER]),
    st.sampled_from(SCOPES),
    days_ago=st.integers(1, 8),
    days=st.sampled_from([2, 5, 9, 380]),
    is_dead=st.booleans(),
)


@given(st.lists(records, max_size=25), st.integers(-6, 12))
def test_rows_items_and_usage_are_what_the_records_held_add_up_to(batch, later):
    store = store_at()
    store.put(batch)
    day = TODAY + later
    held = winners(batch)
    for row in store.rows(QUIMPER, day):
        alive = [
            record
            for record in held
            if (record.origin, record.scope) == (row.origin, row.scope)
            and end_day(record.expires) > day
        ]
        items = sorted((stamp_seconds(record.stamp), record.id) for record in alive)
        assert store.items(row.origin, row.scope, day) == items
        assert row.count == len(items) > 0
        assert row.fingerprint == fingerprint(id_sum(record.id for record in alive), row.count)
    for town, used in store.usage([LORIENT, QUIMPER]).items():
        own = [record for record in held if record.origin == town]
        live = sum(not record.is_tombstone for record in own)
        assert used == Usage(live, sum(len(record.raw) for record in own))


def winners(batch):
    held = {}
    for record in sorted(batch, key=lambda r: (r.state, r.stamp, r.id)):
        held[record.register] = record
    return list(held.values())


@given(st.lists(records, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_arrival_leaves_no_trace(batch, random):
    one, other = store_at(), store_at()
    one.put(batch)
    shuffled = random.sample(batch, len(batch))
    for record in shuffled:
        other.put([record])
    for peer in (None, QUIMPER):
        assert one.rows(peer, TODAY) == other.rows(peer, TODAY)
    assert one.usage(TOWNS) == other.usage(TOWNS)


@given(st.lists(records, max_size=20), st.integers(0, 12))
def test_a_sweep_changes_no_set_that_two_honest_nodes_can_agree_on(batch, later):
    store = store_at()
    store.put(batch)
    day = TODAY + later
    before = {each: store.rows(QUIMPER, each) for each in (day - 1, day)}
    held = len(winners(batch))
    dropped = store.sweep(day)
    assert {each: store.rows(QUIMPER, each) for each in (day - 1, day)} == before
    left = [record for record in winners(batch) if store.raws([record.id], QUIMPER)]
    assert len(left) + dropped == held
    assert all(end_day(record.expires) + EXPIRED_KEPT_DAYS > day for record in left)


def test_a_set_that_becomes_empty_has_no_row():
    store = store_at()
    store.put([made("a", days=2)])
    (row,) = store.rows(None, TODAY - 4)
    assert row.count == 1
    assert store.rows(None, TODAY) == []


# ── revisions ────────────────────────────────────────────────────────────────────────────────────


def test_what_loses_its_register_is_remembered_and_need_not_be_fetched():
    store = store_at()
    older, newer, oldest = made("a", days_ago=5), made("a", days_ago=4), made("a", days_ago=6)
    store.put([older])
    store.put([newer, oldest])
    assert store.known([older.id, newer.id, oldest.id, bytes(32)]) == {
        older.id,
        newer.id,
        oldest.id,
    }
    assert store.reason(older.id) == store.reason(oldest.id) == "older"
    assert store.raws([older.id, newer.id], QUIMPER) == {newer.id: newer.raw}
    assert store.current([newer.register])[newer.register].id == newer.id
    assert store.record(newer.register) == newer


def test_memory_of_an_id_ends_when_the_record_can_come_back_no_more():
    store = store_at()
    older, newer = made("a", days_ago=5, days=9), made("a", days_ago=4, days=380)
    store.put([older, newer])
    last = end_day(older.expires) + EXPIRED_KEPT_DAYS
    store.sweep(last - 1)
    assert store.reason(older.id) == "older"
    store.sweep(last)
    assert store.reason(older.id) is None


def test_a_tombstone_stays_in_the_set_as_long_as_it_lives():
    store = store_at()
    buried = made("a", is_dead=True)
    store.put([made("a", days_ago=6), buried])
    assert store.items(LORIENT, SCOPE_PUBLIC, TODAY) == [(stamp_seconds(buried.stamp), buried.id)]
    assert store.usage([LORIENT])[LORIENT].live == 0
    assert store.rows(None, end_day(buried.expires)) == []


def test_an_unknown_register_and_an_unused_town_are_absent():
    store = store_at()
    assert store.current([(LORIENT, bytes(16))]) == {}
    assert store.usage([VANNES]) == {}
    assert store.items(VANNES, SCOPE_PUBLIC, TODAY) == []


def test_an_allowance_is_kept_with_the_usage():
    store = store_at()
    store.put([made("a")])
    store.spend(LORIENT, 123)
    store.put([made("b")])
    used = store.usage([LORIENT])[LORIENT]
    assert (used.live, used.full_at_ms) == (2, 123)


# ── who sees what ────────────────────────────────────────────────────────────────────────────────

EVERYTHING = [made(f"s{scope}", town, scope) for town in TOWNS for scope in SCOPES]
SEEN = {
    None: {(LORIENT, SCOPE_PUBLIC), (QUIMPER, SCOPE_PUBLIC)},
    VANNES: {(LORIENT, SCOPE_PUBLIC), (QUIMPER, SCOPE_PUBLIC)},
    QUIMPER: {
        (town, scope) for town in (LORIENT, QUIMPER) for scope in (SCOPE_PUBLIC, SCOPE_SEALED)
    }
    | {(LORIENT, SCOPE_PARTNERS), (QUIMPER, SCOPE_PARTNERS)},
}


@pytest.mark.parametrize("peer", SEEN, ids=["anyone", "stranger", "partner"])
def test_a_peer_sees_the_sets_that_are_for_it_by_every_door(peer):
    store = store_at()
    store.put(EVERYTHING)
    assert {(row.origin, row.scope) for row in store.rows(peer, TODAY)} == SEEN[peer]
    found = store.raws([record.id for record in EVERYTHING], peer)
    shown = {(r.origin, r.scope) for r in EVERYTHING if r.id in found}
    assert shown == SEEN[peer]


def test_a_relay_shows_partners_records_to_their_origin_alone():
    relay = store_at(own=QUIMPER, accepted=(LORIENT, QUIMPER, VANNES))
    relay.put(EVERYTHING)
    third = {row.origin for row in relay.rows(VANNES, TODAY) if row.scope == SCOPE_PARTNERS}
    assert third == {QUIMPER, VANNES}
    home = {row.origin for row in relay.rows(LORIENT, TODAY) if row.scope == SCOPE_PARTNERS}
    assert home == {QUIMPER, LORIENT}


def test_a_frozen_town_is_shown_to_nobody():
    store = store_at()
    store.put(EVERYTHING)
    store.freeze(LORIENT)
    assert store.is_frozen(LORIENT) and not store.is_frozen(QUIMPER)
    assert {row.origin for row in store.rows(QUIMPER, TODAY)} == {QUIMPER}
    assert store.raws([EVERYTHING[0].id], QUIMPER) == {}


# ── keysets ──────────────────────────────────────────────────────────────────────────────────────


def test_keysets_stand_by_number_whatever_their_order_of_arrival():
    store = MemoryStore()
    for keyset in (CAST.l1, CAST.l3, CAST.l2, CAST.l2):
        store.add_keyset(keyset)
    assert store.keysets(LORIENT) == [CAST.l1, CAST.l2, CAST.l3]
    assert store.keysets(VANNES) == []


def test_a_town_begins_with_its_genesis():
    with pytest.raises(RemoteProtocolError, match="broken_chain"):
        MemoryStore().add_keyset(CAST.l2)


def test_records_of_a_retired_keyset_leave_the_set_on_its_day():
    store = store_at()
    under_l2 = CAST.signed("old", "L2", keyset=CAST.l2.number, stamp=stamp(40))
    store.put([under_l2, made("new")])
    dies = next(
        day
        for day in range(TODAY, TODAY + 40)
        if retired(store.keysets(LORIENT), day) - {CAST.l1.number}
    )
    assert store.rows(None, dies - 1)[0].count == 2
    assert store.rows(None, dies)[0].count == 1
    assert [one for _, one in store.items(LORIENT, SCOPE_PUBLIC, dies)] == [made("new").id]
    assert store.sweep(dies + EXPIRED_KEPT_DAYS) == 1


def test_a_compromise_drops_the_forged_record_that_stands_before_the_true_one():
    store = store_at()
    forged = made("listing", days_ago=0)
    store.put([forged])
    public = CAST.keys["V1"].public
    rescue = next_keyset(CAST.root, CAST.l3, public, CAST.l3.number + 1, COMPROMISE)
    store.add_keyset(rescue)
    assert store.raws([forged.id], QUIMPER) == {}
    assert store.current([forged.register]) == {}
    true = CAST.signed("listing", "V1", keyset=rescue.number)
    store.put([true])
    assert store.current([true.register])[true.register].id == true.id
