"""Making a backup: what it holds, that it is proven, and what a half-made one may never do."""

import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import namedtuple

import pytest

from federation.seal import HpkeKey
from node.backup import making, parcel, snapshot
from node.backup.house import DATABASE, WORK, BackupError, working_folder
from node.journal.keyring import Keyring
from node.store.database import using

SEED = int(os.environ.get("LAVOIR_SEED", "0")) or random.randrange(2**32)


def back_up(place, target):
    with place.inside() as town:
        return making.make(town, target)


def unpacked(path, town):
    found = {}
    with path.open("rb") as file:
        told = parcel.unpack(
            file,
            [town.keyring.archive],
            lambda name, size, chunks: found.__setitem__(name, b"".join(chunks)),
        )
    return told, found


def test_a_backup_holds_database_keys_and_settings_and_counts_them(lorient, tmp_path):
    seen = []
    with lorient.inside() as town:
        made = making.make(town, tmp_path / "one", lambda done, total: seen.append((done, total)))
    told, found = unpacked(made.path, lorient.town)
    assert set(found) == {"settings", "keys", "database"}
    assert found["keys"] == (lorient.town.home / "town.keys").read_bytes()
    assert found["settings"] == (lorient.town.home / "lavoir.toml").read_bytes()
    assert (made.listings, made.records, made.photos) == (12, 13, 0)  # and the profile
    assert told.head.town == lorient.town.id and told.head.name == "Lorient"
    assert told.facts["rows"]["record"] == 13
    assert seen == sorted(seen) and seen[-1][0] <= seen[-1][1]
    assert made.path.stat().st_mode & 0o077 == 0
    assert not (lorient.town.home / WORK).exists()


def test_nothing_of_a_backup_can_be_read_without_a_key(lorient, tmp_path):
    made = back_up(lorient, tmp_path / "one")
    raw = made.path.read_bytes()
    for secret in (b"Perceuse", b"Lorient", b"SQLite", lorient.town.keyring.signing.seed):
        assert secret not in raw
    with made.path.open("rb") as file, pytest.raises(BackupError, match="other keys"):
        parcel.read_head(file, [HpkeKey.generate().private])


def test_the_logbook_is_in_no_backup(lorient, tmp_path):
    (lorient.town.home / "logbook").write_bytes(b"only the logbook says this\n")
    _, found = unpacked(back_up(lorient, tmp_path / "one").path, lorient.town)
    assert all(b"only the logbook" not in content for content in found.values())


def test_a_folder_gets_a_file_named_after_town_and_day(lorient, tmp_path):
    assert back_up(lorient, tmp_path).path == tmp_path / "lavoir-lorient-2026-11-23.backup"


def test_a_backup_may_replace_a_backup_and_nothing_else(lorient, tmp_path):
    target = tmp_path / "one"
    assert back_up(lorient, target).path == back_up(lorient, target).path
    target.write_bytes(b"holiday photos")
    with pytest.raises(BackupError, match="no backup"):
        back_up(lorient, target)
    assert target.read_bytes() == b"holiday photos"
    with pytest.raises(BackupError, match="not a folder"):
        back_up(lorient, tmp_path / "stick" / "one")


def test_every_changed_byte_of_a_backup_is_noticed(lorient, tmp_path):
    whole = back_up(lorient, tmp_path / "one").path.read_bytes()
    choose = random.Random(SEED)
    places = [*range(160), *(choose.randrange(len(whole)) for _ in range(120)), len(whole) - 1]
    torn = tmp_path / "torn"
    for at in places:
        changed = bytearray(whole)
        changed[at] ^= 1 << choose.randrange(8)
        torn.write_bytes(changed)
        with pytest.raises(BackupError):
            unpacked(torn, lorient.town)
            raise AssertionError(f"byte {at} of {len(whole)}, seed {SEED}")


def test_every_shortened_or_lengthened_backup_is_noticed(lorient, tmp_path):
    whole = back_up(lorient, tmp_path / "one").path.read_bytes()
    choose = random.Random(SEED)
    torn = tmp_path / "torn"
    cuts = [
        0,
        1,
        15,
        16,
        17,
        18,
        len(whole) - 1,
        *(choose.randrange(len(whole)) for _ in range(40)),
    ]
    for cut in cuts:
        torn.write_bytes(whole[:cut])
        with pytest.raises(BackupError):
            unpacked(torn, lorient.town)
            raise AssertionError(f"cut at {cut} of {len(whole)}, seed {SEED}")
    torn.write_bytes(whole + b"\0")
    with pytest.raises(BackupError):
        unpacked(torn, lorient.town)


def test_a_backup_of_another_town_is_not_believed(world, lorient, tmp_path):
    made = back_up(lorient, tmp_path / "one")
    vannes = world.found("Vannes")
    forged = tmp_path / "forged"
    ours = lorient.town.keyring
    with made.path.open("rb") as file:
        told, found = unpacked(made.path, lorient.town)
    with forged.open("wb") as file:
        packer = parcel.Packer(file.write, HpkeKey.from_private(ours.archive).public, told.head)
        for name, content in found.items():
            packer.add(name, len(content), [content])
        packer.close(told.facts, vannes.town.keyring.signing)
    with pytest.raises(BackupError, match="not made by this town"):
        making.prove(forged, ours, tmp_path)


