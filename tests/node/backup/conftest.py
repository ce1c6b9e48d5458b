"""What the tests of backups share: a world, and a town in it with a few listings."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node.practices.lending.practice import PRACTICE
from node.store.database import write_tx
from tests.nodes import listing
from tests.world import Place, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "towns")
    yield world
    world.close()


@pytest.fixture
def say() -> Callable[..., list[bytes]]:
    """Publish listings of these titles; return their keys."""

    def publish(place: Place, *titles: str) -> list[bytes]:
        with place.inside() as town, write_tx():
            return [town.journal.publish(PRACTICE.kind, listing(each)).key for each in titles]

    return publish


@pytest.fixture
def lorient(world: World, say: Callable[..., list[bytes]]) -> Place:
    place = world.found("Lorient")
    say(place, *(f"Perceuse {number}" for number in range(12)))
    return place
