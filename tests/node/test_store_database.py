"""The database: many towns in one process, one way to write, nothing acknowledged is taken back."""

import multiprocessing
import os
import threading

import peewee
import pytest

from node.store import database as store
from node.store import marks
from node.store.database import (
    DRIVERS,
    StorageRefused,
    StoreError,
    db,
    open_database,
    using,
    write_tx,
)
from node.store.schema import migrate

WRITERS, WRITES = 4, 200
spawn = multiprocessing.get_context("spawn")


@pytest.fixture(params=DRIVERS)
def town(tmp_path, request):
    database = open_database(tmp_path / "town.db", request.param)
    migrate(database)
    with using(database):
        yield database
    database.close()


def driver_of(database):
    return "apsw" if isinstance(database, store.ApswDatabase) else "sqlite3"


def test_each_town_of_a_process_has_its_own_rows(tmp_path):
    towns = {
        name: open_database(tmp_path / f"{name}.db") for name in ("lorient", "quimper", "vannes")
    }
    for name, database in towns.items():
        migrate(database)
        with using(database):
            marks.write("name", name)
    with using(towns["lorient"]):
        with using(towns["quimper"]):
            with using(towns["vannes"]):
                assert marks.read("name") == "vannes"
            assert marks.read("name") == "quimper"
        assert marks.read("name") == "lorient"


def test_a_call_into_another_town_leaves_the_open_transaction_alone(tmp_path):
    here, there = (open_database(tmp_path / f"{name}.db") for name in ("here", "there"))
    for database in (here, there):
        migrate(database)
    with using(here), pytest.raises(KeyError), write_tx():
        marks.write("asked", "1")
        with using(there), write_tx():
            marks.write("asked", "1")
        raise KeyError
    with using(here):
        assert marks.read("asked") == ""
    with using(there):
        assert marks.read("asked") == "1"


def test_without_a_current_database_nothing_can_be_read_or_written():
    with pytest.raises(LookupError, match="using"):
        marks.read("name")
    with pytest.raises(LookupError, match="using"):
        marks.write("name", "x")


def test_a_thread_starts_without_a_database(town):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(db.obj))
    thread.start()
    thread.join()
    assert seen == [None]


def test_what_every_connection_insists_on(town):
    def look():
        with using(town):
            names = ("page_size", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
            seen.append([town.pragma(name) for name in names] + [town.pragma("journal_mode")])

    seen: list[list[object]] = []
    journal = {"apsw": "wal", "sqlite3": "truncate"}[driver_of(town)]
    look()
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [[8192, 2, 1, 1, 0, journal]] * 2


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 45, 0), False),
        ((3, 50, 7), True), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 52, 0), False),
        ((3, 54, 1), True),
    ],
)  # fmt: skip
def test_wal_is_used_only_where_its_reset_bug_is_fixed(version, safe):
    assert store.wal_is_safe(version) is safe


def test_an_inner_block_that_raises_undoes_only_itself(town):
    with write_tx():
        marks.write("outer", "kept")
        with pytest.raises(KeyError), write_tx():
            marks.write("inner", "undone")
            raise KeyError
    assert (marks.read("outer"), marks.read("inner")) == ("kept", "")


def test_an_outer_block_that_raises_undoes_the_inner_ones(town):
    with pytest.raises(KeyError), write_tx():
        marks.write("inner", "undone")
        raise KeyError
    assert marks.read("inner") == ""


def test_what_follows_a_commit_waits_for_it(town):
    told = []
    with write_tx():
        store.after_commit(lambda: told.append(town.in_transaction()))
        assert told == []
    assert told == [False]
    with pytest.raises(KeyError), write_tx():
        store.after_commit(lambda: told.append("never"))
        raise KeyError
    assert told == [False]


def test_even_peewees_own_atomic_takes_the_write_lock_first(town):
    other = open_database(town.database, driver_of(town))
    other.timeout = 0.05
    with town.atomic(), pytest.raises(peewee.OperationalError, match="locked"):
        other.begin("IMMEDIATE")
    other.close()


