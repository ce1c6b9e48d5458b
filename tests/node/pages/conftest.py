"""Towns whose pages are tried: a furnished one that nobody changes, and fresh pairs to act in."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.scenery import Scenery, build
from tests.visitor import Visitor
from tests.world import Place, World


@pytest.fixture(scope="session")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenery]:
    """The furnished world: to be looked at only."""
    made = build(tmp_path_factory.mktemp("scenery"))
    yield made
    made.world.close()


@dataclass
class Pair:
    """Lorient and Quimper, paired, empty but for the people who live there."""

    world: World
    people: dict[str, Any]

    @property
    def lorient(self) -> Place:
        return self.world.places["Lorient"]

    @property
    def quimper(self) -> Place:
        return self.world.places["Quimper"]

    def visitor(self, name: str = "", town: str = "Quimper") -> Visitor:
        """Return somebody at a town, signed in under a name."""
        return Visitor(self.world.places[town], self.people[name] if name else None)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    """Two towns of one's own."""
    world = World(tmp_path)
    for name in ("Lorient", "Quimper"):
        world.found(name)
    world.pair("Lorient", "Quimper")
    people = {
        "Nolwenn": world.places["Quimper"].member("Nolwenn", "nolwenn@example.org"),
        "Yann": world.places["Quimper"].member("Yann", "yann@example.org"),
        "Maïwenn": world.places["Quimper"].member("Maïwenn", "maiwenn@example.org", ("admin",)),
        "Roue libre": world.places["Lorient"].member("Roue libre", "roue@example.org"),
        "Anne": world.places["Lorient"].member("Anne", "anne@example.org", ("admin",)),
    }
    world.sync()
    yield Pair(world, people)
    world.close()
