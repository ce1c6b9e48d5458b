"""What other standards publish, as vectors: CBOR, COSE and Ed25519 facts a reader must share.

`cbor` is read or refused, `cose` are whole structures that are no signed structure of this
protocol, `signature` is a CBOR list [public key, signature, message], good or refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from federation import codec
from scripts.vectors.cast import Case, Cast, secret
from scripts.vectors.refused import GROUP_ORDER

FIELD = 2**255 - 19

# RFC 8949 appendix A, all of it but `f818`, which that RFC made malformed; after the colon, why
# the one form of SPEC.md section 2 has no place for it
APPENDIX_A = """
00 | 01 | 0a | 17 | 1818 | 1819 | 1864 | 1903e8 | 1a000f4240 | 1b000000e8d4a51000
1bffffffffffffffff | 3bffffffffffffffff | 20 | 29 | 3863 | 3903e7 | f4 | f5 | f6 | 40 | 4401020304
60 | 6161 | 6449455446 | 62225c | 62c3bc | 63e6b0b4 | 64f0908591 | 80 | 83010203 | 8301820203820405
98190102030405060708090a0b0c0d0e0f101112131415161718181819 | a0 | a201020304 | a26161016162820203
826161a161626163 | a56161614161626142616361436164614461656145
c249010000000000000000: tag | c349010000000000000000: tag | f90000: float | f98000: float
f93c00: float | fb3ff199999999999a: float | f93e00: float | f97bff: float | fa47c35000: float
fa7f7fffff: float | fb7e37e43c8800759c: float | f90001: float | f90400: float | f9c400: float
fbc010666666666666: float | f97c00: float | f97e00: float | f9fc00: float | fa7f800000: float
fa7fc00000: float | faff800000: float | fb7ff0000000000000: float | fb7ff8000000000000: float
fbfff0000000000000: float | f7: undefined | f0: simple | f8ff: simple | f818: simple
c074323031332d30332d32315432303a30343a30305a: tag | c11a514b67b0: tag | c1fb41d452d9e8d00000: tag
d74401020304: tag | d818456449455446: tag
d82076687474703a2f2f7777772e6578616d706c652e636f6d: tag
5f42010243030405ff: indefinite | 7f657374726561646d696e67ff: indefinite | 9fff: indefinite
9f018202039f0405ffff: indefinite | 9f01820203820405ff: indefinite | 83018202039f0405ff: indefinite
83019f0203ff820405: indefinite | bf61610161629f0203ffff: indefinite
9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff: indefinite
826161bf61626163ff: indefinite | bf6346756ef563416d7421ff: indefinite
"""

# the COSE working group's sign1-tests and eddsa-sig-01 (in the public domain): all ES256 or EdDSA
_CONTENT = "54546869732069732074686520636f6e74656e742e"
_P256 = "5840eae868ecc176883766c5dc5ba5b8dca25dab3c2e56a551ce5705b793914348e1"
_HALF = "9f43d6c6ba654472da301b645b293c9ba939295b97c4bdb847782bff384c5794"
_KID = "a104423131"
COSE_WG = {
    "sign-pass-01": "d28441a0a20126044231" + "31" + _CONTENT + _P256
    + "1a02e5f0344bf2d4ee5c7fd75a68a9f5e0b3cc1f1fc1409c189566586ff9d610",
    "sign-pass-02": "d28443a10126" + _KID + _CONTENT + _P256
    + "55388b10c4f1b59a6733eab416870a945111a4b2fbdbef33a77234b1deff2f9b",
    "sign-pass-03": "8443a10126" + _KID + _CONTENT + _P256 + _HALF,
    "sign-fail-01": "d903e68443a10126" + _KID + _CONTENT + _P256 + _HALF,
    "sign-fail-02": "d28443a10126" + _KID + _CONTENT[:-1] + "f" + _P256 + _HALF,
    "sign-fail-03": "d28445a1013903e6" + _KID + _CONTENT + _P256 + _HALF,
    "sign-fail-04": "d2844aa10167756e6b6e6f776e" + _KID + _CONTENT + _P256 + _HALF,
    "sign-fail-06": "d28445a201260300" + _KID + _CONTENT + _P256 + _HALF,
    "sign-fail-07": "d28443a10126" + _KID + _CONTENT + _P256
    + "72727f48461fabbba2e343492ddecac3983686250bc68e9f1a7a07d41225b59f",
    "eddsa-sig-01": "d28445a201270300" + _KID + _CONTENT
    + "58407142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb8711497dfa751bf40b58b3bcc3"
    "2300b1487f3db34085eef013bf08f4a44d6fef0d",
}  # fmt: skip
COSE_WHY = {
    "sign-pass-01": "ES256 in an unprotected header",
    "sign-pass-03": "no tag, ES256",
    "sign-fail-01": "tag 998",
    "sign-fail-03": "algorithm -999",
    "sign-fail-04": "an algorithm by name",
    "sign-fail-06": "a second protected header",
    "eddsa-sig-01": "EdDSA is -8, not -19, and the kid is not signed",
}

RFC_8032 = {  # section 7.1: public key, message, signature
    "TEST 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
        "6bd25bf5f0595bbe24655141438e7a100b",
    ),
    "TEST 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d"
        "8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "TEST 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6"
        "594a7c15e9716ed28dc027beceea1ec40a",
    ),
}
RFC_9421_B_2_6 = (
    "26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb",
    '"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
    '"@method": POST\n"@path": /foo\n"@authority": example.com\n'
    '"content-type": application/json\n"content-length": 18\n'
    '"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"',
    "c2a700a9b9982768e2da095f00c691cb882bb98627c769c414dd8737a8eb9c39d008ad6ed3619bd38bfd103830"
    "50f8aee00d30eafb90bf9948a7958fa412910b",
)


def cbor(cast: Cast) -> Iterator[Case]:
    """RFC 8949 appendix A."""
    entries = (entry.strip() for line in APPENDIX_A.split("\n") for entry in line.split("|"))
    for entry in filter(None, entries):
        text, _, why = entry.partition(": ")
        verdict = "refused:bad_cbor" if why else "read"
        yield f"RFC 8949 A {text}", bytes.fromhex(text), verdict, why or "the one form of its value"


def cose(cast: Cast) -> Iterator[Case]:
    """The COSE working group's examples: well made, badly made, none of them ours."""
    for name, text in COSE_WG.items():
        why = COSE_WHY.get(name, "ES256, and a header that is not signed")
        yield f"COSE WG {name}", bytes.fromhex(text), "refused:bad_cose", why


