"""Which bytes may reach a picture decoder: looked at before anything is decoded.

Two gates. What a person uploads may carry a phone's trailers and metadata, because it is encoded
again; what a partner sends is kept as it came, so it must be a bare still WebP to the last byte.
"""

import re
from collections.abc import Iterator

from node.domain.errors import Invalid, Problem
from node.domain.words import N_

JPEG, PNG, WEBP = "JPEG", "PNG", "WEBP"
SCANS_MAX = 200  # a progressive JPEG has about ten; thousands keep a decoder busy for minutes
REMOTE_MAX_BYTES = 2_000_000
REMOTE_EDGE_PX = 2_560

_SCAN = re.compile(rb"\xff\xda\x00[\x08\x0a\x0c\x0e][\x01-\x04]")  # T.81 B.2.3, start of scan
_ACTIVE = re.compile(rb"<(?:script|html|!doctype|svg|iframe|\?php)\b|%PDF-1", re.IGNORECASE)
_ZIP_END, _ZIP_END_BYTES = b"PK\x05\x06", 22
_BARE_CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}

MESSAGES = {
    "photo_empty": N_("This file is empty."),
    "photo_too_heavy": N_("This photo is too heavy: at most %(max_mb)d MB, please."),
    "photo_too_large": N_("This picture has too many pixels: at most %(max_mpx)d million."),
    "photo_kind": N_("Photos can be JPEG, PNG or WebP files. This is something else."),
    "photo_svg": N_("Drawings (SVG) are not taken. Please send a JPEG, PNG or WebP photo."),
    "photo_heic": N_("This is a HEIC photo. Please set your phone to JPEG and try again."),
    "photo_mixed": N_("This file is a picture and something else at once. It was not kept."),
    "photo_damaged": N_("This photo cannot be read: the file may be damaged or cut short."),
    "photo_hash": N_("This is not the photo that was announced."),
    "photo_metadata": N_("This photo still carries metadata. It was not kept."),
    "photo_no_room": N_("The node's disk is nearly full: no photo can be kept for now."),
    "photo_animated": N_("Animated pictures are not taken."),
}


def refused(code: str, **params: object) -> Invalid:
    """Return the refusal with that code, for the field `photos`."""
    return Invalid([Problem("photos", code, MESSAGES[code], params)])


def upload_kind(raw: bytes, max_bytes: int) -> str:
    """Return JPEG, PNG or WEBP for bytes a person sent; the file's name and type count for nothing.

    Raises Invalid (codes photo_*).
    """
    if not raw:
        raise refused("photo_empty")
    if len(raw) > max_bytes:
        raise refused("photo_too_heavy", max_mb=max(1, max_bytes // 1_000_000))
    kind = _kind(raw)
    if _ACTIVE.search(raw) or _is_zip(raw):
        raise refused("photo_mixed")
    if kind == JPEG and sum(1 for _ in _SCAN.finditer(raw)) > SCANS_MAX:
        raise refused("photo_damaged")
    return kind


def check_remote(raw: bytes) -> None:
    """Refuse what a partner sent unless it is one bare still WebP: pixels and nothing else.

    Raises Invalid (codes photo_*).
    """
    if len(raw) > REMOTE_MAX_BYTES:
        raise refused("photo_too_heavy", max_mb=REMOTE_MAX_BYTES // 1_000_000)
    if raw[:4] != b"RIFF" or raw[8:12] != b"WEBP":
        raise refused("photo_kind")
    names = [name for name, _ in chunks(raw)]
    if {b"ANIM", b"ANMF"} & set(names):
        raise refused("photo_animated")
    if set(names) - _BARE_CHUNKS or len(names) != len(set(names)):
        raise refused("photo_metadata")


def chunks(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (name, content) of a WebP's chunks (RFC 9649); raises Invalid unless they fill it."""
    if int.from_bytes(raw[4:8], "little") + 8 != len(raw):
        raise refused("photo_damaged")
    at = 12
    while at < len(raw):
        size = int.from_bytes(raw[at + 4 : at + 8], "little")
        end = at + 8 + size + size % 2
        if at + 8 > len(raw) or end > len(raw):
            raise refused("photo_damaged")
        yield raw[at : at + 4], raw[at + 8 : at + 8 + size]
        at = end


def webp_pixels(raw: bytes) -> int:
    """Return width times height a WebP announces: its decoder makes room before Pillow can ask.

    0 when the header is not understood (the decoder will refuse it).
    """
    name, head = raw[12:16], raw[20:30]
    if name == b"VP8X" and len(head) == 10:
        sides = [int.from_bytes(head[at : at + 3], "little") + 1 for at in (4, 7)]
    elif name == b"VP8L" and len(head) >= 5:
        bits = int.from_bytes(head[1:5], "little")
        sides = [(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1]
    elif name == b"VP8 " and len(head) == 10:
        sides = [int.from_bytes(head[at : at + 2], "little") & 0x3FFF for at in (6, 8)]
    else:
        return 0
    return sides[0] * sides[1]


def _kind(raw: bytes) -> str:
    if raw.startswith(b"\xff\xd8\xff"):
        return JPEG
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return WEBP
    if raw[4:8] == b"ftyp" and raw[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"heim"):
        raise refused("photo_heic")
    if b"<svg" in raw[:4096].lower():
        raise refused("photo_svg")
    raise refused("photo_kind")


def _is_zip(raw: bytes) -> bool:
    """Return whether an archive's directory ends exactly where the file ends."""
    at = raw.rfind(_ZIP_END)
    if at < 0 or at + _ZIP_END_BYTES > len(raw):
        return False
    return at + _ZIP_END_BYTES + int.from_bytes(raw[at + 20 : at + 22], "little") == len(raw)
