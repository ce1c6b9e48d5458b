"""Records no node admits, each breaking one rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from federation import codec, keyset, record
from federation.record import live_until
from federation.stamp import DAY_MS, DAY_S, EPOCH_S, stamp_at
from scripts.vectors.cast import NOW_MS, NOW_S, Case, Cast, stamp

Change = tuple[str, dict[int, Any], str]  # code, fields, why
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493  # L of RFC 8032 section 5.1


def torn(cast: Cast) -> Iterator[Case]:
    """Bytes that are not the one COSE_Sign1 form."""
    good = cast.signed("torn").raw
    payload, signature = codec.sign1_split(good)
    headed = good[len(codec.SIGN1_HEAD) : -66]
    tail = codec.SIGNATURE_HEAD + signature

    def head(text: str) -> bytes:
        return bytes.fromhex(text) + headed + tail

    long_head = b"\x5a" + len(payload).to_bytes(4, "big") + payload
    chunks = b"\x5f" + headed + b"\xff"
    cases = {
        "nothing": (b"", "no byte at all"),
        "torn": (good[:-1], "the last byte is missing"),
        "trailing byte": (good + b"\x00", "one byte too many"),
        "no tag": (good[1:], "tag 18 is missing"),
        "another tag": (head("d18443a10132a0"), "tag 17 is COSE_Mac0"),
        "unprotected header": (head("d28443a10132a1044101"), "it is not signed: ids without end"),
        "algorithm -8": (head("d28443a10127a0"), "EdDSA of RFC 9053, replaced by -19"),
        "algorithm -7": (head("d28443a10126a0"), "ECDSA"),
        "second protected header": (head("d28445a201320400a0"), "only {1: -19}"),
        "empty protected header": (head("d28440a0"), "only {1: -19}"),
        "detached payload": (codec.SIGN1_HEAD + b"\xf6" + tail, "the payload is null"),
        "long length": (
            codec.SIGN1_HEAD + long_head + tail,
            "a length in more bytes than it needs",
        ),
        "chunked payload": (codec.SIGN1_HEAD + chunks + tail, "an indefinite length"),
        "short signature": (good[:-66] + b"\x58\x3f" + signature[:63], "63 bytes"),
    }
    for name, (raw, why) in cases.items():
        yield name, raw, "refused:bad_cose", why
    room = record.RECORD_MAX_BYTES + 1 - len(good) + len(cast.draft("torn").body)
    big = cast.forged(codec.dumps(_payload(cast, 10, bytes(room - 2))))  # its head grows by 2
    yield "too big", big, "refused:too_big", f"{len(big):,} bytes"


def _payload(cast: Cast, number: int | None = None, value: Any = None) -> dict[int, Any]:
    """The fields of a good listing, one of them replaced."""
    payload, _ = codec.sign1_split(cast.signed("field").raw)
    fields: dict[int, Any] = codec.loads(payload)
    return fields if number is None else {**fields, number: value}


def uncanonical(cast: Cast) -> Iterator[Case]:
    """Payloads whose CBOR is not the one form."""
    fields = _payload(cast)
    good = codec.dumps(fields)
    pairs = {number: bytes([number]) + codec.dumps(value) for number, value in fields.items()}

    def with_pair(number: int, pair: bytes) -> bytes:
        changed = {**pairs, number: pair}
        return bytes([0xA0 + len(changed)]) + b"".join(changed.values())

    unsorted = [pairs[number] for number in (1, 0, *range(2, 11))]
    twice = [pairs[number] for number in (0, 0, *range(2, 11))]
    deep = b"\x0d" + b"\x81" * codec.MAX_DEPTH + b"\x00"
    cases = {
        "unsorted keys": (b"\xab" + b"".join(unsorted), "1 before 0"),
        "duplicate key": (b"\xab" + b"".join(twice), "0 twice"),
        "long integer": (with_pair(6, b"\x06\x18\x00"), "0 in two bytes"),
        "long length inside": (with_pair(3, b"\x03\x58\x10" + fields[3]), "16 in two bytes"),
        "float": (with_pair(5, b"\x05\xfb" + bytes(8)), "floats are not allowed"),
        "half float": (with_pair(13, b"\x0d\xf9\x7e\x00"), "NaN"),
        "tag": (with_pair(5, b"\x05\xc1" + pairs[5][1:]), "tag 1, a date"),
        "big number": (with_pair(2, b"\x02\xc2\x41\x01"), "tag 2"),
        "shared reference": (with_pair(13, b"\x0d\xd8\x1c\x81\xd8\x1d\x00"), "a list in itself"),
        "indefinite map": (b"\xbf" + good[1:] + b"\xff", "an indefinite length"),
        "indefinite text": (with_pair(7, b"\x07\x7f\x63a/1\xff"), "an indefinite length"),
        "trailing byte inside": (good + b"\x00", "one byte too many"),
        "text key": (b"\xac" + good[1:] + b"\x61a\x00", "text and integer keys in one map"),
        "key 24": (b"\xac" + good[1:] + b"\x18\x18\x00", "integer keys end at 23"),
        "negative key": (b"\xac" + good[1:] + b"\x20\x00", "integer keys begin at 0"),
        "text not NFC": (with_pair(13, b"\x0d\x63e\xcc\x81"), "e and an accent"),
        "kind not NFC": (with_pair(7, b"\x07\x65e\xcc\x81/1"), "e and an accent"),
        "not UTF-8": (with_pair(7, b"\x07\x62\xc3\x28"), "a torn letter"),
        "undefined": (with_pair(13, b"\x0d\xf7"), "undefined is not allowed"),
        "simple value": (with_pair(13, b"\x0d\xf0"), "simple value 16"),
        "too deep": (with_pair(13, deep), "17 containers inside one another"),
        "no CBOR": (b"\xff" * 40, "a break with nothing to end"),
    }
    for name, (payload, why) in cases.items():
        yield name, cast.forged(payload), "refused:bad_cbor", why


def misfilled(cast: Cast) -> Iterator[Case]:
    """Payloads in the right form that break a rule of the table in section 4."""
    fields = _payload(cast)
    for name, (code, changes, why) in (_places_and_times() | _names_and_contents()).items():
        yield name, cast.forged(codec.dumps({**fields, **changes})), f"refused:{code}", why
    short = {number: value for number, value in fields.items() if number != 9}
    yield "no salt", cast.forged(codec.dumps(short)), "refused:bad_field", "field 9 is missing"
    listed = cast.forged(codec.dumps(list(fields.values())))
    yield "payload as a list", listed, "refused:bad_field", "the payload is a map"


def _places_and_times() -> dict[str, Change]:
    begins = NOW_S - 5 * DAY_S
    over, early = live_until(stamp(5)) + 1, stamp_at(EPOCH_S * 1000) - 1
    buried = {8: record.TOMBSTONE, 10: b""}
    return {
        "another type": ("bad_type", {0: keyset.TYPE}, "a keyset is no record"),
        "type as a number": ("bad_type", {0: 1}, "the type is a text"),
        "short origin": ("bad_field", {1: bytes(31)}, "31 bytes"),
        "keyset 0": ("bad_field", {2: 0}, "numbers are unix seconds"),
        "keyset 2^40": ("bad_field", {2: 2**40}, "the year 36812"),
        "keyset as text": ("bad_field", {2: "1"}, "not an integer"),
        "long key": ("bad_field", {3: bytes(17)}, "17 bytes"),
        "negative stamp": ("bad_stamp", {4: -1}, "before 2020"),
        "stamp before 2020": ("bad_stamp", {4: early}, "sets are ordered from 2020"),
        "stamp after 2088": ("bad_stamp", {4: stamp_at((EPOCH_S + 2**31) * 1000)}, "2^31 s"),
        "expires at its stamp": ("bad_expiry", {5: begins}, "no life at all"),
        "lives too long": ("bad_expiry", {5: over}, "400 days and one second"),
        "short tombstone": ("bad_expiry", {**buried, 5: begins + 429 * DAY_S}, "429 days"),
        "long tombstone": ("bad_expiry", {**buried, 5: begins + 430 * DAY_S + 1}, "430 d 1 s"),
        "scope 3": ("bad_scope", {6: 3}, "scopes end at 2"),
        "scope -1": ("bad_scope", {6: -1}, "scopes begin at 0"),
    }


def _names_and_contents() -> dict[str, Change]:
    grave = {8: record.TOMBSTONE, 5: NOW_S + 425 * DAY_S}
    return {
        "kind without version": ("bad_kind", {7: "lending.item"}, "no version"),
        "kind in capitals": ("bad_kind", {7: "Lending.item/1"}, "small letters only"),
        "kind version 0": ("bad_kind", {7: "lending.item/0"}, "versions begin at 1"),
        "kind with a line end": ("bad_kind", {7: "lending.item/1\n"}, "the whole text counts"),
        "kind with an accent": ("bad_kind", {7: "prêt/1"}, "ASCII only"),
        "kind reserved": ("bad_kind", {7: "lavoir-keyset/1"}, "the name of a signed structure"),
        "kind too long": ("bad_kind", {7: "a" * 63 + "/1"}, "65 bytes"),
        "state 2": ("bad_state", {8: 2}, "live or tombstone"),
        "state as a boolean": ("bad_field", {8: False}, "false is not 0"),
        "short salt": ("bad_field", {9: bytes(15)}, "15 bytes"),
        "body as text": ("bad_field", {10: "{}"}, "the body is a byte string"),
        "live without body": ("bad_body", {10: b""}, "nothing said"),
        "tombstone with body": ("bad_body", grave, "nothing remains"),
        "sealed without addressee": ("bad_addressee", {6: 2}, "scope 2 needs field 11"),
        "addressee of an open record": ("bad_addressee", {11: bytes(32)}, "scope 2 only"),
        "short addressee": ("bad_addressee", {6: 2, 11: bytes(31)}, "31 bytes"),
        "empty crit": ("bad_crit", {12: []}, "leave it out instead"),
        "crit of a known field": ("bad_crit", {12: [7]}, "only fields 13 to 23"),
        "crit of an absent field": ("bad_crit", {12: [13]}, "there is no field 13"),
        "unsorted crit": ("bad_crit", {12: [14, 13], 13: 0, 14: 0}, "14 before 13"),
        "crit as text": ("bad_crit", {12: "13", 13: 0}, "a list of integers"),
    }


def unwelcome(cast: Cast) -> Iterator[Case]:
    """Records in the right form that this node does not admit now."""
    good = cast.signed("unwelcome").raw
    payload, signature = codec.sign1_split(good)
    high = int.from_bytes(signature[32:], "little") + GROUP_ORDER
    malleable = signature[:32] + high.to_bytes(32, "little")
    flipped = good[:-1] + bytes([good[-1] ^ 1])
    foreign = cast.signed("unwelcome", signer="Q2").raw
    body = good.replace(b"double", b"triple")
    for name, raw, why in (
        ("flipped signature bit", flipped, "the last bit"),
        ("flipped body byte", body, "the body says something else"),
        ("signed by another town", foreign, "Quimper signs for Lorient"),
        ("signature with S + L", codec.sign1_join(payload, malleable), "S is not reduced"),
    ):
        yield name, raw, "refused:bad_signature", why
    vannes = cast.signed("V", signer="V1", origin=cast.v1.town, keyset=cast.v1.number).raw
    yield "unknown town", vannes, "refused:not_accepted", "nobody accepted Vannes"
    nobody = cast.signed("nobody", keyset=cast.l3.number + 1).raw
    yield "unknown keyset", nobody, "refused:unknown_keyset", "no keyset has that number"
    retired = cast.signed("retired", signer="L1", keyset=cast.l1.number).raw
    yield "retired keyset", retired, "refused:keyset_retired", "replaced 100 days ago"
    stolen = cast.signed("stolen", signer="Q1", origin=cast.q1.town, keyset=cast.q1.number).raw
    yield "compromised keyset", stolen, "refused:keyset_retired", "dead at once"
    early = cast.signed("listing", stamp=stamp(4), expires=live_until(stamp(4), 300)).raw
    yield "expires early", early, "refused:expires_early", "before the listing it replaces"
    late = cast.signed("listing", stamp=stamp(6)).raw
    yield "older revision", late, "older", "the listing held is a day younger"
    revived = cast.signed("tombstone", stamp=stamp(5)).raw
    yield "buried revision", revived, "older", "a tombstone holds the register"
    dead = cast.signed("dead", stamp=stamp(6), expires=NOW_S - 2 * DAY_S).raw
    yield "expired", dead, "expired", "two days ago"
    future = cast.signed("future", stamp=stamp_at(NOW_MS + DAY_MS + 1)).raw
    yield "future", future, "quarantined", "stamped a day and a millisecond ahead"
    yield "held already", cast.signed("listing").raw, "known", "the same bytes"
