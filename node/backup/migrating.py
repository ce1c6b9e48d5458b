"""Bringing the database up to date: never without a proven backup of it, made just before."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar

from node.backup import entrance, making, rota
from node.backup.house import DATABASE, BackupError
from node.store.database import open_database, using
from node.store.schema import MIGRATIONS, SchemaTooNew, migrate, pending

Answer = TypeVar("Answer")
Progress = Callable[[int, int], object]  # of the backup: (bytes done, bytes in all)


class Brought(NamedTuple):
    """What was applied, in order, and the backup made before (None: nothing was to be done)."""

    applied: list[str]
    backup: Path | None


def bring_up_to_date(
    home: Path,
    name: str,
    now_ms: int,
    *,
    driver: str = "apsw",
    progress: Progress | None = None,
    directory: Path = MIGRATIONS,
) -> Brought:
    """Apply what the database of a house misses, after a backup; `name` is the town's.

    Killed at any moment it leaves the schema before or after one of the steps, and the next call
    goes on. Raises HouseBroken, BackupError, SchemaTooNew.
    """
    stay = entrance.enter(home)
    database = open_database(home / DATABASE, driver)
    try:
        names = told(home, lambda: pending(database, directory))
        if not names:
            return Brought([], None)
        folder = home / rota.FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / rota.file_name(now_ms, f"-before-{names[0].split('_')[0]}")
        with using(database):
            made = making.make_of(home, file, name, now_ms, [], progress)
        try:
            applied = migrate(database, directory=directory)
        except Exception as error:
            raise _failed(home, made.path, str(error)) from error
        stray = database.execute_sql("PRAGMA foreign_key_check").fetchall()
    finally:
        database.close()
        if stay is not None:
            stay.leave()
    if stray:
        raise _failed(home, made.path, f"{len(stray)} rows point nowhere")
    return Brought(applied, made.path)


def told(home: Path, ask: Callable[[], Answer]) -> Answer:
    """Return what `ask` does; the refusal of a newer schema names the backup made before it."""
    try:
        return ask()
    except SchemaTooNew as error:
        before = [each.path for each in rota.listed(home) if each.reason] or ["none was found"]
        raise SchemaTooNew(f"{error} The backup made before the upgrade: {before[0]}.") from error


def _failed(home: Path, backup: Path, why: str) -> BackupError:
    return BackupError(
        f"The database could not be brought up to date ({why}). The step that failed was undone. "
        f"Go on with the version you had: `lavoir restore {backup} --home {home}`."
    )
