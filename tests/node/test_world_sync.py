"""Three whole towns in one process: what one town says is so in the others after a sync."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.partners import pairing
from node.store.catalogue import facets, listings
from node.store.catalogue.search import Search, search
from node.store.network import introductions
from node.store.sets import records
from node.upkeep import upkeep
from tests.node.partner_wire import (
    TOWNS,
    held_ids,
    listing,
    partner,
    publish,
    revise,
    three_towns,
    titles,
    withdraw,
)
from tests.world import START_MS, Place, World

DAY_S = 86_400


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient, Quimper and Vannes, each a partner of both others."""
    made = three_towns(tmp_path)
    yield made
    made.close()


def check_agreed(world: World) -> None:
    lorient, quimper, vannes = (world.fingerprints()[name] for name in TOWNS)
    assert lorient == quimper == vannes
    assert len({origin for origin, _ in lorient}) == 3


def found(place: Place, text: str) -> list[str]:
    with place.inside() as town:
        page = search(Search(text=text), now_ms=town.clock.now_ms())
        return [row.title for row in page.rows]


def page_of(place: Place, record: Any) -> Any:
    row = listing(place, record)
    return place.app.test_client().get(f"/a/{row.code}", headers={"Accept-Language": "fr"})


# ── convergence ──────────────────────────────────────────────────────────────────────────────────


def test_towns_agree_after_each_visited_its_partners(world: World, rng: random.Random) -> None:
    for at, place in enumerate(world.places.values()):
        made = publish(place, *(f"{place.name} {number}" for number in range(40 + 30 * at)))
        for each in rng.sample(made, 10):
            revise(place, each, "Revu")
        for each in rng.sample(made, 5):
            withdraw(place, each)
    world.sync(1)
    check_agreed(world)
    shown = [titles(place) for place in world.places.values()]
    assert shown[0] == shown[1] == shown[2]


def test_towns_that_meet_only_through_a_third_agree_once_introduced(tmp_path: Path) -> None:
    world = three_towns(tmp_path, ("Lorient", "Quimper"), ("Quimper", "Vannes"))
    lorient, quimper, vannes = (world.places[name] for name in TOWNS)
    for place in world.places.values():
        publish(place, *(f"{place.name} {number}" for number in range(50)))
    world.sync()
    assert titles(vannes, lorient) == titles(lorient, vannes) == set()
    with quimper.inside():
        pairing.introduce(lorient.town.id, vannes.town.id, world.clock)
        pairing.introduce(vannes.town.id, lorient.town.id, world.clock)
    world.sync()
    assert titles(vannes, lorient) == titles(lorient, vannes) == set()
    for near, far in ((lorient, vannes), (vannes, lorient)):
        with near.inside() as town:
            pairing.accept_introduced(far.town.id, town.store, world.clock)
    world.sync()
    check_agreed(world)
    assert len(titles(vannes, lorient)) == len(titles(lorient, vannes)) == 50
    assert partner(vannes, lorient).status == "introduced"
    world.close()


def test_an_introduction_accepted_on_one_side_is_read_on_that_side(tmp_path: Path) -> None:
    world = three_towns(tmp_path, ("Lorient", "Quimper"), ("Quimper", "Vannes"))
    lorient, quimper, vannes = (world.places[name] for name in TOWNS)
    publish(lorient, "Perceuse")
    publish(vannes, "Remorque")
    with quimper.inside():
        pairing.introduce(lorient.town.id, vannes.town.id, world.clock)
    world.sync()
    with vannes.inside() as town:
        pairing.accept_introduced(lorient.town.id, town.store, world.clock)
    world.sync()
    assert titles(vannes, lorient) == {"Perceuse"}
    assert titles(lorient, vannes) == set()
    world.close()


def test_an_introduction_taken_back_is_no_longer_offered(tmp_path: Path) -> None:
    world = three_towns(tmp_path, ("Lorient", "Quimper"), ("Quimper", "Vannes"))
    lorient, quimper, vannes = (world.places[name] for name in TOWNS)
    with quimper.inside():
        pairing.introduce(lorient.town.id, vannes.town.id, world.clock)
    world.sync(1)
    with vannes.inside():
        assert [each.town for each in introductions.received("")] == [lorient.town.id]
    with quimper.inside():
        pairing.remove(lorient.town.id, world.clock)
    world.visit("Vannes", "Quimper")
    with vannes.inside():
        assert introductions.received("") == []
    world.close()


def test_a_cut_link_is_made_good_by_the_others(world: World) -> None:
    world.cut("Lorient", "Vannes")
    publish(world.places["Lorient"], "Perceuse")
    world.sync()
    check_agreed(world)
    assert partner(world.places["Lorient"], world.places["Vannes"]).last_error == "unreachable"


def test_the_second_sync_of_equal_towns_is_one_exchange_each(world: World) -> None:
    publish(world.places["Lorient"], "Perceuse")
    world.sync()
    with world.places["Lorient"].inside() as town:
        outcome = town.exchanges.visit(world.places["Quimper"].town.id)
    assert (outcome.outcome, outcome.round_trips) == ("ok", 1)
    assert outcome.bytes_up <= 500 and outcome.bytes_down <= 500


