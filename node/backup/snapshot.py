"""The snapshot: one database file that nobody writes to, and what it says of itself."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from node.backup.house import BackupError
from node.store.database import db, refusal


def take(path: Path) -> None:
    """Write the current database, as it is at this moment, to a new file; others go on writing.

    Pages of deleted rows are not in it (VACUUM INTO). Raises BackupError when the disk refuses.
    """
    try:
        db.execute_sql("VACUUM INTO ?", (str(path),))
    except Exception as error:
        if refusal(error) is error:
            raise
        raise BackupError(
            f"The database could not be copied ({error}). Nothing was lost or changed; earlier "
            "backups are untouched."
        ) from error


def facts(path: Path) -> dict[str, Any]:
    """Return what a database file holds, after finding it whole: two equal answers, equal files.

    Keys: rows {table: count}, newest (id of the record that came last), schema (migrations applied
    in order), listings (shown ones). Raises BackupError for a file SQLite finds a fault in.
    """
    try:
        with closing(_opened(path)) as connection:
            _check(path, connection)
            return {
                "rows": _rows(connection),
                "newest": _newest(connection),
                "schema": [row[0] for row in connection.execute(_SCHEMA)],
                "listings": connection.execute(_LISTINGS).fetchone()[0],
            }
    except sqlite3.Error as error:
        raise BackupError(f"{path.name} is not a sound database: {error}.") from error


def faults(path: Path) -> list[str]:
    """Return what SQLite finds wrong with a database file, nothing when it is sound."""
    try:
        with closing(_opened(path)) as connection:
            _check(path, connection)
    except (sqlite3.Error, BackupError) as error:
        return [str(error)]
    return []


_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
_VIRTUAL = "AND sql NOT LIKE 'CREATE VIRTUAL%' AND name NOT LIKE 'listing%search\\_%' ESCAPE '\\'"
_NEWEST = "SELECT id FROM record ORDER BY seq DESC LIMIT 1"
_SCHEMA = "SELECT name FROM schema_migration ORDER BY name"
_LISTINGS = "SELECT count(*) FROM listing WHERE state IN ('published', 'paused')"


def _opened(path: Path) -> sqlite3.Connection:
    """Open a file nobody writes to; no lock is taken and no file is made beside it."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _check(path: Path, connection: sqlite3.Connection) -> None:
    found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
    found = [] if found == ["ok"] else found
    found += [f"stray row in {row[0]}" for row in connection.execute("PRAGMA foreign_key_check")]
    if found:
        raise BackupError(f"{path.name} is not a sound database: {'; '.join(found[:3])}.")


def _rows(connection: sqlite3.Connection) -> dict[str, int]:
    names = [row[0] for row in connection.execute(f"{_TABLES} {_VIRTUAL} ORDER BY name")]
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names
    }


def _newest(connection: sqlite3.Connection) -> bytes:
    row = connection.execute(_NEWEST).fetchone()
    return bytes(row[0]) if row else b""
