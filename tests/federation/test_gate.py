"""The gate and the channel: only partners ask, each request counts once, every answer is signed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from federation import codec, limits
from federation.adapters.memory import MemoryLink
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey
from federation.keyset import TYPE, parse_keyset
from federation.messages import HelloAnswer, SummaryQuestion, decode_error
from federation.session import Request
from federation.signature import (
    HttpReply,
    HttpRequest,
    sign_request,
    sign_response,
    verify_response,
)
from tests.federation.towns import NOW_MS, TODAY, Town, towns

SUMMARY = SummaryQuestion(TODAY, 0, NOW_MS, ()).encode()


def asked(
    town: Town,
    of: Town,
    *,
    path: str = limits.SUMMARY,
    body: bytes = SUMMARY,
    nonce: bytes | None = None,
    method: str = "POST",
    created_s: int = NOW_MS // 1000,
) -> HttpRequest:
    """A request of one town to another, by default with a nonce the other has just given."""
    nonce = of.nonces.issue(town.id, NOW_MS) if nonce is None else nonce
    return sign_request(
        HttpRequest(method, path, body),
        town.key,
        me=town.id,
        to=of.id,
        nonce=nonce,
        created_s=created_s,
    )


def refused(passage) -> tuple[int, str]:
    return passage.reply.status, decode_error(passage.reply.body)[0]


# ── the gate ─────────────────────────────────────────────────────────────────────────────────────


def test_a_partner_is_answered_under_our_signature_with_the_next_nonce():
    lorient, quimper = towns("Lorient", "Quimper")
    request = asked(lorient, quimper)
    passage = quimper.passage(request)
    assert passage.reply.status == 200 and passage.peer == lorient.id
    assert passage.created_s == NOW_MS // 1000
    said = verify_response(passage.reply, request, peer=quimper.id, public=quimper.key.public)
    again = quimper.passage(asked(lorient, quimper, nonce=said.nonce))
    assert again.reply.status == 200


def test_a_request_counts_once():
    lorient, quimper = towns("Lorient", "Quimper")
    request = asked(lorient, quimper)
    assert quimper.passage(request).reply.status == 200
    assert refused(quimper.passage(request)) == (409, "stale_nonce")


def test_a_nonce_belongs_to_the_town_it_was_given_to():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    nonce = quimper.nonces.issue(vannes.id, NOW_MS)
    request = asked(lorient, quimper, nonce=nonce)
    assert refused(quimper.passage(request)) == (409, "stale_nonce")
    assert quimper.passage(asked(vannes, quimper, nonce=nonce)).reply.status == 200


@pytest.mark.parametrize("created_s", [0, 4_000_000_000])
def test_a_clock_that_is_years_off_is_reported_and_not_held_against_anyone(created_s):
    lorient, quimper = towns("Lorient", "Quimper")
    passage = quimper.passage(asked(lorient, quimper, created_s=created_s))
    assert (passage.reply.status, passage.created_s) == (200, created_s)


def test_a_nonce_grows_old():
    lorient, quimper = towns("Lorient", "Quimper")
    request = asked(lorient, quimper)
    quimper.now_ms += limits.NONCE_LIFE_MS
    assert refused(quimper.passage(request)) == (409, "stale_nonce")


def test_only_the_newest_nonces_of_a_peer_count():
    lorient, quimper = towns("Lorient", "Quimper")
    given = [quimper.nonces.issue(lorient.id, NOW_MS) for _ in range(limits.NONCES_PER_PEER + 1)]
    assert not quimper.nonces.consume(lorient.id, given[0], NOW_MS)
    assert all(quimper.nonces.consume(lorient.id, nonce, NOW_MS) for nonce in given[1:])


def stranger_asks(quimper: Town) -> HttpRequest:
    stranger = Town("Vannes")
    return asked(stranger, quimper)


STRANGERS: dict[str, Callable[[Town, Town], HttpRequest]] = {
    "unknown_peer": lambda _, quimper: stranger_asks(quimper),
    "bad_request_signature": lambda lorient, quimper: replace(
        asked(lorient, quimper), path=limits.PUSH
    ),
    "bad_digest": lambda lorient, quimper: replace(asked(lorient, quimper), body=b"\xa0"),
}


@pytest.mark.parametrize("code", STRANGERS)
def test_who_cannot_prove_to_be_a_partner_is_refused_unsigned(code):
    lorient, quimper = towns("Lorient", "Quimper")
    passage = quimper.passage(STRANGERS[code](lorient, quimper))
    assert passage.code == code and passage.peer is None
    assert "signature" not in passage.reply.headers
    assert passage.reply.status in (400, 401)


def test_a_request_for_another_town_is_refused():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    assert vannes.passage(asked(lorient, quimper)).code == "bad_request_signature"


@pytest.mark.parametrize(
    ("path", "size"),
    [(limits.HELLO, limits.HELLO_MAX_BYTES), (limits.PUSH, limits.FRAME_MAX_BYTES)],
)
def test_a_body_over_its_limit_is_refused_before_it_is_hashed(path, size):
    (quimper,) = towns("Quimper")
    passage = quimper.passage(HttpRequest("POST", path, bytes(size + 1)))
    assert refused(passage) == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", limits.SUMMARY),
        ("POST", limits.BLOB + "00" * 32),
        ("PUT", limits.PUSH),
        ("POST", "/"),
        ("GET", limits.BLOB + "00"),
        ("GET", limits.BLOB + "AA" * 32),
    ],
)
def test_what_is_not_there_is_not_found(method, path):
    lorient, quimper = towns("Lorient", "Quimper")
    passage = quimper.passage(asked(lorient, quimper, path=path, method=method, body=b""))
    assert refused(passage) == (404, "not_found")
    assert passage.peer == lorient.id


def test_a_malformed_question_is_answered_signed_and_the_nonce_goes_on():
    lorient, quimper = towns("Lorient", "Quimper")
    request = asked(lorient, quimper, body=b"\xff")
    passage = quimper.passage(request)
    assert refused(passage) == (400, "bad_cbor")
    verify_response(passage.reply, request, peer=quimper.id, public=quimper.key.public)


def test_a_bug_of_ours_is_not_answered_as_a_fault_of_theirs():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.store.rows = lambda *_: 1 / 0
    with pytest.raises(ZeroDivisionError):
        quimper.passage(asked(lorient, quimper))


# ── the channel ──────────────────────────────────────────────────────────────────────────────────


def code_of(town: Town, of: Town, link: MemoryLink) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        town.channel(of, link).post(Request(limits.SUMMARY, SUMMARY))
    return caught.value.code


def test_a_stale_nonce_is_mended_by_one_hello():
    lorient, quimper = towns("Lorient", "Quimper")
    lorient.purse.put(quimper.id, b"old" * 5 + b"!")
    link = lorient.link_to(quimper)
    channel = lorient.channel(quimper, link)
    channel.post(Request(limits.SUMMARY, SUMMARY))
    assert (channel.hellos, link.exchanges) == (1, 3)
    channel.post(Request(limits.SUMMARY, SUMMARY))
    assert (channel.hellos, link.exchanges) == (1, 4)


def test_the_nonce_of_a_signed_refusal_is_the_next_one():
    lorient, quimper = towns("Lorient", "Quimper")
    link = lorient.link_to(quimper)
    channel = lorient.channel(quimper, link)
    for _ in range(3):
        with pytest.raises(RemoteProtocolError):
            channel.photo(bytes(32))
    channel.post(Request(limits.SUMMARY, SUMMARY))
    assert (channel.hellos, link.exchanges) == (1, 5)


def test_a_host_that_forgets_every_nonce_is_given_up_after_one_hello():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.nonces.consume = lambda *_: False
    link = lorient.link_to(quimper)
    assert code_of(lorient, quimper, link) == "stale_nonce"
    assert link.exchanges == 2


def test_the_hello_says_what_the_host_is():
    lorient, quimper = towns("Lorient", "Quimper")
    quimper.gen = 7
    answer = lorient.channel(quimper, lorient.link_to(quimper)).hello()
    assert (answer.version, answer.gen, answer.now_ms, answer.as_of) == (1, 7, NOW_MS, TODAY)
    assert answer.keysets == (quimper.keyset.raw,)
    assert lorient.purse.take(quimper.id)


ANSWERS = {
    "nobody": (HttpReply(200, b"<html>"), "not_signed"),
    "a broken server": (HttpReply(500, b"<html>"), "http_status"),
    "a proxy": (HttpReply(502), "http_status"),
    "a town that dropped us": (
        HttpReply(401, b"\xa2\x00\x6cunknown_peer\x01\x60"),
        "unknown_peer",
    ),
}


@pytest.mark.parametrize(("reply", "code"), ANSWERS.values(), ids=ANSWERS.keys())
@pytest.mark.parametrize("is_cold", [True, False])
def test_an_answer_nobody_signed_is_a_code(reply, code, is_cold):
    lorient, quimper = towns("Lorient", "Quimper")
    if not is_cold:
        lorient.purse.put(quimper.id, bytes(16))
    assert code_of(lorient, quimper, MemoryLink(lambda _: reply)) == code


def test_an_answer_of_another_town_is_refused():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")

    def relay(request: HttpRequest) -> HttpReply:
        nonce = vannes.nonces.issue(lorient.id, NOW_MS)
        return vannes.reply(
            asked(lorient, vannes, path=request.path, body=request.body, nonce=nonce)
        )

    assert code_of(lorient, quimper, MemoryLink(relay)) == "bad_signature"


def test_a_hello_cannot_bring_in_a_keyset_of_another_root():
    lorient, quimper = towns("Lorient", "Quimper")
    mallory = Town("Mallory")
    root, key = SigningKey.from_seed(mallory.root), mallory.key
    fields = (TYPE, root.public, NOW_MS // 1000, quimper.id, key.public, "routine", quimper.id)
    payload = codec.dumps(dict(enumerate(fields)))
    forged = codec.sign1_join(payload, root.sign(codec.sign1_message(payload)))
    assert parse_keyset(forged).town == quimper.id

    def answer(request: HttpRequest) -> HttpReply:
        hello = HttpReply(200, HelloAnswer(1, (forged,), TODAY, NOW_MS, 0).encode())
        named = {"me": quimper.id, "request": request, "nonce": bytes(16), "created_s": 0}
        return sign_response(hello, key, **named)

    assert code_of(lorient, quimper, MemoryLink(answer)) == "bad_signature"
    assert lorient.store.keysets(quimper.id) == [quimper.keyset]


# ── photos ───────────────────────────────────────────────────────────────────────────────────────


def test_a_photo_comes_by_its_hash():
    lorient, quimper = towns("Lorient", "Quimper")
    photo = bytes(range(256)) * 8_000  # larger than a frame
    digest = hashlib.sha256(photo).digest()
    quimper.photos[digest] = photo
    assert lorient.channel(quimper, lorient.link_to(quimper)).photo(digest) == photo


def test_a_photo_that_is_not_the_one_asked_for_is_refused():
    lorient, quimper = towns("Lorient", "Quimper")
    digest = hashlib.sha256(b"wanted").digest()
    quimper.photos[digest] = b"another"
    with pytest.raises(RemoteProtocolError) as caught:
        lorient.channel(quimper, lorient.link_to(quimper)).photo(digest)
    assert caught.value.code == "bad_digest"


@pytest.mark.parametrize("photo", [None, bytes(limits.PHOTO_MAX_BYTES + 1)])
def test_a_photo_that_is_missing_or_too_large_is_not_found(photo):
    lorient, quimper = towns("Lorient", "Quimper")
    if photo:
        quimper.photos[bytes(32)] = photo
    with pytest.raises(RemoteProtocolError) as caught:
        lorient.channel(quimper, lorient.link_to(quimper)).photo(bytes(32))
    assert caught.value.code == "not_found"
