"""The waiting line inside one town: what comes free goes by itself to the first whose terms fit."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from node.domain.clock import FixedClock
from node.domain.errors import Conflict, DomainError
from node.engagements import capacity, line
from node.store import notices
from node.store.database import write_tx
from node.store.promises import engagements as rows
from node.store.promises import lines
from tests.node.engagement_towns import START_MS, TownHere, found
from tests.node.scarce import OFFER_HOURS, PRACTICE, TABLE, offer, want

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownHere]:
    folder = tmp_path_factory.mktemp("line")
    made = found(folder, "Lorient", FixedClock(START_MS), (PRACTICE,))
    yield made
    made.database.close()


def state(town: TownHere, row: Any) -> str:
    return str(town.row(row).state)


def later(town: TownHere, more_ms: int) -> None:
    """Let time go by."""
    town.clock.at_ms += more_ms


def places(town: TownHere, *asked: Any) -> list[int | None]:
    with town.inside():
        return [line.place(rows.find(row.id)) for row in asked]


def waiting_for(town: TownHere, listing: Any, *names: str, **said: Any) -> list[Any]:
    """Let one person after the other ask, ready to wait."""
    said = said or {"first": 1, "after": 3}
    return [want(town, listing, name, queue=1, **said) for name in names]


def test_who_would_wait_is_promised_at_once_while_there_is_something(town: TownHere) -> None:
    listing = offer(town, copies=1)
    first, second = waiting_for(town, listing, "ana", "bob")
    assert (state(town, first), state(town, second)) == ("promised", "waiting")
    assert places(town, first, second) == [None, 1]


def test_who_would_not_wait_is_told_that_it_is_full(town: TownHere) -> None:
    listing = offer(town, copies=1)
    waiting_for(town, listing, "ana")
    with pytest.raises(DomainError, match="full"):
        want(town, listing, "bob", first=1, after=3)


def test_moodle_mod_booking_1050_the_line_passes_on_by_itself(town: TownHere) -> None:
    listing = offer(town, copies=1)
    first, second, third = waiting_for(town, listing, "ana", "bob", "cleo")
    town.withdraw_ask(first, "ana")
    assert [state(town, each) for each in (second, third)] == ["offered", "waiting"]
    assert places(town, second, third) == [None, 1]
    later(town, OFFER_HOURS * HOUR_MS - 1)
    town.sweep()
    assert state(town, second) == "offered"
    later(town, 1)
    town.sweep()
    assert [state(town, each) for each in (second, third)] == ["passed", "offered"]
    town.act(third, "accept", "cleo", "asker")
    assert state(town, third) == "promised"
    later(town, 3 * OFFER_HOURS * HOUR_MS)
    town.sweep()
    assert state(town, third) == "promised"


def test_who_is_offered_something_is_told(town: TownHere) -> None:
    listing = offer(town, copies=1)
    first, second = waiting_for(town, listing, "ana", "bob")
    town.withdraw_ask(first, "ana")
    with town.inside():
        told = [each.engagement for each in notices.due(town.clock.now_ms() + DAY_MS)
                if each.member == town.members["bob"]]  # fmt: skip
    assert second.id in told


def test_nobody_overtakes_the_line_in_the_moment_something_comes_free(town: TownHere) -> None:
    listing = offer(town, copies=1)
    first, second = waiting_for(town, listing, "ana", "bob")
    with town.inside(), write_tx():
        town.engine.act(
            first.id, "withdraw", member_id=town.member("ana"), role="asker", act_id=b"w" * 8
        )
        with pytest.raises(Conflict, match="full"):
            want(town, listing, "cleo", first=1, after=3)
    assert state(town, second) == "offered"


@pytest.mark.parametrize(
    "way", ["withdraw", "decline", "revoke", "lapse", "more", "erased", "gone"]
)
def test_every_way_of_coming_free_is_passed_on(town: TownHere, way: str) -> None:
    listing = offer(town, copies=1)
    first, second = waiting_for(town, listing, "ana", "bob")
    if way == "withdraw":
        town.withdraw_ask(first, "ana")
    elif way == "decline":
        town.act(second, "revoke")
    elif way == "revoke":
        town.act(first, "revoke")
    elif way == "lapse":
        later(town, 9 * DAY_MS)
        with town.inside(), write_tx():
            rows.change(first.id, deadline_ms=town.clock.now_ms() - 1)
        town.sweep()
    elif way == "more":
        offer(town, key=listing.key, copies=2)
    elif way == "erased":
        with town.inside():
            town.engine.forget(town.members["ana"])
    else:
        town.withdraw(listing)
    expected = {"decline": "revoked", "gone": "declined"}.get(way, "offered")
    assert state(town, second) == expected


def test_what_comes_free_without_an_act_is_found_by_the_job(town: TownHere) -> None:
    listing = offer(town, copies=1)
    _, second = waiting_for(town, listing, "ana", "bob")
    with town.inside(), write_tx():
        town.database.execute_sql("DELETE FROM claim")
    assert town.sweep() == 1
    assert state(town, second) == "offered"


def test_the_first_whose_terms_fit_is_next_and_the_others_keep_their_place(town: TownHere) -> None:
    listing = offer(town, copies=1)
    held = [
        want(town, listing, "ana", first=1, after=3),
        want(town, listing, "ana", first=3, after=5),
    ]
    long, short = (
        waiting_for(town, listing, "bob", first=1, after=5)[0],
        waiting_for(town, listing, "cleo", first=3, after=4)[0],
    )
    town.withdraw_ask(held[1], "ana")
    assert [state(town, each) for each in (long, short)] == ["waiting", "offered"]
    assert places(town, long) == [1]


def test_several_are_offered_at_once_when_much_comes_free(town: TownHere) -> None:
    listing = offer(town, copies=3)
    held = want(town, listing, "ana", first=1, after=3, units=3)
    waits = waiting_for(town, listing, "bob", "cleo", "dan", "eve")
    town.withdraw_ask(held, "ana")
    assert [state(town, each) for each in waits] == ["offered"] * 3 + ["waiting"]


@pytest.mark.parametrize(
    ("has", "said"),
    [
        ({"stock": {"eggs": 2}}, {"lines": "eggs=2"}),
        ({"most": 10}, {"sum": 7}),
        ({"copies": 2}, {"first": 4, "after": 5, "units": 2}),
    ],
)
def test_lines_wait_for_stock_and_sums_and_seats_too(
    town: TownHere, has: dict[str, Any], said: dict[str, Any]
) -> None:
    listing = offer(town, **has)
    first, second = waiting_for(town, listing, "ana", "bob", **said)
    assert state(town, second) == "waiting"
    town.withdraw_ask(first, "ana")
    assert state(town, second) == "offered"


def test_a_second_voice_does_not_wait_for_the_first_one(town: TownHere) -> None:
    listing = offer(town)
    waiting_for(town, listing, "ana", slice="")
    with pytest.raises(Conflict, match="dup"):
        waiting_for(town, listing, "ana", slice="")


def test_who_waited_too_long_lapses_and_is_offered_nothing(town: TownHere) -> None:
    listing = offer(town, copies=1)
    first, second = waiting_for(town, listing, "ana", "bob")
    later(town, 11 * DAY_MS)
    town.withdraw_ask(first, "ana")
    assert state(town, second) == "waiting"  # the job has not run yet, but it is over
    town.sweep()
    assert state(town, second) == "lapsed"
    assert places(town, second) == [None]


def test_fewer_copies_are_offered_to_nobody(town: TownHere) -> None:
    listing = offer(town, copies=2)
    waits = waiting_for(town, listing, "ana", "bob", "cleo")
    offer(town, key=listing.key, copies=1)
    town.withdraw_ask(waits[0], "ana")
    assert state(town, waits[2]) == "waiting"
    town.withdraw_ask(waits[1], "bob")
    assert state(town, waits[2]) == "offered"


def test_a_keeper_declines_who_waits_and_the_next_moves_up(town: TownHere) -> None:
    listing = offer(town, copies=1)
    _, second, third = waiting_for(town, listing, "ana", "bob", "cleo")
    town.withdraw_ask(second, "bob")
    assert places(town, second, third) == [None, 1]


def test_staff_put_somebody_first_with_a_trace(town: TownHere) -> None:
    listing = offer(town, copies=1)
    first, *waits = waiting_for(town, listing, "ana", "bob", "cleo", "dan")
    with town.inside(), write_tx():
        ground = town.engine.ground
        line.bump(ground, rows.find(waits[2].id), rows.find(waits[0].id), member=99)
    assert places(town, *waits) == [2, 3, 1]
    with town.inside():
        acts = [each for each in town.engine.find(waits[2].id).acts if each.action == line.BUMP]
    assert [(each.by, each.member) for each in acts] == [("desk", 99)]
    town.withdraw_ask(first, "ana")
    assert [state(town, each) for each in waits] == ["waiting", "waiting", "offered"]
    with town.inside(), write_tx():
        line.bump(ground, rows.find(waits[0].id), None)
        with pytest.raises(Conflict, match="not_in_line"):
            line.bump(ground, rows.find(waits[2].id), rows.find(waits[0].id))
    assert places(town, *waits) == [2, 1, None]


def test_passing_on_twice_offers_nothing_more(town: TownHere) -> None:
    listing = offer(town, copies=2)
    first, _, third, fourth = waiting_for(town, listing, "ana", "bob", "cleo", "dan")
    town.withdraw_ask(first, "ana")
    with town.inside():
        before = rows.of_listing(listing.origin, listing.key)
        for _ in range(3):
            with write_tx():
                assert line.pass_on(town.engine.ground, town.listing(listing)) == []
            town.engine.sweep()
        after = rows.of_listing(listing.origin, listing.key)
    assert [dict(row.__data__, remind_ms=0) for row in before] == [
        dict(row.__data__, remind_ms=0) for row in after
    ]
    assert [state(town, each) for each in (third, fourth)] == ["offered", "waiting"]


def test_a_crash_before_the_commit_leaves_release_and_offer_both_undone(town: TownHere) -> None:
    listing = offer(town, copies=1)
    first, second = waiting_for(town, listing, "ana", "bob")
    with pytest.raises(ZeroDivisionError), town.inside(), write_tx():
        town.engine.act(
            first.id, "withdraw", member_id=town.member("ana"), role="asker", act_id=b"w" * 8
        )
        line.settle(town.engine.ground)
        raise ZeroDivisionError
    assert [state(town, each) for each in (first, second)] == ["promised", "waiting"]


# ── property 14: whatever happens, in whatever order ─────────────────────────────────────────────

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("ask", "ask", "ask", "withdraw", "accept", "copies", "wait", "bump")),
        st.integers(0, 7),
        st.integers(1, 3),
    ),
    min_size=6,
    max_size=20,
)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownHere]:
    folder = tmp_path_factory.mktemp("lasting")
    made = found(folder, "Lorient", FixedClock(START_MS), (PRACTICE,))
    yield made
    made.database.close()


@settings(deadline=None, max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(steps=STEPS)
def test_an_offer_never_exceeds_what_is_free_and_the_order_is_kept(
    lasting: TownHere, steps: list[tuple[str, int, int]]
) -> None:
    town, copies = lasting, 2
    listing = offer(town, copies=copies)
    asked: list[Any] = []
    for what, at, much in steps:
        if what == "ask":
            asked += waiting_for(town, listing, f"m{at}", first=1, after=2, units=min(much, 2))
        elif what == "copies":
            copies = much
            offer(town, key=listing.key, copies=copies)
        elif what == "wait":
            later(town, much * 30 * HOUR_MS)
            town.sweep()
        elif asked:
            _act_on(town, listing, asked[at % len(asked)], what)
        _check(town, listing, copies)


def _act_on(town: TownHere, listing: Any, row: Any, what: str) -> None:
    row = town.row(row)
    if what == "bump" and row.rank is not None:
        with town.inside(), write_tx():
            ahead = lines.waiting(listing.origin, listing.key)[0]
            line.bump(town.engine.ground, row, ahead)
    elif what == "withdraw" and not row.final:
        town.act(row, "withdraw", name_of(town, row), "asker")
    elif what == "accept" and row.state == "offered":
        town.act(row, "accept", name_of(town, row), "asker")


def name_of(town: TownHere, row: Any) -> str:
    return next(name for name, number in town.members.items() if number == row.asker)


def _check(town: TownHere, listing: Any, copies: int) -> None:
    """Nobody holds what is not there, nobody waits for what is free, ranks are one line."""
    with town.inside():
        kept = rows.of_listing(listing.origin, listing.key)
        held = [len(capacity.held_by(row.id).pairs) for row in kept]
        taking = [row for row in kept if TABLE.state(row.state).takes]
        assert sum(held) == sum(_units(row) for row in taking)
        row_listing = town.listing(listing)
        for row in kept:
            assert (row.rank is not None) == (row.state == "waiting")
            if row.state == "waiting" and row.deadline_ms > town.clock.now_ms():
                assert not capacity.free(town.engine.ground, row_listing, _terms(row))
        ranks = [row.rank for row in lines.waiting(listing.origin, listing.key)]
        assert ranks == sorted(set(ranks))
        offers = [row for row in taking if row.state == "offered"]
        assert all(row.deadline_ms > town.clock.now_ms() for row in offers)


def _terms(row: Any) -> dict[str, Any]:
    return dict(json.loads(row.terms))


def _units(row: Any) -> int:
    return int(_terms(row).get("units", 1))
