"""What README.md and SPEC.md must say, made from the code they speak of."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.tree import files

BEGIN, END = "<!-- {}: written by a test -->", "<!-- end of {} -->"


def is_built(name: str) -> bool:
    """Say whether this module of the project is there to be read."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def block(text: str, name: str) -> str:
    """Return what stands between the two marks of a written block, or "" without them."""
    begin, end = BEGIN.format(name), END.format(name)
    if begin not in text or end not in text:
        return ""
    return text.split(begin, 1)[1].split(end, 1)[0].strip()


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def musts_without_proof(root: Path) -> Iterator[str]:
    """Yield each line of SPEC.md with MUST that names no test or vector that exists.

    A line is proved by a name in backticks: a test function, a test file, or a vector's name.
    """
    known = _proofs(root)
    for path in files(root, {".md"}, "federation"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            named = {name.rpartition("::")[2] for name in re.findall(r"`([^`]+)`", line)}
            if re.search(r"\bMUST\b", line) and not named & known:
                yield f"{path.relative_to(root)}:{number} MUST names no test: {line.strip()[:80]}"


def _proofs(root: Path) -> set[str]:
    known: set[str] = set()
    for path in files(root, {".py", ".json"}, "tests"):
        text = path.read_text("utf-8")
        known |= {path.name, str(path.relative_to(root)), str(path.relative_to(root / "tests"))}
        if path.suffix == ".py":
            known |= set(re.findall(r"^ *def (test_\w+)", text, re.MULTILINE))
        else:
            known |= set(re.findall(r'"(?:name|id|code)": *"([^"]+)"', text))
    return known
