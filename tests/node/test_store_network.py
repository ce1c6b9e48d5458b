"""Other towns: how far a pairing went, when the next visit is due, what is told once."""

import pytest

from node.store.database import DRIVERS, open_database, using
from node.store.network import exchanges, introductions, nonces, partners, refusals, towns
from node.store.schema import migrate

NOW_MS = 1_795_000_000_000
LORIENT, QUIMPER, VANNES = (bytes([n]) * 32 for n in range(3))


@pytest.fixture(autouse=True, params=DRIVERS)
def database(tmp_path, request):
    made = open_database(tmp_path / "town.db", request.param)
    migrate(made)
    with using(made):
        yield made
    made.close()


def test_a_partner_keeps_what_is_not_named():
    partners.save(LORIENT, name="Lorient", url="https://lorient.example", status="words")
    row = partners.save(LORIENT, status="active", lan=True)
    assert (row.name, row.status, row.lan, row.words_here) == ("Lorient", "active", True, False)
    assert partners.find(QUIMPER) is None
    with pytest.raises(ValueError, match="unknown partner status"):
        partners.save(LORIENT, status="paired")
    with pytest.raises(ValueError, match="unknown column"):
        partners.save(LORIENT, colour="blue")


def test_only_active_and_introduced_towns_are_held():
    for town, status in ((LORIENT, "active"), (QUIMPER, "introduced"), (VANNES, "words")):
        partners.save(town, name=status, status=status)
    assert partners.held_towns() == {LORIENT, QUIMPER}
    assert [each.town for each in partners.listed("words", "active")] == [LORIENT, VANNES]
    assert [partners.is_active(town) for town in (LORIENT, QUIMPER, VANNES)] == [True, False, False]


def test_the_longest_unvisited_partner_is_visited_first():
    for town in (LORIENT, QUIMPER, VANNES):
        partners.save(town, status="active")
    partners.succeeded(LORIENT, NOW_MS - 1, next_ms=NOW_MS)
    partners.succeeded(QUIMPER, NOW_MS - 2, next_ms=NOW_MS)
    assert [each.town for each in partners.due(NOW_MS)] == [VANNES, QUIMPER, LORIENT]
    assert [each.town for each in partners.due(NOW_MS - 1)] == [VANNES]


def test_a_partner_that_fails_is_visited_ever_later_and_says_since_when():
    partners.save(LORIENT, status="active", peer_nonce=b"nonce")
    waits = [partners.failed(LORIENT, "unreachable", NOW_MS + n) - NOW_MS - n for n in range(20)]
    assert waits[:4] == [60_000, 120_000, 240_000, 480_000]
    assert waits == sorted(waits) and waits[-1] == partners.LONGEST_RETRY_MS
    row = partners.find(LORIENT)
    assert (row.down_since_ms, row.failures, row.last_error) == (NOW_MS, 20, "unreachable")
    assert row.peer_nonce == b"nonce"  # a signed refusal brings the next one
    partners.succeeded(LORIENT, NOW_MS + 50, next_ms=NOW_MS + 60)
    row = partners.find(LORIENT)
    assert (row.down_since_ms, row.failures, row.last_error) == (None, 0, "")
    assert partners.failed(LORIENT, "slow", NOW_MS, jitter=0.0) == NOW_MS + 30_000
    assert partners.failed(LORIENT, "slow", NOW_MS, jitter=0.5) == NOW_MS + 75_000


@pytest.mark.parametrize(
    ("asked_ms", "waits_ms"),
    [(0, 60_000), (59_000, 60_000), (600_000, 600_000), (10 * 365 * 86_400_000, 6 * 3_600_000)],
)
def test_a_partner_that_asks_to_be_left_alone_is_for_six_hours_at_most(asked_ms, waits_ms):
    partners.save(LORIENT, status="active")
    next_ms = partners.failed(LORIENT, "rate_limited", NOW_MS, wait_ms=asked_ms)
    assert next_ms - NOW_MS == waits_ms


def test_news_hastens_the_visits_to_the_healthy_alone():
    for town in (LORIENT, QUIMPER, VANNES):
        partners.save(town, status="active", next_try_ms=NOW_MS + 900_000)
    partners.failed(VANNES, "unreachable", NOW_MS)
    partners.hasten(NOW_MS, but=QUIMPER)
    assert [each.town for each in partners.due(NOW_MS)] == [LORIENT]


