"""A tap on the wire between two nodes: hands every HTTP exchange on and keeps what was said."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.nodes import HOST

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


@dataclass(frozen=True)
class Heard:
    """One exchange: the request and the answer as they crossed the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int
    answer: bytes
    answer_headers: dict[str, str]


@dataclass
class Wiretap:
    """What was heard, in order, and the address at which it is listened to."""

    port: int = 0
    heard: list[Heard] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Return the address to be used in place of the node's."""
        return f"http://{HOST}:{self.port}"


@contextmanager
def tapped(port: int) -> Iterator[Wiretap]:
    """Stand before the node that serves at `port` of loopback, for the block."""
    tap = Wiretap()

    class Ear(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _carry(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            heard = send(port, self.command, self.path, body, dict(self.headers.items()))
            tap.heard.append(heard)
            self.send_response_only(heard.status)
            for name, value in heard.answer_headers.items():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(heard.answer)))
            self.end_headers()
            self.wfile.write(heard.answer)

        do_GET = do_POST = _carry

        def log_message(self, *_: Any) -> None:
            """What is said is kept, not printed."""

    server = ThreadingHTTPServer((HOST, 0), Ear)
    tap.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield tap
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def send(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> Heard:
    """Send a request to a port of loopback as it is, on a connection of its own."""
    kept = {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    try:
        connection.request(method, path, body, kept)
        answer = connection.getresponse()
        said = dict(answer.getheaders())
        return Heard(method, path, headers, body, answer.status, answer.read(), said)
    finally:
        connection.close()
