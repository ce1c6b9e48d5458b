"""Templates keep the strict content policy: no script, style or handler in a page, no raw text."""

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from tests.house.rule import Rule, tests_of
from tests.house.tree import CODE, files, modules

STYLE = re.compile(r"<style\b|<[^>]*\sstyle\s*=", re.IGNORECASE)
HANDLER = re.compile(r"<[^>]*\son[a-z]+\s*=|=\s*[\"']?\s*javascript:", re.IGNORECASE)
SCRIPT = re.compile(r"<script\b(?![^>]*\bsrc\s*=)[^>]*>", re.IGNORECASE)
DATA_BLOCK = re.compile(r"type\s*=\s*[\"']application/(?:ld\+)?json", re.IGNORECASE)
RAW = re.compile(r"\|\s*safe\b|\{%-?\s*autoescape\s+false")
REASON = re.compile(r"\{#-?\s*safe:\s*\w")
ELSEWHERE = re.compile(
    r"<(?:script|img|link|iframe|source)\b[^>]*\b(?:src|href)\s*=\s*[\"']?(?:https?:)?//",
    re.IGNORECASE,
)


def pages_hold_no_style(root: Path) -> Iterator[str]:
    yield from _found(root, STYLE, "style belongs in static/css")


def pages_hold_no_handler(root: Path) -> Iterator[str]:
    yield from _found(root, HANDLER, "behaviour belongs in static/js")


def pages_hold_no_script(root: Path) -> Iterator[str]:
    for place, match in _matches(root, SCRIPT):
        if not DATA_BLOCK.search(match.group()):
            yield f"{place} a script belongs in static/js"


def pages_fetch_nothing_from_elsewhere(root: Path) -> Iterator[str]:
    yield from _found(root, ELSEWHERE, "a page loads only what its own town serves")


def raw_text_gives_its_reason(root: Path) -> Iterator[str]:
    for path in files(root, {".html", ".xml"}, "node"):
        lines = path.read_text("utf-8").splitlines()
        for number, line in enumerate(lines, 1):
            if RAW.search(line) and not REASON.search("".join(lines[max(0, number - 2) : number])):
                yield f"{path.relative_to(root)}:{number} say why with {{# safe: ... #}}"


def markup_gives_its_reason(root: Path) -> Iterator[str]:
    """Ask for a comment on the line of each Markup(...), or on the line above."""
    for module in modules(root, *CODE):
        lines = module.text.splitlines()
        for node in ast.walk(module.tree):
            raw = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Markup")
            if raw and "# " not in "".join(lines[max(0, node.lineno - 2) : node.lineno]):
                yield f"{module.at(node.lineno)} a comment says why this needs no escaping"


def _matches(root: Path, pattern: re.Pattern[str]) -> Iterator[tuple[str, re.Match[str]]]:
    for path in files(root, {".html", ".xml", ".svg"}, "node"):
        if fnmatch(path.name, "lifecycle-*.svg"):
            continue  # drawn for whoever reads the code, never served
        text = path.read_text("utf-8")
        for match in pattern.finditer(text):
            yield f"{path.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}", match


def _found(root: Path, pattern: re.Pattern[str], sentence: str) -> Iterator[str]:
    for place, match in _matches(root, pattern):
        yield f"{place} {sentence}: {match.group()[:60]}"


PAGE = "node/pages/templates/home.html"
RULES: dict[Rule, dict[str, str]] = {
    pages_hold_no_style: {PAGE: '<p\n  style="color: red">'},
    pages_hold_no_handler: {PAGE: "<button onclick=go()>"},
    pages_hold_no_script: {PAGE: "<script>go()</script>"},
    pages_fetch_nothing_from_elsewhere: {PAGE: '<img alt="" src="//elsewhere.example/a.png">'},
    raw_text_gives_its_reason: {PAGE: "<p>\n\n{{ text | safe }}"},
    markup_gives_its_reason: {"node/pages/text.py": "x = markupsafe.Markup(text)"},
}

test_the_house_keeps_its_rule, test_a_rule_sees_the_tree_that_breaks_it = tests_of(RULES)


def test_a_page_as_it_should_be_breaks_nothing(tmp_path: Path) -> None:
    page = tmp_path / PAGE
    page.parent.mkdir(parents=True)
    page.write_text(
        '<script src="/static/js/app.js" type="module"></script>\n'
        '<script type="application/ld+json">{{ card | tojson }}</script>\n'
        '<a href="https://elsewhere.example">one = on</a>\n'
        "{# safe: cleaned by nh3 when it was stored #}\n{{ text | safe }}\n"
    )
    assert [said for rule in RULES for said in rule(tmp_path)] == []
