"""The channel: signed requests to one peer over whatever carries them (SPEC.md section 9).

It spends the nonce the peer gave last, keeps the next one, and says hello when it has none or when
either end turns out not to know the other's newest key.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Final, Protocol

from federation import limits
from federation.admission import admit_keyset
from federation.errors import CODES, RemoteProtocolError
from federation.keys import SigningKey
from federation.keyset import parse_keyset
from federation.messages import Hello, HelloAnswer, decode_error, decode_wait_s
from federation.session import Request
from federation.signature import (
    NONCE_BYTES,
    HttpReply,
    HttpRequest,
    sign_request,
    verify_response,
)
from federation.store import RecordStore

OK: Final = 200
_WAIT_DIGITS: Final = 12  # of a Retry-After: longer ones are not believed to be seconds
# a stale nonce, or one end does not know the other's newest key
_MENDED_BY_HELLO: Final = frozenset(
    ("stale_nonce", "bad_signature", "bad_request_signature", "unknown_keyset")
)

Send = Callable[[HttpRequest, int], HttpReply]  # (request, most bytes of an answer's body)


class Purse(Protocol):
    """Where the next nonce of each peer is kept; it should outlive the process."""

    def take(self, peer: bytes) -> bytes | None:
        """Remove and return the nonce that peer gave last."""

    def put(self, peer: bytes, nonce: bytes) -> None:
        """Keep the nonce that peer gave."""


class Channel:
    """Signed exchanges with one peer. Every fault is a RemoteProtocolError with its code."""

    def __init__(
        self,
        send: Send,
        key: SigningKey,
        me: bytes,
        peer: bytes,
        store: RecordStore,
        purse: Purse,
        now_ms: Callable[[], int],
    ) -> None:
        """`key` signs for `me`; the keysets of both towns are in `store`."""
        self._send, self._key, self._me, self._peer = send, key, me, peer
        self._store, self._purse, self._now_ms = store, purse, now_ms
        self.hellos = 0

    def post(self, request: Request) -> bytes:
        """Carry one request of a visit and return the body of its answer."""
        asked = HttpRequest(request.method, request.path, request.body)
        return self._exchange(asked, request.content_type, limits.FRAME_MAX_BYTES)

    def photo(self, digest: bytes) -> bytes:
        """Fetch a photo by its SHA-256. Raises RemoteProtocolError("bad_digest") for another."""
        asked = HttpRequest("GET", limits.BLOB + digest.hex())
        photo = self._exchange(asked, limits.OCTETS, limits.PHOTO_MAX_BYTES)
        if hashlib.sha256(photo).digest() != digest:
            raise RemoteProtocolError("bad_digest", "another photo")
        return photo

    def hello(self) -> HelloAnswer:
        """Exchange keysets and keep a first nonce."""
        self.hellos += 1
        ours = [keyset.raw for keyset in self._store.keysets(self._me)]
        said = Hello(limits.VERSION, tuple(ours[-limits.HELLO_KEYSETS_MAX :]))
        asked = HttpRequest("POST", limits.HELLO, said.encode())
        signed = self._sign(asked, secrets.token_bytes(NONCE_BYTES), limits.CBOR)
        reply = self._send(signed, limits.HELLO_MAX_BYTES)
        if reply.status == OK:
            learn(reply.body, self._peer, self._store)
        return HelloAnswer.decode(self._opened(reply, signed))

    def _exchange(self, asked: HttpRequest, content_type: str, max_bytes: int) -> bytes:
        """Ask; where a hello may mend a refusal, say it and ask once more."""
        nonce = self._purse.take(self._peer)
        if nonce is not None:
            try:
                return self._once(asked, nonce, content_type, max_bytes)
            except RemoteProtocolError as error:
                if error.code not in _MENDED_BY_HELLO:
                    raise
        self.hello()
        nonce = self._purse.take(self._peer)
        if nonce is None:
            raise RemoteProtocolError("stale_nonce", "another visit spent the one of the hello")
        return self._once(asked, nonce, content_type, max_bytes)

    def _once(self, asked: HttpRequest, nonce: bytes, content_type: str, max_bytes: int) -> bytes:
        signed = self._sign(asked, nonce, content_type)
        return self._opened(self._send(signed, max_bytes), signed)

    def _sign(self, asked: HttpRequest, nonce: bytes, content_type: str) -> HttpRequest:
        return sign_request(
            asked,
            self._key,
            me=self._me,
            to=self._peer,
            nonce=nonce,
            created_s=self._now_ms() // 1000,
            content_type=content_type,
        )

    def _opened(self, reply: HttpReply, signed: HttpRequest) -> bytes:
        """The body of an answer, once its signature is found right; the next nonce is kept.

        That of a refusal as well: it is signed, and the peer counts on it being used.
        """
        keysets = self._store.keysets(self._peer)
        if not keysets:
            raise RemoteProtocolError("unknown_keyset", "that town was never paired")
        public = keysets[-1].signing
        try:
            nonce = verify_response(reply, signed, peer=self._peer, public=public).nonce
        except RemoteProtocolError as error:
            if error.code != "not_signed" or reply.status == OK:
                raise
            raise _unsigned(reply) from error
        self._purse.put(self._peer, nonce)
        if reply.status != OK:
            code, detail = decode_error(reply.body)
            raise RemoteProtocolError(code, detail, reply.status, decode_wait_s(reply.body))
        return reply.body


def learn(body: bytes, town: bytes, store: RecordStore) -> None:
    """Take the keysets of `town` from a hello: its root's signature is all the proof they need.

    A body that is no hello teaches nothing; the signature over it decides what follows.
    """
    try:
        keysets = [parse_keyset(raw) for raw in Hello.decode(body).keysets]
    except RemoteProtocolError:
        return
    for keyset in keysets:
        if keyset.town == town:
            admit_keyset(keyset.raw, store)


def _unsigned(reply: HttpReply) -> RemoteProtocolError:
    """What a refusal says that nobody signed: worth showing, not worth believing."""
    code, _ = decode_error(reply.body)
    known = code in CODES and code != "garbage"
    detail = f"HTTP {reply.status}, unsigned"
    wait_s = _retry_after_s(reply)
    return RemoteProtocolError(code if known else "http_status", detail, reply.status, wait_s)


def _retry_after_s(reply: HttpReply) -> int:
    """Seconds of a Retry-After (RFC 9110 section 10.2.3); a date, or anything odd, counts as 0."""
    said = next((v for name, v in reply.headers.items() if name.lower() == "retry-after"), "")
    is_number = said.isascii() and said.isdigit() and len(said) <= _WAIT_DIGITS
    return int(said) if is_number else 0
