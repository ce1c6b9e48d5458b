"""What is done to keysets: nothing passes for one but what the root signed to be one."""

import inspect
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import codec, keys
from federation.admission import REFUSED, admit_keyset
from federation.errors import RemoteProtocolError
from federation.keys import SigningKey
from federation.keyset import parse_keyset
from federation.record import Draft, live_until, new_key, parse, sign
from federation.signature import HttpRequest, sign_request
from federation.stamp import next_stamp
from federation.store import MemoryStore
from scripts.vectors.cast import Cast

CAST = Cast()
NOW_MS = 1_780_000_000_000
ORDER = 2**252 + 27742317777372353535851937790883648493


def keyset_like(by: SigningKey, /, **change: object) -> bytes:
    """Return a keyset's bytes with fields changed, signed `by` somebody all the same."""
    names = ("type", "root", "number", "previous", "signing", "reason", "town")
    fields = dict(enumerate(codec.loads(codec.sign1_split(CAST.l2.raw)[0]).values()))
    for name, value in change.items():
        fields[names.index(name)] = value
    payload = codec.dumps(fields)
    return codec.sign1_join(payload, by.sign(codec.sign1_message(payload)))


def holding() -> MemoryStore:
    store = MemoryStore(bytes(32))
    store.accept(CAST.l1.town)
    store.add_keyset(CAST.l1)
    return store


@given(st.integers(0, len(CAST.l2.raw) * 8 - 1))
def test_abuse_016_a_flipped_bit_in_a_keyset_changes_nothing(bit: int) -> None:
    store = holding()
    changed = bytearray(CAST.l2.raw)
    changed[bit // 8] ^= 1 << bit % 8
    assert admit_keyset(bytes(changed), store).startswith(REFUSED)
    assert [each.id for each in store.keysets(CAST.l1.town)] == [CAST.l1.id]
    assert admit_keyset(CAST.l2.raw, store) == "stored"  # its true copy is not held against it


def test_abuse_017_a_keyset_has_one_signature_and_no_second_one() -> None:
    payload, signature = codec.sign1_split(CAST.l2.raw)
    s = int.from_bytes(signature[32:], "little") + ORDER
    twin = codec.sign1_join(payload, signature[:32] + s.to_bytes(32, "little"))
    assert twin != CAST.l2.raw
    assert admit_keyset(twin, holding()) == REFUSED + "bad_signature"


def test_abuse_019_a_keyset_is_no_record_and_a_record_no_keyset() -> None:
    signer, stamp = SigningKey.generate(), next_stamp(NOW_MS, 0)
    draft = Draft(
        origin=CAST.l1.town, keyset=CAST.l1.number, key=new_key(), stamp=stamp,
        expires=live_until(stamp), scope=0, kind="listing/1", body=b"\x01",
    )  # fmt: skip
    for code, judge in (
        ("bad_type", lambda: parse_keyset(sign(draft, signer).raw)),
        ("bad_field", lambda: parse(CAST.l2.raw)),
    ):
        with pytest.raises(RemoteProtocolError) as refused:
            judge()
        assert refused.value.code in (code, "bad_type")


@pytest.mark.parametrize("kind", ["lavoir-record/1", "lavoir-keyset/2", "", "lavoir-checkpoint/1"])
def test_abuse_019_what_the_root_signed_as_something_else_is_no_keyset(kind: str) -> None:
    with pytest.raises(RemoteProtocolError, match="bad_type"):
        parse_keyset(keyset_like(SigningKey.from_seed(CAST.root), type=kind))


def test_abuse_020_a_keyset_in_the_name_of_another_root_is_refused() -> None:
    """The signing key in use, or the root of another town, signs a keyset for this one."""
    for thief in (SigningKey.generate(), SigningKey.from_seed(bytes(range(32)))):
        forged = keyset_like(thief, number=CAST.l2.number + 9)
        assert admit_keyset(forged, holding()) == REFUSED + "bad_signature"
        own_root = keyset_like(thief, root=thief.public, number=CAST.l2.number + 9)
        store = holding()
        assert admit_keyset(own_root, store) == REFUSED + "broken_chain"
        assert not store.is_frozen(CAST.l1.town)


def test_abuse_029_no_answer_we_sign_can_be_made_into_a_record_or_a_keyset() -> None:
    """A peer chooses the nonce we sign over; what is signed then never begins like a structure."""
    key = SigningKey.generate()
    wished = codec.sign1_split(CAST.l2.raw)[0]
    request = HttpRequest("POST", "/federation/v1/summary", wished)
    signed = sign_request(
        request, key, me=CAST.l1.town, to=bytes(32), nonce=wished[:16], created_s=1
    )
    given_out = b64decode(signed.headers["signature"].removeprefix("lavoir=:").removesuffix(":"))
    assert len(given_out) == codec.SIGNATURE_BYTES
    assert not keys.verify(key.public, given_out, codec.sign1_message(wished))
    assert codec.sign1_message(wished)[:1] == b"\x84"  # a list; what HTTP signs begins with a quote


def test_abuse_030_a_signing_key_takes_its_seed_and_no_public_key_beside_it() -> None:
    assert list(inspect.signature(SigningKey.__init__).parameters) == ["self", "seed"]
    assert list(inspect.signature(SigningKey.sign).parameters) == ["self", "message"]
    key = SigningKey.from_seed(bytes(32))
    assert keys.verify(key.public, key.sign(b"x"), b"x")
