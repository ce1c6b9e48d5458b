"""The rules of Negentropy's own cross-language tests, kept by separate processes.

Interop: any two ends converge, each id told once. Delta: a language against itself sends the very
bytes of another against itself. Version: an unknown one is answered with ours, and changes nothing.
The other language is the verifier of the vectors, which shares no code with federation/. WHOLE=1
takes sets as large as those tests do.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation.ranges import Item

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "python": [sys.executable, "-m", "federation.adapters.negentropy_line"],
    "node": ["node", str(ROOT / "tests/vectors/verifier/negentropy_line.mjs")],
}
needs_node = pytest.mark.skipif(
    shutil.which("node") is None, reason="Node is not installed on this machine"
)
RECORDS = 20_000 if os.environ.get("WHOLE") else 1_500
PARTS = {  # of the records: only the initiator's, only the responder's, shared
    "only the initiator's": (1, 0, 0),
    "only the responder's": (0, 1, 0),
    "shared": (0, 0, 1),
    "mixed": (1, 1, 5),
}
LIMITS = {"no frames": (0, 0), "frames": (4_096, 30_000), "small frames": (4_096, 4_096)}


class Child:
    """One end as its own process, spoken to by lines."""

    def __init__(self, language: str, items: list[Item] = [], limit: int = 0) -> None:  # noqa: B006
        self.process = subprocess.Popen(
            COMMANDS[language],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, "FRAMESIZELIMIT": str(limit or "")},
        )
        lines = [f"item,{seconds},{one.hex()}" for seconds, one in items]
        self.tell("\n".join([*lines, "", "seal"]))

    def tell(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def end(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        with self.process:
            return self.process.wait(timeout=30)


@pytest.fixture
def children() -> Iterator[list[Child]]:
    started: list[Child] = []
    yield started
    for child in started:
        child.process.kill()
        child.end()


def sets(seed: str, weights: tuple[int, int, int]) -> tuple[list[Item], list[Item]]:
    """Two sets of records drawn by the weights; the seed stands in the test's name."""
    drawn = random.Random(seed)
    here: list[Item] = []
    there: list[Item] = []
    for each in range(RECORDS):
        one = hashlib.sha256(f"{seed}/{each}".encode()).digest()
        item = 1_677_970_534 + drawn.randrange(RECORDS), one
        (part,) = drawn.choices((0, 1, 2), weights)
        if part != 1:
            here.append(item)
        if part != 0:
            there.append(item)
    return here, there


def run(first: Child, second: Child, here: list[Item], there: list[Item]) -> tuple[list[str], int]:
    """Carry the messages until the first is done; both sides then hold the same."""
    mine, theirs = ({one.hex() for _, one in held} for held in (here, there))
    trace: list[str] = []
    first.tell("initiate")
    while (line := first.hear()) != "done":
        verb, _, rest = line.partition(",")
        if verb == "msg":
            second.tell(line)
            answer = second.hear()
            trace += [rest, answer.removeprefix("msg,")]
            first.tell(answer)
        else:
            assert verb in ("have", "need"), line
            side = theirs if verb == "have" else mine
            assert rest not in side, f"{line} is told twice, or was there"
            side.add(rest)
    assert mine == theirs
    return trace, len(mine)


@needs_node
@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("weights", PARTS.values(), ids=PARTS)
def test_any_two_languages_converge_and_each_alone_sends_the_same_bytes(weights, limits, children):
    here, there = sets(f"{weights}{limits}", weights)
    traces = {}
    for pair in (("python", "python"), ("python", "node"), ("node", "python"), ("node", "node")):
        first, second = Child(pair[0], here, limits[0]), Child(pair[1], there, limits[1])
        children += (first, second)
        traces[pair], held = run(first, second, here, there)
        assert held == RECORDS
        assert (first.end(), second.end()) == (0, 0)
    assert traces["python", "python"] == traces["node", "node"]


@pytest.mark.parametrize("limit", [0, 4_096])
def test_two_processes_converge_by_the_line_protocol(limit, children):
    here, there = sets("two", (1, 1, 5))
    first, second = Child("python", here, limit), Child("python", there)
    children += (first, second)
    run(first, second, here, there)
    assert (first.end(), second.end()) == (0, 0)


@pytest.mark.parametrize("language", ["python", pytest.param("node", marks=needs_node)])
def test_an_unknown_version_is_answered_with_ours_and_changes_nothing(language, children):
    item = 12_345, b"\xee" * 32
    plain, newer = Child(language, [item]), Child(language, [item])
    children += (plain, newer)
    plain.tell("msg,6100000200")
    expected = plain.hear()
    newer.tell("msg,62aabbccddeeff")
    assert newer.hear() == "msg,61"
    newer.tell("msg,6100000200")
    assert newer.hear() == expected == f"msg,6100000201{item[1].hex()}"


@pytest.mark.parametrize("line", ["dance", "msg,zz", "item,x,00"])
def test_a_process_dies_on_a_line_that_is_not_of_the_protocol(line, children):
    child = Child("python")
    children.append(child)
    child.tell(line)
    assert child.end() != 0
