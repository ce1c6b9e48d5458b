"""`lavoir key …` as a person types it, beside a server that goes on, and with the power cut."""

import json
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from federation.keys import to_words
from federation.record import parse, verify
from federation.words import from_words
from node.app import open_town
from node.cli import main
from node.journal.keyring import FILE
from node.store.database import using
from node.store.sets import records
from tests.nodes import Node, Nodes, end

COUNT = 400


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    made = Nodes(tmp_path)
    yield made
    made.stop()


def founded(nodes: Nodes, name: str) -> tuple[Node, Path]:
    """Return a town founded by `lavoir init`, and the file of its words."""
    node = nodes._node(name)
    sheet = nodes.folder / "sheet.html"
    said = run(node, "init", "--name", name, "--insee", "56121", "--url", node.url,
               "--sheet", str(sheet), "--json")  # fmt: skip
    words = json.loads(said.stdout)["words"]
    assert f"<li>{words[6]}</li>" in sheet.read_text("utf-8")
    path = nodes.folder / f"{name}.words"
    path.write_text(" ".join(words), encoding="utf-8")
    return nodes._settled(node, {}), path


def run(node: Node, *words: str, typed: str = "", code: int = 0) -> Result:
    result = CliRunner().invoke(main, [*words, "--home", str(node.home)], input=typed)
    assert result.exit_code == code, result.output
    return result


def asked(node: Node, *words: str, **more: Any) -> dict[str, Any]:
    return dict(json.loads(run(node, *words, "--json", **more).stdout))


def all_signed(node: Node) -> int:
    """Check that all of ours is signed by the key of the key file; return how many that is."""
    town = open_town(node.home)
    try:
        with using(town.database):
            rows = [parse(row.raw) for row in records.walk(town.id)]
            number, public = town.keyring.keyset.number, town.keyring.signing.public
    finally:
        town.close()
    assert all(each.keyset == number and verify(each, public) for each in rows)
    return len(rows)


def test_words_typed_at_the_terminal_are_asked_again_until_they_are_right(nodes: Nodes) -> None:
    node, path = founded(nodes, "Lorient")
    words = path.read_text("utf-8").split()
    lines = [" ".join(words[at : at + 6]) for at in range(0, 24, 6)]
    typed = "\n".join(["un deux", lines[0].replace(words[2], "zzzz"), *lines]) + "\n"
    result = run(node, "key", "rotate", typed=typed)
    assert "2 words instead of 6" in result.output and "Word 3 is in no list" in result.output
    assert words[0] not in result.output  # nothing typed is shown
    assert asked(node, "key", "show")["keyset"]["reason"] == "routine"


def test_words_that_do_not_fit_together_are_asked_again_from_the_first(nodes: Nodes) -> None:
    node, path = founded(nodes, "Lorient")
    words = path.read_text("utf-8").split()
    mixed = [words[1], words[0], *words[2:]]
    lines = [" ".join(each[at : at + 6]) for each in (mixed, words) for at in range(0, 24, 6)]
    result = run(node, "key", "rotate", typed="\n".join(lines) + "\n")
    assert "checksum" in result.output
    assert asked(node, "key", "show")["keysets"] == 2


@pytest.mark.parametrize("command", [("rotate",), ("rotate", "--compromised"), ("sheet", "x.html")])
def test_words_of_another_town_are_refused_in_a_sentence(
    nodes: Nodes, command: tuple[str, ...]
) -> None:
    node, _ = founded(nodes, "Lorient")
    other = nodes.folder / "other"
    other.write_text(" ".join(to_words(bytes(32))), encoding="utf-8")
    with_file = [str(nodes.folder / each) if each == "x.html" else each for each in command]
    result = run(node, "key", *with_file, "--words-file", str(other), code=1)
    assert "these words belong to another town" in result.output
    assert "Traceback" not in result.output and not (nodes.folder / "x.html").exists()
    assert asked(node, "key", "show")["keysets"] == 1


