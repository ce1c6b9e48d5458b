"""The codec: one value has one byte string (RFC 8949 section 4.2.1, cut down; SPEC.md section 2).

Allowed: integers of 64 bits, NFC text, bytes, booleans, null, lists, and maps whose keys are all
integers 0..23 or all text. No floats, tags, undefined, indefinite lengths, duplicate keys or
trailing bytes. With such keys, length-first and bytewise order agree (RFC 8949, 4.2.1 and 4.2.3).

This is the only door to cbor2. It also holds the one COSE_Sign1 form in use (RFC 9052 section 4.2)
as a byte template: tag 18, protected {1: -19} (Ed25519, RFC 9864), no unprotected header.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

import cbor2

from federation.errors import LocalProtocolError, ProtocolError, RemoteProtocolError

MAX_DEPTH: Final = 16  # containers inside one another, the outermost counted
MAX_KEY: Final = 23
INTEGER_MIN: Final = -(2**64)
INTEGER_MAX: Final = 2**64 - 1

SIGNATURE_BYTES: Final = 64
SIGN1_HEAD: Final = bytes.fromhex("d28443a10132a0")
SIGNATURE_HEAD: Final = bytes.fromhex("5840")
_TO_BE_SIGNED: Final = b"\x84\x6aSignature1\x43\xa1\x01\x32\x40"
_PLAIN: Final = frozenset((bytes, bool, type(None)))


class _NoTag(dict[int, Callable[[Any, bool], Any]]):
    """A table of tag decoders in which every tag is found, and every one refuses.

    Without it cbor2 would build dates, patterns, big numbers and shared references before we look.
    """

    def __getitem__(self, tag: int) -> Callable[[Any, bool], Any]:
        return _refuse_tag


def _refuse_tag(decoder: object, immutable: bool) -> NoReturn:
    raise ValueError("tag")


_NO_TAG: Final = _NoTag()


def dumps(value: Any) -> bytes:
    """Encode `value` in its one form. Raises LocalProtocolError("bad_cbor")."""
    try:
        _check(value, MAX_DEPTH, LocalProtocolError)
        return cbor2.dumps(value, canonical=True)
    except (cbor2.CBORError, UnicodeError) as error:
        raise LocalProtocolError("bad_cbor", str(error)) from error


def loads(raw: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Decode one whole item, refusing every other form. Raises RemoteProtocolError("bad_cbor")."""
    value = decode(raw, max_depth=max_depth)
    _check(value, max_depth, RemoteProtocolError)
    if cbor2.dumps(value, canonical=True) != raw:
        raise RemoteProtocolError("bad_cbor", "not the deterministic form")
    return value