def signatures(cast: Cast) -> Iterator[Case]:
    """Published good signatures; then the faults Wycheproof looks for, made with our own key."""
    for name, (public, message, signature) in RFC_8032.items():
        parts = (bytes.fromhex(each) for each in (public, signature, message))
        yield f"RFC 8032 {name}", codec.dumps(list(parts)), "good", "section 7.1"
    public, base, signature = RFC_9421_B_2_6
    parts = (bytes.fromhex(public), bytes.fromhex(signature), base.encode())
    yield "RFC 9421 B.2.6", codec.dumps(list(parts)), "good", "the base of a request and its key"
    yield _of_cose_wg()
    yield from _faults(cast)


def _of_cose_wg() -> Case:
    to_be_signed = "846a5369676e61747572653145a20127030040" + _CONTENT
    raw = bytes.fromhex(COSE_WG["eddsa-sig-01"])
    public = bytes.fromhex(RFC_8032["TEST 1"][0])
    item = codec.dumps([public, raw[-64:], bytes.fromhex(to_be_signed)])
    return "COSE WG eddsa-sig-01", item, "good", "its Sig_structure"


def _faults(cast: Cast) -> Iterator[Case]:
    key, message = cast.keys["L3"], b"lavoir"
    good = key.sign(message)
    r, s = good[:32], good[32:]
    scalar = int.from_bytes(s, "little")

    def case(name: str, signature: bytes, why: str, said: bytes = message) -> Case:
        item = codec.dumps([key.public, signature, said])
        return name, item, "refused:bad_signature", why

    yield "own, good", codec.dumps([key.public, good, message]), "good", "to be changed below"
    special_r = {"0": 0, "1": 1, "L": GROUP_ORDER, "p": FIELD}
    special_s = {"0": 0, "1": 1, "L - 1": GROUP_ORDER - 1, "L": GROUP_ORDER, "p": FIELD}
    for name_r, value_r in special_r.items():
        for name_s, value_s in special_s.items():
            forged = value_r.to_bytes(32, "little") + value_s.to_bytes(32, "little")
            yield case(f"R = {name_r}, S = {name_s}", forged, "special values")
    cut = {
        "empty signature": b"",
        "R alone": r,
        "S alone": s,
        "63 bytes": good[:-1],
        "65 bytes": good + b"\0",
        "the key before it": key.public + good,
        "the key after it": good + key.public,
        "a zero before it": b"\0" + good,
        "a zero within": r + b"\0" + s,
        "twice": good + good,
        "without its first byte": good[1:],
    }
    for name, signature in cut.items():
        yield case(name, signature, "a signature has 64 bytes")
    for bit in (0, 1, 7, 8, 127, 128, 254, 255):
        flipped = (int.from_bytes(r, "little") ^ 1 << bit).to_bytes(32, "little")
        yield case(f"bit {bit} of R", flipped + s, "R is compared as bytes")
        flipped = (scalar ^ 1 << bit).to_bytes(32, "little")
        yield case(f"bit {bit} of S", r + flipped, "another S")
    for times in range(1, 16):
        if (larger := scalar + times * GROUP_ORDER) < 1 << 256:
            changed = r + larger.to_bytes(32, "little")
            yield case(f"S + {times} L", changed, "S is below the group order")
    yield case("all bits of R", bytes(255 - each for each in r) + s, "another R")
    yield case("another message", good, "the last letter", b"lavois")
    yield case("a longer message", good, "one byte more", message + b"\0")
    yield case("another key's", cast.keys["Q2"].sign(message), "Quimper signs for Lorient")
    yield case("random", secret("random", 32) + secret("more", 32), "nobody signed")
    for name, y in (("0", 0), ("1", 1), ("p - 1", FIELD - 1), ("p + 1", FIELD + 1)):
        weak = y.to_bytes(32, "little")
        item = codec.dumps([weak, (1).to_bytes(32, "little") + bytes(32), message])
        yield f"key y = {name}", item, "refused:bad_public_key", "of small order: signs anything"
