"""What is refused as a photo, and why."""

import io
import random
import zipfile

import pytest

from node.domain.errors import Invalid
from node.photos import Photos
from tests.node.photos.pictures import (
    NONSENSE,
    THERE,
    chunk,
    code_of,
    encoded,
    png_of,
    webp_of,
    with_gps,
)

# ── what is refused ──────────────────────────────────────────────────────────────────────────────

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
