"""Abuse, signatures: who signed, for whom, and whose it is to write (cases 16 to 27)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from federation import codec, limits
from federation.admission import admit
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey
from federation.keyset import TYPE as KEYSET_TYPE
from federation.keyset import parse_keyset
from federation.messages import SummaryQuestion
from federation.record import parse
from federation.session import Received, Unasked
from federation.signature import HttpRequest, sign_request, signature_base, verify_request
from tests.federation.abuse import fields_of, record_of, rule_r, signed
from tests.federation.test_gate import asked, refused
from tests.federation.test_keys import encodings
from tests.federation.towns import NOW_MS, TODAY, Town, done, received, same_public_sets, towns

ORDER = 2**252 + 27742317777372353535851937790883648493  # of the group of Ed25519
P = 2**255 - 19
LORIENT, MALLORY = Town("Lorient"), Town("Mallory")


def test_abuse_016_a_flipped_bit_anywhere():
    lorient, quimper = towns("Lorient", "Quimper")
    raw = record_of(lorient).raw
    codes = []
    for at in range(len(raw)):
        flipped = raw[:at] + bytes((raw[at] ^ 1 << at % 8,)) + raw[at + 1 :]
        (verdict,) = admit([flipped], quimper.store, NOW_MS)
        codes.append(verdict.code)
    assert all(code.startswith("refused:") or code in ("quarantined", "expired") for code in codes)
    assert set(codes[-64:]) == {"refused:bad_signature"}
    assert not quimper.rows(lorient) and done(lorient.visit(quimper)).code == ""


def test_abuse_017_the_signature_plus_the_order_of_the_group():
    raw = record_of(LORIENT).raw
    scalar = int.from_bytes(raw[-32:], "little")
    for times in (1, 2, 7):
        larger = scalar + times * ORDER
        if larger < 2**256:
            rule_r(raw[:-32] + larger.to_bytes(32, "little"), expected="bad_signature")
    point = int.from_bytes(raw[-64:-32], "little")
    for other in ((point % 2**255 + P) % 2**256, point ^ 2**255, 0, 1, P, 2**256 - 1):
        form = raw[:-64] + other.to_bytes(32, "little") + raw[-32:]
        rule_r(form, expected="bad_signature")


def test_abuse_018_a_keyset_that_names_a_weak_key():
    root = SigningKey.from_seed(MALLORY.root)
    (quimper,) = towns("Quimper")
    for weak in encodings():
        fields = (KEYSET_TYPE, root.public, NOW_MS // 1000, MALLORY.id, weak, "routine", MALLORY.id)
        with pytest.raises(RemoteProtocolError) as caught:
            parse_keyset(signed(codec.dumps(dict(enumerate(fields))), root))
        assert caught.value.code == "bad_public_key"
    assert quimper.store.keysets(MALLORY.id) == []


def test_abuse_019_a_signature_made_for_another_purpose():
    record = record_of(LORIENT)
    payload, _ = codec.sign1_split(record.raw)
    request = HttpRequest("POST", limits.PUSH, payload)
    how = {"me": LORIENT.id, "to": MALLORY.id, "nonce": bytes(16), "created_s": 1}
    sent = sign_request(request, LORIENT.key, **how)
    of_http = LORIENT.key.sign(signature_base([('"@method"', "POST")], sent.headers["signature"]))
    bare = LORIENT.key.sign(payload)
    for signature in (of_http, bare):
        rule_r(codec.sign1_join(payload, signature), expected="bad_signature")
    rule_r(LORIENT.keyset.raw, expected="bad_type")
    with pytest.raises(RemoteProtocolError):
        parse_keyset(record.raw)


def test_abuse_020_signed_by_one_town_in_the_name_of_another():
    forged = record_of(MALLORY, origin=LORIENT.id, keyset=LORIENT.keyset.number)
    rule_r(forged.raw, expected="bad_signature")


def test_abuse_021_a_town_writes_and_buries_what_is_anothers():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    (listing,) = lorient.publish()
    quimper.visit(lorient)
    quimper.visit(vannes)
    over = record_of(vannes, key=listing.key)  # the same name of a register, at home elsewhere
    stolen = record_of(vannes, key=listing.key, origin=lorient.id, keyset=lorient.keyset.number)
    verdicts = admit([over.raw, stolen.raw], quimper.store, NOW_MS)
    assert [each.code for each in verdicts] == ["stored", "refused:bad_signature"]
    held = quimper.store.current([listing.register])
    assert held[listing.register].id == listing.id


def test_abuse_022_a_record_passed_off_under_another_id():
    lorient, quimper = towns("Lorient", "Quimper")
    wanted, other = quimper.publish(2)
    visit = lorient.start(quimper)
    events = []
    while (request := visit.next_request(NOW_MS)) is not None:
        body = quimper.host.answer(request.path, request.body, lorient.id, NOW_MS).body
        if request.path == limits.FETCH:
            body = record_of(quimper).raw + other.raw
        events += visit.receive(body, NOW_MS)
    assert received(events) == {other.id: "stored"}
    assert sum(each.records for each in events if isinstance(each, Unasked)) == 1
    assert wanted.id not in lorient.store.known([wanted.id])
    assert hashlib.sha256(other.raw).digest() == other.id == parse(other.raw).id


def test_abuse_023_a_town_nobody_here_knows_comes_through_a_relay_and_goes_no_further():
    lorient, quimper, vannes, auray = towns("Lorient", "Quimper", "Vannes", "Auray", all_know=False)
    lorient.know(quimper)
    quimper.know(lorient, vannes)
    vannes.know(quimper, auray)
    quimper.know(auray)
    records = auray.publish(3)
    vannes.store.put(records)
    quimper.visit(vannes)
    assert not lorient.store.is_accepted(auray.id)
    pushed = [each.raw for each in records]
    verdicts = admit(pushed, lorient.store, NOW_MS)
    assert {each.code for each in verdicts} == {"refused:not_accepted"}
    assert done(lorient.visit(quimper)).code == ""
    assert not lorient.store.known([each.id for each in records])
    assert lorient.rows(quimper) == []


def test_abuse_023_a_town_that_is_frozen_is_neither_taken_nor_passed_on():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    (before,) = vannes.publish()
    quimper.visit(vannes)
    quimper.store.freeze(vannes.id)
    later = record_of(vannes)
    (verdict,) = admit([later.raw], quimper.store, NOW_MS)
    assert verdict.code == "refused:frozen"
    lorient.visit(quimper)
    assert not lorient.store.known([before.id, later.id])
    assert vannes.id not in {row.origin for row in quimper.rows(lorient)}


def test_abuse_024_a_request_meant_for_one_town_is_sent_to_another():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    body = b"".join(each.raw for each in lorient.publish(2))
    captured = asked(lorient, quimper, path=limits.PUSH, body=body)
    passage = vannes.passage(captured)
    assert refused(passage) == (401, "bad_request_signature")
    assert not vannes.rows(lorient)


ALGORITHMS = (b"\xa1\x01\x27", b"\xa1\x01\x26", b"\xa0", b"\xa1\x01\x20", b"\xa1\x01\x64none")


@pytest.mark.parametrize("header", ALGORITHMS)
def test_abuse_026_an_algorithm_of_the_senders_choice(header):
    raw = record_of(LORIENT).raw
    head = raw.index(b"\xa1\x01")  # the protected header: alg
    changed = raw[: head - 1] + bytes((0x40 + len(header),)) + header + raw[head + 3 :]
    if changed != raw:
        assert set(rule_r(changed)) <= {"bad_cose"}
    rule_r(raw[:-66] + b"\x40", expected="bad_cose")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('alg="ed25519"', 'alg="none"'),
        ('alg="ed25519"', 'alg="hmac-sha256"'),
        (';alg="ed25519"', ""),
        ('tag="lavoir-sync-1"', 'tag="lavoir-sync-2"'),
    ],
)
def test_abuse_026_an_algorithm_of_the_senders_choice_in_a_request(old, new):
    lorient, quimper = towns("Lorient", "Quimper")
    request = asked(lorient, quimper)
    headers = dict(request.headers)
    assert old in headers["signature-input"]
    headers["signature-input"] = headers["signature-input"].replace(old, new)
    assert refused(quimper.passage(replace(request, headers=headers))) == (
        401,
        "bad_request_signature",
    )


def test_abuse_027_another_town_answers_at_the_address_of_the_one_we_know():
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    link = lorient.link_to(vannes)
    for _ in range(2):
        with pytest.raises(RemoteProtocolError) as caught:
            list(lorient.visit(quimper, link))
        assert caught.value.code == "bad_request_signature"  # it is addressed to another town
    assert lorient.store.keysets(quimper.id) == [quimper.keyset]
    assert not lorient.rows(quimper)


def test_abuse_130_a_hostile_relay_between_two_towns_can_only_withhold():
    """Lorient and Vannes meet only through Quimper, which touches every record it carries."""
    lorient, quimper, vannes = towns("Lorient", "Quimper", "Vannes")
    good = lorient.publish(4)
    quimper.visit(lorient)
    touched = [each.raw[:-1] + bytes((each.raw[-1] ^ 1,)) for each in good[:2]]
    renamed = record_of(quimper, origin=lorient.id, keyset=lorient.keyset.number, key=good[2].key)
    verdicts = admit([*touched, renamed.raw, good[3].raw], vannes.store, NOW_MS)
    assert [each.code for each in verdicts] == ["refused:bad_signature"] * 3 + ["stored"]
    assert not same_public_sets(lorient, vannes)
    events = vannes.visit(lorient)  # the day they meet, all is made good
    assert any(isinstance(each, Received) for each in events)
    assert same_public_sets(lorient, vannes)


def test_what_is_refused_here_is_refused_for_its_signature_and_not_for_its_form():
    lorient, quimper = towns("Lorient", "Quimper")
    (verdict,) = admit([record_of(lorient).raw], quimper.store, NOW_MS)
    assert verdict.code == "stored"
    question = SummaryQuestion(TODAY, 0, NOW_MS, ()).encode()
    request = asked(lorient, quimper, body=question)
    assert verify_request(request, me=quimper.id, public_of=lambda town: lorient.key.public)
    assert fields_of(record_of(lorient))[1] == lorient.id
