"""The worker: how it knows that a request is wholly here."""

import pytest

from node.cli.worker import BUSY, HEAD_MAX_BYTES, whole_bytes

GET = b"GET / HTTP/1.1\r\nhost: lorient.test\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nContent-Length: 900\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "size_bytes"),
    [
        (GET, len(GET)),
        (GET + b"GET /next", len(GET)),
        (POST, len(POST) + 900),
        (POST + b"abc", len(POST) + 900),
        (POST.replace(b": 900", b":\t900 "), len(POST) + 901),
        (POST.replace(b"900", b"-1"), len(POST) - 1),
        (POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"), len(POST) + 22),
        (b"", 0),
        (GET[:-1], 0),
        (b"x" * (HEAD_MAX_BYTES - 1), 0),
        (b"x" * HEAD_MAX_BYTES, HEAD_MAX_BYTES),
    ],
)
def test_a_request_is_as_long_as_its_headers_say(head: bytes, size_bytes: int) -> None:
    assert whole_bytes(head) == size_bytes


def test_the_answer_of_a_busy_node_is_as_long_as_it_says() -> None:
    head, _, body = BUSY.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
