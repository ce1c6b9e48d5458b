"""The registers `report/1` as they stand inside the seal: what a town reports, what home answers.

One register for each (town that reports, listing) and one for each answer to it (SPEC 13.10). Each
is a complete statement. {0 type, 1 its own key, 2 from, 3 to, 4 gen, 5 version 0, 6 listing key,
7 [[reason, how many], ...], 8 [words, ...]} or, of an answer, {6 listing key, 9 verdict, 10 words}.
Nobody's name has a place in it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from federation.errors import RemoteProtocolError

KIND = "report/1"
KEY_BYTES = 16
REASONS_MAX = 16
REASON_MAX = 16
COUNT_MAX = 100_000
WORDS_MAX = 5
TEXT_MAX = 500
VERDICTS = ("acted", "rejected")


@dataclass(frozen=True)
class Said:
    """What a town says of a listing of another: (reason, how many) and words without a name."""

    listing: bytes
    reasons: tuple[tuple[str, int], ...]
    words: tuple[str, ...]

    @property
    def count(self) -> int:
        """Return how many people reported it there."""
        return sum(many for _, many in self.reasons)


@dataclass(frozen=True)
class Answer:
    """What home says to a town that reported one of its listings."""

    listing: bytes
    verdict: str
    words: str


def report_key(reporter: bytes, home: bytes, listing: bytes) -> bytes:
    """Return the key (16 bytes) of what `reporter` says of a listing of `home`."""
    return hashlib.sha256(b"lavoir-report/1" + reporter + home + listing).digest()[:KEY_BYTES]


def answer_key(home: bytes, reporter: bytes, listing: bytes) -> bytes:
    """Return the key (16 bytes) of what `home` answers to `reporter` about a listing."""
    return hashlib.sha256(b"lavoir-answer/1" + home + reporter + listing).digest()[:KEY_BYTES]


def said_inner(key: bytes, gen: int, said: Said) -> dict[int, Any]:
    """Return the inner message that reports; without a reason it takes everything back."""
    reasons = [list(each) for each in sorted(said.reasons)]
    return {1: key, 4: gen, 5: 0, 6: said.listing, 7: reasons, 8: list(said.words)}


def answer_inner(key: bytes, gen: int, answer: Answer) -> dict[int, Any]:
    """Return the inner message that answers."""
    return {1: key, 4: gen, 5: 0, 6: answer.listing, 9: answer.verdict, 10: answer.words}


def read(inner: Mapping[int, Any], origin: bytes, own: bytes, key: bytes) -> Said | Answer:
    """Return what `origin` says to `own` in the register `key`.

    Raises RemoteProtocolError("bad_inner") for any other form.
    """
    listing = inner.get(6)
    if type(listing) is not bytes or len(listing) != KEY_BYTES:
        raise _bad(6)
    if inner.get(1) != key:
        raise _bad(1)
    if key == report_key(origin, own, listing):
        return Said(listing, _reasons(inner.get(7)), _words(inner.get(8)))
    if key == answer_key(origin, own, listing):
        verdict, words = inner.get(9), inner.get(10)
        if type(verdict) is not str or verdict not in VERDICTS:
            raise _bad(9)
        if type(words) is not str or len(words) > TEXT_MAX:
            raise _bad(10)
        return Answer(listing, verdict, words)
    raise _bad(1)


def _reasons(found: Any) -> tuple[tuple[str, int], ...]:
    if type(found) is not list or len(found) > REASONS_MAX:
        raise _bad(7)
    for each in found:
        if type(each) is not list or list(map(type, each)) != [str, int]:
            raise _bad(7)
        reason, many = each
        if not (reason.isascii() and reason.isalnum() and len(reason) <= REASON_MAX):
            raise _bad(7)
        if not 1 <= many <= COUNT_MAX:
            raise _bad(7)
    if len({reason for reason, _ in found}) != len(found):
        raise _bad(7)
    return tuple((reason, many) for reason, many in found)


def _words(found: Any) -> tuple[str, ...]:
    if type(found) is not list or len(found) > WORDS_MAX:
        raise _bad(8)
    if any(type(each) is not str or not 0 < len(each) <= TEXT_MAX for each in found):
        raise _bad(8)
    return tuple(found)


def _bad(number: int) -> RemoteProtocolError:
    return RemoteProtocolError("bad_inner", f"field {number}")
