"""Real nodes for the tests of this folder: three towns, each a partner of both others, serving."""

from collections.abc import Iterator

import pytest

from tests.nodes import Nodes

PAIRS = (("Lorient", "Quimper"), ("Quimper", "Vannes"), ("Lorient", "Vannes"))


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Three towns with some listings each that serve and visit only when told."""
    nodes = Nodes(tmp_path_factory.mktemp("towns"))
    for name in ("Lorient", "Quimper", "Vannes"):
        nodes.found(name).publish(20, name)
    for pair in PAIRS:
        nodes.link(*pair)
    nodes.serve()
    yield nodes
    nodes.cut_power()
