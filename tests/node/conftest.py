"""The two towns most tests of the node need."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import Place, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient and Quimper, partners."""
    made = World(tmp_path)
    made.found("Lorient")
    made.found("Quimper")
    made.pair("Lorient", "Quimper")
    yield made
    made.close()


@pytest.fixture
def lorient(world: World) -> Place:
    """The town that is looked at."""
    return world.places["Lorient"]


@pytest.fixture
def quimper(world: World) -> Place:
    """Its partner."""
    return world.places["Quimper"]
