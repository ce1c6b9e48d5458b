"""Introductions: what one partner tells of another town, honestly or not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from federation.keyset import Keyset
from federation.messages import Introduction
from federation.session import Introduced
from node.domain.errors import Conflict, NotFound
from node.domain.schema import plain
from node.journal import profile
from node.journal.keyring import Keyring
from node.partners import exchange, pairing
from node.store.database import write_tx
from node.store.network import introductions, partners
from node.store.sets import keysets
from tests.node.partner_wire import TOWNS, partner, publish, three_towns, titles
from tests.world import START_MS, Place, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient and Vannes, which know each other only through Quimper."""
    made = three_towns(tmp_path, ("Lorient", "Quimper"), ("Quimper", "Vannes"))
    yield made
    made.close()


def introduce(world: World, name: str, to: str) -> None:
    with world.places["Quimper"].inside():
        ids = [world.places[each].town.id for each in (name, to)]
        pairing.introduce(*ids, world.clock)
    world.visit(to, "Quimper")


def told(place: Place) -> list[str]:
    with place.inside():
        return [each.name for each in introductions.received("")]


def accept(place: Place, text: str) -> Any:
    with place.inside() as town:
        return pairing.accept_introduced(pairing.introduced(text), town.store, town.clock)


def offer(world: World, *offered: Introduction) -> None:
    """Let Quimper tell Vannes something, true or not."""
    vannes, quimper = world.places["Vannes"], world.places["Quimper"]
    with vannes.inside():
        event = Introduced(offered, bytes(16))
        exchange.keep_introductions(quimper.town.id, event, world.clock.now_ms())


def brest(folder: Path) -> tuple[Keyring, Introduction]:
    folder.mkdir()
    ring, _ = Keyring.create(folder, START_MS)
    return ring, Introduction(ring.town, "Brest", "http://brest.test", (ring.genesis.raw,))


def test_a_town_is_meant_by_its_name_or_the_beginning_of_its_id(world: World) -> None:
    introduce(world, "Lorient", to="Vannes")
    lorient, vannes = world.places["Lorient"], world.places["Vannes"]
    assert told(vannes) == ["Lorient"]
    with vannes.inside():
        for text in ("Lorient", "lorient", lorient.town.id.hex(), lorient.town.id.hex()[:8]):
            assert pairing.introduced(text) == lorient.town.id
        for text in ("", "Brest", "zz", "00" * 32):
            with pytest.raises(NotFound):
                pairing.introduced(text)


def test_an_accepted_town_is_read_not_visited(world: World) -> None:
    introduce(world, "Lorient", to="Vannes")
    publish(world.places["Lorient"], "Perceuse")
    assert accept(world.places["Vannes"], "Lorient").status == "introduced"
    world.sync()
    assert titles(world.places["Vannes"]) == {"Perceuse"}
    assert told(world.places["Vannes"]) == []


def test_a_partner_that_is_introduced_too_stays_a_partner(world: World) -> None:
    world.pair("Lorient", "Vannes")
    introduce(world, "Lorient", to="Vannes")
    assert accept(world.places["Vannes"], "Lorient").status == "active"
    assert partner(world.places["Vannes"], world.places["Lorient"]).status == "active"


def test_an_introduced_town_that_is_paired_later_is_read_all_the_while(world: World) -> None:
    introduce(world, "Lorient", to="Vannes")
    publish(world.places["Lorient"], "Perceuse")
    accept(world.places["Vannes"], "Lorient")
    world.sync()
    with world.places["Lorient"].inside() as town:
        invitation = pairing.invite(town.config.url, world.clock)
    with world.places["Vannes"].inside() as town:
        town.exchanges.accept(invitation.text)
    assert partner(world.places["Vannes"], world.places["Lorient"]).status == "introduced"
    world.sync()
    assert world.fingerprints()["Vannes"] == world.fingerprints()["Quimper"]
    with world.places["Vannes"].inside():
        pairing.confirm(world.places["Lorient"].town.id, world.clock)
    assert partner(world.places["Vannes"], world.places["Lorient"]).status == "active"


