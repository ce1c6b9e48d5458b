"""The witness: what a store keeps of the origins' checkpoints, and why it stopped believing one.

Of each set it keeps the newest checkpoint, of each checkpoint the run list if it was needed, and
the ids that left the set since, so that a run still adds up (SPEC.md section 7.4).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Container
from typing import NamedTuple, Protocol

from federation.checkpoint import Checkpoint
from federation.record import Record
from federation.sets import Item
from federation.stamp import end_day, stamp_seconds

SetName = tuple[bytes, int]  # (origin, scope)


class Gap(NamedTuple):
    """An id that was in a set and was replaced: by a revision of stamp `by`."""

    seconds: int
    id: bytes
    stamp: int
    expires: int
    keyset: int
    by: int

    @classmethod
    def of(cls, record: Record, by: int) -> Gap:
        """The gap a record leaves."""
        place = (stamp_seconds(record.stamp), record.id)
        return cls(*place, record.stamp, record.expires, record.keyset, by)

    def is_in(self, checkpoint: Checkpoint, dead: Container[int]) -> bool:
        """Whether that id was in the set when the checkpoint was made, keysets `dead` excepted."""
        was_there = self.stamp < checkpoint.stamp < self.by
        return was_there and end_day(self.expires) > checkpoint.as_of and self.keyset not in dead


class Witness(Protocol):
    """What the protocol asks of a place that keeps checkpoints."""

    def checkpoint(self, origin: bytes, scope: int) -> Checkpoint | None:
        """The newest checkpoint of one set."""

    def checkpoints(self) -> list[Checkpoint]:
        """The newest checkpoint of every set, by origin and scope."""

    def since(self, arrival: int, but: bytes) -> list[Checkpoint]:
        """The newest checkpoints that came after that place in the store's order of arrival, and
        were not brought by the peer `but`.
        """

    def keep(self, checkpoint: Checkpoint, carrier: bytes = b"") -> None:
        """Put a checkpoint in the place of the one of its set; forget gaps it no longer has."""

    def void(self, origin: bytes, scope: int) -> None:
        """Drop the checkpoint of one set: ours no longer says what is true."""

    def runs(self, digest: bytes) -> bytes | None:
        """The run list with that SHA-256."""

    def keep_runs(self, raw: bytes) -> None:
        """Keep a run list for as long as a checkpoint names it."""

    def distrust(self, origin: bytes, why: str, proof: bytes, now_ms: int) -> None:
        """Let no checkpoint of that town vouch until its admin has spoken; keep the first reason
        (a code) and its proof.
        """

    def distrusted(self) -> dict[bytes, str]:
        """{town: code} of those whose checkpoints vouch for nothing."""


class MemoryWitness:
    """A Witness in memory."""

    def __init__(self, arrives: Callable[[], int]) -> None:
        """`arrives()` gives the next place in the store's order of arrival."""
        self._arrives = arrives
        self._arrived: dict[SetName, tuple[int, bytes]] = {}
        self.gaps: dict[SetName, list[Gap]] = defaultdict(list)
        self.proofs: dict[bytes, bytes] = {}
        self._newest: dict[SetName, Checkpoint] = {}
        self._runs: dict[bytes, bytes] = {}
        self._distrusted: dict[bytes, str] = {}

    def checkpoint(self, origin: bytes, scope: int) -> Checkpoint | None:
        return self._newest.get((origin, scope))

    def checkpoints(self) -> list[Checkpoint]:
        return [one for _, one in sorted(self._newest.items(), key=lambda pair: pair[0])]

    def since(self, arrival: int, but: bytes) -> list[Checkpoint]:
        places = ((one, *self._arrived[one.name]) for one in self.checkpoints())
        return [one for one, place, carrier in places if place > arrival and carrier != but]

    def keep(self, checkpoint: Checkpoint, carrier: bytes = b"") -> None:
        self._newest[checkpoint.name] = checkpoint
        self._arrived[checkpoint.name] = self._arrives(), carrier
        name = checkpoint.name
        self.gaps[name] = [gap for gap in self.gaps[name] if gap.by > checkpoint.stamp]
        named = {one.runs for one in self._newest.values()}
        self._runs = {digest: raw for digest, raw in self._runs.items() if digest in named}

    def void(self, origin: bytes, scope: int) -> None:
        self._newest.pop((origin, scope), None)

    def runs(self, digest: bytes) -> bytes | None:
        return self._runs.get(digest)

    def keep_runs(self, raw: bytes) -> None:
        self._runs[hashlib.sha256(raw).digest()] = raw

    def distrust(self, origin: bytes, why: str, proof: bytes, now_ms: int) -> None:
        self._distrusted.setdefault(origin, why)
        self.proofs.setdefault(origin, proof)

    def trust_again(self, origin: bytes) -> None:
        """The admin has spoken."""
        self._distrusted.pop(origin, None)
        self.proofs.pop(origin, None)

    def distrusted(self) -> dict[bytes, str]:
        return dict(self._distrusted)

    def gap_items(self, checkpoint: Checkpoint, dead: Container[int]) -> list[Item]:
        """The places of what has left the set since the checkpoint was made."""
        gaps = self.gaps.get(checkpoint.name, [])
        return [(gap.seconds, gap.id) for gap in gaps if gap.is_in(checkpoint, dead)]
