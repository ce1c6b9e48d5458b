"""The rounds: several towns at once, each once at a time, and nobody waits for a slow one."""

import threading

import pytest

from node.partners import rounds
from node.partners.rounds import AT_ONCE, Rounds

TOWNS = [bytes([number]) * 32 for number in range(20)]


def test_every_town_is_visited_once() -> None:
    seen: list[bytes] = []
    assert Rounds(seen.append).go(TOWNS) == 20
    assert sorted(seen) == TOWNS


def test_no_more_than_some_are_visited_at_once() -> None:
    lock, gate = threading.Lock(), threading.Event()
    now, most = [0], [0]

    def visit(town: bytes) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            if now[0] == AT_ONCE:
                gate.set()
        assert gate.wait(30)
        with lock:
            now[0] -= 1

    made = Rounds(visit)
    made.go(TOWNS)
    assert made.wait(30)
    assert most == [AT_ONCE]


def test_a_town_that_is_being_visited_is_not_visited_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "PATIENCE_S", 0.1)
    gate, seen = threading.Event(), list[bytes]()

    def visit(town: bytes) -> None:
        seen.append(town)
        if town == TOWNS[0]:
            assert gate.wait(30)

    made = Rounds(visit)
    assert made.go(TOWNS[:2]) == 2
    assert made.go(TOWNS[:3]) == 2  # the first is still under way
    assert not made.wait(0)
    gate.set()
    assert made.wait(30)
    assert made.go(TOWNS[:1]) == 1
    assert sorted(seen) == sorted([TOWNS[0], TOWNS[1], TOWNS[1], TOWNS[2], TOWNS[0]])


def test_when_all_threads_are_held_up_the_next_towns_have_their_turn_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "PATIENCE_S", 0.1)
    gate, seen = threading.Event(), list[bytes]()

    def visit(town: bytes) -> None:
        if town in TOWNS[:AT_ONCE]:
            assert gate.wait(30)
        seen.append(town)

    made = Rounds(visit)
    made.go(TOWNS[:AT_ONCE])
    made.go(TOWNS[AT_ONCE:])
    assert seen == []
    gate.set()
    assert made.wait(30)
    assert sorted(seen) == TOWNS


def test_a_visit_that_breaks_stops_no_other_and_every_thread_lets_go() -> None:
    seen, left = list[bytes](), list[int]()

    def visit(town: bytes) -> None:
        seen.append(town)
        raise ZeroDivisionError

    made = Rounds(visit, leave=lambda: left.append(threading.get_ident()))
    for _ in range(3):
        made.go(TOWNS)
    assert len(seen) == 60
    assert threading.get_ident() not in left and left


def test_many_that_send_out_at_once_lose_no_town() -> None:
    lock, seen = threading.Lock(), list[bytes]()

    def visit(town: bytes) -> None:
        with lock:
            seen.append(town)

    made = Rounds(visit)
    senders = [
        threading.Thread(target=made.go, args=(TOWNS[at::4],)) for at in range(4) for _ in range(5)
    ]
    for each in senders:
        each.start()
    for each in senders:
        each.join()
    assert made.wait(30)
    assert set(seen) == set(TOWNS)
