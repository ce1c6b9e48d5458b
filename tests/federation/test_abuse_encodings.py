"""Abuse, encodings: bytes that are nearly a record, or nearly a message (cases 1 to 14)."""

from __future__ import annotations

import struct
import unicodedata

import cbor2
import pytest

from federation import codec, limits
from federation.messages import decode_verdicts
from federation.record import LIVE, RECORD_MAX_BYTES, live_until, parse
from federation.stamp import stamp_at
from tests.federation.abuse import any_endpoint, fields_of, record_of, rule_r, signed, spoilt
from tests.federation.towns import NOW_MS, Town, towns

LORIENT = Town("Lorient")
KIND = b"lending.item/1"


def replaced(old: bytes, new: bytes) -> bytes:
    """A signed record with some bytes of its payload replaced."""
    return spoilt(LORIENT, lambda payload: payload.replace(old, new, 1))


def with_fields(**change: object) -> bytes:
    """A signed record with fields changed without asking anyone."""
    fields = fields_of(record_of(LORIENT)) | {int(k[1:]): v for k, v in change.items()}
    return signed(cbor2.dumps(fields, canonical=True), LORIENT.key)


def test_abuse_001_a_record_cut_at_any_byte():
    raw = record_of(LORIENT).raw
    assert set(rule_r(*(raw[:end] for end in range(len(raw))))) <= {"bad_cbor", "bad_cose"}


def test_abuse_001_a_push_cut_at_any_byte_keeps_its_whole_records():
    lorient, quimper = towns("Lorient", "Quimper")
    first, second = lorient.publish(2)
    for end in range(1, len(second.raw)):
        body = first.raw + second.raw[:end]
        verdicts = decode_verdicts(quimper.host.answer(limits.PUSH, body, lorient.id, NOW_MS).body)
        assert list(verdicts) == [first.id]
    assert quimper.rows(lorient)[0].count == 1


def test_abuse_002_a_key_twice():
    twice = replaced(b"\xab", b"\xac\x00\x6flavoir-record/1")
    rule_r(twice, expected="bad_cbor")
    assert any_endpoint(b"\xa2\x00\x01\x00\x01") == {"bad_cbor"}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -0.0, 1e300, 1.0, 1.5])
def test_abuse_003_numbers_that_are_no_integers(number):
    rule_r(with_fields(f13=number), expected="bad_cbor")
    rule_r(with_fields(f4=number), expected="bad_cbor")
    assert any_endpoint(b"\xa1\x00\xfb" + struct.pack(">d", number)) == {"bad_cbor"}


def hex_head(number: int) -> str:
    return f"{number:x}"[:20]


@pytest.mark.parametrize("number", [2**63, 2**64 - 1, 2**64, -(2**63) - 1, 2**16_000], ids=hex_head)
def test_abuse_004_integers_no_database_holds(number):
    codes = rule_r(with_fields(f4=number), with_fields(f5=number), with_fields(f2=number))
    assert set(codes) <= {"bad_cbor", "bad_field", "bad_stamp", "bad_expiry"}
    assert any_endpoint(cbor2.dumps({0: number, 1: number})) <= {"bad_cbor", "bad_message"}


