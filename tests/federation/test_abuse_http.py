"""Abuse, HTTP: what a partner's machine, its address or a man between may do (47 to 102).

Sockets that misbehave are those of `test_http`; each case must end in time, with a code.
"""

from __future__ import annotations

import gzip
import hashlib
import socket
import ssl
import time
import zlib

import pytest

from federation import limits
from federation.adapters.http import HttpLink
from federation.errors import CODES, RemoteProtocolError
from federation.messages import Introduction, encode_error
from federation.session import Request
from federation.signature import HttpReply
from tests.federation.test_gate import SUMMARY
from tests.federation.test_http import (
    CHUNKS,
    OK,
    certificate,
    dripping,
    read_request,
    refused,
    reply,
    saying,
    served,
)
from tests.federation.towns import NOW_MS, done, towns

QUICK = {"read_timeout_s": 0.4, "total_timeout_s": 0.8}
BOMB = zlib.compress(bytes(10_000_000), 9)
PACKED = {
    "gzip": gzip.compress(bytes(10_000_000)),
    "deflate": BOMB,
    "br": b"\x8b\x02\x80\x03",
    "zstd": b"\x28\xb5\x2f\xfd",
    "gzip, gzip": gzip.compress(gzip.compress(bytes(10_000_000))),
    "x-gzip": gzip.compress(b"x"),
}


@pytest.mark.parametrize("encoding", PACKED)
def test_abuse_047_a_bomb_in_any_packing(encoding):
    header = f"content-encoding: {encoding}".encode()
    for status in (b"200 OK", b"500 Oops"):
        with served(saying(reply(PACKED[encoding], header, status=status))) as server:
            assert refused(server.url, **QUICK) == "content_encoding"


def test_abuse_047_a_bomb_behind_a_redirect():
    answer = reply(BOMB, b"content-encoding: gzip", b"location: /x", status=b"302 Found")
    with served(saying(answer)) as server:
        assert refused(server.url, **QUICK) == "redirect"
        assert server.connections == 1


LYING = {
    "two gigabytes, announced": (OK + b"content-length: 2147483648\r\n\r\nx", "too_large"),
    "more than announced": (OK + b"content-length: 5\r\n\r\n" + bytes(5_000), "answered 200"),
    "less than announced": (OK + b"content-length: 900\r\n\r\nx", "unreachable"),
    "a length of minus one": (OK + b"content-length: -1\r\n\r\n" + bytes(5_000), "too_large"),
    "a length of words": (OK + b"content-length: many\r\n\r\n" + bytes(5_000), "too_large"),
    "two lengths": (
        OK + b"content-length: 5\r\ncontent-length: 9000\r\n\r\n" + bytes(9_000),
        ("too_large", "garbage"),
    ),
    "a chunk of two gigabytes": (CHUNKS + b"80000000\r\n" + bytes(5_000), "too_large"),
}


@pytest.mark.parametrize(("said", "code"), LYING.values(), ids=LYING.keys())
def test_abuse_048_a_body_that_is_not_as_long_as_it_says(said, code):
    with served(saying(said)) as server:
        assert refused(server.url, **QUICK) in ((code,) if isinstance(code, str) else code)


def test_abuse_048_chunks_without_end():
    with served(dripping(CHUNKS, b"400\r\n" + bytes(1_024) + b"\r\n")) as server:
        assert refused(server.url, max_bytes=2_000, **QUICK) == "too_large"


@pytest.mark.parametrize(
    "before", [b"", OK, OK + b"content-length: 900\r\n\r\n", CHUNKS + b"1000\r\n"]
)
def test_abuse_049_a_partner_that_drips_a_byte_now_and_then(before):
    drop = b"x" if before.endswith(b"\r\n\r\n") or b"1000" in before else b"x: y\r\n"
    with served(dripping(before, drop)) as server:
        assert refused(server.url, read_timeout_s=5, total_timeout_s=0.6) in ("timeout", "garbage")


