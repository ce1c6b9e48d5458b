"""The photos of one town: kept from members, taken from partners, served by hash, swept away."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from node.domain.clock import Clock
from node.domain.errors import DomainError, NotFound
from node.domain.listing import Photo
from node.domain.words import N_
from node.photos import gate, picture
from node.photos.private import PrivatePhotos
from node.photos.shelf import Shelf, read_name
from node.store.catalogue import blobs, pictured
from node.store.database import write_tx
from node.store.network import partners

MEDIA_TYPE = "image/webp"
DAY_MS = 86_400_000
GRACE_MS = DAY_MS  # a photo may be kept for a form that is being filled in
ROOM_BYTES = 200_000_000  # the disk keeps this for the database, logs and repairs
REMOTE_ROOM_BYTES = 500_000_000  # partners' photos stop earlier than our own


class Limits(Protocol):
    """What Photos needs to know of the settings."""

    upload_max_bytes: int
    photo_max_pixels: int
    photo_side_pixels: int


@dataclass(frozen=True)
class Wanted:
    """A photo to ask of a partner: GET blob/<hash>, at most `max_bytes`."""

    hash: bytes
    max_bytes: int = gate.REMOTE_MAX_BYTES


class Photos:
    """The photos in one folder; every call expects the town's database to be current."""

    def __init__(self, folder: Path, limits: Any, clock: Clock) -> None:
        self.shelf = Shelf(folder)
        self.private = PrivatePhotos(folder / "private", limits, clock)
        self.limits: Limits = limits
        self.clock = clock
        # what each listing shows: {listing row: (record id, photo hashes)}, so that a body is
        # decoded once for each revision and not at every visit
        self._shown: dict[int, tuple[bytes, tuple[bytes, ...]]] = {}

    def keep(self, upload: bytes | BinaryIO, alt: str = "") -> Photo:
        """Keep what a person sent: decoded, turned upright, made small, without metadata.

        Slow (a second on a small board): call it outside a transaction. The same picture sent
        again is the same photo. Raises Invalid (codes photo_*).
        """
        most = self.limits.upload_max_bytes
        raw = upload if isinstance(upload, bytes) else upload.read(most + 1)
        kind = gate.upload_kind(raw, most)
        self._need_room(ROOM_BYTES)
        made = picture.shrink(
            raw, kind, self.limits.photo_max_pixels, self.limits.photo_side_pixels
        )
        digest = self._put(made, "local")
        return Photo(
            hash=digest, width=made.width, height=made.height, size=len(made.raw), alt=alt[:200]
        )

    def take_remote(self, digest: bytes, raw: bytes) -> None:
        """Keep what a partner sent for a hash, as it came, once it is proven to be that photo.

        Raises Invalid (codes photo_*); the next try is then planned later.
        """
        try:
            if hashlib.sha256(raw).digest() != digest:
                raise gate.refused("photo_hash")
            gate.check_remote(raw)
            self._need_room(REMOTE_ROOM_BYTES)
            was_asked = blobs.find(digest) is not None
            self._put(picture.check(raw, gate.REMOTE_EDGE_PX), "remote")
            if not was_asked:  # its listing may have been erased while it was on its way
                blobs.doom([digest], b"", b"", self.clock.now_ms())
        except DomainError:
            self.not_got(digest)
            raise

    def not_got(self, digest: bytes) -> None:
        """Note that a partner did not give a wanted photo: later, and after ten tries no more."""
        if blobs.find(digest) is not None:
            blobs.failed(digest, self.clock.now_ms())

    def missing(self, partner: bytes, limit: int = 50) -> list[Wanted]:
        """Return the photos to ask of a partner (town id) now; none when the disk is filling.

        Those of its own listings, and of towns that are no direct partner of ours.
        """
        if self.shelf.free_bytes() < REMOTE_ROOM_BYTES:
            return []
        fresh = self._shown_by(partner) - pictured.asked(partner)
        absent = sorted(digest for digest in fresh if not self.shelf.holds(digest))
        if absent:
            with write_tx():
                for digest in absent:
                    pictured.lost(digest)
                    blobs.want(digest, partner)
        return [Wanted(each) for each in blobs.wanted(partner, self.clock.now_ms(), limit)]

    def path(self, digest: bytes, thumbnail: bool = False) -> Path:
        """Return the file of a photo held here, making its thumbnail if need be.

        Raises NotFound.
        """
        if not self.shelf.holds(digest):
            raise NotFound("no_photo", N_("This photo is not here."))
        path = self.shelf.path(digest, thumbnail)
        if not path.is_file():
            self._put_thumbnail(digest, self.shelf.path(digest).read_bytes())
        return path

    def named(self, name: str) -> Path:
        """Return the file for a name as pages link it: <hash>.webp or <hash>-320.webp.

        Its content never changes, so it may be cached for ever. Raises NotFound.
        """
        found = read_name(name)
        if found is None:
            raise NotFound("no_photo", N_("This photo is not here."))
        return self.path(*found)

    def sweep(self) -> int:
        """Delete photos that no listing has shown for a day; return how many."""
        before_ms = self.clock.now_ms() - GRACE_MS
        old = list(self.shelf.older_than(before_ms))
        with write_tx():  # nobody can publish one of them in between
            gone = set(old) - self._all_shown()
            for digest in gone:
                blobs.forget(digest)
                self.shelf.drop(digest)
        self.shelf.drop_parts(before_ms)
        return len(gone)

    def drop_doomed(self) -> int:
        """Delete the photos that erased listings showed and no other does; return how many.

        One that somebody sent again since may be on a form being filled in: it waits for `sweep`'s
        time and stays doomed.
        """
        gone = 0
        with write_tx():  # nobody can publish one of them in between
            doomed = blobs.doomed()
            shown = self._all_shown() if doomed else set()
            for each in doomed:
                if each.hash not in shown and self._was_sent_again(each):
                    continue
                if each.hash not in shown:
                    blobs.forget(each.hash)
                    self.shelf.drop(each.hash)
                    gone += 1
                blobs.spare(each.hash)
        return gone

    def may_see(self, digest: bytes, peer: bytes, own: bytes) -> bool:
        """Return whether a partner may have a photo: not one that others show to theirs alone."""
        origins = pictured.kept_between(digest)
        return not origins or bool(origins & {own, peer})

    def is_public(self, name: str) -> bool:
        """Return whether anyone may see the photo a page links by `name` (see `named`).

        Not one that listings for residents alone show.
        """
        found = read_name(name)
        return found is None or not pictured.kept_between(found[0])

    def is_hidden(self, name: str) -> bool:
        """Return whether a photo is shown by listings alone that the desk has hidden here."""
        found = read_name(name)
        return found is not None and pictured.is_hidden(found[0])

    def _was_sent_again(self, doomed: blobs.DoomedPhoto) -> bool:
        held = blobs.find(doomed.hash)
        if held is None or held.status != "local" or held.kept_ms is None:
            return False
        return held.kept_ms > max(doomed.since_ms, self.clock.now_ms() - GRACE_MS)

    # ── what the listings show ───────────────────────────────────────────────────────────────

    def _shown_by(self, partner: bytes) -> set[bytes]:
        direct = {each.town for each in partners.listed("active")} - {partner}
        return {
            digest
            for listing, origin, record in pictured.listings()
            if origin not in direct
            for digest in self._photos_of(listing, record)
        }

    def _all_shown(self) -> set[bytes]:
        shown = pictured.listings()
        self._shown = {each: self._shown[each] for each, _, _ in shown if each in self._shown}
        return {digest for each, _, record in shown for digest in self._photos_of(each, record)}

    def _photos_of(self, listing: int, record: bytes) -> tuple[bytes, ...]:
        held = self._shown.get(listing)
        if held is None or held[0] != record:
            hashes = tuple(blobs.hashes(pictured.body(listing)))
            held = self._shown[listing] = (record, hashes)
        return held[1]

    # ── on disk ──────────────────────────────────────────────────────────────────────────────

    def _put(self, made: picture.Encoded, status: str) -> bytes:
        """Put the files first, synced, then the row: a row never stands for an absent file."""
        digest = hashlib.sha256(made.raw).digest()
        self.shelf.put(digest, made.raw)
        self._put_thumbnail(digest, made.raw)
        blobs.keep(
            digest, status, self.clock.now_ms(), media_type=MEDIA_TYPE,
            size_bytes=len(made.raw), width=made.width, height=made.height,
        )  # fmt: skip
        return digest

    def _put_thumbnail(self, digest: bytes, raw: bytes) -> None:
        small = picture.shrink(raw, gate.WEBP, gate.REMOTE_EDGE_PX**2, picture.THUMBNAIL_PX)
        self.shelf.put(digest, small.raw, thumbnail=True)

    def _need_room(self, least_bytes: int) -> None:
        if self.shelf.free_bytes() < least_bytes:
            raise gate.refused("photo_no_room")