def test_a_lost_key_file_is_told_and_recovered(nodes: Nodes) -> None:
    node, words = founded(nodes, "Lorient")
    node.publish(5)
    (node.home / FILE).unlink()
    assert "missing" in run(node, "key", "show", code=1).output
    said = asked(node, "key", "recover", "--words-file", str(words))
    assert (said["keyset"]["reason"], said["pending"], said["signed"]) == ("lost", 0, 5)
    assert all_signed(node) == 6
    again = run(node, "key", "recover", "--words-file", str(words), code=1)
    assert "is whole" in again.output


def test_a_sheet_is_not_written_over_a_file_nor_a_town_founded_without_it(nodes: Nodes) -> None:
    node, words = founded(nodes, "Lorient")
    kept = nodes.folder / "kept.html"
    kept.write_text("mine")
    result = run(node, "key", "sheet", str(kept), "--words-file", str(words), code=1)
    assert "there already" in result.output and kept.read_text() == "mine"
    other = nodes._node("Quimper")
    run(other, "init", "--name", "Quimper", "--insee", "29232", "--url", other.url,
        "--sheet", str(kept), code=1)  # fmt: skip
    assert not (other.home / FILE).exists() and kept.read_text() == "mine"


def test_a_running_server_speaks_with_the_new_key_without_being_started_again(
    nodes: Nodes,
) -> None:
    lorient, words = founded(nodes, "Lorient")
    quimper = nodes.found("Quimper")
    lorient.publish(20)
    nodes.link("Lorient", "Quimper")
    nodes.serve("Lorient")
    quimper.sync()
    server = lorient.server
    for flags in ((), ("--compromised",)):
        said = lorient.ask("key", "rotate", *flags, "--words-file", str(words))
        assert said["pending"] == 0
        assert quimper.sync()[0]["outcome"] == "ok"  # its answers are signed by the new key
        with quimper.inside():
            origin = bytes.fromhex(said["town"])
            held = {row.keyset for row in records.walk(origin)}
            assert held == {said["keyset"]["number"]}
            assert len(list(records.walk(origin))) == 21
    assert lorient.server is server and server is not None and server.poll() is None


def test_a_rotation_whose_power_is_cut_anywhere_leaves_a_town_that_goes_on(
    nodes: Nodes, rng: random.Random
) -> None:
    node, words = founded(nodes, "Lorient")
    node.publish(COUNT)
    cuts, finished = 0, 0
    for _turn in range(5):
        process = node.launch(
            "key", "rotate", "--words-file", str(words),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(process, node, rng)
        cuts += process.poll() is None
        end(process)
        assert node.faults() == []
        node.publish(1)  # it signs, whatever happened
        said = asked(node, "key", "rotate", "--words-file", str(words))
        finished += not said["new"]
        assert said["pending"] == 0
    assert all_signed(node) == COUNT + 5 + 1
    assert cuts > 0, "no run was cut: nothing was tried"


def wait_for(process: subprocess.Popen[bytes], node: Node, rng: random.Random) -> None:
    """Wait for the new key file, then some of the time that signing again takes."""
    path, until = node.home / FILE, time.monotonic() + 60
    before = path.stat().st_mtime_ns
    while process.poll() is None and path.stat().st_mtime_ns == before:
        assert time.monotonic() < until
        time.sleep(0.001)
    time.sleep(rng.choice((0.0, 0.01, 0.05, 0.2, 0.4)))


def test_the_words_are_never_kept_on_the_server(nodes: Nodes) -> None:
    node, words = founded(nodes, "Lorient")
    run(node, "key", "rotate", "--words-file", str(words))
    typed = words.read_text("utf-8").split()
    seed = from_words(typed)
    for path in node.home.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            assert seed not in raw and seed.hex().encode() not in raw.lower(), path
            assert " ".join(typed[:3]).encode() not in raw, path
