"""Making a backup: the database as it is now, keys, settings and our own photos in one file.

    snapshot ──▶ FILE.part ──▶ read back, opened, compared ──▶ synced ──▶ FILE
Until the last step the file has another name, and an older backup of that name is still there.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from federation.seal import HpkeKey
from node.backup import parcel, snapshot
from node.backup.house import (
    DATABASE,
    KEYS,
    SETTINGS,
    BackupError,
    need_room,
    sync_file,
    working_folder,
)
from node.backup.parcel import Head, Packer, Parcel
from node.journal.keyring import Keyring
from node.store.catalogue import blobs, pictured

Town = Any  # the object node.app builds
Progress = Callable[[int, int], object]  # (bytes done, bytes in all)
Photo = tuple[str, Path, int]  # name of the part, file, bytes

CHUNK_BYTES = 1 << 20
SUFFIX = ".backup"


class Made(NamedTuple):
    """A backup that was made and proven; `damaged` photos were found torn on the disk."""

    path: Path
    size_bytes: int
    made_ms: int
    listings: int
    records: int
    photos: int
    damaged: int


def make(town: Town, target: Path, progress: Progress | None = None) -> Made:
    """Back the current town up to the file `target`, proven; the node may run meanwhile.

    A folder gets a file named after town and day. Interrupted at any moment, an older backup of
    that name is untouched. Raises BackupError.
    """
    photos, damaged = own_photos(town)
    name, now_ms = town.config.name, town.clock.now_ms()
    made = make_of(town.home, target, name, now_ms, photos, progress)
    return made._replace(damaged=damaged)


def make_of(
    home: Path,
    target: Path,
    name: str,
    now_ms: int,
    photos: list[Photo],
    progress: Progress | None = None,
) -> Made:
    """Do the same for a house whose database is current, whatever its schema."""
    target = _named(target, name, now_ms)
    part = target.with_name(target.name + ".part")
    need_room(home, 2 * (home / DATABASE).stat().st_size)
    need_room(target.parent, (home / DATABASE).stat().st_size + sum(each[2] for each in photos))
    try:
        with working_folder(home) as work:
            copy = work / DATABASE
            snapshot.take(copy)
            size = copy.stat().st_size + sum(each[2] for each in photos)
            keyring = Keyring.from_bytes((home / KEYS).read_bytes())
            head = Head(keyring.town, now_ms, name, software(), size)
            tell = progress or (lambda done, total: None)
            made = _written(part, home, copy, keyring, head, photos, tell)
            prove(part, keyring, work, lambda done: tell(size + min(done, size), 2 * size))
            os.replace(part, target)
            sync_file(target.parent)
            return made._replace(path=target)
    except OSError as error:
        raise BackupError(
            f"{target} could not be written: {error.strerror or error}. Nothing was lost or "
            "changed; earlier backups are untouched."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _written(
    part: Path,
    home: Path,
    copy: Path,
    keyring: Keyring,
    head: Head,
    photos: list[Photo],
    tell: Progress,
) -> Made:
    said = snapshot.facts(copy)
    with _private(part) as file:
        packer = Packer(file.write, HpkeKey.from_private(keyring.archive).public, head)
        for name, path, length in _parts(home, copy, photos):
            packer.add(name, length, _read(path))
            tell(min(file.tell(), head.size_bytes), 2 * head.size_bytes)
        packer.close(said, keyring.signing)
        file.flush()
        os.fsync(file.fileno())
    copy.unlink()
    records = said["rows"]["record"]
    size = part.stat().st_size
    return Made(part, size, head.made_ms, said["listings"], records, len(photos), 0)


def prove(
    path: Path,
    keyring: Keyring,
    work: Path,
    progress: Callable[[int], object] = lambda done: None,
) -> Parcel:
    """Read a backup to its last byte, open the database in it and compare all that can be.

    Raises BackupError unless it is whole, of this town, and its database sound and as it was.
    """
    found = work / "proven.db"

    def take(name: str, size: int, chunks: Iterator[bytes]) -> None:
        if name == parcel.KEYS:
            Keyring.from_bytes(b"".join(chunks))
            return
        with found.open("wb") if name == parcel.DATABASE else open(os.devnull, "wb") as out:
            for chunk in chunks:
                out.write(chunk)
        progress(file.tell())

    with path.open("rb") as file:
        told = parcel.unpack(file, [keyring.archive], take)
    if told.head.town != keyring.town or not told.is_signed_by(keyring.signing.public):
        raise BackupError(f"{path} was not made by this town.")
    said = snapshot.facts(found)
    found.unlink()
    if said != told.facts:
        raise BackupError(f"{path} does not hold what was put in. Make it again.")
    return told


def software() -> str:
    """Return the version of this software, "" where it is not installed as a package."""
    try:
        return version("lavoir")
    except PackageNotFoundError:
        return ""


def own_photos(town: Town) -> tuple[list[Photo], int]:
    """Return the photos our own listings show, and how many of them are torn on the disk.

    Partners' photos are in no backup: they come back from the partners.
    """
    found, damaged = [], 0
    for digest in sorted(_shown_here(town.id)):
        path = town.photos.shelf.path(digest)
        if path.is_file():
            if hashlib.sha256(path.read_bytes()).digest() == digest:
                found.append((parcel.PHOTO + digest.hex(), path, path.stat().st_size))
            else:
                damaged += 1
    return found, damaged


def _named(target: Path, name: str, now_ms: int) -> Path:
    """Return the file to write; an existing one must be a backup: a slip of the hand costs none."""
    if target.is_dir():
        day = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y-%m-%d")
        slug = "".join(letter if letter.isalnum() else "-" for letter in name.casefold())
        target = target / f"lavoir-{slug}-{day}{SUFFIX}"
    if not target.parent.is_dir():
        raise BackupError(f"{target.parent} is not a folder.")
    if target.exists():
        with target.open("rb") as file:
            if not parcel.is_parcel(file):
                raise BackupError(f"{target} exists and is no backup: choose another name.")
    return target


def _shown_here(town: bytes) -> set[bytes]:
    rows = [row for row, origin, _ in pictured.listings() if origin == town]
    return {digest for row in rows for digest in blobs.hashes(pictured.body(row))}


def _parts(home: Path, copy: Path, photos: list[Photo]) -> Iterator[Photo]:
    named = (
        (parcel.SETTINGS, home / SETTINGS),
        (parcel.KEYS, home / KEYS),
        (parcel.DATABASE, copy),
    )
    for name, path in named:
        yield name, path, path.stat().st_size
    yield from photos


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _private(path: Path) -> BinaryIO:
    """Open a new file nobody else on the machine may read."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(handle, "wb")
