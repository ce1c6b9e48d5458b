"""The HTTP signature: the one profile both ends write is the only one they read."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from federation import keys
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey
from federation.signature import (
    HttpReply,
    HttpRequest,
    Signed,
    content_digest,
    sign_request,
    sign_response,
    signature_base,
    verify_request,
    verify_response,
)

LORIENT, QUIMPER = b"L" * 32, b"Q" * 32
KEYS = {LORIENT: SigningKey.from_seed(b"l" * 32), QUIMPER: SigningKey.from_seed(b"q" * 32)}
NONCE, NEXT = b"n" * 16, b"x" * 16
ASKED = HttpRequest("POST", "/federation/v1/summary", b"\xa0")
PUBLIC = {town: key.public for town, key in KEYS.items()}


def signed(request: HttpRequest = ASKED) -> HttpRequest:
    return sign_request(
        request, KEYS[LORIENT], me=LORIENT, to=QUIMPER, nonce=NONCE, created_s=1_618_884_473
    )


def answered(reply: HttpReply, request: HttpRequest) -> HttpReply:
    return sign_response(
        reply, KEYS[QUIMPER], me=QUIMPER, request=request, nonce=NEXT, created_s=1_618_884_474
    )


def verified(request: HttpRequest) -> Signed:
    return verify_request(request, me=QUIMPER, public_of=PUBLIC.get)


def with_header(request: HttpRequest, name: str, value: str | None) -> HttpRequest:
    headers = {key: text for key, text in request.headers.items() if key != name}
    return replace(request, headers=headers if value is None else {**headers, name: value})


# ── the standards' own examples ──────────────────────────────────────────────────────────────────


def test_rfc_9421_b_2_6_is_reproduced():
    seed = base64.urlsafe_b64decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU=")
    base = signature_base(
        [
            ('"date"', "Tue, 20 Apr 2021 02:07:55 GMT"),
            ('"@method"', "POST"),
            ('"@path"', "/foo"),
            ('"@authority"', "example.com"),
            ('"content-type"', "application/json"),
            ('"content-length"', "18"),
        ],
        '("date" "@method" "@path" "@authority" "content-type" "content-length")'
        ';created=1618884473;keyid="test-key-ed25519"',
    )
    signature = base64.b64decode(
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )
    key = SigningKey.from_seed(seed)
    assert key.sign(base) == signature
    assert keys.verify(key.public, signature, base)


def test_rfc_9530_appendix_b_is_reproduced():
    assert content_digest(b'{"hello": "world"}\n') == (
        "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    )
    assert content_digest(b"") == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"


def test_the_signature_base_is_written_out_in_full():
    request = signed(replace(ASKED, query="page=2"))
    parameters = request.headers["signature-input"].removeprefix("lavoir=")
    expected = (
        '"@method": POST\n'
        '"@path": /federation/v1/summary\n'
        '"@query": ?page=2\n'
        f'"content-digest": {content_digest(ASKED.body)}\n'
        '"content-type": application/cbor\n'
        f'"lavoir-to": {QUIMPER.hex()}\n'
        '"@signature-params": ("@method" "@path" "@query" "content-digest" "content-type" '
        '"lavoir-to");created=1618884473;nonce="bm5ubm5ubm5ubm5ubm5ubg"'
        f';keyid="{LORIENT.hex()}";alg="ed25519";tag="lavoir-sync-1"'
    )
    signature = base64.b64decode(request.headers["signature"].removeprefix("lavoir=:")[:-1])
    assert expected.endswith(parameters)
    assert keys.verify(PUBLIC[LORIENT], signature, expected.encode())


# ── requests ─────────────────────────────────────────────────────────────────────────────────────


def test_a_signed_request_names_its_town_nonce_and_second():
    assert verified(signed()) == Signed(LORIENT, NONCE, 1_618_884_473)


def test_header_names_may_come_in_any_case():
    request = signed()
    shouted = {name.upper(): value for name, value in request.headers.items()}
    assert verified(replace(request, headers=shouted)).town == LORIENT


CHANGED = {
    "method": lambda r: replace(r, method="GET"),
    "path": lambda r: replace(r, path="/federation/v1/push"),
    "query": lambda r: replace(r, query="all"),
    "content type": lambda r: with_header(r, "content-type", "text/html"),
    "body and digest": lambda r: with_header(
        replace(r, body=b"\xa1"), "content-digest", content_digest(b"\xa1")
    ),
    "another town's id": lambda r: with_header(
        r,
        "signature-input",
        r.headers["signature-input"].replace(LORIENT.hex(), QUIMPER.hex()),
    ),
    "a later second": lambda r: with_header(
        r, "signature-input", r.headers["signature-input"].replace("1618884473", "1618884474")
    ),
    "another nonce": lambda r: with_header(
        r, "signature-input", r.headers["signature-input"].replace("bm5u", "AAAA")
    ),
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED.keys())
def test_nothing_that_is_covered_can_be_changed(change):
    with pytest.raises(RemoteProtocolError) as caught:
        verified(change(signed()))
    assert caught.value.code == "bad_request_signature"
    assert caught.value.status_hint == 401


def test_a_body_that_is_not_the_digests_is_refused_before_the_key_is_looked_up():
    def never(town: bytes) -> bytes | None:
        raise AssertionError("looked up")

    with pytest.raises(RemoteProtocolError) as caught:
        verify_request(replace(signed(), body=b"\xa1"), me=QUIMPER, public_of=never)
    assert caught.value.code == "bad_digest"


def test_a_request_for_another_town_is_refused():
    with pytest.raises(RemoteProtocolError) as caught:
        verify_request(signed(), me=LORIENT, public_of=PUBLIC.get)
    assert caught.value.code == "bad_request_signature"


def test_a_town_that_is_no_peer_is_unknown():
    with pytest.raises(RemoteProtocolError) as caught:
        verify_request(signed(), me=QUIMPER, public_of={}.get)
    assert caught.value.code == "unknown_peer"


INPUT = signed().headers["signature-input"]
SIGNATURE = signed().headers["signature"]
OTHER_FORMS = {
    "no input": ("signature-input", None),
    "no signature": ("signature", None),
    "another label": ("signature-input", INPUT.replace("lavoir=", "sig1=", 1)),
    "two signatures": ("signature-input", f"{INPUT}, {INPUT}"),
    "fewer components": ("signature-input", INPUT.replace(' "lavoir-to"', "")),
    "more components": ("signature-input", INPUT.replace('"lavoir-to"', '"lavoir-to" "date"')),
    "another order": ("signature-input", INPUT.replace('"@method" "@path"', '"@path" "@method"')),
    "another algorithm": ("signature-input", INPUT.replace("ed25519", "rsa-v1_5-sha256")),
    "no algorithm": ("signature-input", INPUT.replace(';alg="ed25519"', "")),
    "another tag": ("signature-input", INPUT.replace("lavoir-sync-1", "lavoir-sync-2")),
    "an expiry": ("signature-input", f"{INPUT};expires=1618884480"),
    "no nonce": ("signature-input", INPUT.replace(';nonce="bm5ubm5ubm5ubm5ubm5ubg"', "")),
    "a nonce not canonical": ("signature-input", INPUT.replace("ubg", "ubh")),
    "a town in capitals": ("signature-input", INPUT.replace(LORIENT.hex(), LORIENT.hex().upper())),
    "a second before 1970": ("signature-input", INPUT.replace("created=", "created=-")),
    "a padded second": ("signature-input", INPUT.replace("created=", "created=0")),
    "a space": ("signature-input", INPUT.replace(";created", "; created")),
    "a short signature": ("signature", SIGNATURE.replace("==:", ":")),
    "a signature not canonical": ("signature", SIGNATURE.replace("==:", "x==:")),
    "no addressee": ("lavoir-to", None),
    "digest of another kind": ("content-digest", "sha-512=:AAAA:"),
    "two digests": ("content-digest", f"{content_digest(ASKED.body)}, sha-512=:AAAA:"),
}


@pytest.mark.parametrize(("name", "value"), OTHER_FORMS.values(), ids=OTHER_FORMS.keys())
def test_any_other_form_of_signature_is_refused(name, value):
    with pytest.raises(RemoteProtocolError) as caught:
        verified(with_header(signed(), name, value))
    assert caught.value.code in ("bad_request_signature", "bad_digest")


# ── responses ────────────────────────────────────────────────────────────────────────────────────


def check(reply: HttpReply, request: HttpRequest) -> Signed:
    return verify_response(reply, request, peer=QUIMPER, public=PUBLIC[QUIMPER])


def test_a_signed_response_brings_the_nonce_for_the_next_request():
    request = signed()
    assert check(answered(HttpReply(200, b"\xa0"), request), request).nonce == NEXT


def test_a_response_answers_one_request_only():
    request = signed()
    other = signed(replace(ASKED, body=b"\xa1\x00\x00"))
    with pytest.raises(RemoteProtocolError) as caught:
        check(answered(HttpReply(200, b"\xa0"), request), other)
    assert caught.value.code == "bad_signature"


RUINED = {
    "the status": (lambda r: replace(r, status=500), "bad_signature"),
    "the body": (lambda r: replace(r, body=b"\xa1"), "bad_digest"),
    "no signature": (lambda r: replace(r, headers={}), "not_signed"),
    "half a signature": (
        lambda r: replace(r, headers={"signature": r.headers["signature"]}),
        "bad_signature",
    ),
}


@pytest.mark.parametrize(("ruin", "code"), RUINED.values(), ids=RUINED.keys())
def test_a_response_that_was_touched_is_refused(ruin, code):
    request = signed()
    with pytest.raises(RemoteProtocolError) as caught:
        check(ruin(answered(HttpReply(200, b"\xa0"), request)), request)
    assert caught.value.code == code


def test_a_response_of_another_town_is_refused():
    request = signed()
    reply = answered(HttpReply(200, b"\xa0"), request)
    with pytest.raises(RemoteProtocolError) as caught:
        verify_response(reply, request, peer=LORIENT, public=PUBLIC[QUIMPER])
    assert caught.value.code == "bad_signature"


def test_a_request_signature_is_never_taken_for_a_responses():
    request = signed()
    reply = HttpReply(200, request.body, request.headers)
    with pytest.raises(RemoteProtocolError):
        verify_response(reply, request, peer=LORIENT, public=PUBLIC[LORIENT])
