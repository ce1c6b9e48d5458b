"""Photos: what is stripped, what survives, what comes from partners, and when a file goes."""

import hashlib
import io
import os

import pytest
from PIL import Image

from node.domain.errors import Invalid, NotFound
from node.photos import Photos, gate
from node.photos.shelf import read_name
from node.store.catalogue import blobs, listings
from node.store.network import partners
from tests.node.photos.pictures import (
    BARE,
    FAR,
    HERE,
    NONSENSE,
    NOW_MS,
    REAL,
    THERE,
    chunk,
    encoded,
    noise,
    shown,
    webp_of,
    with_gps,
)

# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_three_kinds_become_a_webp_named_by_its_hash(photos: Photos, kind: str) -> None:
    photo = photos.keep(io.BytesIO(encoded(kind)), alt="a cat")
    raw = photos.path(photo.hash).read_bytes()
    assert hashlib.sha256(raw).digest() == photo.hash
    assert (photo.width, photo.height, photo.size, photo.alt) == (64, 48, len(raw), "a cat")
    assert raw[8:12] == b"WEBP"
    row = blobs.find(photo.hash)
    assert row is not None and (row.status, row.size_bytes) == ("local", len(raw))


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGBA", "I;16"], ids=lambda mode: mode.replace(";", "-")
)
def test_every_kind_of_png_can_be_kept(photos: Photos, mode: str) -> None:
    image = noise((40, 30))
    image = (
        image.convert("I").convert("I;16")
        if mode == "I;16"
        else image.convert("RGBA").convert(mode)
    )
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert photos.keep(buffer.getvalue()).width == 40


def test_a_transparent_ground_becomes_white(photos: Photos) -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(buffer, "PNG")
    photo = photos.keep(buffer.getvalue())
    assert Image.open(photos.path(photo.hash)).getpixel((10, 10)) == (255, 255, 255)


def test_large_photos_shrink_and_small_ones_do_not_grow(photos: Photos) -> None:
    large = photos.keep(encoded("JPEG", (2000, 1000)))
    assert (large.width, large.height) == (1280, 640)
    assert large.size <= 400_000
    with Image.open(photos.path(large.hash, thumbnail=True)) as small:
        assert small.size == (320, 160)
    tiny = photos.keep(encoded("JPEG", (30, 20)))
    assert (tiny.width, tiny.height) == (30, 20)


