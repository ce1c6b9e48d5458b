"""The wire between two towns: what is said on it can be lost, torn, doubled, late or overheard.

The faults of a visit are named before it by the number of the exchange they strike. Whatever
crossed is kept for a while: anybody on the way could say it again.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from federation.errors import RemoteProtocolError
from federation.signature import HttpReply, HttpRequest
from scripts.simulate.findings import Trace
from scripts.simulate.plan import Step

KINDS = (
    "lost request",
    "lost answer",
    "torn answer",
    "doubled request",
    "late request",
    "crash here",
    "crash there",
    "meanwhile",
)
OVERHEARD = 60
FIRST_EXCHANGES = 6  # faults strike one of these: most visits have no more


class PowerCut(BaseException):
    """A process ends here, in the middle of whatever it did; nothing of it runs any more."""


class Said(NamedTuple):
    """A request that crossed: to which town, and its bytes."""

    to: str
    request: HttpRequest


def faults_of(step: Step, at: int) -> dict[int, str]:
    """Return {exchange: kind of fault} of a visit: mostly none, else one or two."""
    number = step.numbers[at]
    first, second = step.numbers[at + 1], step.numbers[at + 2]
    if number % 5 < 2:
        return {}
    drawn = {1 + first % FIRST_EXCHANGES: KINDS[(first >> 8) % len(KINDS)]}
    if number % 5 == 4:
        drawn[1 + second % FIRST_EXCHANGES] = KINDS[(second >> 8) % len(KINDS)]
    return drawn


@dataclass
class Wire:
    """All the ways between the towns of a world."""

    trace: Trace
    deliver: Callable[[str, HttpRequest], HttpReply]
    crash: Callable[[str, HttpRequest], HttpReply]  # delivers, and the process there ends midway
    meanwhile: Callable[[], None]  # something else happens before the answer
    cuts: set[frozenset[str]] = field(default_factory=set)
    down: set[str] = field(default_factory=set)
    faults: dict[int, str] = field(default_factory=dict)
    exchanges: int = 0
    overheard: deque[Said] = field(default_factory=lambda: deque(maxlen=OVERHEARD))
    late: list[Said] = field(default_factory=list)

    def begin(self, faults: dict[int, str]) -> None:
        """Prepare the faults of one visit."""
        self.faults, self.exchanges = faults, 0

    def send(self, near: str, far: str, request: HttpRequest, max_bytes: int) -> HttpReply:
        """Carry one request. Raises RemoteProtocolError, and PowerCut if `near` ends here."""
        if frozenset((near, far)) in self.cuts or far in self.down:
            self.trace.count("fault: unreachable")
            raise RemoteProtocolError("unreachable", far)
        self.exchanges += 1
        said = Said(far, request)
        self.overheard.append(said)
        fault = self.faults.pop(self.exchanges, "")
        if fault:
            self.trace.count(f"fault: {fault}")
            self.trace.tell("fault", near, far, fault, request.path)
        reply = self._struck(fault, said) if fault else self.deliver(far, request)
        if len(reply.body) > max_bytes:
            raise RemoteProtocolError("too_large", f"{len(reply.body)} bytes")
        return reply

    def _struck(self, fault: str, said: Said) -> HttpReply:
        """Carry a request that meets a fault."""
        if fault == "lost request":
            raise RemoteProtocolError("unreachable", "lost")
        if fault == "late request":
            self.late.append(said)
            raise RemoteProtocolError("timeout", "late")
        if fault == "crash there":
            return self.crash(said.to, said.request)
        reply = self.deliver(said.to, said.request)
        if fault == "lost answer":
            raise RemoteProtocolError("timeout", "lost")
        if fault == "crash here":
            raise PowerCut
        if fault == "torn answer":
            return replace(reply, body=reply.body[: len(reply.body) // 2])
        if fault == "doubled request":
            self.deliver(said.to, said.request)
        if fault == "meanwhile":
            self.meanwhile()
        return reply

    def say_again(self, number: int) -> Said | None:
        """Deliver something overheard once more, out of its order; nobody waits for the answer."""
        heard = list(self.overheard)
        return self._whisper(heard[number % len(heard)]) if heard else None

    def say_late(self, number: int) -> Said | None:
        """Deliver a request that was on its way all the time."""
        return self._whisper(self.late.pop(number % len(self.late))) if self.late else None

    def _whisper(self, said: Said) -> Said | None:
        if said.to in self.down:
            return None
        self.deliver(said.to, said.request)
        return said
