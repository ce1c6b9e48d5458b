"""A backup and its way back by the commands people type, on real nodes, with the power cut."""

import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.backup.house import DATABASE
from node.store.catalogue.listings import Listing
from tests.nodes import Node, Nodes

BANNER = "en cours de restauration"


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    made = Nodes(tmp_path_factory.mktemp("towns"))
    for name in ("Lorient", "Quimper"):
        made.found(name)
    made.link("Lorient", "Quimper")
    made.serve()
    yield made
    made.cut_power()


@pytest.fixture(scope="module")
def stick(nodes: Nodes) -> Path:
    return nodes.folder / "stick.backup"


def titles(node: Node) -> set[str]:
    with node.inside() as town:
        query = Listing.select(Listing.title).where(Listing.origin == town.id)
        return {title for (title,) in query.tuples()}


def home_page(node: Node) -> str:
    with urllib.request.urlopen(f"{node.url}/", timeout=20) as answer:
        return str(answer.read().decode())


def complaint(node: Node, *words: str) -> str:
    """Return what a command said that did not do it; a fault of ours would be a traceback."""
    process = node.launch(*words, stdout=-1, stderr=-1)
    _, complained = process.communicate(timeout=120)
    assert process.returncode == 1
    said = str(complained.decode())
    assert "Traceback" not in said
    return said


# One story, told in order.


def test_1_a_backup_is_made_and_proven_while_the_node_serves_and_people_publish(
    nodes: Nodes, stick: Path
) -> None:
    lorient = nodes.towns["Lorient"]
    lorient.publish(200, "Avant")
    writer = threading.Thread(target=lambda: [lorient.publish(5, f"Pendant {n}") for n in range(6)])
    writer.start()
    made = lorient.ask("backup", str(stick))
    writer.join()
    assert made["path"] == str(stick) and 200 <= made["listings"] <= 230
    assert lorient.ask("backup")["path"].startswith(str(lorient.home / "backups"))
    lorient.publish(1, "Après la sauvegarde")
    lorient.sync("Quimper")


def test_2_a_node_that_runs_is_not_replaced(nodes: Nodes, stick: Path) -> None:
    assert "Stop it first" in complaint(nodes.towns["Lorient"], "restore", str(stick))


def test_3_after_the_power_cut_an_absent_database_stops_the_start_and_names_the_backup(
    nodes: Nodes,
) -> None:
    lorient = nodes.towns["Lorient"]
    lorient.cut_power()
    for path in lorient.home.glob(f"{DATABASE}*"):
        path.unlink()
    said = complaint(lorient, "serve", "--port", str(lorient.port))
    assert "Is its disk mounted?" in said and "lavoir restore" in said
    assert not (lorient.home / DATABASE).exists()


def test_4_the_backup_brings_the_town_back_and_people_read_at_once(
    nodes: Nodes, stick: Path
) -> None:
    lorient = nodes.towns["Lorient"]
    done = lorient.ask("restore", str(stick))
    assert done["listings"] >= 200 and Path(done["aside"]).is_dir()
    lorient.serve()
    lorient.wait_until_up()
    assert BANNER in home_page(lorient)
    assert "Après la sauvegarde 0" not in titles(lorient)


def test_5_what_was_said_since_comes_back_and_then_it_publishes_again(nodes: Nodes) -> None:
    lorient, quimper = nodes.towns.values()
    (visit,) = lorient.sync("Quimper")
    assert visit["outcome"] == "ok" and visit["received"] >= 1
    assert "Après la sauvegarde 0" in titles(lorient)
    told = lorient.ask("restored")
    assert told["heard"] == ["Quimper"] and told["came_back"] >= 1
    assert BANNER not in home_page(lorient)
    lorient.publish(1, "Nouvelle vie")
    lorient.sync("Quimper")
    assert lorient.held() == quimper.held()


def test_6_a_backup_for_nobody_s_keys_a_torn_one_and_no_file_are_told_in_words(
    nodes: Nodes, stick: Path
) -> None:
    lorient, quimper = nodes.towns.values()
    lorient.stop()
    quimper.stop()
    assert "made for other keys" in complaint(quimper, "restore", str(stick))
    stick.write_bytes(stick.read_bytes()[:-100])
    assert "is damaged" in complaint(lorient, "restore", str(stick))
    assert "cannot be read" in complaint(lorient, "restore", str(stick) + " nowhere")
    stick.write_bytes(b"")
    assert "not a backup" in complaint(lorient, "restore", str(stick))
    assert "Nouvelle vie 0" in titles(lorient)