def test_a_photo_is_turned_upright_and_nothing_but_pixels_stays(photos: Photos) -> None:
    raw = with_gps()
    assert b"CANARY-MAKER" in raw and b"CANARY-COMMENT" in raw
    photo = photos.keep(raw)
    assert (photo.width, photo.height) == (200, 400)
    for thumbnail in (False, True):
        path = photos.path(photo.hash, thumbnail)
        assert b"CANARY" not in path.read_bytes()
        assert {name for name, _ in gate.chunks(path.read_bytes())} <= {b"VP8 "}
        with Image.open(path) as image:
            assert not image.getexif() and not set(image.info) & {"exif", "xmp", "icc_profile"}
            red, _, blue = image.convert("RGB").getpixel(
                (image.width // 2, 4)
            )  # the red half is on top
            assert red > 200 > 60 > blue


@pytest.mark.skipif(not REAL.is_dir(), reason="the real photos (shared/data/images) are not here")
def test_real_photos_lose_their_position(photos: Photos) -> None:
    names = sorted(REAL.glob("exif_gps_*.jpg"))
    assert names
    for name in names:
        assert Image.open(name).getexif().get_ifd(0x8825)
        photo = photos.keep(name.read_bytes())
        with Image.open(photos.path(photo.hash)) as kept:
            assert not kept.getexif()
        assert b"Exif" not in photos.path(photo.hash).read_bytes()


def test_a_phone_s_trailer_is_no_fault_but_is_not_kept(photos: Photos) -> None:
    trailer = b"\0\0\0\x18ftypmp42" + b"CANARY" * 1000  # a moving picture behind the still one
    photo = photos.keep(encoded("JPEG") + trailer)
    assert b"CANARY" not in photos.path(photo.hash).read_bytes()


def test_the_same_photo_twice_is_one_file(photos: Photos) -> None:
    raw = encoded("JPEG")
    assert photos.keep(raw).hash == photos.keep(raw).hash
    assert len(list(photos.shelf.folder.glob("??/*"))) == 2  # and its thumbnail


# ── partners' photos ─────────────────────────────────────────────────────────────────────────────


def announced(photos: Photos, raw: bytes) -> bytes:
    digest = hashlib.sha256(raw).digest()
    partners.save(THERE, name="There", status="active")
    shown(THERE, b"one", digest)
    assert [each.hash for each in photos.missing(THERE)] == [digest]
    return digest


def test_a_partner_s_photo_is_kept_as_it_came(photos: Photos) -> None:
    raw = encoded("WEBP", (300, 200))
    digest = announced(photos, raw)
    photos.take_remote(digest, raw)
    assert photos.path(digest).read_bytes() == raw
    assert photos.path(digest, thumbnail=True).is_file()
    assert photos.missing(THERE) == []


HOSTILE = {
    "a JPEG": (encoded("JPEG"), "photo_kind"),
    "a page": (b"<!doctype html>", "photo_kind"),
    "a page behind the picture": (BARE + b"<script>x()</script>", "photo_damaged"),
    "a WebP with EXIF": (encoded("WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"), "photo_metadata"),
    "a WebP with XMP": (encoded("WEBP", xmp=b"<x:xmpmeta/>"), "photo_metadata"),
    "a WebP with an unknown chunk": (webp_of(BARE[12:], chunk(b"EVIL", b"x")), "photo_metadata"),
    "two pictures in one": (webp_of(BARE[12:], BARE[12:]), "photo_metadata"),
    "a moving picture": (
        encoded("WEBP", save_all=True, append_images=[Image.new("RGB", (64, 48))]),
        "photo_animated",
    ),
    "pixels that do not decode": (webp_of(chunk(b"VP8 ", NONSENSE)), "photo_damaged"),
    "half a picture": (webp_of(chunk(b"VP8 ", BARE[20 : len(BARE) // 2])), "photo_damaged"),
    "too wide a picture": (encoded("WEBP", (3000, 20)), "photo_too_large"),
    "two megabytes": (webp_of(chunk(b"VP8 ", b"\0" * 2_000_000)), "photo_too_heavy"),
    "nothing": (b"", "photo_kind"),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "code"), HOSTILE.values(), ids=HOSTILE)
def test_from_a_partner_it_is_refused(photos: Photos, raw: bytes, code: str) -> None:
    digest = announced(photos, raw)
    with pytest.raises(Invalid) as refused:
        photos.take_remote(digest, raw)
    assert refused.value.code == code
    assert not photos.shelf.holds(digest)
    assert photos.missing(THERE) == []  # not now: later
    photos.clock.forward(hours=1)  # type: ignore[attr-defined]
    assert [each.hash for each in photos.missing(THERE)] == [digest]


def test_other_bytes_than_announced_are_refused(photos: Photos) -> None:
    digest = announced(photos, encoded("WEBP"))
    with pytest.raises(Invalid) as refused:
        photos.take_remote(digest, BARE)
    assert refused.value.code == "photo_hash"


def test_photos_are_asked_of_the_town_that_shows_them_or_else_of_any(photos: Photos) -> None:
    for town in (THERE, FAR):
        partners.save(town, name=town.hex()[:4], status="active")
    one, two, three = (bytes([number]) * 32 for number in (11, 12, 13))
    shown(THERE, b"one", one)
    shown(b"\x09" * 32, b"two", two, three)  # introduced, no direct partner
    assert {each.hash for each in photos.missing(THERE)} == {one, two, three}
    assert {each.hash for each in photos.missing(FAR)} == {two, three}


def test_a_photo_added_to_a_known_listing_is_asked_for(photos: Photos) -> None:
    one, two = (bytes([number]) * 32 for number in (11, 12))
    shown(THERE, b"one", one)
    assert [each.hash for each in photos.missing(THERE)] == [one]
    shown(THERE, b"one", one, two)
    assert {each.hash for each in photos.missing(THERE)} == {one, two}


def test_a_photo_whose_file_is_gone_is_asked_for_again(photos: Photos) -> None:
    digest = announced(photos, BARE)
    photos.take_remote(digest, BARE)
    photos.shelf.drop(digest)
    assert [each.hash for each in photos.missing(THERE)] == [digest]


# ── serving and sweeping ─────────────────────────────────────────────────────────────────────────


def test_a_photo_is_served_by_its_name_only(photos: Photos) -> None:
    photo = photos.keep(encoded("JPEG"))
    name = photo.hash.hex()
    assert photos.named(f"{name}.webp").is_file()
    assert photos.named(f"{name}-320.webp").is_file()
    for other in (
        f"{name}",
        f"{name}.webp/..",
        "../lavoir.db",
        f"{name.upper()}.webp",
        f"{'0' * 64}.webp",
    ):
        with pytest.raises(NotFound):
            photos.named(other)
    assert read_name(f"{name}-320.webp") == (photo.hash, True)


def test_a_lost_thumbnail_is_made_again(photos: Photos) -> None:
    photo = photos.keep(encoded("JPEG", (500, 400)))
    photos.path(photo.hash, thumbnail=True).unlink()
    assert photos.path(photo.hash, thumbnail=True).is_file()


def aged(photos: Photos, digest: bytes) -> None:
    """Let the file look two days old."""
    then = NOW_MS // 1000 - 2 * 86_400
    os.utime(photos.path(digest), (then, then))


def test_a_photo_goes_when_no_listing_shows_it(photos: Photos) -> None:
    used, unused, fresh = (photos.keep(encoded("JPEG", seed=each)).hash for each in range(3))
    shown(HERE, b"one", b"\x07" * 32, used)  # as its second photo
    for digest in (used, unused):
        aged(photos, digest)
    os.utime(photos.path(fresh), (NOW_MS // 1000, NOW_MS // 1000))
    assert photos.sweep() == 1
    assert not photos.shelf.holds(unused) and blobs.find(unused) is None
    assert photos.shelf.holds(used) and photos.shelf.holds(fresh)
    listings.close(HERE, b"one".ljust(16, b"."), "withdrawn", NOW_MS)
    assert photos.sweep() == 1
    assert not photos.shelf.holds(used)


def test_a_photo_sent_again_is_fresh_again(photos: Photos) -> None:
    raw = encoded("JPEG")
    digest = photos.keep(raw).hash
    aged(photos, digest)
    photos.keep(raw)
    assert photos.path(digest).stat().st_mtime > NOW_MS // 1000 - 2 * 86_400


def test_what_a_power_cut_left_half_written_is_swept(photos: Photos) -> None:
    digest = photos.keep(encoded("JPEG")).hash
    part = photos.path(digest).with_name(".0011.part")
    part.write_bytes(b"half")
    os.utime(part, (0, 0))
    photos.sweep()
    assert not part.exists()
