"""The worker: a thread is lent to a request once it is wholly here, and not for ever.

Two hundred telephones out of range, or one hostile visitor, would otherwise hold all threads by
sending a byte now and then. The kernel collects a request; nothing waits for it but a deadline.
"""

import fcntl
import re
import socket
import struct
import termios
import threading
import time
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_MAX_BYTES: Final = 64 * 1024  # of request line and headers: gunicorn refuses more
WHOLE_MAX_BYTES: Final = 1_200_000  # a frame and its headers; a larger body is read by a thread
ARRIVES_S: Final = 30.0  # for a request to arrive, and longer the larger it says it is
SLOWEST_BYTES_PER_S: Final = 4 * 1024  # a telephone at the edge of its network
LONGEST_S: Final = 900.0  # for an answer to begin: "exchange now" takes ten minutes at most
UNKNOWN_S: Final = 3_600.0  # for an answer of unknown length to be read
LINGERS_S: Final = 2.0  # for the other end to read our last words
LARGE_AT_ONCE: Final = 4  # requests with large bodies: they keep a thread while they arrive
BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 30\r\ncontent-type: text/plain\r\n"
    b"content-length: 57\r\nconnection: close\r\n\r\n"
    b"Too many large files at once. Try again in half a minute."
)
_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
_EXPECTS: Final = re.compile(rb"\r\nexpect:", re.IGNORECASE)


def whole_bytes(head: bytes) -> int:
    """Return how long a request is of which `head` has arrived; 0: its headers are not all here.

    Of what is odd only the headers count: gunicorn reads and refuses it.
    """
    end = head.find(_END)
    if end < 0:
        return 0 if len(head) < HEAD_MAX_BYTES else len(head)
    said = _LENGTH.search(head[: end + 2])
    is_waiting_for_us = _EXPECTS.search(head[: end + 2])
    return end + len(_END) + (int(said[1]) if said and not is_waiting_for_us else 0)


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's threads, each given to a connection only when its request is here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._large = threading.BoundedSemaphore(LARGE_AT_ONCE)
        self._served: dict[Any, float] = {}  # socket: monotonic seconds it may keep its thread
        self._leaving: dict[Any, float] = {}  # connection: monotonic seconds it is waited for

    def accept(self, listener: Any) -> None:
        """Take a connection; its request is awaited without a thread."""
        with suppress(OSError):  # gone again, or no more files may be open
            client, address = listener.accept()
            self.nr_conns += 1
            self._begin(TConn(self.cfg, client, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        """Await the next request of a connection that was kept."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._begin(conn)

    def on_pending_socket_readable(self, conn: Any, client: Any) -> None:
        """Look how much is here by now."""
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        self._await(conn)

    def murder_pending(self) -> None:
        """Close what did not arrive in time, and cut off who keeps a thread too long."""
        now = time.monotonic()
        is_over = not self.alive
        for conn in [each for each in self.pending_conns if is_over or each.timeout <= now]:
            self.pending_conns.remove(conn)
            with suppress(OSError, KeyError, ValueError):
                self.poller.unregister(conn.sock)
            self.nr_conns -= 1
            conn.close()
        for sock, until in list(self._served.items()):
            if until <= now:
                with suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        for conn in [each for each, until in self._leaving.items() if until <= now]:
            self._left(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Keep a connection, or close it as RFC 9112 section 9.6 wants: gunicorn would wait here.

        Our half is closed at once; what the other end still sends is thrown away for a moment, so
        that it is not reset before it has read our answer.
        """
        is_kept = not fs.cancelled() and fs.exception() is None and fs.result()
        if is_kept or not self.alive:
            super().finish_request(conn, fs)
            return
        with suppress(OSError):
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, EVENT_READ, partial(self._drain, conn))
            self._leaving[conn] = time.monotonic() + LINGERS_S
            return
        self.nr_conns -= 1
        conn.close()

    def _drain(self, conn: Any, client: Any) -> None:
        try:
            is_over = not client.recv(HEAD_MAX_BYTES)
        except BlockingIOError:
            is_over = False
        except OSError:
            is_over = True
        if is_over:
            self._left(conn)

    def _left(self, conn: Any) -> None:
        self._leaving.pop(conn, None)
        with suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def handle(self, conn: Any) -> Any:
        """Serve a request, within its time and, if it is large, in its turn."""
        is_large = conn.whole > WHOLE_MAX_BYTES
        if is_large and not self._large.acquire(blocking=False):
            with suppress(OSError):
                conn.sock.setblocking(True)
                conn.sock.sendall(BUSY)
            return False
        arrives_s = conn.whole / SLOWEST_BYTES_PER_S if is_large else 0.0
        self._served[conn.sock] = time.monotonic() + LONGEST_S + arrives_s
        try:
            return super().handle(conn)
        finally:
            self._served.pop(conn.sock, None)
            if is_large:
                self._large.release()

    def load_wsgi(self) -> None:
        """Give each answer, once it begins, the time its length takes on a slow line."""
        super().load_wsgi()
        answer = self.wsgi

        def timed(environ: Any, start_response: Any) -> Any:
            def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                length = next((v for name, v in headers if name.lower() == "content-length"), "")
                reads_s = int(length) / SLOWEST_BYTES_PER_S if length.isdigit() else UNKNOWN_S
                until = time.monotonic() + ARRIVES_S + reads_s
                self._served[environ["gunicorn.socket"]] = until
                return start_response(status, headers, *more)

            return answer(environ, start)

        self.wsgi = timed

    def _begin(self, conn: Any) -> None:
        conn.timeout = time.monotonic() + ARRIVES_S
        conn.whole = conn.wanted = 0
        self._await(conn)

    def _await(self, conn: Any) -> None:
        """Give the connection to a thread if its request is here or never will be."""
        conn.sock.setblocking(False)
        try:
            head = conn.sock.recv(HEAD_MAX_BYTES, socket.MSG_PEEK)
            here, is_over = _bytes_here(conn.sock), not head
        except BlockingIOError:
            head, here, is_over = b"", 0, False
        except OSError:
            head, here, is_over = b"", 0, True
        if not conn.whole and (whole := whole_bytes(head)):
            conn.whole = whole
            conn.timeout += whole / SLOWEST_BYTES_PER_S
        is_cut = here < conn.wanted  # woken for less than was asked for: nothing more will come
        is_here = conn.whole and (here >= conn.whole or conn.whole > WHOLE_MAX_BYTES)
        conn.wanted = conn.whole or here + 1
        if is_over or is_cut or is_here:
            _wake_at(conn.sock, 1)
            conn.data_ready = True
            self.enqueue_req(conn)
        else:
            _wake_at(conn.sock, conn.wanted)
            self.pending_conns.append(conn)
            ready = partial(self.on_pending_socket_readable, conn)
            self.poller.register(conn.sock, EVENT_READ, ready)


def _wake_at(sock: socket.socket, size_bytes: int) -> None:
    """Let the kernel call a socket readable once so much is there, or nothing more will be."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size_bytes)


def _bytes_here(sock: socket.socket) -> int:
    """Return how many bytes may be read without waiting."""
    return int(struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, b"\0" * 4))[0])
