"""Nothing grows past what one person reads in one go: modules, functions, templates, scripts.

These are the limits where a test fails. The aims are half of that: see README, "How it is built".
"""

from collections.abc import Iterator
from pathlib import Path

from tests.house.rule import Rule, tests_of
from tests.house.tree import CODE, files, modules

MODULE_MAX_LINES = 400
FUNCTION_MAX_LINES = 50
TEMPLATE_MAX_LINES = 120
PAGE_CODE_MAX_LINES = 400  # one stylesheet, one script of the pages
SHELL_MAX_LINES = 200
PYTHON = (*CODE, "tests", "scripts")


def modules_stay_readable(root: Path) -> Iterator[str]:
    for module in modules(root, *PYTHON):
        lines = module.text.count("\n")
        if lines > MODULE_MAX_LINES:
            yield f"{module.at(1)} has {lines} lines, {MODULE_MAX_LINES} at most: which two is it?"


def functions_stay_readable(root: Path) -> Iterator[str]:
    for module in modules(root, *PYTHON):
        for function in module.functions:
            lines = (function.end_lineno or 0) - function.lineno + 1
            if lines > FUNCTION_MAX_LINES:
                yield f"{module.at(function.lineno)} {function.name} has {lines} lines"


def templates_stay_readable(root: Path) -> Iterator[str]:
    yield from _too_long(root, TEMPLATE_MAX_LINES, {".html"}, "node")


def page_code_stays_readable(root: Path) -> Iterator[str]:
    yield from _too_long(root, PAGE_CODE_MAX_LINES, {".css", ".js", ".mjs"}, "static", "scripts")


def shell_scripts_stay_readable(root: Path) -> Iterator[str]:
    yield from _too_long(root, SHELL_MAX_LINES, {"", ".sh"}, "scripts", ".ci")


def _too_long(root: Path, limit: int, suffixes: set[str], *folders: str) -> Iterator[str]:
    for path in files(root, suffixes, *folders):
        lines = path.read_bytes().count(b"\n")
        if lines > limit:
            yield f"{path.relative_to(root)}:1 has {lines} lines, {limit} at most"


RULES: dict[Rule, dict[str, str]] = {
    modules_stay_readable: {"node/jobs.py": "\n" * (MODULE_MAX_LINES + 1)},
    functions_stay_readable: {
        "tests/test_jobs.py": "def test_all():" + "\n    pass" * FUNCTION_MAX_LINES
    },
    templates_stay_readable: {"node/pages/templates/home.html": "\n" * (TEMPLATE_MAX_LINES + 1)},
    page_code_stays_readable: {"static/css/home.css": "\n" * (PAGE_CODE_MAX_LINES + 1)},
    shell_scripts_stay_readable: {"scripts/run": "\n" * (SHELL_MAX_LINES + 1)},
}

test_the_house_keeps_its_rule, test_a_rule_sees_the_tree_that_breaks_it = tests_of(RULES)


def test_a_function_of_exactly_the_limit_is_kept(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    text = "def run():" + "\n    pass" * (FUNCTION_MAX_LINES - 1)
    (tmp_path / "node/jobs.py").write_text(text)
    assert not list(functions_stay_readable(tmp_path))
