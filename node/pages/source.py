"""The source: whoever uses this site may have the very program that runs it, says its licence."""

import io
import tarfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, render_template

from node.domain.errors import NotFound
from node.domain.words import N_
from node.pages.here import town

blueprint = Blueprint("source", __name__, url_prefix="/source")

ROOT = Path(__file__).parents[2]
FOLDERS = (".ci", "deploy", "federation", "node", "scripts", "static", "tests")
TOP = ("pyproject.toml", "LICENSE", ".editorconfig", ".gitignore")  # and what is in Markdown
CODE = {
    ".py", ".md", ".html", ".css", ".js", ".mjs", ".json", ".toml", ".po", ".svg", ".png", ".webp",
    ".gz", ".tsv", ".csv", ".txt", ".in", ".sh", ".xml", ".yml", ".service", ".woff2", "",
}  # fmt: skip
LEFT_OUT = {"__pycache__", "node_modules", "home"}
MOST_BYTES = 8_000_000
NAME = "lavoir"


@blueprint.get("")
def show() -> str:
    """Say under which licence the program is, and offer it."""
    return render_template("texts/source.html", size_bytes=len(archive()), config=town().config)


@blueprint.get("/lavoir.tar.gz")
def download() -> Any:
    """Send the source as one file; raises NotFound where only the installed program is here."""
    packed = archive()
    if not packed:
        raise NotFound("no_source", N_("The source is not kept beside the program here."))
    answer = Response(packed, mimetype="application/gzip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{NAME}.tar.gz"'
    return answer


@lru_cache(maxsize=1)
def archive() -> bytes:
    """Return the program's own files as they are on this disk (tar.gz), b"" if they are not here.

    Read once: what is offered is what this process was started from. No home folder is ever in it:
    only known folders, and in them only the kinds of files a program is made of.
    """
    if not (ROOT / "pyproject.toml").is_file() or not (ROOT / "LICENSE").is_file():
        return b""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6) as tar:
        for path in files():
            tar.add(path, f"{NAME}/{path.relative_to(ROOT)}", filter=_anonymous)
    return packed.getvalue() if packed.tell() <= MOST_BYTES else b""


def files() -> list[Path]:
    """Return the files of the program, in a fixed order."""
    top = [ROOT / name for name in TOP if (ROOT / name).is_file()] + list(ROOT.glob("*.md"))
    inside = [
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in CODE
        and path.is_file()
        and not path.is_symlink()
        and not LEFT_OUT & set(path.relative_to(ROOT).parts)
    ]
    return sorted(top) + sorted(inside)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Forget who owns the file on this machine."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member
