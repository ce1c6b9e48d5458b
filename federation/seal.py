"""The seal: a body that relays carry and only two can open, its addressee and its author.

A content key encrypts a signed inner message (ChaCha20-Poly1305) and is itself wrapped twice by
HPKE (RFC 9180, base mode, X25519 / HKDF-SHA256 / ChaCha20-Poly1305): for the addressee's key of the
month, and for the author's archive key, with which a restored town reads its own promises (SPEC.md
section 5).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from federation import codec, keys
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.keys import KEY_BYTES, SigningKey
from federation.record import Record

TYPE: Final = "lavoir-seal/1"
KEY_ID_BYTES: Final = 8
WRAPPED_BYTES: Final = 80  # 32 of the sender's share, 32 of the content key, 16 of its tag
_NONCE: Final = bytes(12)  # every content key encrypts once
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)

INNER_TYPE, INNER_ENGAGEMENT, INNER_FROM, INNER_TO, INNER_GEN, INNER_AGREEMENT = range(6)
ENGAGEMENT_BYTES: Final = 16


class HpkeKey:
    """An X25519 key to be sealed to; `public` goes into the town's profile, `private` stays."""

    __slots__ = ("_key", "id", "private", "public")

    def __init__(self, private: bytes) -> None:
        if len(private) != KEY_BYTES:
            raise LocalProtocolError("bad_field", "a sealing key has 32 bytes")
        self._key = X25519PrivateKey.from_private_bytes(private)
        self.private = self._key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = key_id(self.public)

    @classmethod
    def generate(cls) -> HpkeKey:
        """Make a new key from the system's randomness."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_private(cls, private: bytes) -> HpkeKey:
        """Take up the key of 32 private bytes: one of the keyring's, or the archive key."""
        return cls(private)

    def unwrap(self, wrapped: bytes, bound: bytes) -> bytes:
        """Open one HPKE wrap. Raises RemoteProtocolError("bad_seal")."""
        try:
            return _SUITE.decrypt(wrapped, self._key, bound)
        except (InvalidTag, ValueError) as error:
            raise RemoteProtocolError("bad_seal") from error

    def __repr__(self) -> str:
        return f"HpkeKey(public={self.public.hex()})"


class Context(NamedTuple):
    """The place a sealed body belongs to; in another record it does not open."""

    origin: bytes
    key: bytes
    kind: str
    to: bytes

    @property
    def bound(self) -> bytes:
        """The bytes that HPKE (`info`) and the content cipher (associated data) bind."""
        return codec.dumps([TYPE, *self])


def context_of(record: Record) -> Context:
    """The place of a sealed record. Raises RemoteProtocolError("bad_seal") for an open one."""
    if record.to is None:
        raise RemoteProtocolError("bad_seal", "the record is not sealed")
    return Context(record.origin, record.key, record.kind, record.to)


def key_id(public: bytes) -> bytes:
    """Eight bytes by which a reader finds the key a body was sealed to."""
    return hashlib.sha256(public).digest()[:KEY_ID_BYTES]


def seal_body(inner: bytes, *, to_public: bytes, archive_public: bytes, context: Context) -> bytes:
    """Encrypt `inner` for the addressee and for the author's archive.

    Raises RemoteProtocolError("bad_public_key") if nobody can seal to the key that was published.
    """
    content_key = secrets.token_bytes(KEY_BYTES)
    wraps = [
        [key_id(public), wrap(content_key, public, context.bound)]
        for public in (to_public, archive_public)
    ]
    hidden = lock(content_key, _NONCE, inner, context.bound)
    return codec.dumps({0: TYPE, 1: wraps, 2: hidden})


def open_body(body: bytes, private_keys: Iterable[HpkeKey], context: Context) -> bytes:
    """Decrypt a body with whichever of `private_keys` it was sealed to.

    Raises RemoteProtocolError: bad_cbor or bad_seal (torn, or moved from another record),
    not_readable (sealed to none of these keys).
    """
    wraps, hidden = _parts(body)
    found = [(key, wraps[key.id]) for key in private_keys if key.id in wraps]
    if not found:
        raise RemoteProtocolError("not_readable")
    key, wrapped = found[0]
    content_key = key.unwrap(wrapped, context.bound)
    return unlock(content_key, _NONCE, hidden, context.bound)


def sign_inner(payload: Mapping[int, Any], signing_key: SigningKey) -> bytes:
    """Sign an inner message {0 type, 1 engagement id, 2 from, 3 to, 4 gen, 5 agreement, ...}.

    Signed inside the seal too, else a relay could strip a record's signature and send its body as
    its own. Raises LocalProtocolError("bad_inner").
    """
    raw = codec.dumps(dict(payload))
    _check_inner(payload, LocalProtocolError)
    return codec.sign1_join(raw, signing_key.sign(codec.sign1_message(raw)))


