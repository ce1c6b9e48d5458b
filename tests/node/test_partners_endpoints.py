"""What a partner, or anyone, may send to a node: every answer is a choice, none is an accident."""

import random
import secrets

import pytest

from federation import codec, limits
from federation.keys import SigningKey
from federation.messages import Hello, SummaryAnswer, SummaryQuestion, decode_verdicts, encode_ids
from federation.signature import HttpRequest
from federation.stamp import as_of_day
from node.partners import pairing
from node.store.network import quarantine, refusals
from tests.node.partner_wire import (
    Caller,
    code_of,
    falsified,
    foreign_record,
    held_ids,
    partner,
    publish,
    refused,
    titles,
    visits,
)
from tests.world import START_MS, World

ENDPOINTS = (
    limits.HELLO, limits.SUMMARY, limits.KEYSETS, limits.RECONCILE, limits.FETCH, limits.PUSH,
    limits.BLOB + "00" * 32,
)  # fmt: skip
SUMMARY = SummaryQuestion(as_of_day(START_MS), 0, START_MS, (), b"").encode()
UNAUTHORIZED, STALE = 401, 409


@pytest.fixture
def caller(world: World) -> Caller:
    """Quimper, calling at Lorient."""
    return Caller(world.places["Quimper"], world.places["Lorient"])


# ── who may ask ──────────────────────────────────────────────────────────────────────────────────


def test_a_partner_that_signs_is_answered(caller: Caller) -> None:
    reply = caller.ask(limits.SUMMARY, SUMMARY)
    assert reply.status == 200
    assert SummaryAnswer.decode(reply.body).as_of == as_of_day(START_MS)


def test_a_captured_request_sent_again_is_stale(caller: Caller) -> None:
    caller.hello()
    request = caller.signed(limits.SUMMARY, SUMMARY)
    assert caller.send(request).status == 200
    for _ in range(3):
        reply = caller.send(request)
        assert (reply.status, code_of(reply)) == (STALE, "stale_nonce")


def test_a_captured_push_sent_again_changes_nothing(world: World, caller: Caller) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    (record,) = publish(quimper, "Perceuse")
    caller.hello()
    request = caller.signed(limits.PUSH, record.raw)
    assert decode_verdicts(caller.send(request).body) == {record.id: "stored"}
    log = len(visits(lorient, quimper))
    assert caller.send(request).status == STALE
    assert len(visits(lorient, quimper)) == log


def test_a_nonce_given_to_another_partner_is_stale(world: World, caller: Caller) -> None:
    world.found("Vannes")
    world.pair("Lorient", "Vannes")
    other = Caller(world.places["Vannes"], world.places["Lorient"])
    other.hello()
    assert caller.ask(limits.SUMMARY, SUMMARY, nonce=other.nonce).status == STALE


def test_a_nonce_made_up_is_stale(caller: Caller) -> None:
    reply = caller.ask(limits.SUMMARY, SUMMARY, nonce=secrets.token_bytes(16))
    assert (reply.status, code_of(reply)) == (STALE, "stale_nonce")


def test_a_nonce_ends_after_a_day(world: World, caller: Caller) -> None:
    caller.hello()
    world.clock.forward(days=1, ms=1)
    assert caller.ask(limits.SUMMARY, SUMMARY).status == STALE


def test_a_request_to_another_town_is_refused(world: World, caller: Caller) -> None:
    reply = caller.ask(limits.SUMMARY, SUMMARY, to=world.places["Quimper"].town.id)
    assert (reply.status, code_of(reply)) == (UNAUTHORIZED, "bad_request_signature")


def test_an_unsigned_request_is_refused(caller: Caller) -> None:
    for path in ENDPOINTS:
        method = "GET" if path.startswith(limits.BLOB) else "POST"
        request = HttpRequest(method, path, SUMMARY, headers={"content-type": limits.CBOR})
        reply = caller.send(request)
        assert (reply.status, code_of(reply)) == (UNAUTHORIZED, "bad_request_signature")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": SigningKey.generate()}, "bad_request_signature"),
        ({"me": bytes(32)}, "unknown_peer"),
    ],
)
def test_a_request_signed_by_another_is_refused(
    caller: Caller, change: dict[str, object], code: str
) -> None:
    reply = caller.ask(limits.SUMMARY, SUMMARY, **change)
    assert (reply.status, code_of(reply)) == (UNAUTHORIZED, code)


def test_a_town_does_not_answer_itself(world: World) -> None:
    lorient = world.places["Lorient"]
    reply = Caller(lorient, lorient).hello()
    assert (reply.status, code_of(reply)) == (UNAUTHORIZED, "unknown_peer")


@pytest.mark.parametrize("part", ["body", "query", "content-type", "content-digest", "lavoir-to"])
def test_what_is_signed_cannot_be_changed(caller: Caller, part: str) -> None:
    caller.hello()
    request = caller.signed(limits.SUMMARY, SUMMARY)
    headers = dict(request.headers)
    body, query = request.body, request.query
    if part == "body":
        body += b"\x00"
    elif part == "query":
        query = "as=admin"
    else:
        headers[part] = headers[part][:-1] + ("x" if headers[part][-1] != "x" else "y")
    changed = HttpRequest("POST", limits.SUMMARY, body, query, headers)
    assert caller.send(changed).status in (400, UNAUTHORIZED)


