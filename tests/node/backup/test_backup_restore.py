"""The restore: what comes back, what stands aside, and power cuts that leave no half of a town."""

import contextlib
import pathlib
import shutil

import pytest

from federation.errors import ProtocolError
from federation.keys import to_words
from node.app import open_town
from node.backup import making, release, swap
from node.backup import restore as restoring_backups
from node.backup.house import DATABASE, BackupError
from node.backup.unpacking import Proof
from node.cli.backup import erase_again
from node.cli.town import found_town
from node.domain.errors import Conflict
from node.erasure import erase
from node.journal import restoring
from node.journal.keyring import Keyring
from node.members import accounts
from node.store import marks
from node.store.catalogue.search import Search, search
from node.store.database import using
from node.store.people import sessions
from tests.world import START_MS

NOW_MS = START_MS + 3_600_000


def back_up(place, target):
    with place.inside() as town:
        return making.make(town, target).path


def restore(path, home, proof=None, **more):
    proof = proof or Proof(Keyring.load(home))
    return restoring_backups.restore(path, home, proof, NOW_MS, erase_again, **more)


def titles(town):
    with using(town.database):
        rows = search(Search(), now_ms=town.clock.now_ms(), limit=100).rows
        return sorted(row.title for row in rows)


@pytest.fixture
def taken(world, lorient, say, tmp_path):
    """A backup of twelve listings; a thirteenth was published since. The node is stopped."""
    path = back_up(lorient, tmp_path / "one")
    world.clock.forward(minutes=30)
    say(lorient, "Scie")
    lorient.town.close()
    return path


def test_what_was_backed_up_comes_back_and_the_present_stands_aside(world, lorient, taken):
    home = lorient.town.home
    done = restore(taken, home)
    assert done.facts["listings"] == 12 and done.head.town == lorient.town.id
    town = world.start("Lorient").town
    assert "Scie" not in titles(town) and len(titles(town)) == 12
    with using(town.database):
        assert restoring.state() == (NOW_MS, restoring.RESTORED)
    aside = done.aside
    assert aside.parent == home and (aside / "town.keys").exists()
    for name in ("town.keys", "lavoir.toml"):
        shutil.copy(home / name, aside)
    assert len(titles(open_town(aside, clock=world.clock))) == 13  # the house that stood there
    assert not (home / swap.STAGE).exists()


def test_a_town_comes_back_on_another_machine_with_its_words(tmp_path, world):
    words = found_town(
        tmp_path / "old", name="Vannes", insee="56260", url="http://vannes.test", clock=world.clock
    )
    town = open_town(tmp_path / "old", clock=world.clock)
    with using(town.database):
        path = making.make(town, tmp_path / "stick").path
    town.close()
    shutil.rmtree(tmp_path / "old")
    done = restore(path, tmp_path / "new", Proof(words=words))
    assert done.aside is None and not list((tmp_path / "new").glob("aside*"))
    again = open_town(tmp_path / "new", clock=world.clock)
    assert again.id == town.id and again.config.name == "Vannes"
    with pytest.raises(ProtocolError, match="bad_words"):
        Proof(words=words[1:] + words[:1])
    with pytest.raises(BackupError, match="other keys"):
        restore(path, tmp_path / "third", Proof(words=to_words(b"x" * 32)))
    assert list((tmp_path / "third").iterdir()) == [tmp_path / "third" / ".lavoir.lock"]


def test_a_stamp_reached_is_never_reached_again(world, lorient, taken):
    home = lorient.town.home
    with lorient.inside():
        reached = marks.number(marks.LAST_STAMP)
        restoring.note_height(home)
    lorient.town.close()
    restore(taken, home)
    with world.start("Lorient").inside():
        assert marks.number(marks.LAST_STAMP) >= reached


def test_sessions_and_codes_of_before_do_not_come_back(world, lorient, tmp_path):
    someone = lorient.member("Anne")
    with lorient.inside():
        sessions.start(b"h" * 32, someone.id, now_ms=START_MS, until_ms=START_MS + 10**9)
        assert sessions.member_of(b"h" * 32, START_MS)
    path = back_up(lorient, tmp_path / "one")
    lorient.town.close()
    restore(path, lorient.town.home)
    with world.start("Lorient").inside():
        assert accounts.named("Anne") is not None
        assert not sessions.member_of(b"h" * 32, START_MS)


