"""Two keysets with one number: the town stops at its partners until people have spoken."""

from collections.abc import Iterator
from dataclasses import replace as with_
from pathlib import Path

import pytest

from federation.admission import admit_keyset
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey
from federation.keyset import COMPROMISE, Keyset, next_keyset, parse_keyset
from node.domain.errors import Conflict, NotFound
from node.identity import freeze
from node.journal.keyring import Keyring
from node.partners import pairing
from node.store import audit
from node.store.network import refusals, strikes
from node.store.sets import keysets, rivals
from tests.node.identity_towns import KeyWorld, health_of, key_world
from tests.node.partner_wire import desk_page, foreign_record, publish, titles
from tests.world import Place


@pytest.fixture
def world(tmp_path: Path) -> Iterator[KeyWorld]:
    made = key_world(tmp_path)
    yield made
    made.close()


def twice(world: KeyWorld, reason: str = "routine") -> tuple[Keyset, Keyring]:
    """Let Lorient rotate, and return another keyset with the same number and who signs under it."""
    before = world.places["Lorient"].town.keyring
    ring = world.rotate("Lorient")
    other = SigningKey.generate()
    number = ring.keyset.number
    keyset = next_keyset(world.roots["Lorient"], before.keyset, other.public, number, reason)
    return keyset, with_(ring, keyset=keyset, signing=other)


def hear(place: Place, keyset: Keyset) -> str:
    """Let a town hear a keyset as a partner would bring it."""
    with place.inside() as town:
        return admit_keyset(keyset.raw, town.store)


