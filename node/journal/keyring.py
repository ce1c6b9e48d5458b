"""The keys a town keeps in its house: everything but the root, which is printed and put away.

File `town.keys` (deterministic CBOR, mode 0600, replaced in one step):
{1: genesis keyset, 2: current keyset, 3: signing seed, 4: [[made at ms, HPKE private], ...] newest
first, 5: archive private key, 6: secret for the town's own HMACs}. SPEC 2 and 5.
"""

import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from federation import codec
from federation.errors import ProtocolError
from federation.keys import SigningKey, root_to_archive, to_words
from federation.keyset import Keyset, genesis, parse_keyset, verify_chain
from federation.seal import HpkeKey
from node.store.durable import sync_file

FILE = "town.keys"
HPKE_ROTATION_DAYS = 30
HPKE_KEPT_DAYS = 430  # a sealed record may be opened as long as it can be valid
DAY_MS = 86_400_000


class KeyringError(Exception):
    """The key file is missing, unreadable or not a key file; the sentence says which."""


@dataclass(frozen=True)
class Keyring:
    """The operational keys of one town."""

    genesis: Keyset
    keyset: Keyset
    signing: SigningKey
    hpke_made: tuple[tuple[int, HpkeKey], ...]
    archive: bytes
    secret: bytes

    @property
    def town(self) -> bytes:
        """Return the town id, 32 bytes."""
        return self.genesis.town

    @property
    def hpke(self) -> tuple[HpkeKey, ...]:
        """Return the sealing keys, newest first."""
        return tuple(key for _, key in self.hpke_made)

    @classmethod
    def create(cls, home: Path, now_ms: int) -> tuple["Keyring", list[str]]:
        """Make the keys of a new town, write them to `home`, return them with the recovery words.

        The root exists only in the words returned (24, French list). Raises KeyringError where a
        key file exists already.
        """
        if (home / FILE).exists():
            raise KeyringError(f"{home / FILE} exists: this folder already holds a town")
        root = secrets.token_bytes(32)
        signing = SigningKey.generate()
        first = genesis(root, signing.public, now_ms // 1000)
        made = ((now_ms, HpkeKey.generate()),)
        ring = cls(first, first, signing, made, root_to_archive(root), secrets.token_bytes(32))
        ring.save(home)
        return ring, to_words(root)

    @classmethod
    def load(cls, home: Path) -> "Keyring":
        """Read the keys of the town in `home`; raises KeyringError."""
        try:
            return cls.from_bytes((home / FILE).read_bytes())
        except FileNotFoundError:
            raise KeyringError(f"{home / FILE} is missing: run `lavoir init` first") from None
        except OSError as error:
            raise KeyringError(f"{home / FILE} cannot be read: {error}") from error
        except KeyringError as error:
            raise KeyringError(f"{home / FILE}: {error}") from error

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Keyring":
        """Read a key file's bytes, whose keys must belong together; raises KeyringError."""
        try:
            tree = cast(dict[int, Any], codec.loads(raw))
            ring = cls(
                genesis=parse_keyset(tree[1]),
                keyset=parse_keyset(tree[2]),
                signing=SigningKey.from_seed(tree[3]),
                hpke_made=tuple((int(made), HpkeKey.from_private(key)) for made, key in tree[4]),
                archive=bytes(tree[5]),
                secret=bytes(tree[6]),
            )
            verify_chain(ring.genesis, ring.keyset)
        except (ProtocolError, KeyError, TypeError, ValueError) as error:
            raise KeyringError(f"this is not a whole key file: {error}") from error
        if ring.signing.public != ring.keyset.signing or not ring.hpke_made:
            raise KeyringError("these keys do not belong together")
        return ring

    def to_bytes(self) -> bytes:
        """Return the bytes of the key file: secret, whoever holds them speaks for the town."""
        tree = {
            1: self.genesis.raw,
            2: self.keyset.raw,
            3: self.signing.seed,
            4: [[made, key.private] for made, key in self.hpke_made],
            5: self.archive,
            6: self.secret,
        }
        return codec.dumps(tree)

    def save(self, home: Path) -> None:
        """Write the key file so that a power cut leaves the old or the new one, never half.

        Raises KeyringError where the disk refuses; the old file stays.
        """
        part = home / (FILE + ".part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(self.to_bytes())
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, home / FILE)
            sync_file(home)
        except OSError as error:
            raise KeyringError(f"{home / FILE} cannot be written: {error.strerror}") from error

    def rotated_hpke(self, now_ms: int) -> "Keyring":
        """Return the keyring with this month's sealing key in front; itself when still fresh."""
        if now_ms - self.hpke_made[0][0] < HPKE_ROTATION_DAYS * DAY_MS:
            return self
        kept = tuple(pair for pair in self.hpke_made if now_ms - pair[0] < HPKE_KEPT_DAYS * DAY_MS)
        return replace(self, hpke_made=((now_ms, HpkeKey.generate()), *kept))