TEXTS = {
    "a lone surrogate": b"\x6elending.\xed\xa0\x80m/1",
    "an overlong slash": b"\x6elending.item\xc0\xaf",
    "no UTF-8": b"\x6elending.item\xff1",
    "NUL": b"\x6elending.item/\x00",
    "a byte order mark": b"\x6e\xef\xbb\xbfending.item",
    "a zero width space": b"\x6elending\xe2\x80\x8bem/1",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_abuse_005_text_that_is_none(text):
    codes = rule_r(replaced(b"\x6e" + KIND, text))
    assert set(codes) <= {"bad_cbor", "bad_kind"}


@pytest.mark.parametrize("opening", [b"\x81", b"\xa1\x00", b"\xd8\x1c\x81"])
def test_abuse_006_nesting_without_end(opening):
    deep = opening * (RECORD_MAX_BYTES // 2 // len(opening)) + b"\x00"
    assert set(rule_r(deep, signed(deep, LORIENT.key))) <= {"bad_cbor", "bad_cose", "bad_field"}
    rule_r(opening * 100_000, expected="too_big")
    frame = opening * (limits.FRAME_MAX_BYTES // len(opening) - 1)
    assert any_endpoint(frame) <= {"bad_cbor"}


@pytest.mark.parametrize("major", [0x40, 0x60, 0x80, 0xA0])
@pytest.mark.parametrize("length", [2**32, 2**62, 2**64 - 1])
def test_abuse_007_a_length_that_is_announced_and_not_there(major, length):
    head = bytes([major | 27]) + struct.pack(">Q", length)
    assert set(rule_r(head, signed(head, LORIENT.key))) <= {"bad_cbor", "bad_cose"}
    assert any_endpoint(head) <= {"bad_cbor"}
    assert any_endpoint(b"\xa1\x00" + head) <= {"bad_cbor"}


FORMS = {
    "a tag": (b"\x6e" + KIND, b"\xd8\x20\x6e" + KIND),
    "a shared value": (b"\x6e" + KIND, b"\xd8\x1c\x6e" + KIND),
    "a reference": (b"\x6e" + KIND, b"\xd8\x1d\x00"),
    "text without a length": (b"\x6e" + KIND, b"\x7f\x6e" + KIND + b"\xff"),
    "bytes without a length": (b"\x41\xa0", b"\x5f\x41\xa0\xff"),
    "a map without a length": (b"\xab\x00", b"\xbf\x00"),
    "an integer longer than it need be": (b"\x08\x00\x09", b"\x08\x18\x00\x09"),
    "a length longer than it need be": (b"\x6e" + KIND, b"\x78\x0e" + KIND),
    "undefined": (b"\x08\x00\x09", b"\x08\xf7\x09"),
    "a simple value": (b"\x08\x00\x09", b"\x08\xf8\x20\x09"),
}


@pytest.mark.parametrize(("old", "new"), FORMS.values(), ids=FORMS.keys())
def test_abuse_008_forms_the_protocol_does_not_have(old, new):
    rule_r(replaced(old, new), expected="bad_cbor")


@pytest.mark.parametrize("more", [b"\x00", b"\xf6", b"\xa0", b"\xff"])
def test_abuse_009_bytes_after_the_value(more):
    rule_r(spoilt(LORIENT, lambda payload: payload + more), expected="bad_cbor")
    rule_r(record_of(LORIENT).raw + more, expected="bad_cose")
    assert any_endpoint(b"\xa0" + more) == {"bad_cbor"}


def test_abuse_010_the_same_meaning_in_other_bytes():
    fields = fields_of(record_of(LORIENT))
    other_order = cbor2.dumps(dict(reversed(fields.items())))
    decomposed = unicodedata.normalize("NFD", "Lézardrieux")
    rule_r(signed(other_order, LORIENT.key), with_fields(f13=decomposed), expected="bad_cbor")
    assert codec.loads(codec.dumps({0: "Lézardrieux"}))


WRONG = {
    "true for one": {"f8": True},
    "false for none": {"f6": False},
    "a list for text": {"f7": ["lending.item/1"]},
    "text for bytes": {"f3": "sixteen letters!"},
    "bytes for text": {"f7": KIND},
    "nothing": {"f10": None},
    "a map": {"f5": {0: 1}},
    "true for a stamp": {"f4": True},
    "a text for the origin": {"f1": "Lorient"},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_abuse_012_another_type_than_the_field_has(change):
    assert set(rule_r(with_fields(**change))) <= {"bad_field", "bad_cbor"}


@pytest.mark.parametrize("kind", ["x" * 100_000 + "/1", "a.b." * 16 + "c/1", "A/1", "a/0", "/1"])
def test_abuse_013_a_name_of_a_kind_that_is_none(kind):
    assert set(rule_r(with_fields(f7=kind))) <= {"bad_kind", "too_big"}


FAR_MS = 32_503_680_000_000  # the year 3000


@pytest.mark.parametrize(
    "change",
    [
        {"f4": 0},
        {"f4": stamp_at(1_577_836_799_000)},  # the last second of 2019
        {"f4": stamp_at(FAR_MS), "f5": FAR_MS // 1000 + 1},
        {"f4": 2**62},
        {"f5": 0},
        {"f5": live_until(stamp_at(NOW_MS - 1_000)) + 1},
        {"f5": 2**60},
    ],
)
def test_abuse_014_years_that_are_none(change):
    assert set(rule_r(with_fields(**change))) <= {"bad_stamp", "bad_expiry"}


def test_no_spoilt_record_is_one_that_this_test_merely_signed_wrongly():
    record = record_of(LORIENT)
    payload, _ = codec.sign1_split(record.raw)
    assert parse(signed(payload, LORIENT.key)).id == record.id and record.state == LIVE
