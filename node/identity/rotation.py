"""The rotation: a new signing key for our town, by the 24 words (SPEC 3.6).

    key file saved ──▶ keyset committed ──▶ everything in life signed again, batch by batch
The key file is replaced inside the transaction that keeps the keyset, just before its commit. Cut
between the two, the file is ahead of the database, and `in_force` brings the database up to date at
the next start, signature or run of the job. So the old key speaks or the new one, never none.
"""

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

from federation.errors import LocalProtocolError
from federation.keys import SigningKey
from federation.keyset import COMPROMISE, ROUTINE, next_keyset
from federation.seal import HpkeKey
from node.domain.clock import Clock
from node.identity.recovery import recovered
from node.journal import keychain, restoring, signing
from node.journal.keyring import FILE as KEYS
from node.journal.keyring import Keyring, KeyringError
from node.store import audit
from node.store.database import write_tx
from node.store.network import partners
from node.store.sets import foreign, keysets
from node.store.sets.record_store import SqlRecordStore

UNREADABLE = ".unreadable"


def rotate(
    town: Any, root_seed: bytes, *, is_stolen: bool = False, keep_returned: bool = False, by: str
) -> Keyring:
    """Put a new signing key in force; `resign_all` comes after it.

    `is_stolen`: the old one may be in foreign hands, so is all its file held: records under it die
    at once everywhere, sealing key and secret are new as well, and `resign_all` drops what other
    towns brought home under it unless `keep_returned`.

    Raises LocalProtocolError("broken_chain") for the words of another town, Conflict("clock",
    "restoring", "old_keys"), KeyringError (the disk).
    """
    journal = town.journal
    if is_stolen and keep_returned:
        foreign.vouch(journal.town)
    with write_tx():
        if is_stolen:
            _explain_strangers(town.clock)
        signing.fresh_stamp(town.clock)  # the clock is right and nothing is being restored
        held = keychain.in_force(journal.keys, journal.store)
        fresh = _next(held, root_seed, town.clock.now_ms(), is_stolen)
        journal.store.add_keyset(fresh.keyset)
        reason = fresh.keyset.reason
        audit.note("key.rotate", at_ms=town.clock.now_ms(), actor=by, detail=reason)
        partners.hasten(town.clock.now_ms())
        fresh.save(town.home)
    return fresh


def check_root(ring: Keyring, root_seed: bytes) -> None:
    """Raise LocalProtocolError("broken_chain") unless the seed is that of the town's root."""
    if SigningKey.from_seed(root_seed).public != ring.genesis.root:
        raise LocalProtocolError("broken_chain", "these words belong to another town")


def _next(held: Keyring, root_seed: bytes, now_ms: int, is_stolen: bool) -> Keyring:
    signing_key = SigningKey.generate()
    number = max(now_ms // 1000, held.keyset.number + 1)
    reason = COMPROMISE if is_stolen else ROUTINE
    keyset = next_keyset(root_seed, held.keyset, signing_key.public, number, reason)
    fresh = replace(held, keyset=keyset, signing=signing_key)
    if not is_stolen:
        return fresh
    made = ((now_ms, HpkeKey.generate()), *held.hpke_made)
    return replace(fresh, hpke_made=made, secret=secrets.token_bytes(32))


def _explain_strangers(clock: Clock) -> None:
    """Leave a restore mode that began because somebody signed in our name: that was the thief."""
    held = restoring.state()
    if held is not None and held.why in restoring.BY_HAND:
        restoring.finish(clock.now_ms())


def recover(home: Path, root_seed: bytes, clock: Clock, *, by: str) -> Keyring:
    """Write a new key file for the town whose database is current: the old one is lost.

    A file that cannot be read is put aside. Raises KeyringError where a whole key file is
    there, and where the words are of no town, or of a partner.
    """
    _no_keys_in(home)
    town = _town_of(SigningKey.from_seed(root_seed).public)
    with write_tx():
        now_ms = clock.now_ms()
        ring = recovered(root_seed, keysets.of_town(town), now_ms)
        SqlRecordStore(town, now_ms=now_ms).add_keyset(ring.keyset)
        audit.note("key.recover", at_ms=now_ms, actor=by)
        if (home / KEYS).exists():
            (home / KEYS).replace(home / (KEYS + UNREADABLE))
        ring.save(home)
    return ring


def _no_keys_in(home: Path) -> None:
    """Raise KeyringError where the key file is whole and no older than the database."""
    try:
        held = Keyring.load(home)
    except KeyringError:
        return
    number, keyset_id = keysets.newest(held.town)
    if number >= held.keyset.number and keyset_id != held.keyset.id:
        return
    raise KeyringError(f"{home / KEYS} is whole: `lavoir key rotate` replaces a key")


def _town_of(root: bytes) -> bytes:
    """Return the town of this database with that root; raises KeyringError."""
    known = {
        town: held for town, held in keysets.by_town().items() if held and held[0].root == root
    }
    for town in known:
        if partners.find(town) is None:
            return town
    if known:
        raise KeyringError("these words belong to a partner of this town")
    raise KeyringError("these words belong to another town")
