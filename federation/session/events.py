"""The events of a session: what either end tells its node, and the counts of a visit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from federation.limits import CBOR
from federation.messages import Introduction


class Request(NamedTuple):
    """What a visitor asks next."""

    path: str
    body: bytes
    content_type: str = CBOR


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


Event = PeerSeen | Introduced | Keysets | Differs | Received | Sent | Undelivered | Unasked | Done