def test_one_process_never_opens_a_file_through_both_drivers(town):
    """Their locks would not see each other, and two writers would write at once."""
    (other,) = set(DRIVERS) - {driver_of(town)}
    with pytest.raises(ValueError, match="another driver"):
        open_database(town.database, other)
    with pytest.raises(ValueError, match="unknown driver"):
        open_database(town.database, "mysql")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path, driver):
    path = tmp_path / "town.db"
    path.write_bytes(b"this is not a database, it is a letter" * 400)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"town\.db cannot be opened"):
        open_database(path, driver)
    assert path.read_bytes() == before


def test_a_writer_that_cannot_have_the_lock_is_told_to_come_back(town):
    town.timeout = 0.05
    other = open_database(town.database, driver_of(town))
    other.begin("IMMEDIATE")
    with pytest.raises(StorageRefused) as refused, write_tx():
        pytest.fail("the block must not begin")
    assert (refused.value.code, refused.value.status) == ("busy", 503)
    other.rollback()
    other.close()
    marks.write("then", "fine")


def test_a_full_disk_is_told_and_changes_nothing(town):
    marks.write("before", "kept")
    town.pragma("max_page_count", 1)  # no page more than there are
    with pytest.raises(StorageRefused) as refused, write_tx():
        for number in range(2_000):
            marks.write(f"mark {number}", "x" * 500)
    assert refused.value.code == "disk_full"
    town.pragma("max_page_count", 1_000_000)
    assert marks.Mark.select().count() == 1
    marks.write("after", "fine")


def test_a_transaction_the_disk_ended_is_never_taken_for_a_commit(town):
    town.pragma("max_page_count", 1)
    with pytest.raises(StorageRefused), write_tx(), pytest.raises(StorageRefused):
        for number in range(2_000):
            marks.write(f"mark {number}", "x" * 500)
    assert marks.Mark.select().count() == 0


def test_a_query_still_being_read_pins_an_old_snapshot_and_the_writer_is_refused(tmp_path):
    """Why write_tx says: exhaust a query first. It fails at once, and changes nothing."""
    database = open_database(tmp_path / "town.db")
    migrate(database)
    with using(database):
        for number in range(10):
            marks.write(f"mark {number}", "x")
        reading = iter(marks.Mark.select().iterator())
        next(reading)
        thread = threading.Thread(target=_write_one, args=(database,))
        thread.start()
        thread.join()
        with pytest.raises(StorageRefused):
            marks.write("mine", "x")
        del reading
        marks.write("mine", "x")


def _write_one(database):
    with using(database):
        marks.write("other", "x")


def test_bytes_and_text_are_never_taken_for_one_another(town):
    with pytest.raises(peewee.IntegrityError), write_tx():
        db.execute_sql("INSERT INTO mark (name, value) VALUES ('a', x'00')")
    with pytest.raises(peewee.IntegrityError), write_tx():
        db.execute_sql("INSERT INTO nonce (nonce, partner, until_ms) VALUES ('a', 'b', 1)")


def test_many_rows_are_written_only_inside_a_transaction(town):
    with pytest.raises(RuntimeError, match="write_tx"):
        store.execute_many("INSERT INTO mark (name, value) VALUES (?, ?)", [("a", "b")])


def test_a_forked_child_opens_its_own_connection(town):
    marks.write("before", "1")
    child = os.fork()
    if child == 0:
        try:
            marks.write("child", "1")
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    marks.write("after", "1")
    assert [marks.read(name) for name in ("before", "child", "after")] == ["1", "1", "1"]
    assert town.pragma("integrity_check") == "ok"


def test_threads_count_up_together(town):
    def count():
        with using(town):
            for _ in range(50):
                with write_tx():
                    marks.write_number("count", marks.number("count") + 1)
            town.close()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert marks.number("count") == 200


def test_processes_count_up_together_without_one_failure(town):
    with spawn.Pool(WRITERS) as pool:
        failures = pool.starmap(_count_up, [(town.database, driver_of(town))] * WRITERS)
    assert failures == [0] * WRITERS
    assert marks.number("count") == WRITERS * WRITES


def _count_up(path, driver):
    failures = 0
    database = open_database(path, driver)
    with using(database):
        for _ in range(WRITES):
            try:
                with write_tx():
                    marks.write_number("count", marks.number("count") + 1)
            except StorageRefused:
                failures += 1
    database.close()
    return failures
