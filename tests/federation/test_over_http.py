"""Two towns over real HTTP: the signatures survive servers, header cases and kept connections."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from federation.adapters.http import HttpLink
from federation.session import drive
from federation.signature import HttpRequest
from tests.federation.towns import NOW_MS, Town, done, same_public_sets, towns


@contextmanager
def serving(town: Town) -> Iterator[str]:
    """The HTTP side of a town on loopback; gives its address."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # as every server for the web does

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            path, _, query = self.path.partition("?")
            request = HttpRequest(self.command, path, body, query, dict(self.headers))
            reply = town.reply(request)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name.title(), value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def test_a_whole_visit_over_http():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.publish(1_200)
    lorient.publish(30)
    photo = b"not really a photo" * 99
    digest = hashlib.sha256(photo).digest()
    quimper.photos[digest] = photo
    with serving(quimper) as url, HttpLink(url, lan=True) as link:
        channel = lorient.channel(quimper, link)
        events = list(drive(lorient.start(quimper), channel.post, lambda: NOW_MS))
        assert done(events).code == ""
        assert same_public_sets(lorient, quimper)
        assert channel.photo(digest) == photo
        again = list(drive(lorient.start(quimper), channel.post, lambda: NOW_MS))
        assert done(again).tally.exchanges == 1
        assert channel.hellos == 1
