"""A town's keys over the years, as its partners live them: changed, stolen, missed, renewed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.record import parse
from node.app import jobs_of
from node.store.network import towns
from node.store.sets import keysets, records
from node.upkeep import upkeep
from tests.node.identity_towns import KeyWorld, ask, key_world, keysets_under, shown
from tests.node.partner_wire import foreign_record, publish, titles, withdraw


@pytest.fixture
def world(tmp_path: Path) -> Iterator[KeyWorld]:
    made = key_world(tmp_path)
    yield made
    made.close()


def agreed(world: KeyWorld) -> None:
    """Check that all three hold the same sets."""
    one, *others = (
        {place: held for place, held in each.items() if place[1] == 0}
        for each in world.fingerprints().values()
    )
    assert all(other == one for other in others)


def a_day(world: KeyWorld, days: float = 1) -> None:
    """Let time pass; every town cares for itself and visits the others."""
    world.days_pass(days)
    for place in world.places.values():
        if place.is_up:
            with place.inside() as town:
                for job in jobs_of(town):
                    if job.name in ("keys", "upkeep", "deadlines") and job.has_work(town):
                        job.run(town)
    world.sync()


def test_a_year_of_a_key_changed_as_a_precaution(world: KeyWorld) -> None:
    lorient, quimper, vannes = world.places.values()
    made = publish(lorient, "Échelle", "Perceuse", "Tente")
    withdraw(lorient, made[2])
    world.sync()
    first = lorient.town.keyring.keyset.number
    world.days_pass(1)
    vannes.is_up = False  # it hears nothing for a while
    world.rotate("Lorient")
    world.sync()
    second = lorient.town.keyring.keyset.number
    assert keysets_under(quimper, lorient.town.id) == {second}
    assert keysets_under(vannes, lorient.town.id) == {first}
    assert shown(vannes, lorient.town.id, world.clock.now_ms()) == 3  # still believed: the old key
    a_day(world, 20)
    vannes.is_up = True
    world.cut("Lorient", "Vannes")
    world.sync()  # Quimper tells Vannes of the new key and brings what it signs
    assert keysets_under(vannes, lorient.town.id) == {second}
    a_day(world, 11)  # 31 days after the rotation the old key is dead
    agreed(world)
    for place in world.places.values():
        assert {"Échelle", "Perceuse"} <= titles(place) and "Tente" not in titles(place)


def test_what_the_old_key_signs_a_month_later_is_refused_everywhere(world: KeyWorld) -> None:
    lorient, quimper, vannes = world.places.values()
    old = lorient.town.keyring
    publish(lorient, "Échelle")
    world.days_pass(1)
    world.rotate("Lorient")
    world.sync()
    for days, code in ((29, "stored"), (2, "refused:keyset_retired")):
        a_day(world, days)
        for place in (quimper, vannes):
            with place.inside() as town:
                record = foreign_record(old, world.clock.now_ms(), f"Après {days}")
                assert town.journal.ingest([record.raw], None)[0].code == code
    world.days_pass(2)
    with quimper.inside() as town:
        upkeep(town)
        assert old.keyset.number not in {row.keyset for row in records.walk(lorient.town.id)}
    assert "Échelle" in titles(quimper)


def test_a_stolen_key_dies_at_the_partner_that_hears_of_it_from_another(world: KeyWorld) -> None:
    lorient, quimper, vannes = world.places.values()
    thief = lorient.town.keyring
    wanted = publish(lorient, "Remorque")[0]
    world.sync()
    asked = ask(quimper, lorient, wanted.key)
    world.sync()
    forged = foreign_record(thief, world.clock.now_ms(), "Appelez ce numéro")
    for place in (quimper, vannes):
        with place.inside() as town:
            assert town.journal.ingest([forged.raw], None)[0].code == "stored"
    world.days_pass(0.1)
    world.cut("Lorient", "Vannes")
    world.rotate("Lorient", is_stolen=True)
    world.sync()
    for place in (quimper, vannes):
        assert "Appelez ce numéro" not in titles(place) and "Remorque" in titles(place)
        assert keysets_under(place, lorient.town.id) == {lorient.town.keyring.keyset.number}
        with place.inside():  # nobody seals to a key the thief may have
            assert towns.find(lorient.town.id).hpke == lorient.town.keyring.hpke[0].public
            assert thief.hpke[0].public != lorient.town.keyring.hpke[0].public
    with lorient.inside() as town:  # what was asked before the theft can still be read and answered
        row = town.engagements.find(asked)
        held = parse(records.find(quimper.town.id, row.request_key).raw)
        assert town.journal.open_sealed(held)[1] == asked
    agreed(world)


def test_a_town_that_missed_three_changes_misses_nothing(world: KeyWorld) -> None:
    lorient, _, vannes = world.places.values()
    publish(lorient, "Échelle")
    world.sync()
    vannes.is_up = False
    for days, is_stolen in ((40, False), (40, True), (40, False)):
        a_day(world, days)
        world.rotate("Lorient", is_stolen=is_stolen)
    made = publish(lorient, "Tente")[0]
    a_day(world)
    vannes.is_up = True
    a_day(world)
    newest = lorient.town.keyring.keyset.number
    assert keysets_under(vannes, lorient.town.id) == {newest} == {made.keyset}
    assert {"Échelle", "Tente"} <= titles(vannes)
    with vannes.inside():
        assert len(keysets.of_town(lorient.town.id)) == 4
    agreed(world)


def test_two_towns_that_change_their_keys_at_once_still_meet(world: KeyWorld) -> None:
    lorient, quimper, _ = world.places.values()
    publish(lorient, "Échelle")
    publish(quimper, "Tente")
    world.days_pass(0.1)
    world.rotate("Lorient")
    world.rotate("Quimper", is_stolen=True)
    world.sync()
    for place in world.places.values():
        assert {"Échelle", "Tente"} <= titles(place)
    agreed(world)


def test_the_sealing_key_changes_every_month_while_the_node_runs(world: KeyWorld) -> None:
    lorient, quimper, _ = world.places.values()
    wanted = publish(lorient, "Remorque")[0]
    world.sync()
    asked = ask(quimper, lorient, wanted.key, days=50)
    before = lorient.town.keyring.hpke[0]
    a_day(world, 31)
    fresh = lorient.town.keyring.hpke[0]
    assert fresh.public != before.public
    assert [each.public for each in lorient.town.keyring.hpke[1:]] == [before.public]
    a_day(world, 0.1)
    with quimper.inside():
        assert towns.find(lorient.town.id).hpke == fresh.public
    with lorient.inside() as town:
        row = town.engagements.find(asked)
        held = parse(records.find(quimper.town.id, row.request_key).raw)
        assert town.journal.open_sealed(held)[1] == asked
    assert lorient.town.keyring.keyset.is_genesis  # the sheet was not needed
