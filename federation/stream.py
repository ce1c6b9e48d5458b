"""The stream: bytes of any length that a few keys can open, chunk by chunk (SPEC.md section 5.1).

One file key encrypts chunks of 64 KiB (ChaCha20-Poly1305), each under its number and a mark on the
last, as the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár (2015) does; HPKE wraps
it for every reader. Nothing is given out that was not authentic, in its place and of this stream.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from federation import codec, seal
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.keys import KEY_BYTES
from federation.seal import KEY_ID_BYTES, WRAPPED_BYTES, HpkeKey

TYPE: Final = "lavoir-stream/1"
CHUNK_BYTES: Final = 64 * 1024
TAG_BYTES: Final = 16
SEALED_CHUNK_BYTES: Final = CHUNK_BYTES + TAG_BYTES
READERS_MAX: Final = 16
_PREFIX: Final = 2  # of the head, before it


class Sealer:
    """Makes the pieces of one stream: its head, then its chunks one after the other."""

    def __init__(self, publics: Sequence[bytes], info: bytes) -> None:
        """Take a fresh file key and wrap it for `publics` (X25519, 32 bytes each).

        Raises LocalProtocolError for no reader or too many, RemoteProtocolError("bad_public_key").
        """
        if not 0 < len(publics) <= READERS_MAX:
            raise LocalProtocolError("bad_field", "a stream has 1 to 16 readers")
        self._bound = _bound(info)
        self._key = secrets.token_bytes(KEY_BYTES)
        wraps = [[seal.key_id(one), seal.wrap(self._key, one, self._bound)] for one in publics]
        raw = codec.dumps({0: TYPE, 1: wraps})
        self.head = len(raw).to_bytes(_PREFIX, "big") + raw
        self._number = 0

    def seal(self, plain: bytes, *, is_last: bool) -> bytes:
        """Encrypt the next chunk: CHUNK_BYTES of it, the last one any number up to that."""
        nonce = _nonce(self._number, is_last)
        self._number += 1
        return seal.lock(self._key, nonce, plain, self._bound)


class Opener:
    """Opens the chunks of one stream, in any order."""

    def __init__(self, head: bytes, privates: Sequence[bytes], info: bytes) -> None:
        """Find the file key with whichever of `privates` (X25519, 32 bytes) it was wrapped for.

        Raises RemoteProtocolError: bad_seal, or not_readable if it was wrapped for none of them.
        """
        self._bound = _bound(info)
        wraps = _wraps(head)
        held = {key.id: key for key in map(HpkeKey.from_private, privates)}
        for key_id, wrapped in wraps:
            if key_id in held:
                self._key = held[key_id].unwrap(wrapped, self._bound)
                return
        raise RemoteProtocolError("not_readable")

    def open(self, number: int, sealed: bytes, *, is_last: bool) -> bytes:
        """Decrypt one chunk. Raises RemoteProtocolError("bad_seal")."""
        return seal.unlock(self._key, _nonce(number, is_last), sealed, self._bound)


class Writer:
    """Cuts what is written into chunks; `out` gets the head, then one sealed chunk a call."""

    def __init__(
        self, out: Callable[[bytes], object], publics: Sequence[bytes], info: bytes
    ) -> None:
        self._sealer = Sealer(publics, info)
        self._out = out
        self._held = bytearray()
        out(self._sealer.head)

    def write(self, plain: bytes) -> None:
        """Add bytes; a chunk leaves once it is known not to be the last."""
        self._held += plain
        while len(self._held) > CHUNK_BYTES:
            self._out(self._sealer.seal(bytes(self._held[:CHUNK_BYTES]), is_last=False))
            del self._held[:CHUNK_BYTES]

    def close(self) -> None:
        """Write the last chunk: without it the stream is torn."""
        self._out(self._sealer.seal(bytes(self._held), is_last=True))
        self._held.clear()


def write_stream(out: Callable[[bytes], object], publics: Sequence[bytes], info: bytes) -> Writer:
    """Begin a stream to the X25519 keys `publics`; `info` says what it is, and binds it to that.

    Raises RemoteProtocolError("bad_public_key"), LocalProtocolError("bad_field").
    """
    return Writer(out, publics, info)


def read_stream(
    source: Callable[[int], bytes], privates: Sequence[bytes], info: bytes
) -> Iterator[bytes]:
    """Yield the plain chunks of a stream; `source(n)` gives at most n bytes, b"" at its end.

    Raises RemoteProtocolError: not_readable (for none of these keys), bad_seal (another stream's,
    moved or damaged bytes), torn (the end is missing); the chunks before are given first.
    """
    opener = Opener(read_head(source), privates, info)
    block, number = _fill(source, SEALED_CHUNK_BYTES), 0
    while following := _fill(source, SEALED_CHUNK_BYTES):
        yield opener.open(number, block, is_last=False)
        block, number = following, number + 1
    yield from _ending(opener, number, block)


def read_head(source: Callable[[int], bytes]) -> bytes:
    """Read the head of a stream with its length. Raises RemoteProtocolError("torn")."""
    length = _fill(source, _PREFIX)
    head = length + _fill(source, int.from_bytes(length, "big"))
    if len(length) < _PREFIX or len(head) < _PREFIX + int.from_bytes(length, "big"):
        raise RemoteProtocolError("torn", "in its head")
    return head


def _ending(opener: Opener, number: int, block: bytes) -> Iterator[bytes]:
    """Yield what came last: the marked chunk, or one that shows that more should have come."""
    if len(block) < TAG_BYTES:
        raise RemoteProtocolError("torn", "no last chunk")
    try:
        last = opener.open(number, block, is_last=True)
    except RemoteProtocolError as error:
        if len(block) < SEALED_CHUNK_BYTES:
            raise RemoteProtocolError("torn", f"chunk {number} is cut or damaged") from error
        yield opener.open(number, block, is_last=False)
        raise RemoteProtocolError("torn", f"after chunk {number}") from error
    if number and not last:
        raise RemoteProtocolError("bad_seal", "an empty chunk at the end")
    yield last


def _fill(source: Callable[[int], bytes], wanted: int) -> bytes:
    """Read until `wanted` bytes are there or the source ends: a pipe gives what it has."""
    parts = bytearray()
    while len(parts) < wanted and (part := source(wanted - len(parts))):
        parts += part
    return bytes(parts)


def _bound(info: bytes) -> bytes:
    return codec.dumps([TYPE, info])


def _nonce(number: int, is_last: bool) -> bytes:
    """Eleven bytes of the chunk's number, big-endian, and one that marks the last."""
    return number.to_bytes(11, "big") + bytes((is_last,))


def _wraps(head: bytes) -> list[tuple[bytes, bytes]]:
    """Read [(key id, wrap)] of a head. Raises RemoteProtocolError("bad_seal")."""
    try:
        fields: Any = codec.loads(head[_PREFIX:])
    except RemoteProtocolError as error:
        raise RemoteProtocolError("bad_seal", "the head") from error
    is_ours = type(fields) is dict and list(fields) == [0, 1] and fields[0] == TYPE
    wraps = fields[1] if is_ours else None
    if type(wraps) is not list or not 0 < len(wraps) <= READERS_MAX:
        raise RemoteProtocolError("bad_seal", "the head")
    for each in wraps:
        is_pair = type(each) is list and [type(part) for part in each] == [bytes, bytes]
        if not is_pair or (len(each[0]), len(each[1])) != (KEY_ID_BYTES, WRAPPED_BYTES):
            raise RemoteProtocolError("bad_seal", "the head")
    return [(key_id, wrapped) for key_id, wrapped in wraps]
