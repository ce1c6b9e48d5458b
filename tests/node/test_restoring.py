"""The restore mode: who goes back in time is noticed, says nothing, and takes its own back."""

import shutil

import pytest

from federation.stamp import as_of_day
from node.app import DATABASE, jobs_of
from node.backup import release, rota
from node.domain.errors import Conflict
from node.journal import restoring
from node.practices.lending.practice import PRACTICE
from node.store import marks
from node.store.catalogue.search import Search, search
from node.store.network import partners
from node.store.sets import records
from node.store.sets.record_store import figures
from node.upkeep import upkeep
from tests.nodes import listing
from tests.world import World


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def say(place, title):
    with place.inside() as town:
        return town.journal.publish(PRACTICE.kind, listing(title)).key


def copy_of(place, folder):
    """Copy the database as a person would who stopped the node."""
    with place.inside() as town:
        town.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    shutil.copy(place.town.home / DATABASE, folder / "copy.db")


def put_back(world, name, folder):
    home = world.places[name].town.home
    world.places[name].town.close()
    for leftover in ("-wal", "-shm"):
        (home / f"{DATABASE}{leftover}").unlink(missing_ok=True)
    shutil.copy(folder / "copy.db", home / DATABASE)
    return world.start(name)


def test_a_house_keeps_its_mark_in_the_database_and_beside_it(world):
    lorient = world.found("Lorient")
    mark, stamp = (lorient.town.home / restoring.FILE).read_text().split()
    with lorient.inside():
        assert mark == marks.read(marks.GENERATION) and len(mark) == 32
        assert int(stamp) <= marks.number(marks.LAST_STAMP)
        assert not restoring.is_restoring() and restoring.state() is None
    again = world.start("Lorient")
    with again.inside():
        assert not restoring.is_restoring()


def test_a_house_of_a_version_without_marks_gets_them(world):
    lorient = world.found("Lorient")
    (lorient.town.home / restoring.FILE).unlink()
    with lorient.inside():
        marks.forget(marks.GENERATION)
    with world.start("Lorient").inside() as town:
        assert not restoring.is_restoring()
        assert (town.home / restoring.FILE).read_text().split()[0] == marks.read(marks.GENERATION)


@pytest.mark.parametrize("mark", [None, "", "0" * 32 + " 0", "torn"])
def test_a_mark_that_differs_or_is_missing_begins_restore_mode(world, mark):
    home = world.found("Lorient").town.home
    if mark is None:
        (home / restoring.FILE).unlink()
    else:
        (home / restoring.FILE).write_text(mark)
    with world.start("Lorient").inside():
        assert restoring.state() == (world.clock.now_ms(), restoring.COPIED)
        assert marks.read(marks.GENERATION) == (home / restoring.FILE).read_text().split()[0]
    with world.start("Lorient").inside():
        assert restoring.is_restoring()  # until it is finished, however often it starts


def test_an_older_copy_of_the_database_begins_restore_mode_by_its_stamp(world, tmp_path):
    lorient = world.found("Lorient")
    copy_of(lorient, tmp_path)
    world.clock.forward(hours=1)
    say(lorient, "Perceuse")
    with lorient.inside() as town:
        assert restoring.has_risen(town.home)
        restoring.note_height(town.home)
        assert not restoring.has_risen(town.home)
        reached = marks.number(marks.LAST_STAMP)
    with put_back(world, "Lorient", tmp_path).inside():
        assert restoring.is_restoring()
        assert marks.number(marks.LAST_STAMP) == reached  # no stamp is ever used twice


def test_in_restore_mode_nothing_is_signed_and_reading_goes_on(world):
    lorient = world.found("Lorient")
    key = say(lorient, "Perceuse")
    with lorient.inside() as town:
        restoring.begin(world.clock.now_ms(), restoring.RESTORED)
        for act in (lambda: town.journal.withdraw(key), lambda: say(lorient, "Scie")):
            with pytest.raises(Conflict) as refused:
                act()
            assert refused.value.code == "restoring"
        town.publish_profile()
        assert len(search(Search(), now_ms=world.clock.now_ms()).rows) == 1


