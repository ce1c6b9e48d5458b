"""Pictures of every kind, good and bad, and listings that show them."""

import io
import os
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from federation import codec
from node.domain.errors import Invalid
from node.photos import Photos
from node.store.catalogue import listings

NOW_MS = 1_795_000_000_000
HERE, THERE, FAR = (bytes([number]) * 32 for number in (1, 2, 3))
REAL = Path(__file__).parents[3] / "../shared/data/images"


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


BARE = encoded("WEBP", (30, 20))
NONSENSE = BARE[20:30] + b"nonsense" * 9  # behind a good header
