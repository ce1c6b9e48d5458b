"""The frames of a courier file: what is whole is found again, however the rest was damaged.

A courier file is a CBOR sequence of items of three forms, each of which begins with bytes of its
own; after torn, rotten or foreign bytes a reader goes on at the next beginning (SPEC.md 10.3).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from federation import codec
from federation.codec import SIGN1_HEAD, SIGNATURE_BYTES, SIGNATURE_HEAD
from federation.limits import PHOTO_MAX_BYTES
from federation.stream import SEALED_CHUNK_BYTES

SIGNED, PART, PHOTO = "signed", "part", "photo"
PART_TYPE: Final = "lavoir-part/1"
PHOTO_TYPE: Final = "lavoir-photo/1"
SIGNED_MAX_BYTES: Final = 128 * 1024  # a header that names a thousand sets
_PART_HEAD: Final = b"\x83" + codec.dumps(PART_TYPE)  # then the number, then the bytes
_PHOTO_HEAD: Final = b"\x82" + codec.dumps(PHOTO_TYPE)  # then the bytes
_MORE: Final = sys.maxsize  # the end is not known before more bytes come
_HEADS: Final = (SIGN1_HEAD, _PART_HEAD, _PHOTO_HEAD)
_ANY_HEAD: Final = re.compile(b"|".join(map(re.escape, _HEADS)))
_LONGEST: Final = max(map(len, _HEADS))


class Frame(NamedTuple):
    """One whole item: a signed structure (its bytes), a part of a stream or a photo (its content).

    `number` counts the parts of one stream: 0 is its head, 1 its first chunk.
    """

    form: str
    content: bytes
    number: int = 0


def part(number: int, content: bytes) -> bytes:
    """Frame the head (number 0) or a chunk of a stream."""
    return codec.dumps([PART_TYPE, number, content])


def photo(content: bytes) -> bytes:
    """Frame a photo; its name is its SHA-256."""
    return codec.dumps([PHOTO_TYPE, content])


def type_of(signed: bytes) -> str:
    """The type constant of a signed structure, as it says itself; "" if it says none."""
    start = len(SIGN1_HEAD)
    content, _ = _string_head(signed, start, 2)
    if signed[content + 1 : content + 2] != b"\x00":  # after the head of the map: key 0
        return ""
    text, length = _string_head(signed, content + 2, 3)
    return signed[text : text + length].decode("utf-8", "replace") if length < 64 else ""


class Frames:
    """Cuts what is fed to it into frames, and counts the places where there was none."""

    def __init__(self) -> None:
        self.damaged = 0
        self._held = bytearray()
        self._is_lost = False  # inside damaged bytes that are already counted

    def feed(self, block: bytes) -> Iterator[Frame]:
        """Give the frames that are whole once these bytes are there too."""
        self._held += block
        return self._whole(is_all=False)

    def tear(self) -> Iterator[Frame]:
        """Give what is whole of what is held, for what comes next does not join it."""
        yield from self._whole(is_all=True)
        self._is_lost = False

    def _whole(self, *, is_all: bool) -> Iterator[Frame]:
        held, at = self._held, 0
        while at < len(held):
            end, frame = _frame_at(held, at)
            if frame is not None:
                yield frame
                self._is_lost = False
                at = end
            elif end == _MORE and not is_all:
                break
            else:
                at = self._lose(at, is_all)
        del held[:at]

    def _lose(self, at: int, is_all: bool) -> int:
        """Pass over bytes that are no frame; where the next one may begin."""
        self.damaged += not self._is_lost
        self._is_lost = True
        found = _ANY_HEAD.search(self._held, at + 1)
        if found:
            return found.start()
        kept = 0 if is_all else _LONGEST - 1
        return max(at + 1, len(self._held) - kept)


def _frame_at(held: bytearray, at: int) -> tuple[int, Frame | None]:
    """(end, frame) of what begins at `at`; (_MORE, None) if bytes lack, (0, None) if none does."""
    if held.startswith(SIGN1_HEAD, at):
        return _signed(held, at)
    if held.startswith(_PART_HEAD, at):
        number, content = _number(held, at + len(_PART_HEAD))
        return _bytes(held, content, PART, number, SEALED_CHUNK_BYTES) if content else (0, None)
    if held.startswith(_PHOTO_HEAD, at):
        return _bytes(held, at + len(_PHOTO_HEAD), PHOTO, 0, PHOTO_MAX_BYTES)
    rest = bytes(held[at : at + _LONGEST])
    return (_MORE if any(head.startswith(rest) for head in _HEADS) else 0), None


def _signed(held: bytearray, at: int) -> tuple[int, Frame | None]:
    start, length = _string_head(held, at + len(SIGN1_HEAD), 2)
    signature = start + length
    if length > SIGNED_MAX_BYTES:
        return (_MORE if length == _MORE else 0), None
    if len(held) < signature + len(SIGNATURE_HEAD):
        return _MORE, None
    end = signature + len(SIGNATURE_HEAD) + SIGNATURE_BYTES
    if not held.startswith(SIGNATURE_HEAD, signature):
        return 0, None
    return (end, Frame(SIGNED, bytes(held[at:end]))) if end <= len(held) else (_MORE, None)


def _bytes(held: bytearray, at: int, form: str, number: int, most: int) -> tuple[int, Frame | None]:
    if at == _MORE:
        return _MORE, None
    start, length = _string_head(held, at, 2)
    if length > most:
        return (_MORE if length == _MORE else 0), None
    end = start + length
    whole = Frame(form, bytes(held[start:end]), number) if end <= len(held) else None
    return (end if whole else _MORE), whole


def _string_head(held: bytes | bytearray, at: int, major: int) -> tuple[int, int]:
    """(start, length) of the string of that major type headed at `at`; the length is _MORE if its
    head is not all there, and past every limit if none begins there.
    """
    if at >= len(held):
        return at, _MORE
    low = held[at] - (major << 5)
    if 0 <= low < 24:
        return at + 1, low
    size = {24: 1, 25: 2, 26: 4}.get(low, 0)
    start = at + 1 + size
    if not size:
        return start, _MORE - 1
    length = int.from_bytes(held[at + 1 : start], "big")
    return start, length if start <= len(held) else _MORE


def _number(held: bytearray, at: int) -> tuple[int, int]:
    """(number, offset after it) of the unsigned integer at `at`; offset 0 if none, _MORE if cut."""
    if at >= len(held):
        return 0, _MORE
    if held[at] < 24:
        return held[at], at + 1
    size = {24: 1, 25: 2, 26: 4}.get(held[at], 0)
    end = at + 1 + size
    if not size:
        return 0, 0
    return int.from_bytes(held[at + 1 : end], "big"), end if end <= len(held) else _MORE
