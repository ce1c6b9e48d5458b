"""The HTTP link: whatever stands at the other end, it is back in time with an answer or a code."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from federation.adapters.http import HttpLink
from federation.errors import RemoteProtocolError
from federation.signature import HttpRequest

ASKED = HttpRequest("POST", "/federation/v1/summary", b"\xa0", headers={"x-one": "1"})
PATIENCE_S = 20.0  # far above every time limit used here: a test that hangs fails
Serve = Callable[[socket.socket], None]


class Server:
    """A real server on loopback that does to each connection whatever it was told to."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._serve(connection)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # or its accept would keep it listening
        self._listener.close()


@contextmanager
def served(serve: Serve) -> Iterator[Server]:
    server = Server(serve)
    try:
        yield server
    finally:
        server.close()


def read_request(connection: socket.socket) -> bytes:
    """One whole request: its head and as much body as it announces."""
    read = b""
    while b"\r\n\r\n" not in read:
        more = connection.recv(65_536)
        if not more:
            raise OSError("the link went away")
        read += more
    head, _, body = read.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields.get(b"content-length", b"0")):
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def saying(answer: bytes) -> Serve:
    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    return serve


def reply(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def dripping(before: bytes, drop: bytes) -> Serve:
    """Sends `before`, then `drop` every 20 ms for ever: no single read ever times out."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(before)
        while True:
            connection.sendall(drop)
            time.sleep(0.02)

    return serve


def refused(url: str, *, lan: bool = True, max_bytes: int = 1_000, **limits: float) -> str:
    """The code with which the link gives up, well before our patience ends."""
    codes: list[str] = []

    def ask() -> None:
        with HttpLink(url, lan=lan, **limits) as link, suppress(RemoteProtocolError):
            try:
                codes.append(f"answered {link.send(ASKED, max_bytes).status}")
            except RemoteProtocolError as error:
                codes.append(error.code)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return codes[0] if codes else "still waiting"


# ── what works ───────────────────────────────────────────────────────────────────────────────────


def test_an_answer_comes_back_with_its_status_headers_and_body():
    with served(saying(reply(b"\xa0\x01", b"Lavoir-X: yes", status=b"409 Conflict"))) as server:
        got = HttpLink(server.url, lan=True).send(ASKED, 2)
    assert (got.status, got.body, got.headers["lavoir-x"]) == (409, b"\xa0\x01", "yes")


def test_what_is_sent_is_the_request_and_little_else():
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(reply(b"", b"set-cookie: a=b; path=/"))
        seen.append(read_request(connection))
        connection.sendall(reply(b""))

    with served(serve) as server, HttpLink(server.url, lan=True) as link:
        link.send(ASKED, 10)
        link.send(ASKED, 10)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /federation/v1/summary http/1.1"
    names = {line.partition(":")[0] for line in lines[1:]}
    assert names <= {"host", "accept-encoding", "user-agent", "x-one", "content-length"}
    assert "accept-encoding: identity" in lines
    assert body == b"\xa0"
    assert b"cookie" not in seen[1].lower()


def test_one_connection_serves_many_exchanges():
    def serve(connection: socket.socket) -> None:
        while True:
            read_request(connection)
            connection.sendall(reply(b"x" * 100_000))

    with served(serve) as server, HttpLink(server.url, lan=True) as link:
        for _ in range(5):
            assert len(link.send(ASKED, 100_000).body) == 100_000
        assert server.connections == 1


def test_after_a_fault_the_next_exchange_works():
    answers = iter((b"nonsense\r\n\r\n", reply(b"\xa0")))

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(next(answers))

    with served(serve) as server, HttpLink(server.url, lan=True) as link:
        with pytest.raises(RemoteProtocolError):
            link.send(ASKED, 10)
        assert link.send(ASKED, 10).body == b"\xa0"


def test_a_body_in_chunks_is_read():
    chunked = (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    with served(saying(chunked)) as server:
        assert HttpLink(server.url, lan=True).send(ASKED, 5).body == b"abcde"


def test_the_unsigned_post_of_a_pairing_insists_on_200():
    with served(saying(reply(b"\xa0"))) as server:
        assert HttpLink(server.url, lan=True).post("/x", b"") == b"\xa0"
    oops = saying(reply(b"", status=b"500 Oops"))
    with served(oops) as server, pytest.raises(RemoteProtocolError) as caught:
        HttpLink(server.url, lan=True).post("/x", b"")
    assert caught.value.code == "http_status"


# ── what does not ────────────────────────────────────────────────────────────────────────────────


def silent(connection: socket.socket) -> None:
    read_request(connection)
    time.sleep(PATIENCE_S)


def deaf(connection: socket.socket) -> None:
    connection.recv(1)


ZIPPED = gzip.compress(bytes(10_000))
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = OK + b"transfer-encoding: chunked\r\n\r\n"
ENDS = {
    "redirect": (
        saying(reply(b"", b"location: http://127.0.0.1/", status=b"302 Found")),
        "redirect",
    ),
    "gzip": (saying(reply(ZIPPED, b"content-encoding: gzip")), "content_encoding"),
    "identity by name": (saying(reply(b"", b"content-encoding: identity")), "content_encoding"),
    "too much, announced": (saying(reply(bytes(1_001))), "too_large"),
    "too much, in chunks": (saying(CHUNKS + b"800\r\n" + bytes(2_048) + b"\r\n"), "too_large"),
    "too much, until the end": (saying(OK + b"\r\n" + bytes(5_000)), "too_large"),
    "not HTTP": (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "garbage"),
    "bytes": (saying(bytes(range(256)) * 40), "garbage"),
    "a line without end": (saying(OK + b"x: " + b"y" * 70_000 + b"\r\n\r\n"), "garbage"),
    "too many headers": (saying(OK + b"a: b\r\n" * 200 + b"\r\n"), "garbage"),
    "headers too large": (
        saying(reply(b"", *[b"a%d: " % n + b"b" * 999 for n in range(20)])),
        "garbage",
    ),
    "bad chunks": (saying(CHUNKS + b"zz\r\nab\r\n"), "unreachable"),
    "closed at once": (deaf, "unreachable"),
    "nothing said": (lambda connection: read_request(connection) and None, "unreachable"),
    "half a body": (saying(OK + b"content-length: 100\r\n\r\n" + bytes(50)), "unreachable"),
    "silence": (silent, "timeout"),
    "slow headers": (dripping(OK, b"x: y\r\n"), "timeout"),
    "slow status": (dripping(b"HTTP/1.1 200 ", b"O"), "timeout"),
    "slow body": (dripping(OK + b"content-length: 1000\r\n\r\n", b"x"), "timeout"),
    "slow chunks": (dripping(CHUNKS, b"1\r\nx\r\n"), "timeout"),
    "endless continue": (dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "timeout"),
}


@pytest.mark.parametrize(("serve", "code"), ENDS.values(), ids=ENDS.keys())
def test_a_partner_that_misbehaves_is_left_in_time_with_a_code(serve, code):
    with served(serve) as server:
        assert refused(server.url, read_timeout_s=0.4, total_timeout_s=0.8) == code


def test_an_error_of_the_partner_is_an_answer_for_the_channel_to_judge():
    with served(saying(reply(b"<h1>Oops</h1>", status=b"500 Oops"))) as server:
        assert refused(server.url) == "answered 500"


def test_nobody_listening_is_unreachable():
    with served(deaf) as server:
        url = server.url
    assert refused(url) == "unreachable"


def test_a_name_that_does_not_exist_is_unreachable():
    assert refused("http://nobody.invalid") == "unreachable"


def test_a_server_that_speaks_no_tls_is_not_trusted_with_https():
    with served(saying(b"\x15\x03\x01\x00\x02\x02\x46")) as server:
        code = refused(server.url.replace("http", "https"), read_timeout_s=0.4, total_timeout_s=0.8)
    assert code in ("garbage", "unreachable", "timeout")


def test_a_tls_handshake_that_never_ends_is_cut():
    with served(dripping_tls) as server:
        url = server.url.replace("http", "https")
        assert refused(url, read_timeout_s=0.5, total_timeout_s=0.8) == "timeout"


def dripping_tls(connection: socket.socket) -> None:
    """Answers a handshake with the head of a long record, then a byte at a time."""
    connection.recv(65_536)
    connection.sendall(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")
    while True:
        connection.sendall(b"\x00")
        time.sleep(0.02)


# ── TLS: the name is checked, though the address is the one we looked up ─────────────────────────


def certificate(name: str, folder: Path) -> Path:
    """A self-signed certificate for `name` and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key.private_bytes(*form) + made.public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize(("named", "outcome"), [("quimper.test", "200"), ("other.test", "refused")])
def test_tls_checks_the_name_that_was_asked_for(named, outcome, tmp_path, monkeypatch):
    pem = certificate(named, tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            read_request(secured)
            secured.sendall(reply(b"\xa0"))

    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(pem))
    monkeypatch.setattr(
        "federation.adapters.http.link.resolve", lambda *_, **__: ["127.0.0.9", "127.0.0.1"]
    )
    with served(serve) as server:
        port = server.url.rpartition(":")[2]
        link = HttpLink(f"https://quimper.test:{port}", lan=True)
        if outcome == "200":
            assert link.send(ASKED, 10).body == b"\xa0"
        else:
            with pytest.raises(RemoteProtocolError) as caught:
                link.send(ASKED, 10)
            assert caught.value.code == "bad_certificate"
            assert "certificate" in caught.value.detail
    assert set(names) == {"quimper.test"}


# ── where it goes ────────────────────────────────────────────────────────────────────────────────


def test_a_private_address_is_refused_unless_the_partner_is_on_our_network():
    with served(saying(reply(b""))) as server:
        assert refused(server.url, lan=False) == "private_address"
        assert refused(server.url.replace("127.0.0.1", "localhost"), lan=False) == "private_address"
        assert server.connections == 0
        assert refused(server.url) == "answered 200"


def test_a_name_is_looked_up_once_and_what_it_means_later_does_not_matter(monkeypatch):
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *more: object, **named: object) -> list[object]:
        if host != "quimper.test":
            return list(real(host, port, *more, **named))  # an address stands for itself
        looked_up.append(host)
        place = "127.0.0.1" if len(looked_up) == 1 else "127.9.9.9"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port))]

    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:  # closes after each answer: the link reconnects
        seen.append(read_request(connection))
        connection.sendall(reply(b"", b"connection: close"))

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with served(serve) as server:
        port = server.url.rpartition(":")[2]
        with HttpLink(f"http://quimper.test:{port}", lan=True) as link:
            link.send(ASKED, 10)
            link.send(ASKED, 10)
    assert looked_up == ["quimper.test"]
    assert len(seen) == 2
    assert f"host: quimper.test:{port}".encode() in seen[1].lower()


def test_where_one_address_does_not_answer_the_next_is_tried(monkeypatch):
    with served(saying(reply(b"\xa0"))) as server, HttpLink(server.url, lan=True) as link:
        monkeypatch.setattr(
            "federation.adapters.http.link.resolve", lambda *_, **__: ["127.0.0.9", "127.0.0.1"]
        )
        assert link.send(ASKED, 10).body == b"\xa0"
