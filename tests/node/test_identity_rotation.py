"""A rotation: the new key speaks, all that lives is signed again, and no cut leaves a town mute."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.errors import ProtocolError
from federation.keys import SigningKey
from federation.keyset import COMPROMISE, ROUTINE, next_keyset
from federation.record import SCOPE_PARTNERS, parse, verify
from federation.stamp import next_stamp
from node.domain.errors import Conflict
from node.identity.care import care, needs_care
from node.identity.resign import pending, resign_all
from node.identity.rotation import recover, rotate
from node.journal import restoring
from node.journal.keyring import FILE, Keyring, KeyringError
from node.store.database import using
from node.store.sets import keysets, records
from node.upkeep import upkeep
from tests.node.identity_towns import (
    KeyWorld,
    ask,
    key_world,
    keysets_under,
    shown,
)
from tests.node.partner_wire import foreign_record, listing, publish, titles, withdraw
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


def whole(place: Place) -> None:
    """Check that everything of ours that lives is signed by the key in force, and rightly."""
    with place.inside() as town:
        ring = town.keyring
        assert keysets.newest(town.id)[1] == ring.keyset.id
        for row in records.walk(town.id):
            record = parse(row.raw)
            assert record.keyset == ring.keyset.number
            assert verify(record, ring.signing.public)
        assert pending(town.journal) == 0 and not needs_care(town)


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


def test_words_of_another_town_change_nothing(world: KeyWorld, lorient: Place) -> None:
    held = (lorient.town.home / FILE).read_bytes()
    with lorient.inside() as town:
        with pytest.raises(ProtocolError, match="another town"):
            rotate(town, world.roots["Quimper"], by="test")
        assert len(keysets.of_town(town.id)) == 1
    assert (lorient.town.home / FILE).read_bytes() == held
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
