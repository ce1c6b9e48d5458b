"""The doorway: how many may come in at once and how often, so that pages always have a thread.

In the memory of the process: a node has one that serves, and after a restart all are welcome.
"""

import ipaddress
import math
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from federation import limits
from federation.errors import RemoteProtocolError

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
PER_PARTNER: Final = 2  # requests at once: one visit, and the one that took over from it
VISITS_PER_HOUR: Final = 600  # of one partner
REQUESTS_PER_HOUR: Final = 6_000  # of one partner: forty first syncs of a whole town
ANSWERED_BYTES_PER_DAY: Final = 2 * 1024**3  # to one partner, photos included
STRANGERS_PER_HOUR: Final = 600  # requests of one address that nobody signed
BUSY_S: Final = 5
KEYS_MAX: Final = 5_000
_TOO_MANY, _BUSY = 429, 503


@dataclass
class Buckets:
    """Token buckets by name, each kept as the moment it is full again (GCRA)."""

    full_ms: dict[str, float] = field(default_factory=dict)
    last_ms: int = 0  # the clock, when it was last looked at

    def wait_ms(self, key: str, cost: float, limit: int, window_ms: int, now_ms: int) -> int:
        """Return 0 if `cost` of `limit` per window is left, else how long until it is."""
        over_ms = self._full(key, now_ms) + cost * window_ms / limit - now_ms - window_ms
        return max(0, math.ceil(over_ms))

    def take(self, key: str, cost: float, limit: int, window_ms: int, now_ms: int) -> None:
        """Take `cost`; more than there is delays what comes next."""
        if len(self.full_ms) >= KEYS_MAX:
            self.full_ms = {k: full for k, full in self.full_ms.items() if full > now_ms}
        if len(self.full_ms) < KEYS_MAX or key in self.full_ms:
            full_ms = self._full(key, now_ms)
            self.full_ms[key] = full_ms + cost * window_ms / limit

    def _full(self, key: str, now_ms: int) -> float:
        """Return when a bucket is full again; a clock that is set back takes all of them along."""
        if now_ms < self.last_ms:
            behind_ms = self.last_ms - now_ms
            self.full_ms = {name: full - behind_ms for name, full in self.full_ms.items()}
        self.last_ms = now_ms
        return max(self.full_ms.get(key, 0.0), now_ms)


class Doorway:
    """Lets requests of the protocol in: `at_once` of them, PER_PARTNER of one partner."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._inside: Counter[bytes | None] = Counter()  # None: whoever it turns out to be
        self._lock = threading.Lock()
        self._buckets = Buckets()

    @contextmanager
    def entered(self) -> Iterator[bool]:
        """Enter before anything is read of a request; gives whether there was room."""
        with self._one_of(None, self._at_once) as has_room:
            yield has_room

    @contextmanager
    def admitted(self, peer: bytes, path: str, now_ms: int) -> Iterator[None]:
        """Let in a partner that proved to be one.

        Raises RemoteProtocolError("rate_limited") with how long to stay away.
        """
        with self._one_of(peer, PER_PARTNER) as has_room:
            if not has_room:
                raise RemoteProtocolError("rate_limited", "one visit at a time", _BUSY, BUSY_S)
            with self._lock:
                self._count(peer.hex(), path, now_ms)
            yield

    def answered(self, peer: bytes, size_bytes: int, now_ms: int) -> None:
        """Note how much a partner was given."""
        key = f"bytes {peer.hex()}"
        with self._lock:
            self._buckets.take(key, size_bytes, ANSWERED_BYTES_PER_DAY, DAY_MS, now_ms)

    def refused(self, address: str | None, now_ms: int) -> None:
        """Note a request that nobody signed."""
        with self._lock:
            self._buckets.take(_place(address), 1, STRANGERS_PER_HOUR, HOUR_MS, now_ms)

    def wait_s(self, address: str | None, now_ms: int) -> int:
        """Return how long a stranger of that address is not listened to."""
        with self._lock:
            wait_ms = self._buckets.wait_ms(_place(address), 1, STRANGERS_PER_HOUR, HOUR_MS, now_ms)
        return -(-wait_ms // 1000)

    def _count(self, peer: str, path: str, now_ms: int) -> None:
        limited = [("requests", 1, REQUESTS_PER_HOUR, HOUR_MS)]
        if path == limits.SUMMARY:
            limited.append(("visits", 1, VISITS_PER_HOUR, HOUR_MS))
        asked = [*limited, ("bytes", 0, ANSWERED_BYTES_PER_DAY, DAY_MS)]
        waits = [
            self._buckets.wait_ms(f"{what} {peer}", cost, most, window, now_ms)
            for what, cost, most, window in asked
        ]
        if wait_ms := max(waits):
            raise RemoteProtocolError("rate_limited", "", _TOO_MANY, -(-wait_ms // 1000))
        for what, cost, most, window in limited:
            self._buckets.take(f"{what} {peer}", cost, most, window, now_ms)

    @contextmanager
    def _one_of(self, whose: bytes | None, most: int) -> Iterator[bool]:
        with self._lock:
            has_room = self._inside[whose] < most
            self._inside[whose] += has_room
        try:
            yield has_room
        finally:
            with self._lock:
                self._inside[whose] -= has_room
                if not self._inside[whose]:
                    del self._inside[whose]


def _place(address: str | None) -> str:
    """Return what one household shares: an IPv4 address, or the first half of an IPv6 one."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "stranger"
    if found.version == 6:
        return f"stranger {ipaddress.ip_network((found, 64), strict=False)}"
    return f"stranger {found}"
