"""The life of one engagement as a table that refuses to be wrong when it is built.

Rules of the table (ENGAGEMENTS, "What the engine needs"):
1. every state is reachable from the start and can reach a final state by lapses alone;
2. an open state says whose turn it is, has a deadline and the state it lapses to;
3. a final state takes nothing, has no turn and no way out;
4. `withdraw` (from every leavable state) and `revoke` (from every open state) are universal
   and therefore not written in the tables;
5. `refuses_to` names the final state of an ask that home cannot take at all;
6. `waiting` names the state of who waits in line: it holds nothing, it is the clock's turn, and
   its first transition is the clock's `offer` into a state that takes capacity;
7. `propose`, `change`, `accept`, `keep` and `retract` are universal too (`Lifecycle.proposals`):
   a proposal hangs on any open state; where a table writes an `accept` of its own, that counts;
8. a transition that `proposes` puts new terms on the table: the other side can `accept` them;
   one that `amends` changes the terms of what goes on;
9. `holding` names the state of a resident of home who is still choosing: it holds capacity, it is
   their turn, and it opens by `hold`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from node.domain.words import N_

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000

ROLES = ("asker", "keeper", "clock", "staff")
TURNS = ("asker", "keeper", "clock", "both")

CANCELLED = "cancelled"
REVOKED = "revoked"
WITHDRAW = "withdraw"
REVOKE = "revoke"
UNIVERSAL = (WITHDRAW, REVOKE)
ASK = "ask"  # opens in `start`; refused when nothing is free
QUEUE = "queue"  # the same, and waits in line when nothing is free
HOLD = "hold"  # by a resident of home: held for a moment, until they say yes themselves
OFFER = "offer"  # by the clock: what was freed is held for the next in line
ACCEPT = "accept"  # of an offer held for the asker, or of a proposal that names its version
PROPOSE = "propose"  # by the keeper: other terms for what was promised; both are held
CHANGE = "change"  # by the asker: less at once, anything else when the keeper says so
KEEP = "keep"  # the other side says no to a proposal: what was agreed stays
RETRACT = "retract"  # whoever proposed takes it back
PROPOSING = (PROPOSE, CHANGE, ACCEPT, KEEP, RETRACT)
BOTH = "both"  # by either side: whoever did not propose answers, whoever did takes it back


@dataclass(frozen=True)
class Deadline:
    """When a state passes on: so long after a named moment, but not later than `before`.

    The moments are UTC milliseconds the practice derives from the terms; `since` (entry into the
    state) always exists.
    """

    days: int = 0
    hours: int = 0
    minutes: int = 0
    after: str = "since"
    before: str = ""

    def at_ms(self, moments: Mapping[str, int]) -> int:
        """Return the instant in UTC milliseconds; a moment that is missing counts as `since`."""
        base = moments.get(self.after, moments["since"])
        instant = base + self.days * DAY_MS + self.hours * HOUR_MS + self.minutes * MINUTE_MS
        return min(instant, moments[self.before]) if self.before in moments else instant


@dataclass(frozen=True)
class State:
    """One state: its label, whose turn it is, what it holds and how it ends by itself.

    `takes`: it holds capacity. `leavable`: the asker can still withdraw; where goods are out or a
    debt is due, nobody leaves by a word (ENGAGEMENTS, the states marked `!`). `ahead` is the label
    while it is still to come, and `expected` the moment it is then expected at. `remind_hours`
    before the deadline (0: never; several: each time) whoever's turn it is gets a reminder.
    """

    name: str
    label: str
    turn: str = ""
    takes: bool = False
    leavable: bool = True
    deadline: Deadline | None = None
    lapses_to: str = ""
    final: bool = False
    ahead: str = ""
    expected: str = ""
    remind_hours: int | tuple[int, ...] = 0

    @property
    def reminders(self) -> tuple[int, ...]:
        """Return how many hours before the deadline is told of it, the earliest first."""
        told = self.remind_hours if isinstance(self.remind_hours, tuple) else (self.remind_hours,)
        return tuple(sorted({hours for hours in told if hours > 0}, reverse=True))


@dataclass(frozen=True)
class Transition:
    """`action` leads from `before` to `after` when done by `by`; `label` stands on the button.

    `proposes`: the act brings new terms, which hang on the state until they are answered.
    `amends`: the act changes the terms by the practice's own rule (`Engaging.amends`).
    """

    action: str
    before: str
    after: str
    by: str
    label: str
    proposes: bool = False
    amends: bool = False


class LifecycleError(Exception):
    """The table contradicts itself; raised when it is built, never later."""


class Lifecycle:
    """A checked table of states and transitions; immutable once built.

    Raises LifecycleError naming every contradiction found.
    """

    def __init__(
        self,
        name: str,
        *,
        start: str,
        states: Iterable[State],
        transitions: Iterable[Transition],
        refuses_to: str = "declined",
        waiting: str = "",
        holding: str = "",
    ) -> None:
        self.name = name
        self.start = start
        self.refuses_to = refuses_to
        self.waiting = waiting
        self.holding = holding
        given = tuple(states)
        self.states: Mapping[str, State] = MappingProxyType({each.name: each for each in given})
        self.written = tuple(transitions)
        self.transitions = self.written + tuple(self._universal())
        self.proposals = tuple(self._proposals())
        known = (*self.proposals, *self.transitions)
        self._table = {(each.before, each.action): each for each in known}
        faults = list(self._faults())
        if len(self.states) != len(given):
            faults.append("two states share one name")
        if faults:
            raise LifecycleError(f"{name}: " + "; ".join(faults))

    def state(self, name: str) -> State:
        """Return the state called `name`; raises KeyError."""
        return self.states[name]

    def find(self, state: str, action: str) -> Transition | None:
        """Return the transition of `action` from `state`, None if there is none.

        Those about proposals are found too; `transitions` and `actions` leave them out.
        """
        return self._table.get((state, action))

    def actions(self, state: str, role: str) -> tuple[Transition, ...]:
        """Return what `role` may do in `state`, in the order of the table."""
        return tuple(each for each in self.transitions if each.before == state and each.by == role)

    def way_forward(self, state: str) -> Transition | None:
        """Return the first transition written for a state: how it goes on if all goes well."""
        written = (each for each in self.transitions if each.action not in UNIVERSAL)
        return next((each for each in written if each.before == state), None)

    def path(self, state: str) -> tuple[State, ...]:
        """Return the states that come next if all goes well."""
        seen = [state]
        while (way := self.way_forward(seen[-1])) and way.after not in seen:
            seen.append(way.after)
        return tuple(self.states[name] for name in seen[1:])

    def ends_ms(self, state: str, moments: Mapping[str, int]) -> int:
        """Return when it is over at the latest if nobody acts: the last of the lapses, UTC ms.

        `moments` hold `since`, the entry into `state`.
        """
        here, now = self.states[state], dict(moments)
        while here.deadline is not None:
            now["since"] = here.deadline.at_ms(now)
            here = self.states[here.lapses_to]
        return now["since"]

    def taking(self) -> frozenset[str]:
        """Return the names of the states that hold capacity."""
        return frozenset(name for name, state in self.states.items() if state.takes)

    def _universal(self) -> Iterable[Transition]:
        for state in self.states.values():
            if state.final:
                continue
            if state.leavable:
                yield Transition(WITHDRAW, state.name, CANCELLED, "asker", N_("Withdraw"))
            yield Transition(REVOKE, state.name, REVOKED, "keeper", N_("Take back my yes"))

    def _proposals(self) -> Iterable[Transition]:
        """What can be said about other terms, state by state; it leads back to where it began."""
        countered = {each.after for each in self.written if each.proposes}
        for name, state in self.states.items():
            own = {each.action for each in self.written if each.before == name}
            if state.final:
                continue
            if state.takes and (name in countered or ACCEPT not in own):
                yield Transition(PROPOSE, name, name, "keeper", N_("Propose other terms"))
            if ACCEPT in own:
                continue
            if state.takes and state.leavable and CHANGE not in own:
                yield Transition(CHANGE, name, name, "asker", N_("Ask for a change"))
            yield Transition(ACCEPT, name, name, BOTH, N_("Accept the proposal"))
            yield Transition(KEEP, name, name, BOTH, N_("Keep what was agreed"))
            yield Transition(RETRACT, name, name, BOTH, N_("Take the proposal back"))

    def is_agreed(self, state: str) -> bool:
        """Return whether a state holds what both sides said yes to, so that contacts may be told.

        What is only offered, countered or held while choosing is not agreed yet.
        """
        waits = state == self.holding or any(
            each.action == ACCEPT and each.before == state for each in self.written
        )
        return self.states[state].takes and not waits

    def is_undecided(self, state: str) -> bool:
        """Return whether nothing was agreed yet: asked, in line, held while choosing, proposed."""
        if self.states[state].final:
            return False
        answers = {each.before for each in self.written if each.action == ACCEPT}
        asked = {self.waiting, self.holding} | answers
        return state in asked or (state == self.start and not self.states[state].takes)

    def is_countered(self, state: str) -> bool:
        """Return whether a state is one that a counter-proposal led to: only its terms are held."""
        return any(each.proposes and each.after == state for each in self.written)

    def _faults(self) -> Iterable[str]:
        yield from self._unknown_names()
        yield from self._misplaced_finals()
        yield from self._line_faults()
        for state in self.states.values():
            yield from _state_faults(state)
        lapses = {state.name: state.lapses_to for state in self.states.values()}
        yield from (f"{name} is never reached" for name in sorted(set(lapses) - self._reached()))
        for name in lapses:
            if not self._ends(name):
                yield f"{name} never ends by itself"

    def _unknown_names(self) -> Iterable[str]:
        if len({(each.before, each.action) for each in self.transitions}) != len(self.transitions):
            yield "two transitions share one state and action"
        named = {each.before for each in self.transitions} | {self.start, self.refuses_to}
        named |= {each.after for each in self.transitions}
        named |= {state.lapses_to for state in self.states.values() if state.lapses_to}
        named |= {self.waiting, self.holding} - {""}
        yield from (f"unknown state {name}" for name in sorted(named - set(self.states)))
        yield from (f"unknown role {each.by}" for each in self.transitions if each.by not in ROLES)
        yield from (
            f"{each.action or 'an action'} from {each.before} has no name or no label"
            for each in self.transitions
            if not (each.action and each.label)
        )

    def _misplaced_finals(self) -> Iterable[str]:
        finals = {name for name, state in self.states.items() if state.final}
        for each in self.transitions:
            if each.before in finals:
                yield f"{each.before} is final and {each.action} leads out of it"
        if self.start in finals:
            yield f"{self.start} is final and the start"
        if self.refuses_to in set(self.states) - finals:
            yield f"{self.refuses_to} is open and meant for what is refused"

    def _line_faults(self) -> Iterable[str]:
        """What is wrong with the line of those who wait, and with what is put on the table."""
        state = self.states.get(self.waiting)
        if state is not None:
            offer = self.find(self.waiting, OFFER)
            held = self.states.get(offer.after) if offer and offer.by == "clock" else None
            if state.takes or state.final or state.turn != "clock":
                yield f"{self.waiting} waits in line and must be open, hold nothing, be the clock's"
            if held is None or not held.takes:
                yield f"{self.waiting} waits in line and nothing is ever offered and held"
        choosing = self.states.get(self.holding)
        if choosing and not (choosing.takes and choosing.leavable and choosing.turn == "asker"):
            yield f"{self.holding} is held while choosing and must take, be left, be the asker's"
        for each in self.transitions:
            if each.proposes and each.after in self.states:
                answer = self.find(each.after, ACCEPT)
                if answer is None or answer.by == each.by:
                    yield f"{each.action} proposes and nobody can accept in {each.after}"

    def _reached(self) -> set[str]:
        seen, todo = set(), [self.start, self.waiting, self.holding]
        while todo:
            name = todo.pop()
            if name in seen or name not in self.states:
                continue
            seen.add(name)
            todo += [each.after for each in self.transitions if each.before == name]
            todo += [self.states[name].lapses_to]
        return seen

    def _ends(self, name: str) -> bool:
        seen: set[str] = set()
        while name in self.states and name not in seen:
            if self.states[name].final:
                return True
            seen.add(name)
            name = self.states[name].lapses_to
        return False


def _state_faults(state: State) -> Iterable[str]:
    if not (state.name and state.label):
        yield f"{state.name or 'a state'} has no name or no label"
    if state.final:
        if state.takes or state.turn or state.deadline or state.lapses_to:
            yield f"{state.name} is final and still holds or waits for something"
    elif state.turn not in TURNS:
        yield f"{state.name} is open and it is nobody's turn"
    elif state.deadline is None or not state.lapses_to:
        yield f"{state.name} is open and would wait for ever"
