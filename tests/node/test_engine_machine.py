"""The engine under whatever people, clocks and power do: two towns, random acts, rules that hold.

Hypothesis plays residents, keepers, the desk, the post between two towns (late, twice, out of
order), the clock and the power. After every step nothing is promised twice, no place is lost,
whose turn it is stands on every open engagement, and at the end every wait has ended.
"""

import contextlib
import random
import secrets
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from node.domain.errors import DomainError
from node.domain.lifecycle import TURNS
from node.engagements import capacity
from node.engagements.ground import read
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.promises import claims
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import (
    START_MS,
    TODAY,
    FixedClock,
    TownHere,
    found,
    iso,
    pair,
)
from tests.node.restored_towns import reopened

HERE, THERE = ("Erwan", "Gaëlle", "Nolwenn"), ("Ronan", "Soazig")
KEEPERS = ("keeper", "other keeper")
LISTINGS_MAX = 3
LAST_MS = 900 * 86_400_000

MEANWHILE = (  # what is named twice happens twice as often
    *("post", "post", "wait", "wait", "deliver", "sweep"),
    *("publish", "revise", "power_cut", "switched_off"),
)

few = st.integers(0, 7)
wishes = st.tuples(few, few, st.integers(1, 6), st.integers(0, 4), st.booleans())
presses = st.tuples(st.booleans(), few, few, st.integers(0, 5), few)


class PowerCut(BaseException):
    """The power goes in the middle of a transaction."""


