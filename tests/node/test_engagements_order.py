"""Whatever is carried, in whatever order, twice or never: both towns end in the same state.

Every record ever signed stays in the air; any of them may arrive at any time, any number of times.
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
from node.engagements import proposal
from node.practices.lending.actions import is_milder, renewed
from node.practices.lending.lifecycle import LOAN
from node.store.promises import acts, claims
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import (
    START_MS,
    TODAY,
    TownHere,
    exchange,
    found,
    iso,
    opened,
    pair,
)

COPIES = 2
KINDS = ("request/1", "reply/1")
KEPT = ("closed", "lost")  # the ends of what was promised and done
ACTIONS = ("approve", "decline", "hand_over", "take_back", "lose", "close", "revoke")


def form(first: int, days: int) -> dict[str, str]:
    """Return the form of other days, counted from TODAY."""
    return {"first_day": iso(TODAY + first), "last_day": iso(TODAY + first + days)}


class Prepared:
    """Two paired towns, founded once and copied for each run."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="two-towns-"))
        clock = FixedClock(START_MS)
        home, away = (found(self.folder, name, clock) for name in ("Lorient", "Quimper"))
        pair(home, away)
        for town in (home, away):
            town.member("keeper"), town.member("asker"), town.member("neighbour")
            town.database.close()

    def copied(self, to: Path, clock: FixedClock) -> tuple[TownHere, TownHere]:
        """Return the two towns, copied into an empty folder."""
        shutil.copytree(self.folder, to, dirs_exist_ok=True)
        towns = [opened(to, name, clock) for name in ("Lorient", "Quimper")]
        for town in towns:
            town.members = {"keeper": 1, "asker": 2, "neighbour": 3}
        return towns[0], towns[1]


PREPARED: list[Prepared] = []


