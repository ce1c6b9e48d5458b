"""The pictures of a courier file: those public listings show, as many as a stick has room for."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from federation import codec
from federation.errors import ProtocolError
from federation.limits import PHOTO_MAX_BYTES
from node.store.catalogue import shown

TOTAL_MAX_BYTES = 256 * 1024 * 1024


def chosen(photos: Any, origins: Iterable[bytes]) -> list[bytes]:
    """Return the hashes of the photos held here to take along: of the first towns first, of each
    the newest listings first, TOTAL_MAX_BYTES in all.
    """
    taken: dict[bytes, int] = {}
    room_bytes = TOTAL_MAX_BYTES
    for origin in origins:
        for body in shown.bodies([origin]):
            for digest in hashes(body):
                size_bytes = _size_bytes(photos, digest)
                if digest not in taken and 0 < size_bytes <= min(room_bytes, PHOTO_MAX_BYTES):
                    taken[digest] = size_bytes
                    room_bytes -= size_bytes
    return list(taken)


def wanted(origins: Iterable[bytes]) -> set[bytes]:
    """Return the hashes of the photos that listings of these towns show."""
    return {digest for body in shown.bodies(origins) for digest in hashes(body)}


def hashes(body: bytes) -> Iterator[bytes]:
    """Yield the photo hashes a listing's body names; none where it names no such thing."""
    try:
        said = codec.loads(body)
    except ProtocolError:
        return
    photos = said.get("photos", ()) if isinstance(said, dict) else ()
    for photo in photos if isinstance(photos, list) else ():
        digest = photo.get("hash") if isinstance(photo, dict) else None
        if isinstance(digest, bytes) and len(digest) == hashlib.sha256().digest_size:
            yield digest


def read(photos: Any, digest: bytes) -> bytes | None:
    """Return the bytes of a photo held here, None if it is gone or no longer what it was."""
    try:
        raw = bytes(photos.shelf.path(digest).read_bytes())
    except OSError:
        return None
    return raw if hashlib.sha256(raw).digest() == digest else None


def _size_bytes(photos: Any, digest: bytes) -> int:
    try:
        return int(photos.shelf.path(digest).stat().st_size)
    except OSError:
        return 0
