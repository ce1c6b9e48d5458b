"""Two real nodes left to themselves: what one withdraws is soon gone from the other's files."""

import time
from collections.abc import Callable, Iterator

import pytest

from node.erasure import erase, standing
from node.store.catalogue.listings import Listing
from node.store.erasures import burials
from tests.nodes import Node, Nodes

WORD = "hippogriffe"
SOON_S = 90.0


@pytest.fixture
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Lorient and Quimper, partners that visit each other by their own jobs."""
    made = Nodes(tmp_path_factory.mktemp("towns"))
    for name in ("Lorient", "Quimper"):
        made.found(name, jobs="inside", tick_seconds=1)
    made.link("Lorient", "Quimper")
    made.serve()
    yield made
    made.cut_power()


def becomes_true(said: Callable[[], bool], *blamed: Node) -> None:
    """Wait until something is so; else show what the nodes logged."""
    until = time.monotonic() + SOON_S
    while not said():
        assert time.monotonic() < until, "\n".join(each.log()[-2_000:] for each in blamed)
        time.sleep(0.2)


def holds(node: Node) -> bool:
    """Return whether a file of a node has the word, however it is written."""
    return any(
        WORD.encode() in path.read_bytes().lower()
        for path in node.home.rglob("*")
        if path.is_file()
    )


def test_what_is_withdrawn_is_gone_from_the_partners_files_and_it_says_so(nodes: Nodes) -> None:
    lorient, quimper = nodes.towns.values()
    (key,) = lorient.publish(1, f"Selle {WORD}")

    def arrived() -> bool:
        with quimper.inside():
            return Listing.select().where(Listing.title.contains(WORD)).exists()

    def answered() -> bool:
        with lorient.inside() as town:
            burial = burials.find(town.id, key)
            told = standing.answers(burial, town.clock.now_ms()) if burial else []
            return burial is not None and bool(burial.gone_ms) and all(e.gone_ms for e in told)

    becomes_true(arrived, lorient, quimper)
    assert holds(lorient) and holds(quimper)
    with lorient.inside() as town:
        erase(town, key)
    becomes_true(answered, lorient, quimper)
    assert not holds(lorient) and not holds(quimper)
    assert lorient.faults() == quimper.faults() == []
