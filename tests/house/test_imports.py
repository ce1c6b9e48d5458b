"""Imports go down the floors, each library enters by its own door, and nothing turns in circles."""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.house import floors
from tests.house.rule import Rule, tests_of
from tests.house.tree import CODE, Module, modules, plant

CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")
PURE_LIBRARIES = {*sys.stdlib_module_names, "msgspec"} - {"sqlite3", "socket", "smtplib"}


def _targets(module: Module, known: set[str]) -> Iterator[str]:
    """Yield each module of the project that this one imports."""
    for each in module.imports:
        name = each.target
        while name and name not in known:
            name = name.rpartition(".")[0]
        if name and name != module.name:
            yield name


def _library(name: str) -> str:
    top = name.split(".")[0]
    return floors.SAME_DOOR.get(top, top)


def every_room_stands_on_a_floor(root: Path) -> Iterator[str]:
    for module in modules(root, *CODE):
        bare = module.name in ("node", "node.practices")
        if bare and module.imports:
            yield f"{module.at(1)} is only a shelf, yet it imports"
        if not bare and floors.floor(module.name) is None:
            yield f"{module.at(1)} stands on no floor: add {floors.room(module.name)} to FLOORS"


def imports_go_down(root: Path) -> Iterator[str]:
    for module in modules(root, *CODE):
        for each in module.imports:
            ours = each.target.split(".")[0] in CODE
            if ours and not floors.may_import(module.name, each.target):
                yield f"{module.at(each.line)} {module.name} may not import {each.target}"


def nothing_turns_in_circles(root: Path) -> Iterator[str]:
    found = modules(root, *CODE)
    known = {module.name for module in found}
    graph = {module.name: set(_targets(module, known)) for module in found}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        yield " imports ".join(reversed(error.args[1]))


def each_library_has_one_door(root: Path) -> Iterator[str]:
    for module in modules(root, *CODE):
        for each in module.imports:
            library = _library(each.target)
            doors = floors.DOORS.get(library)
            if doors and not floors.is_in(module.name, *doors):
                yield f"{module.at(each.line)} {library} enters by {', '.join(doors)} only"
            elif not doors and library not in {*CODE, *sys.stdlib_module_names}:
                yield f"{module.at(each.line)} {library} has no door: add it to DOORS"


def pure_code_has_no_clock_and_no_socket(root: Path) -> Iterator[str]:
    for module in modules(root, *CODE):
        if not floors.is_in(module.name, *floors.PURE):
            continue
        if floors.is_in(module.name, *floors.IMPURE):
            continue
        for each in module.imports:
            if floors.is_in(each.target, *floors.WORLD):
                yield f"{module.at(each.line)} {each.target} does not belong in pure code"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(CLOCKS):
                yield f"{module.at(node.lineno)} reads a clock: be given the time"


def imports_stand_at_the_top(root: Path) -> Iterator[str]:
    for module in modules(root, *CODE):
        for each in module.imports:
            lazy = any(
                floors.is_in(module.name, place) and _library(each.target) == library
                for place, library in floors.LAZY
            )
            if each.inner and not lazy:
                yield f"{module.at(each.line)} {each.target} is imported inside a function"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
                ("import_module", "__import__")
            ):
                yield f"{module.at(node.lineno)} imports by name"


def imports_say_their_whole_name(root: Path) -> Iterator[str]:
    for module in modules(root, *CODE):
        for each in module.imports:
            if each.dots > 1:
                yield f"{module.at(each.line)} a relative import leaves its folder"
            if each.star:
                yield f"{module.at(each.line)} import * hides what comes in"


def the_heart_of_a_practice_is_pure(root: Path) -> Iterator[str]:
    """Follow what the heart imports from its own folder: that must be pure too."""
    found = {module.name: module for module in modules(root, "node/practices")}
    hearts = [name for name in found if name.rpartition(".")[2] in floors.PURE_IN_PRACTICE]
    for name in hearts:  # grows while it is walked
        for each in found[name].imports:
            near = {each.target, each.target.rpartition(".")[0]} & set(found)
            own = {one for one in near if floors.room(one) == floors.room(name)}
            hearts += sorted(own - set(hearts))
            pure = _library(each.target) in PURE_LIBRARIES or floors.is_in(
                each.target, "node.domain"
            )
            if not own and not pure:
                yield f"{found[name].at(each.line)} {each.target} in the heart of a practice"