def test_abuse_037_what_a_restored_town_said_since_its_backup_comes_home(world, tmp_path):
    lorient, quimper = world.found("Lorient"), world.found("Quimper")
    world.pair("Lorient", "Quimper")
    kept = say(lorient, "Perceuse")
    world.sync()
    copy_of(lorient, tmp_path)
    world.clock.forward(hours=1)
    say(lorient, "Scie")
    with lorient.inside() as town:
        town.journal.withdraw(kept)
        restoring.note_height(town.home)
    world.sync()
    before = world.fingerprints()
    assert before["Lorient"] == before["Quimper"]
    lorient = put_back(world, "Lorient", tmp_path)
    day = as_of_day(world.clock.now_ms())
    with lorient.inside() as town:
        held = [town.id, quimper.town.id]
        assert sorted({row.origin for row in figures(day)}) == sorted(held)
        assert {row.origin for row in town.store.rows(quimper.town.id, day)} == {quimper.town.id}
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert world.fingerprints() == before  # the erased one stays erased, the new one is back
    with lorient.inside():
        gen = restoring.finish(world.clock.now_ms())
        assert marks.number(marks.RESTORED_S) == gen and not restoring.is_restoring()
        assert restoring.finish(world.clock.now_ms()) == gen + 1  # it always grows
    world.clock.forward(minutes=1)
    say(lorient, "Ponceuse")
    world.sync()
    after = world.fingerprints()
    assert after["Lorient"] == after["Quimper"] != before["Quimper"]


def test_a_whole_machine_rolled_back_is_noticed_by_what_partners_bring(world, tmp_path):
    lorient = world.found("Lorient")
    world.found("Quimper")
    world.pair("Lorient", "Quimper")
    copy_of(lorient, tmp_path)
    mark = (lorient.town.home / restoring.FILE).read_text()
    world.clock.forward(hours=1)
    say(lorient, "Scie")
    world.sync()
    (lorient.town.home / restoring.FILE).write_text(mark)  # the file went back with the database
    lorient = put_back(world, "Lorient", tmp_path)
    with lorient.inside():
        assert not restoring.is_restoring()
    world.visit("Lorient", "Quimper")
    with lorient.inside():
        assert restoring.state().why == restoring.ELSEWHERE


def test_what_comes_home_late_after_a_restore_is_no_alarm(world, tmp_path):
    lorient = world.found("Lorient")
    for name in ("Quimper", "Vannes"):
        world.found(name)
        world.pair("Lorient", name)
    world.clock.forward(minutes=1)
    copy_of(lorient, tmp_path)
    world.clock.forward(hours=1)
    say(lorient, "Scie")
    world.visit("Lorient", "Vannes")
    lorient = put_back(world, "Lorient", tmp_path)
    with lorient.inside():
        restoring.begin(world.clock.now_ms(), restoring.RESTORED)
    world.visit("Lorient", "Quimper")  # which never saw it
    with lorient.inside():
        restoring.finish(world.clock.now_ms())
    world.visit("Lorient", "Vannes")
    with lorient.inside():
        assert not restoring.is_restoring()
    here, there = world.fingerprints()["Lorient"], world.fingerprints()["Vannes"]
    assert here[lorient.town.id, 0] == there[lorient.town.id, 0]


def test_restore_mode_ends_once_every_partner_was_tried_and_one_was_heard(world):
    lorient = world.found("Lorient")
    for name in ("Quimper", "Vannes"):
        world.found(name)
        world.pair("Lorient", name)
    world.sync()
    world.clock.forward(minutes=1)
    with lorient.inside() as town:
        restoring.begin(world.clock.now_ms(), restoring.RESTORED)
        assert not release.may_leave(town)
    world.clock.forward(minutes=1)
    world.cut("Lorient", "Vannes")
    world.visit("Lorient", "Vannes")
    with lorient.inside() as town:
        assert not release.may_leave(town)  # tried, and nobody heard
    world.visit("Lorient", "Quimper")
    with lorient.inside() as town:
        assert release.may_leave(town)
        (job,) = [each for each in jobs_of(town) if each.name == "restored"]
        assert job.has_work(town)
        job.run(town)
        assert not restoring.is_restoring() and not job.has_work(town)


