"""What waits, what is held against whom, how much a town takes: kept, decaying, told in words."""

from contextlib import ExitStack
from typing import Any

import pytest

from federation import admission, limits
from federation.errors import RemoteProtocolError
from federation.record import Record
from node.app import jobs_of
from node.desk import reasons
from node.partners import pairing, quota, strikes
from node.partners.doorway import BUSY_S, KEYS_MAX, Buckets, Doorway
from node.store.network import quarantine, refusals
from node.store.network import strikes as held_against
from node.store.network.strikes import CARRIER, ORIGIN
from node.store.sets import origins
from tests.node.partner_wire import (
    Caller,
    desk_page,
    desk_page_of,
    falsified,
    foreign_record,
    held_ids,
    partner,
    publish,
    titles,
    withdraw,
)
from tests.world import Place, World

DAY_MS = 86_400_000


def ahead(world: World, place: Place, days: float) -> Record:
    return foreign_record(place.town.keyring, world.clock.now_ms() + int(days * DAY_MS))


def run_job(town: Any, name: str) -> None:
    next(job for job in jobs_of(town) if job.name == name).run(town)


def brought(place: Place, by: Place, *raws: bytes) -> list[str]:
    with place.inside() as town:
        return [each.code for each in town.journal.ingest(raws, by.town.id)]


# ── the quarantine ───────────────────────────────────────────────────────────────────────────────


def test_a_record_of_the_future_waits_in_sight_and_is_taken_on_its_day(
    world: World, lorient: Place, quimper: Place
) -> None:
    record = ahead(world, quimper, 3)
    for _ in range(2):
        assert brought(lorient, quimper, record.raw) == ["quarantined"]
    with lorient.inside():
        (line,) = quarantine.latest(quimper.town.id)
        (waiting,) = quarantine.waiting(quimper.town.id)
    assert (line.record, line.tries, line.first_ms) == (record.id, 2, world.clock.now_ms())
    until_ms = world.clock.now_ms() + 2 * DAY_MS
    assert waiting == (quimper.town.id, "quarantined", 1, world.clock.now_ms(), until_ms)
    page = desk_page_of(lorient, quimper)
    assert "Enregistrements en attente" in page
    assert "en avance sur notre horloge" in page
    assert not titles(lorient, quimper)
    world.clock.forward(days=2)
    assert brought(lorient, quimper, record.raw) == ["stored"]
    with lorient.inside():
        assert quarantine.waiting(quimper.town.id) == []
    assert "Enregistrements en attente" not in desk_page_of(lorient, quimper)


def test_a_record_under_keys_not_known_yet_waits_without_a_day(
    world: World, lorient: Place, quimper: Place
) -> None:
    ring = quimper.town.keyring
    record = foreign_record(ring, world.clock.now_ms(), keyset=ring.keyset.number + 1)
    assert brought(lorient, quimper, record.raw) == ["refused:unknown_keyset"]
    with lorient.inside():
        (waiting,) = quarantine.waiting(quimper.town.id)
        assert refusals.counts(quimper.town.id) == {}
    assert (waiting.code, waiting.until_ms) == ("unknown_keyset", None)
    assert "l’arrivée de ses clés" in desk_page_of(lorient, quimper)


def test_the_quarantine_of_a_partner_has_its_end_and_is_swept(lorient: Place, world: World) -> None:
    now_ms = world.clock.now_ms()
    rows = [(at.to_bytes(32, "big"), bytes(32), "quarantined", None) for at in range(700)]
    with lorient.inside():
        quarantine.note(b"q" * 32, rows, now_ms)
        quarantine.note(b"v" * 32, rows[:3], now_ms)
        (mine,) = quarantine.waiting(b"q" * 32)
        assert mine.records == quarantine.KEPT_PER_PARTNER
        assert quarantine.sweep(now_ms + quarantine.FORGOTTEN_MS) == 0
        assert quarantine.sweep(now_ms + quarantine.FORGOTTEN_MS + 1) == mine.records + 3


