"""The photos two people show each other inside a request: on a shelf of their own, in no listing.

They travel to no other town, no backup takes them along, and no address names them without the
request they belong to. Whoever refers to them says, at each sweep, which are still needed.
"""

import hashlib
from pathlib import Path
from typing import Any, BinaryIO

from node.domain.clock import Clock
from node.domain.errors import NotFound
from node.domain.words import N_
from node.photos import gate, picture
from node.photos.shelf import Shelf

EDGE_PX = 1_280
GRACE_MS = 86_400_000  # one that was just sent may still be on its way into the database
ROOM_BYTES = 200_000_000


class PrivatePhotos:
    """The private photos in one folder."""

    def __init__(self, folder: Path, limits: Any, clock: Clock) -> None:
        self.shelf = Shelf(folder)
        self.limits = limits
        self.clock = clock

    def keep(self, upload: bytes | BinaryIO) -> bytes:
        """Keep what a person sent, made small and without metadata; return its SHA-256.

        Slow: call it outside a transaction. Raises Invalid (codes photo_*).
        """
        most = self.limits.upload_max_bytes
        raw = upload if isinstance(upload, bytes) else upload.read(most + 1)
        kind = gate.upload_kind(raw, most)
        if self.shelf.free_bytes() < ROOM_BYTES:
            raise gate.refused("photo_no_room")
        made = picture.shrink(raw, kind, self.limits.photo_max_pixels, EDGE_PX)
        digest = hashlib.sha256(made.raw).digest()
        self.shelf.put(digest, made.raw)
        return digest

    def path(self, digest: bytes) -> Path:
        """Return the file of a photo; raises NotFound when it was erased, or lost with a disk."""
        if not self.shelf.holds(digest):
            raise NotFound("no_photo", N_("This photo is not here."))
        return self.shelf.path(digest)

    def sweep(self, needed: set[bytes]) -> int:
        """Delete every photo older than a day that is not `needed`; return how many."""
        before_ms = self.clock.now_ms() - GRACE_MS
        gone = [each for each in self.shelf.older_than(before_ms) if each not in needed]
        for digest in gone:
            self.shelf.drop(digest)
        self.shelf.drop_parts(before_ms)
        return len(gone)
