"""Either town restored at any moment, every record ever signed in the air: nothing is given twice.

Real engines, databases, logbooks and journals; what arrives, when, and how often is drawn from a
seed, which a failure prints with its history.
"""

import contextlib
import json
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.domain.errors import DomainError
from node.engagements import gate, proposal
from node.engagements.between.arrivals import fence
from node.engagements.between.registers import ASKER_SIDE
from node.journal import restoring
from node.practices.lending.actions import is_milder
from node.practices.lending.lifecycle import LIFECYCLES
from node.store.promises import acts, claims, doubts
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import START_MS, TODAY, TownHere, exchange, iso
from tests.node.restored_towns import back_up, leave_restore, pull_back, put_back, visit
from tests.node.test_engagements_order import ACTIONS, PREPARED, Prepared

COPIES = 1
RESTORES = 2
ASKS = 3
SEEDS = 25
SIDES = ("home", "away")


def form(first: int, days: int) -> dict[str, str]:
    """Return the form of other days, counted from TODAY."""
    return {"first_day": iso(TODAY + first), "last_day": iso(TODAY + first + days)}


def is_yes(row: Engagement) -> bool:
    """Whether a page shows an engagement as promised, not only as proposed."""
    return LIFECYCLES[row.lifecycle].is_agreed(row.state)


