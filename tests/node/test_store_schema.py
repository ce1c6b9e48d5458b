"""The schema: what the migrations make is what the tables say, whoever migrates, however often."""

import multiprocessing
import shutil

import peewee
import pytest

from node.store.database import DRIVERS, open_database, using
from node.store.schema import (
    MIGRATIONS,
    SchemaTooNew,
    SchemaTooOld,
    check_schema,
    migrate,
    pending,
)
from node.store.tables import TABLES

spawn = multiprocessing.get_context("spawn")
NAMES = sorted(path.stem for path in MIGRATIONS.glob("0*.py"))


def shape(database):
    """Everything that makes a schema, free of the way its SQL is written."""
    tables = [name for name in database.get_tables() if name != "schema_migration"]
    found = {}
    for table in tables:
        pragmas = ("table_xinfo", "foreign_key_list", "index_list")
        rows = [
            sorted(map(repr, database.execute_sql(f'PRAGMA {p}("{table}")').fetchall()))
            for p in pragmas
        ]
        indexes = {each.name: (each.columns, each.unique) for each in database.get_indexes(table)}
        listed = database.execute_sql(
            "SELECT type, wr, strict FROM pragma_table_list WHERE name = ?", (table,)
        ).fetchone()
        found[table] = (rows, indexes, listed)
    return found


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_migrations_make_exactly_the_tables_of_the_code(tmp_path, driver):
    migrated = open_database(tmp_path / "migrated.db", driver)
    migrate(migrated)
    made = open_database(tmp_path / "made.db", driver)
    with using(made):
        made.create_tables(TABLES)
    migrated_shape, made_shape = shape(migrated), shape(made)
    assert sorted(migrated_shape) == sorted(made_shape)
    for table, expected in made_shape.items():
        assert migrated_shape[table] == expected, table


def test_grr_306_an_upgrade_takes_no_right_from_anybody(tmp_path):
    before = tmp_path / "before"
    before.mkdir()
    for name in NAMES:
        if name < "0013":
            shutil.copy(MIGRATIONS / f"{name}.py", before)
    database = open_database(tmp_path / "town.db")
    migrate(database, directory=before)
    roles = {"anne": "resident", "yann": "desk", "soizic": "admin"}
    for name, role in roles.items():
        database.execute_sql(
            "INSERT INTO member (ref, name, phone, quartier, password, language, role, status,"
            " created_ms) VALUES (?, ?, '', '', '', 'fr', ?, 'active', 1)",
            (name.encode(), name, role),
        )
    migrate(database)
    kept = dict(database.execute_sql("SELECT name, role FROM member").fetchall())
    assert kept == {**roles, "yann": "moderator"}


def test_migrating_twice_does_nothing_the_second_time(tmp_path):
    database = open_database(tmp_path / "town.db")
    told = []
    assert migrate(database, lambda *step: told.append(step)) == NAMES
    assert told == [(name, done, len(NAMES)) for done, name in enumerate(NAMES)]
    assert migrate(database) == pending(database) == []
    check_schema(database)


def test_an_empty_database_says_what_it_waits_for(tmp_path):
    with pytest.raises(SchemaTooOld, match="lavoir migrate"):
        check_schema(open_database(tmp_path / "town.db"))


def test_a_database_of_a_newer_version_is_not_touched(tmp_path):
    future = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, future)
    (future / "9999_future.py").write_text("def up(migrator, db):\n    pass\n")
    database = open_database(tmp_path / "town.db")
    migrate(database, directory=future)
    for act in (migrate, check_schema):
        with pytest.raises(SchemaTooNew, match=r"newer version.*9999_future"):
            act(database)


def test_a_migration_that_fails_leaves_the_schema_before_it(tmp_path):
    broken = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, broken)
    (broken / "0002_broken.py").write_text(
        "def up(migrator, db):\n"
        "    db.execute_sql('CREATE TABLE half (id INTEGER)')\n"
        "    db.execute_sql('CREATE TABLE half (id INTEGER)')\n"
    )
    database = open_database(tmp_path / "town.db")
    migrate(database)
    with pytest.raises(peewee.OperationalError):
        migrate(database, directory=broken)
    assert "half" not in database.get_tables()
    assert pending(database, broken) == ["0002_broken"]
    assert database.pragma("foreign_keys") == 1


def test_rows_that_hang_on_others_survive_a_later_migration(tmp_path):
    """playhouse.migrations switches foreign keys off meanwhile; they must be on again after."""
    later = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, later)
    (later / "0002_note.py").write_text(
        "from peewee import TextField\n\n\n"
        "def up(migrator, db):\n"
        "    migrator.migrate(migrator.add_column('partner', 'note', TextField(default='')))\n"
    )
    database = open_database(tmp_path / "town.db")
    migrate(database)
    assert migrate(database, directory=later) == ["0002_note"]
    assert "note" in [column.name for column in database.get_columns("partner")]
    assert database.pragma("foreign_keys") == 1


def test_four_processes_may_migrate_at_once(tmp_path):
    path = tmp_path / "town.db"
    with spawn.Pool(4) as pool:
        applied = pool.map(_migrate, [str(path)] * 4)
    assert sorted(applied, key=len) == [[], [], [], NAMES]
    check_schema(open_database(path))


def _migrate(path):
    return migrate(open_database(path))