def decode(raw: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Decode without checking values and form: half of `loads`, for a caller who does the rest.

    Refuses tags, indefinite lengths, duplicate keys and depth, as RemoteProtocolError("bad_cbor").
    """
    try:
        return cbor2.loads(
            raw,
            max_depth=max_depth,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders=_NO_TAG,
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise RemoteProtocolError("bad_cbor", str(error)) from error


def encode_as_is(value: Any) -> bytes:
    """Encode without checks or sorting: the other half, for values whose order was checked."""
    return cbor2.dumps(value)


def _check(value: Any, depth: int, fault: type[ProtocolError]) -> None:
    """Refuse what the profile does not allow, anywhere in `value`; `depth` containers remain."""
    kind = type(value)
    if kind in _PLAIN:
        return
    if kind is int:
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise fault("bad_cbor", "an integer of more than 64 bits")
    elif kind is str:
        if not unicodedata.is_normalized("NFC", value):
            raise fault("bad_cbor", "text that is not NFC")
    elif depth == 0:
        raise fault("bad_cbor", "too deep")
    elif kind is dict:
        _check_keys(value, fault)
        for member in value.values():
            _check(member, depth - 1, fault)
    elif kind is list or kind is tuple:
        for member in value:
            _check(member, depth - 1, fault)
    else:
        raise fault("bad_cbor", f"a value of type {kind.__name__}")


def _check_keys(value: dict[Any, Any], fault: type[ProtocolError]) -> None:
    kinds = set(map(type, value))
    if kinds == {str}:
        if not all(unicodedata.is_normalized("NFC", key) for key in value):
            raise fault("bad_cbor", "a key that is not NFC")
    elif kinds == {int}:
        if min(value) < 0 or max(value) > MAX_KEY:
            raise fault("bad_cbor", "an integer key outside 0..23")
    elif kinds:
        raise fault("bad_cbor", "keys that are neither all integers nor all text")


# ── CBOR sequences (RFC 8742) ────────────────────────────────────────────────────────────────────


def sequence(raw: bytes) -> Iterator[bytes]:
    """Cut a CBOR sequence into the exact bytes of its items, without decoding them.

    Items before a torn one are given; then RemoteProtocolError("bad_cbor") is raised.
    """
    start = 0
    while start < len(raw):
        end = _sign1_end(raw, start) or _item_end(raw, start)
        if end > len(raw):
            raise RemoteProtocolError("bad_cbor", f"torn at byte {start}")
        yield raw[start:end]
        start = end


def _head(raw: bytes, at: int) -> tuple[int, int, int]:
    """Read one CBOR head: (major type, argument, offset after it). Indefinite lengths refused."""
    if at >= len(raw):
        raise RemoteProtocolError("bad_cbor", "torn")
    major, low = raw[at] >> 5, raw[at] & 31
    if low < 24:
        return major, low, at + 1
    if low > 27:
        raise RemoteProtocolError("bad_cbor", f"a head of no definite length at byte {at}")
    end = at + 1 + (1 << (low - 24))
    return major, int.from_bytes(raw[at + 1 : end], "big"), end


def _item_end(raw: bytes, at: int) -> int:
    """Walk over one item, however it is nested, without recursion; may point past the end."""
    missing = 1
    while missing and at <= len(raw):
        major, argument, at = _head(raw, at)
        missing -= 1
        if major in (2, 3):
            at += argument
        elif major in (4, 5):
            missing += argument * (major - 3)
        elif major == 6:
            missing += 1
    return at


# ── COSE_Sign1 ───────────────────────────────────────────────────────────────────────────────────


def sign1_split(raw: bytes) -> tuple[bytes, bytes]:
    """Cut a COSE_Sign1 into (payload, signature). Raises RemoteProtocolError("bad_cose")."""
    end = _sign1_end(raw, 0)
    if end == 0 or end != len(raw):
        raise RemoteProtocolError("bad_cose")
    signed = end - SIGNATURE_BYTES - len(SIGNATURE_HEAD)
    return raw[_bstr_start(raw, len(SIGN1_HEAD)) : signed], raw[-SIGNATURE_BYTES:]


def sign1_join(payload: bytes, signature: bytes) -> bytes:
    """Put a COSE_Sign1 together; the signature is over `sign1_message(payload)`."""
    if len(signature) != SIGNATURE_BYTES:
        raise LocalProtocolError("bad_cose", "an Ed25519 signature has 64 bytes")
    return SIGN1_HEAD + cbor2.dumps(payload) + SIGNATURE_HEAD + signature


def sign1_message(payload: bytes) -> bytes:
    """The bytes a COSE_Sign1 signs: Sig_structure with empty external_aad (RFC 9052, 4.4)."""
    return _TO_BE_SIGNED + cbor2.dumps(payload)


def _bstr_start(raw: bytes, at: int) -> int:
    """Where the content of the byte string headed at `at` begins; 0 if its head is not minimal."""
    low = raw[at] - 0x40 if at < len(raw) else -1
    if 0 <= low < 24:
        return at + 1
    size = {24: 1, 25: 2, 26: 4}.get(low, 0)
    floor = {1: 24, 2: 1 << 8, 4: 1 << 16}.get(size, 0)
    start = at + 1 + size
    is_minimal = size and int.from_bytes(raw[at + 1 : start], "big") >= floor
    return start if is_minimal else 0


def _sign1_end(raw: bytes, start: int) -> int:
    """Where the COSE_Sign1 that begins at `start` ends; 0 if none of our form begins there."""
    at = start + len(SIGN1_HEAD)
    content = _bstr_start(raw, at) if raw.startswith(SIGN1_HEAD, start) else 0
    if not content:
        return 0
    length = raw[at] - 0x40 if content == at + 1 else int.from_bytes(raw[at + 1 : content], "big")
    signature = content + length
    if not raw.startswith(SIGNATURE_HEAD, signature):
        return 0
    return signature + len(SIGNATURE_HEAD) + SIGNATURE_BYTES