def test_a_future_without_end_is_not_fetched_at_every_visit(
    world: World, lorient: Place, quimper: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "KEPT_PER_PARTNER", 3)
    made = [ahead(world, quimper, 3 + at) for at in range(5)]
    brought(lorient, quimper, *(each.raw for each in made))
    with lorient.inside() as town:
        assert len(quarantine.held(quimper.town.id)) == 3
        assert town.store.known([each.id for each in made]) == {each.id for each in made[3:]}
        world.clock.forward(days=1)
        run_job(town, "forgetting")
        assert town.store.known([each.id for each in made]) == set()


# ── strikes ──────────────────────────────────────────────────────────────────────────────────────


def test_a_false_record_is_held_against_its_carrier_and_not_its_author(
    world: World, lorient: Place, quimper: Place
) -> None:
    world.found("Vannes")
    world.pair("Lorient", "Vannes")
    vannes = world.places["Vannes"]
    (good,) = publish(vannes, "Tente")
    assert brought(lorient, quimper, falsified(good)) == ["refused:bad_signature"]
    with lorient.inside():
        now_ms = world.clock.now_ms()
        (count,) = held_against.counts(quimper.town.id, now_ms)
        assert (count.role, count.code, count.count) == (CARRIER, "bad_signature", 1)
        assert held_against.counts(vannes.town.id, now_ms) == []


def test_what_is_vouched_wrongly_is_held_against_the_author_and_not_its_carrier(
    world: World, lorient: Place, quimper: Place
) -> None:
    with lorient.inside():
        now_ms = world.clock.now_ms()
        held_against.note(quimper.town.id, "bad_signature", now_ms)
        assert strikes.ill_days(quimper.town.id, ORIGIN, now_ms) == 1
        assert strikes.ill_days(quimper.town.id, CARRIER, now_ms) == 0
        assert not strikes.is_put_off(quimper.town.id, now_ms)
    page = desk_page_of(lorient, quimper)
    assert "celle qui les a apportés n’y est pour rien" in page
    assert "celle qui les a apportés n’y est pour rien" in desk_page(lorient, "/admin")


@pytest.mark.parametrize(("ill_days", "hours"), [(0, 0), (1, 1), (2, 3), (3, 6), (5, 6)])
def test_the_more_days_it_lasts_the_later_a_partner_is_visited(
    world: World, lorient: Place, quimper: Place, ill_days: int, hours: int
) -> None:
    for day in range(7):
        with lorient.inside():
            count = 6 if day >= 7 - ill_days else 5  # five a day are borne
            strikes.against_carrier(quimper.town.id, "bad_signature", world.clock.now_ms(), count)
        world.clock.forward(days=1 if day < 6 else 0)
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    publish(lorient, "Perceuse")  # news do not hasten what is put off
    with lorient.inside() as town:
        assert (town.exchanges.due() == []) == bool(hours)
        now_ms = world.clock.now_ms()
        assert strikes.is_put_off(quimper.town.id, now_ms + hours * 3_600_000 - 1) == bool(hours)
        assert not strikes.is_put_off(quimper.town.id, now_ms + hours * 3_600_000)
    is_told = "souvent abîmé" in desk_page(lorient, "/admin")
    assert is_told == (ill_days >= 3)
    assert ("souvent abîmé" in desk_page_of(lorient, quimper)) == (ill_days >= 1)


def test_strikes_are_forgotten_after_a_week_and_swept_after_a_month(
    world: World, lorient: Place, quimper: Place
) -> None:
    with lorient.inside():
        at_ms = world.clock.now_ms()
        strikes.against_carrier(quimper.town.id, "unasked", at_ms, 100)
        for days, ill in ((0, 1), (6, 1), (7, 0), (-1, 0)):
            assert strikes.ill_days(quimper.town.id, CARRIER, at_ms + days * DAY_MS) == ill
        assert held_against.sweep(at_ms + 29 * DAY_MS) == 0
        assert held_against.sweep(at_ms + 30 * DAY_MS) == 1


def test_every_strike_there_is_has_its_sentence() -> None:
    for code in strikes.TOLERATED[CARRIER]:
        assert reasons.OTHER not in (reasons.outcome(code), reasons.refused(code)) or (
            {reasons.outcome(code), reasons.refused(code)} != {reasons.OTHER}
        )
    days = [each.ill_days for each in strikes.CONSEQUENCES]
    assert days == sorted(days) and days[0] == 0
    assert strikes.TOLERATED[CARRIER]["bad_signature"] < limits.BAD_SIGNATURES_MAX


