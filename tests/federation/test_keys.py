"""Keys and words: what may be believed, and what people can copy from paper."""

import hashlib
import hmac
import unicodedata
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.keys import (
    SigningKey,
    check_public,
    from_words,
    root_to_archive,
    six_words,
    to_words,
    verify,
)

# RFC 8032 section 7.1: seed, public key, message, signature
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e3970"
        "1cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613"
        "d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]


@pytest.mark.parametrize(("seed", "public", "message", "signature"), RFC_8032)
def test_the_vectors_of_rfc_8032_hold(seed, public, message, signature):
    key = SigningKey.from_seed(bytes.fromhex(seed))
    assert key.public.hex() == public
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert verify(key.public, bytes.fromhex(signature), bytes.fromhex(message))
    assert not verify(key.public, bytes.fromhex(signature), b"another message")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_of_another_length_is_our_own_fault(size):
    for take_up in (SigningKey.from_seed, root_to_archive):
        with pytest.raises(LocalProtocolError, match="bad_field"):
            take_up(bytes(size))


def test_a_secret_never_stands_in_a_representation():
    key = SigningKey.generate()
    assert key.seed.hex() not in repr(key)


# ── weak public keys, found again from the curve ─────────────────────────────────────────────────

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P


def add(one, other):
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    x3 = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y3 = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x3 % P, y3 % P


def point_at(y):
    """A point of that y, or None (RFC 8032 section 5.1.3)."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (x, y) if x * x % P == square else None


def times(number, point):
    total = (0, 1)
    for bit in f"{number:b}":
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    return total


def torsion():
    """The eight points whose order divides eight: any point times the large subgroup's order."""
    order = 2**252 + 27742317777372353535851937790883648493
    for y in range(2, 100):
        point = point_at(y)
        small = times(order, point) if point else (0, 1)
        if times(4, small) != (0, 1):
            return {times(step, small) for step in range(8)}
    raise AssertionError("no point of order eight below y = 100")


@cache
def encodings():
    """Every 32 bytes a lenient decoder reads as one of those points: 14."""
    found = set()
    for _, y in torsion():
        for form in (y, y + P):
            if form < 2**255:
                found |= {(form | sign << 255).to_bytes(32, "little") for sign in (0, 1)}
    return sorted(found)


def test_there_are_fourteen_encodings_of_small_order_and_all_are_refused():
    assert len(torsion()) == 8
    assert len(encodings()) == 14
    for public in encodings():
        with pytest.raises(RemoteProtocolError, match="bad_public_key"):
            check_public(public)


def test_the_refusal_is_needed_the_library_believes_anything_under_the_identity():
    identity = (1).to_bytes(32, "little")
    signature = identity + bytes(32)
    Ed25519PublicKey.from_public_bytes(identity).verify(signature, b"anything at all")


@given(st.binary(min_size=32, max_size=32))
def test_a_public_key_is_let_through_exactly_if_it_is_canonical_on_the_curve_and_large(raw):
    y = int.from_bytes(raw, "little") % 2**255
    is_good = y < P and point_at(y) is not None and raw not in encodings()
    try:
        assert check_public(raw) == raw
        assert is_good
    except RemoteProtocolError:
        assert not is_good


@given(st.binary(min_size=32, max_size=32))
def test_every_key_a_seed_gives_is_let_through(seed):
    check_public(SigningKey.from_seed(seed).public)


# ── words ────────────────────────────────────────────────────────────────────────────────────────

seeds = st.binary(min_size=32, max_size=32)


@given(seeds, st.sampled_from(["french", "english"]))
def test_a_root_survives_paper(seed, language):
    words = to_words(seed, language)
    assert len(words) == 24
    assert from_words(words) == seed


@given(seeds, st.sampled_from(["french", "english"]))
def test_words_are_read_without_accents_in_capitals_and_cut_to_four_letters(seed, language):
    def typed(word):
        plain = unicodedata.normalize("NFD", word)
        return "".join(filter(str.isalpha, plain)).upper()[:4] + " "

    assert from_words([typed(word) for word in to_words(seed, language)]) == seed


def test_the_words_are_those_of_bip_39():
    assert to_words(bytes(32), "english") == ["abandon"] * 23 + ["art"]
    assert to_words(b"\xff" * 32, "english") == ["zoo"] * 23 + ["vote"]
    assert to_words(bytes(32)) == ["abaisser"] * 23 + ["anaphore"]


def test_a_wrong_word_is_named_by_its_place():
    words = to_words(bytes(range(32)))
    words[6] = "xylophage"
    with pytest.raises(LocalProtocolError, match="word 7 is in no list"):
        from_words(words)


def test_words_in_another_order_do_not_pass_for_the_same_root():
    words = to_words(bytes(range(32)))
    words[0], words[2] = words[2], words[0]
    with pytest.raises(LocalProtocolError, match="checksum"):
        from_words(words)


@pytest.mark.parametrize("count", [0, 12, 23, 25])
def test_another_number_of_words_is_refused(count):
    with pytest.raises(LocalProtocolError, match=f"{count} words"):
        from_words(["abaisser"] * count)


def test_no_word_may_be_missing_a_letter_that_tells_it_apart():
    with pytest.raises(LocalProtocolError, match="word 1 "):
        from_words(["", *to_words(bytes(32))[1:]])


LORIENT, VANNES, QUIMPER = (hashlib.sha256(name).digest() for name in (b"L", b"V", b"Q"))


def test_both_sides_see_the_same_six_words_and_another_pair_sees_others():
    assert six_words(LORIENT, VANNES) == six_words(VANNES, LORIENT)
    assert len(six_words(LORIENT, VANNES)) == 6
    assert six_words(LORIENT, VANNES) != six_words(LORIENT, QUIMPER)
    assert six_words(LORIENT, VANNES) != six_words(LORIENT, VANNES, "english")


def test_six_words_are_sixty_six_bits_of_scrypt():
    pair = min(LORIENT, VANNES) + max(LORIENT, VANNES)
    digest = hashlib.scrypt(pair, salt=b"lavoir-pairing/1", n=2**14, r=8, p=1, dklen=9)
    bits = f"{int.from_bytes(digest, 'big'):072b}"
    # to_words of a seed that begins with these bits begins with the same six words
    seed = int(bits[:66].ljust(256, "0"), 2).to_bytes(32, "big")
    assert six_words(LORIENT, VANNES) == to_words(seed)[:6]


def test_the_archive_key_is_hkdf_of_the_root():
    seed = bytes(range(32))
    extracted = hmac.digest(bytes(32), seed, "sha256")  # RFC 5869, no salt
    expanded = hmac.digest(extracted, b"lavoir-archive/1\x01", "sha256")
    assert root_to_archive(seed) == expanded
