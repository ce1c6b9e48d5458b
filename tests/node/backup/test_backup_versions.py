"""Backups of other times: an older schema is brought up to date, a newer one refused; photos."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import pytest

from node.app import ROOT, open_town
from node.backup import making, migrating, rota
from node.backup.house import DATABASE, WORK, BackupError
from node.backup.restore import present_keys, restore
from node.backup.unpacking import Proof
from node.domain.schema import plain
from node.journal import restoring
from node.practices.lending.practice import PRACTICE
from node.store.catalogue.search import Search, search
from node.store.database import open_database, using, write_tx
from node.store.schema import MIGRATIONS, SchemaTooNew, migrate, pending
from tests.node.photos.pictures import encoded
from tests.nodes import listing
from tests.world import START_MS


def put_back(home, path):
    return restore(path, home, Proof(present_keys(home)), START_MS)


def close(place):
    place.town.close()
    return place.town.home


def test_a_backup_of_an_older_schema_is_brought_up_to_date(lorient, tmp_path):
    first = tmp_path / "migrations"
    first.mkdir()
    shutil.copy(MIGRATIONS / "0001_initial.py", first)
    (first / "__init__.py").touch()
    old = tmp_path / "old"
    old.mkdir()
    for name in ("town.keys", "lavoir.toml"):
        shutil.copy(lorient.town.home / name, old)
    database = open_database(old / DATABASE)
    migrate(database, directory=first)
    with using(database):
        made = making.make_of(old, tmp_path / "one", "Lorient", START_MS, [])
    database.close()
    put_back(close(lorient), made.path)
    town = open_town(lorient.town.home)
    with using(town.database):
        assert pending(town.database) == [] and restoring.is_restoring()
    town.close()


def test_a_backup_of_a_newer_schema_is_refused_and_the_house_left_alone(lorient, tmp_path):
    newer = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, newer)
    (newer / "9999_later.py").write_text(
        "def up(migrator, db):\n    db.execute_sql('CREATE TABLE later (a INTEGER)')\n"
    )
    far = tmp_path / "far"
    shutil.copytree(lorient.town.home, far)
    migrating.bring_up_to_date(far, "Lorient", START_MS, directory=newer)
    with using(open_database(far / DATABASE)) as database:
        made = making.make_of(far, tmp_path / "one", "Lorient", START_MS, [])
        database.close()
    home = close(lorient)
    before = (home / DATABASE).read_bytes()
    with pytest.raises(SchemaTooNew, match="newer version"):
        put_back(home, made.path)
    assert (home / DATABASE).read_bytes() == before
    assert not list(home.glob("aside*")) and not (home / ".restore").exists()


def test_our_photos_are_in_a_backup_and_come_back_those_of_partners_do_not(world, lorient):
    world.found("Quimper")
    world.pair("Lorient", "Quimper")
    digests = {}
    for name, seed in (("Lorient", 1), ("Quimper", 2)):
        with world.places[name].inside() as town:
            photo = town.photos.keep(encoded("JPEG", seed=seed))
            digests[name] = photo.hash
            with write_tx():
                town.journal.publish(PRACTICE.kind, listing("Vu", photos=[plain(photo)]))
    world.sync()
    shelf = lorient.town.photos.shelf
    assert shelf.holds(digests["Quimper"])
    with lorient.inside() as town:
        made = rota.run(town)
    assert made.photos == 1
    path = shelf.path(digests["Lorient"])
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with lorient.inside() as town:
        assert making.own_photos(town) == ([], 1)  # torn on the disk: told, and not taken
    assert put_back(close(lorient), made.path).photos == 1
    assert path.read_bytes() == whole
    path.unlink()
    put_back(lorient.town.home, made.path)
    assert path.read_bytes() == whole
    assert shelf.holds(digests["Quimper"])  # nothing of the shelf was put aside


def test_a_backup_that_is_interrupted_leaves_nothing_behind(lorient, tmp_path):
    home = close(lorient)
    command = [sys.executable, "-m", "node.cli", "backup", str(tmp_path / "one")]
    for wait_s in (0.5, 0.8, 1.1):
        process = subprocess.Popen(
            [*command, "--home", str(home)],
            cwd=ROOT.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(wait_s)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        assert not list(tmp_path.glob("*.part")) and not (home / WORK).exists()


def test_abuse_116_a_restore_on_a_full_disk_changes_nothing(lorient, tmp_path, monkeypatch):
    with lorient.inside() as town:
        path = making.make(town, tmp_path / "one").path
    home = close(lorient)
    before = (home / DATABASE).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    held = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(BackupError, match=r"refused.*Nothing was changed"):
            put_back(home, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, held)
    assert (home / DATABASE).read_bytes() == before and not (home / ".restore").exists()
    town = open_town(home)
    with using(town.database):
        assert len(search(Search(), now_ms=START_MS, limit=50).rows) == 12
        assert not restoring.is_restoring()
    town.close()
    assert os.path.exists(path)
