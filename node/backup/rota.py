"""The rota: which backups a node makes by itself, and how long each is kept beside the database.

One a day; of them the last 7 days, 4 weeks and 12 months stay. Nothing is dropped before a newer
one is proven, and the newest never.
"""

import contextlib
import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from node.backup import making
from node.backup.house import BackupError
from node.backup.making import SUFFIX, Made
from node.store import jobs, marks

FOLDER = "backups"
DAYS, WEEKS, MONTHS = 7, 4, 12
DISK_SHARE = 4  # all of them together take a quarter of the disk at most

_NAME = re.compile(r"lavoir-(\d{4}-\d\d-\d\d-\d{4})(-before-\w+)?\.backup")

Town = Any  # the object node.app builds


class Kept(NamedTuple):
    """One backup in the folder; `reason` says why it was made outside the rota."""

    path: Path
    made_at: datetime
    size_bytes: int
    reason: str = ""


def run(town: Town, progress: making.Progress | None = None) -> Made:
    """Make today's backup and let go of those that had their time; raises BackupError."""
    folder = town.home / FOLDER
    try:
        with contextlib.suppress(OSError):  # a disk that refuses is told by what follows
            folder.mkdir(mode=0o700, exist_ok=True)
        made = making.make(town, folder / file_name(town.clock.now_ms()), progress)
    except BackupError as error:
        _note(marks.BACKUP_FAILED, {"at_ms": town.clock.now_ms(), "why": str(error)})
        raise
    _note(marks.BACKUP, {**made._asdict(), "path": made.path.name})
    marks.forget(marks.BACKUP_FAILED)
    if marks.read(marks.DRILL_WISHED):
        marks.forget(marks.DRILL_WISHED)
        jobs.hasten("drill")
    for each in superfluous(listed(town.home), shutil.disk_usage(folder).total // DISK_SHARE):
        with contextlib.suppress(FileNotFoundError):
            each.path.unlink()
    return made


def file_name(now_ms: int, reason: str = "") -> str:
    """Return the name of a backup made at that moment (UTC)."""
    at = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%d-%H%M")
    return f"lavoir-{at}{reason}{SUFFIX}"


def listed(home: Path) -> list[Kept]:
    """Return the backups beside the database, the newest first."""
    found = []
    for path in (home / FOLDER).glob(f"lavoir-*{SUFFIX}"):
        named = _NAME.fullmatch(path.name)
        if named:
            made_at = datetime.strptime(named[1], "%Y-%m-%d-%H%M").replace(tzinfo=UTC)
            found.append(Kept(path, made_at, path.stat().st_size, named[2] or ""))
    return sorted(found, key=lambda each: (each.made_at, each.path.name), reverse=True)


def has_any(town: Town) -> bool:
    """Return whether there is a backup to try."""
    return bool(listed(town.home))


def superfluous(held: list[Kept], room_bytes: int) -> list[Kept]:
    """Return those of `held` (newest first) the rota lets go of, the oldest last.

    Kept: the newest of each of 7 days, 4 weeks, 12 months that have one, and the newest made before
    a migration; fewer, the oldest going first, when together they exceed `room_bytes`.
    """
    kept: list[Kept] = []
    for most, period in ((DAYS, "%Y-%j"), (WEEKS, "%G-%V"), (MONTHS, "%Y-%m")):
        kept += _newest_of(held, most, lambda each, period=period: each.made_at.strftime(period))
    kept += [each for each in held if each.reason][:1]
    stay = [each for each in held if each in kept]
    while len(stay) > 1 and sum(each.size_bytes for each in stay) > room_bytes:
        stay.pop()
    return [each for each in held if each not in stay]


def last(name: str) -> dict[str, Any]:
    """Return what was noted of the last backup, failure or drill (marks), {} if nothing was."""
    found: dict[str, Any] = json.loads(marks.read(name, "{}"))
    return found


def _newest_of(held: list[Kept], most: int, period: Callable[[Kept], str]) -> list[Kept]:
    found: dict[str, Kept] = {}
    for each in held:
        found.setdefault(period(each), each)
    return list(found.values())[:most]


def _note(name: str, said: dict[str, Any]) -> None:
    marks.write(name, json.dumps(said))
