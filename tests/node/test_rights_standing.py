"""Guards: what home knows of whoever asks when a rule is asked, and how its no is told."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.domain.errors import Conflict, NotAllowed
from node.domain.practice import Practice
from node.domain.standing import Hindrance, Standing
from node.practices.lending.practice import PRACTICE as LENDING
from node.store.database import db, write_tx
from node.store.promises import engagements as rows
from node.store.promises import habilitations
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import DAY_MS, START_MS, TODAY, TownHere, Two, found, pair

Guard = Callable[[Any, dict[str, Any], Standing], Hindrance | None]


class Asked:
    """A guard that keeps what it was shown, and says no when told to."""

    def __init__(self) -> None:
        self.seen: list[Standing] = []
        self.no: Hindrance | None = None

    def __call__(self, body: Any, terms: dict[str, Any], standing: Standing) -> Hindrance | None:
        self.seen.append(standing)
        return self.no


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def practice(asked: Asked) -> Practice:
    """Lending, every act of which is asked about."""
    actions = ("ask", "queue", "approve", "hand_over", "renew", "take_back", "withdraw", "revoke")
    engaging = dataclasses.replace(LENDING.engaging, guards=dict.fromkeys(actions, asked))
    return dataclasses.replace(LENDING, engaging=engaging)


@pytest.fixture
def town(tmp_path: Path, practice: Practice) -> TownHere:
    return found(tmp_path, "Lorient", FixedClock(START_MS), (practice,))


@pytest.fixture
def two(tmp_path: Path, practice: Practice) -> Iterator[Two]:
    clock = FixedClock(START_MS)
    home, away = (found(tmp_path, name, clock, (practice,)) for name in ("Lorient", "Quimper"))
    pair(home, away)
    yield Two(clock, home, away)


NO = Hindrance("quota", "At most %(most)d at a time.", {"most": 2}, verdict="over_limit")


def test_a_person_of_the_town_reads_the_sentence_and_nothing_is_stored(
    town: TownHere, asked: Asked
) -> None:
    listing = town.publish()
    asked.no = NO
    with pytest.raises(Conflict) as raised:
        town.ask(listing)
    assert (raised.value.code, raised.value.message, raised.value.params) == (
        "quota", "At most %(most)d at a time.", {"most": 2},
    )  # fmt: skip
    with town.inside():
        assert Engagement.select().count() == 0


def test_a_guard_may_say_it_is_not_allowed_at_all(town: TownHere, asked: Asked) -> None:
    asked.no = Hindrance("no_habilitation", "Show that you can use it first.")
    with pytest.raises(NotAllowed):
        town.ask(town.publish())


def test_another_town_reads_the_verdict_and_the_code_of_the_reason(two: Two, asked: Asked) -> None:
    listing = two.home.publish()
    two.exchange()
    asked.no = NO
    row = two.away.ask(listing)
    two.exchange()
    assert two.both(row) == ("declined", "declined")
    assert json.loads(two.away.row(row).reason)["code"] == "quota"


def test_a_later_act_of_another_town_is_refused_with_its_code_and_stays_where_it_is(
    two: Two, asked: Asked
) -> None:
    row = two.asked()
    two.home.act(row, "approve")
    two.clock.forward(days=3)
    two.home.act(row, "hand_over")
    two.exchange()
    asked.no = NO
    two.away.act(two.away.row(row), "renew", "asker", "asker")
    two.exchange()
    assert two.both(row) == ("handed_over", "handed_over")
    assert json.loads(two.away.row(row).reason)["code"] == "quota"
    assert two.away.row(row).terms == two.home.row(row).terms


def test_nobody_is_kept_from_leaving_by_a_rule(town: TownHere, asked: Asked) -> None:
    row = town.ask(town.publish())
    asked.no = NO
    assert town.withdraw_ask(row).state == "cancelled"


def test_every_act_is_asked_after_the_deadlines_passed_on(town: TownHere, asked: Asked) -> None:
    row = town.ask(town.publish())
    town.clock.forward(days=30)
    asked.seen.clear()
    with pytest.raises(Conflict):
        town.act(row, "approve")
    assert asked.seen == []  # it had lapsed: there was nothing to ask about


def test_a_standing_knows_the_others_of_the_same_asker_only(town: TownHere, asked: Asked) -> None:
    drill, van = town.publish(object="jardin"), town.publish(title="Remorque")
    first = town.ask(drill, "anne")
    town.act(first, "approve")
    over = town.ask(van, "anne")
    town.act(over, "decline")
    town.ask(van, "bernez")
    town.ask(van, "anne", first=10, last=11)
    standing = asked.seen[-1]
    known_as = {(each.id, each.state, each.has_promise, each.is_over) for each in standing.others}
    assert known_as == {(first.id, "approved", True, False), (over.id, "declined", False, True)}
    known = {each.id: each for each in standing.others}[first.id]
    assert (known.listing, known.lifecycle, known.terms["first_day"]) == (
        drill.key, "loan", TODAY + 3,
    )  # fmt: skip
    assert known.facets["object"] == "jardin" and standing.listing == van.key
    assert (standing.is_here, standing.is_staff, standing.today) == (True, False, TODAY)


def test_what_ended_long_ago_is_forgotten_and_what_is_open_never(
    town: TownHere, asked: Asked
) -> None:
    over, still = town.ask(town.publish(), "anne"), town.ask(town.publish(), "anne")
    town.act(over, "decline")
    with town.inside(), write_tx():
        old_ms = START_MS - 401 * DAY_MS
        rows.change(over.id, since_ms=old_ms)
        rows.change(still.id, since_ms=old_ms, deadline_ms=START_MS + DAY_MS)
    town.ask(town.publish(), "anne")
    assert [each.id for each in asked.seen[-1].others] == [still.id]


def test_of_another_towns_resident_only_the_same_listing_shows_what_is_theirs(
    two: Two, asked: Asked
) -> None:
    drill, van = two.home.publish(), two.home.publish(title="Remorque")
    two.exchange()
    first = two.away.ask(drill, "anne")
    two.away.ask(van, "anne")
    two.away.ask(drill, "bernez")
    two.exchange()
    two.away.ask(drill, "anne", first=10, last=11)
    two.exchange()
    standing = asked.seen[-1]
    assert [each.id for each in standing.others] == [first.id]
    assert not standing.is_here and standing.habilitations == {}


def test_done_counts_what_was_done_in_this_one(town: TownHere, asked: Asked) -> None:
    row = town.ask(town.publish(), first=0, last=2)
    town.act(row, "approve")
    town.act(row, "hand_over")
    town.act(row, "renew", "asker", "asker")
    asked.seen.clear()
    town.act(row, "take_back")
    assert asked.seen[-1].done == {"ask": 1, "approve": 1, "hand_over": 1, "renew": 1}


def test_how_many_wait_is_known(town: TownHere, asked: Asked) -> None:
    listing = town.publish()
    town.act(town.ask(listing, "anne"), "approve")
    town.ask(listing, "bernez", queue="1")
    town.ask(listing, "corentin", first=20, last=21)
    assert [each.waiting for each in asked.seen[-1:]] == [1]


def test_who_is_written_down_by_an_aide_is_asked_about_as_such(
    town: TownHere, asked: Asked
) -> None:
    desk, listing = town.member("desk", "moderator"), town.publish()
    form = {
        "first_day": "2026-11-26", "last_day": "2026-11-27",
        "person_name": "Mme Le Goff", "consent": "paper",
    }  # fmt: skip
    with town.inside():
        row = town.engine.staff.ask_for(listing, desk, form, b"1" * 16)
        assert asked.seen[-1].is_staff and asked.seen[-1].others == ()
        town.engine.staff.ask_for(listing, desk, {**form, "person_name": "M. Riou"}, b"2" * 16)
        assert asked.seen[-1].others == ()
        town.engine.staff.ask_for(listing, desk, form, b"3" * 16)
        assert [each.id for each in asked.seen[-1].others] == [row.id]


# ── habilitations ────────────────────────────────────────────────────────────────────────────────


def grant(town: TownHere, code: str, since_ms: int, until_ms: int | None) -> Any:
    with town.inside():
        return habilitations.grant(
            town.member("anne"), code, code.title(), since_ms=since_ms, until_ms=until_ms,
            by=town.member("desk"), now_ms=town.clock.now_ms(),
        )  # fmt: skip


def test_habilitations_are_those_in_force_at_the_moment_of_the_act(
    town: TownHere, asked: Asked
) -> None:
    grant(town, "laser", START_MS, START_MS + 5 * DAY_MS)
    grant(town, "bois", START_MS, None)
    grant(town, "later", START_MS + DAY_MS, None)
    revoked = grant(town, "gone", START_MS, None)
    with town.inside():
        habilitations.revoke(revoked.id, town.member("desk"), START_MS)
    listing = town.publish()
    town.ask(listing, "anne")
    assert asked.seen[-1].habilitations == {"laser": START_MS + 5 * DAY_MS, "bois": None}
    town.clock.forward(days=5)
    town.ask(listing, "anne", first=10, last=11)
    assert asked.seen[-1].habilitations == {"bois": None, "later": None}
    town.ask(listing, "bernez", first=14, last=15)
    assert asked.seen[-1].habilitations == {}


def test_renewed_is_granted_again_and_lasts_as_the_newest_says(
    town: TownHere, asked: Asked
) -> None:
    grant(town, "laser", START_MS, None)
    grant(town, "laser", START_MS, START_MS + DAY_MS)  # shortened: the newer one counts
    town.ask(town.publish(), "anne")
    assert asked.seen[-1].habilitations == {"laser": START_MS + DAY_MS}


# ── speed ────────────────────────────────────────────────────────────────────────────────────────


def plan(query: Any) -> str:
    sql, params = query.sql()
    return " ".join(row[3] for row in db.execute_sql(f"EXPLAIN QUERY PLAN {sql}", params))


def test_every_query_of_a_standing_goes_by_an_index(
    town: TownHere, monkeypatch: pytest.MonkeyPatch, asked: Asked
) -> None:
    listing = town.publish()
    town.ask(listing, "anne")
    told: list[str] = []
    with town.inside():
        database, execute = town.database, town.database.execute_sql

        def explained(sql: str, params: Any = None, *rest: Any) -> Any:
            if sql.startswith("SELECT"):
                steps = execute(f"EXPLAIN QUERY PLAN {sql}", params).fetchall()
                told.extend(f"{row[3]}: {sql}" for row in steps)
            return execute(sql, params, *rest)

        monkeypatch.setattr(database, "execute_sql", explained)
    town.ask(listing, "anne", first=10, last=11)
    assert len(asked.seen) == 2 and told
    scans = [each for each in told if each.startswith("SCAN") and '"engagement"' in each]
    assert scans == []
