"""Inside one town: the engine asks, decides, takes back and lapses, and nothing is promised twice."""

import secrets
from pathlib import Path

import pytest

from node.domain.clock import FixedClock
from node.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from node.store.promises import acts, claims
from tests.node.engagement_towns import DAY_MS, START_MS, TODAY, TownHere, found, iso


@pytest.fixture
def town(tmp_path: Path) -> TownHere:
    return found(tmp_path, "Lorient", FixedClock(START_MS))


def test_a_loan_goes_from_ask_to_close(town: TownHere) -> None:
    row = town.ask(town.publish())
    assert (row.state, row.turn, row.version) == ("requested", "keeper", 1)
    for action, state, turn in (
        ("approve", "approved", "keeper"),
        ("hand_over", "handed_over", "asker"),
        ("take_back", "returned", "keeper"),
        ("close", "closed", ""),
    ):
        row = town.act(row, action)
        assert (row.state, row.turn) == (state, turn)
    assert row.final and row.version == 5
