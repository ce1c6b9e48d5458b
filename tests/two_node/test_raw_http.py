"""What a real server does with bytes that are hardly HTTP: never an error of its own."""

import random
import re
import socket
from contextlib import suppress

import pytest

from federation import limits
from node.cli.serve import wait_no_longer
from tests.nodes import HOST, Node, Nodes

PATIENCE_S = 15.0
PATH = limits.SUMMARY.encode()
NODE = b"host: 127.0.0.1\r\n"
REQUESTS = {
    "no http": b"GARBAGE\r\n\r\n",
    "no version": b"POST " + PATH + b"\r\n\r\n",
    "an odd version": b"POST " + PATH + b" HTTP/9.9\r\n" + NODE + b"\r\n",
    "no host": b"POST " + PATH + b" HTTP/1.1\r\n\r\n",
    "an unknown method": b"FROB " + PATH + b" HTTP/1.1\r\n" + NODE + b"\r\n",
    "a method in small letters": b"post " + PATH + b" HTTP/1.1\r\n" + NODE + b"\r\n",
    "connect": b"CONNECT lorient.test:443 HTTP/1.1\r\n" + NODE + b"\r\n",
    "trace": b"TRACE " + PATH + b" HTTP/1.1\r\n" + NODE + b"\r\n",
    "a whole address": b"POST http://other.test" + PATH + b" HTTP/1.1\r\n" + NODE + b"\r\n",
    "a path of bytes": b"POST /federation/v1/\xff\xfe\x00 HTTP/1.1\r\n" + NODE + b"\r\n",
    "a star": b"OPTIONS * HTTP/1.1\r\n" + NODE + b"\r\n",
    "a negative length": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE + b"content-length: -1\r\n\r\n",
    "two lengths": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
    + b"content-length: 1\r\ncontent-length: 2\r\n\r\nxx",
    "a length and chunks": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
    + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks of garbage": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
    + b"transfer-encoding: chunked\r\n\r\nzz\r\nxx\r\n",
    "chunks": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
    + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "packed chunks": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
    + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "less than said": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE + b"content-length: 9\r\n\r\nabc",
    "a header without end": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE + b"x: " + b"a" * 20_000,
    "many headers": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE + b"x: y\r\n" * 500 + b"\r\n",
    "a long address": b"POST " + PATH + b"a" * 20_000 + b" HTTP/1.1\r\n" + NODE + b"\r\n",
    "a folded header": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE + b"x: a\r\n b\r\n\r\n",
    "a header of bytes": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE + b"signature: \xff\xfe\r\n\r\n",
    "a type of bytes": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
    + b"content-type: \xff/\x01\r\n\r\n",
    "a form": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
    + b"content-type: multipart/form-data\r\ncontent-length: 3\r\n\r\nabc",
    "packed": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
    + b"content-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
    "an upgrade": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
    + b"connection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "an expectation": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
    + b"expect: the-impossible\r\ncontent-length: 0\r\n\r\n",
    "a huge announcement": b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
    + b"content-length: 99999999999999\r\n\r\nabc",
}  # fmt: skip


@pytest.fixture(scope="module")
def node(serving: Nodes) -> Node:
    """The node that is spoken to."""
    return serving.towns["Vannes"]


def statuses(node: Node, request: bytes) -> list[int]:
    """Send bytes and hang up; return the status of every answer."""
    with socket.create_connection((HOST, node.port), timeout=90) as wire:
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        said = b""
        try:
            while chunk := wire.recv(65_536):
                said += chunk
        except ConnectionResetError:  # it refused to read on
            pass
    return [int(each) for each in re.findall(rb"HTTP/1\.[01] (\d{3})", said)]


@pytest.mark.parametrize("name", REQUESTS)
def test_no_request_is_an_error_of_the_server(node: Node, name: str) -> None:
    told = statuses(node, REQUESTS[name])
    assert all(status < 500 for status in told), told


def test_no_changed_byte_of_a_request_is_an_error_of_the_server(
    node: Node, rng: random.Random
) -> None:
    right = b"POST " + PATH + b" HTTP/1.1\r\n" + NODE + b"content-length: 3\r\n\r\nabc"
    for _ in range(150):
        at = rng.randrange(len(right))
        changed = right[:at] + rng.randbytes(1) + right[at + 1 :]
        told = statuses(node, changed)
        assert all(status < 500 for status in told), (changed, told)


def test_a_body_without_a_length_is_refused_unread(node: Node) -> None:
    head = b"POST " + PATH + b" HTTP/1.1\r\n" + NODE + b"transfer-encoding: chunked\r\n\r\n"
    with socket.create_connection((HOST, node.port), timeout=30) as wire:
        wire.sendall(head)
        assert re.match(rb"HTTP/1\.1 411", wire.recv(65_536))


def test_a_connection_that_falls_silent_in_the_middle_is_let_go() -> None:
    with socket.create_server((HOST, 0)) as listener:
        wait_no_longer(listener, 1)
        with socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            client.sendall(b"half a requ")
            with accepted, pytest.raises(BlockingIOError):
                assert accepted.recv(100) == b"half a requ"
                accepted.recv(100)


POST = b"POST " + PATH + b" HTTP/1.1\r\n" + NODE
SLOW = (  # what each sends, and then hardly another byte
    b"",
    b"POST " + PATH + b" HTTP/1.1\r\nho",
    POST + b"content-length: 9\r\n\r\nx",
    b"POST /publier/objets HTTP/1.1\r\n" + NODE + b"content-length: 5000000\r\n\r\nx",
    b"GET /api/v1/towns HTTP/1.0\r\n" + NODE + b"\r\n",  # answered, and never hung up
)


def test_abuse_050_two_hundred_slow_sockets_keep_no_page_waiting(node: Node) -> None:
    held = [socket.create_connection((HOST, node.port), timeout=60) for _ in range(200)]
    try:
        for at, each in enumerate(held):
            each.sendall(SLOW[at % len(SLOW)])
        for _ in range(3):
            for each in held:
                with suppress(OSError):  # cut off already: as it should be
                    each.sendall(b"x")
            assert quickly(node, b"GET /api/v1/towns HTTP/1.0\r\n" + NODE + b"\r\n") == b"200"
            assert quickly(node, POST + b"content-length: 3\r\n\r\nabc") == b"401"
    finally:
        for each in held:
            each.close()


def quickly(node: Node, request: bytes) -> bytes:
    """The status of an answer that comes long before slow ones are given up; else this fails."""
    with socket.create_connection((HOST, node.port), timeout=PATIENCE_S) as wire:
        wire.sendall(request)
        return wire.recv(65_536)[9:12]


def test_nothing_of_all_this_was_an_accident(node: Node) -> None:
    assert node.server is not None and node.server.poll() is None
    assert statuses(node, b"GET /api/v1/towns HTTP/1.0\r\n" + NODE + b"\r\n") == [200]
    assert "errors.py" not in node.log()
