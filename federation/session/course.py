"""The course of one visit: what its steps share, and what a step is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from federation import limits
from federation.admission import REFUSED
from federation.checkpoint import Vouch
from federation.messages import Row
from federation.port import RecordStore
from federation.session.events import Differs, Event, Outcome, Tally
from federation.session.pages import Offered, Wanted, hopeless
from federation.session.view import Admit, AdmitVouched, View, judged
from federation.vouching import admit_checkpoint

BAD_SIGNATURE: Final = REFUSED + "bad_signature"


@dataclass
class Course:
    """What the steps of one visit share: both ends, and what one step leaves to the next."""

    store: RecordStore
    admit: Admit
    me: bytes
    peer: bytes
    gen: int
    now_ms: int
    view: View
    wanted: Wanted
    offered: Offered
    tally: Tally = field(default_factory=Tally)
    keysets_differ: list[bytes] = field(default_factory=list)
    sets_differ: list[Differs] = field(default_factory=list)
    theirs: dict[tuple[bytes, int], Row] = field(default_factory=dict)  # the sets that differ
    admit_vouched: AdmitVouched | None = None  # None: no checkpoint vouches for anything
    checkpoints: list[bytes] = field(default_factory=list)  # came, and wait for their keysets
    told: list[bytes] = field(default_factory=list)  # checkpoints of ours that are newer
    token: bytes = b""  # the peer's, for the next visit
    bad_signatures: int = 0
    code: str = ""  # the first reason why the sets may still differ afterwards
    is_over: bool = False

    def receive(self, raws: Sequence[bytes], vouch: Vouch | None = None) -> tuple[Outcome, ...]:
        """Judge records that came. Twenty bad signatures end the visit, those aside for which
        their origin vouched: its carrier could not know.
        """
        if vouch is None or self.admit_vouched is None:
            verdicts = self.admit(raws, self.peer, self.now_ms)
        else:
            verdicts = self.admit_vouched(raws, vouch, self.peer, self.now_ms)
        outcomes = judged(raws, verdicts)
        self.tally.received.update(each.code for each in outcomes)
        self.wanted.leave(hopeless(outcomes))
        excused = vouch.ids if vouch else frozenset()
        bad = (each.id for each in outcomes if each.code == BAD_SIGNATURE)
        self.bad_signatures += sum(one not in excused for one in bad)
        if self.bad_signatures >= limits.BAD_SIGNATURES_MAX:
            self.end("too_many_bad_signatures")
        return outcomes

    def take_checkpoints(self) -> tuple[str, ...]:
        """Judge the checkpoints that came, once the keysets they need are here."""
        raws, self.checkpoints = self.checkpoints, []
        return tuple(admit_checkpoint(raw, self.store, self.now_ms, self.peer) for raw in raws)

    def settle(self) -> None:
        """Look again at what is held here, and leave out the sets that are equal by now."""
        self.view = View(self.store, self.peer, self.view.as_of)
        self.sets_differ = [
            each
            for each in self.sets_differ
            if self.view.rows.get((each.origin, each.scope)) != self.theirs[each.origin, each.scope]
        ]

    def note(self, code: str) -> None:
        """The visit goes on, but is not complete."""
        self.code = self.code or code

    def end(self, code: str) -> None:
        """The visit stops here."""
        self.note(code)
        self.is_over = True


class Step(Protocol):
    """One state of a visit."""

    path: str
    content_type: str

    def ask(self) -> bytes | None:
        """The next body to send; None when this step has nothing more to ask."""

    def take(self, body: bytes) -> list[Event]:
        """What an answer means. Raises RemoteProtocolError."""
