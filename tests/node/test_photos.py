"""Photos: what is refused, what is stripped, what survives, and when a file goes."""

import hashlib
import io
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from federation import codec
from node.domain.clock import FixedClock
from node.domain.errors import Invalid, NotFound
from node.photos import Photos, gate
from node.photos.shelf import read_name
from node.store.catalogue import blobs, listings
from node.store.database import open_database, using
from node.store.network import partners
from node.store.schema import migrate

NOW_MS = 1_795_000_000_000
HERE, THERE, FAR = (bytes([number]) * 32 for number in (1, 2, 3))
REAL = Path(__file__).parents[2] / "../shared/data/images"


@pytest.fixture
def photos(home: Path) -> Iterator[Photos]:
    limits = SimpleNamespace(
        upload_max_bytes=3_000_000, photo_max_pixels=4_000_000, photo_side_pixels=1_280
    )
    database = open_database(home / "lavoir.db")
    migrate(database)
    with using(database):
        yield Photos(home / "photos", limits, FixedClock(NOW_MS))
    database.close()


def noise(size: tuple[int, int] = (64, 48), seed: int = 0) -> Image.Image:
    """A picture no two of which are the same."""
    return Image.frombytes("L", size, random.Random(seed).randbytes(size[0] * size[1]))


def encoded(
    kind: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", seed: int = 0, **options: Any
) -> bytes:
    buffer = io.BytesIO()
    noise(size, seed).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def with_gps(orientation: int = 6) -> bytes:
    """A JPEG, left half red, that says where it was taken and that it lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "CANARY-MAKER"
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 39.0, 30.0), 3: "W", 4: (2.0, 45.0, 9.0)})
    image = Image.new("RGB", (400, 200), "blue")
    image.paste("red", (0, 0, 200, 200))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", exif=exif, comment=b"CANARY-COMMENT", icc_profile=b"CANARY" * 40)
    return buffer.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def webp_of(*chunks: bytes) -> bytes:
    inside = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def png_of(width: int, height: int, content: bytes = b"\0") -> bytes:
    def part(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + part(b"IHDR", head)
        + part(b"IDAT", zlib.compress(content))
        + part(b"IEND", b"")
    )


def code_of(photos: Photos, raw: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        photos.keep(raw)
    assert refused.value.field == "photos"
    assert refused.value.message % refused.value.params
    assert not any(photos.shelf.folder.rglob("*.webp"))
    return refused.value.code


def shown(origin: bytes, name: bytes, *digests: bytes, record: bytes = b"") -> None:
    """Put a listing in the catalogue that shows these photos."""
    body = {
        "title": "t",
        "photos": [{"hash": each, "width": 1, "height": 1, "size": 1} for each in digests],
    }
    listings.keep(
        origin, name.ljust(16, b"."), record=record or os.urandom(32), practice="lending",
        kind="lending.item/1", code=name.hex().upper(), title="t", created_ms=NOW_MS,
        updated_ms=NOW_MS, expires=0, photo=digests[0] if digests else None, body=codec.dumps(body),
    )  # fmt: skip


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


# ── what is refused ──────────────────────────────────────────────────────────────────────────────

BARE = encoded("WEBP", (30, 20))
NONSENSE = BARE[20:30] + b"nonsense" * 9  # behind a good header
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>'
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 100
OTHERS = {
    "nothing": (b"", "photo_empty"),
    "a drawing": (SVG, "photo_svg"),
    "a page": (b"<!DOCTYPE html><html><body>hello</body></html>", "photo_kind"),
    "a page that claims to be a GIF": (b"GIF89a/*<svg/onload=x()>*/=1;", "photo_svg"),
    "a real GIF": (encoded("GIF", mode="P"), "photo_kind"),
    "a real BMP": (encoded("BMP"), "photo_kind"),
    "a real TIFF": (encoded("TIFF"), "photo_kind"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "photo_kind"),
    "a document": (b"%PDF-1.7\n", "photo_kind"),
    "an iPhone's HEIC": (HEIC, "photo_heic"),
    "only the first bytes of a JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF", "photo_damaged"),
    "only the first bytes of a PNG": (b"\x89PNG\r\n\x1a\n", "photo_damaged"),
    "only the first bytes of a WebP": (b"RIFF\x04\0\0\0WEBP", "photo_damaged"),
    "a WebP of nonsense": (webp_of(chunk(b"VP8 ", NONSENSE)), "photo_damaged"),
    "a page in a JPEG's comment": (encoded("JPEG", comment=b"<html>x</html>"), "photo_mixed"),
    "a page behind a PNG": (encoded("PNG") + b"<script>x()</script>", "photo_mixed"),
    "a program behind a JPEG": (encoded("JPEG") + b"<?php system($_GET[0]); ?>", "photo_mixed"),
    "a document behind a JPEG": (encoded("JPEG") + b"%PDF-1.7\n", "photo_mixed"),
    "too many bytes": (encoded("JPEG") + b"\0" * 3_000_000, "photo_too_heavy"),
    "too many pixels": (png_of(2001, 2000), "photo_too_large"),
    "a PNG bomb": (png_of(60_000, 60_000, b"\0" * 1_000_000), "photo_too_large"),
    "a WebP bomb": (
        webp_of(chunk(b"VP8X", b"\0" * 4 + b"\xfe\x3f\0" * 2), chunk(b"VP8L", b"\0" * 20)),
        "photo_too_large",
    ),
    "a JPEG of a thousand scans": (
        encoded("JPEG", progressive=True) + b"\xff\xda\0\x08\x01" * 300, "photo_damaged",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "code"), OTHERS.values(), ids=OTHERS)
def test_it_is_refused_with_its_reason(photos: Photos, raw: bytes, code: str) -> None:
    assert code_of(photos, raw) == code


def test_an_archive_behind_a_photo_is_refused(photos: Photos) -> None:
    buffer = io.BytesIO(encoded("JPEG"))
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("x.txt", "x")
        archive.comment = b"a comment"
    assert code_of(photos, buffer.getvalue()) == "photo_mixed"


def test_a_photo_cut_short_is_refused(photos: Photos) -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        raw = encoded(kind, (200, 200))
        assert code_of(photos, raw[: len(raw) // 2]) == "photo_damaged"


def test_an_upload_is_read_no_further_than_the_limit(photos: Photos) -> None:
    stream = io.BytesIO(b"\xff" * 9_000_000)
    with pytest.raises(Invalid):
        photos.keep(stream)
    assert stream.tell() == 3_000_001


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_no_damage_gets_past_the_gate(photos: Photos, rng: random.Random) -> None:
    """Whatever a few flipped bytes do, the answer is a photo or a reason, never another error."""
    whole = [encoded(kind) for kind in ("JPEG", "PNG", "WEBP")] + [with_gps()]
    outcomes = set()
    for _ in range(150):
        raw = bytearray(rng.choice(whole))
        for _ in range(rng.randint(1, 6)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        try:
            outcomes.add(photos.keep(bytes(raw)).width > 0)
        except Invalid as refused:
            outcomes.add(refused.code)
    assert {True, "photo_damaged"} <= outcomes


def test_a_full_disk_is_told_before_anything_is_written(
    photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photos.shelf, "free_bytes", lambda: 1_000_000)
    assert code_of(photos, encoded("JPEG")) == "photo_no_room"
    assert photos.missing(THERE) == []


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