def test_abuse_049_the_whole_exchange_has_an_end_and_no_read_alone():
    """Ten seconds between two bytes are within the patience for one read: the total decides."""

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK + b"content-length: 9\r\n\r\n")
        for _ in range(9):
            time.sleep(0.3)
            connection.sendall(b"x")

    with served(serve) as server:
        assert refused(server.url, read_timeout_s=1, total_timeout_s=1) == "timeout"


def test_abuse_051_a_page_that_never_ends_and_the_same_page_again():
    lorient, quimper = towns("Lorient", "Quimper")
    records = quimper.publish(30)
    page = b"".join(each.raw for each in records)
    visit = lorient.start(quimper)
    events, fetches = [], 0
    while (request := visit.next_request(NOW_MS)) is not None:
        body = quimper.host.answer(request.path, request.body, lorient.id, NOW_MS).body
        if request.path == limits.FETCH:
            fetches += 1
            body = page * 40  # the same forty times, whatever was asked
        events += visit.receive(body, NOW_MS)
    assert fetches == 1
    assert done(events).tally.received == {"stored": 30}


OTHERS = {
    "a page of HTML": (HttpReply(200, b"<!doctype html><title>Bienvenue"), "not_signed"),
    "a captive portal": (HttpReply(511, b"<h1>Identifiez-vous"), "http_status"),
    "no byte": (HttpReply(200), "not_signed"),
    "a code nobody signed": (HttpReply(403, encode_error("frozen")), "frozen"),
    "a code that does not exist": (HttpReply(403, encode_error("zeppelin")), "http_status"),
}


@pytest.mark.parametrize(("answer", "code"), OTHERS.values(), ids=OTHERS.keys())
def test_abuse_052_somebody_else_answers(answer, code):
    lorient, quimper = towns("Lorient", "Quimper")
    link = lorient.link_to(quimper)
    link.answer = lambda _: answer
    with pytest.raises(RemoteProtocolError) as caught:
        lorient.channel(quimper, link).post(Request(limits.SUMMARY, SUMMARY))
    assert caught.value.code == code and CODES[code]
    assert lorient.store.keysets(quimper.id) == [quimper.keyset]


@pytest.mark.parametrize(
    ("said", "wait_s"),
    [
        ("120", 120),
        ("0", 0),
        ("315360000", 315_360_000),  # ten years: the node waits six hours at most
        ("-1", 0),
        ("soon", 0),
        ("Fri, 31 Dec 2038 23:59:59 GMT", 0),
        ("9" * 400, 0),
        ("１２", 0),
        ("", 0),
    ],
)
def test_abuse_053_how_long_an_unsigned_refusal_asks_to_wait(said, wait_s):
    lorient, quimper = towns("Lorient", "Quimper")
    link = lorient.link_to(quimper)
    link.answer = lambda _: HttpReply(503, b"busy", {"Retry-After": said})
    with pytest.raises(RemoteProtocolError) as caught:
        lorient.channel(quimper, link).post(Request(limits.SUMMARY, SUMMARY))
    assert (caught.value.code, caught.value.wait_s) == ("http_status", wait_s)


def test_abuse_058_a_partner_introduces_a_million_towns():
    lorient, quimper = towns("Lorient", "Quimper")
    name = Introduction(bytes(32), "Ys", "http://ys.test", (quimper.keyset.raw,))
    quimper.introduces = tuple(
        name._replace(town=at.to_bytes(32, "big")) for at in range(limits.INTRODUCTIONS_MAX * 2)
    )
    events = lorient.visit(quimper)
    assert done(events).code == ""
    (told,) = [each for each in events if hasattr(each, "introductions")]
    assert len(told.introductions) == limits.INTRODUCTIONS_MAX
    assert lorient.store.accepted() == {lorient.id, quimper.id}