# ── what changes at home ─────────────────────────────────────────────────────────────────────────


def test_a_revision_is_read_everywhere(world: World) -> None:
    lorient = world.places["Lorient"]
    (record,) = publish(lorient, "Perceuse")
    world.sync(1)
    revise(lorient, record, "Perceuse à colonne", text="Avec son étau.")
    world.sync(1)
    for place in world.places.values():
        assert titles(place, lorient) == {"Perceuse à colonne"}
        assert found(place, "étau") == ["Perceuse à colonne"]
        assert "Perceuse à colonne" in page_of(place, record).text
    check_agreed(world)


def test_what_is_withdrawn_is_gone_everywhere(world: World) -> None:
    lorient = world.places["Lorient"]
    (record,) = publish(lorient, "Trampoline", text="Deux mètres.")
    world.sync(1)
    withdraw(lorient, record)
    world.sync(1)
    for place in world.places.values():
        assert titles(place) == set()
        assert found(place, "trampoline") == []
        page = page_of(place, record)
        assert page.status_code == 410
        assert "Trampoline" not in page.text
        with place.inside():
            assert b"Trampoline" not in records.find(lorient.town.id, record.key).raw
    check_agreed(world)


def test_nothing_is_matched_by_the_facets_of_what_is_withdrawn(world: World) -> None:
    lorient = world.places["Lorient"]
    (record,) = publish(lorient, "Trampoline", condition="usage")
    world.sync(1)
    withdraw(lorient, record)
    world.sync(1)
    for place in world.places.values():
        with place.inside():
            assert facets.of_listing(listings.find(record.origin, record.key).id) == []


def test_what_is_paused_is_found_nowhere(world: World) -> None:
    lorient = world.places["Lorient"]
    (record,) = publish(lorient, "Perceuse")
    world.sync(1)
    revise(lorient, record, "Perceuse", state="paused")
    world.sync(1)
    assert [found(place, "perceuse") for place in world.places.values()] == [[], [], []]


def test_a_listing_past_its_own_end_is_found_nowhere(world: World) -> None:
    lorient = world.places["Lorient"]
    today = START_MS // 86_400_000
    publish(lorient, "Perceuse", ends=today + 3)
    world.sync(1)
    world.clock.forward(days=2)
    assert [found(place, "perceuse") for place in world.places.values()] == [["Perceuse"]] * 3
    world.clock.forward(days=2)
    assert [found(place, "perceuse") for place in world.places.values()] == [[]] * 3


def test_a_record_past_its_end_is_found_nowhere_and_makes_no_two_towns_differ(
    world: World,
) -> None:
    lorient = world.places["Lorient"]
    (record,) = publish(lorient, "Perceuse")
    world.sync(1)
    clock: FixedClock = world.clock
    clock.at_ms = record.expires * 1_000 - 3_600_000
    world.sync(1)
    assert [found(place, "perceuse") for place in world.places.values()] == [["Perceuse"]] * 3
    for _ in range(3):
        clock.forward(hours=1)
        assert [found(place, "perceuse") for place in world.places.values()] == [[]] * 3
    clock.forward(days=3)
    with lorient.inside() as town:
        town.publish_profile()  # what a year of upkeep would have said again
        upkeep(town)
    world.sync(1)
    assert held_ids(lorient, lorient.town.id).isdisjoint({record.id})
    check_agreed_on(world, lorient)
    for place in world.places.values():
        with place.inside() as town:
            upkeep(town)
        assert record.id not in held_ids(place, lorient.town.id)
        assert page_of(place, record).status_code == 410


def check_agreed_on(world: World, origin: Place) -> None:
    told = [
        {name: held for name, held in each.items() if name[0] == origin.town.id}
        for each in world.fingerprints().values()
    ]
    assert told[0] == told[1] == told[2]


def test_an_expired_listing_says_so_on_its_page_even_before_the_upkeep(world: World) -> None:
    lorient = world.places["Lorient"]
    (record,) = publish(lorient, "Perceuse")
    world.sync(1)
    world.clock.at_ms = record.expires * 1_000 + 1
    assert [page_of(place, record).status_code for place in world.places.values()] == [410] * 3


def test_a_town_a_year_offline_catches_up(world: World) -> None:
    lorient, vannes = world.places["Lorient"], world.places["Vannes"]
    old = publish(lorient, *(f"Vieux {number}" for number in range(10)))
    world.sync(1)
    vannes.is_up = False
    world.clock.forward(days=365)
    for each in old[:5]:
        withdraw(lorient, each)
    publish(lorient, "Neuf")
    world.visit("Lorient", "Quimper")
    vannes.is_up = True
    world.sync()
    assert (
        titles(vannes, lorient)
        == titles(lorient, lorient)
        == {
            "Neuf",
            *(f"Vieux {number}" for number in range(5, 10)),
        }
    )
    check_agreed_on(world, lorient)
