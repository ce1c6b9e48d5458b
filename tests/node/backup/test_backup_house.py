"""The house at its door: what is missing, broken or of another version is told, never made anew."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from node.app import ROOT, open_town
from node.backup import making, migrating, rota, unpacking
from node.backup.entrance import HouseBroken
from node.backup.house import DATABASE, KEYS
from node.backup.restore import present_keys, restore
from node.backup.unpacking import Proof
from node.cli.serve import make_ready
from node.cli.town import found_town
from node.journal import restoring
from node.store.database import open_database, using
from node.store.schema import MIGRATIONS, SchemaTooNew, pending


@pytest.fixture
def home(lorient):
    with lorient.inside() as town:
        rota.run(town)
        town.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    lorient.town.close()
    for name in ("-wal", "-shm"):
        (lorient.town.home / f"{DATABASE}{name}").unlink(missing_ok=True)
    return lorient.town.home


def files_of(home):
    return {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()}


@pytest.mark.parametrize("open_house", [open_town, make_ready])
@pytest.mark.parametrize("state", ["missing", "empty"])
def test_abuse_119_an_empty_database_never_wins(home, open_house, state):
    (home / DATABASE).unlink()
    if state == "empty":
        (home / DATABASE).touch()
    before = files_of(home)
    with pytest.raises(
        HouseBroken, match=rf"{state}.*Is its disk mounted\?.*lavoir restore .*2026"
    ):
        open_house(home)
    assert files_of(home) == before


def test_abuse_119_a_missing_key_file_is_not_made_anew(home):
    (home / KEYS).unlink()
    with pytest.raises(HouseBroken, match="Put the key file back"):
        make_ready(home)
    assert not (home / KEYS).exists()


@pytest.mark.parametrize("at", [0, 8_192, 40_000])
def test_abuse_118_a_damaged_database_is_left_as_it_is_and_the_last_backup_named(home, at):
    with (home / DATABASE).open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * 60_000)
    before = (home / DATABASE).read_bytes()
    with pytest.raises(HouseBroken, match=r"damaged.*Nothing was changed.*lavoir restore .*2026"):
        make_ready(home)
    assert (home / DATABASE).read_bytes() == before


def test_abuse_118_the_named_backup_brings_the_town_back(home, world, tmp_path):
    (home / DATABASE).write_bytes(b"\0" * 100_000)
    held = rota.listed(home)[0].path
    proof = Proof(present_keys(home))
    restore(held, home, proof, world.clock.now_ms())
    assert make_ready(home).name == "Lorient"


def nobody_reads_the_program():
    """Whether another user may read this checkout, which may lie in somebody's home."""
    command = ["setpriv", "--reuid=65534", "--clear-groups", sys.executable, "-c", "import node"]
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    return (
        subprocess.run(command, cwd=ROOT.parent, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(
    not nobody_reads_the_program(),
    reason="needs root to give a file to somebody else, who can read this checkout",
)
def test_abuse_120_a_file_of_another_owner_is_named_with_the_command_that_helps(home, tmp_path):
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path\n"
        "from node.backup import entrance\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "try: entrance.look(Path(sys.argv[1]))\n"
        "except entrance.HouseBroken as error: print(error); sys.exit(7)\n"
    )
    inner = tmp_path / "reachable"
    shutil.copytree(home, inner)
    for folder in (tmp_path, *tmp_path.parents):  # pytest's own, which are for nobody else
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(0o755)
    os.chown(inner, 65534, 65534)
    (inner / DATABASE).chmod(0o600)
    told = subprocess.run(
        [sys.executable, "-c", code, str(inner), str(ROOT.parent)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert told.returncode == 7, told.stderr
    assert "belongs to root and nobody may not use it" in told.stdout
    assert f"sudo chown -R nobody {inner}" in told.stdout


# ── the schema ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def later(tmp_path):
    """The migrations of a later version: two steps more."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    step = "def up(migrator, db):\n    db.execute_sql('CREATE TABLE {0} (a INTEGER)')\n"
    for name in ("later_one", "later_two"):
        (folder / f"90{len(name)}1_{name}.py").write_text(step.format(name))
    return folder


def bring(home, directory):
    return migrating.bring_up_to_date(home, "Lorient", 1_795_430_400_000, directory=directory)


def test_a_migration_is_never_done_without_a_backup_of_before(home, later):
    assert bring(home, MIGRATIONS) == ([], None)
    done = bring(home, later)
    assert len(done.applied) == 2
    assert {each.path: each.reason for each in rota.listed(home)}[done.backup] == "-before-9091"
    folder = home / "look"
    folder.mkdir()
    told, _ = unpacking.unpack(done.backup, Proof(present_keys(home)), folder)
    assert not set(done.applied) & set(told.facts["schema"])


def test_abuse_132_an_older_program_refuses_a_newer_schema_and_names_the_backup(home, later):
    backup = bring(home, later).backup
    before = (home / DATABASE).read_bytes()
    for act in (open_town, make_ready):
        with pytest.raises(SchemaTooNew, match=rf"newer version.*{backup.name}"):
            act(home)
    assert (home / DATABASE).read_bytes() == before


def test_abuse_132_a_migration_that_fails_names_the_way_back(home, later):
    (later / "9999_broken.py").write_text(
        "def up(migrator, db):\n    db.execute_sql('CREATE TABLE half (a)')\n    1 / 0\n"
    )
    with pytest.raises(Exception, match=r"step that failed was undone.*lavoir restore .*-before-"):
        bring(home, later)
    database = open_database(home / DATABASE)
    assert "half" not in database.get_tables()
    database.close()


def test_abuse_132_a_migration_killed_anywhere_leaves_the_schema_of_one_step(home, later, tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[3]); from pathlib import Path\n"
        "from node.backup.migrating import bring_up_to_date\n"
        "bring_up_to_date(Path(sys.argv[1]), 'Lorient', 0, directory=Path(sys.argv[2]))\n"
    )
    for number in range(8):
        (later / f"95{number:02}_step.py").write_text(
            "import time\ndef up(migrator, db):\n"
            f"    db.execute_sql('CREATE TABLE a{number} (a)')\n    time.sleep(0.03)\n"
            f"    db.execute_sql('CREATE TABLE b{number} (a)')\n"
        )
    for wait_s in (0.5, 0.62, 0.7):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(home), str(later), str(ROOT.parent)],
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        database = open_database(home / DATABASE)
        tables = set(database.get_tables())
        done = 10 - len(pending(database, later))
        assert {f"a{n}" for n in range(8)} & tables == {f"a{n}" for n in range(max(done - 2, 0))}
        assert {f"b{n}" for n in range(8)} & tables == {f"b{n}" for n in range(max(done - 2, 0))}
        database.close()
    bring(home, later)
    with using(open_database(home / DATABASE)) as database:
        assert pending(database, later) == []
        database.close()


def test_a_house_that_is_only_opened_stays_as_it_is(home, world):
    town = open_town(home, clock=world.clock)
    with using(town.database):
        assert not restoring.is_restoring()
        assert making.own_photos(town) == ([], 0)
    town.close()


def test_abuse_117_a_card_that_can_only_be_read_is_told_apart_from_a_wrong_owner(home, monkeypatch):
    """Mounting needs rights a test has not: what the system would answer is told instead."""
    held = os.statvfs(home)
    fields = [getattr(held, f"f_{name}") for name in _STATVFS]
    fields[_STATVFS.index("flag")] |= os.ST_RDONLY
    monkeypatch.setattr(os, "access", lambda path, mode: mode == os.R_OK)
    monkeypatch.setattr(os, "statvfs", lambda path: os.statvfs_result(fields))
    with pytest.raises(HouseBroken, match=r"can only be read.*Nothing was changed.*new card"):
        open_town(home)


_STATVFS = (
    "bsize", "frsize", "blocks", "bfree", "bavail", "files", "ffree", "favail", "flag", "namemax",
)  # fmt: skip


def test_founding_a_town_where_another_lost_its_keys_overwrites_nothing(home, world):
    (home / KEYS).unlink()
    before = (home / DATABASE).read_bytes()
    found_town(home, name="Vannes", insee="56260", url="http://vannes.test", clock=world.clock)
    (aside,) = home.glob("aside-*")
    assert (aside / DATABASE).read_bytes() == before
    assert open_town(home, clock=world.clock).config.name == "Vannes"
