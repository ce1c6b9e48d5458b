"""Servers on loopback that do what a partner's machine should not: real sockets, real bytes."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

HOST = "127.0.0.1"
MADDENING_S = 0.05

Behaviour = Callable[[socket.socket, threading.Event], None]


def silent(client: socket.socket, over: threading.Event) -> None:
    """Take the question and never answer."""
    over.wait()


def dripping(client: socket.socket, over: threading.Event) -> None:
    """Answer one byte now and then, for ever."""
    client.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/cbor\r\n\r\n")
    while not over.wait(MADDENING_S):
        client.sendall(b"\x00")


def dripping_headers(client: socket.socket, over: threading.Event) -> None:
    """Answer with headers that never end, one now and then."""
    client.sendall(b"HTTP/1.1 200 OK\r\n")
    while not over.wait(MADDENING_S):
        client.sendall(b"x-more: x\r\n")


def garbage(client: socket.socket, over: threading.Event) -> None:
    """Answer with what is not even HTTP."""
    client.sendall(bytes(range(256)) * 4)


def hanging_up(client: socket.socket, over: threading.Event) -> None:
    """Take the question and hang up."""


def half(client: socket.socket, over: threading.Event) -> None:
    """Hang up in the middle of an answer."""
    client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf of")


def endless(client: socket.socket, over: threading.Event) -> None:
    """Answer with a body that has no end."""
    client.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/cbor\r\n\r\n")
    while not over.is_set():
        client.sendall(bytes(65_536))


def announcing(client: socket.socket, over: threading.Event) -> None:
    """Announce a terabyte."""
    client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n")
    over.wait()


def saying(status: str, body: bytes = b"", *headers: str) -> Behaviour:
    """Return a server that always gives the same HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]

    def behave(client: socket.socket, over: threading.Event) -> None:
        client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return behave


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[str]:
    """Serve a behaviour for the block; gives its address."""
    over = threading.Event()
    with socket.create_server((HOST, 0)) as listener:
        threads = [threading.Thread(target=_listen, args=(listener, behaviour, over), daemon=True)]
        threads[0].start()
        try:
            yield f"http://{HOST}:{listener.getsockname()[1]}"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
    threads[0].join(timeout=10)


def _listen(listener: socket.socket, behaviour: Behaviour, over: threading.Event) -> None:
    while not over.is_set():
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(client, behaviour, over), daemon=True).start()


def _answer(client: socket.socket, behaviour: Behaviour, over: threading.Event) -> None:
    with client, suppress(OSError):
        client.settimeout(10)
        client.recv(65_536)
        behaviour(client, over)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65_536):  # else closing would reset what was just sent
            pass
