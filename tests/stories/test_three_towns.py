"""Lorient, Quimper and Vannes federate: everything by the commands people type, on real nodes.

About 600 records in all; RECORDS=10000 tells the story at the size it is meant for.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.store.catalogue.listings import Listing
from tests.nodes import PRACTICE, Node, NodeFailed, Nodes, listing

TOWNS = ("Lorient", "Quimper", "Vannes")
RECORDS = int(os.environ.get("RECORDS", "600"))


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """Three towns founded by `lavoir init` that serve and visit only when told."""
    made = Nodes(tmp_path_factory.mktemp("towns"))
    for name in TOWNS:
        made.init(name)
    for share, node in zip((5, 3, 2), made.towns.values(), strict=True):
        node.publish(RECORDS * share // 10, node.name)
    made.serve()
    yield made
    made.cut_power()


def ids(nodes: Nodes) -> dict[str, str]:
    found = {}
    for name, node in nodes.towns.items():
        with node.inside() as town:
            found[name] = town.id.hex()
    return found


def check_agreed(nodes: Nodes, *, by_command: bool = False) -> None:
    """Assert that all three towns tell the same of every origin (`lavoir status --json`)."""
    told = [node.told() if by_command else node.held() for node in nodes.towns.values()]
    assert told[0] == told[1] == told[2]
    assert {each.split()[0] for each in told[0]} == set(ids(nodes).values())


def live(node: Node) -> int:
    return sum(live for live, _, _ in node.held().values())


def titles(node: Node) -> set[str]:
    with node.inside():
        return {row.title for row in Listing.select().where(Listing.state == "published")}


def sync_through_quimper(nodes: Nodes) -> None:
    """Lorient and Vannes each visit Quimper until both heard of each other."""
    for name in ("Lorient", "Vannes", "Lorient"):
        (visit,) = nodes.towns[name].sync()
        assert visit["outcome"] == "ok"


# The tests of this file are one story, told in order.


def test_1_lorient_and_vannes_are_paired_with_quimper_and_read_the_same_words(
    nodes: Nodes,
) -> None:
    for name in ("Lorient", "Vannes"):
        here, there = nodes.pair("Quimper", name)
        assert here == there and len(here) == 6
    said = nodes.towns["Quimper"].ask("partner", "list")
    assert sorted((each["name"], each["status"]) for each in said["partners"]) == [
        ("Lorient", "active"),
        ("Vannes", "active"),
    ]


def test_2_what_quimper_has_not_introduced_stays_between_two(nodes: Nodes) -> None:
    sync_through_quimper(nodes)
    told = ids(nodes)
    assert not [each for each in nodes.towns["Vannes"].held() if told["Lorient"] in each]
    assert not [each for each in nodes.towns["Lorient"].held() if told["Vannes"] in each]
    assert nodes.towns["Quimper"].ask("partner", "list")["introduced"] == []


def test_3_introduced_and_accepted_both_ways_they_agree_through_quimper(nodes: Nodes) -> None:
    quimper = nodes.towns["Quimper"]
    quimper.run("partner", "introduce", "Lorient", "--to", "Vannes")
    quimper.run("partner", "introduce", "Vannes", "--to", "Lorient")
    sync_through_quimper(nodes)
    for name, other in (("Lorient", "Vannes"), ("Vannes", "Lorient")):
        (offered,) = nodes.towns[name].ask("partner", "list")["introduced"]
        assert (offered["name"], offered["town"]) == (other, ids(nodes)[other])
        accepted = nodes.towns[name].ask("partner", "accept", offered["town"])
        assert accepted["status"] == "introduced"
    sync_through_quimper(nodes)
    check_agreed(nodes, by_command=True)
    assert [live(node) for node in nodes.towns.values()] == [RECORDS + 3] * 3


def test_4_what_lorient_changes_is_so_in_vannes(nodes: Nodes) -> None:
    lorient, vannes = nodes.towns["Lorient"], nodes.towns["Vannes"]
    kept, gone = lorient.publish(2, "Éphémère")
    sync_through_quimper(nodes)
    with lorient.inside() as town:
        town.journal.publish(PRACTICE.kind, listing("Définitive"), key=kept)
        town.journal.withdraw(gone)
    sync_through_quimper(nodes)
    check_agreed(nodes)
    assert "Définitive" in titles(vannes)
    assert not [each for each in titles(vannes) if each.startswith("Éphémère")]


def test_5_a_town_whose_power_fails_comes_back_and_agrees(nodes: Nodes) -> None:
    for name in TOWNS:
        nodes.towns[name].cut_power()
        for other in TOWNS:
            nodes.towns[other].publish(3, f"Sans {name}")
        nodes.serve(name)
        sync_through_quimper(nodes)
        check_agreed(nodes)
        assert nodes.towns[name].faults() == []


def test_6_with_quimper_off_a_sync_says_so_and_fails(nodes: Nodes) -> None:
    quimper, lorient = nodes.towns["Quimper"], nodes.towns["Lorient"]
    quimper.stop()
    (visit,) = lorient.ask("sync", code=1)["visits"]
    assert visit["outcome"] == "unreachable"
    (row,) = [each for each in lorient.ask("partner", "list")["partners"] if each["failures"]]
    assert (row["name"], row["failures"], row["last_error"]) == ("Quimper", 1, "unreachable")
    assert row["down_since_ms"] and row["next_try_ms"] > row["down_since_ms"]
    nodes.serve("Quimper")
    sync_through_quimper(nodes)
    check_agreed(nodes)


def test_7_a_rebuild_leaves_every_town_as_it_was(nodes: Nodes) -> None:
    vannes = nodes.towns["Vannes"]
    before, shown = vannes.held(), titles(vannes)
    assert f"{sum(live + buried for live, buried, _ in before.values())} records" in vannes.run(
        "rebuild"
    )
    assert vannes.held() == before
    assert titles(vannes) == shown


def test_8_commands_that_cannot_be_done_say_why_and_fail(nodes: Nodes) -> None:
    lorient = nodes.towns["Lorient"]
    for words in (
        ("sync", "Brest"),
        ("sync", "Vannes"),
        ("partner", "accept", "http://127.0.0.1:9#ABCDE-12345", "--lan"),
        ("partner", "accept", "ABCDE"),
        ("partner", "introduce", "Vannes", "--to", "Quimper"),
        ("init", "--name", "X", "--insee", "56121", "--url", "http://x.test"),
    ):
        with pytest.raises(NodeFailed) as told:
            lorient.run(*words)
        assert "Error: " in str(told.value) and "Traceback" not in str(told.value), words


def test_9_a_town_that_leaves_takes_its_listings_along(nodes: Nodes, tmp_path: Path) -> None:
    nodes.stop()
    later = nodes.copy(tmp_path)
    later.serve()
    try:
        lorient = later.towns["Lorient"]
        lorient.run("partner", "remove", "Quimper", "--yes")
        told = ids(later)
        assert not [each for each in lorient.held() if told["Quimper"] in each]
        (visit,) = [
            each
            for each in later.towns["Quimper"].ask("sync", code=1)["visits"]
            if each["name"] == "Lorient"
        ]
        assert visit["outcome"] == "unknown_peer"
    finally:
        later.cut_power()
        shutil.rmtree(tmp_path)