def test_the_second_keyset_stops_the_town_and_both_desks_say_so(world: KeyWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    rival, _ = twice(world)
    world.sync()
    assert hear(quimper, rival) == "refused:keyset_equivocation"
    publish(lorient, "Pendant l’arrêt")
    world.clock.at_ms += 60_000
    world.sync()
    assert "Pendant l’arrêt" not in titles(quimper)
    assert "Pendant l’arrêt" in titles(world.places["Vannes"])
    assert health_of(lorient, quimper).last_error == "frozen"
    theirs = desk_page(lorient, "/admin/identite")
    assert lorient.town.keyring.keyset.id.hex()[:12] in theirs and "Quimper" in theirs
    ours = desk_page(quimper, f"/admin/identite/{lorient.town.id.hex()[:12]}")
    for keyset in (lorient.town.keyring.keyset, rival):
        assert keyset.id.hex() in ours
    assert "Lorient" in desk_page(quimper, "/admin") and "Quimper" in desk_page(lorient, "/admin")


def test_choosing_what_was_heard_first_lets_everything_go_on(world: KeyWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    rival, thief = twice(world)
    world.sync()
    hear(quimper, rival)
    publish(lorient, "Après")
    world.clock.at_ms += 60_000
    with quimper.inside() as town:
        chosen = lorient.town.keyring.keyset.id.hex()[:12]
        assert freeze.unfreeze(lorient.town.id, chosen, town.clock, by="Maïwenn")
        entry = audit.latest(1)[0]
        assert (entry.action, entry.detail, entry.actor) == ("partner.unfreeze", chosen, "Maïwenn")
    world.sync()
    assert "Après" in titles(quimper) and health_of(lorient, quimper).last_error == ""
    assert hear(quimper, rival) == "refused:broken_chain"  # decided: it stops nothing again
    with quimper.inside() as town:
        assert not town.store.is_frozen(lorient.town.id)
        forged = foreign_record(thief, world.clock.now_ms(), "Faux")
        assert town.journal.ingest([forged.raw], None)[0].code == "refused:bad_signature"


def test_choosing_what_was_heard_later_drops_what_the_first_had_signed(world: KeyWorld) -> None:
    """Quimper heard the forged keyset first and the true one later."""
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(lorient, "Vrai")
    world.cut("Lorient", "Quimper")
    world.cut("Quimper", "Vannes")
    rival, thief = twice(world)
    assert hear(quimper, rival) == "stored"
    with quimper.inside() as town:
        forged = foreign_record(thief, world.clock.now_ms(), "Faux")
        assert town.journal.ingest([forged.raw], None)[0].code == "stored"
    assert "Faux" in titles(quimper)
    world.cuts.clear()
    world.clock.at_ms += 60_000
    world.sync()
    assert "Vrai" not in titles(quimper)
    with quimper.inside() as town:
        assert town.store.is_frozen(lorient.town.id)
        true = lorient.town.keyring.keyset.id.hex()
        assert freeze.unfreeze(lorient.town.id, true[:12], town.clock, by="test")
        assert keysets.newest(lorient.town.id)[1].hex() == true
    world.clock.at_ms += 60_000
    world.sync()
    assert "Vrai" in titles(quimper) and "Faux" not in titles(quimper)


def test_a_chosen_keyset_that_says_stolen_counts(world: KeyWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    old = lorient.town.keyring
    with quimper.inside() as town:
        forged = foreign_record(old, world.clock.now_ms(), "Faux")
        town.journal.ingest([forged.raw], None)
    rival, _ = twice(world, COMPROMISE)
    world.visit("Quimper", "Lorient")
    assert "Faux" in titles(quimper)
    hear(quimper, rival)
    with quimper.inside() as town:
        freeze.unfreeze(lorient.town.id, rival.id.hex()[:12], town.clock, by="test")
    assert "Faux" not in titles(quimper)


@pytest.mark.parametrize("digest", ["", " ", "zz", "0" * 63 + "g"])
def test_a_digest_that_is_none_chooses_nothing(world: KeyWorld, digest: str) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    rival, _ = twice(world)
    world.sync()
    hear(quimper, rival)
    with quimper.inside() as town:
        with pytest.raises((NotFound, Conflict)):
            freeze.unfreeze(lorient.town.id, digest, town.clock, by="test")
        assert town.store.is_frozen(lorient.town.id) and rivals.open_of(lorient.town.id)


def test_a_town_that_is_not_stopped_has_nothing_to_choose(world: KeyWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    with quimper.inside() as town, pytest.raises(NotFound):
        digest = lorient.town.keyring.keyset.id.hex()
        freeze.unfreeze(lorient.town.id, digest, town.clock, by="test")


def test_a_root_that_contradicts_itself_without_end_fills_no_disk(world: KeyWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    first, _ = twice(world)
    world.sync()
    genesis = lorient.town.keyring.genesis
    for _turn in range(3 * rivals.OPEN_MAX):
        public = SigningKey.generate().public
        rival = next_keyset(world.roots["Lorient"], genesis, public, first.number)
        assert hear(quimper, rival) == "refused:keyset_equivocation"
    with quimper.inside():
        assert len(rivals.open_of(lorient.town.id)) == rivals.OPEN_MAX
    page = desk_page(quimper, f"/admin/identite/{lorient.town.id.hex()[:12]}")
    assert lorient.town.keyring.keyset.id.hex() in page


def test_our_own_keys_said_twice_are_told_at_our_desk(world: KeyWorld) -> None:
    lorient = world.places["Lorient"]
    rival, _ = twice(world)
    assert hear(lorient, rival) == "refused:keyset_equivocation"
    page = desk_page(lorient, "/admin/identite")
    assert rival.id.hex() in page
    with lorient.inside() as town:
        digest = town.keyring.keyset.id.hex()[:12]
        assert freeze.unfreeze(town.id, digest, town.clock, by="test")
    world.rotate("Lorient")
    world.clock.at_ms += 60_000
    world.sync()
    assert health_of(world.places["Quimper"], lorient).last_error == ""


def test_a_link_that_ends_ends_the_stop(world: KeyWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    rival, _ = twice(world)
    world.sync()
    hear(quimper, rival)
    with quimper.inside() as town:
        pairing.remove(lorient.town.id, town.clock)
        assert not town.store.is_frozen(lorient.town.id)
        assert rivals.open_of(lorient.town.id) == []
    world.pair("Quimper", "Lorient")
    world.clock.at_ms += 60_000
    assert world.visit("Quimper", "Lorient").outcome == "ok"


def test_abuse_027_another_key_at_a_known_address_is_never_taken(world: KeyWorld) -> None:
    """The address of Lorient answers with the keys of another town: nothing is trusted on sight."""
    lorient, quimper, vannes = world.places.values()
    held = keys_of(quimper, lorient)
    lorient.url, vannes.url = "http://gone.test", lorient.url
    world.clock.at_ms += 60_000
    outcome = world.visit("Quimper", "Lorient")
    assert outcome.outcome != "ok" and outcome.received == 0
    assert keys_of(quimper, lorient) == held


def test_abuse_018_a_keyset_that_names_a_weak_key_is_refused(world: KeyWorld) -> None:
    ring = world.places["Lorient"].town.keyring
    for weak in (bytes(32), b"\x01" + bytes(31)):
        raw = ring.keyset.raw.replace(ring.keyset.signing, weak)
        with pytest.raises(RemoteProtocolError) as refused:
            parse_keyset(raw)
        assert refused.value.code == "bad_public_key"


def test_what_a_stopped_town_brings_of_others_is_named_and_not_held_against_them(
    world: KeyWorld,
) -> None:
    quimper = world.places["Quimper"]
    rival, _ = twice(world)
    world.sync()
    hear(quimper, rival)
    publish(world.places["Lorient"], "Par un tiers")
    publish(world.places["Vannes"], "De Vannes")
    world.cut("Lorient", "Quimper")
    world.clock.at_ms += 60_000
    world.sync()
    assert "De Vannes" in titles(quimper) and "Par un tiers" not in titles(quimper)
    with quimper.inside():
        vannes = world.places["Vannes"].town.id
        assert set(refusals.counts(vannes)) <= {"frozen"}
        assert strikes.counts(vannes, world.clock.now_ms()) == []


def keys_of(place: Place, other: Place) -> list[bytes]:
    """Return the ids of the keysets a town holds of another."""
    with place.inside():
        return [each.id for each in keysets.of_town(other.town.id)]
