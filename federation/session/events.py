"""The events of a session: what either end tells its node, and the counts of a visit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from federation.limits import CBOR, READ
from federation.messages import Introduction


class Request(NamedTuple):
    """What a visitor asks next."""

    path: str
    body: bytes
    content_type: str = CBOR

    @property
    def method(self) -> str:
        """GET for what is named by its hash, POST for all else."""
        return "GET" if self.path.startswith(READ) else "POST"


class Outcome(NamedTuple):
    """What became of one record that crossed; the origin is known where that matters: refused."""

    id: bytes
    code: str
    origin: bytes | None = None


class PeerSeen(NamedTuple):
    """The other end named the mark of its last restore, its clock and its day."""

    gen: int
    clock_ms: int
    as_of: int


class Introduced(NamedTuple):
    """All the towns the host introduces to us, in place of those it introduced before."""

    introductions: tuple[Introduction, ...]
    digest: bytes  # to be given to the next visit, so that they are told once


class Keysets(NamedTuple):
    """Keysets came: a code for each."""

    codes: tuple[str, ...]


class Checkpoints(NamedTuple):
    """Checkpoints came: a code for each."""

    codes: tuple[str, ...]


class Gave(NamedTuple):
    """The host gave these records to its visitor; it did not say that they arrived."""

    ids: tuple[bytes, ...]


class Hinted(NamedTuple):
    """Both ends are equal: what to begin the next visit to this peer with."""

    token: bytes
    arrival: int


class Differs(NamedTuple):
    """A set that is not equal, with the number of records at either end."""

    origin: bytes
    scope: int
    ours: int
    theirs: int


class Received(NamedTuple):
    """Records came and were judged here."""

    outcomes: tuple[Outcome, ...]


class Sent(NamedTuple):
    """Records went and were judged there."""

    outcomes: tuple[Outcome, ...]


class Undelivered(NamedTuple):
    """The host listed these records and did not bring them."""

    ids: tuple[bytes, ...]


class Unasked(NamedTuple):
    """The host brought records nobody asked for; they were dropped unread."""

    records: int


@dataclass
class Tally:
    """The counts of one visit."""

    exchanges: int = 0
    rounds: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    received: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    undelivered: int = 0
    unasked: int = 0


class Done(NamedTuple):
    """The visit is over. `code` is empty if nothing cut it short, else why it is not complete."""

    code: str
    tally: Tally


Event = (
    PeerSeen
    | Introduced
    | Keysets
    | Checkpoints
    | Gave
    | Hinted
    | Differs
    | Received
    | Sent
    | Undelivered
    | Unasked
    | Done
)


class Answer(NamedTuple):
    """What a host sends back, and what its node may want to know of it."""

    body: bytes
    content_type: str = CBOR
    events: tuple[Event, ...] = ()
    status: int = 200