def test_a_part_that_changes_while_it_is_read_is_no_part(lorient):
    head = parcel.Head(b"t" * 32, 0, "", "", 0)
    packer = parcel.Packer(lambda raw: None, HpkeKey.generate().public, head)
    for content in (b"abc", b"abcde"):
        with pytest.raises(BackupError, match="changed"):
            packer.add("settings", 4, [content])


def test_a_backup_under_load_is_a_moment_that_was(lorient, say, tmp_path):
    """Written to all the while, it holds an unbroken beginning of what was published."""
    stop, written = threading.Event(), []

    def publish():
        while not stop.is_set():
            written.extend(say(lorient, f"Scie {len(written)}"))

    writer = threading.Thread(target=publish)
    writer.start()
    try:
        made = [back_up(lorient, tmp_path / f"at {number}") for number in range(3)]
    finally:
        stop.set()
        writer.join()
    assert len(written) > 3
    for each in made:
        _, found = unpacked(each.path, lorient.town)
        (tmp_path / "then.db").write_bytes(found["database"])
        assert snapshot.facts(tmp_path / "then.db")["rows"]["record"] == each.records
        count = each.records - 13
        with using(lorient.town.database):
            rows = lorient.town.database.execute_sql(
                "SELECT id FROM record ORDER BY seq LIMIT ?", (each.records,)
            ).fetchall()
        assert 0 <= count <= len(written)
        assert snapshot.facts(tmp_path / "then.db")["newest"] == rows[-1][0]


def test_abuse_116_a_full_disk_costs_no_backup_and_leaves_no_half_one(lorient, tmp_path):
    target = tmp_path / "one"
    earlier = back_up(lorient, target).path.read_bytes()

    def fill():  # the disk takes no file of more than 100 kB: the write in the middle fails
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    command = [sys.executable, "-m", "node.cli", "backup", str(target)]
    process = subprocess.run(
        [*command, "--home", str(lorient.town.home)],
        capture_output=True, text=True, preexec_fn=fill, timeout=60, check=False,
    )  # fmt: skip
    assert process.returncode == 1 and "Traceback" not in process.stderr
    assert target.read_bytes() == earlier
    assert not list(tmp_path.glob("*.part")) and not (lorient.town.home / WORK).exists()


def test_abuse_116_a_backup_begins_only_where_there_is_room(lorient, tmp_path, monkeypatch):
    full = namedtuple("usage", "total used free")(10**9, 10**9 - 5 * 10**7, 5 * 10**7)
    monkeypatch.setattr("shutil.disk_usage", lambda path: full)
    with pytest.raises(BackupError, match=r"MB are needed\. Nothing was lost"):
        back_up(lorient, tmp_path / "one")
    assert list(tmp_path.glob("one*")) == []


def test_abuse_115_a_backup_killed_anywhere_leaves_the_earlier_one(lorient, tmp_path):
    target = tmp_path / "one"
    earlier = back_up(lorient, target).path.read_bytes()
    command = [sys.executable, "-m", "node.cli", "backup", str(target)]
    for wait_s in (0.6, 0.8, 1.0):
        process = subprocess.Popen(
            [*command, "--home", str(lorient.town.home)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(wait_s)
        process.kill()
        process.wait()
        with target.open("rb") as file:
            whole = parcel.unpack(
                file, [lorient.town.keyring.archive], lambda n, s, chunks: list(chunks)
            )
        assert whole.head.town == lorient.town.id
    assert back_up(lorient, target).path.read_bytes() != earlier  # what was left is swept


def test_two_backups_at_once_do_not_meet(lorient, tmp_path):
    home, order = lorient.town.home, []

    def second():
        back_up(lorient, tmp_path / "one")
        order.append("second")

    with working_folder(home):
        with pytest.raises(BackupError, match="takes very long"), working_folder(home, 0.1):
            raise AssertionError("two at once")
        waiting = threading.Thread(target=second)
        waiting.start()
        time.sleep(0.3)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def test_abuse_129_a_leaked_backup_gives_no_key_away(lorient, tmp_path):
    raw = back_up(lorient, tmp_path / "one").path.read_bytes()
    keyring = Keyring.load(lorient.town.home)
    for secret in (keyring.signing.seed, keyring.archive, keyring.secret, keyring.hpke[0].private):
        assert secret not in raw


def test_a_broken_database_is_found_before_it_is_called_a_backup(lorient, tmp_path):
    copy = tmp_path / DATABASE
    with lorient.inside():
        snapshot.take(copy)
    assert snapshot.faults(copy) == []
    raw = bytearray(copy.read_bytes())
    raw[8_192:120_000] = bytes(120_000 - 8_192)
    copy.write_bytes(raw)
    assert snapshot.faults(copy)
    with pytest.raises(BackupError, match="not a sound database"):
        snapshot.facts(copy)
    copy.write_bytes(b"")
    assert snapshot.faults(tmp_path / "absent.db")
