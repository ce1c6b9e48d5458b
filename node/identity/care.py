"""The care of the keys: what a node does for them by itself, hourly and when it starts."""

import logging
from typing import Any

from node.domain.errors import Conflict
from node.identity import resign
from node.journal import keychain, restoring
from node.journal.keyring import Keyring, KeyringError
from node.store.database import write_tx
from node.store.sets import keysets

log = logging.getLogger(__name__)


def care(town: Any) -> None:
    """Finish a rotation that was cut, renew the monthly sealing key, tell the partners of it."""
    with write_tx():
        keychain.in_force(town.journal.keys, town.journal.store)
    renew_sealing_key(town)
    if restoring.is_restoring():
        return
    town.publish_profile()
    if resign.pending(town.journal):
        resign.resign_all(town)


def freshen(town: Any) -> None:
    """Do what is due before anyone comes in; a town that cannot sign now is served all the same.

    Its desk says why nothing can be signed (an old key file, a wrong clock).
    """
    try:
        renew_sealing_key(town)
        town.publish_profile()
    except (Conflict, KeyringError) as error:
        log.warning("nothing can be signed now: %s", error)


def needs_care(town: Any) -> bool:
    """Return whether there is something to do; only reads."""
    ring: Keyring = town.keyring
    now_ms = town.clock.now_ms()
    return ring.rotated_hpke(now_ms) is not ring or bool(resign.pending(town.journal))


def renew_sealing_key(town: Any) -> bool:
    """Put this month's sealing key into the key file; return whether a new one was due.

    The older ones stay, to open what is on its way.
    """
    now_ms = town.clock.now_ms()
    if town.keyring.rotated_hpke(now_ms) is town.keyring:
        return False
    with write_tx():  # one process at a time, and never between the two steps of a rotation
        held = Keyring.load(town.home)
        fresh = held.rotated_hpke(now_ms)
        if fresh is held:
            return False
        fresh.save(town.home)
    log.info("a new sealing key for this month")
    return True


def settle(town: Any) -> None:
    """Bring the database up to the key file when the town is opened, if it fell behind."""
    if keysets.newest(town.id)[1] == town.keyring.keyset.id:
        return
    try:
        with write_tx():
            keychain.in_force(town.journal.keys, town.journal.store)
    except (Conflict, KeyringError) as error:
        log.warning("the keys of this town: %s", error)
