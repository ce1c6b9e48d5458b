"""The keychain: the keys in force, read again when another process put a new key file in place.

A rotation is typed in one process while the server runs in another; both must sign with the new
key from the same moment on.
"""

import logging
import os
from pathlib import Path

from node.domain.errors import Conflict
from node.domain.words import N_
from node.journal.keyring import FILE, Keyring, KeyringError
from node.store.sets import keysets
from node.store.sets.record_store import SqlRecordStore

OLD_KEYS = N_(
    "The key file of this node is older than the town's keys; `lavoir key recover` mends it."
)

log = logging.getLogger(__name__)

_Look = tuple[int, int, int]  # which file it was: inode, nanoseconds, bytes


class Keychain:
    """Holds the keyring of one house; `ring` is the one its key file has now."""

    def __init__(self, ring: Keyring, home: Path | None = None) -> None:
        """`ring` as it was read from `home`; without a home it never changes."""
        self._file = home / FILE if home is not None else None
        self._seen = self._look()
        self._ring = ring

    @classmethod
    def open(cls, home: Path) -> "Keychain":
        """Read the keys of the town in `home`; raises KeyringError."""
        return cls(Keyring.load(home), home)

    @property
    def ring(self) -> Keyring:
        """Return the keys in force; the last ones read while the file is missing or broken."""
        look = self._look()
        if look is not None and look != self._seen and self._file is not None:
            self._seen = look
            try:
                fresh = Keyring.load(self._file.parent)
            except KeyringError as error:
                log.error("the keys of before stay in force: %s", error)
            else:
                self._take(fresh)
        return self._ring

    @property
    def town(self) -> bytes:
        """Return the town id, which no rotation changes."""
        return self._ring.town

    def _take(self, fresh: Keyring) -> None:
        if fresh.town != self._ring.town:
            log.error("the key file holds the keys of another town; those of before stay in force")
        else:
            self._ring = fresh

    def _look(self) -> _Look | None:
        try:
            found = os.stat(self._file) if self._file is not None else None
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size) if found is not None else None


def in_force(keys: Keychain, store: SqlRecordStore) -> Keyring:
    """Return the keys to sign with now; call inside the write transaction that signs.

    A key file that is ahead of the database (a rotation cut before its commit) brings the database
    up to date. Raises Conflict("old_keys") where it is behind: what it signs would be refused.
    """
    ring = keys.ring
    number, keyset_id = keysets.newest(ring.town)
    if number < ring.keyset.number:
        for keyset in (ring.genesis, ring.keyset):
            if keysets.by_id(keyset.id) is None:
                store.add_keyset(keyset)
    elif keyset_id != ring.keyset.id:
        raise Conflict("old_keys", OLD_KEYS)
    return ring
