"""Names, words and marks: what every file of the project says, and what none may say."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.rule import Rule, tests_of
from tests.house.tree import CODE, modules, texts

PYTHON = (*CODE, "tests", "scripts")
VAGUE = {"base", "common", "data", "helpers", "info", "misc", "models", "utils", "views"}
VAGUE_CLASS = re.compile(r"(Manager|Handler|Helper|Base|Data|Info|Utils?)$")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX|NotImplemented" + r"Error)\b")
MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:tmp|root|work|home/\w|Users/\w|mnt)/")
REGISTRY = re.compile(
    r"py[p]i\.org|pythonhoste[d]|npmj[s]|piwheel[s]|unpk[g]\.com|jsdeliv[r]|cdnj[s]|://registr[y]\."
)  # each written so that it does not find itself
DEFINED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
WRITE_DOOR = "node.store.database"


def files_are_named_for_a_thing(root: Path) -> Iterator[str]:
    for module in modules(root, *PYTHON):
        if VAGUE & set(module.name.split(".")):
            yield f"{module.at(1)} is named for nothing in particular"
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name):
                yield f"{module.at(node.lineno)} {node.name} does not say what it is"


def modules_say_what_they_are(root: Path) -> Iterator[str]:
    for module in modules(root, *PYTHON):
        first = (ast.get_docstring(module.tree) or "").split("\n\n")[0].rstrip()
        if not first.endswith((".", "?", ":")):
            yield f"{module.at(1)} opens without a sentence that says what it is"


def public_functions_say_what_they_do(root: Path) -> Iterator[str]:
    for module in modules(root, "federation", "node/domain"):
        for node in module.tree.body:
            public = isinstance(node, DEFINED) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                yield f"{module.at(node.lineno)} {node.name} has no docstring"


def nothing_is_left_unfinished(root: Path) -> Iterator[str]:
    yield from _lines(root, UNFINISHED, "marks something unfinished")


def no_line_names_a_machine(root: Path) -> Iterator[str]:
    yield from _lines(root, MACHINE_PATH, "holds a path of one machine")


def no_line_names_a_registry(root: Path) -> Iterator[str]:
    yield from _lines(root, REGISTRY, "names a package registry: each machine has its own")


def writing_goes_through_write_tx(root: Path) -> Iterator[str]:
    for module in modules(root, *CODE):
        for node in ast.walk(module.tree):
            if module.name != WRITE_DOOR and _calls(node, "atomic"):
                yield f"{module.at(node.lineno)} atomic() is deferred on SQLite: use write_tx()"


def every_test_can_fail(root: Path) -> Iterator[str]:
    """Ask each test for an assertion, its own or that of a function of the tests it calls."""
    found = modules(root, "tests")
    proofs = {
        function.name
        for module in found
        for function in module.functions
        if any(isinstance(node, ast.Assert) for node in ast.walk(function))
    }
    proof = re.compile(
        rf"assert|raises|fail|warns|check|expect|verify|{'|'.join(proofs) or 'assert'}"
    )
    for module in found:
        for function in module.functions:
            test = function.name.startswith("test_")
            if test and not proof.search("\n".join(map(ast.unparse, function.body))):
                yield f"{module.at(function.lineno)} {function.name} cannot fail"


def _lines(root: Path, pattern: re.Pattern[str], sentence: str) -> Iterator[str]:
    for path, number, line in texts(root):
        if pattern.search(line):
            yield f"{path}:{number} {sentence}: {line.strip()[:80]}"


def _calls(node: ast.AST, name: str) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    return name == (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", ""))


RULES: dict[Rule, dict[str, str]] = {
    files_are_named_for_a_thing: {"node/utils.py": ""},
    modules_say_what_they_are: {"node/jobs.py": "import json"},
    public_functions_say_what_they_do: {"federation/keys.py": "def sign(): return 1"},
    nothing_is_left_unfinished: {"README.md": "TO" + "DO: write"},
    no_line_names_a_machine: {"scripts/run": "cd /ro" + "ot/lavoir"},
    no_line_names_a_registry: {"scripts/lock/requirements.txt": "-i https://py" + "pi.org/simple"},
    writing_goes_through_write_tx: {"node/store/member.py": "with db.atomic():\n    pass"},
    every_test_can_fail: {"tests/test_a.py": "def test_a():\n    print(1)"},
}

test_the_house_keeps_its_rule, test_a_rule_sees_the_tree_that_breaks_it = tests_of(RULES)


def test_a_class_named_for_nothing_is_seen(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    (tmp_path / "node/desk.py").write_text("class PartnerManager:\n    pass\n")
    assert list(files_are_named_for_a_thing(tmp_path))
