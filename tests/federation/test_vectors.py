"""The published vectors: made again byte for byte, judged by us, and read by other code."""

import hashlib
import json
import shutil
import subprocess
from collections import Counter

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from federation import codec, keys, record, seal
from federation.admission import admit, admit_keyset
from federation.errors import CODES, RemoteProtocolError
from federation.keyset import parse_keyset
from federation.ranges import Negentropy
from federation.store import MemoryStore
from scripts.vectors.admitted import sealed_inner
from scripts.vectors.cast import NOW_MS, Cast
from scripts.vectors.files import FOLDER, build, text_of
from scripts.vectors.negentropy import items, traced

FILES = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
CAST = Cast()
OURS = ("keyset", "listing", "tombstone", "sealed", "public_key", "invalid")
STANDARDS = ("signature", "cbor", "cose", "negentropy")


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


@pytest.mark.parametrize("name", (*OURS, *STANDARDS))
def test_the_script_makes_the_file_again(name):
    assert (FOLDER / f"{name}.json").read_text("utf-8") == text_of(build()[name])


@pytest.mark.parametrize("vector", cases(*OURS, *STANDARDS))
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


# ── what other standards publish ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("vector", cases("cbor"))
def test_the_examples_of_rfc_8949_are_read_or_refused_for_a_reason(vector):
    raw = raw_of(vector)
    if vector["verdict"] == "read":
        assert codec.dumps(codec.loads(raw)) == raw
    else:
        with pytest.raises(RemoteProtocolError, match="bad_cbor"):
            codec.loads(raw)


@pytest.mark.parametrize("vector", cases("cose"))
def test_the_examples_of_the_cose_working_group_are_not_of_our_one_form(vector):
    with pytest.raises(RemoteProtocolError, match="bad_cose"):
        codec.sign1_split(raw_of(vector))


@pytest.mark.parametrize("vector", cases("signature"))
def test_a_signature_is_judged_as_its_vector_says(vector):
    public, signature, message = codec.loads(raw_of(vector))
    try:
        keys.check_public(public)
        verdict = "good" if keys.verify(public, signature, message) else "refused:bad_signature"
    except RemoteProtocolError as error:
        verdict = f"refused:{error.code}"
    assert verdict == vector["verdict"]


@pytest.mark.parametrize("vector", cases("negentropy"))
def test_a_session_of_negentropy_runs_as_its_vector_says(vector):
    seed, counts, span_s, limits, last = codec.loads(raw_of(vector)).values()
    if vector["verdict"] == "converges":
        trace = traced(seed, counts, span_s, limits)
        assert [hashlib.sha256(each).digest() for each in trace] == last
        return
    end = Negentropy(items(seed, 0, counts[0], span_s), limits[1])
    if vector["verdict"] == "answered":
        assert end.respond(last).startswith(b"\x61")
    else:
        with pytest.raises(RemoteProtocolError, match="bad_range"):
            end.respond(last)


def test_there_are_at_least_a_hundred_and_fifty_vectors_and_each_has_its_own_name():
    assert sum(map(len, FILES.values())) >= 150
    for name, vectors in FILES.items():
        assert len({each["name"] for each in vectors}) == len(vectors), name


needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="Node is not installed on this machine"
)


def verified_otherwise(folder):
    """What verify.mjs says: it shares no code with federation/, not even the language."""
    command = ["node", str(FOLDER / "verify.mjs"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@needs_node
def test_an_independent_verifier_agrees_on_every_vector():
    said = verified_otherwise(FOLDER)
    count = sum(map(len, FILES.values()))
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"{count} of {count} vectors agree" in said.stdout


@needs_node
def test_the_independent_verifier_notices_a_wrong_verdict_and_a_changed_byte(tmp_path):
    for name, (first, *others) in FILES.items():
        last = others[-1] if others else first
        wrong = first | {"verdict": "refused:keyset_equivocation"}
        changed = last | {"hex": last["hex"][:-2] + f"{bytes.fromhex(last['hex'])[-1] ^ 1:02x}"}
        (tmp_path / f"{name}.json").write_text(json.dumps([wrong, *others, changed]), "utf-8")
    said = verified_otherwise(tmp_path)
    assert said.returncode == 1, said.stdout + said.stderr
    noticed = Counter(line.split(":")[0] for line in said.stdout.splitlines()[:-1])
    assert noticed.keys() == FILES.keys()
    assert min(noticed.values()) >= 2, noticed


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
