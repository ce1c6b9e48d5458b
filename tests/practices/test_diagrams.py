"""The drawings and tables of the lifecycles are those of the tables, or the check fails."""

import dataclasses
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from node.domain.lifecycle import Deadline, Lifecycle, State
from node.domain.practice import Practice
from node.practices.registry import PRACTICES
from node.practices.spaces.lifecycle import CHECKED
from node.practices.spaces.practice import PRACTICE as SPACES
from scripts import diagrams


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what is drawn."""
    shutil.copy(diagrams.README, tmp_path)
    for drawn in diagrams.FOLDER.glob("*/lifecycle-*.svg"):
        (tmp_path / drawn.parent.name).mkdir(exist_ok=True)
        shutil.copy(drawn, tmp_path / drawn.parent.name)
    return tmp_path


def with_table(table: Lifecycle) -> tuple[Practice, ...]:
    """Return the practices, one table of spaces being another."""
    assert SPACES.engaging is not None
    tables = {**SPACES.engaging.lifecycles, table.name: table}
    engaging = dataclasses.replace(SPACES.engaging, lifecycles=tables)
    changed = dataclasses.replace(SPACES, engaging=engaging)
    return tuple(changed if each is SPACES else each for each in PRACTICES)


def changed(name: str, **fields: object) -> Lifecycle:
    """Return the table with check-in, one state of it being another."""
    states: list[State] = [
        dataclasses.replace(each, **fields) if each.name == name else each  # type: ignore[arg-type]
        for each in CHECKED.states.values()
    ]
    return Lifecycle(
        CHECKED.name, start=CHECKED.start, refuses_to=CHECKED.refuses_to, waiting=CHECKED.waiting,
        holding=CHECKED.holding, states=states, transitions=CHECKED.written,
    )  # fmt: skip


def test_what_lies_in_the_folders_is_what_the_tables_say() -> None:
    script = diagrams.ROOT / "scripts/diagrams.py"
    run = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, ""), run.stdout + run.stderr
    assert "scripts/diagrams.py --check" in (diagrams.ROOT / "scripts/check").read_text("utf-8")


@pytest.mark.parametrize(
    "fields",
    [
        {"deadline": Deadline(minutes=45, after="start")},
        {"turn": "keeper"},
        {"lapses_to": "lapsed"},
    ],
    ids=str,
)
def test_a_changed_table_is_stale(folder: Path, fields: dict[str, object]) -> None:
    assert diagrams.stale(PRACTICES, folder) == []
    practices = with_table(changed("confirmed", **fields))
    assert diagrams.stale(practices, folder) == ["README.md", "spaces/lifecycle-checked.svg"]


def test_a_drawing_that_is_missing_or_of_no_table_is_named(folder: Path) -> None:
    (folder / "spaces/lifecycle-booking.svg").unlink()
    (folder / "spaces/lifecycle-old.svg").write_text("<svg/>")
    assert diagrams.stale(PRACTICES, folder) == [
        "spaces/lifecycle-booking.svg",
        "spaces/lifecycle-old.svg",
    ]


TABLES = [
    (practice, table)
    for practice in PRACTICES
    for table in (practice.engaging.lifecycles.values() if practice.engaging else ())
]


@pytest.mark.parametrize(("practice", "table"), TABLES, ids=lambda each: each.name)
def test_a_drawing_shows_every_state_and_says_it_in_words(
    practice: Practice, table: Lifecycle
) -> None:
    drawn = ET.fromstring(diagrams.drawing(practice, table))
    texts = [each.text or "" for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    words = drawn.findtext("{http://www.w3.org/2000/svg}desc") or ""
    drawn_words = " ".join(texts)
    for name, state in table.states.items():
        assert name in words
        led_to = state.final and any(way.after == name for way in table.written)
        assert name in drawn_words or not (led_to or not state.final)
    for way in table.written:
        assert way.action in drawn_words and way.action in words


@pytest.mark.parametrize(("practice", "table"), TABLES, ids=lambda each: each.name)
def test_no_two_boxes_of_a_drawing_overlap(practice: Practice, table: Lifecycle) -> None:
    boxes = list(diagrams.places(table).values())
    for at, (x1, y1, tall1) in enumerate(boxes):
        for x2, y2, tall2 in boxes[at + 1 :]:
            apart = abs(x1 - x2) >= diagrams.WIDE or y1 + tall1 <= y2 or y2 + tall2 <= y1
            assert apart, (practice.name, table.name)
