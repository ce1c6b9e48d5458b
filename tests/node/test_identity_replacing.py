"""A town that lost its words begins anew: its partners write down who it is now, no more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.domain.errors import Conflict, DomainError
from node.identity import replacing
from node.pages.around import slug
from node.partners import pairing
from node.store import audit
from node.store.network import partners
from node.store.sets import records
from tests.node.identity_towns import KeyWorld, ask, key_world
from tests.node.partner_wire import desk_page, publish, titles
from tests.world import Place


@pytest.fixture
def world(tmp_path: Path) -> Iterator[KeyWorld]:
    made = key_world(tmp_path)
    yield made
    made.close()


@pytest.fixture
def anew(world: KeyWorld) -> Place:
    """Auray stands for the town that Lorient's people founded again."""
    publish(world.places["Lorient"], "Avant")
    world.sync()
    return world.found("Auray")


def replaced(place: Place, old: Place, new: Place) -> list[object]:
    with place.inside() as town:
        return list(
            replacing.replace(
                old.town.id,
                new.town.id,
                lambda origin: pairing.remove(origin, town.clock),
                town.clock,
                by="Maïwenn",
            )
        )


def test_abuse_127_a_lost_town_is_replaced_by_people_and_its_promises_stay_theirs(
    world: KeyWorld, anew: Place
) -> None:
    quimper, lorient = world.places["Quimper"], world.places["Lorient"]
    wanted = publish(lorient, "Remorque")[0]
    world.sync()
    engagement = ask(quimper, lorient, wanted.key)
    world.sync()
    with quimper.inside() as town:
        before = town.engagements.find(engagement).state
    lorient.is_up = False
    world.pair("Quimper", "Auray")
    world.visit("Quimper", "Auray")
    left = replaced(quimper, lorient, anew)
    assert [row.id for row in left] == [engagement]  # type: ignore[attr-defined]
    assert titles(quimper, lorient) == set()
    with quimper.inside() as town:
        assert list(records.walk(lorient.town.id)) == []
        assert town.engagements.find(engagement).state == before  # nothing automatic
        assert not town.store.is_accepted(lorient.town.id)
        entry = audit.latest(2)
        assert ("partner.replace", lorient.town.id.hex(), anew.town.id.hex()) in [
            (each.action, each.subject, each.detail) for each in entry
        ]
    page = desk_page(quimper, f"/admin/identite/{slug(lorient.town.id)}")
    assert "Auray" in page and engagement.hex() in page
    answer = quimper.app.test_client().get(f"/villes/{slug(lorient.town.id)}")
    assert answer.status_code == 302 and answer.location.endswith(slug(anew.town.id))


def test_a_relay_does_not_bring_the_old_town_back(world: KeyWorld, anew: Place) -> None:
    quimper, lorient = world.places["Quimper"], world.places["Lorient"]
    world.pair("Quimper", "Auray")
    replaced(quimper, lorient, anew)
    publish(lorient, "Encore là")
    world.clock.at_ms += 60_000
    world.sync()
    assert "Encore là" in titles(world.places["Vannes"])
    assert titles(quimper, lorient) == set()


def test_no_town_takes_a_place_before_its_words_are_compared(world: KeyWorld, anew: Place) -> None:
    quimper, lorient = world.places["Quimper"], world.places["Lorient"]
    with pytest.raises(DomainError):
        replaced(quimper, lorient, anew)  # never met
    with anew.inside() as town:
        invitation = pairing.invite(town.config.url, world.clock)
    with quimper.inside() as town:
        town.exchanges.accept(invitation.text)
    with pytest.raises(Conflict):
        replaced(quimper, lorient, anew)  # met, not compared
    with quimper.inside():
        assert partners.find(lorient.town.id).status == "active"
    assert "Avant" in titles(quimper)


def test_a_town_takes_neither_its_own_place_nor_that_of_its_successor(
    world: KeyWorld, anew: Place
) -> None:
    quimper, lorient = world.places["Quimper"], world.places["Lorient"]
    with pytest.raises(Conflict):
        replaced(quimper, lorient, lorient)
    world.pair("Quimper", "Auray")
    replaced(quimper, lorient, anew)
    with pytest.raises(DomainError):
        replaced(quimper, anew, lorient)


def test_a_place_may_be_taken_again_and_again(world: KeyWorld, anew: Place) -> None:
    quimper, lorient = world.places["Quimper"], world.places["Lorient"]
    world.pair("Quimper", "Auray")
    replaced(quimper, lorient, anew)
    third = world.found("Pontivy")
    world.pair("Quimper", "Pontivy")
    replaced(quimper, anew, third)
    with quimper.inside():
        assert replacing.successor(lorient.town.id) == third.town.id
        assert replacing.predecessors(third.town.id) == [anew.town.id]


def test_replacing_twice_changes_nothing(world: KeyWorld, anew: Place) -> None:
    quimper, lorient = world.places["Quimper"], world.places["Lorient"]
    world.pair("Quimper", "Auray")
    assert replaced(quimper, lorient, anew) == replaced(quimper, lorient, anew) == []


def test_abuse_128_a_partner_whose_key_was_stolen_is_stopped_at_once_by_one_act(
    world: KeyWorld,
) -> None:
    quimper, lorient = world.places["Quimper"], world.places["Lorient"]
    publish(lorient, "Avant")
    world.sync()
    with quimper.inside() as town:
        pairing.remove(lorient.town.id, town.clock, by="Maïwenn")
    assert titles(quimper, lorient) == set()
    publish(lorient, "Du voleur")
    world.clock.at_ms += 60_000
    world.sync()
    assert "Du voleur" not in titles(quimper)
    world.rotate("Lorient", is_stolen=True)
    world.pair("Quimper", "Lorient")
    world.clock.at_ms += 60_000
    world.sync()
    assert "Avant" in titles(quimper)
    with quimper.inside() as town:
        number = lorient.town.keyring.keyset.number
        assert {row.keyset for row in records.walk(lorient.town.id)} == {number}
