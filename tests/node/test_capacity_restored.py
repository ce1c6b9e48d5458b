"""After a restore: stock, sums, voices and waiting lines come back as they were, none twice."""

from pathlib import Path
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.engagements import capacity, line
from node.store.database import write_tx
from node.store.promises import engagements as rows
from node.store.promises import lines, tallies
from tests.node.engagement_towns import START_MS, TownHere, exchange, found, pair, two_towns
from tests.node.restored_towns import back_up, leave_restore, pull_back, put_back, visit
from tests.node.scarce import PRACTICE, offer, want


def picture(town: TownHere, listing: Any) -> Any:
    """Return everything that is promised of a listing and who waits for it, as plain values."""
    with town.inside():
        kept = rows.of_listing(listing.origin, listing.key)
        held = {row.id: (row.state, row.rank, capacity.told(row)) for row in kept}
        tallied = tallies.held(listing.origin, listing.key)
        assert {name: n for name, n in tallied.items() if n} == tallies.recomputed(
            listing.origin, listing.key
        )
        waiting = [row.id for row in lines.waiting(listing.origin, listing.key)]
    return held, waiting


def ask_all(town: TownHere, listing: Any) -> list[Any]:
    """Let people take all there is, in every way, and three more wait."""
    said = ({"lines": "eggs=4"}, {"sum": 70}, {"slice": "a"}, {"first": 1, "after": 4, "units": 2})
    taken = [want(town, listing, "ana", **each) for each in said]
    wishes = ("bob", "cleo", "dan")
    return taken + [want(town, listing, who, queue=1, lines="eggs=2", sum=20) for who in wishes]


@pytest.mark.parametrize("since", ["before", "after", "between"])
def test_the_logbook_brings_back_every_kind_of_promise_and_the_line(
    tmp_path: Path, since: str
) -> None:
    town = found(tmp_path, "Lorient", FixedClock(START_MS), (PRACTICE,))
    other = found(tmp_path, "Quimper", FixedClock(START_MS), (PRACTICE,))
    pair(town, other)
    listing = offer(town, copies=2, stock={"eggs": 4}, most=80)
    for who in ("ana", "bob", "cleo", "dan"):
        town.member(who)
    backup = back_up(town, tmp_path / "backup.db")
    asked = ask_all(town, listing)
    if since == "between":
        backup = back_up(town, tmp_path / "backup.db")
    with town.inside(), write_tx():
        line.bump(town.engine.ground, rows.find(asked[6].id), rows.find(asked[4].id))
    town.withdraw_ask(asked[2], "ana")
    offer(town, key=listing.key, copies=1, stock={"eggs": 3}, most=50)
    if since == "after":
        backup = back_up(town, tmp_path / "backup.db")
    exchange(town, other)  # the partner holds the listing as it is now
    before = picture(town, listing)
    town = put_back(town, backup, with_logbook=True)
    assert picture(town, listing) == before
    pull_back(town, other)
    leave_restore(town)
    assert picture(town, listing) == before
    town.withdraw_ask(asked[0], "ana")
    town.withdraw_ask(asked[1], "ana")
    states = [town.row(row).state for row in asked[4:]]
    assert states == ["waiting", "waiting", "offered"]
    for each in (town, other):
        each.database.close()


def test_without_a_logbook_the_line_comes_back_from_the_other_town(tmp_path: Path) -> None:
    with two_towns(tmp_path) as two:
        listing = two.home.publish()
        two.exchange()
        backup = back_up(two.home, tmp_path / "backup.db")
        held = two.away.ask(listing, "ana", 6, 7)
        two.exchange()
        two.home.act(held, "approve")
        waits = [two.away.ask(listing, who, 6, 7, queue="1") for who in ("bob", "cleo")]
        two.exchange()
        assert [two.both(row)[1] for row in waits] == ["waiting", "waiting"]
        before = [row.id for row in waiting_at(two.home, listing)]
        two.home = put_back(two.home, backup, with_logbook=False)
        pull_back(two.home, two.away)
        leave_restore(two.home)
        visit(two.home, two.away)
        assert [row.id for row in waiting_at(two.home, listing)] == before
        assert {two.both(row) for row in waits} == {("waiting", "waiting")}
        assert two.both(held) == ("approved", "approved")
        two.away.withdraw_ask(held, "ana")
        two.exchange()
        assert {two.home.row(rows_of(waits, before[0])).state} == {"offered"}
        assert {two.home.row(rows_of(waits, before[1])).state} == {"waiting"}


def waiting_at(town: TownHere, listing: Any) -> list[Any]:
    with town.inside():
        return lines.waiting(listing.origin, listing.key)


def rows_of(waits: list[Any], which: bytes) -> Any:
    return next(row for row in waits if row.id == which)
