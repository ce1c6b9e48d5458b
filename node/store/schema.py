"""Brings the database to the schema this code knows: numbered migrations, one process at a time."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import peewee
from playhouse.migrations import Runner

from node.store.database import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
HISTORY = "schema_migration"

Progress = Callable[[str, int, int], object]


class SchemaTooNew(StoreError):
    """A newer version of the software wrote this database; this one must not touch it."""


class SchemaTooOld(StoreError):
    """The database waits for `lavoir migrate`."""


def migrate(
    database: peewee.SqliteDatabase,
    progress: Progress | None = None,
    directory: Path = MIGRATIONS,
) -> list[str]:
    """Apply what is missing, each migration in one transaction; return the names applied.

    Waits for any other process that migrates the same file. `progress(name, done, total)` is told
    before each. Raises SchemaTooNew when the database knows migrations this code does not.
    """
    with _alone(Path(database.database)):
        runner = Runner(database, str(directory), table_name=HISTORY)
        names = pending(database, directory)
        for done, name in enumerate(names):
            if progress:
                progress(name, done, len(names))
            runner.up(name)
    return names


def pending(database: peewee.SqliteDatabase, directory: Path = MIGRATIONS) -> list[str]:
    """Return the migrations not applied yet, in order; raises SchemaTooNew, StoreError."""
    try:
        status = Runner(database, str(directory), table_name=HISTORY).status()
    except peewee.DatabaseError as error:
        raise StoreError(
            f"{database.database} cannot be read: {error}. Nothing was changed."
        ) from error
    unknown = [each.name for each in status if each.path is None]
    if unknown:
        raise SchemaTooNew(
            f"{database.database} was written by a newer version of this software "
            f"(it has {', '.join(unknown)}). Install that version again, or restore a backup "
            "made by this one."
        )
    return [each.name for each in status if not each.applied]


def check_schema(database: peewee.SqliteDatabase) -> None:
    """Raise SchemaTooNew or SchemaTooOld unless the database is exactly what this code knows."""
    names = pending(database)
    if names:
        raise SchemaTooOld(f"{database.database} needs `lavoir migrate` ({', '.join(names)}).")


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the lock file beside the database; the system lets go of it when a process dies."""
    handle = os.open(f"{path}.migrating", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
