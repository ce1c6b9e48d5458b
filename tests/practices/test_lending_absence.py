"""What is out is not there: late things, who comes next, and what is said to both."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.domain.errors import DomainError
from node.engagements import absence
from node.engagements.telling import LATE
from node.practices.lending.lifecycle import LOAN
from node.practices.lending.practice import PRACTICE as LENDING
from node.store.notices import Notice
from tests.node.engagement_towns import TODAY, TownHere, Two, two_towns


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with two_towns(tmp_path) as made:
        yield made


def promise(town: TownHere, drill: Any, who: str, first: int, last: int, **form: str) -> Any:
    return town.act(town.ask(drill, who, first, last, **form), "approve")


def lent(town: TownHere, drill: Any, who: str = "anne", last: int = 0, **form: str) -> Any:
    return town.act(promise(town, drill, who, 0, last, **form), "hand_over")


def refused(act: Any, *given: Any, **named: Any) -> str:
    try:
        act(*given, **named)
    except DomainError as error:
        return error.code
    return ""


def free(town: TownHere, drill: Any) -> dict[int, bool]:
    """Which days the calendar shows free, counted from TODAY."""
    with town.inside():
        return {day["day"] - TODAY: day["free"] for day in town.engine.days(town.listing(drill))}


def told(town: TownHere) -> list[str]:
    """Who has a word waiting that a thing is not back."""
    by_number = {number: name for name, number in town.members.items()}
    with town.inside():
        waiting = Notice.select().where(Notice.kind == LATE)
        return sorted(by_number[each.member] for each in waiting)


def test_two_loans_of_one_copy_are_never_out_at_once(two: Two) -> None:
    town = two.home
    drill = town.publish()
    late, after = lent(town, drill), promise(town, drill, "yann", 1, 2)
    two.clock.forward(days=1)
    town.sweep()
    assert refused(town.act, after, "hand_over") == "still_out"
    town.member("desk", "admin")
    assert refused(town.act, after, "hand_over", "desk", "staff") == "still_out"
    town.act(town.row(late), "take_back")
    assert town.act(town.row(after), "hand_over").state == "handed_over"


def test_of_two_copies_only_the_second_is_handed_over_while_one_is_late(two: Two) -> None:
    town = two.home
    drill = town.publish(copies=2)
    lent(town, drill)
    first, second = promise(town, drill, "yann", 1, 2), promise(town, drill, "soizic", 1, 2)
    two.clock.forward(days=1)
    assert town.act(first, "hand_over").state == "handed_over"
    assert refused(town.act, second, "hand_over") == "still_out"


@pytest.mark.parametrize("is_swept", [True, False])
def test_what_is_late_is_taken_until_it_can_be_brought_back(two: Two, is_swept: bool) -> None:
    town = two.home
    drill = town.publish()
    asked = town.ask(drill, "yann", 4, 4)
    lent(town, drill)
    two.clock.forward(days=3)
    if is_swept:
        town.sweep()
    assert refused(town.ask, drill, "soizic", 3, 3) == "full"
    assert refused(town.ask, drill, "soizic", 4, 4) == "full"
    assert town.ask(drill, "soizic", 5, 6).state == "requested"
    assert refused(town.act, asked, "approve") == "full"
    assert (free(town, drill)[3], free(town, drill)[4], free(town, drill)[5]) == (
        False,
        False,
        True,
    )


def test_what_is_late_is_taken_over_the_closed_days(two: Two) -> None:
    town = two.home
    drill = town.publish(open_days=[0, 3])  # Monday (today) and Thursday
    lent(town, drill)
    two.clock.forward(days=1)
    assert refused(town.ask, drill, "soizic", 3, 4) == "full"
    assert town.ask(drill, "soizic", 7, 8).state == "requested"


def test_what_is_late_breaks_no_promise_and_nobody_is_offered_it(two: Two) -> None:
    town = two.home
    drill = town.publish(max_days=9)
    late, after = lent(town, drill), promise(town, drill, "yann", 1, 3)
    waiting = town.ask(drill, "soizic", 1, 1, queue="1")
    two.clock.forward(days=1)
    town.sweep()
    assert town.row(after).state == "approved"
    shorter = town.act(
        after, "change", "yann", "asker", args={"first_day": "2026-11-24", "last_day": "2026-11-24"}
    )
    assert shorter.state == "approved"
    town.withdraw_ask(town.row(after), "yann")
    assert town.row(waiting).state == "waiting"
    town.act(town.row(late), "take_back")
    assert town.row(waiting).state == "offered"


def test_who_comes_next_and_the_keeper_are_told_once_a_day_while_it_is_so(two: Two) -> None:
    town = two.home
    drill = town.publish()
    late, after = lent(town, drill), promise(town, drill, "yann", 2, 3)
    promise(town, drill, "soizic", 9, 9)
    for _ in range(2):
        town.sweep()
    assert told(town) == []
    two.clock.forward(days=1)
    for _ in range(3):
        town.sweep()
    assert told(town) == ["keeper", "yann"]
    with town.inside():
        assert absence.due_ms(town.engine.ground, town.row(after)) == town.row(late).since_ms
        notice = Notice.get(Notice.kind == LATE, Notice.member == town.members["yann"])
        known = (notice.kind, notice.params, town.members["yann"])
        assert town.engine.is_news(town.engine.find(after.id), *known)
        town.act(town.row(late), "take_back")
        assert not town.engine.is_news(town.engine.find(after.id), *known)


def test_a_gift_that_was_fetched_is_not_awaited(two: Two) -> None:
    town = two.home
    pots = town.publish(verb="donner", copies=2)
    for who in ("anne", "yann"):
        assert town.act(promise(town, pots, who, 0, 0), "hand_over").state == "handed_over"


def test_what_is_out_is_held_and_nobody_leaves_by_a_word() -> None:
    states = [LOAN.state(name) for name in LENDING.engaging.out]
    assert [state.name for state in states] == ["handed_over", "overdue"]
    assert all(state.takes and not state.leavable for state in states)
