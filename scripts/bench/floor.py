"""The floor of a sync: the same records as plain bytes of one HTTP answer, put into one table.

Nothing is signed, verified, compared or shown; the table is as durable (WAL, FULL) and as indexed
as a store of records must be. It is served by a process of its own, as a node is.
"""

import http.client
import multiprocessing
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import apsw

HOST = "127.0.0.1"
HEAD = struct.Struct(">I32s32s16sQ")  # length of what follows the head; id, origin, key, stamp
SCHEMA = """
    PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
    CREATE TABLE IF NOT EXISTS record (
        seq INTEGER PRIMARY KEY, id BLOB UNIQUE, origin BLOB, "key" BLOB, stamp INTEGER, raw BLOB);
    CREATE UNIQUE INDEX IF NOT EXISTS register ON record (origin, "key");
    CREATE INDEX IF NOT EXISTS place ON record (origin, stamp, id);
"""
INSERT = 'INSERT OR REPLACE INTO record (id, origin, "key", stamp, raw) VALUES (?, ?, ?, ?, ?)'


@dataclass(frozen=True)
class Plain:
    """One record with the columns it is found by."""

    id: bytes
    origin: bytes
    key: bytes
    stamp: int
    raw: bytes


@dataclass(frozen=True)
class Took:
    """One transfer: wall time in seconds, bytes of the answer's body, records stored."""

    seconds: float
    size_bytes: int
    records: int


def packed(records: list[Plain]) -> bytes:
    """Return records as plain bytes, one after the other."""
    return b"".join(
        HEAD.pack(len(each.raw), each.id, each.origin, each.key, each.stamp) + each.raw
        for each in records
    )


def unpacked(body: bytes) -> Iterator[tuple[bytes, bytes, bytes, int, bytes]]:
    """Yield the row of each record in `body`."""
    at = 0
    while at < len(body):
        length, *columns = HEAD.unpack_from(body, at)
        at += HEAD.size
        yield (*columns, body[at : at + length])
        at += length


@contextmanager
def serving(bodies: list[bytes]) -> Iterator[int]:
    """Serve each of `bodies` at /<its number>, from a process of its own; gives its port."""
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=_serve, args=(there, bodies), daemon=True)
    server.start()
    try:
        yield int(here.recv())
    finally:
        server.terminate()
        server.join()


def fetch(port: int, number: int, database: Path) -> Took:
    """Fetch body `number` and store its records in `database`, durably."""
    connection = apsw.Connection(str(database))
    list(connection.execute(SCHEMA))
    began = time.perf_counter()
    link = http.client.HTTPConnection(HOST, port)
    link.request("GET", f"/{number}")
    body = link.getresponse().read()
    rows = list(unpacked(body))
    if rows:
        with connection:
            connection.executemany(INSERT, rows)
    seconds = time.perf_counter() - began
    link.close()
    connection.close()
    return Took(seconds, len(body), len(rows))


def _serve(pipe: Connection, bodies: list[bytes]) -> None:
    class Shelf(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = bodies[int(self.path[1:])]
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing is written while time is taken."""

    server = HTTPServer((HOST, 0), Shelf)
    pipe.send(server.server_address[1])
    server.serve_forever()
