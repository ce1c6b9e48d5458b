"""Chance: while a history runs, every random byte of the process comes from its seed.

Keys, salts, nonces, ids and jitter come from `secrets` and `random`, which are given another
source. HPKE draws its one-use key inside the cryptography library, so sealing is done here by
RFC 9180 with a key from the seed; opening stays the library's.
"""

import hmac
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from federation import seal

_KEM = b"KEM\x00\x20"
_HPKE = b"HPKE\x00\x20\x00\x01\x00\x03"


class Chance:
    """One source of randomness, set anew at each step, so that a dropped step changes no other."""

    def __init__(self, seed: int, tier: str) -> None:
        self.seed, self.tier = seed, tier
        self.rng = random.Random()
        self.at("start")

    def at(self, place: object) -> None:
        """Begin the randomness of a step."""
        name = f"{self.tier} {self.seed} {place}"
        self.rng.seed(name)
        random.seed(name + " module")

    def token_bytes(self, nbytes: int | None = None) -> bytes:
        """Stand for `secrets.token_bytes`."""
        return self.rng.randbytes(32 if nbytes is None else nbytes)

    def token_hex(self, nbytes: int | None = None) -> str:
        """Stand for `secrets.token_hex`."""
        return self.token_bytes(nbytes).hex()

    def choice(self, among: Any) -> Any:
        """Stand for `secrets.choice`."""
        return self.rng.choice(among)


class _Suite:
    """HPKE whose one-use keys come from `secrets`, as everything else does."""

    def __init__(self, real: Any) -> None:
        self.decrypt = real.decrypt

    def encrypt(self, plain: bytes, public: X25519PublicKey, info: bytes) -> bytes:
        """Seal in base mode (RFC 9180, 4.1, 5.1, 5.2, 6.1)."""
        once = X25519PrivateKey.from_private_bytes(secrets.token_bytes(32))
        share, reader = once.public_key().public_bytes_raw(), public.public_bytes_raw()
        prk = _extract(_KEM, b"", b"eae_prk", once.exchange(public))
        shared = _expand(_KEM, prk, b"shared_secret", share + reader, 32)
        bound = b"\x00" + _extract(_HPKE, b"", b"psk_id_hash", b"")
        bound += _extract(_HPKE, b"", b"info_hash", info)
        secret = _extract(_HPKE, shared, b"secret", b"")
        key = _expand(_HPKE, secret, b"key", bound, 32)
        nonce = _expand(_HPKE, secret, b"base_nonce", bound, 12)
        return share + ChaCha20Poly1305(key).encrypt(nonce, plain, b"")


def _extract(suite: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", "sha256")[:length]


@contextmanager
def ruled(seed: int, tier: str) -> Iterator[Chance]:
    """Rule all randomness of this process for the block."""
    chance = Chance(seed, tier)
    names = ("token_bytes", "token_hex", "choice")
    kept = {name: getattr(secrets, name) for name in names}
    suite, state = seal._SUITE, random.getstate()
    for name in names:
        setattr(secrets, name, getattr(chance, name))
    seal._SUITE = _Suite(suite)  # type: ignore[misc, assignment]
    try:
        yield chance
    finally:
        for name, real in kept.items():
            setattr(secrets, name, real)
        seal._SUITE = suite  # type: ignore[misc]
        random.setstate(state)
