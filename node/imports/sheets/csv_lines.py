"""The rows of a CSV file (RFC 4180), as far as spreadsheets and open-data portals follow it."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from typing import Any

from node.domain.errors import Invalid, Problem
from node.domain.words import N_
from node.imports.sheets.line import Line, one_line

DELIMITERS = ",;\t|"
COLUMNS_MAX = 500


def csv_lines(
    text: str, delimiter: str, notes: list[Problem]
) -> tuple[tuple[str, ...], list[Line]]:
    """Return (columns, lines) of a CSV text; `delimiter` is found out when "".

    Two columns of one name become "name" and "name (2)", and are noted. Raises Invalid without a
    readable header.
    """
    if not delimiter:
        delimiter = _found(text)
        if delimiter != ",":
            message = N_("Read with “%(mark)s” between the cells.")
            notes.append(Problem("", "delimiter", message, {"mark": delimiter}))
    elif len(delimiter) != 1 or delimiter in '"\r\n':
        raise Invalid([Problem("delimiter", "delimiter", N_("The delimiter is one character."))])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = _header(reader, notes)
    lines = list(_lines(reader, columns))
    if lines and reader.line_num > lines[-1].number and _ends_in_a_quote(text, delimiter):
        message = N_("A quotation mark opened here is never closed.")
        fault = Problem("", "open_quote", message, {"until": reader.line_num})
        lines[-1] = Line(lines[-1].number, lines[-1].cells, fault=fault)
    return columns, lines


def _ends_in_a_quote(text: str, delimiter: str) -> bool:
    """Return whether the text ends inside a cell that swallowed all that followed its quote."""
    strict = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        try:
            next(strict)
        except StopIteration:
            return False
        except csv.Error as error:
            if "unexpected end" in str(error):
                return True


def _found(text: str) -> str:
    head = next((line for line in io.StringIO(text) if line.strip()), "")
    counts = Counter(c for c in head[:100_000] if c in DELIMITERS)
    return counts.most_common(1)[0][0] if counts else ","


def _header(reader: Any, notes: list[Problem]) -> tuple[str, ...]:
    try:
        names: list[str] = next((cells for cells in reader if any(cells)), [])
    except csv.Error as error:
        raise _no_header(str(error)) from None
    if not any(name.strip() for name in names) or len(names) > COLUMNS_MAX:
        raise _no_header(f"{len(names)} columns")
    return _unique([one_line(name) for name in names], notes)


def _no_header(reason: str) -> Invalid:
    message = N_("The first line does not name the columns: %(reason)s.")
    return Invalid([Problem("file", "no_header", message, {"reason": reason})])


def _unique(names: list[str], notes: list[Problem]) -> tuple[str, ...]:
    """Return the names with a number after each nameless or repeated one, which is noted."""
    seen: dict[str, int] = {}
    unique = []
    for place, written in enumerate(names, 1):
        name = written or f"column {place}"
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            message = N_("The column appears twice; the second is kept as “%(name)s”.")
            name = f"{name} ({seen[name]})"
            notes.append(Problem(written, "column_twice", message, {"name": name}))
        elif not written:
            message = N_("A column without a name is kept as “%(name)s”.")
            notes.append(Problem(name, "column_nameless", message, {"name": name}))
        unique.append(name)
    return tuple(unique)


def _lines(reader: Any, columns: tuple[str, ...]) -> Iterator[Line]:
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, fault=_unreadable(str(error), reader.line_num))
            continue
        if any(cell.strip() for cell in cells):
            yield _line(number, reader.line_num, cells, columns)


def _unreadable(reason: str, until: int) -> Problem:
    message = N_("Cannot be read (up to line %(until)d): %(reason)s.")
    return Problem("", "unreadable", message, {"reason": reason, "until": until})


def _line(number: int, until: int, cells: list[str], columns: tuple[str, ...]) -> Line:
    if len(cells) != len(columns):
        message = N_("%(found)d cells where there are %(expected)d columns (up to line %(until)d).")
        params: dict[str, object] = {"found": len(cells), "expected": len(columns), "until": until}
        cut = dict(zip(columns, cells, strict=False))
        return Line(number, cut, fault=Problem("", "cells", message, params))
    if any("\0" in cell for cell in cells):
        column = next(c for c, cell in zip(columns, cells, strict=True) if "\0" in cell)
        return Line(number, fault=Problem(column, "nul", N_("Holds a NUL character.")))
    return Line(number, dict(zip(columns, cells, strict=True)))
