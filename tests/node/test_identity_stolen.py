"""Keys that were stolen, lost or put back: nobody but the holder of the words speaks for long."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.keys import SigningKey
from federation.keyset import COMPROMISE, next_keyset
from federation.record import SCOPE_PARTNERS
from federation.stamp import next_stamp
from node.cli.serve import make_ready
from node.domain.errors import Conflict
from node.identity.care import care
from node.identity.resign import resign_all
from node.identity.rotation import recover, rotate
from node.journal import restoring
from node.journal.keyring import FILE, Keyring, KeyringError
from node.store.database import using
from node.store.sets import records
from tests.node.identity_towns import (
    KeyWorld,
    key_world,
    keysets_under,
    whole,
)
from tests.node.partner_wire import desk_page, foreign_record, listing, publish, titles, withdraw
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


# ── the file the other process reads ─────────────────────────────────────────────────────────────


def test_another_process_signs_with_the_new_key_at_once(world: KeyWorld, lorient: Place) -> None:
    serving = lorient
    typing = world.start("Lorient")  # the command line: another Town on the same house
    with typing.inside() as town:
        ring = rotate(town, world.roots["Lorient"], by="test")
        resign_all(town)
    with serving.inside() as town:
        assert town.keyring.keyset.id == ring.keyset.id
        made = publish(serving, "Après")[0]
        assert made.keyset == ring.keyset.number
    whole(serving)


def test_a_key_file_that_vanishes_or_breaks_leaves_a_running_town_its_keys(
    world: KeyWorld, lorient: Place
) -> None:
    path = lorient.town.home / FILE
    kept = path.read_bytes()
    path.unlink()
    assert publish(lorient, "Sans fichier")[0].keyset == lorient.town.keyring.keyset.number
    path.write_bytes(b"broken")
    assert publish(lorient, "Fichier cassé")[0].keyset == lorient.town.keyring.keyset.number
    path.write_bytes(kept)
    whole(lorient)


def test_an_older_key_file_put_back_signs_nothing(world: KeyWorld, lorient: Place) -> None:
    old = (lorient.town.home / FILE).read_bytes()
    world.rotate("Lorient")
    (lorient.town.home / FILE).write_bytes(old)
    lorient = world.start("Lorient")
    with pytest.raises(Conflict) as refused:
        publish(lorient, "Trop tard")
    assert refused.value.code == "old_keys"
    world.days_pass(31)
    make_ready(lorient.town.home)  # it is served all the same, and its desk says what to do
    assert "trop ancien" in desk_page(lorient, "/admin/identite")
    with lorient.inside() as town, using(town.database):
        ring = recover(town.home, world.roots["Lorient"], town.clock, by="test")
    assert ring.keyset.reason == "lost"
    lorient = world.start("Lorient")
    with lorient.inside() as town:
        care(town)
    whole(lorient)


# ── a stolen key ─────────────────────────────────────────────────────────────────────────────────


def test_abuse_129_a_stolen_key_is_worth_nothing_once_the_words_were_typed(
    world: KeyWorld, lorient: Place
) -> None:
    thief, quimper = lorient.town.keyring, world.places["Quimper"]
    forged = foreign_record(thief, world.clock.now_ms(), "Faux", stamp=_ahead(world))
    with quimper.inside() as town:
        assert town.journal.ingest([forged.raw], None)[0].code == "stored"
    assert "Faux" in titles(quimper)
    world.clock.at_ms += 60_000
    ring = world.rotate("Lorient", is_stolen=True)
    assert ring.keyset.reason == COMPROMISE
    assert ring.secret != thief.secret and ring.hpke[0].private != thief.hpke[0].private
    assert ring.hpke[1].private == thief.hpke[0].private  # what is on its way still opens
    world.sync()
    for place in world.places.values():
        assert "Faux" not in titles(place) and "Outil 3" in titles(place)
        assert keysets_under(place, lorient.town.id) == {ring.keyset.number}
    with quimper.inside() as town:
        again = town.journal.ingest([forged.raw], None)[0].code
        late = foreign_record(thief, world.clock.now_ms(), "Encore")
        assert (again, town.journal.ingest([late.raw], None)[0].code) == (
            "known",
            "refused:keyset_retired",
        ) or again == "refused:keyset_retired"


def test_what_a_thief_brought_home_is_not_signed_again(world: KeyWorld, lorient: Place) -> None:
    thief = lorient.town.keyring
    forged = foreign_record(thief, world.clock.now_ms(), "Faux")
    grave = foreign_record(thief, world.clock.now_ms() + 1_000, "Faux aussi")
    with lorient.inside() as town:
        town.journal.ingest([forged.raw, grave.raw], world.places["Quimper"].town.id)
        assert restoring.is_restoring()  # somebody signs in our name: the town fell silent
    assert "Faux" in titles(lorient)
    world.rotate("Lorient", is_stolen=True)
    with lorient.inside() as town:
        assert not restoring.is_restoring()
        assert records.find(town.id, forged.key) is None
    assert "Faux" not in titles(lorient) and "Outil 3" in titles(lorient)
    assert listing(lorient, forged).state == "distrusted"
    whole(lorient)


def test_what_came_home_is_kept_where_the_admin_vouches_for_it(
    world: KeyWorld, lorient: Place
) -> None:
    home = foreign_record(lorient.town.keyring, world.clock.now_ms(), "Revenu")
    with lorient.inside() as town:
        town.journal.ingest([home.raw], world.places["Quimper"].town.id)
    world.rotate("Lorient", is_stolen=True, keep_returned=True)
    assert "Revenu" in titles(lorient)
    whole(lorient)


def _ahead(world: KeyWorld) -> int:
    return next_stamp(world.clock.now_ms() + 20 * 3_600_000, 0)


# ── a lost key file ──────────────────────────────────────────────────────────────────────────────


def test_a_lost_key_file_comes_back_from_the_words(world: KeyWorld, lorient: Place) -> None:
    home = lorient.town.home
    (home / FILE).unlink()
    with lorient.inside() as town:
        ring = recover(home, world.roots["Lorient"], town.clock, by="test")
    lorient = world.start("Lorient")
    with lorient.inside() as town:
        care(town)
    assert lorient.town.keyring.to_bytes() == ring.to_bytes()
    whole(lorient)
    world.sync()
    for place in world.places.values():
        assert keysets_under(place, lorient.town.id) == {ring.keyset.number}


def test_a_broken_key_file_is_put_aside(world: KeyWorld, lorient: Place) -> None:
    home = lorient.town.home
    (home / FILE).write_bytes(b"\x00" * 40)
    with lorient.inside() as town:
        recover(home, world.roots["Lorient"], town.clock, by="test")
    assert (home / (FILE + ".unreadable")).read_bytes() == b"\x00" * 40
    assert Keyring.load(home).town == lorient.town.id


@pytest.mark.parametrize("whose", ["Quimper", "", "whole"])
def test_nothing_is_recovered_by_other_words_or_over_whole_keys(
    world: KeyWorld, lorient: Place, whose: str
) -> None:
    home = lorient.town.home
    held = (home / FILE).read_bytes()
    root = world.roots.get(whose, secrets.token_bytes(32))
    if whose == "whole":
        root = world.roots["Lorient"]
    else:
        (home / FILE).unlink()
    with lorient.inside() as town, pytest.raises(KeyringError) as refused:
        recover(home, root, town.clock, by="test")
    said = {"Quimper": "a partner", "": "another town", "whole": "is whole"}
    assert said[whose] in str(refused.value)
    if whose == "whole":
        assert (home / FILE).read_bytes() == held
    else:
        assert not (home / FILE).exists()


def test_a_keyset_signed_by_the_words_somewhere_else_is_noticed(
    world: KeyWorld, lorient: Place
) -> None:
    """The sheet was used on another box: this one must not go on with the old key."""
    ring = lorient.town.keyring
    other = SigningKey.generate()
    number = world.clock.now_ms() // 1000 + 5
    keyset = next_keyset(world.roots["Lorient"], ring.keyset, other.public, number)
    with lorient.inside() as town:
        town.store.add_keyset(keyset)
    with pytest.raises(Conflict) as refused:
        publish(lorient, "Deux boîtes")
    assert refused.value.code == "old_keys"