def test_abuse_070_another_photo_than_the_one_announced():
    lorient, quimper = towns("Lorient", "Quimper")
    digest = hashlib.sha256(b"wanted").digest()
    channel = lorient.channel(quimper, lorient.link_to(quimper))
    for photo, code in (
        (b"another", "bad_digest"),
        (b"", "bad_digest"),
        (bytes(limits.PHOTO_MAX_BYTES + 1), "not_found"),
    ):
        quimper.photos[digest] = photo
        with pytest.raises(RemoteProtocolError) as caught:
            channel.photo(digest)
        assert caught.value.code == code
    quimper.photos[digest] = b"wanted"
    assert channel.photo(digest) == b"wanted"


# ── where our requests go ────────────────────────────────────────────────────────────────────────

INSIDE = (
    "127.0.0.1", "localhost", "0x7f.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.1", "0",
    "0.0.0.0", "169.254.169.254", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1",
    "255.255.255.255", "224.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2002:a00:1::]", "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%25lo]", "[fd00:ec2::254]",
    "[fec0::1]", "[ff02::1]", "127.0.0.1.", "LOCALHOST",
)  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
def test_abuse_098_an_address_inside_a_house(host):
    with served(saying(reply(b""))) as server:
        port = server.url.rpartition(":")[2]
        assert refused(f"http://{host}:{port}", lan=False, **QUICK) in (
            "private_address",
            "unreachable",  # this machine's resolver knows no such name
            "bad_address",
        )
        assert server.connections == 0


@pytest.mark.parametrize("port", [1, 22, 25, 53, 110, 445, 631, 1023])
def test_abuse_098_a_port_of_another_service_on_the_internet(port):
    with pytest.raises(RemoteProtocolError) as caught:
        HttpLink(f"http://quimper.test:{port}")
    assert caught.value.code == "bad_address"
    assert HttpLink(f"http://quimper.test:{port}", lan=True)


def test_abuse_099_a_name_that_means_another_machine_once_it_was_checked(monkeypatch):
    asked: list[str] = []
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *more: object, **named: object) -> list[object]:
        if host != "rebinding.test":
            return list(real(host, port, *more, **named))
        asked.append(host)
        place = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with served(saying(reply(b""))) as server:
        port = server.url.rpartition(":")[2]
        monkeypatch.setattr("federation.adapters.http.link.CONNECT_TIMEOUT_S", 0.3)
        assert refused(f"http://rebinding.test:{port}", lan=False, **QUICK) in (
            "timeout",
            "unreachable",
        )
        assert server.connections == 0
    assert asked == ["rebinding.test"]


@pytest.mark.parametrize(
    "place",
    [
        b"http://127.0.0.1:8/", b"//127.0.0.1/", b"/federation/v1/summary", b"file:///etc/passwd",
        b"gopher://x/", b"http://[::1]/", b"",
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Temporary", b"308 For Good"])
def test_abuse_100_a_redirect_to_anywhere(place, status):
    with served(saying(reply(b"", b"location: " + place, status=status))) as server:
        assert refused(server.url, **QUICK) == "redirect"
        assert server.connections == 1


@pytest.mark.parametrize(
    "url",
    ["http://user:secret@quimper.test", "http://user@quimper.test", "http://@quimper.test",
     "http://quimper.test@127.0.0.1", "https://a:b@[::1]:8000"],
)  # fmt: skip
def test_abuse_101_a_password_in_an_address(url):
    with pytest.raises(RemoteProtocolError) as caught:
        HttpLink(url)
    assert caught.value.code == "bad_address"


def test_abuse_101_passwords_and_proxies_of_the_environment_are_not_used(tmp_path, monkeypatch):
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(read_request(connection))
        connection.sendall(reply(b""))

    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login admin password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with served(serve) as server:
        assert refused(server.url, **QUICK) == "answered 200"
    assert b"authorization" not in seen[0].lower() and seen[0].startswith(b"POST /federation/")


def test_abuse_102_a_certificate_that_somebody_made_himself(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate("localhost", tmp_path))

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            read_request(secured)
            secured.sendall(reply(b""))

    with served(serve) as server:
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        assert refused(url, **QUICK) == "bad_certificate"