def test_what_was_erased_since_is_erased_before_anyone_sees_it(world, lorient, say, tmp_path):
    (key,) = say(lorient, "Secret de famille")
    path = back_up(lorient, tmp_path / "one")
    with lorient.inside() as town:
        erase(town, key)
    lorient.town.close()
    restore(path, lorient.town.home)
    home = lorient.town.home
    for name in (DATABASE, f"{DATABASE}-wal"):
        if (home / name).exists():
            assert b"Secret de famille" not in (home / name).read_bytes()
    assert len(titles(world.start("Lorient").town)) == 12


def test_a_running_node_is_not_replaced_under_its_feet(lorient, tmp_path):
    path = back_up(lorient, tmp_path / "one")
    with pytest.raises(BackupError, match="Stop it first"):
        restore(path, lorient.town.home)
    assert len(titles(lorient.town)) == 12


def test_another_town_is_not_overwritten(world, lorient, tmp_path):
    vannes = world.found("Vannes")
    path = back_up(lorient, tmp_path / "one")
    vannes.town.close()
    with pytest.raises(BackupError, match="another town"):
        restore(path, vannes.town.home, Proof(lorient.town.keyring))
    assert Keyring.load(vannes.town.home).town == vannes.town.id


def test_keys_never_go_back(world, lorient, tmp_path):
    path = back_up(lorient, tmp_path / "one")
    lorient.town.close()
    held = Keyring.load(lorient.town.home)
    newer = held.rotated_hpke(START_MS + 40 * 86_400_000)
    newer.save(lorient.town.home)
    assert restore(path, lorient.town.home).kept_keys
    assert Keyring.load(lorient.town.home).to_bytes() == newer.to_bytes()


def test_a_damaged_backup_changes_nothing(world, lorient, taken):
    raw = bytearray(taken.read_bytes())
    raw[len(raw) // 2] ^= 1
    taken.write_bytes(raw)
    with pytest.raises(BackupError, match="damaged"):
        restore(taken, lorient.town.home)
    assert len(titles(world.start("Lorient").town)) == 13
    assert not list(lorient.town.home.glob("aside*"))


class PowerCut(BaseException):
    """The machine stops here."""


@contextlib.contextmanager
def power_cut_at(step, monkeypatch):
    """Let `step` renames happen, and stop at the next."""
    done = 0
    real = pathlib.Path.rename

    def rename(self, target):
        nonlocal done
        if done == step:
            raise PowerCut
        done += 1
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "rename", rename)
        with contextlib.suppress(PowerCut):
            yield


def test_abuse_115_a_restore_cut_anywhere_leaves_the_old_house_or_the_new(
    world, lorient, taken, tmp_path, monkeypatch
):
    before = tmp_path / "before"
    shutil.copytree(lorient.town.home, before)
    seen = set()
    for step in range(14):
        home = tmp_path / f"cut-{step}"
        shutil.copytree(before, home)
        with power_cut_at(step, monkeypatch):
            restore(taken, home)
        town = open_town(home, clock=world.clock)
        count = len(titles(town))
        with using(town.database):
            assert restoring.is_restoring() == (count == 12), step
        assert not town.database.execute_sql("PRAGMA foreign_key_check").fetchall()
        town.close()
        assert count in (12, 13), step
        seen.add(count)
        if count == 12:
            (aside,) = home.glob("aside-*")
            assert (aside / DATABASE).exists() and not swap.is_unfinished(home)
    assert seen == {12, 13}


def test_restore_mode_ends_by_a_person_and_says_what_came_back(world, lorient, taken):
    restore(taken, lorient.town.home)
    place = world.start("Lorient")
    with place.inside() as town:
        told = release.report(town)
        assert (told.came_back, told.heard, told.unheard) == (0, [], [])
        before = marks.number(marks.RESTORED_S)
        assert release.leave(town, by="Anne") > before
        with pytest.raises(Conflict, match="not_restoring"):
            release.leave(town, by="Anne")