def test_a_partner_that_is_ended_leaves_nothing_held_against_it(
    world: World, lorient: Place, quimper: Place
) -> None:
    brought(lorient, quimper, ahead(world, quimper, 9).raw, b"\xff")
    with lorient.inside() as town:
        pairing.remove(quimper.town.id, town.clock)
        assert quarantine.waiting(quimper.town.id) == []
        assert held_against.counts(quimper.town.id, world.clock.now_ms()) == []


# ── quotas ───────────────────────────────────────────────────────────────────────────────────────


def test_the_page_says_how_much_room_a_town_takes(
    world: World, lorient: Place, quimper: Place
) -> None:
    publish(quimper, *map(str, range(12)))
    world.visit("Lorient", "Quimper")
    with lorient.inside():
        (used,) = quota.of([quimper.town.id], world.clock.now_ms())
    assert used.live == len(held_ids(lorient, quimper.town.id))
    assert used.new_left == admission.ORIGIN_LIVE_MAX - used.live
    assert not (used.is_full or used.is_late or used.is_near)
    assert "enregistrements sur 20 000" in desk_page_of(lorient, quimper).replace("\u202f", " ")


def test_abuse_046_a_town_at_its_daily_limit_is_told_so_and_others_are_untouched(
    world: World, lorient: Place, quimper: Place
) -> None:
    world.found("Vannes")
    world.pair("Lorient", "Vannes")
    with lorient.inside():  # it brought all it may at once a moment ago
        full_ms = world.clock.now_ms() + admission.ORIGIN_LIVE_MAX * admission.NEW_EVERY_MS
        origins.spend(quimper.town.id, full_ms)
    publish(quimper, "Une de trop")
    publish(world.places["Vannes"], "Tente")
    assert world.visit("Lorient", "Quimper").refused > 0
    assert world.visit("Lorient", "Vannes").outcome == "ok"
    assert titles(lorient, world.places["Vannes"]) == {"Tente"}
    assert titles(lorient, quimper) == set()
    page = desk_page_of(lorient, quimper)
    assert "Quimper a atteint sa limite du jour\u00a0; le reste viendra demain." in page
    world.clock.forward(days=1)
    with lorient.inside() as town:
        run_job(town, "forgetting")
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert titles(lorient, quimper) == {"Une de trop"}


def test_a_full_town_may_still_withdraw(world: World, lorient: Place, quimper: Place) -> None:
    (record,) = publish(quimper, "Perceuse")
    world.visit("Lorient", "Quimper")
    with lorient.inside():
        full_ms = world.clock.now_ms() + admission.ORIGIN_LIVE_MAX * admission.NEW_EVERY_MS
        origins.spend(quimper.town.id, full_ms)
    withdraw(quimper, record)
    world.visit("Lorient", "Quimper")
    assert titles(lorient, quimper) == set()


# ── a partner that asks to be left alone ─────────────────────────────────────────────────────────


