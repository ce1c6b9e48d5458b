"""The twins: a folder copied and started twice is noticed by both; a person says which lives."""

import shutil

import pytest

from federation import boot
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey
from node.app import create_app, open_town
from node.backup import release
from node.domain.errors import Conflict
from node.journal import restoring, twins
from node.practices.lending.practice import PRACTICE
from node.store import marks
from node.store.database import using
from tests.nodes import listing
from tests.world import Place, World


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path / "towns")
    for name in ("Lorient", "Quimper"):
        world.found(name)
    world.pair("Lorient", "Quimper")
    start(world.places["Lorient"])
    world.sync()
    yield world
    world.close()


def start(place):
    """What `lavoir serve` does."""
    with place.inside():
        twins.wake()


@pytest.fixture
def twin(world, tmp_path):
    """Lorient's card, copied and started in another box; both visit from now on."""
    lorient = world.places["Lorient"]
    with lorient.inside() as town:
        town.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    shutil.copytree(lorient.town.home, tmp_path / "copy")
    town = open_town(tmp_path / "copy", clock=world.clock, connect=world._connector("Lorient"))
    place = Place("Lorient", "http://copy.test", town, create_app(town))
    yield place
    town.close()


def visit(world, place):
    with place.inside() as town:
        return town.exchanges.visit(world.places["Quimper"].town.id).outcome


def publish(place, title="Scie"):
    with place.inside() as town:
        town.journal.publish(PRACTICE.kind, listing(title))


def mode(place):
    with place.inside():
        held = restoring.state()
        return held.why if held else ""


def test_abuse_038_a_cloned_card_is_noticed_by_both_nodes_and_both_stop(world, twin):
    lorient = world.places["Lorient"]
    start(twin)
    assert visit(world, twin) == "ok" and mode(twin) == ""  # alone, so far as anybody saw
    assert visit(world, lorient) == "ok" and mode(lorient) == restoring.TWIN
    assert visit(world, twin) == "ok" and mode(twin) == restoring.TWIN
    for place in (lorient, twin):
        with pytest.raises(Conflict, match="restoring"):
            publish(place)
        with place.inside() as town:
            assert not release.may_leave(town)  # never by itself


def test_the_one_a_person_chose_goes_on_and_the_other_stays_stopped(world, twin):
    lorient = world.places["Lorient"]
    start(twin)
    for place in (twin, lorient, twin):
        visit(world, place)
    with lorient.inside() as town:
        release.leave(town, by="Anne")
    world.clock.forward(minutes=1)
    publish(lorient)
    for _ in range(3):
        for place in (lorient, twin):
            assert visit(world, place) == "ok"
    assert (mode(lorient), mode(twin)) == ("", restoring.TWIN)
    with twin.inside():
        assert len(twins._own()) < 6


def test_a_node_that_only_starts_again_has_no_twin(world):
    lorient = world.places["Lorient"]
    for _ in range(4):
        start(lorient)
        assert world.visit("Lorient", "Quimper").outcome == "ok"
        assert mode(lorient) == ""
    start(lorient)  # and one start that no partner ever saw
    start(lorient)
    world.visit("Lorient", "Quimper")
    assert mode(lorient) == ""


def test_a_restored_node_is_not_taken_for_its_own_twin(world, tmp_path):
    lorient = world.places["Lorient"]
    with lorient.inside() as town:
        town.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    shutil.copy(lorient.town.home / "lavoir.db", tmp_path / "old.db")
    start(lorient)
    world.visit("Lorient", "Quimper")
    lorient.town.close()
    for leftover in ("-wal", "-shm"):
        (lorient.town.home / f"lavoir.db{leftover}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "old.db", lorient.town.home / "lavoir.db")
    lorient = world.start("Lorient")
    start(lorient)
    with lorient.inside():
        restoring.begin(world.clock.now_ms(), restoring.RESTORED)
    world.visit("Lorient", "Quimper")
    assert mode(lorient) == restoring.RESTORED
    with lorient.inside() as town:
        release.leave(town, by="Anne")
    for _ in range(2):
        world.visit("Lorient", "Quimper")
    assert mode(lorient) == ""


def test_no_partner_can_make_a_town_believe_in_a_twin(world):
    lorient, quimper = (world.places[name].town for name in ("Lorient", "Quimper"))
    forged = boot.sign(SigningKey.generate(), lorient.id, quimper.id, b"n" * 16, 0)
    elsewhere = boot.sign(lorient.keyring.signing, lorient.id, b"v" * 32, b"n" * 16, 0)
    with using(lorient.database):
        keysets = lorient.store.keysets(lorient.id)
        for raw in (b"", b"\x00", forged, elsewhere, forged[:-1], b"x" * 5_000):
            assert not twins.heard(raw, lorient.id, quimper.id, keysets, 0)
        assert not restoring.is_restoring()
        shown = twins.to_show(lorient.keyring.signing, lorient.id, quimper.id)
        twins.wake()
        assert not twins.heard(shown, lorient.id, quimper.id, keysets, 0)  # our own of yesterday
        true = boot.sign(lorient.keyring.signing, lorient.id, quimper.id, b"n" * 16, 0)
        assert twins.heard(true, lorient.id, quimper.id, keysets, 0)


def test_a_node_that_never_served_shows_nothing(world):
    quimper = world.places["Quimper"].town
    with using(quimper.database):
        assert marks.read(marks.BOOTS) == ""
        assert twins.to_show(quimper.keyring.signing, quimper.id, b"x" * 32) == b""
        assert twins.is_shown(b"x" * 32)


@pytest.mark.parametrize(
    ("town", "to", "nonce", "gen"),
    [
        (b"o" * 32, b"p" * 32, b"n" * 16, 0),
        (b"t" * 32, b"q" * 32, b"n" * 16, 0),
        (b"t" * 32, b"p" * 32, b"n" * 15, 0),
        (b"t" * 32, b"p" * 32, b"n" * 16, 2**40),
    ],
)
def test_a_boot_of_another_form_is_refused(town, to, nonce, gen):
    raw = boot.sign(SigningKey.generate(), town, to, nonce, gen)
    with pytest.raises(RemoteProtocolError, match="bad_message"):
        boot.read(raw, b"t" * 32, b"p" * 32, [])
