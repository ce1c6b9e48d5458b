"""The map of the engine names every module of its room, so that a newcomer misses none."""

import re

import node.engagements
from tests.house.tree import ROOT

ROOM = ROOT / "node" / "engagements"


def test_the_map_of_the_engine_names_every_module() -> None:
    said = set(re.findall(r"[a-z]+", node.engagements.__doc__ or ""))
    modules = {path.stem for path in ROOM.rglob("*.py")} - {"__init__"}
    assert modules and modules - said == set()
