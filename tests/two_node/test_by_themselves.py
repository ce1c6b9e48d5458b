"""Two real nodes left to themselves: what one publishes is at the other soon, whatever happens."""

import socket
import time
from collections.abc import Iterator

import pytest

from node.journal.keyring import Keyring
from node.store.catalogue.listings import Listing
from node.store.network import partners
from tests.nodes import HOST, Node, Nodes

SOON_S = 60.0


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Lorient and Quimper, partners that visit each other by their own jobs."""
    made = Nodes(tmp_path_factory.mktemp("towns"))
    for name in ("Lorient", "Quimper"):
        made.found(name, jobs="inside", tick_seconds=1)
    made.link("Lorient", "Quimper")
    made.serve()
    yield made
    made.cut_power()


def check_arrives(node: Node, title: str) -> None:
    """Assert that a listing is shown by a node soon."""
    until = time.monotonic() + SOON_S
    while time.monotonic() < until:
        with node.inside():
            if Listing.select().where(Listing.title == title).exists():
                return
        time.sleep(0.1)
    assert not f"{title} has not arrived in {node.name} after {SOON_S} s:\n{node.log()[-2_000:]}"


def test_what_is_published_is_at_the_partner_soon(nodes: Nodes) -> None:
    lorient, quimper = nodes.towns.values()
    for turn in range(2):  # the second finds both at rest, their next visits far away
        lorient.publish(1, f"De Lorient {turn}.")
        check_arrives(quimper, f"De Lorient {turn}. 0")
        quimper.publish(1, f"De Quimper {turn}.")
        check_arrives(lorient, f"De Quimper {turn}. 0")


def test_after_a_power_cut_it_arrives_soon_as_well(nodes: Nodes) -> None:
    lorient, quimper = nodes.towns.values()
    time.sleep(2)  # struck in the middle of a job, a node waits a minute for its own lease
    quimper.cut_power()
    lorient.publish(20, "Pendant la coupure")
    quimper.publish(20, "Hors réseau")
    time.sleep(2.5)  # Lorient knocks in vain
    quimper.serve()
    check_arrives(quimper, "Pendant la coupure 19")
    check_arrives(lorient, "Hors réseau 19")


def test_a_partner_that_never_answers_keeps_nobody_waiting_for_long(nodes: Nodes) -> None:
    lorient, quimper = nodes.towns.values()
    folder = nodes.folder / "sourde"
    folder.mkdir()
    ring, _ = Keyring.create(folder, int(time.time() * 1_000))
    with socket.create_server((HOST, 0)) as deaf:  # takes every connection, reads nothing
        url = f"http://{HOST}:{deaf.getsockname()[1]}"
        with lorient.inside() as town:
            town.store.add_keyset(ring.genesis)
            partners.save(ring.town, name="Sourde", url=url, status="active", lan=True)
        lorient.publish(1, "Malgré la sourde")
        check_arrives(quimper, "Malgré la sourde 0")
