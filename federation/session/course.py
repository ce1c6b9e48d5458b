"""The course of one visit: what its steps share, and what a step is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from federation.session.events import Differs, Event, Tally
from federation.session.pages import Offered, Wanted
from federation.session.view import Admit, View
from federation.store import RecordStore


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
    code: str = ""  # the first reason why the sets may still differ afterwards
    is_over: bool = False

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
