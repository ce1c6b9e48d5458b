"""A file as rows: which files may be read at all, how their text is decoded, what a row may be."""

import stat
from dataclasses import dataclass, field
from pathlib import Path

from node.domain.errors import DomainError, Invalid, Problem
from node.domain.words import N_
from node.imports.sheets.csv_lines import csv_lines
from node.imports.sheets.json_lines import json_lines
from node.imports.sheets.line import Line

FILE_MAX_BYTES = 20_000_000  # read whole: at most some 450 MB of memory, measured
ROWS_MAX = 200_000
READERS = ("csv", "geojson", "json")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "iso-8859-15")


@dataclass(frozen=True)
class Sheet:
    """The lines of a file, what was found while opening it, and what its numbers count."""

    lines: list[Line]
    columns: tuple[str, ...]
    counted_in: str
    notes: list[Problem] = field(default_factory=list)


def open_sheet(path: Path, reader: str, *, encoding: str = "", delimiter: str = "") -> Sheet:
    """Return the rows of the file at `path`; `reader` is one of READERS.

    `encoding` is one of ENCODINGS, "" to find out; `delimiter` one character, "" to find out.
    Raises DomainError when the file as a whole cannot be read: nothing of it is then.
    """
    notes: list[Problem] = []
    text = _decoded(_content(path), encoding, notes)
    if reader == "csv":
        columns, lines = csv_lines(text, delimiter, notes)
    else:
        columns, lines = json_lines(text, geojson=reader == "geojson")
    if not lines:
        raise _refused("no_rows", N_("The file holds no row."))
    if len(lines) > ROWS_MAX:
        raise _refused("too_many_rows", N_("More than %(max)d rows: cut the file."), max=ROWS_MAX)
    return Sheet(lines, columns, "line" if reader == "csv" else "item", notes)


def _content(path: Path) -> bytes:
    try:
        facts = path.stat()
        if stat.S_ISDIR(facts.st_mode):
            raise _refused("folder", N_("This is a folder, not a file."))
        if not stat.S_ISREG(facts.st_mode):
            raise _refused("no_file", N_("This is not an ordinary file."))
        if facts.st_size > FILE_MAX_BYTES:
            raise _too_big(facts.st_size)
        with path.open("rb") as stream:
            content = stream.read(FILE_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        message = N_("The file cannot be read: %(reason)s.")
        raise _refused("unreadable", message, reason=reason) from None
    if len(content) > FILE_MAX_BYTES:
        raise _too_big(len(content))
    if not content.strip():
        raise _refused("empty", N_("The file is empty."))
    return content


def _too_big(size_bytes: int) -> DomainError:
    message = N_("The file is too big: %(size)d bytes of at most %(max)d. Cut it.")
    return _refused("too_big", message, size=size_bytes, max=FILE_MAX_BYTES)


def _decoded(content: bytes, encoding: str, notes: list[Problem]) -> str:
    if encoding:
        return _as(content, encoding.casefold()).removeprefix("\ufeff")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        notes.append(Problem("", "utf_16", N_("Read as UTF-16.")))
        return _as(content, "utf-16")
    if b"\0" in content[:1_000]:
        raise _refused("not_text", N_("This is not a text file (a spreadsheet? save it as CSV)."))
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        message = N_("Not UTF-8: read as Windows-1252. Have a look at the accents.")
        notes.append(Problem("", "not_utf_8", message))
        return _as(content, "cp1252")
    if text.startswith("\ufeff"):
        notes.append(Problem("", "bom", N_("The file begins with a byte order mark.")))
    return text.removeprefix("\ufeff")


def _as(content: bytes, encoding: str) -> str:
    if encoding not in ENCODINGS:
        message = N_("Unknown encoding %(encoding)s; one of: %(known)s.")
        raise _refused("encoding", message, encoding=encoding, known=", ".join(ENCODINGS))
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        message = N_("The file is not in %(encoding)s (byte %(at)d).")
        raise _refused("encoding", message, encoding=encoding, at=error.start) from None


def _refused(code: str, message: str, **params: object) -> DomainError:
    return Invalid([Problem("file", code, message, params)])
