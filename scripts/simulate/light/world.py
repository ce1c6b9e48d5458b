"""The world of the light tier: its towns, who knows whom, and everything that can happen."""

from collections.abc import Callable, Sequence

from federation.errors import RemoteProtocolError
from federation.keyset import parse_keyset
from federation.record import (
    LIVE,
    SCOPE_PARTNERS,
    SCOPE_PUBLIC,
    SCOPE_SEALED,
    SCOPES,
    Draft,
    Record,
    live_until,
    sign,
)
from federation.session import Done, Event, Introduced, Received, Sent
from federation.signature import HttpReply, HttpRequest
from federation.stamp import as_of_day, stamp_at
from scripts.simulate.chance import Chance
from scripts.simulate.findings import Trace
from scripts.simulate.geography import edges
from scripts.simulate.light import rules
from scripts.simulate.light.mishaps import HOUR_MS, Mishaps
from scripts.simulate.light.town import KIND, LightTown, TrueTime
from scripts.simulate.plan import Plan, Step
from scripts.simulate.wire import PowerCut, Wire, faults_of

VERBS = {
    "publish": 6.0,
    "revise": 4.0,
    "bury": 2.5,
    "visit": 16.0,
    "cut": 1.0,
    "heal": 1.0,
    "hours_pass": 2.0,
    "days_pass": 1.0,
    "months_pass": 0.3,
    "skew_clock": 0.6,
    "true_clock": 2.0,
    "copy_house": 1.5,
    "restore": 1.6,
    "crash": 0.5,
    "rotate": 0.5,
    "compromise": 0.2,
    "old_copy_signs": 0.8,
    "fill_stick": 1.0,
    "empty_stick": 1.2,
    "say_again": 1.0,
    "say_late": 1.0,
    "forge": 1.0,
    "introduce": 1.5,
    "accept": 1.5,
    "sweep": 1.0,
}
ALSO = (  # what else must have been met
    "fault: unreachable",
    "clock: 1970",
    "clock: by hours or a day",
    "clock: months or years ahead",
    "expired and swept",
    "verdict: stored",
    "verdict: known",
    "verdict: older",
    "verdict: expired",
    "verdict: quarantined",
    "verdict: refused:bad_signature",
    "verdict: refused:keyset_retired",
    "verdict: refused:not_accepted",
)


