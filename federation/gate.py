"""The gate: who may ask this town anything, and the signature under each answer (SPEC.md 9).

    size ▸ digest ▸ partner? ▸ signature ▸ nonce ▸ room? ▸ the host's answer ▸ signed, with the next
What fails before the signature is answered unsigned, and costs nothing but that answer. Who proved
to be a partner is told under our signature to come back later, and when.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, NamedTuple, Protocol

from federation import limits
from federation.channel import learn
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey
from federation.messages import HelloAnswer, encode_error
from federation.session import Answer, Event, Host
from federation.signature import HttpReply, HttpRequest, Signed, sign_response, verify_request
from federation.stamp import as_of_day
from federation.store import RecordStore

STALE: Final = 409


class Nonces(Protocol):
    """The nonces given out: kept durably, NONCES_PER_PEER a peer, each used once."""

    def issue(self, peer: bytes, now_ms: int) -> bytes:
        """Make, keep and return a nonce of 16 random bytes for a peer."""

    def consume(self, peer: bytes, nonce: bytes, now_ms: int) -> bool:
        """Use a nonce up: whether it was that peer's, not used, and younger than NONCE_LIFE_MS."""


# (peer, path, now in UTC ms): entered for as long as the answer is made; raises "rate_limited"
Room = Callable[[bytes, str, int], AbstractContextManager[None]]


def always_room(peer: bytes, path: str, now_ms: int) -> AbstractContextManager[None]:
    """Let everybody in, at once and as often as they like."""
    return nullcontext()


class Passage(NamedTuple):
    """What the gate sends back, and what the node may want to know."""

    reply: HttpReply
    peer: bytes | None = None  # None: nobody who could prove it
    events: tuple[Event, ...] = ()
    code: str = ""  # why it was refused
    created_s: int = 0  # the peer's clock, as it says


class Gate:
    """The one door of a town's HTTP side of the protocol."""

    def __init__(
        self,
        host: Host,
        key: SigningKey,
        me: bytes,
        store: RecordStore,
        nonces: Nonces,
        is_partner: Callable[[bytes], bool],
        room: Room = always_room,
    ) -> None:
        """`key` signs for `me`; `is_partner(town)` says whether a town may ask at all."""
        self._room = room
        self._host, self._key, self._me = host, key, me
        self._store, self._nonces, self._is_partner = store, nonces, is_partner

    def answer(self, request: HttpRequest, now_ms: int) -> Passage:
        """Answer a request. A RemoteProtocolError becomes an answer; a bug of ours does not."""
        try:
            signed = self._admitted(request)
        except RemoteProtocolError as error:
            refusal = HttpReply(error.status_hint, encode_error(error.code), headers())
            return Passage(refusal, code=error.code)
        code, wait_s = "", 0
        try:
            answer = self._answer(request, signed, now_ms)
        except RemoteProtocolError as error:
            code, wait_s = error.code, error.wait_s
            answer = Answer(encode_error(code, error.detail, wait_s), status=error.status_hint)
        reply = sign_response(
            HttpReply(answer.status, answer.body, headers(answer.content_type, wait_s)),
            self._key,
            me=self._me,
            request=request,
            nonce=self._nonces.issue(signed.town, now_ms),
            created_s=now_ms // 1000,
        )
        return Passage(reply, signed.town, answer.events, code, signed.created_s)

    def _admitted(self, request: HttpRequest) -> Signed:
        most = limits.HELLO_MAX_BYTES if request.path == limits.HELLO else limits.FRAME_MAX_BYTES
        if len(request.body) > most:
            raise RemoteProtocolError("too_large", f"{len(request.body)} bytes", 413)

        def public_of(town: bytes) -> bytes | None:
            if not self._is_partner(town):
                return None
            if request.path == limits.HELLO:
                learn(request.body, town, self._store)
            keysets = self._store.keysets(town)
            return keysets[-1].signing if keysets else None

        return verify_request(request, me=self._me, public_of=public_of)

    def _answer(self, request: HttpRequest, signed: Signed, now_ms: int) -> Answer:
        method = "GET" if request.path.startswith(limits.READ) else "POST"
        if request.method != method or request.query:
            raise RemoteProtocolError("not_found", f"{request.method} {request.path}", 404)
        if request.path == limits.HELLO:
            return Answer(self._hello(now_ms).encode())
        if not self._nonces.consume(signed.town, signed.nonce, now_ms):
            raise RemoteProtocolError("stale_nonce", status_hint=STALE)
        with self._room(signed.town, request.path, now_ms):  # after the nonce: replays count not
            return self._host.answer(request.path, request.body, signed.town, now_ms)

    def _hello(self, now_ms: int) -> HelloAnswer:
        keysets = tuple(keyset.raw for keyset in self._store.keysets(self._me))
        newest = keysets[-limits.HELLO_KEYSETS_MAX :]
        return HelloAnswer(limits.VERSION, newest, as_of_day(now_ms), now_ms, self._host.gen)


def headers(content_type: str = limits.CBOR, wait_s: int = 0) -> dict[str, str]:
    """The headers of an answer; `wait_s` says when to come back (RFC 9110 section 10.2.3)."""
    return {"content-type": content_type} | ({"retry-after": str(wait_s)} if wait_s else {})
