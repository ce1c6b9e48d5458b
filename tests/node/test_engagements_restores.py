"""Either town restored at any moment, every record ever signed in the air: nothing is given twice.

Real engines, databases, logbooks and journals; what arrives, when, and how often is Hypothesis'.
"""

import contextlib
import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from node.domain.clock import FixedClock
from node.domain.errors import DomainError
from node.engagements import gate
from node.engagements.between.arrivals import fence
from node.engagements.between.registers import ASKER_SIDE
from node.journal import restoring
from node.store.promises import acts, claims, doubts
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import START_MS, TownHere, exchange
from tests.node.restored_towns import back_up, leave_restore, pull_back, put_back, visit
from tests.node.test_engagements_order import ACTIONS, PREPARED, Prepared

COPIES = 1
RESTORES = 2
SIDES = ("home", "away")


class Restores(RuleBasedStateMachine):
    """One thing to lend, a neighbour, a resident elsewhere, and houses that go back in time."""

    asked = Bundle("asked")

    @initialize(one_side=st.sampled_from(SIDES))
    def begin(self, one_side: str) -> None:
        PREPARED or PREPARED.append(Prepared())
        self.clock = FixedClock(START_MS)
        self.folder = Path(tempfile.mkdtemp(prefix="restores-"))
        self.home, self.away = PREPARED[0].copied(self.folder, self.clock)
        self.listing = self.home.publish(copies=COPIES, max_days=4)
        exchange(self.home, self.away, rounds=1)
        self.air: dict[bytes, None] = {}
        self.terms: dict[bytes, Any] = {}
        self.side, self.restores, self.count = one_side, 0, 0
        self.backup: Path | None = None
        self.held_at_restore: set[bytes] = set()
        self.ended: dict[tuple[str, bytes], str] = {}

    def towns(self) -> tuple[TownHere, TownHere]:
        return self.home, self.away

    def collect(self) -> None:
        """Put what was signed into the air."""
        for town in self.towns():
            self.air |= dict.fromkeys(town.raws("request/1", "reply/1"))

    # ── what people do ───────────────────────────────────────────────────────────────────────

    @precondition(lambda self: self.count < 3)
    @rule(target=asked, first=st.integers(0, 3), days=st.integers(0, 3))
    def ask(self, first: int, days: int) -> Any:
        self.count += 1
        try:
            row = self.away.ask(self.listing, first=first, last=first + days)
        except DomainError:
            return multiple()
        self.terms[row.id] = json.loads(row.terms)
        self.collect()
        return row

    @rule(first=st.integers(0, 3), is_kept=st.booleans())
    def ask_next_door(self, first: int, is_kept: bool) -> None:
        with contextlib.suppress(DomainError):
            row = self.home.ask(self.listing, "neighbour", first, first + 1)
            self.home.act(row, "approve")
            if not is_kept:
                self.home.act(row, "revoke")

    @rule(row=asked)
    def withdraw(self, row: Engagement) -> None:
        with contextlib.suppress(DomainError):
            self.away.withdraw_ask(row)
        self.collect()

    @rule(row=asked, action=st.sampled_from(ACTIONS))
    def decide(self, row: Engagement, action: str) -> None:
        with contextlib.suppress(DomainError):
            self.home.act(row, action)
        self.collect()

    # ── what the world does ──────────────────────────────────────────────────────────────────

    @precondition(lambda self: self.air)
    @rule(which=st.integers(0, 10_000), side=st.sampled_from(SIDES))
    def deliver(self, which: int, side: str) -> None:
        getattr(self, side).hear([list(self.air)[which % len(self.air)]])
        self.collect()

    @rule(side=st.sampled_from(SIDES))
    def go_and_see(self, side: str) -> None:
        one, other = (self.home, self.away) if side == "home" else (self.away, self.home)
        visit(one, other)
        self.collect()

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        self.clock.forward(hours=hours)

    @rule(side=st.sampled_from(SIDES))
    def sweep(self, side: str) -> None:
        getattr(self, side).sweep()
        self.collect()

    @rule()
    def back_up(self) -> None:
        self.backup = back_up(getattr(self, self.side), self.folder / "backup.db")

    @precondition(lambda self: self.backup and self.restores < RESTORES)
    @rule(with_logbook=st.booleans(), pulls=st.booleans())
    def restore(self, with_logbook: bool, pulls: bool) -> None:
        self.restores += 1
        self.clock.forward(minutes=1)
        one, other = self.towns() if self.side == "home" else self.towns()[::-1]
        again = put_back(one, self.backup, with_logbook=with_logbook)
        setattr(self, self.side, again)
        if pulls:
            pull_back(again, other)
        leave_restore(again)
        self.ended = {key: state for key, state in self.ended.items() if key[0] != again.name}
        self.held_at_restore = self.holders()
        self.collect()

    # ── what must always be so ───────────────────────────────────────────────────────────────

    def rows(self, town: TownHere) -> list[Engagement]:
        with town.inside():
            return rows.of_listing(self.listing.origin, self.listing.key)

    def holders(self) -> set[bytes]:
        with self.home.inside():
            return {row.id for row in self.rows(self.home) if claims.of_engagement(row.id)}

    def doubted(self, town: TownHere) -> set[bytes]:
        with town.inside():
            return {each.engagement for each in doubts.unsettled()}

    def shown_yes(self) -> list[Engagement]:
        """The engagements that a page says are promised, to whoever asked."""
        found = []
        with self.home.inside():
            state, is_here = self.home.engine.state, self.home.engine.ground.is_here
            found += [row for row in self.rows(self.home) if is_here(row) and state(row).takes]
        with self.away.inside():
            for row in self.rows(self.away):
                is_checked = row.gen < fence(row.home) or gate.is_unheard(row.home)
                if self.away.engine.state(row).takes and not is_checked:
                    found.append(row)
        return found

    @invariant()
    def no_day_is_promised_to_two_people(self) -> None:
        if not hasattr(self, "home"):
            return
        doubted = self.doubted(self.home)
        shown = [row for row in self.shown_yes() if row.id not in doubted]
        days = Counter(
            day
            for row in shown
            for day in range(json.loads(row.terms)["first_day"], json.loads(row.terms)["after_day"])
        )
        assert max(days.values(), default=0) <= COPIES, [(r.id.hex()[:6], r.state) for r in shown]

    @invariant()
    def what_home_promised_is_held(self) -> None:
        if not hasattr(self, "home"):
            return
        doubted = self.doubted(self.home)
        with self.home.inside():
            for row in self.rows(self.home):
                takes = self.home.engine.state(row).takes
                assert bool(claims.of_engagement(row.id)) == takes or row.id in doubted, row.state

    @invariant()
    def a_gated_town_takes_nothing(self) -> None:
        if not hasattr(self, "home"):
            return
        with self.home.inside():
            is_closed = bool(gate.closed()) and not restoring.is_restoring()
        if is_closed:
            assert self.holders() <= self.held_at_restore

    @invariant()
    def what_is_over_stays_over(self) -> None:
        if not hasattr(self, "home"):
            return
        for town, other in (self.towns(), self.towns()[::-1]):
            with town.inside():
                is_unheard = gate.is_unheard(other.id)
            for row in [] if is_unheard else self.rows(town):
                known = self.ended.get((town.name, row.id))
                assert known is None or row.state == known, (town.name, known, row.state)
                if row.final:
                    self.ended[town.name, row.id] = row.state

    @invariant()
    def nobody_is_bound_to_what_was_not_asked(self) -> None:
        if not hasattr(self, "home"):
            return
        for town in self.towns():
            for row in self.rows(town):
                if row.id in self.terms and row.version and town.engine.state(row).takes:
                    assert json.loads(row.terms) == self.terms[row.id]

    def teardown(self) -> None:
        """Deliver all, hear each other, run all deadlines: both towns say the same, all is over."""
        if not hasattr(self, "home"):
            return
        try:
            for town in self.towns():
                town.hear(list(self.air))
            for _ in range(6):
                visit(self.home, self.away)
                visit(self.away, self.home)
                for town in self.towns():
                    town.sweep()
                self.clock.forward(days=31)
            self.what_is_over_stays_over()
            self.agreed()
        finally:
            for town in self.towns():
                town.database.close()
            shutil.rmtree(self.folder)

    def agreed(self) -> None:
        home = {row.id: row for row in self.rows(self.home)}
        for away in self.rows(self.away):
            there = home[away.id]
            assert away.final and there.final, (away.state, there.state)
            assert away.state == there.state
            with self.home.inside():
                ours = {act.id for act in acts.of_engagement(away.id) if act.by in ASKER_SIDE}
            with self.away.inside():
                theirs = {act.id for act in acts.of_engagement(away.id)}
            assert ours <= theirs
        with self.home.inside():
            assert claims.taken(self.home.id, self.listing.key, 0, 10**6) == []


Restores.TestCase.settings = settings(
    max_examples=15, stateful_step_count=30, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)
test_restores = Restores.TestCase
