"""The standing of our keys: which are in force, since when, what is still to do, who knows it."""

from dataclasses import dataclass
from typing import Any

from federation.keyset import Keyset
from node.identity import resign
from node.journal.keyring import HPKE_ROTATION_DAYS
from node.store.network import partners
from node.store.network.partners import Partner
from node.store.sets import keysets, rivals

FROZEN = "frozen"  # what a partner answers that holds two keysets of ours with one number


@dataclass(frozen=True)
class Standing:
    """What an administrator may want to know of the keys.

    in_force      the newest keyset known of our town; history: all of them, newest first
    is_behind     the key file holds an older keyset: nothing can be signed
    sealing       [(made at ms, first 8 bytes of the public key's hash), ...] newest first
    pending       records of ours still under an older key
    told          [(partner, whether it knows the newest keyset), ...] by name
    frozen_at     partners that refuse us until their admin has spoken
    rivals        keysets of our own that contradict one we hold
    signs_with    the id of the keyset the key file of this machine holds
    """

    town: bytes
    in_force: Keyset
    history: tuple[Keyset, ...]
    is_behind: bool
    sealing: tuple[tuple[int, bytes], ...]
    pending: int
    told: tuple[tuple[Partner, bool], ...]
    frozen_at: tuple[Partner, ...]
    rivals: tuple[Keyset, ...]
    signs_with: bytes

    @property
    def since_ms(self) -> int:
        """Return since when the keyset is in force (UTC ms)."""
        return self.in_force.number * 1000

    @property
    def next_sealing_ms(self) -> int:
        """Return when the sealing key is renewed next (UTC ms)."""
        return self.sealing[0][0] + HPKE_ROTATION_DAYS * 86_400_000


def standing(town: Any) -> Standing:
    """Return how the keys of a town stand; expects its database to be current."""
    ring = town.keyring
    held = keysets.of_town(town.id) or [ring.keyset]
    active = partners.listed(*partners.LINKED)
    return Standing(
        town=town.id,
        in_force=held[-1],
        history=tuple(reversed(held)),
        is_behind=held[-1].id != ring.keyset.id,
        sealing=tuple((made_ms, key.id) for made_ms, key in ring.hpke_made),
        pending=resign.pending(town.journal),
        told=tuple((row, knows(row, held[-1])) for row in active),
        frozen_at=tuple(row for row in active if row.failures and row.last_error == FROZEN),
        rivals=tuple(rivals.open_of(town.id)),
        signs_with=ring.keyset.id,
    )


def knows(partner: Partner, keyset: Keyset) -> bool:
    """Return whether a partner was reached since a keyset was made: a visit tells it first."""
    return partner.last_ok_ms is not None and partner.last_ok_ms >= (keyset.number + 1) * 1000