def open_inner(raw: bytes, public: bytes, context: Context | None = None) -> dict[int, Any]:
    """Read an inner message signed by `public`; with `context`, check that it belongs there.

    Raises RemoteProtocolError: bad_cose, bad_cbor, bad_inner, bad_signature, not_yours.
    """
    payload, signature = codec.sign1_split(raw)
    if not keys.verify(public, signature, codec.sign1_message(payload)):
        raise RemoteProtocolError("bad_signature", "inside the seal")
    fields = codec.loads(payload)
    _check_inner(fields, RemoteProtocolError)
    if context is not None:
        said = (fields[INNER_FROM], fields[INNER_TO], fields[INNER_TYPE])
        if said != (context.origin, context.to, context.kind):
            raise RemoteProtocolError("not_yours")
    return dict(fields)


def seal_message(
    payload: Mapping[int, Any],
    signing_key: SigningKey,
    *,
    to_public: bytes,
    archive_public: bytes,
    context: Context,
) -> bytes:
    """Make the body of a sealed record; type, sender and addressee are taken from `context`."""
    named = {INNER_TYPE: context.kind, INNER_FROM: context.origin, INNER_TO: context.to}
    inner = sign_inner({**payload, **named}, signing_key)
    return seal_body(inner, to_public=to_public, archive_public=archive_public, context=context)


def open_message(record: Record, private_keys: Iterable[HpkeKey], public: bytes) -> dict[int, Any]:
    """Read the inner message of a sealed record whose own signature was verified under `public`.

    Raises RemoteProtocolError as `open_body` and `open_inner` do.
    """
    context = context_of(record)
    return open_inner(open_body(record.body, private_keys, context), public, context)


# ── the primitives, for `stream` as well ─────────────────────────────────────────────────────────


def lock(key: bytes, nonce: bytes, plain: bytes, bound: bytes) -> bytes:
    """Encrypt with ChaCha20-Poly1305 (RFC 8439): 32 bytes of key, 12 of nonce, a tag of 16 more.

    A nonce serves one plaintext of its key; `bound` is the associated data.
    """
    return ChaCha20Poly1305(key).encrypt(nonce, plain, bound)


def unlock(key: bytes, nonce: bytes, hidden: bytes, bound: bytes) -> bytes:
    """Decrypt what `lock` made. Raises RemoteProtocolError("bad_seal")."""
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, hidden, bound)
    except (InvalidTag, ValueError) as error:
        raise RemoteProtocolError("bad_seal") from error


def wrap(content_key: bytes, public: bytes, bound: bytes) -> bytes:
    """Seal a content key to one reader by HPKE, `bound` being its info.

    Raises RemoteProtocolError("bad_public_key") if nobody can seal to that key.
    """
    try:
        return _SUITE.encrypt(content_key, X25519PublicKey.from_public_bytes(public), bound)
    except ValueError as error:  # wrong length, or a point that gives the same secret to everyone
        raise RemoteProtocolError("bad_public_key", "nobody can seal to it") from error


def _parts(body: bytes) -> tuple[dict[bytes, bytes], bytes]:
    fields = codec.loads(body)
    if type(fields) is not dict or list(fields) != [0, 1, 2] or fields[0] != TYPE:
        raise RemoteProtocolError("bad_seal")
    wraps, hidden = fields[1], fields[2]
    if type(wraps) is not list or len(wraps) != 2 or type(hidden) is not bytes:
        raise RemoteProtocolError("bad_seal")
    for wrap in wraps:
        if type(wrap) is not list or [type(part) for part in wrap] != [bytes, bytes]:
            raise RemoteProtocolError("bad_seal")
        if (len(wrap[0]), len(wrap[1])) != (KEY_ID_BYTES, WRAPPED_BYTES):
            raise RemoteProtocolError("bad_seal")
    return {wrap[0]: wrap[1] for wrap in wraps}, hidden


def _check_inner(fields: Any, fault: type[LocalProtocolError] | type[RemoteProtocolError]) -> None:
    """The six fields every inner message begins with."""
    forms: tuple[tuple[int, type, int | None], ...] = (  # number, type, exact length in bytes
        (INNER_TYPE, str, None),
        (INNER_ENGAGEMENT, bytes, ENGAGEMENT_BYTES),
        (INNER_FROM, bytes, 32),
        (INNER_TO, bytes, 32),
        (INNER_GEN, int, None),
        (INNER_AGREEMENT, int, None),
    )
    for number, kind, length in forms:
        value: Any = fields.get(number) if isinstance(fields, Mapping) else None
        is_of_kind = type(value) is kind
        if not is_of_kind or (length is not None and len(value) != length):
            raise fault("bad_inner", f"field {number}")
