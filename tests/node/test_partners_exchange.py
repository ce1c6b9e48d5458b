"""One visit: cut anywhere it is gone on with, two at once do no harm, and news does not wait."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from federation import limits
from federation.errors import RemoteProtocolError
from federation.signature import HttpReply, HttpRequest
from node.app import start_jobs
from node.partners import pairing
from node.store.database import write_tx
from node.store.network import partners
from tests.node.partner_wire import (
    KIND,
    TOWNS,
    desk_page_of,
    item,
    partner,
    publish,
    three_towns,
    titles,
    visits,
)
from tests.world import Place, World

MINUTE_MS = 60_000

Interference = Callable[[HttpRequest], None]


class WatchedWorld(World):
    """A world where a test sees each request before it is carried, and may do something then."""

    interfere: Interference | None = None

    def _connector(self, name: str) -> Any:
        near = super()._connector(name)
        return lambda url, lan=False: _Watched(self, near(url, lan))


class _Watched:
    def __init__(self, world: WatchedWorld, link: Any) -> None:
        self.world, self.link = world, link

    def send(self, request: HttpRequest, max_bytes: int) -> HttpReply:
        if self.world.interfere is not None:
            self.world.interfere(request)
        return self.link.send(request, max_bytes)  # type: ignore[no-any-return]

    def close(self) -> None:
        self.link.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WatchedWorld]:
    """Lorient and Quimper, partners, each with something the other lacks."""
    made = WatchedWorld(tmp_path)
    made.found("Lorient")
    made.found("Quimper")
    made.pair("Lorient", "Quimper")
    yield made
    made.close()


def check_agreed(world: World) -> None:
    held = list(world.fingerprints().values())
    assert all(each == held[0] for each in held)


def visit_due(place: Place) -> int:
    with place.inside() as town:
        return int(town.exchanges.visit_due())


# ── news ─────────────────────────────────────────────────────────────────────────────────────────


def test_after_a_good_visit_the_next_is_a_quarter_of_an_hour_later(world: WatchedWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    world.visit("Lorient", "Quimper")
    world.visit("Lorient", "Quimper")
    assert partner(lorient, quimper).next_try_ms == world.clock.now_ms() + 15 * MINUTE_MS
    assert visit_due(lorient) == 0
    world.clock.forward(minutes=15)
    assert visit_due(lorient) == 1


def test_news_makes_the_next_visit_due_now(world: WatchedWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    world.visit("Lorient", "Quimper")
    publish(lorient, "Perceuse")
    assert visit_due(lorient) == 1
    assert titles(quimper, lorient) == {"Perceuse"}


def test_news_that_comes_up_during_a_visit_is_carried_by_the_next_one_now(
    world: WatchedWorld,
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(quimper, "Remorque")

    def interfere(request: HttpRequest) -> None:
        if request.path == limits.FETCH:  # the sets were compared: too late for this visit
            world.interfere = None
            world.clock.forward(ms=20)
            publish(lorient, "Perceuse")

    world.interfere = interfere
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert titles(quimper, lorient) == set()
    assert visit_due(lorient) == 1
    assert titles(quimper, lorient) == {"Perceuse"}


def test_what_a_visit_brings_is_told_to_the_others_now_and_not_to_who_brought_it(
    tmp_path: Path,
) -> None:
    world = three_towns(tmp_path)
    lorient, quimper, vannes = (world.places[name] for name in TOWNS)
    world.sync()
    world.clock.forward(minutes=1)
    publish(lorient, "Perceuse")
    with quimper.inside() as town:
        town.exchanges.visit(lorient.town.id)
    now_ms = world.clock.now_ms()
    assert partner(quimper, vannes).next_try_ms == now_ms
    assert partner(quimper, lorient).next_try_ms == now_ms + 15 * MINUTE_MS
    world.close()


def test_a_visit_that_was_killed_is_made_again_soon(world: WatchedWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(lorient, "Perceuse")

    def interfere(request: HttpRequest) -> None:
        raise KeyboardInterrupt  # nothing after this line runs, as when the power is cut

    world.interfere = interfere
    with pytest.raises(KeyboardInterrupt):
        world.visit("Lorient", "Quimper")
    world.interfere = None
    assert partner(lorient, quimper).next_try_ms <= world.clock.now_ms() + 15 * MINUTE_MS
    with lorient.inside():
        partners.hasten(world.clock.now_ms())  # as a start of the node does
    assert visit_due(lorient) == 1
    assert titles(quimper, lorient) == {"Perceuse"}


# ── interrupted, twice at once, restarted ────────────────────────────────────────────────────────


@pytest.mark.parametrize("carried", range(7))
@pytest.mark.parametrize("is_answered", [False, True])
def test_a_visit_cut_after_any_request_is_finished_by_the_next(
    world: WatchedWorld, carried: int, is_answered: bool
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    for at, place in enumerate((lorient, quimper)):
        publish(place, *(f"{place.name} {number}" for number in range(40 + at)))
    left = [carried]

    def interfere(request: HttpRequest) -> None:
        left[0] -= 1
        if left[0] < 0:
            if is_answered:  # it arrives, its answer does not
                world._connector("Lorient")
                far = world.places["Quimper"].app.test_client()
                far.post(request.path, data=request.body, headers=dict(request.headers))
            raise RemoteProtocolError("unreachable", "cut")

    world.interfere = interfere
    outcome = world.visit("Lorient", "Quimper")
    world.interfere = None
    assert outcome.outcome == ("unreachable" if left[0] < 0 else "ok")
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    check_agreed(world)
    assert len(titles(lorient)) == len(titles(quimper)) == 81


def test_two_visits_of_a_pair_at_once_do_no_harm(world: WatchedWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    for place in (lorient, quimper):
        publish(place, *(f"{place.name} {number}" for number in range(150)))
    pairs = [("Lorient", "Quimper"), ("Quimper", "Lorient")] * 2
    start, outcomes = threading.Barrier(len(pairs)), []

    def go(near: str, far: str) -> None:
        start.wait()
        outcomes.append(world.visit(near, far).outcome)

    threads = [threading.Thread(target=go, args=pair) for pair in pairs]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert outcomes == ["ok"] * len(pairs)
    world.sync(1)
    check_agreed(world)
    assert len(titles(lorient)) == 300


def test_a_host_that_restarts_between_two_requests_is_not_noticed(world: WatchedWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(quimper, *(f"Outil {number}" for number in range(30)))
    paths: list[str] = []

    def interfere(request: HttpRequest) -> None:
        paths.append(request.path)
        world.places["Quimper"].town.close()
        world.start("Quimper")

    world.interfere = interfere
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert limits.FETCH in paths
    assert len(titles(lorient)) == 30


def test_a_visitor_that_restarts_needs_no_new_hello(world: WatchedWorld) -> None:
    world.sync()
    paths: list[str] = []
    world.interfere = lambda request: paths.append(request.path)
    for _ in range(3):
        world.places["Lorient"].town.close()
        world.start("Lorient")
        assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert paths == [limits.SUMMARY] * 3


def test_a_partner_that_lost_our_nonce_is_asked_for_another(world: WatchedWorld) -> None:
    world.sync()
    world.clock.forward(days=2)
    paths: list[str] = []
    world.interfere = lambda request: paths.append(request.path)
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert paths == [limits.SUMMARY, limits.HELLO, limits.SUMMARY]


# ── what is noted ────────────────────────────────────────────────────────────────────────────────


def test_every_visit_stands_in_the_log_of_both_ends(world: WatchedWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(lorient, "Perceuse", "Scie")
    publish(quimper, "Remorque")
    world.visit("Lorient", "Quimper")
    line = visits(lorient, quimper)[0]
    assert (line.direction, line.outcome, line.received, line.sent) == ("out", "ok", 2, 3)
    assert line.round_trips >= 4 and line.bytes_in > 0 and line.bytes_out > 0
    assert line.ended_ms is not None
    (heard,) = visits(quimper, lorient)
    assert (heard.direction, heard.outcome, heard.received) == ("in", "ok", 3)


def test_a_visit_longer_than_it_may_last_is_ended_and_goes_on_next_time(
    world: WatchedWorld,
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(quimper, *(f"Outil {number}" for number in range(30)))
    world.interfere = lambda request: world.clock.forward(minutes=6)
    assert world.visit("Lorient", "Quimper").outcome == "timeout"
    world.interfere = None
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert len(titles(lorient)) == 30


def test_a_fault_of_ours_at_one_partner_leaves_the_others_their_visits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = three_towns(tmp_path)
    lorient, quimper, vannes = (world.places[name] for name in TOWNS)
    publish(quimper, "Perceuse")
    publish(vannes, "Remorque")

    take = lorient.town.journal.ingest

    def break_down(raws: Any, carrier: bytes | None = None, *vouch: Any) -> Any:
        if carrier == quimper.town.id:
            raise ZeroDivisionError
        return take(raws, carrier, *vouch)

    monkeypatch.setattr(lorient.town.journal, "ingest", break_down)
    assert visit_due(lorient) == 2
    assert titles(lorient) == {"Remorque"}
    row = partner(lorient, quimper)
    assert (row.failures, row.last_error) == (1, "internal")
    assert row.next_try_ms > world.clock.now_ms()
    assert visits(lorient, quimper)[0].outcome == "internal"
    assert "internal" in desk_page_of(lorient, quimper)
    world.close()


def test_a_record_published_inside_a_transaction_that_fails_never_was(
    world: WatchedWorld,
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    with lorient.inside() as town, pytest.raises(ZeroDivisionError), write_tx():
        town.journal.publish(KIND, item("Perceuse"))
        raise ZeroDivisionError
    world.visit("Quimper", "Lorient")
    assert titles(lorient) == titles(quimper) == set()


def test_a_town_that_was_only_introduced_is_not_visited(tmp_path: Path) -> None:
    world = three_towns(tmp_path, ("Lorient", "Quimper"), ("Quimper", "Vannes"))
    lorient, quimper, vannes = (world.places[name] for name in TOWNS)
    with quimper.inside():
        pairing.introduce(lorient.town.id, vannes.town.id, world.clock)
    world.sync(1)
    with vannes.inside() as town:
        pairing.accept_introduced(lorient.town.id, town.store, world.clock)
        assert [each.name for each in partners.due(world.clock.now_ms())] == ["Quimper"]
    world.close()


def test_a_node_that_starts_visits_its_partners_at_once(world: WatchedWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    world.sync()
    assert partner(lorient, quimper).next_try_ms > world.clock.now_ms()
    before, until = len(visits(lorient, quimper)), time.monotonic() + 30
    runner = start_jobs(lorient.town)
    while len(visits(lorient, quimper)) == before and time.monotonic() < until:
        time.sleep(0.02)
    assert runner.stop()
    assert len(visits(lorient, quimper)) > before
