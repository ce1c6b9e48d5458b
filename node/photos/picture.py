"""A picture decoded and encoded again: the only door to Pillow, which is loaded at first use."""

import io
import threading
from dataclasses import dataclass
from typing import Any

from node.domain.errors import Invalid
from node.photos import gate

EDGE_PX = 1_280
THUMBNAIL_PX = 320
HEAVY_BYTES = 400_000  # above this the quality goes down a step
QUALITIES = (80, 65, 50, 35)
METHOD = 4  # the encoder's effort: 6 is twice as slow on a small board for some 2 % less

# Decoding 40 million pixels takes some 120 MB: never more than two at a time in one process.
_decoding = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Encoded:
    """The bytes of a WebP and its size in pixels."""

    raw: bytes
    width: int
    height: int


def shrink(raw: bytes, kind: str, max_pixels: int, edge_px: int = EDGE_PX) -> Encoded:
    """Return the picture upright, at most `edge_px` wide and high, as a WebP without metadata.

    `kind` is what gate.upload_kind found. Raises Invalid (photo_too_large, photo_damaged).
    """
    with _decoding:
        image = _upright(_opened(raw, kind, max_pixels), edge_px)
        return Encoded(_lightest(image), image.width, image.height)


def check(raw: bytes, edge_px: int) -> Encoded:
    """Really decode a WebP that will be kept as it is; raises Invalid."""
    with _decoding:
        image = _opened(raw, gate.WEBP, edge_px * edge_px)
        if max(image.size) > edge_px:
            raise gate.refused("photo_too_large", max_mpx=max(1, edge_px**2 // 1_000_000))
        _loaded(image)
        return Encoded(raw, image.width, image.height)


def _opened(raw: bytes, kind: str, max_pixels: int) -> Any:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # the cap below is lower, and refuses instead of warning
    if kind == gate.WEBP and gate.webp_pixels(raw) > max_pixels:
        raise _too_large(max_pixels)
    try:
        image = Image.open(io.BytesIO(raw), formats=(kind,))
    except Exception as error:  # a decoder raises whatever its author thought of
        raise gate.refused("photo_damaged") from error
    if image.width * image.height > max_pixels:
        raise _too_large(max_pixels)
    return image


def _loaded(image: Any) -> None:
    try:
        image.load()
    except Exception as error:  # the same: OSError, SyntaxError, struct.error, MemoryError...
        raise gate.refused("photo_damaged") from error


def _upright(image: Any, edge_px: int) -> Any:
    """Return a fresh RGB image: no info, no profile, no EXIF can have come along."""
    from PIL import Image, ImageOps

    try:
        # thumbnail first: a JPEG is then decoded at a half or a quarter of its size
        image.thumbnail((edge_px, edge_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
        image.load()
        image = ImageOps.exif_transpose(image)
    except Exception as error:
        raise gate.refused("photo_damaged") from error
    if image.mode.startswith("I"):  # 16 bits a pixel
        image = image.point(lambda value: value / 256).convert("L")
    paper = Image.new("RGB", image.size, "white")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        paper.paste(layer, mask=layer)
    else:
        paper.paste(image.convert("RGB"))
    return paper


def _lightest(image: Any) -> bytes:
    raw = b""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=quality, method=METHOD)
        raw = buffer.getvalue()
        if len(raw) <= HEAVY_BYTES:
            break
    return raw


def _too_large(max_pixels: int) -> Invalid:
    return gate.refused("photo_too_large", max_mpx=max(1, max_pixels // 1_000_000))
