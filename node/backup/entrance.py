"""The entrance: what is looked at before a house is opened, and the sentence when it cannot be.

Nothing is ever made in place of what is missing: an empty database would be believed ("empty wins")
and, at the next visit to a partner, look like a town that withdrew everything.
"""

import os
import pwd
from pathlib import Path

from node.backup import rota, swap
from node.backup.house import DATABASE, KEYS, BackupError, Stay, emptied
from node.journal import restoring
from node.store.database import open_database

SQLITE = b"SQLite format 3\0"


class HouseBroken(BackupError):
    """The house cannot be opened as it is; nothing was changed in it."""


def enter(home: Path) -> Stay | None:
    """Finish a restore a power cut interrupted and look at the house; return our stay in it.

    None where there is no house. Raises HouseBroken, BackupError while it is being restored.
    """
    if not home.is_dir():
        return None  # the settings will say that nothing is there
    _reachable(home, home)
    if swap.is_unfinished(home):
        with emptied(home):
            swap.finish(home)
    stay = Stay(home)
    look(home)
    return stay


def look(home: Path) -> None:
    """Raise HouseBroken where a database is missing, empty, none at all, or out of our reach."""
    database = home / DATABASE
    for name in (KEYS, DATABASE, *swap.JOURNALS, restoring.FILE):
        if (home / name).exists():
            _reachable(home / name, home)
    if not (home / KEYS).exists():
        if database.exists():
            raise HouseBroken(
                f"{home / KEYS} is missing, though a town's database is there. Put the key file "
                f"back, or restore a backup: {_advice(home)}"
            )
        return
    if not database.exists() or not database.stat().st_size:
        state = "empty" if database.exists() else "missing"
        raise HouseBroken(
            f"{database} is {state}, though this town exists. Is its disk mounted? Nothing was "
            f"made in its place. Put it back, or restore a backup: {_advice(home)}"
        )
    with database.open("rb") as file:
        if file.read(len(SQLITE)) != SQLITE:
            raise damaged(home, "it is no database any more")


def check_all(home: Path, driver: str = "apsw") -> None:
    """Read the whole database, as a server does once before it serves; raises HouseBroken."""
    database = open_database(home / DATABASE, driver)
    try:
        found = [row[0] for row in database.execute_sql("PRAGMA quick_check(3)").fetchall()]
    except Exception as error:  # whichever the driver raises for a page it cannot make sense of
        raise damaged(home, str(error)) from error
    finally:
        database.close()
    if found != ["ok"]:
        raise damaged(home, found[0].splitlines()[-1])


def damaged(home: Path, what: str) -> HouseBroken:
    """Return the sentence for a database that is there and broken."""
    return HouseBroken(
        f"{home / DATABASE} is damaged ({what}). Nothing was changed or deleted. Copy the folder "
        f"away if you can, then restore the last good backup: {_advice(home)}"
    )


def _advice(home: Path) -> str:
    """Return the command that helps, with the newest backup there is."""
    held = rota.listed(home)
    if not held:
        return f"`lavoir restore FILE --home {home}` (no backup lies beside the database)."
    return (
        f"`lavoir restore {held[0].path} --home {home}` (of "
        f"{held[0].made_at:%Y-%m-%d %H:%M} UTC; what was done here since comes back from the "
        "partners as far as it was public)."
    )


def _reachable(path: Path, home: Path) -> None:
    wanted = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    if os.access(path, wanted):
        return
    if os.access(path, os.R_OK) and os.statvfs(path).f_flag & os.ST_RDONLY:
        raise HouseBroken(
            f"The disk of {path} can only be read: a worn card does that to save what is on it. "
            f"Nothing was changed. Copy {home} away, then restore it on a new card."
        )
    owner = path.stat().st_uid if os.access(path.parent, os.X_OK) else -1
    raise HouseBroken(
        f"{path} belongs to {_name(owner)} and {_name(os.geteuid())} may not use it. Nothing was "
        f"changed. Give the folder back: sudo chown -R {_name(os.geteuid())} {home}"
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return f"user {uid}" if uid >= 0 else "another user"