def test_a_nonce_is_good_once_for_its_own_partner_and_for_a_while():
    nonces.give(b"n", LORIENT, NOW_MS + 10)
    assert not nonces.spend(b"n", QUIMPER, NOW_MS)
    assert not nonces.spend(b"n", LORIENT, NOW_MS + 10)
    assert nonces.spend(b"n", LORIENT, NOW_MS)
    assert not nonces.spend(b"n", LORIENT, NOW_MS)


def test_a_partner_cannot_fill_the_disk_with_nonces():
    for number in range(nonces.PER_PARTNER + 5):
        nonces.give(bytes([number]), LORIENT, NOW_MS + number)
    nonces.give(b"other", QUIMPER, NOW_MS)
    assert not nonces.spend(bytes([4]), LORIENT, NOW_MS - 1)
    assert nonces.spend(bytes([5]), LORIENT, NOW_MS - 1)
    assert nonces.spend(b"other", QUIMPER, NOW_MS - 1)
    assert nonces.sweep(NOW_MS + 100) == nonces.PER_PARTNER - 1


def test_an_introduction_given_is_given_until_taken_back():
    introductions.give(LORIENT, VANNES, NOW_MS)
    introductions.give(LORIENT, VANNES, NOW_MS + 1)
    assert introductions.given_to(LORIENT) == [VANNES]
    assert introductions.given_to(VANNES) == []
    introductions.take_back(LORIENT, VANNES)
    assert introductions.given_to(LORIENT) == []


def test_an_answer_outlives_the_next_visit():
    told = {"name": "Vannes", "url": "https://vannes.example", "keysets": b"k"}
    introductions.receive(LORIENT, VANNES, **told, now_ms=NOW_MS)
    introductions.receive(QUIMPER, VANNES, **told, now_ms=NOW_MS)
    assert [each.partner for each in introductions.received("")] == [LORIENT, QUIMPER]
    introductions.answer(VANNES, "declined")
    introductions.receive(LORIENT, VANNES, **{**told, "name": "Gwened"}, now_ms=NOW_MS + 1)
    first, second = introductions.received()
    assert (first.name, first.answer, second.answer) == ("Gwened", "declined", "declined")
    assert introductions.received("") == []
    introductions.forget_partner(LORIENT)
    assert [each.partner for each in introductions.received()] == [QUIMPER]
    with pytest.raises(ValueError, match="unknown answer"):
        introductions.answer(VANNES, "maybe")


def test_the_log_of_visits_is_kept_short(monkeypatch):
    monkeypatch.setattr(exchanges, "KEPT_PER_PARTNER", 3)
    exchanges.start(QUIMPER, "in", NOW_MS)
    for number in range(5):
        row = exchanges.start(LORIENT, "out", NOW_MS + number)
        exchanges.finish(row, "ok", NOW_MS + number + 1, received=number, bytes_in=9)
    seen = exchanges.latest(LORIENT)
    assert [(each.received, each.outcome) for each in seen] == [(4, "ok"), (3, "ok"), (2, "ok")]
    assert [each.outcome for each in exchanges.latest(QUIMPER)] == ["open"]


def test_a_refused_record_is_named_once_and_counted(monkeypatch):
    monkeypatch.setattr(refusals, "KEPT_PER_PARTNER", 3)
    for number in range(5):
        refusals.note(LORIENT, bytes([number]) * 32, "bad_signature", NOW_MS + number, QUIMPER)
    refusals.note(LORIENT, bytes([2]) * 32, "bad_signature", NOW_MS + 9, QUIMPER)
    refusals.note(QUIMPER, bytes(32), "too_big", NOW_MS, None)
    seen = refusals.latest(LORIENT)
    assert [(each.record[0], each.times) for each in seen] == [(2, 2), (4, 1), (3, 1)]
    assert refusals.counts(LORIENT) == {"bad_signature": 3}
    assert refusals.counts(QUIMPER) == {"too_big": 1}
    refusals.forget_partner(LORIENT)
    assert refusals.latest(LORIENT) == []


def test_a_town_s_card_is_replaced_whole():
    towns.put(LORIENT, NOW_MS, name="Lorient", hpke=b"k" * 32)
    towns.put(LORIENT, NOW_MS + 1, name="An Oriant")
    assert [(each.name, each.updated_ms) for each in towns.listed()] == [("An Oriant", NOW_MS + 1)]
    towns.clear()
    assert towns.find(LORIENT) is None
