"""Where photos lie: photos/ab/<sha256>.webp and its thumbnail, written whole or not at all."""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

_NAME = re.compile(r"([0-9a-f]{64})(-320)?\.webp")


class Shelf:
    """The photo files of one town, below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: bytes, thumbnail: bool = False) -> Path:
        """Return where that photo lies, or would lie."""
        name = digest.hex()
        return self.folder / name[:2] / f"{name}{'-320' if thumbnail else ''}.webp"

    def holds(self, digest: bytes) -> bool:
        """Return whether the photo is on the shelf."""
        return self.path(digest).is_file()

    def put(self, digest: bytes, raw: bytes, thumbnail: bool = False) -> None:
        """Write the file so that a power cut leaves it whole or absent; an equal one is kept.

        Either way it counts as written now. Raises OSError (disk full, read-only card).
        """
        path = self.path(digest, thumbnail)
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        try:
            with part.open("xb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()
        _sync(path.parent)
        _sync(self.folder)

    def drop(self, digest: bytes) -> None:
        """Delete the photo and its thumbnail; absent files are no error."""
        for thumbnail in (True, False):
            with contextlib.suppress(FileNotFoundError):
                self.path(digest, thumbnail).unlink()

    def free_bytes(self) -> int:
        """Return how much room the disk has left for the node."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.folder).free

    def older_than(self, at_ms: int) -> Iterator[bytes]:
        """Yield the hash of every photo written before that instant."""
        for path in self.folder.glob("??/*.webp"):
            found = _NAME.fullmatch(path.name)
            if found and not found[2] and path.stat().st_mtime_ns // 1_000_000 < at_ms:
                yield bytes.fromhex(found[1])

    def drop_parts(self, at_ms: int) -> None:
        """Delete what a power cut left half written before that instant."""
        for path in self.folder.glob("??/.*.part"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime_ns // 1_000_000 < at_ms:
                    path.unlink()


def read_name(name: str) -> tuple[bytes, bool] | None:
    """Return (hash, is thumbnail) for a file name as pages link it, None for any other text."""
    found = _NAME.fullmatch(name)
    return (bytes.fromhex(found[1]), bool(found[2])) if found else None


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
