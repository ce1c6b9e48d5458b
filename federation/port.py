"""The port every set of records is kept behind.

A set is the records of one (origin, scope), tombstones included, less those out of life on the
agreed day `as_of` (a UTC day number). What a peer may see follows from who it is, never from what
it asks.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from federation.checkpoint import Checkpoint
from federation.keyset import Keyset
from federation.record import Record
from federation.sets import Item
from federation.witness import Witness

Register = tuple[bytes, bytes]  # (origin, key)


@dataclass(frozen=True, slots=True)
class SetRow:
    """One line of a summary: enough to see that two sets are equal."""

    origin: bytes
    scope: int
    count: int
    fingerprint: bytes  # 16 bytes, Negentropy V1


class Current(NamedTuple):
    """What admission needs to know of the revision a register holds."""

    stamp: int
    state: int
    id: bytes
    expires: int  # unix seconds
    size_bytes: int
    keyset: int = 0  # its number


class Usage(NamedTuple):
    """What one origin takes up here, and when its allowance of new records is full again."""

    live: int = 0
    size_bytes: int = 0
    full_at_ms: int = 0


class RecordStore(Protocol):
    """What the protocol asks of a place that keeps records. Calls of one batch see one state.

    A record let in on a checkpoint's word is shown to nobody before its own signature was checked
    (`verified`), but to its origin and to whoever brought it.
    """

    @property
    def witness(self) -> Witness:
        """What is kept of the origins' checkpoints."""

    def rows(self, peer: bytes | None, as_of: int) -> list[SetRow]:
        """The sets that authenticated `peer` may see and that are not empty; None: anyone."""

    def items(self, origin: bytes, scope: int, as_of: int, peer: bytes | None = None) -> list[Item]:
        """(seconds since 2020, id) of one set as `peer` may see it, sorted."""

    def covered(self, checkpoint: Checkpoint) -> list[Item]:
        """What is held of the set a checkpoint speaks of, or was held and has left it since."""

    def later(self, checkpoint: Checkpoint) -> int:
        """How many records of its set are younger than a checkpoint."""

    def raws(self, ids: Iterable[bytes], peer: bytes | None) -> dict[bytes, bytes]:
        """The bytes of those of `ids` that are held and that `peer` may see."""

    def arrivals(self) -> int:
        """A number that grows with every record kept: the place of the last in order of arrival."""

    def news(
        self, since: int, peer: bytes, as_of: int, limit: int, towns: Collection[bytes]
    ) -> list[bytes]:
        """The first `limit` records of `towns` that came after arrival `since`, in life on that
        day, that `peer` may see and did not bring; in order of arrival.
        """

    def known(self, ids: Iterable[bytes]) -> set[bytes]:
        """Those of `ids` that need not be fetched: held, or remembered as useless."""

    def current(self, registers: Iterable[Register]) -> dict[Register, Current]:
        """The revision each of `registers` holds, if any."""

    def usage(self, origins: Iterable[bytes]) -> dict[bytes, Usage]:
        """What each of `origins` takes up here (absent: nothing)."""

    def keysets(self, origin: bytes) -> list[Keyset]:
        """The keysets of a town by number: genesis first, the one in force last."""

    def add_keyset(self, keyset: Keyset) -> None:
        """Keep a keyset; a genesis founds its town here. Raises as `keyset.check_next`.

        Records under a keyset that is now compromised are dropped at once, so that a forged stamp
        cannot stand in the way of the true revision signed again.
        """

    def is_accepted(self, origin: bytes) -> bool:
        """Whether the admin accepted that town: ourselves, a partner, or introduced."""

    def accepted(self) -> set[bytes]:
        """All accepted towns, ourselves included."""

    def is_frozen(self, origin: bytes) -> bool:
        """Whether the town signed two keysets with one number."""

    def freeze(self, origin: bytes) -> None:
        """Admit nothing more of that town until its admin speaks."""

    def put(
        self,
        records: Sequence[Record],
        *,
        carrier: bytes = b"",
        unverified: Collection[bytes] = (),
    ) -> None:
        """Keep records that win their registers; whatever they replace is remembered.

        `carrier` brought them; the signatures of those whose ids are `unverified` are to be checked
        before anyone else sees them.
        """

    def unverified(self, limit: int) -> list[bytes]:
        """The bytes of the first `limit` records whose signatures wait to be checked."""

    def verified(self, ids: Iterable[bytes]) -> None:
        """These records' own signatures were found right."""

    def expel(self, records: Iterable[Record]) -> None:
        """Remove records that should never have come in."""

    def spend(self, origin: bytes, full_at_ms: int) -> None:
        """Keep the moment at which the origin's allowance of new records is full again."""

    def remember(self, record_id: bytes, code: str, until: int) -> None:
        """Do not ask for that id again before `until` (unix seconds)."""