def practices_do_not_write(root: Path) -> Iterator[str]:
    for module in modules(root, "node/practices"):
        for each in module.imports:
            if each.target.endswith(".write_tx"):
                yield f"{module.at(each.line)} a practice reads the store; engagements write"


RULES: dict[Rule, dict[str, str]] = {  # each rule, and a small tree that breaks it
    every_room_stands_on_a_floor: {"node/attic.py": ""},
    imports_go_down: {
        "node/store/rows.py": "from node.pages import home",
        "node/pages/home.py": "",
    },
    nothing_turns_in_circles: {
        "federation/keys.py": "from federation import record",
        "federation/record.py": "import federation.keys",
    },
    each_library_has_one_door: {"node/pages/home.py": "from peewee import fn"},
    pure_code_has_no_clock_and_no_socket: {"federation/stamp.py": "import time"},
    imports_stand_at_the_top: {"node/jobs.py": "def run():\n    import json\n    return json"},
    imports_say_their_whole_name: {"node/desk/home.py": "from ..pages import home"},
    the_heart_of_a_practice_is_pure: {
        "node/practices/rides/actions.py": "from node.store import member"
    },
    practices_do_not_write: {
        "node/practices/rides/routes.py": "from node.store.database import write_tx"
    },
}


test_the_house_keeps_its_rule, test_a_rule_sees_the_tree_that_breaks_it = tests_of(RULES)

BROKEN = {
    "a lower floor": ("node.journal", "node.members.session"),
    "a neighbour of the same floor": ("node.members", "node.partners"),
    "another practice": ("node.practices.rides.routes", "node.practices.lending.schema"),
    "the registry from pages": ("node.pages.home", "node.practices.registry"),
    "the registry from the command line": ("node.cli", "node.practices.registry"),
    "a practice from pages": ("node.pages.home", "node.practices.rides"),
    "the journal from a practice": ("node.practices.rides.routes", "node.journal"),
    "the settings from the store": ("node.store.database", "node.config"),
    "the node from the protocol": ("federation.record", "node.domain.clock"),
    "the domain from the protocol": ("node.domain.schema", "federation.codec"),
}


@pytest.mark.parametrize(("importer", "imported"), BROKEN.values(), ids=BROKEN)
def test_no_room_imports(importer: str, imported: str) -> None:
    assert not floors.may_import(importer, imported)


SOUND = [
    ("node.cli", "node.app"),
    ("node.cli", "node.store.member"),
    ("node.app", "node.practices.registry"),
    ("node.practices.registry", "node.practices.rides"),
    ("node.practices.rides.routes", "node.pages.forms"),
    ("node.practices.rides.routes", "node.practices.rides.schema"),
    ("node.desk.home", "node.partners.health"),
    ("node.partners.exchange", "federation.session"),
    ("node.journal.publish", "node.store.record"),
]


@pytest.mark.parametrize(("importer", "imported"), SOUND)
def test_a_room_may_import_what_lies_below(importer: str, imported: str) -> None:
    assert floors.may_import(importer, imported)


def test_rules_read_every_way_to_write_an_import(tmp_path: Path) -> None:
    text = (
        "import a.b as c\nfrom .near import d\nfrom e import *\ndef f():\n    from g.h import i\n"
    )
    plant(tmp_path, {"node/pages/__init__.py": "from .home import x", "node/pages/home.py": text})
    package, home = modules(tmp_path, "node")
    assert [each.target for each in package.imports] == ["node.pages.home.x"]
    assert [each.target for each in home.imports] == ["a.b", "node.pages.near.d", "e", "g.h.i"]
    assert [each.inner for each in home.imports] == [False, False, False, True]
