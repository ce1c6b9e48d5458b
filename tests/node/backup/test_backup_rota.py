"""The rota and the drill: what a node does by itself so that a backup is there, and is good."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.app import jobs_of, open_town
from node.backup import drill, rota
from node.backup.house import WORK, BackupError
from node.backup.rota import Kept
from node.store import marks
from node.store.database import using

START = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)
DAY_MS = 86_400_000


def kept(*hours, size=1, reason=""):
    return [
        Kept(Path(f"{hour}"), START - timedelta(hours=hour), size, reason)
        for hour in sorted(hours)
    ]  # fmt: skip


def test_of_two_years_seven_days_four_weeks_and_twelve_months_stay():
    held = kept(*range(0, 24 * 730, 24))
    gone = rota.superfluous(held, 10**9)
    stay = [each for each in held if each not in gone]
    days = [(START - each.made_at).days for each in stay]
    assert days[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert len({each.made_at.strftime("%G-%V") for each in stay}) >= 4
    assert len({each.made_at.strftime("%Y-%m") for each in stay}) == 12
    assert 7 + 12 <= len(stay) <= 7 + 4 + 12


def test_of_one_day_the_newest_stays():
    held = kept(0, 1, 2, 3)
    assert rota.superfluous(held, 10**9) == held[1:]


def test_too_large_together_the_oldest_go_and_the_newest_never():
    held = kept(*range(0, 24 * 7, 24), size=40)
    assert [each for each in held if each not in rota.superfluous(held, 100)] == held[:2]
    assert [each for each in held if each not in rota.superfluous(held, 1)] == held[:1]


def test_the_newest_made_before_a_migration_stays():
    old = kept(24 * 900, 24 * 901, reason="-before-0002")
    gone = rota.superfluous(kept(*range(0, 24 * 500, 24)) + old, 10**9)
    assert old[0] not in gone and old[1] in gone


@given(st.sets(st.integers(0, 20_000), min_size=1, max_size=60), st.integers(0, 100))
def test_whatever_was_made_when_the_newest_stays_and_doing_it_again_drops_nothing(hours, room):
    held = kept(*hours)
    stay = [each for each in held if each not in rota.superfluous(held, room)]
    assert stay[0] == held[0]
    assert rota.superfluous(stay, room) == []


def test_a_day_s_backup_is_noted_and_the_old_ones_go_only_after_it(world, lorient):
    with lorient.inside() as town:
        for _ in range(10):
            made = rota.run(town)
            world.clock.forward(days=1)
        held = rota.listed(town.home)
        assert held[0].path == made.path and 7 <= len(held) <= 9
        noted = rota.last(marks.BACKUP)
        assert (noted["path"], noted["listings"]) == (made.path.name, 12)
        assert rota.last(marks.BACKUP_FAILED) == {}


def test_a_backup_that_fails_is_noted_and_drops_nothing(world, lorient):
    with lorient.inside() as town:
        first = rota.run(town).path
        keys = town.home / "town.keys"
        raw = keys.read_bytes()
        (town.home / rota.FOLDER / rota.file_name(world.clock.now_ms() + DAY_MS)).write_bytes(b"x")
        world.clock.forward(days=1)
        with pytest.raises(BackupError):
            rota.run(town)
        assert "no backup" in rota.last(marks.BACKUP_FAILED)["why"]
        assert first.exists() and keys.read_bytes() == raw


def test_the_drill_restores_the_newest_backup_and_says_what_was_in_it(world, lorient):
    with lorient.inside() as town:
        with pytest.raises(BackupError, match="no backup yet"):
            drill.run(town, open_town)
        assert drill.is_stale(rota.last(marks.DRILL), world.clock.now_ms())
        rota.run(town)
        said = drill.run(town, open_town)
        assert (said["ok"], said["listings"], said["records"]) == (True, 12, 13)
        assert rota.last(marks.DRILL) == said
        assert not drill.is_stale(said, world.clock.now_ms() + 8 * DAY_MS)
        assert drill.is_stale(said, world.clock.now_ms() + 8 * DAY_MS + 1)
        assert not (town.home / WORK).exists()


def test_a_backup_that_rotted_fails_its_drill_in_words(lorient):
    with lorient.inside() as town:
        path = rota.run(town).path
        raw = bytearray(path.read_bytes())
        raw[-500] ^= 1
        path.write_bytes(raw)
        with pytest.raises(BackupError, match="damaged"):
            drill.run(town, open_town)
        assert "damaged" in rota.last(marks.DRILL)["why"]


def test_backup_and_drill_are_jobs_of_a_node(lorient):
    with using(lorient.town.database):
        jobs = {job.name: job for job in jobs_of(lorient.town)}
        assert jobs["backup"].every_s == 86_400 and jobs["drill"].every_s == 7 * 86_400
        assert not jobs["drill"].has_work(lorient.town)
        jobs["backup"].run(lorient.town)
        assert jobs["drill"].has_work(lorient.town)
        jobs["drill"].run(lorient.town)
        assert rota.last(marks.DRILL)["ok"]
        assert not jobs["restored"].has_work(lorient.town)
        jobs["height"].run(lorient.town)
        assert not jobs["height"].has_work(lorient.town)
