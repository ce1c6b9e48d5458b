"""A lifecycle refuses to be wrong: every planted fault is found when the table is built."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.domain.lifecycle import (
    CANCELLED,
    REVOKED,
    UNIVERSAL,
    Deadline,
    Lifecycle,
    LifecycleError,
    State,
    Transition,
)
from node.practices.lending.lifecycle import GIFT, LOAN

Table = dict[str, Any]
BUILT = (LOAN, GIFT)


def table(of: Lifecycle) -> Table:
    """Return the arguments a lifecycle was built from."""
    return {
        "start": of.start,
        "refuses_to": of.refuses_to,
        "waiting": of.waiting,
        "holding": of.holding,
        "states": list(of.states.values()),
        "transitions": [each for each in of.transitions if each.action not in UNIVERSAL],
    }


def change(of: Table, at: int, is_final: bool, **fields: Any) -> Table:
    """Change one open (or final) state of a table."""
    states = of["states"]
    places = [place for place, each in enumerate(states) if each.final == is_final]
    if places:  # an earlier fault may have left none
        place = places[at % len(places)]
        states[place] = dataclasses.replace(states[place], **fields)
    return of


def rewire(of: Table, at: int, **fields: str) -> Table:
    """Change one transition of a table."""
    place = at % len(of["transitions"])
    of["transitions"][place] = dataclasses.replace(of["transitions"][place], **fields)
    return of


def extra(of: Table, state: State) -> Table:
    """Add a state to a table."""
    of["states"].append(state)
    return of


def loop(of: Table, at: int) -> Table:
    """Let an open state lapse to itself."""
    places = [each.name for each in of["states"] if not each.final]
    return change(of, at, False, lapses_to=places[at % len(places)])


def drop(of: Table, at: int) -> Table:
    """Forget a state that the rest of the table names."""
    del of["states"][at % len(of["states"])]
    return of


def lead_out(of: Table, at: int) -> Table:
    """Add a way out of a final state."""
    finals = [each.name for each in of["states"] if each.final]
    out = Transition("again", finals[at % len(finals)], of["start"], "asker", "Again")
    of["transitions"].append(out)
    return of


SOON = Deadline(days=1)
FAULTS: dict[str, Callable[[Table, int], Table]] = {
    "a state is missing": drop,
    "an open state is nobody's turn": lambda of, at: change(of, at, False, turn=""),
    "a turn is no role": lambda of, at: change(of, at, False, turn="mayor"),
    "an open state has no deadline": lambda of, at: change(of, at, False, deadline=None),
    "an open state lapses nowhere": lambda of, at: change(of, at, False, lapses_to=""),
    "a state lapses to itself": loop,
    "a state lapses to an unknown one": lambda of, at: change(of, at, False, lapses_to="moon"),
    "a state has no label": lambda of, at: change(of, at, bool(at % 2), label=""),
    "a final state takes": lambda of, at: change(of, at, True, takes=True),
    "a final state has a turn": lambda of, at: change(of, at, True, turn="asker"),
    "a final state has a deadline": lambda of, at: change(of, at, True, deadline=SOON),
    "a final state lapses": lambda of, at: change(of, at, True, lapses_to="requested"),
    "a final state has a way out": lead_out,
    "an action is done by nobody": lambda of, at: rewire(of, at, by=""),
    "an action has no name": lambda of, at: rewire(of, at, action=""),
    "an action has no label": lambda of, at: rewire(of, at, label=""),
    "an action leads nowhere": lambda of, at: rewire(of, at, after="moon"),
    "an action starts nowhere": lambda of, at: rewire(of, at, before="moon"),
    "an action is written twice": lambda of, at: {
        **of,
        "transitions": [*of["transitions"], of["transitions"][at % len(of["transitions"])]],
    },
    "an action is universal already": lambda of, at: rewire(of, 0, action="withdraw"),
    "two states share a name": lambda of, at: extra(of, of["states"][at % len(of["states"])]),
    "a state is never reached": lambda of, at: extra(of, State("lonely", "Lonely", final=True)),
    "the start is unknown": lambda of, at: {**of, "start": "moon"},
    "the start is final": lambda of, at: {**of, "start": "declined"},
    "what is refused stays open": lambda of, at: {**of, "refuses_to": "approved"},
    "what is refused goes nowhere": lambda of, at: {**of, "refuses_to": "moon"},
}


@pytest.mark.parametrize("of", BUILT, ids=lambda each: each.name)
def test_the_tables_of_lending_can_be_built_again(of: Lifecycle) -> None:
    again = Lifecycle(of.name, **table(of))
    assert again.states == of.states and again.transitions == of.transitions


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("of", BUILT, ids=lambda each: each.name)
@pytest.mark.parametrize("at", range(12))
def test_a_planted_fault_is_refused(of: Lifecycle, fault: str, at: int) -> None:
    with pytest.raises(LifecycleError) as refused:
        Lifecycle("planted", **FAULTS[fault](table(of), at))
    assert str(refused.value).startswith("planted: ")


@given(st.sampled_from(BUILT), st.lists(st.sampled_from(sorted(FAULTS)), min_size=2, max_size=4))
def test_faults_do_not_hide_one_another(of: Lifecycle, faults: list[str]) -> None:
    broken = table(of)
    for fault in faults:
        broken = FAULTS[fault](broken, 0)
    with pytest.raises(LifecycleError):
        Lifecycle("planted", **broken)


@st.composite
def sound_tables(draw: st.DrawFn) -> Table:
    """Tables that keep the rules: each open state lapses to a later one, the last to a final."""
    count = draw(st.integers(1, 6))
    names = [f"open{number}" for number in range(count)]
    finals = [State(name, name, final=True) for name in ("declined", "over", CANCELLED, REVOKED)]
    states = [
        State(
            name,
            name,
            turn=draw(st.sampled_from(("asker", "keeper", "clock"))),
            takes=draw(st.booleans()),
            leavable=number == 0 or draw(st.booleans()),
            deadline=Deadline(days=draw(st.integers(0, 40)), hours=draw(st.integers(0, 30))),
            lapses_to=(*names, "over")[number + 1],
        )
        for number, name in enumerate(names)
    ]
    ways = draw(st.sets(st.tuples(st.sampled_from(names), st.sampled_from(names)), max_size=8))
    transitions = [
        Transition(f"go{at}", before, after, "keeper", "Go")
        for at, (before, after) in enumerate(sorted(ways))
    ]
    transitions.append(Transition("decline", names[0], "declined", "keeper", "Decline"))
    return {"start": names[0], "states": states + finals, "transitions": transitions}


@given(sound_tables(), st.integers(0, 2**41))
def test_a_sound_table_is_built_and_ends_by_itself(sound: Table, since_ms: int) -> None:
    built = Lifecycle("sound", **sound)
    for name, state in built.states.items():
        assert built.ends_ms(name, {"since": since_ms}) >= since_ms
        offered = [built.actions(name, role) for role in ("asker", "keeper", "clock", "staff")]
        mine = [each for each in built.transitions if each.before == name]
        assert sorted(sum(offered, ()), key=str) == sorted(mine, key=str)
        assert built.taking() >= {name} if state.takes else name not in built.taking()


@given(sound_tables())
def test_withdraw_leaves_where_one_may_and_revoke_everywhere_open(sound: Table) -> None:
    built = Lifecycle("sound", **sound)
    for name, state in built.states.items():
        withdraw, revoke = built.find(name, "withdraw"), built.find(name, "revoke")
        assert (withdraw is not None) == (not state.final and state.leavable)
        assert (revoke is not None) == (not state.final)
        assert withdraw is None or (withdraw.after, withdraw.by) == (CANCELLED, "asker")
        assert revoke is None or (revoke.after, revoke.by) == (REVOKED, "keeper")


@given(sound_tables())
def test_the_way_ahead_never_turns_in_circles(sound: Table) -> None:
    built = Lifecycle("sound", **sound)
    for name in built.states:
        ahead = [each.name for each in built.path(name)]
        assert len({name, *ahead}) == len(ahead) + 1


def test_the_way_ahead_of_a_loan_is_the_one_people_tell() -> None:
    told = [each.name for each in LOAN.path("requested")]
    assert told == ["approved", "handed_over", "returned", "closed"]
    assert [each.name for each in GIFT.path("requested")] == ["approved", "handed_over"]
    assert LOAN.way_forward("closed") is None


@pytest.mark.parametrize(
    ("deadline", "moments", "at_ms"),
    [
        (Deadline(days=2), {"since": 1_000}, 172_801_000),
        (Deadline(hours=48), {"since": 0}, 172_800_000),
        (Deadline(days=5, before="start"), {"since": 0, "start": 7}, 7),
        (Deadline(days=5, before="start"), {"since": 0}, 432_000_000),
        (Deadline(days=0, before="start"), {"since": 3, "start": 7}, 3),
        (Deadline(after="due"), {"since": 0, "due": 99}, 99),
        (Deadline(hours=-1, after="leaves"), {"since": 0, "leaves": 3_600_005}, 5),
        (Deadline(after="due"), {"since": 4}, 4),
    ],
)
def test_a_deadline_is_counted_from_its_moment(
    deadline: Deadline, moments: dict[str, int], at_ms: int
) -> None:
    assert deadline.at_ms(moments) == at_ms


def test_a_table_cannot_be_changed_once_built() -> None:
    with pytest.raises(TypeError):
        LOAN.states["requested"] = LOAN.states["closed"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        LOAN.states["requested"].turn = "asker"  # type: ignore[misc]


def test_unknown_names_are_a_key_error_or_nothing() -> None:
    with pytest.raises(KeyError):
        LOAN.state("moon")
    assert LOAN.find("requested", "vote") is None
    assert LOAN.actions("moon", "asker") == ()
