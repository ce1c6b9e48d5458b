"""What a town with valid keys can sign without end does not grow here without end."""

from federation import admission, keyset
from federation.admission import admit_keyset
from federation.keyset import next_keyset
from federation.record import TOMBSTONE, parse, tombstone_until
from federation.vouching import check_unverified
from scripts.vectors.cast import NOW_MS, stamp
from tests.federation.test_admission import CAST, LORIENT, codes, store_at


def buried(order, name="drill", signer="L3", **more):
    at = stamp(5, order)
    end = {"state": TOMBSTONE, "body": b"", "expires": tombstone_until(at)}
    return CAST.signed(name, stamp=at, signer=signer, **end, **more)


def test_a_root_that_signs_without_end_fills_no_disk(monkeypatch):
    store = store_at()
    monkeypatch.setattr(keyset, "HELD_MAX", len(store.keysets(LORIENT)) + 1)
    root, last = CAST.root, store.keysets(LORIENT)[-1]
    one, two = (
        next_keyset(root, last, CAST.keys["L1"].public, last.number + each) for each in (1, 2)
    )
    assert admit_keyset(one.raw, store) == "stored"
    assert admit_keyset(two.raw, store) == "refused:over_quota"
    assert admit_keyset(one.raw, store) == "known"


def test_a_register_buried_again_and_again_uses_up_the_allowance(monkeypatch):
    monkeypatch.setattr(admission, "ALLOWANCE_MS", 2 * admission.NEW_EVERY_MS)
    store = store_at()
    assert codes(store, buried(0), buried(1), buried(2)) == ["stored"] * 3
    assert codes(store, buried(3)) == ["refused:over_quota"]
    assert codes(store, buried(4, "saw")) == ["stored"]  # a burial is never too many


def test_a_rotation_buries_again_what_is_buried_and_uses_up_nothing(monkeypatch):
    monkeypatch.setattr(admission, "ALLOWANCE_MS", 0)
    store = store_at()
    old = [buried(0, name, signer="L2", keyset=CAST.l2.number) for name in "abc"]
    new = [buried(1, name) for name in "abc"]
    assert codes(store, *old, *new) == ["stored"] * 6


def test_the_proof_of_a_bad_signature_keeps_no_words():
    store = store_at()
    false = CAST.signed("drill")
    false = parse(false.raw[:-1] + bytes([false.raw[-1] ^ 1]))
    store.put([false], unverified={false.id})
    assert [each.id for each in check_unverified(store, 10, NOW_MS).bad] == [false.id]
    assert store.witness.proofs[LORIENT] == false.id
