"""The house: the files that make a town, who may touch them, and room for what is about to come."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.journal.keyring import FILE as KEYS
from node.journal.restoring import FILE as GENERATION
from node.store.database import StoreError
from node.store.durable import sync_file

DATABASE = "lavoir.db"
SETTINGS = "lavoir.toml"
PHOTOS = "photos"
LOCK = ".lavoir.lock"
WORK = ".backup-work"  # what a backup or a drill takes apart; swept by the next one
PATIENCE_S = 600  # for another backup or drill to end
RESERVE_BYTES = 50_000_000  # of a disk, that nothing here ever takes

__all__ = [
    "DATABASE", "GENERATION", "KEYS", "PHOTOS", "SETTINGS", "BackupError", "Stay", "emptied",
    "need_room", "sync_file", "sync_tree", "working_folder",
]  # fmt: skip


class BackupError(StoreError):
    """A backup cannot be made, read or put back; the sentence says what is safe and what to do."""


def need_room(folder: Path, wanted_bytes: int) -> None:
    """Raise BackupError unless the disk of `folder` has that much room, and a reserve."""
    free = shutil.disk_usage(folder).free
    if free < wanted_bytes + RESERVE_BYTES:
        raise BackupError(
            f"The disk of {folder} has {free // 1_000_000} MB free and "
            f"{(wanted_bytes + RESERVE_BYTES) // 1_000_000 + 1} MB are needed. Nothing was lost or "
            "changed: make room, or name a file on another disk."
        )


@contextmanager
def working_folder(home: Path, patience_s: float = PATIENCE_S) -> Iterator[Path]:
    """Give an empty folder in `home` for one backup or drill at a time, gone afterwards.

    Waits for another one to end; raises BackupError when that takes longer than `patience_s`. What
    a dead one left behind is swept.
    """
    handle = os.open(home / (WORK + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait_for(handle, patience_s)
        folder = home / WORK
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _wait_for(handle: int, patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                break
        time.sleep(0.2)
    raise BackupError("Another backup or its test takes very long. Nothing was changed; try later.")


class Stay:
    """Says that a process works in a house, until it leaves, or dies."""

    def __init__(self, home: Path) -> None:
        """Raises BackupError while the house is being replaced."""
        refusal = "This town is being restored just now: wait for its end."
        self._handle = _locked(home, fcntl.LOCK_SH, refusal)

    def leave(self) -> None:
        """Let the house be replaced; nothing happens the second time."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    __del__ = leave


@contextmanager
def emptied(home: Path) -> Iterator[None]:
    """Have the house alone, to replace what is in it; raises BackupError while a node runs."""
    handle = _locked(
        home,
        fcntl.LOCK_EX,
        f"A node runs in {home}. Stop it first (and any other `lavoir` command there), then "
        "do this again.",
    )
    try:
        yield
    finally:
        os.close(handle)


def _locked(home: Path, kind: int, refusal: str) -> int:
    handle = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise BackupError(refusal) from None
    return handle


def sync_tree(folder: Path) -> None:
    """Do the same for a folder and all that is below it."""
    for below, _, files in os.walk(folder, topdown=False):
        for name in files:
            sync_file(Path(below) / name)
        sync_file(Path(below))