def test_a_partner_that_comes_too_often_is_told_when_to_come_back_and_does(
    world: World, lorient: Place, quimper: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.partners.doorway.VISITS_PER_HOUR", 2)
    outcomes = [world.visit("Lorient", "Quimper").outcome for _ in range(4)]
    assert outcomes[0] == "ok" and outcomes[-1] == "rate_limited"
    row = partner(lorient, quimper)
    assert row.next_try_ms >= world.clock.now_ms() + 30 * 60_000
    assert "revenir plus tard" in desk_page_of(lorient, quimper)
    world.clock.at_ms = row.next_try_ms
    outcome = world.visit("Lorient", "Quimper")
    assert (outcome.outcome, outcome.round_trips) == ("ok", 1)  # no hello: the nonce was kept


def test_one_partner_that_comes_too_often_does_not_close_the_door_to_another(
    world: World, lorient: Place, quimper: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.partners.doorway.VISITS_PER_HOUR", 1)
    world.found("Vannes")
    world.pair("Quimper", "Vannes")
    for _ in range(3):
        world.visit("Lorient", "Quimper")
    assert world.visit("Vannes", "Quimper").outcome == "ok"


def test_a_stranger_that_knocks_without_end_is_not_listened_to_and_partners_are(
    world: World, lorient: Place, quimper: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.partners.doorway.STRANGERS_PER_HOUR", 5)
    web = quimper.app.test_client()
    statuses = [web.post(limits.SUMMARY, data=b"x").status_code for _ in range(8)]
    assert statuses == [401] * 5 + [429] * 3
    assert int(web.post(limits.SUMMARY, data=b"x").headers["retry-after"]) > 0
    assert Caller(lorient, quimper).hello().status == 200


def test_what_is_replayed_does_not_use_up_the_patience_for_a_partner(
    world: World, lorient: Place, quimper: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.partners.doorway.REQUESTS_PER_HOUR", 20)
    caller = Caller(lorient, quimper)
    caller.hello()
    captured = caller.signed(limits.PUSH, b"")
    statuses = {caller.send(captured).status for _ in range(30)}
    assert statuses == {200, 409}
    assert world.visit("Lorient", "Quimper").outcome == "ok"


def test_a_partner_has_two_requests_at_once_and_the_pages_half_of_the_threads(
    lorient: Place, quimper: Place
) -> None:
    doorway = Doorway(at_once=3)
    peer, other = lorient.town.id, quimper.town.id
    with doorway.admitted(peer, limits.PUSH, 0), doorway.admitted(peer, limits.PUSH, 0):
        with pytest.raises(RemoteProtocolError) as caught, doorway.admitted(peer, limits.PUSH, 0):
            pass
        assert (caught.value.code, caught.value.status_hint) == ("rate_limited", 503)
        assert caught.value.wait_s == BUSY_S
        with doorway.admitted(other, limits.PUSH, 0):
            pass
    with ExitStack() as stack:
        stack.enter_context(doorway.admitted(peer, limits.PUSH, 0))
        had_room = [stack.enter_context(doorway.entered()) for _ in range(4)]
    assert had_room == [True, True, True, False]
    with doorway.entered() as again:
        assert again


def test_a_busy_node_says_so_before_it_reads_anything(quimper: Place) -> None:
    doorway = quimper.app.extensions["lavoir doorway"]
    with ExitStack() as stack:
        while stack.enter_context(doorway.entered()):
            pass
        answer = quimper.app.test_client().post(limits.PUSH, data=b"x" * 2_000_000)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, str(BUSY_S))
    assert quimper.app.test_client().post(limits.PUSH, data=b"x").status_code == 401


def test_what_a_partner_is_given_in_a_day_has_an_end(
    lorient: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.partners.doorway.ANSWERED_BYTES_PER_DAY", 1_000_000)
    doorway = Doorway(at_once=3)
    peer = lorient.town.id
    doorway.answered(peer, 900_000, 0)
    with doorway.admitted(peer, limits.FETCH, 0):
        pass
    doorway.answered(peer, 400_000, 0)
    with pytest.raises(RemoteProtocolError) as caught, doorway.admitted(peer, limits.FETCH, 0):
        pass
    wait_ms = caught.value.wait_s * 1_000
    assert 0 < wait_ms <= DAY_MS
    with doorway.admitted(peer, limits.FETCH, wait_ms):
        pass


def test_a_clock_set_back_shuts_no_door_and_forgives_nothing() -> None:
    buckets = Buckets()
    for _ in range(3):
        buckets.take("x", 1, 3, 1_000, 10_000_000)
    buckets.take("y", 1, 3, 1_000, 10_000_000)
    assert buckets.wait_ms("x", 1, 3, 1_000, 0) == 334
    assert buckets.wait_ms("y", 1, 3, 1_000, 0) == 0
    assert buckets.wait_ms("x", 1, 3, 1_000, 400) == 0
    for at in range(2 * KEYS_MAX):
        buckets.take(str(at), 1, 3, 1_000, 20_000_000)
    assert len(buckets.full_ms) <= KEYS_MAX
