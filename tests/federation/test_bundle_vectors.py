"""The published courier files: made again byte for byte, judged as they say, and mutated."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation import bundle, frames, receipt, record
from federation.errors import CODES, RemoteProtocolError
from federation.receipt import parse_receipt, sign_receipt
from scripts.vectors.files import FOLDER, build, text_of
from tests.federation.freight import CAST, KEYSETS, LORIENT, QUIMPER, of_kind, packed, unpacked

VECTORS = json.loads((FOLDER / "bundle.json").read_text("utf-8"))
RAWS = [bytes.fromhex(each["hex"]) for each in VECTORS]


def test_the_script_makes_the_courier_files_again():
    assert (FOLDER / "bundle.json").read_text("utf-8") == text_of(build()["bundle"])


def verdict_of(raw: bytes) -> str:
    """Judge what a vector holds: a file by its records, a statement alone by its form."""
    items, _ = unpacked(raw)
    if len([each for each in items if each.kind != bundle.PHOTO]) > 1:
        return f"read:{sum(map(is_record, of_kind(items, bundle.RECORD)))}"
    read = parse_receipt if frames.type_of(raw) == receipt.TYPE else bundle.parse_header
    try:
        read(raw)
    except RemoteProtocolError as error:
        assert error.code in CODES
        return f"refused:{error.code}"
    return "read"


def is_record(raw: bytes) -> bool:
    try:
        return bool(record.parse(raw))
    except RemoteProtocolError:
        return False


@pytest.mark.parametrize("vector", VECTORS, ids=lambda each: each["name"])
def test_a_courier_file_is_judged_as_its_vector_says(vector):
    assert verdict_of(bytes.fromhex(vector["hex"])) == vector["verdict"]


def test_there_are_at_least_eight_refusals():
    assert sum(each["verdict"].startswith("refused:") for each in VECTORS) >= 8


@given(st.sampled_from(RAWS), st.randoms(use_true_random=False), st.integers(1, 12))
@settings(max_examples=250)
def test_a_mutated_file_or_statement_gives_items_and_codes_and_nothing_else(raw, chance, wounds):
    bad = bytearray(raw)
    for _ in range(wounds):
        at = chance.randrange(len(bad) + 1)
        match chance.randrange(4):
            case 0:
                bad[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del bad[at : at + chance.randrange(40)]
            case 2:
                bad[at:at] = chance.randbytes(chance.randrange(40))
            case _:
                other = chance.choice(RAWS)
                cut = chance.randrange(len(other))
                bad[at:at] = other[cut : cut + chance.randrange(400)]
    verdict_of(bytes(bad))
    for item in unpacked(bytes(bad), block=chance.randrange(1, 5_000))[0]:
        for reader in (bundle.parse_header, parse_receipt, record.parse):
            try:
                reader(item.raw)
            except RemoteProtocolError as error:
                assert error.code in CODES


def test_a_receipt_says_and_proves_what_arrived_where():
    ids = [bytes([at]) * 32 for at in range(3)]
    raw = sign_receipt(
        KEYSETS,
        CAST.keys["L3"],
        to=QUIMPER,
        bundle=bytes(32),
        when_ms=5,
        verdicts={"stored": 3},
        arrived=ids,
    )
    read = parse_receipt(raw)
    assert (read.town, read.to, read.when_ms) == (LORIENT, QUIMPER, 5)
    assert read.arrived == tuple(ids) and read.verdicts == {"stored": 3}
    items, damaged = unpacked(raw)
    assert [each.kind for each in items] == [bundle.RECEIPT] and damaged == 0


def test_a_receipt_names_at_most_two_thousand_records_and_fits_its_limit():
    many = {f"refused:{at:040}": 2**32 for at in range(300)}
    raw = sign_receipt(
        KEYSETS,
        CAST.keys["L3"],
        to=QUIMPER,
        bundle=bytes(32),
        when_ms=2**49,
        verdicts=many,
        arrived=[bytes(32)] * 5_000,
    )
    assert len(parse_receipt(raw).arrived) == receipt.RECEIPT_IDS_MAX
    assert len(raw) < receipt.RECEIPT_MAX_BYTES
    with pytest.raises(RemoteProtocolError, match="too_big"):
        parse_receipt(bytes(receipt.RECEIPT_MAX_BYTES + 1))
    with pytest.raises(RemoteProtocolError, match="too_big"):
        bundle.parse_header(bytes(bundle.HEADER_MAX_BYTES + 1))


def test_a_thousand_sets_and_longest_names_fit_the_header():
    rows = [bundle.SetRow(bytes(32), 2, 2**32, bytes(16))] * 1_000
    raw = bundle.sign_header(
        KEYSETS,
        CAST.keys["L3"],
        to=QUIMPER,
        made_ms=2**49,
        as_of=2**39,
        gen=2**39,
        names=("é" * 80, "\U0001f600" * 80),
        counts=bundle.Counts(2**32, 2**32, 2**32),
        rows=rows,
    )
    assert len(bundle.parse_header(raw).rows) == 1_000 and len(raw) < bundle.HEADER_MAX_BYTES


def test_a_large_file_is_found_whole_in_a_small_buffer():
    raw = packed(count=3, photos=[random.Random(1).randbytes(3_000_000)] * 2, hidden=[])
    reader = bundle.Reader(QUIMPER, [CAST.addressee.private])
    found, most = 0, 0
    for at in range(0, len(raw), 1 << 16):
        found += sum(1 for _ in reader.feed(raw[at : at + (1 << 16)]))
        most = max(most, len(reader._frames._held))
    assert found + sum(1 for _ in reader.end()) == 11 and most < 3_200_000
