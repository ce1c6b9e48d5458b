"""The hint: a token that says where the last exchange ended, to its issuer alone (SPEC.md 7.5).

It is never trusted for what is equal: what it leads to is news, and what it misses is reconciled.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from typing import Final, NamedTuple

from federation.limits import FRAME_MAX_BYTES, NEWS_MAX_RECORDS
from federation.port import RecordStore
from federation.session.view import View

_HALF: Final = 16
_SLACK_BYTES: Final = 64  # the heads of the CBOR around the news


class Hint(NamedTuple):
    """What a visitor keeps of its last whole visit to one peer."""

    token: bytes  # the peer's, not to be understood here
    arrival: int  # the place of the last record that had come in here


def issue(secret: bytes, peer: bytes, gen: int, arrival: int, now_ms: int) -> bytes:
    """The token of 32 bytes for a peer that has seen all up to that arrival.

    Sixteen bytes of MAC over (peer, gen, arrival, time), which also encrypt the other sixteen: so a
    peer does not learn how busy the sets are that it may not see.
    """
    said = arrival.to_bytes(8, "big") + now_ms.to_bytes(8, "big")
    mac = _mac(secret, peer, gen, said)
    return mac + _masked(secret, mac, said)


def read(secret: bytes, peer: bytes, gen: int, token: bytes) -> int | None:
    """The arrival a token of ours names; None for another peer's, another generation's, a forgery.

    `gen` is the mark of our last restore: the order of arrival begins anew with it.
    """
    mac, masked = token[:_HALF], token[_HALF:]
    if not secret or len(masked) != _HALF:
        return None
    said = _masked(secret, mac, masked)
    if not hmac.compare_digest(mac, _mac(secret, peer, gen, said)):
        return None
    return int.from_bytes(said[:8], "big")


def news(
    store: RecordStore, view: View, since: int, room: int, towns: Collection[bytes]
) -> list[bytes]:
    """What came since of `towns`, for the peer of a view, if it is at most 1,000 records and `room`
    bytes; else none: so many are cheaper to reconcile.
    """
    if since > store.arrivals():
        return []  # from before a restore that nobody noticed
    raws = store.news(since, view.peer, view.as_of, NEWS_MAX_RECORDS + 1, towns)
    fits = len(raws) <= NEWS_MAX_RECORDS and sum(map(len, raws)) <= room
    return raws if fits else []


def room_beside(body: bytes) -> int:
    """Bytes left in a frame beside a message."""
    return FRAME_MAX_BYTES - len(body) - _SLACK_BYTES


def _mac(secret: bytes, peer: bytes, gen: int, said: bytes) -> bytes:
    text = b"lavoir-hint/1" + peer + gen.to_bytes(8, "big") + said
    return hmac.digest(secret, text, hashlib.sha256)[:_HALF]


def _masked(secret: bytes, mac: bytes, said: bytes) -> bytes:
    pad = hmac.digest(secret, b"lavoir-hint-mask/1" + mac, hashlib.sha256)
    return bytes(one ^ other for one, other in zip(said, pad, strict=False))
