"""The notary: remembers what was signed or found right here, so that it is not worked out twice.

Two thirds of a history would go into Ed25519. Signing is deterministic and a key read once stays
readable, so an answer remembered is the one the library would give; it is asked for any other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from federation import keys
from federation.keys import SigningKey


@contextmanager
def remembering() -> Iterator[None]:
    """Remember signatures and public keys for the block."""
    known: dict[bytes, tuple[bytes, bytes]] = {}
    sign, verify, check_public = SigningKey.sign, keys.verify, keys.check_public

    def signed(key: SigningKey, message: bytes) -> bytes:
        signature = sign(key, message)
        known[signature] = (key.public, message)
        return signature

    def verified(public: bytes, signature: bytes, message: bytes) -> bool:
        if known.get(signature) == (public, message):
            return True
        is_right = verify(public, signature, message)
        if is_right:
            known[signature] = (public, message)
        return is_right

    SigningKey.sign = signed  # type: ignore[method-assign]
    keys.verify, keys.check_public = verified, lru_cache(4096)(check_public)
    try:
        yield
    finally:
        SigningKey.sign = sign  # type: ignore[method-assign]
        keys.verify, keys.check_public = verify, check_public
