"""The swap: a restored house takes the place of the present one, whole or not at all.

    .restore/ is filled ──▶ .restore/ready is synced ──▶ files change places ──▶ ready is removed
Before `ready` is there the old house stands; once it is, whoever comes next finishes the move, so a
power cut in between leaves no half. What was there is kept aside and never overwritten.
"""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from node.backup.house import DATABASE, GENERATION, KEYS, PHOTOS, SETTINGS, sync_file, sync_tree

STAGE = ".restore"
READY = "ready"
JOURNALS = (DATABASE + "-wal", DATABASE + "-shm", DATABASE + "-journal")
FILES = (DATABASE, GENERATION, SETTINGS, KEYS)


def stage(home: Path) -> Path:
    """Return an empty folder in `home` to build the new house in; an unfinished one is dropped."""
    folder = home / STAGE
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def commit(home: Path, now_ms: int) -> Path:
    """Put the staged house in place of the present one; return the folder that keeps that one."""
    aside = _free(home, _aside_name(now_ms))
    folder = home / STAGE
    sync_tree(folder)
    (folder / (READY + ".part")).write_text(json.dumps({"aside": aside.name}), encoding="utf-8")
    sync_file(folder / (READY + ".part"))
    (folder / (READY + ".part")).rename(folder / READY)
    sync_file(folder)
    sync_file(home)
    finish(home)
    return aside


def set_aside(home: Path, now_ms: int) -> Path | None:
    """Move what is left of a house that lost its keys out of the way of a new one, if anything."""
    left = [name for name in (*FILES, *JOURNALS) if (home / name).exists()]
    if not left:
        return None
    aside = _free(home, _aside_name(now_ms))
    aside.mkdir(mode=0o700)
    for name in left:
        _move(home / name, aside / name)
    sync_file(aside)
    return aside


def is_unfinished(home: Path) -> bool:
    """Return whether a restored house waits to take its place."""
    return (home / STAGE / READY).is_file()


def finish(home: Path) -> None:
    """Take the steps of a swap that were not taken yet; nothing when none was begun."""
    if not is_unfinished(home):
        return
    folder = home / STAGE
    aside = home / str(json.loads((folder / READY).read_text(encoding="utf-8"))["aside"])
    aside.mkdir(mode=0o700, exist_ok=True)
    if (folder / DATABASE).exists():  # else these are already the new database's own
        for name in JOURNALS:
            _move(home / name, aside / name)
    for name in FILES:
        if (folder / name).exists():
            _move(home / name, aside / name)
            _move(folder / name, home / name)
    _shelve(folder / PHOTOS, home / PHOTOS)
    for each in (aside, home):
        sync_file(each)
    (folder / READY).unlink()
    shutil.rmtree(folder, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    if source.exists():
        source.rename(target)


def _shelve(source: Path, target: Path) -> None:
    """Add photos to those that are there: a photo is named by its hash, so none is replaced by
    another; one that is torn on the disk is mended.
    """
    for path in sorted(source.glob("??/*.webp")):
        shelved = target / path.parent.name / path.name
        shelved.parent.mkdir(parents=True, exist_ok=True)
        if not shelved.exists() or _is_torn(shelved):
            path.replace(shelved)
            sync_file(shelved.parent)


def _is_torn(photo: Path) -> bool:
    return hashlib.sha256(photo.read_bytes()).hexdigest() != photo.stem


def _aside_name(now_ms: int) -> str:
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    return f"aside-{at:%Y-%m-%d-%H%M%S}"


def _free(home: Path, name: str) -> Path:
    taken, number = home / name, 1
    while taken.exists():
        number += 1
        taken = home / f"{name}-{number}"
    return taken
