"""Recovery: from the 24 words and the keysets once published back to a key file (SPEC 3.1, 3.3)."""

import secrets
from collections.abc import Sequence

from federation.errors import LocalProtocolError
from federation.keys import SigningKey, root_to_archive
from federation.keyset import LOST, Keyset, next_keyset, verify_chain
from federation.seal import HpkeKey
from node.journal.keyring import Keyring


def recovered(root_seed: bytes, keysets: Sequence[Keyset], now_ms: int) -> Keyring:
    """Return a whole new keyring for the town whose root the seed is: a keyset of reason "lost".

    `keysets` are those known of the town, in any order, its genesis and the newest at least. The
    archive key is the old one, everything else is new. Raises LocalProtocolError("broken_chain")
    where the words are another town's or no genesis is there, RemoteProtocolError("broken_chain").
    """
    known = sorted(keysets, key=lambda each: each.number)
    if not known or not known[0].is_genesis:
        raise LocalProtocolError("broken_chain", "the town's first keyset is missing")
    first, latest = known[0], known[-1]
    verify_chain(first, latest)
    signing = SigningKey.generate()
    number = max(now_ms // 1000, latest.number + 1)
    return Keyring(
        genesis=first,
        keyset=next_keyset(root_seed, latest, signing.public, number, LOST),
        signing=signing,
        hpke_made=((now_ms, HpkeKey.generate()),),
        archive=root_to_archive(root_seed),
        secret=secrets.token_bytes(32),
    )
