"""Keys: who signs, who may be believed, and what the recovery root gives (SPEC.md section 3).

With `seal`, the only door to the cryptography library. Ed25519 is verified without cofactor, R
compared as bytes, S below the group order (RFC 8032 section 5.1.7); weak public keys are refused
beforehand.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.words import from_words, six_words, to_words

__all__ = [
    "KEY_BYTES",
    "SigningKey",
    "check_public",
    "from_words",
    "root_to_archive",
    "six_words",
    "to_words",
    "verify",
]

KEY_BYTES: Final = 32
_ARCHIVE: Final = b"lavoir-archive/1"

_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P  # of the curve -x² + y² = 1 + d x² y²
_ORDER_8: Final = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER_Y: Final = frozenset((0, 1, _P - 1, _ORDER_8, _P - _ORDER_8))


class SigningKey:
    """An Ed25519 key that signs for a town; `seed` is the 32 secret bytes, `public` the others."""

    __slots__ = ("_key", "public", "seed")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != KEY_BYTES:
            raise LocalProtocolError("bad_field", "a signing seed has 32 bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.seed = seed
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def generate(cls) -> SigningKey:
        """Make a new key from the system's randomness."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """Take up the key of a 32-byte seed."""
        return cls(seed)

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of `message`."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()})"


@lru_cache(maxsize=1024)
def _public_key(public: bytes) -> Ed25519PublicKey:
    """Load a key once: loading costs as much as a quarter of a verification."""
    return Ed25519PublicKey.from_public_bytes(public)


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` over `message` is that of `public`, which `check_public` let through."""
    try:
        _public_key(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def check_public(public: bytes) -> bytes:
    """Give back an Ed25519 public key that may be believed.

    Refuses what libraries judge differently or accept for any message: the 14 encodings of points
    of small order, non-canonical encodings, points not on the curve (RFC 8032 section 5.1.3).
    Raises RemoteProtocolError("bad_public_key").
    """
    if len(public) != KEY_BYTES:
        raise RemoteProtocolError("bad_public_key", "not 32 bytes")
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    if y >= _P:
        raise RemoteProtocolError("bad_public_key", "not canonical")
    if y in _SMALL_ORDER_Y:
        raise RemoteProtocolError("bad_public_key", "of small order")
    if not _is_on_curve(y):
        raise RemoteProtocolError("bad_public_key", "not on the curve")
    return public


def _is_on_curve(y: int) -> bool:
    """Whether x² = (y² - 1) / (d y² + 1) has a root, by Euler's criterion."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    return pow(square, (_P - 1) // 2, _P) == 1


def root_to_archive(seed: bytes) -> bytes:
    """Derive the 32 bytes of a town's archive key (X25519 private) from its recovery root.

    HKDF-SHA256 (RFC 5869), no salt, info "lavoir-archive/1": the recovery sheet alone can read back
    what the town sealed.
    """
    if len(seed) != KEY_BYTES:
        raise LocalProtocolError("bad_field", "a root seed has 32 bytes")
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=_ARCHIVE).derive(seed)
