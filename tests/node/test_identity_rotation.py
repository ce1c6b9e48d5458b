"""A rotation: the new key speaks, all that lives is signed again, and no cut leaves a town mute."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.errors import ProtocolError
from federation.keyset import ROUTINE
from federation.record import SCOPE_PARTNERS, parse
from node.domain.errors import Conflict
from node.identity.care import care, needs_care
from node.identity.resign import pending, resign_all
from node.identity.rotation import rotate
from node.journal.keyring import FILE, KeyringError
from node.partners import pairing
from node.store.sets import keysets, records
from node.upkeep import upkeep
from tests.node.identity_towns import (
    KeyWorld,
    ask,
    key_world,
    keysets_under,
    shown,
    whole,
)
from tests.node.partner_wire import foreign_record, publish, titles, withdraw
from tests.world import Place

COUNT = 25


@pytest.fixture
def world(tmp_path: Path) -> Iterator[KeyWorld]:
    made = key_world(tmp_path)
    yield made
    made.close()


@pytest.fixture
def lorient(world: KeyWorld) -> Place:
    """Lorient with listings, one withdrawn, one for partners only."""
    place = world.places["Lorient"]
    made = publish(place, *(f"Outil {number}" for number in range(COUNT)))
    publish(place, "Entre nous", scope=SCOPE_PARTNERS)
    withdraw(place, made[0])
    world.sync()
    return place


def test_all_that_lives_is_signed_again_with_the_same_words_and_the_same_end(
    world: KeyWorld, lorient: Place
) -> None:
    with lorient.inside() as town:
        before = {row.key: parse(row.raw) for row in records.walk(town.id)}
    world.clock.at_ms += 5_000
    ring = world.rotate("Lorient")
    assert ring.keyset.reason == ROUTINE
    whole(lorient)
    with lorient.inside() as town:
        after = {row.key: parse(row.raw) for row in records.walk(town.id)}
    assert after.keys() == before.keys()
    for key, held in before.items():
        fresh = after[key]
        assert fresh.stamp > held.stamp
        assert (fresh.body, fresh.kind, fresh.scope) == (held.body, held.kind, held.scope)
        assert held.is_tombstone or fresh.expires == held.expires


def test_partners_take_what_is_signed_again_and_nobody_loses_a_listing(
    world: KeyWorld, lorient: Place
) -> None:
    before = {name: titles(place) for name, place in world.places.items()}
    world.rotate("Lorient")
    world.sync()
    one, two, three = world.fingerprints().values()
    assert one.keys() >= two.keys() and len(two) == len(three)
    for name, place in world.places.items():
        assert titles(place) == before[name]
        assert keysets_under(place, lorient.town.id) == {lorient.town.keyring.keyset.number}


def test_a_field_of_a_later_version_outlives_a_rotation(world: KeyWorld) -> None:
    lorient = world.places["Lorient"]
    with lorient.inside() as town:
        extra = {13: "later", 20: 7}
        odd = foreign_record(town.keyring, world.clock.now_ms(), extra=extra, crit=(13,))
        town.store.put([odd])
        world.rotate("Lorient")
        fresh = parse(records.find(town.id, odd.key).raw)
    assert fresh.crit == (13,) and not fresh.is_understood and b"later" in fresh.raw
    assert fresh.keyset != odd.keyset


def test_a_sealed_request_is_signed_again_inside_and_out_and_still_opens(
    world: KeyWorld, lorient: Place
) -> None:
    quimper = world.places["Quimper"]
    wanted = publish(lorient, "Remorque")[0]
    world.sync()
    engagement = ask(quimper, lorient, wanted.key)
    world.sync()
    with lorient.inside() as town:
        before = town.engagements.find(engagement)
    world.rotate("Quimper")
    whole(quimper)
    world.sync()
    with lorient.inside() as town:
        after = town.engagements.find(engagement)
        held = parse(records.find(quimper.town.id, after.request_key).raw)
        assert town.journal.open_sealed(held)[1] == engagement
        assert held.keyset == quimper.town.keyring.keyset.number
    assert (after.state, after.version) == (before.state, before.version)
    with quimper.inside() as town:
        row = town.engagements.find(engagement)
        mine = records.by_id(row.request_record)
        assert mine is not None and mine.sent_ms is not None
    world.rotate("Lorient")
    world.sync()
    with quimper.inside() as town:
        assert town.engagements.find(engagement).state == after.state


def test_a_request_to_a_town_that_left_ends_with_the_old_key(
    world: KeyWorld, lorient: Place
) -> None:
    quimper = world.places["Quimper"]
    wanted = publish(lorient, "Remorque")[0]
    world.sync()
    ask(quimper, lorient, wanted.key)
    with quimper.inside() as town:
        pairing.remove(lorient.town.id, town.clock)
    world.rotate("Quimper")
    with quimper.inside() as town:
        left = [row for row in records.walk(town.id) if row.keyset != town.keyring.keyset.number]
        assert [row.to for row in left] == [lorient.town.id]
        assert pending(town.journal) == 0 and not needs_care(town)


def test_words_of_another_town_change_nothing(world: KeyWorld, lorient: Place) -> None:
    held = (lorient.town.home / FILE).read_bytes()
    with lorient.inside() as town:
        with pytest.raises(ProtocolError, match="another town"):
            rotate(town, world.roots["Quimper"], by="test")
        assert len(keysets.of_town(town.id)) == 1
    assert (lorient.town.home / FILE).read_bytes() == held
    whole(lorient)


def test_a_disk_that_refuses_the_key_file_leaves_the_old_key_in_force(
    world: KeyWorld, lorient: Place
) -> None:
    held = (lorient.town.home / FILE).read_bytes()
    (lorient.town.home / (FILE + ".part")).mkdir()  # nothing can be written there
    with lorient.inside() as town:
        with pytest.raises(KeyringError, match="cannot be written"):
            rotate(town, world.roots["Lorient"], by="test")
        assert len(keysets.of_town(town.id)) == 1
    assert (lorient.town.home / FILE).read_bytes() == held
    assert publish(lorient, "Toujours là")[0].keyset == lorient.town.keyring.keyset.number
    whole(lorient)


def test_nothing_is_rotated_under_a_wrong_clock(world: KeyWorld, lorient: Place) -> None:
    world.clock.at_ms -= 30 * 86_400_000
    with lorient.inside() as town:
        with pytest.raises(Conflict):
            rotate(town, world.roots["Lorient"], by="test")
        assert len(keysets.of_town(town.id)) == 1


# ── cut in the middle ────────────────────────────────────────────────────────────────────────────


def test_a_cut_between_the_key_file_and_the_database_goes_on_with_the_new_key(
    world: KeyWorld, lorient: Place
) -> None:
    home = lorient.town.home
    lorient.town.close()
    shutil.copytree(home, world.folder / "before")
    lorient = world.start("Lorient")
    with lorient.inside() as town:
        ring = rotate(town, world.roots["Lorient"], by="test")
    lorient.town.close()
    shutil.rmtree(home)
    shutil.copytree(world.folder / "before", home)
    ring.save(home)  # the file was replaced, the power went before the commit
    lorient = world.start("Lorient")
    with lorient.inside() as town:
        assert keysets.newest(town.id)[1] == ring.keyset.id
        assert needs_care(town)
        care(town)
    whole(lorient)
    world.sync()
    assert "Outil 3" in titles(world.places["Vannes"])


def test_a_part_of_a_key_file_left_behind_is_passed_over(world: KeyWorld, lorient: Place) -> None:
    (lorient.town.home / (FILE + ".part")).write_bytes(b"half of a key fi")
    lorient = world.start("Lorient")
    world.rotate("Lorient")
    whole(lorient)


def test_signing_again_may_be_cut_after_any_batch(
    world: KeyWorld, lorient: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.identity.resign.BATCH", 4)
    with lorient.inside() as town:
        rotate(town, world.roots["Lorient"], by="test")
        waiting, cuts = pending(town.journal), 0
    assert waiting == COUNT + 2  # with the card of the town and the one for partners

    def cut(done: int, total: int) -> None:
        assert 0 < done <= total
        raise KeyboardInterrupt

    while True:
        lorient = world.start("Lorient")  # as after a power cut
        with lorient.inside() as town:
            left = pending(town.journal)
            assert left < waiting or cuts == 0
            waiting = left
            try:
                resign_all(town, cut)
            except KeyboardInterrupt:
                cuts += 1
            else:
                break
        world.sync(1)
    assert cuts == -(-(COUNT + 2) // 4)
    whole(lorient)
    assert "Outil 3" in titles(world.places["Quimper"])


def test_signing_again_twice_signs_nothing_the_second_time(world: KeyWorld, lorient: Place) -> None:
    world.rotate("Lorient")
    with lorient.inside() as town:
        assert resign_all(town) == 0 == resign_all(town.journal)


def test_tombstones_are_signed_first(
    world: KeyWorld, lorient: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("node.identity.resign.BATCH", 1)

    def cut(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with lorient.inside() as town:
        ring = rotate(town, world.roots["Lorient"], by="test")
        with pytest.raises(KeyboardInterrupt):
            resign_all(town, cut)
        fresh = [row for row in records.walk(town.id) if row.keyset == ring.keyset.number]
        assert [row.state for row in fresh] == [1]


def test_a_town_that_never_finished_keeps_its_words_until_it_does(
    world: KeyWorld, lorient: Place
) -> None:
    with lorient.inside() as town:
        rotate(town, world.roots["Lorient"], is_stolen=True, by="test")
        upkeep(town)  # would sweep what no set can hold
        assert shown(lorient, town.id, world.clock.now_ms()) == 0
        care(town)
    assert shown(lorient, lorient.town.id, world.clock.now_ms()) == COUNT  # 24 and the card
    whole(lorient)