def test_nobody_is_introduced_to_itself(world: World, tmp_path: Path) -> None:
    vannes = world.places["Vannes"]
    ring = vannes.town.keyring
    offer(world, Introduction(ring.town, "Toi", "http://toi.test", (ring.genesis.raw,)))
    with pytest.raises(NotFound):
        accept(vannes, "Toi")


def test_what_is_told_wrongly_is_not_offered(world: World, tmp_path: Path) -> None:
    ring, right = brest(tmp_path / "brest")
    other, _ = brest(tmp_path / "other")
    false = bytearray(ring.genesis.raw)
    false[-1] ^= 1
    offer(
        world,
        right._replace(keysets=()),
        right._replace(keysets=(bytes(false),)),
        right._replace(keysets=(b"",)),
        right._replace(keysets=(other.genesis.raw,)),
        right._replace(keysets=(ring.genesis.raw, other.genesis.raw)),
        right._replace(url="javascript:alert(1)"),
        right._replace(url="http://brest.test/path"),
        right._replace(url=""),
    )
    assert told(world.places["Vannes"]) == []
    offer(world, right)
    assert told(world.places["Vannes"]) == ["Brest"]


def test_a_town_of_which_two_keysets_have_one_number_is_not_accepted(
    world: World, tmp_path: Path
) -> None:
    vannes = world.places["Vannes"]
    ring, right = brest(tmp_path / "brest")
    offer(world, right)
    with vannes.inside(), write_tx():
        held: Keyset = ring.genesis
        keysets.keep(held._replace(id=bytes(32)))  # what a restored backup may hold
    with pytest.raises(Conflict) as told_why:
        accept(vannes, "Brest")
    assert told_why.value.code == "bad_keysets"
    with vannes.inside():
        assert partners.find(ring.town) is None


@pytest.mark.parametrize("name", ["Lo\nrient", "\x1b[31m", "Lorient" * 12])
def test_a_town_with_an_odd_name_stops_no_visit(world: World, name: str) -> None:
    lorient, vannes = world.places["Lorient"], world.places["Vannes"]
    with lorient.inside() as town:
        said = profile.Profile(
            name=name[:80], hpke=town.keyring.hpke[0].public, url="http://lorient.test\n"
        )
        town.journal.publish(profile.KIND, plain(said), key=profile.KEY)
    world.visit("Lorient", "Quimper")
    introduce(world, "Lorient", to="Vannes")
    assert world.visit("Vannes", "Quimper").outcome == "ok"
    (offered,) = told(vannes)
    assert offered.isprintable() and offered


def test_an_introduction_is_told_once(world: World) -> None:
    introduce(world, "Lorient", to="Vannes")
    world.visit("Vannes", "Quimper")
    outcome = world.visit("Vannes", "Quimper")
    assert (outcome.round_trips, outcome.bytes_down) == (1, outcome.bytes_down)
    assert outcome.bytes_down < 80


def test_after_a_link_was_made_anew_introductions_are_told_again(world: World) -> None:
    introduce(world, "Lorient", to="Vannes")
    vannes, quimper = world.places["Vannes"], world.places["Quimper"]
    with vannes.inside():
        pairing.remove(quimper.town.id, world.clock)
    assert told(vannes) == []
    world.pair("Quimper", "Vannes")
    world.visit("Vannes", "Quimper")
    assert told(vannes) == ["Lorient"]


def test_only_towns_of_the_same_three_know_each_other(world: World) -> None:
    with world.places["Quimper"].inside():
        assert {each.name for each in partners.listed("active")} == {TOWNS[0], TOWNS[2]}
        with pytest.raises(Conflict):
            town = world.places["Vannes"].town.id
            pairing.introduce(town, town, world.clock)
