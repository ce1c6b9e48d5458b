"""Photos between towns: they come by hash after the listings, all of them, from who shows them."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from federation import limits
from federation.signature import HttpRequest
from node.domain.schema import plain
from node.partners import exchange, pairing
from node.store.database import write_tx
from node.store.network import nonces
from tests.node.partner_wire import (
    KIND,
    TOWNS,
    Caller,
    item,
    partner,
    publish,
    three_towns,
    titles,
    visits,
)
from tests.node.photos.pictures import encoded
from tests.node.test_partners_exchange import WatchedWorld, visit_due
from tests.world import START_MS, Place


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WatchedWorld]:
    """Lorient and Quimper, partners."""
    made = WatchedWorld(tmp_path)
    made.found("Lorient")
    made.found("Quimper")
    made.pair("Lorient", "Quimper")
    made.sync(1)
    yield made
    made.close()


def show(place: Place, *seeds: int) -> list[bytes]:
    """Publish an object with its photo for each seed; return the hashes."""
    kept = []
    with place.inside() as town:
        for seed in seeds:
            photo = town.photos.keep(encoded("JPEG", seed=seed))
            kept.append(photo.hash)
            with write_tx():
                body = item(f"Outil {seed}", photos=[plain(photo)])
                town.journal.publish(KIND, body)
    return kept


def holds(place: Place, digests: list[bytes]) -> list[bool]:
    return [place.town.photos.shelf.holds(each) for each in digests]


def photo_requests(world: WatchedWorld) -> list[str]:
    """Count what is asked from now on."""
    paths: list[str] = []
    world.interfere = lambda request: paths.append(request.path)
    return paths


def test_the_photos_of_a_partner_come_with_its_listings(world: WatchedWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    digests = show(lorient, 1, 2, 3)
    world.visit("Quimper", "Lorient")
    assert holds(quimper, digests) == [True] * 3
    name = f"/photos/{digests[0].hex()}.webp"
    far, near = (each.app.test_client().get(name) for each in (quimper, lorient))
    assert far.status_code == near.status_code == 200 and far.data == near.data


def test_more_photos_than_are_asked_for_at_once_come_in_one_visit(world: WatchedWorld) -> None:
    digests = show(world.places["Lorient"], *range(60))
    world.visit("Quimper", "Lorient")
    assert all(holds(world.places["Quimper"], digests))


def test_what_does_not_come_in_a_minute_comes_with_the_next_visit_now(
    world: WatchedWorld,
) -> None:
    quimper = world.places["Quimper"]
    digests = show(world.places["Lorient"], *range(10))

    def slow(request: HttpRequest) -> None:
        if request.path.startswith(limits.BLOB):
            world.clock.forward(ms=exchange.PHOTOS_MAX_MS // 4)

    world.interfere = slow
    world.visit("Quimper", "Lorient")
    assert 3 <= sum(holds(quimper, digests)) <= 6
    assert visit_due(quimper) == 1
    assert sum(holds(quimper, digests)) > 6
    for _ in range(2):
        visit_due(quimper)
    assert all(holds(quimper, digests))
    assert visit_due(quimper) == 0


def test_a_photo_its_town_lost_costs_one_request_and_is_asked_for_later(
    world: WatchedWorld,
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    digests = show(lorient, 1, 2, 3)
    lorient.town.photos.shelf.drop(digests[1])
    paths = photo_requests(world)
    assert world.visit("Quimper", "Lorient").outcome == "ok"
    assert holds(quimper, digests) == [True, False, True]
    assert len([each for each in paths if each.startswith(limits.BLOB)]) == 3
    assert limits.HELLO not in paths
    del paths[:]
    assert world.visit("Quimper", "Lorient").outcome == "ok"
    assert not [each for each in paths if each.startswith(limits.BLOB)]
    world.clock.forward(hours=1)
    show(lorient, 2)
    world.visit("Quimper", "Lorient")
    assert holds(quimper, digests) == [True] * 3


def test_a_photo_that_is_not_the_one_its_hash_names_is_not_kept(
    world: WatchedWorld, rng: random.Random
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    digests = show(lorient, 1, 2)
    path = lorient.town.photos.path(digests[0])
    path.write_bytes(path.read_bytes() + rng.randbytes(8))
    assert world.visit("Quimper", "Lorient").outcome == "ok"
    assert holds(quimper, digests) == [False, True]


def test_the_photos_of_an_introduced_town_come_from_who_introduced_it(tmp_path: Path) -> None:
    world = three_towns(tmp_path, ("Lorient", "Quimper"), ("Quimper", "Vannes"))
    lorient, quimper, vannes = (world.places[name] for name in TOWNS)
    with quimper.inside():
        pairing.introduce(lorient.town.id, vannes.town.id, world.clock)
    digests = show(lorient, 1, 2)
    world.sync()
    with vannes.inside() as town:
        pairing.accept_introduced(lorient.town.id, town.store, world.clock)
    world.sync()
    assert holds(vannes, digests) == [True, True]
    world.close()


def test_a_photo_is_shown_to_partners_only(world: WatchedWorld, tmp_path: Path) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    (digest,) = show(lorient, 1)
    path = limits.BLOB + digest.hex()
    assert Caller(quimper, lorient).ask(path, b"", "GET").status == 200
    with lorient.inside():
        pairing.remove(quimper.town.id, world.clock)
    reply = lorient.app.test_client().get(path)
    assert reply.status_code == 401


def test_a_visit_that_ended_badly_asks_for_no_photos(world: WatchedWorld) -> None:
    digests = show(world.places["Lorient"], 1)
    world.interfere = lambda request: world.clock.forward(minutes=11)
    assert world.visit("Quimper", "Lorient").outcome != "ok"
    assert holds(world.places["Quimper"], digests) == [False]


# ── the nonces under many errors, and under a clock set back ─────────────────────────────────────


def test_nonces_given_after_the_clock_was_set_back_count(world: WatchedWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(lorient, "Perceuse")
    with lorient.inside():
        for at in range(nonces.PER_PARTNER):  # of visits that were cut
            nonces.give(bytes([at]) * 16, quimper.town.id, START_MS + limits.NONCE_LIFE_MS)
    world.clock.forward(hours=-5)
    for _ in range(3):
        assert world.visit("Quimper", "Lorient").outcome == "ok"
    assert titles(quimper) == {"Perceuse"}


def test_only_the_newest_nonces_are_kept(world: WatchedWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    caller = Caller(quimper, lorient)
    held: list[Any] = []
    for _ in range(nonces.PER_PARTNER + 4):
        caller.hello()
        held.append(caller.nonce)
    with lorient.inside():
        good = [nonces.spend(each, quimper.town.id, world.clock.now_ms()) for each in held]
    assert good == [False] * 4 + [True] * nonces.PER_PARTNER


def test_a_log_of_photos_does_not_fill_the_page(world: WatchedWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    show(lorient, *range(5))
    before = len(visits(lorient, quimper))
    world.visit("Quimper", "Lorient")
    assert len(visits(lorient, quimper)) == before
    assert partner(quimper, lorient).failures == 0
