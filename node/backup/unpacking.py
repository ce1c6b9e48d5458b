"""Unpacking: a backup becomes the files of a house again, in an empty folder, and is whole."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from federation.keys import SigningKey, from_words, root_to_archive
from node.backup import parcel, snapshot
from node.backup.house import DATABASE, KEYS, PHOTOS, SETTINGS, BackupError, need_room
from node.backup.parcel import Chunks, Head, Parcel
from node.journal.keyring import Keyring, KeyringError

PLACES = {parcel.SETTINGS: SETTINGS, parcel.KEYS: KEYS, parcel.DATABASE: DATABASE}
NEEDED = frozenset(PLACES)


class Proof:
    """What opens a backup and proves whose it is: a key file of the town, or its 24 words."""

    def __init__(self, keyring: Keyring | None = None, words: Sequence[str] = ()) -> None:
        """Raises LocalProtocolError("bad_words") for words that were not printed."""
        root = from_words(words) if words else None
        self._root = SigningKey.from_seed(root).public if root else None
        self._town = keyring.town if keyring and not root else None
        self.privates = [root_to_archive(root)] if root else [keyring.archive] if keyring else []

    def is_of(self, keyring: Keyring) -> bool:
        """Return whether those keys belong to the town this proof is of."""
        return keyring.genesis.root == self._root if self._root else keyring.town == self._town


def look(path: Path, proof: Proof) -> Head:
    """Return what a backup says of itself; raises BackupError."""
    with _opened(path) as file:
        return parcel.read_head(file, proof.privates)


def unpack(
    path: Path,
    proof: Proof,
    folder: Path,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> tuple[Parcel, Keyring]:
    """Lay the files of a backup out in `folder`; raises BackupError unless all of it is sound."""
    need_room(folder, look(path, proof).size_bytes)
    total = path.stat().st_size

    def take(name: str, size: int, chunks: Chunks) -> None:
        target = folder / _place(name)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                out.write(chunk)
                progress(file.tell(), total)

    with _opened(path) as file:
        told = parcel.unpack(file, proof.privates, take)
    return told, _checked(path, told, folder, proof)


def _checked(path: Path, told: Parcel, folder: Path, proof: Proof) -> Keyring:
    names = {part.name for part in told.parts}
    if not names >= NEEDED or any(_is_torn(part) for part in told.parts):
        raise BackupError(f"{path} is not whole. Use another backup.")
    try:
        keyring = Keyring.load(folder)
    except KeyringError as error:
        raise BackupError(
            f"{path} holds no key file that can be read. Use another backup."
        ) from error
    is_ours = told.head.town == keyring.town and proof.is_of(keyring)
    if not is_ours or not told.is_signed_by(keyring.keyset.signing):
        raise BackupError(f"{path} was not made by the town whose key or words these are.")
    if snapshot.facts(folder / DATABASE) != told.facts:
        raise BackupError(f"{path} does not hold what was put in. Use another backup.")
    return keyring


def _is_torn(part: parcel.Part) -> bool:
    """A photo is named by its hash."""
    name = part.name.removeprefix(parcel.PHOTO)
    return name != part.name and name != part.sha256.hex()


def _place(name: str) -> str:
    photo = name.removeprefix(parcel.PHOTO)
    return PLACES[name] if photo == name else f"{PHOTOS}/{photo[:2]}/{photo}.webp"


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Give the file of a backup, or a sentence why it cannot be read."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        yield file
