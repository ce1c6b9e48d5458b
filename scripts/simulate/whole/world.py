"""The world of the whole tier: real towns on their files, and what happens between them."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from federation import limits
from federation.errors import ProtocolError, RemoteProtocolError
from federation.messages import decode_verdicts
from federation.record import Record, parse
from federation.session.view import whole_records
from federation.signature import HttpReply, HttpRequest
from node.domain.errors import DomainError
from node.partners import pairing
from scripts.simulate.chance import Chance
from scripts.simulate.findings import Trace
from scripts.simulate.geography import edges
from scripts.simulate.plan import Plan, Step
from scripts.simulate.whole import promises, rest, rules
from scripts.simulate.whole.house import NAMES, START_MS, attic
from scripts.simulate.whole.place import Place, TownClock
from scripts.simulate.whole.verbs import VERBS
from scripts.simulate.wire import PowerCut, Wire, faults_of

ONE_TO_LEND = 64 + 16 + 1  # read by `deeds.publish`: one copy, lent, its keeper answers


@dataclass
class Link:
    """What a node is given in the place of HTTP."""

    world: "WholeWorld"
    near: str
    url: str

    def send(self, request: HttpRequest, max_bytes: int) -> HttpReply:
        """Carry one request over the wire of the world."""
        return self.world.wire.send(self.near, self.world.at_url[self.url], request, max_bytes)

    def close(self) -> None:
        """Nothing is kept open."""


class WholeWorld:
    """One history of the whole tier."""

    def __init__(self, plan: Plan, chance: Chance, trace: Trace) -> None:
        self.plan, self.chance, self.trace = plan, chance, trace
        self.true_ms = START_MS
        self.wire = Wire(trace, self._deliver, self._crash_there, self._meanwhile)
        self.folder = attic() / f"history-{plan.seed}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.places: list[Place] = []
        self.at_url: dict[str, str] = {}
        for name in NAMES[: plan.towns]:
            self.places.append(self._settled(name))
        self.named = {place.name: place for place in self.places}
        self.by_id = {place.id: place for place in self.places}
        self.records: dict[bytes, Record] = {}
        self.verified: set[tuple[str, bytes]] = set()
        self.erased: set[tuple[bytes, bytes]] = set()
        self.sticks: list[Any] = []
        self.touched: set[str] = set()
        self.agreed: dict[bytes, list[dict[str, Any]]] = {}  # engagement -> what its asker wanted
        self.step = Step(0, "", (0,) * 6)
        self.pairs = [(self.places[one], self.places[other]) for one, other in edges(plan)]
        self.partners: dict[str, set[bytes]] = {place.name: set() for place in self.places}
        for one, other in self.pairs:
            self._pair(one, other)
        self._begin()
        for place in self.places:
            rules.check(self, place)

    def _settled(self, name: str) -> Place:
        clock = TownClock(lambda: self.true_ms)
        place = Place(name, self.folder, clock, lambda url: Link(self, name, url))
        self.at_url[place.url] = name
        return place

    def _pair(self, one: Place, other: Place) -> None:
        """Pair two towns as their admins do: keysets and cards, then the six words."""
        for here, there in ((one, other), (other, one)):
            card = pairing.card(there.town.keyring, there.name, there.url)
            with here.inside() as town:
                pairing._keep(card, town.store, self.true_ms)
                pairing.confirm(there.id, here.clock)
            self.partners[here.name].add(there.id)

    def _begin(self) -> None:
        """Let every town have something to lend, and its partners know of it."""
        for number, place in enumerate(self.places):
            numbers = (number, ONE_TO_LEND + number) * 3
            self.act(VERBS["publish"].do, place, Step(0, "publish", numbers))
        for number, (one, other) in enumerate(self.pairs):
            for place in (one, other):  # a town between two others introduces them
                self.act(VERBS["introduce"].do, place, Step(0, "introduce", (number,) * 6))
        for one, other in self.pairs:
            self.visit(one, other, {})
        for number in range(3):
            self.act(VERBS["accept"].do, self.places[0], Step(0, "accept", (number,) * 6))

    def take(self, step: Step) -> None:
        """Let one thing happen, then look whether every rule still holds."""
        self.step = step
        self.chance.at(step.index)
        self.touched.clear()
        place = self.places[step.pick(0, self.places)]
        self.touched.add(place.name)
        said = self.act(VERBS[step.verb].do, place, step)
        self.trace.tell(step.index, step.verb, place.name, said)
        if said != "nothing":
            self.trace.count(step.verb)
        for name in sorted(self.touched):
            rules.check(self, self.named[name])
            promises.check(self, self.named[name])

    def act(self, do: Any, place: Place, step: Step) -> str:
        """Let something be done; what a person would be refused is told, what is a bug is not."""
        try:
            return str(do(self, place, step))
        except (DomainError, ProtocolError) as error:
            self.trace.count(f"refused: {error.code}")
            return f"refused {error.code}"
        except PowerCut:
            place.crash()
            self.trace.count("power cut")
            return "power cut"

    def visit(self, place: Place, host: Place, faults: dict[int, str]) -> str:
        """Let one town visit another, with these faults; return how it ended."""
        self.wire.begin(dict(faults))
        self.touched |= {place.name, host.name}
        try:
            with place.inside() as town:
                told = town.exchanges.visit(host.id)
        finally:
            self.wire.begin({})
        moved = told.received + told.sent
        self.trace.count(f"visit: {told.outcome}" if told.outcome != "ok" else "visit: ok")
        self.trace.count("visit: with news", bool(moved))
        return f"{told.outcome} {moved}"

    def first_from(self, place: Place, has: Callable[[Place], object]) -> Place:
        """Return the first town from this one on that has what is needed; it, if none has."""
        at = self.places.index(place)
        for each in (*self.places[at:], *self.places[:at]):
            with each.inside():
                if has(each):
                    self.touched.add(each.name)
                    return each
        return place

    def faults(self, step: Step) -> dict[int, str]:
        """Return what goes wrong in the visit of a step."""
        return faults_of(step, 2)

    def verb(self, name: str) -> Any:
        """Return what is done by a verb."""
        return VERBS[name].do

    def rest(self) -> None:
        """Heal everything, and let it come to rest."""
        self.chance.at("rest")
        rest.come_to_rest(self)

    def close(self) -> None:
        """Stop all towns and sweep."""
        for place in self.places:
            place.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ── what the wire calls ──

    def _deliver(self, far: str, request: HttpRequest) -> HttpReply:
        self.touched.add(far)
        place = self.named[far]
        reply = place.answer(request)
        if reply.status >= 500:
            rules.broken("nothing raises", f"{far} answered {reply.status} to {request.path}")
        if request.path == limits.PUSH and reply.status == 200:
            self._note_acknowledged(place, request.body, reply.body)
        return reply

    def _note_acknowledged(self, place: Place, pushed: bytes, answer: bytes) -> None:
        """What a signed answer calls stored must be there from now on."""
        verdicts = decode_verdicts(answer)
        for raw in whole_records(pushed, limits.PUSH_MAX_RECORDS)[0]:
            try:
                record = parse(raw)
            except RemoteProtocolError:
                continue
            if verdicts.get(record.id) == "stored":
                rules.acknowledge(place, record)

    def _crash_there(self, far: str, request: HttpRequest) -> HttpReply:
        """The host dies somewhere in its answer, before or after it committed."""
        place = self.named[far]
        self.touched.add(far)
        try:
            with place.doomed(1 + self.step.numbers[4] % 60):
                place.answer(request)
        except PowerCut:
            self.trace.count("died inside its answer")
        place.crash()
        raise RemoteProtocolError("unreachable", "it crashed")

    def _meanwhile(self) -> None:
        """Somebody else does something while a visit is under way."""
        kept = self.wire.faults, self.wire.exchanges
        other = self.places[self.step.numbers[5] % len(self.places)]
        self.touched.add(other.name)
        verb = ("publish", "revise", "ask", "keeper_acts")[self.step.numbers[5] // 16 % 4]
        self.act(VERBS[verb].do, other, self.step)
        self.wire.faults, self.wire.exchanges = kept
