"""Both ends in one process: a link that loses, cuts and breaks exactly what it is told to."""

from __future__ import annotations

import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from federation import limits
from federation.errors import RemoteProtocolError
from federation.signature import NONCE_BYTES, HttpReply, HttpRequest


@dataclass
class Faults:
    """Which exchanges of a link go wrong, counted from 1 over its whole life."""

    lost_requests: Collection[int] = ()  # never arrive
    lost_answers: Collection[int] = ()  # were acted on, and never come back
    cut_answers: Collection[int] = ()  # come back as their first half


@dataclass
class MemoryLink:
    """Carries requests to a host in the same process, and counts what crossed."""

    answer: Callable[[HttpRequest], HttpReply]
    faults: Faults = field(default_factory=Faults)
    exchanges: int = 0
    bytes_up: int = 0
    bytes_down: int = 0

    def send(self, request: HttpRequest, max_bytes: int) -> HttpReply:
        """Carry one request. Raises RemoteProtocolError: unreachable, timeout, too_large."""
        self.exchanges += 1
        if self.exchanges in self.faults.lost_requests:
            raise RemoteProtocolError("unreachable", "lost on purpose")
        self.bytes_up += len(request.body)
        reply = self.answer(request)
        if self.exchanges in self.faults.lost_answers:
            raise RemoteProtocolError("timeout", "lost on purpose")
        if len(reply.body) > max_bytes:
            raise RemoteProtocolError("too_large", f"{len(reply.body)} bytes")
        self.bytes_down += len(reply.body)
        if self.exchanges in self.faults.cut_answers:
            return replace(reply, body=reply.body[: len(reply.body) // 2])
        return reply


class MemoryPurse:
    """The next nonce of each peer, in memory."""

    def __init__(self) -> None:
        self._nonces: dict[bytes, bytes] = {}

    def take(self, peer: bytes) -> bytes | None:
        """Remove and return the nonce that peer gave last."""
        return self._nonces.pop(peer, None)

    def put(self, peer: bytes, nonce: bytes) -> None:
        """Keep the nonce that peer gave."""
        self._nonces[peer] = nonce


class MemoryNonces:
    """The nonces given out, in memory: the newest few of each peer, each with its end."""

    def __init__(self) -> None:
        self._given: dict[bytes, deque[tuple[bytes, int]]] = defaultdict(
            lambda: deque(maxlen=limits.NONCES_PER_PEER)
        )

    def issue(self, peer: bytes, now_ms: int) -> bytes:
        """Make, keep and return a nonce for a peer."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        self._given[peer].append((nonce, now_ms + limits.NONCE_LIFE_MS))
        return nonce

    def consume(self, peer: bytes, nonce: bytes, now_ms: int) -> bool:
        """Use a nonce up: whether it was that peer's and still good."""
        given = self._given[peer]
        found = next((each for each in given if each[0] == nonce), None)
        if found is None:
            return False
        given.remove(found)
        return now_ms < found[1]