class AnyOrder(RuleBasedStateMachine):
    """Residents ask and withdraw, a keeper decides, time passes, records arrive as they like."""

    asked = Bundle("asked")

    @initialize(auto=st.booleans())
    def begin(self, auto: bool) -> None:
        PREPARED or PREPARED.append(Prepared())
        self.clock = FixedClock(START_MS)
        self.folder = Path(tempfile.mkdtemp(prefix="any-order-"))
        self.home, self.away = PREPARED[0].copied(self.folder, self.clock)
        self.auto, self.agreed_to = auto, {}
        self.listing = self.home.publish(copies=COPIES, auto=auto, max_days=4)
        exchange(self.home, self.away, rounds=1)
        self.air: list[tuple[TownHere, bytes]] = []
        self.ended: dict[tuple[str, bytes], str] = {}
        self.count = 0

    def collect(self) -> None:
        """Put what was signed since into the air."""
        for town, other in ((self.home, self.away), (self.away, self.home)):
            known = {raw for _, raw in self.air}
            self.air += [(other, raw) for raw in town.raws(*KINDS) if raw not in known]

    @precondition(lambda self: self.count < 4)
    @rule(target=asked, first=st.integers(2, 8), days=st.integers(0, 3), ticked=st.booleans())
    def ask(self, first: int, days: int, ticked: bool) -> Any:
        self.count += 1
        form = {"share": "1", "contact": "06"} if ticked else {}
        try:
            row = self.away.ask(self.listing, first=first, last=first + days, **form)
        except DomainError:
            return multiple()
        self.agreed_to[row.id] = [json.loads(row.terms)]
        self.collect()
        return row

    @rule(first=st.integers(0, 5))
    def ask_next_door(self, first: int) -> None:
        try:
            row = self.home.ask(self.listing, "neighbour", first, first + 1)
            if row.state == "requested":
                self.home.act(row, "approve")
        except DomainError:
            pass

    @rule(row=asked)
    def withdraw(self, row: Engagement) -> None:
        with contextlib.suppress(DomainError):
            self.away.withdraw_ask(row)
        self.collect()

    @rule(row=asked, action=st.sampled_from(ACTIONS))
    def decide(self, row: Engagement, action: str) -> None:
        with contextlib.suppress(DomainError):
            self.home.act(row, action, args={"share": "1", "contact": "02"})
        self.collect()

    @rule(
        row=asked,
        action=st.sampled_from(("counter", "propose", "accept", "keep", "retract")),
        first=st.integers(0, 8),
        days=st.integers(0, 3),
    )
    def speak_of_other_terms(self, row: Engagement, action: str, first: int, days: int) -> None:
        """Whatever a keeper could say, whether their page offers it or not."""
        with contextlib.suppress(DomainError):
            self.home.act(row, action, args=form(first, days))
        self.collect()

    @rule(row=asked, which=st.integers(0, 30), first=st.integers(2, 8), days=st.integers(0, 3))
    def press_at_home(self, row: Engagement, which: int, first: int, days: int) -> None:
        action = self.offered(self.home, row, "keeper", which)
        if action:
            with contextlib.suppress(DomainError):
                self.home.act(row, action, args=form(first, days))
            self.collect()

    @rule(row=asked, which=st.integers(0, 30), first=st.integers(2, 8), days=st.integers(0, 3))
    def press(self, row: Engagement, which: int, first: int, days: int) -> None:
        """The resident does one of the things their page offers; what it says is agreed to."""
        action, shown = (
            self.offered(self.away, row, "asker", which),
            proposal.on_table(self.away.row(row)),
        )
        with contextlib.suppress(DomainError):
            self.away.act(row, action, "asker", "asker", args=form(first, days))
            if action == "accept" and shown is not None:
                self.agreed_to[row.id].append(shown.terms)
            elif action in ("change", "renew"):
                self.agreed_to[row.id].append(self.reckoned(row, action, first, days))
        self.collect()

    def offered(self, town: TownHere, row: Engagement, who: str, which: int) -> str:
        """One of the things a page offers, seldom one that ends it all; "" for none."""
        with town.inside():
            held, member = rows.find(row.id), town.member(who)
            if held is None:
                return ""
            engine = town.engine
            ways = (*engine.buttons(held, member), *engine.proposable(held, member))
            on = [each for each in ways if not LOAN.state(each.after).final] if which % 5 else ways
            return on[which % len(on)].action if on else ""

    def reckoned(self, row: Engagement, action: str, first: int, days: int) -> dict[str, Any]:
        """The terms that an act brings, as the practice reckons them."""
        with self.away.inside():
            listing, engine = self.away.listing(self.listing), self.away.engine
            if action == "change":
                return engine.terms(listing, form(first, days))
            body, agreed = engine.ground.body(listing), json.loads(self.away.row(row).terms)
            today = engine.ground.today(self.clock.now_ms())
            return renewed(body, agreed, form(first, days), today)

    @rule(deposit=st.integers(0, 3))
    def the_keeper_revises_the_listing(self, deposit: int) -> None:
        self.listing = self.home.publish(
            copies=COPIES, auto=self.auto, max_days=4, deposit=deposit, key=self.listing.key
        )

    @rule()
    def the_listing_is_carried(self) -> None:
        self.away.hear(self.home.raws("lending.item/1"))

    @precondition(lambda self: self.air)
    @rule(which=st.integers(0, 10_000), times=st.integers(1, 2))
    def deliver(self, which: int, times: int) -> None:
        to, raw = self.air[which % len(self.air)]
        to.hear([raw] * times)
        self.collect()

    @rule()
    def all_that_is_new_arrives(self) -> None:
        exchange(self.home, self.away, rounds=1)
        self.collect()

    @rule(hours=st.sampled_from((1, 2, 20, 60)))
    def wait(self, hours: int) -> None:
        self.clock.forward(hours=hours)

    @rule(here=st.booleans())
    def sweep(self, here: bool) -> None:
        (self.home if here else self.away).sweep()
        self.collect()

    def rows(self, town: TownHere) -> list[Engagement]:
        with town.inside():
            return rows.of_listing(self.listing.origin, self.listing.key)

    @invariant()
    def no_day_is_promised_more_often_than_there_are_copies(self) -> None:
        if not hasattr(self, "home"):
            return
        with self.home.inside():
            held = claims.taken(self.home.id, self.listing.key, 0, 10**6)
            assert max(Counter(day for _, day in held).values(), default=0) <= COPIES
            for row in rows.of_listing(self.listing.origin, self.listing.key):
                takes = self.home.engine.state(row).takes
                assert bool(claims.of_engagement(row.id)) == takes, row.state

    @invariant()
    def what_is_promised_was_asked_for_or_accepted(self) -> None:
        """Or only gives more than that (property 7)."""
        if not hasattr(self, "home"):
            return
        for town in (self.home, self.away):
            for row in self.rows(town):
                if row.id in self.agreed_to and row.version and LOAN.is_agreed(row.state):
                    now, agreed = json.loads(row.terms), self.agreed_to[row.id]
                    assert now in agreed or any(is_milder(each, now) for each in agreed)

    @invariant()
    def what_is_over_stays_over(self) -> None:
        if not hasattr(self, "home"):
            return
        for town in (self.home, self.away):
            for row in self.rows(town):
                if row.final:
                    assert self.ended.setdefault((town.name, row.id), row.state) == row.state
                else:
                    assert (town.name, row.id) not in self.ended

    @invariant()
    def the_asker_s_town_is_never_ahead_of_home(self) -> None:
        if not hasattr(self, "home"):
            return
        home = {row.id: row for row in self.rows(self.home)}
        for away in self.rows(self.away):
            if away.version:
                assert away.version <= home[away.id].version
                if away.version == home[away.id].version:
                    same = ["state", "since_ms", "deadline_ms", "ends_ms", "final", "turn"]
                    is_no = away.final and away.state not in KEPT  # its terms bind nobody
                    has_terms = home[away.id].terms != "{}"  # else the listing was another
                    same += ["proposal"] + ["terms"] * (has_terms and not is_no)
                    for name in same:
                        assert getattr(away, name) == getattr(home[away.id], name), name

    def teardown(self) -> None:
        """Heal all links, deliver all, run all deadlines: everybody agrees and nobody waits."""
        if not hasattr(self, "home"):
            return
        try:
            for to, raw in self.air:
                to.hear([raw])
            exchange(self.home, self.away)
            for _ in range(5):
                self.clock.forward(days=31)
                self.home.sweep()
                self.away.sweep()
                exchange(self.home, self.away, rounds=2)
            self.agreed()
        finally:
            for town in (self.home, self.away):
                town.database.close()
            shutil.rmtree(self.folder)

    def agreed(self) -> None:
        """Both towns hold the same final states, and every act of the resident has its verdict."""
        home = {row.id: row for row in self.rows(self.home)}
        for away in self.rows(self.away):
            was_kept = home[away.id].state in KEPT  # terms that came with a no bind nobody
            for name in ("state", "version", "since_ms", "reason", *["terms"] * was_kept):
                assert getattr(away, name) == getattr(home[away.id], name), name
            assert away.final and home[away.id].final and home[away.id].ack == away.version
            with self.away.inside():
                assert all(act.verdict for act in acts.of_engagement(away.id))
        with self.home.inside():
            assert claims.taken(self.home.id, self.listing.key, 0, 10**6) == []
        assert all(row.final for row in home.values())


AnyOrder.TestCase.settings = settings(
    max_examples=14, stateful_step_count=40, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)
test_any_order = AnyOrder.TestCase
