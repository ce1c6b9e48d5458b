"""The wire below the link: connections that go to one known place and end at one known moment."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Wire:
    """The connection below a session: where it goes, and a second handle on it to cut it with."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self._handle: socket.socket | None = None
        self._passed = threading.Event()  # of the exchange under way
        self._lock = threading.Lock()

    @contextmanager
    def deadline(self, seconds: float) -> Iterator[threading.Event]:
        """Cut the connection after so long, whatever it waits for; the event says that it was."""
        passed = self._passed = threading.Event()
        timer = threading.Timer(seconds, self._cut, (passed,))
        timer.daemon = True
        timer.start()
        try:
            yield passed
        finally:
            timer.cancel()

    def hold(self, connected: socket.socket) -> socket.socket:
        """Keep a handle of a new connection: TLS takes the socket itself away."""
        with self._lock:
            self._let_go()
            self._handle = connected.dup()
            if self._passed.is_set():
                _shut(self._handle)
        return connected

    def close(self) -> None:
        """Let go of the handle."""
        with self._lock:
            self._let_go()

    def check(self) -> None:
        """Raise TimeoutError once the deadline has passed."""
        if self._passed.is_set():
            raise TimeoutError("the whole exchange")

    def _cut(self, passed: threading.Event) -> None:
        with self._lock:
            passed.set()
            if passed is self._passed and self._handle is not None:
                _shut(self._handle)

    def _let_go(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None


def _shut(handle: socket.socket) -> None:
    with suppress(OSError):  # the other end was faster
        handle.shutdown(socket.SHUT_RDWR)


class PinnedAdapter(HTTPAdapter):
    """Connects to the addresses found once, whatever the name means by now; TLS checks the name."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _pinned(HTTPConnectionPool, HTTPConnection, self._wire),
            "https": _pinned(HTTPSConnectionPool, HTTPSConnection, self._wire),
        }


def _pinned(pool: Any, connection: Any, wire: Wire) -> Any:
    """A pool class whose connections go where `wire` says."""

    class Pinned(connection):  # type: ignore[misc]
        _dns_host: str

        def _new_conn(self) -> socket.socket:
            name = self._dns_host
            try:
                for address in wire.addresses[:-1]:
                    self._dns_host = address
                    with suppress(urllib3.exceptions.HTTPError):
                        return wire.hold(super()._new_conn())
                    wire.check()
                self._dns_host = wire.addresses[-1]
                return wire.hold(super()._new_conn())
            finally:
                self._dns_host = name

    return type("PinnedPool", (pool,), {"ConnectionCls": Pinned})
