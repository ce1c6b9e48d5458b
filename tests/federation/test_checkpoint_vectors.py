"""The published vectors of checkpoints: made again byte for byte, and judged."""

import hashlib
import json

import pytest

from federation import codec
from federation.admission import REFUSED, admit_keyset
from federation.checkpoint import check_age, check_signer, parse_checkpoint, parse_runs, vouch
from federation.errors import CODES, RemoteProtocolError
from federation.record import parse
from federation.stamp import stamp_seconds
from federation.store import MemoryStore
from federation.vouching import admit_checkpoint
from scripts.vectors.cast import NOW_MS, Cast
from scripts.vectors.files import FOLDER, text_of, vector
from scripts.vectors.vouched import checkpoints

CAST = Cast()
VECTORS = json.loads((FOLDER / "checkpoint.json").read_text("utf-8"))


def node() -> MemoryStore:
    store = MemoryStore()
    for keyset in (CAST.l1, CAST.l2, CAST.l3, CAST.q1, CAST.q2):
        store.accept(keyset.town)
        assert admit_keyset(keyset.raw, store) == "stored"
    return store


def let_in(raw: bytes) -> str:
    """How many of the records of a vector its checkpoint lets in."""
    said, listed, raws, gaps = codec.loads(raw)
    try:
        checkpoint = parse_checkpoint(said)
        check_signer(checkpoint, [CAST.l1, CAST.l2, CAST.l3])
        check_age(checkpoint, NOW_MS)
        runs = parse_runs(listed, checkpoint)
    except RemoteProtocolError as error:
        return REFUSED + error.code
    records = [parse(each) for each in raws]
    items = [(stamp_seconds(each.stamp), each.id) for each in records]
    covering = vouch(checkpoint, runs, [*items, *((at, one) for at, one in gaps)])
    return f"vouches:{sum(map(covering.covers, records))}"


def test_the_script_makes_the_file_again():
    made = [vector(case) for case in checkpoints(CAST)]
    assert (FOLDER / "checkpoint.json").read_text("utf-8") == text_of(made)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_a_checkpoint_is_judged_as_its_vector_says(case):
    raw = bytes.fromhex(case["hex"])
    assert hashlib.sha256(raw).hexdigest() == case["id"]
    if not raw.startswith(b"\xd2"):
        assert let_in(raw) == case["verdict"]
        return
    store = node()
    if case is not VECTORS[0]:
        assert admit_checkpoint(bytes.fromhex(VECTORS[0]["hex"]), store, NOW_MS) == "stored"
    assert admit_checkpoint(raw, store, NOW_MS) == case["verdict"]


def test_at_least_fifteen_are_refused_and_no_two_alike():
    refused = [case for case in VECTORS if case["verdict"].startswith(REFUSED)]
    assert len({case["hex"] for case in refused}) == len(refused) >= 15
    assert {case["verdict"].removeprefix(REFUSED) for case in refused} <= CODES.keys()
