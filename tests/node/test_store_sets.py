"""The sets in the database are the sets in memory: same port, same answers, sums that add up."""

import hashlib
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.keys import SigningKey
from federation.keyset import COMPROMISE, Keyset, genesis, next_keyset
from federation.record import LIVE, SCOPES, TOMBSTONE, Record
from federation.stamp import DAY_MS, DAY_S, as_of_day, end_day, stamp_at, stamp_unix_s
from federation.store import MemoryStore, fingerprint
from node.store.database import DRIVERS, open_database, using, write_tx
from node.store.network import partners
from node.store.schema import migrate
from node.store.sets import keysets, memory, origins, record_store, records, sums
from node.store.sets.record_store import SqlRecordStore
from node.store.sets.records import RecordRow
from node.store.tables import TABLES

NOW_MS = 1_795_000_000_000
TODAY = as_of_day(NOW_MS)
CARRIER = bytes(32)


def town_of(letter: bytes) -> tuple[Keyset, Keyset]:
    """A town's first keyset and the one that replaced it ten days before NOW."""
    root, signing = letter * 32, SigningKey.from_seed(letter.upper() * 32)
    first = genesis(root, signing.public, NOW_MS // 1000 - 90 * DAY_S)
    later = SigningKey.from_seed(b"\x07" + letter * 31).public
    return first, next_keyset(root, first, later, NOW_MS // 1000 - 10 * DAY_S)


KEYSETS = {name: town_of(name.encode()) for name in "own"}
OWN, PARTNER, INTRODUCED = (KEYSETS[name][0].town for name in "own")
TOWNS = (OWN, PARTNER, INTRODUCED)
NUMBERS = {pair[0].town: [each.number for each in pair] for pair in KEYSETS.values()}
STOLEN = next_keyset(
    b"w" * 32,
    KEYSETS["w"][1],
    SigningKey.from_seed(b"\x08" * 32).public,
    NOW_MS // 1000,
    COMPROMISE,
)
STRANGER = b"\xfe" * 32


def record(origin, key, age_days, life_days, scope, state, keyset, salt=0) -> Record:
    """A record as the store sees one: its form was checked elsewhere."""
    stamp = stamp_at(NOW_MS - age_days * DAY_MS) + salt
    expires = stamp_unix_s(stamp) + (430 if state == TOMBSTONE else life_days) * DAY_S
    fields = (origin, keyset, bytes([key]) * 16, stamp, expires, scope, "lending.item/1", state)
    raw = repr(fields).encode()
    body = b"" if state == TOMBSTONE else b"\xa0"
    to = PARTNER if scope == 2 else None
    identity = hashlib.sha256(raw).digest()
    return Record(raw, identity, *fields, bytes(16), body, to, (), bytes(64))


@st.composite
def drawn_records(draw):
    origin = draw(st.sampled_from(TOWNS))
    return record(
        origin,
        key=draw(st.integers(0, 3)),
        age_days=draw(st.integers(0, 60)),
        life_days=draw(st.integers(1, 90)),
        scope=draw(st.sampled_from(SCOPES)),
        state=draw(st.sampled_from((LIVE, LIVE, TOMBSTONE))),
        keyset=draw(st.sampled_from(NUMBERS[origin])),
        salt=draw(st.integers(0, 2)),
    )


@pytest.fixture(scope="module", params=DRIVERS)
def database(tmp_path_factory, request):
    made = open_database(tmp_path_factory.mktemp("sets") / "town.db", request.param)
    migrate(made)
    yield made
    made.close()


@pytest.fixture
def store(database):
    with using(database):
        yield fresh_store()


def fresh_store() -> SqlRecordStore:
    """Empty the current database and pair it anew."""
    for table in (*record_tables(), partners.Partner):
        table.delete().execute()
    partners.save(PARTNER, status="active", name="Quimper")
    partners.save(INTRODUCED, status="introduced", name="Vannes")
    partners.save(STRANGER, status="words", name="Rennes")
    filled = SqlRecordStore(OWN, carrier=CARRIER, now_ms=NOW_MS)
    for first, later in KEYSETS.values():
        filled.add_keyset(first)
        filled.add_keyset(later)
    return filled


def record_tables():
    names = ("record", "setsum", "remembered", "keyset", "origin", "checkpoint", "run_list", "gap")
    names += ("unverified", "distrust", "completeness", "strike")
    return [table for table in TABLES if table._meta.table_name in names]


def memory_store() -> MemoryStore:
    """The same town in memory."""
    twin = MemoryStore(OWN)
    for first, later in KEYSETS.values():
        twin.accept(first.town)
        twin.add_keyset(first)
        twin.add_keyset(later)
    return twin


def assert_alike(store, twin, drawn):
    """Every answer of the port, for every kind of peer, today and on the days around a change."""
    ids = [each.id for each in drawn]
    assert store.known(ids) == twin.known(ids)
    assert store.current(r.register for r in drawn) == twin.current(r.register for r in drawn)
    assert {k: v for k, v in store.usage(TOWNS).items() if v != (0, 0, 0)} == {
        k: v for k, v in twin.usage(TOWNS).items() if v != (0, 0, 0)
    }
    for peer in (None, PARTNER, STRANGER):
        assert store.raws(ids, peer) == twin.raws(ids, peer)
        for as_of in (TODAY - 1, TODAY, TODAY + 21, TODAY + 40):
            assert set(store.rows(peer, as_of)) == set(twin.rows(peer, as_of))
    for origin in TOWNS:
        for scope in SCOPES:
            assert store.items(origin, scope, TODAY) == twin.items(origin, scope, TODAY)


@settings(max_examples=50, deadline=None)
@given(
    batches=st.lists(st.lists(drawn_records(), max_size=8), max_size=3),
    sweep_at=st.integers(TODAY, TODAY + 60),
)
def test_the_database_answers_as_the_memory_does(database, batches, sweep_at):
    drawn = list(chain(*batches))
    with using(database), write_tx():
        store, twin = fresh_store(), memory_store()
        for batch in batches:
            store.put(batch)
            twin.put(batch)
            assert_alike(store, twin, drawn)
        assert record_store.sweep(sweep_at) == twin.sweep(sweep_at)
        assert_alike(store, twin, drawn)
        store.add_keyset(STOLEN)
        twin.add_keyset(STOLEN)
        assert_alike(store, twin, drawn)
        store.freeze(PARTNER)
        twin.freeze(PARTNER)
        assert_alike(store, twin, drawn)


@settings(max_examples=60, deadline=None)
@given(
    batches=st.lists(st.lists(drawn_records(), max_size=10), max_size=4),
    forgotten=st.sampled_from((None, *TOWNS)),
)
def test_the_sums_are_what_adding_up_the_records_gives(database, batches, forgotten):
    with using(database), write_tx():
        store = fresh_store()
        for batch in batches:
            store.put(batch)
        if forgotten:
            record_store.forget_origin(forgotten)
        expected: dict[tuple, list[int]] = {}
        for row in RecordRow.select():
            place = (row.origin, row.scope, end_day(row.expires), row.keyset)
            part = expected.setdefault(place, [0, 0, 0, 0])
            part[0] += 1
            part[1] += row.state == LIVE
            part[2] += len(row.raw)
            part[3] = (part[3] + int.from_bytes(row.id, "little")) % 2**256
        assert {part[:4]: list(part[4:]) for part in sums.parts()} == expected


def test_a_register_holds_one_revision_and_the_others_are_remembered(store):
    old, new = (record(OWN, 1, age, 30, 0, LIVE, NUMBERS[OWN][0]) for age in (5, 1))
    store.put([new])
    store.put([old])
    assert store.known([old.id, new.id]) == {old.id, new.id}
    assert records.find(OWN, new.key).id == new.id
    assert memory.reason(old.id) == "older"
    assert RecordRow.select().count() == 1
    store.put([old, new])
    assert RecordRow.select().count() == 1


def test_the_bytes_come_back_as_they_came(store):
    sent = record(OWN, 1, 1, 30, 2, LIVE, NUMBERS[OWN][0])
    store.put([sent])
    row = records.by_id(sent.id)
    assert (row.raw, row.to, row.carrier, row.received_ms) == (sent.raw, PARTNER, CARRIER, NOW_MS)
    assert row.size_bytes == len(sent.raw)


def test_partners_only_records_are_shown_by_their_own_origin_alone(store):
    store.put([record(town, 1, 1, 30, 1, LIVE, NUMBERS[town][0]) for town in TOWNS])
    shown = {row.origin for row in store.rows(PARTNER, TODAY)}
    assert shown == {OWN, PARTNER}
    assert store.rows(None, TODAY) == store.rows(STRANGER, TODAY) == []


def test_a_removed_partner_is_no_longer_shown_nor_asked(store):
    store.put([record(PARTNER, 1, 1, 30, 0, LIVE, NUMBERS[PARTNER][0])])
    partners.save(PARTNER, status="removed")
    assert store.rows(OWN, TODAY) == []
    assert not store.is_accepted(PARTNER)
    assert record_store.forget_origin(PARTNER) == 1
    assert sums.parts(PARTNER) == []


def test_figures_tell_live_and_buried_apart(store):
    number = NUMBERS[OWN][0]
    live = [record(OWN, key, 1, 30, 0, LIVE, number) for key in range(3)]
    buried = record(OWN, 9, 1, 30, 0, TOMBSTONE, number)
    store.put([*live, buried])
    (figures,) = record_store.figures(TODAY)
    total = sum(int.from_bytes(each.id, "little") for each in (*live, buried)) % 2**256
    assert (figures.live, figures.tombstones) == (3, 1)
    assert figures.fingerprint == fingerprint(total, 4)
    assert figures.size_bytes == sum(len(each.raw) for each in (*live, buried))


def test_a_walk_sees_every_record_once_though_it_is_rewritten_meanwhile(store, monkeypatch):
    monkeypatch.setattr(records, "CHUNK", 3)
    number = NUMBERS[OWN][0]
    store.put([record(OWN, key, 2, 30, 0, LIVE, number) for key in range(10)])
    seen = []
    for row in records.walk(OWN):
        seen.append(row.key)
        store.put([record(PARTNER, len(seen), 1, 30, 0, LIVE, NUMBERS[PARTNER][0])])
    assert seen == [bytes([key]) * 16 for key in range(10)]
    assert [row.kind for row in records.walk(OWN, "rides.ride/1")] == []


def test_only_what_was_never_sent_is_marked_sent(store):
    store.put([record(OWN, key, 1, 30, 0, LIVE, NUMBERS[OWN][0]) for key in range(2)])
    ids = [row.id for row in records.walk(OWN)]
    records.mark_sent(ids[:1], 1)
    records.mark_sent(ids, 2)
    assert [row.sent_ms for row in records.walk(OWN)] == [1, 2]


def test_expiring_names_the_live_records_to_renew(store):
    number = NUMBERS[OWN][0]
    soon, late = (record(OWN, key, 1, days, 0, LIVE, number) for key, days in ((1, 20), (2, 200)))
    buried = record(OWN, 3, 400, 0, 0, TOMBSTONE, number)
    store.put([soon, late, buried])
    rows = records.expiring(OWN, NOW_MS // 1000 + 100 * DAY_S)
    assert [row.id for row in rows] == [soon.id]


def test_keysets_come_back_as_they_were_checked(store):
    first, later = KEYSETS["w"]
    assert store.keysets(PARTNER) == keysets.by_town()[PARTNER] == [first, later]
    assert keysets.by_id(later.id) == later
    store.add_keyset(later)
    assert len(store.keysets(PARTNER)) == 2
    keysets.forget_town(PARTNER)
    assert store.keysets(PARTNER) == []


def test_an_origin_keeps_its_allowance_and_its_frost(store):
    store.spend(PARTNER, 42)
    store.freeze(PARTNER)
    store.spend(PARTNER, 43)
    assert store.is_frozen(PARTNER)
    assert store.usage([PARTNER, OWN]) == {PARTNER: (0, 0, 43)}
    origins.freeze(PARTNER, False)
    assert not store.is_frozen(PARTNER)


def test_what_is_remembered_can_be_forgotten_by_reason_or_by_time(store):
    memory.remember([(b"a" * 32, "older", 10), (b"b" * 32, "quota", 20)])
    memory.remember([(b"a" * 32, "refused", 30)])
    assert memory.reason(b"a" * 32) == "refused"
    assert memory.forget("quota") == 1
    assert memory.sweep(29) == 0
    assert memory.sweep(30) == 1
    assert memory.count() == 0