class LightWorld(Mishaps):
    """One history of the light tier; `take` a step, then `rest` at the end."""

    def __init__(self, plan: Plan, chance: Chance, trace: Trace) -> None:
        self.chance, self.trace, self.plan = chance, trace, plan
        self.time = TrueTime()
        self.towns = [LightTown(f"T{number}", self.time) for number in range(plan.towns)]
        self.named = {town.name: town for town in self.towns}
        self.by_id = {town.id: town for town in self.towns}
        self.wire = Wire(trace, self._deliver, self._crash_midway, self._meanwhile)
        self.said: dict[bytes, Record] = {}  # every record an origin really signed
        self.stamps: dict[str, int] = {}
        self.sticks: list[tuple[LightTown, LightTown, list[bytes]]] = []
        self.verified: dict[bytes, bytes] = {}
        self.touched: set[str] = set()
        self.step = Step(0, "", (0,) * 6)
        for one, other in edges(plan):
            self._befriend(self.towns[one], self.towns[other])
        self._introduce_some()

    def take(self, step: Step) -> None:
        """Let one thing happen, then look whether every rule still holds."""
        self.step = step
        self.chance.at(step.index)
        self.touched.clear()
        town = self.towns[step.pick(0, self.towns)]
        said = getattr(self, f"_{step.verb}")(town, step)
        self.trace.tell(step.index, step.verb, town.name, said)
        if said != "nothing":
            self.trace.count(step.verb)
        self.touched.add(town.name)
        for name in sorted(self.touched):
            rules.check_town(self, self.named[name])

    def rest(self) -> None:
        """Heal everything and let the towns visit each other until nothing moves."""
        self.chance.at("rest")
        self.wire.cuts.clear()
        for town in self.towns:
            town.clock_off_ms = 0
            town.store.sweep(as_of_day(town.now_ms()))
        rules.come_to_rest(self)

    # ── what a town writes ──

    def _publish(self, town: LightTown, step: Step) -> str:
        scope = (SCOPE_PUBLIC, SCOPE_PUBLIC, SCOPE_PARTNERS, SCOPE_SEALED)[step.numbers[1] % 4]
        readers = sorted(town.partners)
        if not town.may_sign or (scope == SCOPE_SEALED and not readers):
            return "nothing"
        to = readers[step.pick(2, readers)] if scope == SCOPE_SEALED else None
        days = (20, 90, 380, 400)[step.numbers[3] % 4]
        for _ in range(1 + step.numbers[4] % 4):
            self._wrote(town, town.publish(None, scope=scope, to=to, days=days))
        return f"{scope}"

    def _revise(self, _: LightTown, step: Step) -> str:
        town = self._writer(step)
        held = self._live_of(town, step) if town else None
        if town is None or held is None:
            return "nothing"
        self.touched.add(town.name)
        days = (20, 90, 380, 400)[step.numbers[3] % 4]
        self._wrote(town, town.publish(held, scope=0, to=None, days=days))
        return held.key.hex()[:8]

    def _bury(self, _: LightTown, step: Step) -> str:
        town = self._writer(step)
        held = self._live_of(town, step) if town else None
        if town is None or held is None:
            return "nothing"
        self.touched.add(town.name)
        self._wrote(town, town.bury(held))
        return held.key.hex()[:8]

    def _rotate(self, town: LightTown, step: Step, reason: str = "routine") -> str:
        if not town.may_sign:
            return "nothing"
        town.rotate(reason)
        self._sign_again(town)
        return reason

    def _compromise(self, _: LightTown, step: Step) -> str:
        """A thief signs ahead of the truth with the key in force; then the town says so."""
        town = self._writer(step)
        held = self._live_of(town, step) if town else None
        if town is None or held is None:
            return "nothing"
        self.touched.add(town.name)
        forged = Draft(
            origin=town.id, keyset=town.keyset.number, key=held.key,
            stamp=stamp_at(self.time.now_ms + 20 * HOUR_MS), expires=live_until(held.stamp),
            scope=held.scope, kind=KIND, body=b"stolen", to=held.to,
        )  # fmt: skip
        if forged.stamp <= held.stamp or forged.expires < held.expires:
            return "nothing"
        stolen = sign(forged, town.key)
        victim = self.by_id[sorted(town.partners)[step.pick(2, sorted(town.partners))]]
        if not victim.is_restoring:
            victim.admit([stolen.raw], town.id, victim.now_ms())
            self.touched.add(victim.name)
        return self._rotate(town, step, "compromise")

    def _sign_again(self, town: LightTown) -> None:
        """After a rotation everything in life is signed again, tombstones too."""
        mine = [r for s in SCOPES for r in town.store._sets[town.id, s].records.values()]
        day = as_of_day(town.now_ms())
        for held in sorted(mine, key=lambda record: record.stamp):
            if held.keyset != town.keyset.number and held.expires > day * 86_400:
                state = held.state
                self._wrote(town, town.publish(held, scope=0, to=None, days=20, state=state))

    def _wrote(self, town: LightTown, record: Record) -> None:
        rules.check_stamp(self, town, record)
        self.said[record.id] = record
        self.acknowledge(town, record)

    def acknowledge(self, town: LightTown, record: Record) -> None:
        """Note that a town said it has this record, by word or by signature."""
        held = town.acked.get(record.register)
        if held is None or rules.beats(record, held):
            town.acked[record.register] = record

    def _live_of(self, town: LightTown, step: Step) -> Record | None:
        """Some live record of that town."""
        mine = self._mine(town)
        return mine[step.pick(5, mine)] if mine else None

    def _mine(self, town: LightTown) -> list[Record]:
        day_s = as_of_day(town.now_ms()) * 86_400
        own = (r for r in town.held().values() if r.origin == town.id)
        return sorted(r for r in own if r.state == LIVE and r.expires > day_s)

    def _writer(self, step: Step) -> LightTown | None:
        """Some town that may write and has something to change."""
        able = [town for town in self.towns if town.may_sign and self._mine(town)]
        return able[step.pick(0, able)] if able else None

    # ── who meets whom ──

    def _visit(self, town: LightTown, step: Step) -> str:
        peers = sorted(town.partners)
        if not peers:
            return "nothing"
        return self.visit(town, self.by_id[peers[step.pick(1, peers)]], faults_of(step, 2))

    def visit(self, town: LightTown, host: LightTown, faults: dict[int, str]) -> str:
        """Pay one visit with these faults; return how it ended."""
        self.wire.begin(dict(faults))
        self.touched |= {town.name, host.name}
        send: Callable[[HttpRequest, int], HttpReply] = lambda request, most: self.wire.send(  # noqa: E731
            town.name, host.name, request, most
        )
        try:
            events = town.visit(host.id, send)
        except RemoteProtocolError as error:
            self.trace.count(f"visit: {error.code}")
            return error.code
        except PowerCut:
            town.start()
            self.trace.count("visit: power cut")
            return "power cut"
        finally:
            self.wire.begin({})
        self._heard(town, host, events)
        return self._ended(town, events)

    def _heard(self, town: LightTown, host: LightTown, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Sent):
                for each in event.outcomes:
                    if each.code == "stored" and each.id in self.said:
                        self.acknowledge(host, self.said[each.id])
            elif isinstance(event, Received):
                for each in event.outcomes:
                    self.trace.count(f"verdict: {each.code}")
                    if each.code == "stored" and each.id in self.said:
                        self.acknowledge(town, self.said[each.id])
            elif isinstance(event, Introduced):
                town.offers |= {each.town: each for each in event.introductions}

    def _ended(self, town: LightTown, events: Sequence[Event]) -> str:
        done = events[-1]
        assert isinstance(done, Done)
        if town.is_restoring and not done.code:
            own = [r.stamp for r in town.held().values() if r.origin == town.id]
            town.last_stamp = max(town.last_stamp, *own) if own else town.last_stamp
            town.is_restoring = False
        moved = done.tally.received["stored"] + done.tally.sent["stored"]
        self.trace.count("visit: with news" if moved else "visit: nothing new")
        return f"{done.code or 'ok'} {moved}"

    def _befriend(self, one: LightTown, other: LightTown) -> None:
        for here, there in ((one, other), (other, one)):
            here.partners.add(there.id)
            here.store.accept(there.id)
            here.store.add_keyset(there.store.keysets(there.id)[0])

    def _introduce_some(self) -> None:
        """Let half of the towns with a partner in common hold each other already."""
        for between in self.towns:
            for one in sorted(between.partners):
                for other in sorted(between.partners - {one} - self.by_id[one].partners):
                    if self.chance.rng.random() < 0.5:
                        reader, known = self.by_id[one], self.by_id[other]
                        reader.store.accept(other)
                        reader.store.add_keyset(known.store.keysets(other)[0])

    def _introduce(self, town: LightTown, step: Step) -> str:
        peers = sorted(town.partners)
        if len(peers) < 2:
            return "nothing"
        at = step.pick(1, peers)
        known, reader = peers[at], peers[(at + 1 + step.numbers[2] % (len(peers) - 1)) % len(peers)]
        town.introduces.setdefault(reader, set()).add(known)
        return f"{self.by_id[known].name} to {self.by_id[reader].name}"

    def _accept(self, _: LightTown, step: Step) -> str:
        offered = [
            (town, told)
            for town in self.towns
            for name, told in sorted(town.offers.items())
            if not town.store.is_accepted(name)
        ]
        if not offered:
            return "nothing"
        town, told = offered[step.pick(1, offered)]
        self.touched.add(town.name)
        town.store.accept(told.town)
        for raw in told.keysets:
            town.store.add_keyset(parse_keyset(raw))
        return self.by_id[told.town].name

    # ── what the wire calls ──

    def _deliver(self, far: str, request: HttpRequest) -> HttpReply:
        self.touched.add(far)
        return self.named[far].answer(request)

    def _crash_midway(self, far: str, request: HttpRequest) -> HttpReply:
        self._deliver(far, request)
        self.named[far].start()
        raise RemoteProtocolError("unreachable", "it crashed")

    def _meanwhile(self) -> None:
        """Somebody else writes or visits while a visit is under way."""
        kept = self.wire.faults, self.wire.exchanges
        number = self.step.numbers[5]
        other = self.towns[number % len(self.towns)]
        self.touched.add(other.name)
        if number % 3:
            self._publish(other, self.step)
        else:
            self._revise(other, self.step)
        self.wire.faults, self.wire.exchanges = kept