def test_a_signature_for_one_path_is_none_for_another(caller: Caller) -> None:
    caller.hello()
    request = caller.signed(limits.SUMMARY, SUMMARY)
    moved = HttpRequest("POST", limits.KEYSETS, request.body, headers=request.headers)
    assert caller.send(moved).status == UNAUTHORIZED


# ── bad records ──────────────────────────────────────────────────────────────────────────────────


def test_a_pushed_batch_loses_only_its_bad_records(world: World, caller: Caller) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    ring, now_ms = quimper.town.keyring, world.clock.now_ms()
    good = [foreign_record(ring, now_ms, f"Perceuse {at}") for at in range(5)]
    other_keys = foreign_record(ring, now_ms, keyset=ring.keyset.number + 1).raw
    body = falsified(good[0]) + b"".join(each.raw for each in good) + other_keys
    verdicts = decode_verdicts(caller.ask(limits.PUSH, body).body)
    assert sorted(verdicts.values()) == [
        "refused:bad_signature",
        "refused:unknown_keyset",
        *["stored"] * 5,
    ]
    assert len(titles(lorient, quimper)) == 5
    assert refused(lorient, quimper) == {"bad_signature": 1}
    with lorient.inside():
        (waiting,) = quarantine.waiting(quimper.town.id)
    assert (waiting.code, waiting.records, waiting.until_ms) == ("unknown_keyset", 1, None)


