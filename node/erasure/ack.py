"""The acknowledgement `erasure-ack/1` as it stands inside the seal (SPEC 11.2).

One register for each (town that deleted, town whose it was, part). A complete statement: all of a
part, each time. {0 type, 1 its register's key, 2 from, 3 to, 4 gen, 5 version 0, 6 part, 7 [[when,
short keys joined], ...], 8 [[short key, why], ...]}, `when` in unix seconds, ascending.
"""

import hashlib
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from federation.errors import RemoteProtocolError
from node.store.erasures.acks import SHORT_BYTES, Told
from node.store.erasures.burials import PART_MAX_KEYS, PARTS_MAX

KIND = "erasure-ack/1"
KEPT = ("engagement",)  # a thing is out: the row stays, without name or contact
UNIX_S_MAX = 2**32  # the year 2106: a page can write it


def register_key(receiver: bytes, origin: bytes, part: int) -> bytes:
    """Return the key (16 bytes) of one part of what `receiver` acknowledges to `origin`."""
    named = b"lavoir-" + KIND.encode() + receiver + origin + part.to_bytes(2, "big")
    return hashlib.sha256(named).digest()[:16]


def written(key: bytes, gen: int, part: int, told: Iterable[Told]) -> dict[int, Any]:
    """Return the inner message that says `told` (sorted here) of a part."""
    lines = sorted(told, key=lambda each: (each.gone_ms, each.key))
    gone = [
        [when, b"".join(each.key for each in group)]
        for when, group in groupby(lines, key=lambda each: each.gone_ms // 1_000)
    ]
    kept = [[each.key, each.kept] for each in lines if each.kept]
    return {1: key, 4: gen, 5: 0, 6: part, 7: gone, 8: kept}


def read(inner: Mapping[int, Any], origin: bytes, own: bytes, key: bytes) -> tuple[int, list[Told]]:
    """Return (part, what it tells) of a message by `origin` to `own` in the register `key`.

    Raises RemoteProtocolError("bad_inner") for any other form.
    """
    part = inner.get(6)
    if type(part) is not int or not 0 <= part < PARTS_MAX:
        raise _bad(6)
    if key != register_key(origin, own, part) or inner.get(1) != key:
        raise _bad(1)
    kept = dict(_kept(each) for each in _list(inner, 8))
    gone = [(when, short) for each in _list(inner, 7) for when, short in _gone(each)]
    if len({short for _, short in gone}) != len(gone) or len(gone) > PART_MAX_KEYS:
        raise _bad(7)
    return part, [Told(short, when * 1_000, kept.get(short, "")) for when, short in gone]


def _list(inner: Mapping[int, Any], number: int) -> list[Any]:
    found = inner.get(number)
    if type(found) is not list or len(found) > PART_MAX_KEYS:
        raise _bad(number)
    return found


def _gone(line: Any) -> list[tuple[int, bytes]]:
    if type(line) is not list or list(map(type, line)) != [int, bytes]:
        raise _bad(7)
    when, joined = line
    if not 0 <= when < UNIX_S_MAX or not joined or len(joined) % SHORT_BYTES:
        raise _bad(7)
    shorts = (joined[at : at + SHORT_BYTES] for at in range(0, len(joined), SHORT_BYTES))
    return [(when, short) for short in shorts]


def _kept(line: Any) -> tuple[bytes, str]:
    if type(line) is not list or list(map(type, line)) != [bytes, str]:
        raise _bad(8)
    short, why = line
    if len(short) != SHORT_BYTES or len(why) > 32:
        raise _bad(8)
    return short, why


def _bad(number: int) -> RemoteProtocolError:
    return RemoteProtocolError("bad_inner", f"field {number}")