class Engine(RuleBasedStateMachine):
    """Home (Lorient) with its own residents, and Quimper whose residents ask there."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="lavoir-machine-")
        self.clock = FixedClock(START_MS)
        self.finals: dict[tuple[str, bytes], str] = {}
        self.most: Counter[bytes] = Counter()  # listing -> the most copies it ever had
        self.listings: list[Listing] = []
        self.old: list[bytes] = []  # records of before, which may come again

    @initialize(copies=st.integers(1, 2))
    def begin(self, copies: int) -> None:
        folder = Path(self._folder.name)
        self.home, self.away = (found(folder, name, self.clock) for name in ("Lorient", "Quimper"))
        pair(self.home, self.away)
        self.publish(copies)
        self.post()

    # ── what people do ───────────────────────────────────────────────────────────────────────

    def _ask(self, which: int, who: int, first: int, days: int, queue: bool) -> None:
        names = [*HERE, *THERE]
        name = names[who % len(names)]
        town = self.home if name in HERE else self.away
        if town.listing(self._listing(which)) is None:  # it has not come that far yet
            return
        form = {"queue": "1"} if queue else {}
        start = self._today() - TODAY + first
        with contextlib.suppress(DomainError):
            town.ask(self._listing(which), name, start, start + days, **form)

    @rule(deeds=st.lists(wishes | presses | presses | presses, min_size=4, max_size=12))
    def an_hour(self, deeds: list[Any]) -> None:
        """People ask and answer."""
        for deed in deeds:
            self._do(deed)

    @rule(what=st.sampled_from(MEANWHILE), number=st.integers(0, 60))
    def meanwhile(self, what: str, number: int) -> None:
        """The post, the clock, the jobs, the power; now and then a keeper changes a listing."""
        getattr(self, what)(number)

    def _do(self, deed: Any) -> None:
        if isinstance(deed[0], bool):
            at_home, *press = deed
            self._act(self.home if at_home else self.away, *press)
        else:
            self._ask(*deed)

    def publish(self, number: int) -> None:
        if len(self.listings) < LISTINGS_MAX:
            body = {"copies": 1 + number % 3, "auto": number % 2 == 0, "max_days": 9}
            listing = self.home.publish(KEEPERS[number % 2], **body)
            self.listings.append(listing)
            self.most[bytes(listing.key)] = body["copies"]

    def revise(self, number: int) -> None:
        """The keeper says that there are more now, or fewer."""
        key, copies = bytes(self._listing(number).key), 1 + number % 3
        self.home.publish(KEEPERS[0], key=key, copies=copies, max_days=9)
        self.most[key] = max(self.most[key], copies)

    def power_cut(self, number: int) -> None:
        """Act, and lose the power somewhere inside; the town starts again from its disk."""
        database = self.home.database
        run, left = database.execute_sql, iter(range(number))

        def cut(sql: str, *more: Any, **named: Any) -> Any:
            if next(left, None) is None:
                database.execute_sql = run
                raise PowerCut
            return run(sql, *more, **named)

        database.execute_sql = cut
        try:
            self._act(self.home, number % 7, 0, 0, 1)
        except PowerCut:
            pass
        finally:
            database.execute_sql = run
        self.home = reopened(self.home)

    # ── what the clock and the post do ───────────────────────────────────────────────────────

    def wait(self, number: int) -> None:
        """Some hours pass, and jobs run."""
        self.clock.forward(hours=number)
        self.sweep(number)

    def switched_off(self, number: int) -> None:
        """Nothing runs for a while; people act before any job does."""
        self.clock.forward(days=number // 2)

    def sweep(self, number: int) -> None:
        """The jobs of a town run, once or twice."""
        for town in (self.home, self.away)[: 1 + number % 2]:
            town.sweep()

    def deliver(self, number: int) -> None:
        """Carry what there is, in any order, some of it twice, with records of before."""
        chance = random.Random(number)
        for one, other in ((self.away, self.home), (self.home, self.away))[: 1 + number % 2]:
            brought = [*one.raws(), *chance.sample(self.old, min(3, len(self.old)))]
            brought += chance.sample(brought, len(brought) // 2)
            chance.shuffle(brought)
            other.hear(brought, one)
            self.old = [*self.old, *one.raws()][-40:]

    def post(self, number: int = 0) -> None:
        """Carry everything both ways."""
        for _ in range(2):
            self.home.hear(self.away.raws(), self.away)
            self.away.hear(self.home.raws(), self.home)

    # ── what holds after every step ──────────────────────────────────────────────────────────

    @invariant()
    def nothing_is_promised_twice(self) -> None:
        with self.home.inside() as town:
            taken: Counter[tuple[bytes, int]] = Counter()
            for row in Engagement.select().where(Engagement.home == town.id):
                held = claims.of_engagement(row.id)
                state = town.engine.state(row)
                assert state.takes or not held, f"{row.state} holds {held}"
                if state.takes:
                    self._holds_its_terms(row, held)
                taken.update((bytes(row.listing_key), slot) for _, slot in held)
        for (key, slot), units in taken.items():
            assert units <= self.most[key], f"{units} promised on {slot}"

    @staticmethod
    def _holds_its_terms(row: Engagement, held: list[tuple[int, int]]) -> None:
        terms = read(row.terms)
        days = Counter(slot for _, slot in held)
        for day in range(terms["first_day"], terms["after_day"]):
            assert days[day] >= terms["units"], f"a place of {row.state} is lost on {day}"

    @invariant()
    def it_is_always_somebody_s_turn(self) -> None:
        for town in (self.home, self.away):
            with town.inside():
                for row in Engagement.select().where(~Engagement.final):
                    assert row.turn in TURNS
                    if row.home == town.id:
                        assert row.deadline_ms is not None and row.lapses_to
                    else:
                        waits_ms = row.answer_by_ms or row.deadline_ms or row.ends_ms
                        assert waits_ms is not None, f"{row.state} waits for ever at {town.name}"

    @invariant()
    def what_is_over_stays_over_and_tells_no_contact(self) -> None:
        for town in (self.home, self.away):
            with town.inside() as here:
                for row in Engagement.select().where(Engagement.final):
                    if here.engine.state(row).final:
                        known = self.finals.setdefault((town.name, bytes(row.id)), row.state)
                        assert known == row.state, f"{known}, then {row.state}"
                        assert read(row.contacts) == {}

    @invariant()
    def nobody_waits_in_line_for_what_is_free(self) -> None:
        """No place is lost: whoever waits, waits for something that is taken."""
        with self.home.inside() as town:
            for row in Engagement.select().where(Engagement.home == town.id, ~Engagement.final):
                ground, terms = town.engine.ground, read(row.terms)
                is_soon = terms["first_day"] < self._today() + 3  # an offer may come too late
                if row.state != ground.lifecycle(row).waiting or is_soon:
                    continue
                listing = listings.find(row.listing_origin, row.listing_key)
                assert not capacity.free(ground, listing, terms), "free, and offered to nobody"

    def teardown(self) -> None:
        """Nobody acts any more: the clock alone ends every wait, here and, once told, there."""
        try:
            if hasattr(self, "home"):
                self._end_of_time()
        finally:
            for town in (getattr(self, "home", None), getattr(self, "away", None)):
                if town is not None:
                    town.database.close()
            self._folder.cleanup()

    def _end_of_time(self) -> None:
        end_ms = self.clock.now_ms() + LAST_MS
        while self.clock.now_ms() < end_ms and (_open(self.home) or _open(self.away)):
            self.clock.forward(days=30)
            self.home.sweep()
            self.away.sweep()
            self.post()
        assert not _open(self.home), [row.state for row in _open(self.home)]
        assert not _open(self.away), [row.state for row in _open(self.away)]
        self._both_agree()

    def _both_agree(self) -> None:
        with self.away.inside():
            told = {bytes(row.id): row.state for row in Engagement.select()}
        with self.home.inside():
            for row in Engagement.select().where(Engagement.asker_town == self.away.id):
                assert told[bytes(row.id)] == row.state

    # ── small parts ──────────────────────────────────────────────────────────────────────────

    def _act(self, town: TownHere, which: int, button: int, first: int, late: int) -> None:
        pressed = self._buttons(town)
        if not pressed:
            return
        row, member, role, actions = pressed[which % len(pressed)]
        day = iso(self._today() + first)
        args = {"first_day": day, "last_day": day, "reason": "Voilà", "share": "1", "contact": "06"}
        try:
            with town.inside():
                town.engine.act(
                    row.id,
                    actions[max(button - 3, 0) % len(actions)],
                    member_id=member,
                    role=role,
                    on_version=max(row.version - (late == 0), 0),
                    act_id=secrets.token_bytes(8),
                    args=args,
                )
        except DomainError:
            pass

    def _buttons(self, town: TownHere) -> list[tuple[Engagement, int, str, list[str]]]:
        """Everything somebody of a town could press now."""
        found_ = []
        with town.inside() as here:
            people = list(here.members.values())
            for row in Engagement.select().where(~Engagement.final).order_by(Engagement.created_ms):
                for member in people:
                    for role in here.engine.roles(row, member):
                        actions = [each.action for each in here.engine.buttons(row, member)]
                        if actions:
                            found_.append((row, member, role, actions))
        return found_

    def _listing(self, which: int) -> Listing:
        return self.listings[which % len(self.listings)]

    def _today(self) -> int:
        return self.home.engine.ground.today(self.clock.now_ms())


def _open(town: TownHere) -> list[Engagement]:
    with town.inside():
        return list(Engagement.select().where(~Engagement.final))


TestEngine = Engine.TestCase
TestEngine.settings = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
