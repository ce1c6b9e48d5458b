"""The project's files as the house tests read them: modules parsed once, the rest as text."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("federation", "node")
ENTRIES = (*CODE, "tests", "scripts", "static", ".ci", "deploy")
TEXTS = {".py", ".md", ".html", ".txt", ".xml", ".js", ".mjs", ".css", ".svg", ".po", ".toml", ""}
FOREIGN = {"vendor", "node_modules", "__pycache__"}  # written by others, or by Python


@dataclass(frozen=True)
class Import:
    """One imported name: absolute and dotted, where it stands, and how it was written."""

    target: str
    line: int
    inner: bool  # inside a function
    dots: int  # of a relative import; 0 when absolute
    star: bool


@dataclass(frozen=True)
class Module:
    """One Python file of the project, by its dotted name."""

    root: Path
    path: Path

    @cached_property
    def name(self) -> str:
        parts = self.path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @cached_property
    def imports(self) -> list[Import]:
        inner = {id(node) for function in self.functions for node in ast.walk(function)}
        found: list[Import] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                found += self._names(node, id(node) in inner)
        return found

    @cached_property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return [node for node in ast.walk(self.tree) if isinstance(node, kinds)]

    def at(self, line: int) -> str:
        """Return `path:line`, which editors make a link of."""
        return f"{self.path.relative_to(self.root)}:{line}"

    def _names(self, node: ast.Import | ast.ImportFrom, inner: bool) -> Iterator[Import]:
        dots = node.level if isinstance(node, ast.ImportFrom) else 0
        start = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        if dots:
            package = self.name.split(".")
            up = dots - (self.path.name == "__init__.py")
            start = ".".join([*package[: len(package) - up], *filter(None, [start])])
        for alias in node.names:
            target = start if alias.name == "*" else f"{start}.{alias.name}".strip(".")
            yield Import(target, node.lineno, inner, dots, alias.name == "*")


def modules(root: Path, *folders: str) -> list[Module]:
    """Return every Python module below these folders of `root`; a folder not there yet has none."""
    return [_module(root, path) for path in files(root, {".py"}, *folders)]


@cache
def _module(root: Path, path: Path) -> Module:
    return Module(root, path)  # parsed once, however many rules read it


def files(root: Path, suffixes: set[str], *folders: str) -> list[Path]:
    """Return the project's own files with these suffixes, in a fixed order."""
    return sorted(
        path
        for folder in folders
        for path in (root / folder).rglob("*")
        if path.suffix in suffixes and path.is_file() and not FOREIGN & set(path.parts)
    )


def texts(root: Path) -> Iterator[tuple[str, int, str]]:
    """Yield (path, line number, line) of every text of the project, also in its top folder."""
    top = [path for path in root.iterdir() if path.is_file() and path.suffix in TEXTS]
    for path in sorted(top) + files(root, TEXTS, *ENTRIES):
        try:
            lines = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a file without a suffix that holds no text
        for number, line in enumerate(lines, 1):
            yield str(path.relative_to(root)), number, line


def plant(root: Path, contents: dict[str, str]) -> Path:
    """Write a small tree (path -> text) for a rule to be tried on, and return its root."""
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return root
