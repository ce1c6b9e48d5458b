"""The published vectors: made again byte for byte, judged by us, and read by other code."""

import hashlib
import json

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from federation import keys, record, seal
from federation.admission import admit, admit_keyset
from federation.errors import CODES, RemoteProtocolError
from federation.keyset import parse_keyset
from federation.store import MemoryStore
from scripts.vectors.admitted import sealed_inner
from scripts.vectors.cast import NOW_MS, Cast
from scripts.vectors.files import FOLDER, build, text_of

FILES = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
CAST = Cast()
OURS = ("keyset", "listing", "tombstone", "sealed", "public_key", "invalid")


def cases(*names):
    return [
        pytest.param(each, id=f"{name}: {each['name']}") for name in names for each in FILES[name]
    ]


def raw_of(vector):
    return bytes.fromhex(vector["hex"])


def store_of_the_vectors():
    """The node the vectors speak of, before it has seen a record."""
    store = MemoryStore()
    for genesis in (CAST.l1, CAST.q1):
        store.accept(genesis.town)
    for vector in FILES["keyset"]:
        if vector["verdict"] == "stored":
            assert admit_keyset(raw_of(vector), store) == "stored"
    return store


def filled_store():
    store = store_of_the_vectors()
    for name in ("listing", "tombstone", "sealed"):
        for vector in FILES[name]:
            admit([raw_of(vector)], store, NOW_MS)
    return store


@pytest.mark.parametrize("name", OURS)
def test_the_script_makes_the_file_again(name):
    assert (FOLDER / f"{name}.json").read_text("utf-8") == text_of(build()[name])


@pytest.mark.parametrize("vector", cases(*OURS))
def test_every_id_is_the_hash_of_the_bytes(vector):
    assert hashlib.sha256(raw_of(vector)).hexdigest() == vector["id"]


def test_every_refusal_names_a_code_of_the_table():
    verdicts = {vector["verdict"] for name in OURS for vector in FILES[name]}
    refused = {each.removeprefix("refused:") for each in verdicts if each.startswith("refused:")}
    assert refused <= CODES.keys()
    assert verdicts - {f"refused:{code}" for code in refused} == {
        "stored",
        "known",
        "older",
        "expired",
        "quarantined",
    }


def test_there_are_at_least_forty_invalid_records_and_no_two_alike():
    raws = [vector["hex"] for vector in FILES["invalid"]]
    assert len(set(raws)) == len(raws) >= 40


@pytest.mark.parametrize("vector", cases("listing", "tombstone", "sealed"))
def test_a_good_record_is_stored(vector):
    store = store_of_the_vectors()
    (verdict,) = admit([raw_of(vector)], store, NOW_MS)
    assert (verdict.code, verdict.id.hex()) == (vector["verdict"], vector["id"])


@pytest.mark.parametrize("vector", cases("invalid"))
def test_a_bad_record_is_refused_with_its_code(vector):
    (verdict,) = admit([raw_of(vector)], filled_store(), NOW_MS)
    assert (verdict.code, verdict.id.hex()) == (vector["verdict"], vector["id"])


def test_bad_records_among_good_ones_touch_no_neighbour():
    good = [raw_of(vector) for vector in FILES["listing"]]
    bad = [raw_of(vector) for vector in FILES["invalid"] if vector["verdict"] == "refused:bad_cbor"]
    mixed = [raw for pair in zip(bad, good, strict=False) for raw in pair]
    verdicts = admit(mixed, store_of_the_vectors(), NOW_MS)
    assert [verdict.code for verdict in verdicts[1::2]] == ["stored"] * len(good)
    assert {verdict.code for verdict in verdicts[::2]} == {"refused:bad_cbor"}


def test_keysets_are_stored_in_their_order():
    store_of_the_vectors()


@pytest.mark.parametrize(
    "vector", [each for each in cases("keyset") if each.values[0]["verdict"] != "stored"]
)
def test_a_bad_keyset_is_refused_with_its_code(vector):
    assert admit_keyset(raw_of(vector), store_of_the_vectors()) == vector["verdict"]


@pytest.mark.parametrize("vector", cases("public_key"))
def test_a_public_key_is_judged_as_its_vector_says(vector):
    if vector["verdict"] == "stored":
        assert keys.check_public(raw_of(vector)) == raw_of(vector)
    else:
        with pytest.raises(RemoteProtocolError) as caught:
            keys.check_public(raw_of(vector))
        assert f"refused:{caught.value.code}" == vector["verdict"]


def test_all_fourteen_encodings_of_small_order_are_among_the_vectors():
    small = [each for each in FILES["public_key"] if each["why"].startswith("small order")]
    assert len({each["hex"] for each in small}) == 14


@pytest.mark.parametrize("reader", [CAST.addressee, CAST.archive], ids=["addressee", "archive"])
def test_the_sealed_vector_opens_for_both_its_readers(reader):
    (vector,) = FILES["sealed"]
    sealed = record.parse(raw_of(vector))
    public = CAST.keys["L3"].public
    assert seal.open_message(sealed, [reader], public) == sealed_inner(CAST)


# ── a second reader, sharing nothing with federation/ ────────────────────────────────────────────


def read_otherwise(raw, keysets):
    """Judge a record with cbor2 and cryptography alone, by the words of SPEC.md section 4."""
    outer = cbor2.loads(raw)
    protected, unprotected, payload, signature = outer.value
    assert (outer.tag, unprotected, cbor2.loads(protected)) == (18, {}, {1: -19})
    fields = cbor2.loads(payload)
    assert cbor2.dumps(fields, canonical=True) == payload
    assert cbor2.dumps(outer, canonical=True) == raw
    public = Ed25519PublicKey.from_public_bytes(keysets[fields[1], fields[2]])
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    public.verify(signature, signed)
    return fields


def keysets_otherwise():
    found = {}
    for vector in FILES["keyset"]:
        if vector["verdict"] == "stored":
            payload = cbor2.loads(raw_of(vector)).value[2]
            fields = cbor2.loads(payload)
            town = fields[6] or hashlib.sha256(raw_of(vector)).digest()
            found[town, fields[2]] = fields[4]
    return found


@pytest.mark.parametrize("vector", cases("listing", "tombstone", "sealed"))
def test_another_reader_finds_the_same_fields_and_signature(vector):
    fields = read_otherwise(raw_of(vector), keysets_otherwise())
    ours = record.parse(raw_of(vector))
    assert list(fields.values())[1:11] == list(ours[2:12])


def test_another_reader_refuses_the_bad_signatures():
    bad = [each for each in FILES["invalid"] if each["verdict"] == "refused:bad_signature"]
    assert bad
    for vector in bad:
        with pytest.raises(InvalidSignature):
            read_otherwise(raw_of(vector), keysets_otherwise())


def test_the_town_id_is_the_hash_of_its_genesis():
    genesis = FILES["keyset"][0]
    assert parse_keyset(raw_of(genesis)).town.hex() == genesis["id"]