class History:
    """One thing to lend, a neighbour, a resident elsewhere, and houses that go back in time."""

    def __init__(self, draw: random.Random) -> None:
        """Found the towns; somebody has asked, home may have said yes, one of them has a backup."""
        self.draw, self.told = draw, []
        PREPARED or PREPARED.append(Prepared())
        self.clock = FixedClock(START_MS)
        self.folder = Path(tempfile.mkdtemp(prefix="restores-"))
        self.home, self.away = PREPARED[0].copied(self.folder, self.clock)
        self.listing = self.home.publish(copies=COPIES, max_days=4)
        exchange(self.home, self.away, rounds=1)
        self.air: dict[bytes, None] = {}
        self.terms: dict[bytes, Any] = {}
        self.side, self.restores, self.count = draw.choice(SIDES), 0, 0
        self.backup: Path | None = None
        self.held_at_restore: set[bytes] = set()
        self.ended: dict[tuple[str, bytes], str] = {}
        row = self.ask(0, 1)
        exchange(self.home, self.away, rounds=1)
        self.back_up()
        self.asked = [row]
        if draw.random() < 0.5:
            self.decide(row, "approve")
            exchange(self.home, self.away, rounds=1)

    def go_on(self) -> None:
        """Let one thing happen."""
        draw, row = self.draw, self.draw.choice(self.asked)
        acts: dict[str, tuple[Any, ...]] = {
            "ask_again": (draw.randint(0, 1), draw.randint(0, 3)),
            "ask_next_door": (draw.randint(0, 1), draw.random() < 0.7),
            "withdraw": (row,),
            "approve": (row,),
            "decide": (row, draw.choice(ACTIONS)),
            "counter": (row, draw.randint(0, 2), draw.randint(0, 3)),
            "propose": (row, draw.randint(0, 2), draw.randint(0, 3)),
            "change": (row, draw.randint(0, 2), draw.randint(0, 3)),
            "answer": (row, draw.choice(("accept", "accept", "keep", "retract"))),
            "answer_at_home": (row, draw.choice(("accept", "accept", "keep", "retract"))),
            "deliver": (draw.choice(list(self.air)), draw.choice(SIDES)),
            "deliver_what_is_new": (),
            "go_and_see": (draw.choice(SIDES),),
            "wait": (draw.choice((1, 1, 1, 30, 120)),),
            "back_up": (),
            "restore": (draw.random() < 0.4, draw.random() < 0.5),
        }
        name, given = draw.choice(list(acts.items()))
        self.told.append((name, *(each for each in given if isinstance(each, int | str))))
        getattr(self, name)(*given)
        for rule in RULES:
            rule(self)

    def towns(self) -> tuple[TownHere, TownHere]:
        return self.home, self.away

    def collect(self) -> None:
        """Put what was signed into the air."""
        for town in self.towns():
            self.air |= dict.fromkeys(town.raws("request/1", "reply/1"))

    # ── what people do ───────────────────────────────────────────────────────────────────────

    def ask(self, first: int, days: int) -> Engagement:
        self.count += 1
        row = self.away.ask(self.listing, first=first, last=first + days)
        self.terms[row.id] = [json.loads(row.terms)]
        self.collect()
        return row

    def ask_again(self, first: int, days: int) -> None:
        if self.count < ASKS:
            with contextlib.suppress(DomainError):
                self.asked.append(self.ask(first, days))

    def ask_next_door(self, first: int, is_kept: bool) -> None:
        with contextlib.suppress(DomainError):
            row = self.home.ask(self.listing, "neighbour", first, first + 1)
            self.home.act(row, "approve")
            if not is_kept:
                self.home.act(row, "revoke")

    def withdraw(self, row: Engagement) -> None:
        with contextlib.suppress(DomainError):
            self.away.withdraw_ask(row)
        self.collect()

    def approve(self, row: Engagement) -> None:
        self.decide(row, "approve")

    def decide(self, row: Engagement, action: str) -> None:
        with contextlib.suppress(DomainError):
            self.home.act(row, action)
        self.collect()

    def counter(self, row: Engagement, first: int, days: int) -> None:
        with contextlib.suppress(DomainError):
            self.home.act(row, "counter", args=form(first, days))
        self.collect()

    def propose(self, row: Engagement, first: int, days: int) -> None:
        with contextlib.suppress(DomainError):
            self.home.act(row, "propose", args=form(first, days))
        self.collect()

    def change(self, row: Engagement, first: int, days: int) -> None:
        """The resident asks for other days: those are terms they agree to."""
        with contextlib.suppress(DomainError):
            self.away.act(row, "change", "asker", "asker", args=form(first, days))
            with self.away.inside():
                listing = self.away.listing(self.listing)
                agreed = self.away.engine.terms(listing, form(first, days))
                self.terms[row.id].append(agreed)
        self.collect()

    def answer(self, row: Engagement, action: str) -> None:
        """The resident answers what their own town shows them."""
        with contextlib.suppress(DomainError):
            shown = proposal.on_table(self.away.row(row))
            self.away.act(row, action, "asker", "asker")
            if action == "accept" and shown is not None:
                self.terms[row.id].append(shown.terms)
        self.collect()

    def answer_at_home(self, row: Engagement, action: str) -> None:
        self.decide(row, action)

    # ── what the world does ──────────────────────────────────────────────────────────────────

    def deliver(self, raw: bytes, side: str) -> None:
        getattr(self, side).hear([raw])
        self.collect()

    def deliver_what_is_new(self) -> None:
        exchange(self.home, self.away, rounds=1)
        self.collect()

    def go_and_see(self, side: str) -> None:
        one, other = (self.home, self.away) if side == "home" else (self.away, self.home)
        visit(one, other)
        self.collect()

    def wait(self, hours: int) -> None:
        self.clock.forward(hours=hours)
        for town in self.towns():
            town.sweep()
        self.collect()

    def back_up(self) -> None:
        self.backup = back_up(getattr(self, self.side), self.folder / "backup.db")

    def restore(self, with_logbook: bool, pulls: bool) -> None:
        if self.restores == RESTORES:
            return
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

    def is_ended_at_home(self, row: Engagement) -> bool:
        with self.home.inside():
            held = rows.find(row.id)
            return held is not None and (held.final or held.state == "returned")

    def shown_yes(self) -> list[Engagement]:
        """The engagements that a page says are promised, to whoever asked."""
        found = []
        with self.home.inside():
            is_here = self.home.engine.ground.is_here
            found += [row for row in self.rows(self.home) if is_here(row) and is_yes(row)]
        with self.away.inside():
            for row in self.rows(self.away):
                is_checked = row.gen < fence(row.home) or gate.is_unheard(row.home)
                is_ended = self.is_ended_at_home(row)  # and the word of it is on its way
                if is_yes(row) and not is_checked and not is_ended:
                    found.append(row)
        return found

    def no_day_is_promised_to_two_people(self) -> None:
        doubted = self.doubted(self.home)
        shown = [row for row in self.shown_yes() if row.id not in doubted]
        terms = [json.loads(self.newest(row).terms) for row in shown]
        days = Counter(day for each in terms for day in range(each["first_day"], each["free_from"]))
        assert max(days.values(), default=0) <= COPIES, [(r.id.hex()[:6], r.state) for r in shown]

    def newest(self, row: Engagement) -> Engagement:
        """What home says now where it goes further: the resident agreed to that change."""
        with self.home.inside():
            there = rows.find(row.id)
        is_newer = there is not None and (there.gen, there.version) > (row.gen, row.version)
        return there if is_newer and is_yes(there) else row

    def what_home_promised_is_held(self) -> None:
        doubted = self.doubted(self.home)
        with self.home.inside():
            for row in self.rows(self.home):
                takes = self.home.engine.state(row).takes
                assert bool(claims.of_engagement(row.id)) == takes or row.id in doubted, row.state

    def a_gated_town_takes_nothing(self) -> None:
        with self.home.inside():
            is_closed = bool(gate.closed()) and not restoring.is_restoring()
        if is_closed:
            assert self.holders() <= self.held_at_restore

    def what_is_over_stays_over(self) -> None:
        for town, other in (self.towns(), self.towns()[::-1]):
            with town.inside():
                is_unheard = gate.is_unheard(other.id)
            for row in [] if is_unheard else self.rows(town):
                known = self.ended.get((town.name, row.id))
                assert known is None or row.state == known, (town.name, known, row.state)
                if row.final:
                    self.ended[town.name, row.id] = row.state

    def nobody_is_bound_to_what_was_not_asked(self) -> None:
        """What is promised was asked for or accepted, or only gives more than that."""
        for town in self.towns():
            for row in self.rows(town):
                if row.id in self.terms and row.version and is_yes(row):
                    now, agreed = json.loads(row.terms), self.terms[row.id]
                    assert now in agreed or any(is_milder(each, now) for each in agreed)

    def end(self) -> None:
        """Deliver all, hear each other, run all deadlines: both towns say the same, all is over."""
        for town in self.towns():
            town.hear(list(self.air))
        visit(self.home, self.away)
        visit(self.away, self.home)
        for _ in range(5):
            self.clock.forward(days=31)
            for town in self.towns():
                town.sweep()
            exchange(self.home, self.away, rounds=2)
        self.what_is_over_stays_over()
        self.agreed()

    def close(self) -> None:
        """Leave nothing behind."""
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


RULES = (
    History.no_day_is_promised_to_two_people,
    History.what_home_promised_is_held,
    History.a_gated_town_takes_nothing,
    History.what_is_over_stays_over,
    History.nobody_is_bound_to_what_was_not_asked,
)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_restores_in_any_order_give_nothing_twice(seed: int) -> None:
    draw = random.Random(seed)
    history = History(draw)
    try:
        for _ in range(draw.randint(3, 14)):
            history.go_on()
        history.end()
    except AssertionError as error:
        raise AssertionError(f"seed {seed}, {history.side} restored: {history.told}") from error
    finally:
        history.close()
