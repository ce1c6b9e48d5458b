"""Admission: one order of rules, no neighbour touched, and every node comes to the same sets."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import admission
from federation.admission import (
    NEW_EVERY_MS,
    ORIGIN_LIVE_MAX,
    admit,
    admit_keyset,
    examine,
    full_at_ms,
    keep,
)
from federation.keyset import next_keyset
from federation.record import TOMBSTONE, live_until, tombstone_until
from federation.stamp import DAY_MS, DAY_S, as_of_day, day_start_s, stamp_at
from federation.store import MemoryStore
from scripts.vectors.cast import NOW_MS, NOW_S, Cast, stamp

CAST = Cast()
LORIENT = CAST.l1.town
TODAY = as_of_day(NOW_MS)


def store_at() -> MemoryStore:
    store = MemoryStore(CAST.q1.town)
    store.accept(LORIENT)
    for keyset in (CAST.l1, CAST.l2, CAST.l3, CAST.q1, CAST.q2):
        store.add_keyset(keyset)
    return store


@cache
def made(name, days_ago=5, days=380, order=0, is_dead=False, size=60):
    at = stamp(days_ago, order)
    if is_dead:
        end = {"state": TOMBSTONE, "body": b"", "expires": tombstone_until(at)}
    else:
        end = {"body": bytes(size), "expires": live_until(at, days)}
    return CAST.signed(name, stamp=at, **end)


def codes(store, *records, now_ms=NOW_MS):
    return [verdict.code for verdict in admit([r.raw for r in records], store, now_ms)]


# ── the order of the rules ───────────────────────────────────────────────────────────────────────


def broken(record):
    """The same record with a signature of nobody."""
    return record.raw[:-1] + bytes([record.raw[-1] ^ 1])


def test_a_cheaper_rule_speaks_before_a_dearer_one(monkeypatch):
    """Each record here breaks one rule more than the one before: the answer never gets dearer."""
    vannes = {"signer": "V1", "origin": CAST.v1.town, "keyset": CAST.v1.number}
    store = store_at()
    future = CAST.signed("future", stamp=stamp_at(NOW_MS + 2 * DAY_MS))
    (verdict,) = admit([broken(future)], store, NOW_MS)
    assert verdict.code == "quarantined"  # before the signature
    monkeypatch.setattr(admission, "ORIGIN_LIVE_MAX", 0)
    (verdict,) = admit([broken(future)], store, NOW_MS)
    assert verdict.code == "refused:over_quota"  # before the stamp
    stranger = CAST.signed("future", stamp=stamp_at(NOW_MS + 2 * DAY_MS), **vannes)
    (verdict,) = admit([broken(stranger)], store, NOW_MS)
    assert verdict.code == "refused:not_accepted"  # before the quota
    store.remember(stranger.id, "older", NOW_S + DAY_S)
    assert codes(store, stranger) == ["known"]  # before the origin
    (verdict,) = admit([stranger.raw + b"\x00"], store, NOW_MS)
    assert verdict.code == "refused:bad_cose"  # before all others
    (verdict,) = admit([bytes(20_000)], store, NOW_MS)
    assert verdict.code == "refused:too_big"


def test_an_older_revision_with_a_bad_signature_is_a_bad_signature():
    store = store_at()
    codes(store, made("a", days_ago=4))
    (verdict,) = admit([broken(made("a"))], store, NOW_MS)
    assert verdict.code == "refused:bad_signature"


def test_an_examination_writes_nothing():
    store = store_at()
    before = (store.rows(None, TODAY), store.usage([LORIENT]))
    (found,) = examine([made("a").raw], store, NOW_MS)
    assert found.code == "stored"
    assert (store.rows(None, TODAY), store.usage([LORIENT])) == before
    assert store.known([found.id]) == set()
    keep([found], store, NOW_MS)
    assert store.known([found.id]) == {found.id}


def test_one_verdict_for_each_record_in_its_order():
    good, bad = made("a"), broken(made("b"))
    verdicts = admit([bad, good.raw, b"torn", good.raw], store_at(), NOW_MS)
    found = [verdict.code for verdict in verdicts]
    assert found == ["refused:bad_signature", "stored", "refused:bad_cose", "known"]
    assert verdicts[1].id == verdicts[3].id == good.id


def test_a_frozen_town_is_refused_until_its_admin_speaks():
    store = store_at()
    store.freeze(LORIENT)
    assert codes(store, made("a")) == ["refused:frozen"]


def test_our_own_records_come_home_by_the_same_door():
    store = store_at()
    ours = CAST.signed("home", "Q2", origin=CAST.q1.town, keyset=CAST.q2.number)
    assert codes(store, ours) == ["stored"]


# ── convergence ──────────────────────────────────────────────────────────────────────────────────

# of one register, a later revision never ends earlier; all else an origin may do, honest or not
revisions = st.builds(
    made, st.sampled_from("abc"), days_ago=st.integers(0, 5), order=st.integers(0, 1)
)
buried = st.builds(made, st.sampled_from("ab"), days_ago=st.integers(0, 5), is_dead=st.just(True))
doubled = st.builds(made, st.sampled_from("abc"), size=st.integers(1, 3))


@settings(max_examples=40)
@given(
    st.lists(st.one_of(revisions, buried, doubled), max_size=10),
    st.randoms(use_true_random=False),
    st.integers(1, 5),
)
def test_any_order_in_any_batches_ends_in_the_same_set(batch, random, size):
    one, other = store_at(), store_at()
    codes(one, *batch)
    shuffled = random.sample(batch, len(batch)) + batch
    for start in range(0, len(shuffled), size):
        codes(other, *shuffled[start : start + size])
    assert one.rows(LORIENT, TODAY) == other.rows(LORIENT, TODAY)
    # and nothing of it would be fetched again
    assert one.known([record.id for record in batch]) == {record.id for record in batch}


def test_two_live_records_of_one_stamp_are_shown_and_one_is_held_everywhere():
    one, other = made("a", size=1), made("a", size=2)
    winner, loser = (one, other) if one.id > other.id else (other, one)
    for first, second in ((winner, loser), (loser, winner)):
        store = store_at()
        codes(store, first)
        (verdict,) = admit([second.raw], store, NOW_MS)
        assert verdict.rival == first.id
        assert verdict.code == ("stored" if second is winner else "older")
        assert store.record(one.register) == winner


def test_honest_revisions_are_no_equivocation():
    store = store_at()
    verdicts = admit([made("a", 5).raw, made("a", 4).raw, made("a", 5).raw], store, NOW_MS)
    assert [verdict.rival for verdict in verdicts] == [None] * 3


def test_a_tombstone_buries_for_good():
    grave = made("a", days_ago=4, is_dead=True)
    before, after = made("a", 6), made("a", 2)
    store = store_at()
    assert codes(store, before, grave, made("a", 5), after) == [
        "stored",
        "stored",
        "older",
        "older",
    ]
    other = store_at()
    assert codes(other, after, grave, before) == ["stored", "stored", "older"]
    assert store.record(grave.register) == other.record(grave.register) == grave


def test_a_revision_may_not_end_before_the_one_it_replaces_even_within_a_batch():
    store = store_at()
    found = codes(store, made("a", days_ago=5, days=380), made("a", days_ago=4, days=100))
    assert found == ["stored", "refused:expires_early"]


# ── times ────────────────────────────────────────────────────────────────────────────────────────


def test_a_stamp_is_quarantined_past_one_day_ahead_and_not_remembered():
    store = store_at()
    edge = CAST.signed("edge", stamp=stamp_at(NOW_MS + DAY_MS))
    beyond = CAST.signed("beyond", stamp=stamp_at(NOW_MS + DAY_MS + 1))
    assert codes(store, edge, beyond) == ["stored", "quarantined"]
    assert store.known([beyond.id]) == set()
    assert codes(store, beyond, now_ms=NOW_MS + 1) == ["stored"]


def test_what_expired_is_admitted_while_yesterday_s_set_may_hold_it():
    begin = day_start_s(TODAY)
    ends = {
        begin + DAY_S: "stored",  # at the end of today
        begin: "stored",  # with yesterday: out of today's set, in yesterday's
        begin - DAY_S + 1: "stored",
        begin - DAY_S: "expired",  # before yesterday began
    }
    for number, (expires, expected) in enumerate(ends.items()):
        record = CAST.signed(f"end {number}", stamp=stamp(9), expires=expires)
        assert codes(store_at(), record) == [expected]


def test_a_record_in_its_origin_s_set_of_either_day_is_never_refused_as_expired():
    """The set of a day and the admission of the day after agree at every hour of the boundary."""
    for hour in range(-30, 31):
        expires = day_start_s(TODAY) + hour * 3600
        record = CAST.signed("hours", stamp=stamp(9), expires=expires)
        theirs = store_at()
        theirs.put([record])
        is_shown = any(theirs.items(LORIENT, 0, day) for day in (TODAY - 1, TODAY))
        assert (codes(store_at(), record) == ["stored"]) == is_shown


# ── keysets ──────────────────────────────────────────────────────────────────────────────────────


def under(keyset, signer):
    return CAST.signed("under", signer, keyset=keyset.number)


def test_a_record_is_judged_by_the_keyset_it_names():
    assert codes(store_at(), under(CAST.l3, "L3")) == ["stored"]
    assert codes(store_at(), under(CAST.l3, "L2")) == ["refused:bad_signature"]
    assert codes(store_at(), under(CAST.l2, "L2")) == ["stored"]  # replaced ten days ago
    assert codes(store_at(), under(CAST.l1, "L1")) == ["refused:keyset_retired"]


def test_a_replaced_keyset_is_believed_for_thirty_days():
    dies_ms = (CAST.l3.number + 30 * DAY_S) * 1000
    dies_ms += -dies_ms % DAY_MS  # at the start of the next day
    record = CAST.signed("grace", "L2", keyset=CAST.l2.number, stamp=stamp_at(dies_ms - DAY_MS))
    assert codes(store_at(), record, now_ms=dies_ms - 1) == ["stored"]
    assert codes(store_at(), record, now_ms=dies_ms) == ["refused:keyset_retired"]


def test_a_record_ahead_of_its_keyset_is_tried_again_when_the_keyset_has_come():
    store = MemoryStore()
    store.accept(LORIENT)
    admit_keyset(CAST.l1.raw, store)
    record = under(CAST.l3, "L3")
    assert codes(store, record) == ["refused:unknown_keyset"]
    assert store.known([record.id]) == set()
    assert admit_keyset(CAST.l3.raw, store) == "stored"
    assert codes(store, record) == ["stored"]


def test_two_keysets_of_one_number_freeze_the_town():
    store = store_at()
    twin = next_keyset(CAST.root, CAST.l2, CAST.keys["V1"].public, CAST.l3.number)
    assert admit_keyset(twin.raw, store) == "refused:keyset_equivocation"
    assert store.is_frozen(LORIENT)
    assert codes(store, made("a")) == ["refused:frozen"]
    assert CAST.l3 in store.keysets(LORIENT) and twin not in store.keysets(LORIENT)


def test_keysets_of_a_town_nobody_accepted_are_not_kept():
    store = store_at()
    assert admit_keyset(CAST.v1.raw, store) == "refused:not_accepted"
    assert store.keysets(CAST.v1.town) == []
    assert admit_keyset(b"torn", store) == "refused:bad_cose"


def test_a_keyset_comes_once():
    store = store_at()
    assert admit_keyset(CAST.l3.raw, store) == "known"


# ── quota ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def narrow(monkeypatch):
    """A node with room for three live records of one origin."""
    monkeypatch.setattr(admission, "ORIGIN_LIVE_MAX", 3)
    monkeypatch.setattr(admission, "ALLOWANCE_MS", 3 * NEW_EVERY_MS)


FULL = [made(name) for name in "abc"]


def test_the_limits_are_those_of_the_specification():
    assert ORIGIN_LIVE_MAX == 20_000
    assert admission.ORIGIN_MAX_BYTES == 64 * 2**20
    assert NEW_EVERY_MS * 2_000 == DAY_MS


def test_past_the_cap_new_records_wait_and_are_not_fetched_again_that_day(narrow):
    store = store_at()
    assert codes(store, *FULL, made("d")) == ["stored"] * 3 + ["refused:over_quota"]
    assert store.known([made("d").id]) == {made("d").id}
    store.sweep(TODAY + 2)
    assert store.known([made("d").id]) == set()


def test_at_the_cap_a_tombstone_and_a_revision_still_pass(narrow):
    store = store_at()
    later = NOW_MS + DAY_MS  # the allowance has grown again
    codes(store, *FULL)
    assert codes(store, made("a", days_ago=4), now_ms=later) == ["stored"]
    assert codes(store, made("b", days_ago=4, is_dead=True)) == ["stored"]
    assert codes(store, made("d"), made("e"), now_ms=later) == ["stored", "refused:over_quota"]


def test_another_origin_s_room_is_its_own(narrow):
    store = store_at()
    codes(store, *FULL)
    ours = CAST.signed("home", "Q2", origin=CAST.q1.town, keyset=CAST.q2.number)
    assert codes(store, made("d"), ours) == ["refused:over_quota", "stored"]


def test_bytes_are_counted_tombstones_as_well_and_what_is_replaced_makes_room(monkeypatch):
    store = store_at()
    big = made("a", size=4000)
    room = len(big.raw) + len(made("x", is_dead=True).raw)
    monkeypatch.setattr(admission, "ORIGIN_MAX_BYTES", room)
    graves = [made(name, is_dead=True) for name in "xy"]
    assert codes(store, big, *graves) == ["stored", "stored", "refused:over_quota"]
    assert codes(store, made("a", days_ago=4, is_dead=True)) == ["stored"]
    assert codes(store, made("z", days_ago=4, is_dead=True)) == ["stored"]


def test_new_records_come_in_bursts_up_to_the_cap_and_then_one_every_43_seconds(monkeypatch):
    monkeypatch.setattr(admission, "ORIGIN_LIVE_MAX", 3)
    monkeypatch.setattr(admission, "ALLOWANCE_MS", 3 * NEW_EVERY_MS)
    store = store_at()
    assert codes(store, *FULL) == ["stored"] * 3
    changed = [made(name, days_ago=4) for name in "abc"]
    assert codes(store, *changed) == ["refused:over_quota"] * 3
    store.sweep(TODAY + 2)  # forgets that it asked
    one_later = NOW_MS + NEW_EVERY_MS
    assert codes(store, *changed, now_ms=one_later) == ["stored"] + ["refused:over_quota"] * 2


@given(st.lists(st.tuples(st.integers(0, 5 * DAY_MS), st.integers(0, 30)), max_size=20))
def test_an_allowance_never_gives_more_than_burst_and_rate(waits):
    """Against any timing, what passes in a window is at most the burst and the rate over it."""
    burst, now, full, passed = 20, NOW_MS, 0, 0
    for wait, count in waits:
        now += wait
        for _ in range(count):
            after = full_at_ms(full, 1, now)
            if after - now <= burst * NEW_EVERY_MS:
                full, passed = after, passed + 1
    assert passed <= burst + (now - NOW_MS) // NEW_EVERY_MS


def test_a_long_silence_fills_the_allowance_and_no_further():
    assert full_at_ms(0, 5, NOW_MS) == NOW_MS + 5 * NEW_EVERY_MS
    assert full_at_ms(NOW_MS + 7, 1, NOW_MS) == NOW_MS + 7 + NEW_EVERY_MS
