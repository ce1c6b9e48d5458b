"""Three real nodes are struck by SIGKILL during their syncs and agree again at the next one.

By default 10 points of about 1,000 records in all. WHOLE=1 strikes 50 first syncs of 10,000 too; it
takes half an hour.
"""

import os
import random
import shutil
import time
from pathlib import Path

import pytest

from tests.nodes import Nodes
from tests.two_node.strikes import Strike, check_whole, draw, strike

TOWNS = ("Lorient", "Quimper", "Vannes")
IS_WHOLE = "WHOLE" in os.environ
POINTS, RECORDS = 10, 1_000
WHOLE_POINTS, WHOLE_RECORDS = 50, 10_000
FIRST_PART = 0.5  # of the records, when the points follow one another on the same nodes


@pytest.fixture
def nodes(tmp_path: Path) -> Nodes:
    """Three towns, each a partner of both others, that have not exchanged anything yet."""
    made = Nodes(tmp_path / "towns")
    for name in TOWNS:
        made.found(name)
    for one, other in (("Lorient", "Quimper"), ("Quimper", "Vannes"), ("Lorient", "Vannes")):
        made.link(one, other)
    return made


@pytest.mark.timeout(600)  # ten cuts, each with three towns that start again
def test_after_a_power_cut_at_any_moment_of_a_sync_the_next_one_makes_all_towns_agree(
    nodes: Nodes, rng: random.Random
) -> None:
    first = int(RECORDS * FIRST_PART)
    for node in nodes.towns.values():
        node.publish(first // len(TOWNS))
    each = (RECORDS - first) // POINTS // len(TOWNS)
    cut = 0
    nodes.serve()
    try:
        for number in range(POINTS):
            to_come = (first if number == 0 else each * len(TOWNS)) * 2 // 3
            point = draw(rng, nodes, lasts_s=0.2, to_come=to_come)
            cut += _strike_and_sync(nodes, point)
            for node in nodes.towns.values():
                node.publish(each, f"Remorque {number}.")
        _sync(nodes, TOWNS[0])
        told = [node.told() for node in nodes.towns.values()]
    finally:
        nodes.cut_power()
    assert told[0] == told[1] == told[2]
    assert sum(live for live, _, _ in told[0].values()) >= RECORDS * 0.9
    assert cut > 0, "no visit was cut: this run proved nothing"
    print(f"{cut} of {POINTS} strikes cut a visit")


@pytest.mark.slow
@pytest.mark.skipif(not IS_WHOLE, reason="half an hour of work: WHOLE=1 runs it")
@pytest.mark.timeout(3 * 3_600)
def test_a_first_sync_of_everything_survives_a_power_cut_at_each_point(
    nodes: Nodes, rng: random.Random, tmp_path: Path
) -> None:
    for node in nodes.towns.values():
        node.publish(WHOLE_RECORDS // len(TOWNS))
    lasts_s = _measured(nodes.copy(tmp_path / "unhurt"))
    cut = struck = 0
    while cut < WHOLE_POINTS and struck < 2 * WHOLE_POINTS:
        folder = tmp_path / f"point {struck}"
        towns = nodes.copy(folder)
        point = draw(rng, towns, lasts_s, to_come=WHOLE_RECORDS * 2 // 3)
        towns.serve()
        try:
            cut += _strike_and_sync(towns, point)
        finally:
            towns.cut_power()
        shutil.rmtree(folder)
        struck += 1
    print(f"{cut} of {struck} strikes cut a visit; unhurt the visits last {lasts_s:.1f} s")
    assert cut == WHOLE_POINTS


def _measured(nodes: Nodes) -> float:
    """Return how long the visits of an unhurt first sync last, without the start of a command."""
    nodes.serve()
    try:
        began = time.monotonic()
        nodes.towns[TOWNS[0]].sync()
        first_s = time.monotonic() - began
        began = time.monotonic()
        nodes.towns[TOWNS[0]].sync()
        return max(0.1, first_s - (time.monotonic() - began))
    finally:
        nodes.cut_power()


def _strike_and_sync(nodes: Nodes, point: Strike) -> bool:
    """Strike, look at the database as it was left, start again, sync, compare."""
    was_cut = strike(nodes, point)
    print(point, "- cut" if was_cut else "- too late", flush=True)
    victim = nodes.towns[point.victim]
    check_whole(victim)
    victim.serve()
    victim.wait_until_listening()
    _sync(nodes, point.visitor)
    held = {name: node.held() for name, node in nodes.towns.items()}
    assert held["Lorient"] == held["Quimper"] == held["Vannes"], str(point)
    assert len(held["Lorient"]) == len(TOWNS)
    check_whole(victim)
    return was_cut


def _sync(nodes: Nodes, visitor: str) -> None:
    """Bring three towns to the same state from one of them: it goes to both, twice."""
    for _ in range(2):
        visits = nodes.towns[visitor].sync()
        assert [each["outcome"] for each in visits] == ["ok", "ok"]
