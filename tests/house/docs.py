"""What README.md and SPEC.md must say, made from the code they speak of.

`python -m tests.house.docs` writes the table of settings into README.md again.
"""

import importlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.house.tree import ROOT, files

README = ROOT / "README.md"
BEGIN = "<!-- settings: this table is made from node/config.py by `python -m tests.house.docs` -->"
END = "<!-- end of settings -->"


def built(name: str) -> Any:
    """Return a module of the project, or None while nobody has written it."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        spec = None
    return importlib.import_module(name) if spec else None


def settings_table(config: Any) -> str:
    """Return the table of settings: name, value unless told otherwise, what it is for."""
    lines = ["| setting | unless told otherwise | what it is for |", "|---|---|---|"]
    for name, declared in config.SETTINGS.items():
        default = declared.default
        known = isinstance(default, str | int)
        value = f"`{str(default).lower()}`" if isinstance(default, bool) else f"`{default}`"
        lines.append(
            f"| `{name}` | {value if known and default != '' else ''} "
            f"| {declared.metadata['help']} |"
        )
    return "\n".join(lines)


def written_table(text: str) -> str:
    """Return the table that stands in a README between its marks."""
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def commands(group: Any, before: str = "lavoir") -> Iterator[str]:
    """Yield the whole name of every command below a click group: `lavoir partner invite`."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{before} {name}")
        else:
            yield f"{before} {name}"


def musts_without_proof(root: Path) -> Iterator[str]:
    """Yield each line of SPEC.md with MUST that names no test or vector, and each test it invents.

    A line is proved by a name in backticks: a test function, a test file, or a vector's name.
    """
    known = _proofs(root)
    for path in files(root, {".md"}, "federation"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            named = {name.rpartition("::")[2] for name in re.findall(r"`([^`]+)`", line)}
            place = f"{path.relative_to(root)}:{number}"
            if re.search(r"\bMUST\b", line) and not named & known:
                yield f"{place} MUST names no test: {line.strip()[:80]}"
            gone = {name for name in named - known if name.startswith("test_")}
            yield from (f"{place} names {name}, which is no test" for name in sorted(gone))


def broken_links(root: Path) -> Iterator[str]:
    """Yield each link of a top paper or of SPEC.md that leads to no file of the project."""
    for path in [*sorted(root.glob("*.md")), *files(root, {".md"}, "federation")]:
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
            near = path.parent / target.partition("#")[0]
            if not re.match(r"https?:|mailto:|#", target) and not near.exists():
                yield f"{path.relative_to(root)} leads to {target}, which is not there"


def _proofs(root: Path) -> set[str]:
    known: set[str] = set()
    for path in files(root, {".py", ".json"}, "tests"):
        text = path.read_text("utf-8")
        known |= {path.name, path.stem, *map(str, (path.relative_to(root), path.parent.name))}
        pattern = (
            r"^ *(?:def )?(test_\w+)(?:\(| = )" if path.suffix == ".py" else r'"name": *"([^"]+)"'
        )
        known |= set(re.findall(pattern, text, re.MULTILINE))
    return known


def _rewrite() -> None:
    text = README.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    table = settings_table(built("node.config"))
    README.write_text(f"{head}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    _rewrite()