def test_what_follows_a_torn_record_is_left_and_the_rest_taken(
    world: World, caller: Caller
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    one, two = (
        foreign_record(quimper.town.keyring, START_MS, each) for each in ("Pelle", "Râteau")
    )
    reply = caller.ask(limits.PUSH, one.raw + two.raw[:-10])
    assert decode_verdicts(reply.body) == {one.id: "stored"}
    assert titles(lorient, quimper) == {"Pelle"}


def test_twenty_bad_signatures_end_a_push(world: World, caller: Caller) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    ring = quimper.town.keyring
    bad = [falsified(foreign_record(ring, START_MS)) for _ in range(limits.BAD_SIGNATURES_MAX)]
    few = caller.ask(limits.PUSH, b"".join(bad[:-1]))
    assert few.status == 200
    many = caller.ask(limits.PUSH, b"".join(bad) + foreign_record(ring, START_MS, "Pelle").raw)
    assert many.status == 200 or code_of(many) == "too_many_bad_signatures"
    assert refused(lorient, quimper)["bad_signature"] == limits.BAD_SIGNATURES_MAX
    fresh = [falsified(foreign_record(ring, START_MS)) for _ in range(limits.BAD_SIGNATURES_MAX)]
    reply = caller.ask(limits.PUSH, b"".join(fresh))
    assert (reply.status, code_of(reply)) == (429, "too_many_bad_signatures")


def test_refusals_are_kept_for_a_page_and_no_longer(world: World, caller: Caller) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    ring = quimper.town.keyring
    for _ in range(2):
        bad = [falsified(foreign_record(ring, START_MS)) for _ in range(300)]
        caller.ask(limits.PUSH, b"".join(bad))
    assert refused(lorient, quimper) == {"bad_signature": refusals.KEPT_PER_PARTNER}


# ── hygiene ──────────────────────────────────────────────────────────────────────────────────────


def check_refused(status: int, what: object) -> None:
    assert 400 <= status < 500, (status, what)


@pytest.mark.parametrize("path", ENDPOINTS[:-1])
def test_no_body_is_an_accident(caller: Caller, path: str, rng: random.Random) -> None:
    bodies = [
        b"", b"\x00", b"\xff", b"\xa0", b"\x80", b"\xf6", b"\xfb" + bytes(8), b"\x9f\xff",
        b"\x81" * 200, b"\xbb" + b"\xff" * 8, b"\x5b" + b"\xff" * 8, b'{"a": 1}', b"<html>",
        codec.dumps({0: 1, 1: -1, 2: b"", 3: [], 4: b""}), codec.dumps([1, 2, 3]),
        codec.dumps(dict.fromkeys(range(8), 2**63)), rng.randbytes(100),
    ]  # fmt: skip
    for body in bodies:
        caller.nonce = b""
        reply = caller.ask(path, body) if path != limits.HELLO else _hello(caller, body)
        if path != limits.PUSH:  # which gives verdicts on what it could read: none
            check_refused(reply.status, body)
        assert reply.status < 500, (reply.status, body)


def _hello(caller: Caller, body: bytes):  # type: ignore[no-untyped-def]
    reply = caller.send(caller.signed(limits.HELLO, body, nonce=bytes(16)))
    return reply if reply.status != 200 else type(reply)(400)  # a hello needs no body of ours


@pytest.mark.parametrize("path", ENDPOINTS[1:-1])
def test_no_changed_bit_of_a_right_body_is_an_accident(
    world: World, caller: Caller, path: str, rng: random.Random
) -> None:
    right = {
        limits.SUMMARY: SUMMARY,
        limits.KEYSETS: b"",
        limits.RECONCILE: b"",
        limits.FETCH: encode_ids([bytes(32), b"\x01" * 32]),
        limits.PUSH: foreign_record(world.places["Quimper"].town.keyring, START_MS).raw,
    }[path]
    if not right:
        right = SUMMARY
    for _ in range(40):
        at = rng.randrange(len(right))
        body = right[:at] + bytes([right[at] ^ 1 << rng.randrange(8)]) + right[at + 1 :]
        assert caller.ask(path, body).status < 500, body.hex()


def test_a_body_above_the_frame_is_too_large(caller: Caller) -> None:
    for path in ENDPOINTS[:-1]:
        assert caller.ask(path, b"\x00" * (limits.FRAME_MAX_BYTES + 1)).status == 413


def test_a_body_of_many_frames_is_not_even_read(world: World) -> None:
    client = world.places["Lorient"].app.test_client()
    for path in (*ENDPOINTS, pairing.PATH):
        assert client.post(path, data=b"\x00" * 9_000_000).status_code == 413


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def test_a_wrong_method_is_refused(world: World, caller: Caller) -> None:
    client = world.places["Lorient"].app.test_client()
    for path in (*ENDPOINTS, pairing.PATH):
        for method in METHODS:
            unsigned = client.open(path, method=method).status_code
            caller.hello()
            signed = caller.send(caller.signed(path, b"", method)).status
            is_right = method == ("GET" if path.startswith(limits.BLOB) else "POST")
            if method == "OPTIONS":
                assert (unsigned, signed) == (200, 200), path
                continue
            check_refused(unsigned, (method, path))
            if not is_right:
                check_refused(signed, (method, path))


def test_an_encoded_body_is_not_opened(world: World) -> None:
    client = world.places["Lorient"].app.test_client()
    for encoding in ("gzip", "br", "identity", "deflate, gzip", "x"):
        for path in (limits.SUMMARY, pairing.PATH):
            answer = client.post(path, data=b"x", headers={"Content-Encoding": encoding})
            assert answer.status_code == 415


NOWHERE = (
    "", "/", "/x", "/blob/", "/blob/zz", "/blob/" + "0" * 63, "/blob/../../etc/passwd", "/%00",
    "/summary/", "/%ff%fe", "/blob/%2e%2e", "/a/b/c/d", "/hello?x=%00", "/summary;x",
)  # fmt: skip


def test_an_address_nobody_answers_at_is_not_found(world: World) -> None:
    client = world.places["Lorient"].app.test_client()
    for path in NOWHERE:
        for method in ("GET", "POST"):
            status = client.open("/federation/v1" + path, method=method).status_code
            check_refused(status, path)


def test_an_unknown_photo_is_not_found(caller: Caller) -> None:
    reply = caller.ask(limits.BLOB + "00" * 32, b"", "GET")
    assert (reply.status, code_of(reply)) == (404, "not_found")


def test_every_answer_says_what_it_is_and_is_never_cached(world: World, caller: Caller) -> None:
    caller.hello()
    client = world.places["Lorient"].app.test_client()
    request = caller.signed(limits.SUMMARY, SUMMARY)
    good = client.post(request.path, data=request.body, headers=dict(request.headers))
    for answer in (good, client.post(limits.SUMMARY, data=b"x"), client.post(pairing.PATH)):
        assert answer.headers.getlist("content-type") == [limits.CBOR]
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers
        assert "set-cookie" not in answer.headers


def test_a_visitor_with_a_huge_claim_is_bounded(world: World, caller: Caller) -> None:
    ids = [secrets.token_bytes(32) for _ in range(limits.FETCH_MAX_IDS + 1)]
    reply = caller.ask(limits.FETCH, codec.dumps(ids))
    check_refused(reply.status, "too many ids")


def test_a_hello_of_another_town_teaches_nothing(world: World, caller: Caller) -> None:
    world.found("Vannes")
    vannes = world.places["Vannes"].town.keyring
    body = Hello(limits.VERSION, (vannes.genesis.raw,)).encode()
    caller.send(caller.signed(limits.HELLO, body, nonce=bytes(16)))
    with world.places["Lorient"].inside() as town:
        assert town.store.keysets(vannes.town) == []


def test_the_page_of_a_partner_never_hears_what_strangers_did(world: World, caller: Caller) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    before = len(visits(lorient, quimper)), partner(lorient, quimper).failures
    for path in ENDPOINTS:
        lorient.app.test_client().post(path, data=b"x")
    assert (len(visits(lorient, quimper)), partner(lorient, quimper).failures) == before
    assert refused(lorient, quimper) == {}
    assert held_ids(lorient, bytes(32)) == set()