def test_a_town_without_partners_has_nothing_to_wait_for(world):
    with world.found("Lorient").inside() as town:
        restoring.begin(world.clock.now_ms(), restoring.RESTORED)
        assert release.may_leave(town)
        restoring.begin(world.clock.now_ms(), restoring.TWIN)
        assert not release.may_leave(town)


def test_abuse_036_a_partner_restored_from_an_old_backup_is_believed_again(world, tmp_path):
    lorient, quimper = world.found("Lorient"), world.found("Quimper")
    world.pair("Lorient", "Quimper")
    say(lorient, "Perceuse")
    world.sync()
    copy_of(lorient, tmp_path)
    world.clock.forward(hours=1)
    said = {say(lorient, f"Scie {number}") for number in range(3)}
    world.sync()
    stamps = {row.stamp for row in held_by(quimper, lorient.town.id)}
    lorient = put_back(world, "Lorient", tmp_path)
    with lorient.inside():
        restoring.begin(world.clock.now_ms(), restoring.RESTORED)
    world.visit("Quimper", "Lorient")  # the partner comes by itself, and gives all back
    with lorient.inside() as town:
        release.leave(town, by="Anne")
    say(lorient, "Ponceuse")
    world.sync()
    after = held_by(quimper, lorient.town.id)
    assert said <= {row.key for row in after} and len(after) == 6
    assert len({row.stamp for row in after}) == 6  # no number is used twice
    assert stamps <= {row.stamp for row in after}
    with quimper.inside():
        assert partners.find(lorient.town.id).generation_s > 0
    assert world.fingerprints()["Lorient"] == world.fingerprints()["Quimper"]


def held_by(place, origin):
    with place.inside():
        return list(records.walk(origin))


def test_abuse_040_a_clock_of_1970_signs_nothing_and_ends_nothing(world):
    lorient = world.found("Lorient")
    say(lorient, "Perceuse")
    now_ms, world.clock.at_ms = world.clock.now_ms(), 86_400_000
    with world.start("Lorient").inside() as town:
        assert not restoring.is_restoring()
        with pytest.raises(Conflict, match="clock"):
            say(lorient, "Scie")
        upkeep(town)
        assert len(search(Search(), now_ms=now_ms).rows) == 1
        made = rota.run(town)
        assert made.listings == 1 and rota.listed(town.home)[0].path == made.path
        world.clock.at_ms = now_ms
        say(lorient, "Scie")


@pytest.mark.parametrize("hours", [-1, 24, -24])
def test_abuse_041_a_clock_that_jumps_is_no_restore_and_stamps_still_grow(world, hours):
    lorient = world.found("Lorient")
    say(lorient, "Perceuse")
    with lorient.inside() as town:
        restoring.note_height(town.home)
        before = marks.number(marks.LAST_STAMP)
    world.clock.forward(hours=hours)
    with world.start("Lorient").inside():
        assert not restoring.is_restoring()
        say(lorient, "Scie")
        assert marks.number(marks.LAST_STAMP) > before


def test_visits_of_before_count_for_nothing_even_where_the_clock_is_wrong(world):
    lorient = world.found("Lorient")
    world.found("Quimper")
    world.pair("Lorient", "Quimper")
    world.sync()
    now_ms, world.clock.at_ms = world.clock.now_ms(), 86_400_000
    with lorient.inside() as town:
        restoring.begin(world.clock.now_ms(), restoring.RESTORED)
        assert release.report(town).heard == [] and not release.may_leave(town)
        with pytest.raises(Conflict, match="clock"):
            release.leave(town, by="Anne")
        world.clock.at_ms = now_ms
        assert not release.may_leave(town)  # the clock is right again, and nobody was heard yet
    world.clock.forward(minutes=1)
    world.visit("Lorient", "Quimper")
    with lorient.inside() as town:
        assert release.may_leave(town)
