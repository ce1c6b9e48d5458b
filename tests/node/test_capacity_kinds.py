"""What can run out, in each of its ways: never promised twice, never lost, recomputed from rows."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import peewee
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from node.domain.clock import FixedClock
from node.domain.errors import Conflict, DomainError
from node.engagements import capacity
from node.store.database import write_tx
from node.store.promises import claims, tallies, voices
from node.store.promises import engagements as rows
from tests.node.engagement_towns import START_MS, TODAY, TownHere, found
from tests.node.scarce import PRACTICE, offer, want

HUGE = 2**70


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownHere]:
    made = found(tmp_path_factory.mktemp("kinds"), "Lorient", FixedClock(START_MS), (PRACTICE,))
    yield made
    made.database.close()


def code_of(town: TownHere, listing: Any, who: str = "asker", **said: Any) -> str:
    """Ask, and return the state it led to or the code of what stood in the way."""
    try:
        return str(want(town, listing, who, **said).state)
    except DomainError as error:
        return error.code


def occupied(town: TownHere, listing: Any) -> tuple[Counter[int], dict[str, int], set[Any]]:
    """Add up from the rows of engagements what is held: slots, lines, voices; check the tallies."""
    slots: Counter[int] = Counter()
    lines: Counter[str] = Counter()
    said: list[tuple[bytes, str]] = []
    with town.inside():
        for row in rows.of_listing(listing.origin, listing.key):
            held = capacity.held_by(row.id)
            is_taking = PRACTICE.engaging.lifecycles[row.lifecycle].state(row.state).takes
            assert bool(held) <= is_taking, row.state
            slots.update(slot for _, slot in held.pairs)
            lines.update(held.lines)
            said += [(row.who, name) for name in held.slices]
        tallied = {name: units for name, units in tallies.held(*place(listing)).items() if units}
        assert tallied == dict(lines) == tallies.recomputed(*place(listing))
    assert len(said) == len(set(said))
    return slots, dict(lines), set(said)


def place(listing: Any) -> tuple[bytes, bytes]:
    return listing.origin, listing.key


# ── one kind after the other ─────────────────────────────────────────────────────────────────────


def test_stock_is_promised_line_by_line_to_the_last_one(town: TownHere) -> None:
    listing = offer(town, stock={"eggs": 5, "milk": 1})
    assert code_of(town, listing, lines="eggs=3,milk=1") == "promised"
    assert code_of(town, listing, lines="eggs=1,milk=1") == "full"
    assert code_of(town, listing, lines="eggs=2") == "promised"
    assert code_of(town, listing, lines="eggs=1") == "full"
    assert occupied(town, listing)[1] == {"eggs": 5, "milk": 1}


def test_an_order_with_one_line_too_many_takes_none_of_its_lines(town: TownHere) -> None:
    listing = offer(town, stock={"eggs": 5, "milk": 1})
    assert code_of(town, listing, lines="eggs=2,milk=2") == "full"
    assert occupied(town, listing)[1] == {}


def test_an_amount_is_taken_up_to_the_cent_and_any_where_there_is_no_end(town: TownHere) -> None:
    listing = offer(town, most=100_00)
    assert code_of(town, listing, sum=60_00) == "promised"
    assert code_of(town, listing, sum=40_01) == "full"
    assert code_of(town, listing, sum=40_00) == "promised"
    assert code_of(town, listing, sum=1) == "full"
    endless = offer(town, most=-1)
    assert {code_of(town, endless, sum=10**12) for _ in range(3)} == {"promised"}
    assert occupied(town, endless)[1] == {"": 3 * 10**12}


def test_one_voice_each_in_each_slice(town: TownHere) -> None:
    listing = offer(town)
    first = want(town, listing, "ana", slice="round 1")
    assert code_of(town, listing, "ana", slice="round 1") == "dup"
    assert code_of(town, listing, "ana", slice="round 2") == "promised"
    assert code_of(town, listing, "bob", slice="round 1") == "promised"
    town.withdraw_ask(first, "ana")
    assert code_of(town, listing, "ana", slice="round 1") == "promised"
    assert len(occupied(town, listing)[2]) == 3


def test_seats_of_an_occurrence_are_counted_one_occurrence_at_a_time(town: TownHere) -> None:
    listing = offer(town, copies=3)
    assert code_of(town, listing, first=10, after=11, units=2) == "promised"
    assert code_of(town, listing, first=10, after=11, units=2) == "full"
    assert code_of(town, listing, first=11, after=12, units=3) == "promised"
    assert code_of(town, listing, first=10, after=11) == "promised"
    assert occupied(town, listing)[0] == {10: 3, 11: 3}


def test_several_kinds_are_promised_together_or_not_at_all(town: TownHere) -> None:
    listing = offer(town, copies=1, stock={"kit": 1}, most=100)
    said = {"first": 5, "after": 7, "lines": "kit=1", "sum": 100, "slice": ""}
    held = want(town, listing, "ana", **said)
    for left in ({"first": 7, "after": 8}, {"lines": "kit=1"}, {"sum": 1}, {"slice": ""}):
        expected = "promised" if left in ({"first": 7, "after": 8}, {"slice": ""}) else "full"
        assert code_of(town, listing, "bob", **left) == expected
    assert code_of(town, listing, "ana", first=20, after=21, slice="") == "dup"
    assert 20 not in occupied(town, listing)[0]
    town.withdraw_ask(held, "ana")
    assert occupied(town, listing) == (Counter({7: 1}), {}, {(rows_who(town, listing, "bob"), "")})


def rows_who(town: TownHere, listing: Any, who: str) -> bytes:
    with town.inside():
        kept = rows.of_listing(*place(listing))
    return next(row.who for row in kept if row.asker == town.members[who])


@pytest.mark.parametrize("quantity", [-1, 0, HUGE, 2**53 + 1])
def test_nothing_less_than_nothing_and_beyond_counting_is_never_promised(
    town: TownHere, quantity: int
) -> None:
    listing = offer(town, copies=3, stock={"eggs": 5}, most=-1)
    taken = code_of(town, listing, lines=f"eggs={quantity}")
    summed = code_of(town, listing, sum=quantity)
    assert {taken, summed} <= ({"promised"} if quantity == 0 else {"full"})
    assert code_of(town, listing, first=1, after=2, units=quantity) == "full"
    assert code_of(town, listing, first=1, after=10**15) == "full"
    assert code_of(town, listing, first=1, after=10**15, units=quantity) == "full"
    assert code_of(town, listing, lines="bread=1") == "full"
    assert occupied(town, listing) == (Counter(), {}, set())


# ── a listing that has less than it had ──────────────────────────────────────────────────────────


def test_fewer_published_later_break_nothing_that_was_promised(town: TownHere) -> None:
    listing = offer(town, copies=3, stock={"eggs": 5}, most=100)
    kept = [
        want(town, listing, first=1, after=3, units=3),
        want(town, listing, lines="eggs=5"),
        want(town, listing, sum=100),
    ]
    before = occupied(town, listing)
    offer(town, key=listing.key, copies=1, stock={"eggs": 2}, most=10)
    assert occupied(town, listing) == before
    assert {town.row(row).state for row in kept} == {"promised"}
    for said in ({"first": 2, "after": 3}, {"lines": "eggs=1"}, {"sum": 1}):
        assert code_of(town, listing, **said) == "full"
    town.withdraw_ask(kept[1])
    assert code_of(town, listing, lines="eggs=3") == "full"
    assert code_of(town, listing, lines="eggs=2") == "promised"


def test_what_is_held_can_shrink_when_the_listing_has_less_or_is_gone(town: TownHere) -> None:
    listing = offer(town, copies=3, stock={"eggs": 5})
    row = want(town, listing, first=1, after=4, units=3, lines="eggs=5")
    offer(town, key=listing.key, copies=1, stock={})
    less = {"today": TODAY, "first": 2, "after": 4, "units": 2, "lines": {"eggs": 4}}
    with town.inside(), write_tx():
        capacity.retake(town.engine.ground, rows.find(row.id), less)
    assert occupied(town, listing)[:2] == (Counter({2: 2, 3: 2}), {"eggs": 4})
    town.withdraw(listing)
    with town.inside(), write_tx():
        capacity.retake(town.engine.ground, rows.find(row.id), {**less, "lines": {"eggs": 1}})
        with pytest.raises(capacity.Refused, match="unknown_listing"):
            capacity.retake(town.engine.ground, rows.find(row.id), less)
    assert occupied(town, listing)[1] == {"eggs": 1}


def test_other_terms_are_held_instead_on_the_same_unit_or_not_at_all(town: TownHere) -> None:
    listing = offer(town, copies=2)
    first, second = (want(town, listing, first=1, after=3) for _ in range(2))
    want(town, listing, first=5, after=6, units=2)
    with town.inside(), write_tx():
        ground, row = town.engine.ground, rows.find(second.id)
        longer, too_long = {"first": 1, "after": 5}, {"first": 1, "after": 6}
        capacity.retake(ground, row, longer)
        assert {unit for unit, _ in claims.of_engagement(row.id)} == {1}
        before = claims.of_engagement(row.id)
        with pytest.raises(capacity.Refused, match="full"):
            capacity.retake(ground, row, too_long)
        assert claims.of_engagement(row.id) == before
        both = {"first": 1, "after": 3}, {"first": 8, "after": 9}
        capacity.retake(ground, row, *both)
        assert [slot for _, slot in claims.of_engagement(row.id)] == [1, 2, 8]
        assert not capacity.free(ground, listing, {"first": 1, "after": 2})
        assert capacity.free(ground, listing, {"first": 1, "after": 2}, row)
    assert town.row(first).state == "promised"


# ── the database itself refuses ──────────────────────────────────────────────────────────────────


def test_the_database_refuses_what_the_program_would_not(town: TownHere) -> None:
    listing = offer(town, copies=1, stock={"eggs": 2})
    one, other = (want(town, listing, lines="eggs=1") for _ in range(2))
    with town.inside(), write_tx():
        claims.take(one.id, *place(listing), 0, [1, 2])
        with pytest.raises(Conflict, match="taken"):
            claims.replace(other.id, *place(listing), [(0, 2), (0, 3)])
        with pytest.raises(Conflict, match="taken"):
            tallies.replace(other.id, *place(listing), {"eggs": 2}, {"eggs": 2})
        voices.replace(one.id, *place(listing), b"\1" * 16, ["a"])
        with pytest.raises(Conflict, match="dup"):
            voices.replace(other.id, *place(listing), b"\1" * 16, ["a", "b"])
        assert voices.of_engagement(other.id) == claims.of_engagement(other.id) == []
        for wrong in ("held + 1", "-1", "held + 9223372036854775000"):
            with pytest.raises(peewee.IntegrityError), write_tx():
                town.database.execute_sql(f"UPDATE tally SET held = {wrong}")
        claims.release(one.id)
        voices.release(one.id)


# ── whatever happens, in whatever order ──────────────────────────────────────────────────────────

MOVES = st.lists(
    st.tuples(
        st.sampled_from(("slots", "lines", "sum", "voice", "withdraw", "revise")),
        st.integers(0, 5),
        st.integers(1, 3),
    ),
    min_size=4,
    max_size=14,
)


@settings(deadline=None, max_examples=15, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(moves=MOVES, queue=st.booleans())
def test_nothing_is_promised_twice_and_nothing_is_lost(
    town: TownHere, moves: list[tuple[str, int, int]], queue: bool
) -> None:
    has = {"copies": 2, "stock": {"a": 3, "b": 2}, "most": 4}
    listing = offer(town, **has)
    asked: list[tuple[Any, str]] = []
    for what, at, much in moves:
        who = f"m{at}"
        said: dict[str, Any] = {
            "slots": {"first": at, "after": at + much},
            "lines": {"lines": f"a={much},b={at % 3}"},
            "sum": {"sum": much},
            "voice": {"slice": str(at % 2)},
        }.get(what, {})
        before = occupied(town, listing)
        if said:
            try:
                asked.append(
                    (want(town, listing, who, **said, **({"queue": 1} if queue else {})), who)
                )
            except Conflict:
                assert occupied(town, listing) == before
        elif what == "revise":
            has = {"copies": much, "stock": {"a": at, "b": much}, "most": at}
            offer(town, key=listing.key, **has)
        elif asked:
            row, who = asked.pop(at % len(asked))
            town.withdraw_ask(row, who)
        after = occupied(town, listing)
        assert_within(before, after, has)
    for row, who in asked:
        if not town.row(row).final:
            town.withdraw_ask(row, who)
    assert occupied(town, listing) == (Counter(), {}, set())


def assert_within(before: Any, after: Any, has: dict[str, Any]) -> None:
    """Check that whatever grew is within what the listing has now."""
    slots, lines = after[:2]
    most = {**has["stock"], "": has["most"]}
    assert all(slots[at] <= max(has["copies"], before[0][at]) for at in slots)
    assert all(
        units <= max(most.get(name, 0), before[1].get(name, 0)) for name, units in lines.items()
    )
