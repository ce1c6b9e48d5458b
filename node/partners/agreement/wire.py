"""The register `agreement/1` as it stands inside the seal (SPEC 13.8): one for each side.

A complete statement: {0 type, 1 its register's key, 2 from, 3 to, 4 gen, 5 version in force,
6 text, 7 digest of the other side's text it agrees to, 8 [own text, other text] in force as it
knows, 9 number: unix ms, only grows, 10 end: unix ms since when the link is ended}. A text is the
CBOR of {0 number it was written with, 1 [[practice, inward, outward], ...], 2 contact, 3 review
day, 4 note}, `inward` and `outward` 0 nobody, 1 those a moderator let, 2 all. What is empty is
absent.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from federation import codec
from federation.errors import RemoteProtocolError
from node.domain.agreement import CONTACT_MAX, NOTE_MAX, PRACTICES_MAX, WHO, Text, Way
from node.domain.schema import tidy

KIND = "agreement/1"
TEXT_MAX_BYTES = 6_000
DIGEST_BYTES = 16
VERSION_BYTES = 5  # so that the number of a version fits wherever a moment fits
DAYS_MAX = 2_932_896  # the year 9999
MOMENT_MAX_MS = 253_402_128_000_000  # later ones have no day in every zone

_PRACTICE = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True)
class Statement:
    """What one side says: its text, what it agrees to, what is in force for it, its end."""

    number: int
    text: bytes | None = None
    accepts: bytes | None = None
    force: tuple[bytes, bytes] | None = None
    ended_ms: int | None = None
    version: int = 0


def register_key(author: bytes, to: bytes) -> bytes:
    """Return the key (16 bytes) of the register in which `author` speaks to `to`."""
    return hashlib.sha256(b"lavoir-" + KIND.encode() + author + to).digest()[:16]


def digest(text: bytes) -> bytes:
    """Return how the other side names a text it agrees to."""
    return hashlib.sha256(b"lavoir-" + KIND.encode() + text).digest()[:DIGEST_BYTES]


def pair_of(one: bytes, its_text: bytes, other: bytes, other_text: bytes) -> bytes:
    """Return the digest of two texts together, the same for both towns `one` and `other`."""
    sides = sorted([(one, digest(its_text)), (other, digest(other_text))])
    return hashlib.sha256(b"lavoir-agreed/1" + sides[0][1] + sides[1][1]).digest()


def version_of(pair: bytes) -> int:
    """Return the number of what is in force, the same at both towns; never 0."""
    return int.from_bytes(pair[:VERSION_BYTES], "big") or 1


def written(text: Text, number: int) -> bytes:
    """Return a text as it is signed; raises ValueError when it is longer than TEXT_MAX_BYTES."""
    ways = [
        [name, WHO.index(way.inward), WHO.index(way.outward)]
        for name, way in sorted(text.ways.items())
    ]
    said = {0: number, 1: ways, 2: text.contact, 3: text.review, 4: text.note}
    raw = codec.dumps({key: each for key, each in said.items() if each not in (None, "")})
    if len(raw) > TEXT_MAX_BYTES:
        raise ValueError(f"a text of {len(raw)} bytes")
    return raw


def read_text(raw: bytes) -> tuple[Text, int]:
    """Return (text, the number it was written with); raises RemoteProtocolError("bad_inner")."""
    try:
        said = codec.loads(raw)
    except RemoteProtocolError as error:
        raise _bad(6) from error
    if type(said) is not dict or not said.keys() <= {0, 1, 2, 3, 4}:
        raise _bad(6)
    review = _number(said, 3, DAYS_MAX) if 3 in said else None
    text = Text(_ways(said), _words(said, 2, CONTACT_MAX), review, _words(said, 4, NOTE_MAX))
    number = _number(said, 0, MOMENT_MAX_MS)
    if written(text, number) != raw:  # one text has one way to be written, so one digest
        raise _bad(6)
    return text, number


def inner(key: bytes, gen: int, said: Statement) -> dict[int, Any]:
    """Return the inner message of a statement."""
    fields = {
        1: key,
        4: gen,
        5: said.version,
        6: said.text,
        7: said.accepts,
        8: list(said.force) if said.force else None,
        9: said.number,
        10: said.ended_ms,
    }
    return {number: each for number, each in fields.items() if each is not None}


def read(message: Mapping[int, Any], key: bytes, author: bytes, to: bytes) -> Statement:
    """Return what `author` says to `to` in the register `key`; raises RemoteProtocolError."""
    if key != register_key(author, to) or message.get(1) != key:
        raise RemoteProtocolError("not_yours", "the register of two other towns")
    force = message.get(8)
    if force is not None and (type(force) is not list or len(force) != 2):
        raise _bad(8)
    texts = [each for each in (message.get(6), *(force or ())) if each is not None]
    for each in texts:
        if type(each) is not bytes or len(each) > TEXT_MAX_BYTES:
            raise _bad(6)
        read_text(each)
    accepts = message.get(7)
    if accepts is not None and (type(accepts) is not bytes or len(accepts) != DIGEST_BYTES):
        raise _bad(7)
    return Statement(
        number=_number(message, 9, MOMENT_MAX_MS),
        text=message.get(6),
        accepts=accepts,
        force=(force[0], force[1]) if force else None,
        ended_ms=_number(message, 10, MOMENT_MAX_MS) if 10 in message else None,
        version=_number(message, 5, MOMENT_MAX_MS),
    )


def _ways(said: Mapping[int, Any]) -> dict[str, Way]:
    listed = said.get(1, [])
    if type(listed) is not list or len(listed) > PRACTICES_MAX:
        raise _bad(6)
    ways: dict[str, Way] = {}
    for line in listed:
        if type(line) is not list or list(map(type, line)) != [str, int, int]:
            raise _bad(6)
        name, inward, outward = line
        if not _PRACTICE.fullmatch(name) or not {inward, outward} <= {0, 1, 2} or name in ways:
            raise _bad(6)
        ways[name] = Way(WHO[inward], WHO[outward])
    return ways


def _words(said: Mapping[int, Any], number: int, most: int) -> str:
    value = said.get(number, "")
    if type(value) is not str or len(value) > most or tidy(value) != value:
        raise _bad(6)
    return value


def _number(said: Mapping[int, Any], number: int, most: int) -> int:
    value = said.get(number)
    if type(value) is not int or not 0 <= value <= most:
        raise _bad(number)
    return value


def _bad(number: int) -> RemoteProtocolError:
    return RemoteProtocolError("bad_inner", f"field {number}")
