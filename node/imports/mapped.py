"""A mapping at work: a row fills in the form of its practice, as a person would.

So the rules for what is typed are the rules for what is imported. A field that is refused is left
out and its cell kept with the rest, told; only what cannot be done without refuses the row.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from node.domain.capacity import calendar_day
from node.domain.errors import Invalid, Problem
from node.domain.listing import Place, Source
from node.domain.practice import Importer, Practice
from node.domain.schema import Field, checked, plain
from node.domain.words import N_
from node.imports.mapping import FieldMap, Spelling
from node.imports.rows.row import Row
from node.imports.rows.whereabouts import whereabouts

GIVEN = ("verb", "quartier", "who", "lang")  # said of every listing, not asked in a form
COMMUNE = "@commune"
CELL_MAX = 4_000
_NAME = re.compile(r"\{([^{}]+)\}")
_LINK = re.compile(r"https?://\S+", re.IGNORECASE)


def mapped(mapping: FieldMap, practice: Practice, reader: str) -> Importer:
    """Return the importer that reads rows of any shape as `mapping` says.

    Raises Invalid when the mapping names a field the practice has not, or no title or key.
    """
    asked = {each.name: each for each in practice.schema.fields}
    unknown = sorted(set(mapping.fields) - set(asked) - set(GIVEN))
    unknown += [name for name in mapping.fields if name in asked and _is_elsewhere(asked[name])]
    if unknown:
        message = N_("The mapping gives fields this practice cannot be given: %(names)s.")
        raise Invalid([Problem("mapping", "mapping", message, {"names": ", ".join(unknown)})])
    for name, told in (("title", mapping.fields.get("title")), ("key", mapping.key)):
        if not told:
            message = N_("The mapping does not say which column is the %(name)s.")
            raise Invalid([Problem("mapping", "mapping", message, {"name": name})])
    words = mapping.source
    source = Source(name=words.name, licence=words.licence, url=words.url) if words.name else None
    return Importer(
        reader=reader,
        body=lambda row: _Filling(mapping, practice, asked, row).body(),
        key=lambda row: row.key_of(mapping.key_columns),
        columns=(*mapping.key_columns, *mapping.spelling("title").sources),
        source=source,
    )


def _is_elsewhere(asked: Field) -> bool:
    return asked.kind in ("place", "photos")


@dataclass
class _Filling:
    """One row being typed into the form of a practice."""

    mapping: FieldMap
    practice: Practice
    asked: dict[str, Field]
    row: Row
    form: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the listing's body as plain values; raises Invalid naming columns."""
        self.row.publish |= frozenset(self.mapping.publish)
        self.row.labels = self.mapping.labels
        self.row.leave(self.mapping.leave)
        place = whereabouts(self.row, self.mapping.place, exact=self.mapping.exact)
        for name in self.mapping.fields:
            self.form[name] = self._spelled(name, place)
        given = {name: self.form[name] for name in GIVEN if self.form.get(name)}
        return self._cleaned({**given, "place": checked(Place, place)})

    def _cleaned(self, given: dict[str, Any]) -> dict[str, Any]:
        try:
            return plain(self.practice.schema.clean(self.form, **given))
        except Invalid as refused:
            self._leave_out(refused.problems)
        try:
            return plain(self.practice.schema.clean(self.form, **given))
        except Invalid as refused:
            raise Invalid([self._in_columns(each) for each in refused.problems]) from None

    def _leave_out(self, problems: list[Problem]) -> None:
        for each in problems:
            columns = self._columns(each.field)
            self.row.keep(columns)
            if each.field != "title" and self.form.pop(each.field, ""):
                self.row.doubts.append(self._in_columns(each))

    def _in_columns(self, problem: Problem) -> Problem:
        columns = self._columns(problem.field)
        return (
            Problem(columns[0], problem.code, problem.message, problem.params)
            if columns
            else problem
        )

    def _columns(self, name: str) -> tuple[str, ...]:
        return self.mapping.spelling(name).sources if name in self.mapping.fields else ()

    def _spelled(self, name: str, place: dict[str, Any]) -> str:
        spelling = self.mapping.spelling(name)
        asked = self.asked.get(name) or Field(name, "text", name)
        if spelling.value:
            return spelling.value
        if spelling.text:
            return self._filled(spelling.text, asked, place)
        if spelling.values or spelling.otherwise:
            return self._translated(spelling)
        reader = _READERS[spelling.read_as]
        parts = [reader(self.row, column, asked) for column in spelling.sources]
        joined = ("\n\n" if asked.kind == "long" else ", ").join(part for part in parts if part)
        return self._fitting(joined, asked, spelling.sources[0])

    def _filled(self, text: str, asked: Field, place: dict[str, Any]) -> str:
        def value(match: re.Match[str]) -> str:
            if match[1] == COMMUNE:
                return str(place.get("name", ""))
            return self.row.text(match[1], asked.max_length)

        return self._fitting(_NAME.sub(value, text).strip(" ,;–-"), asked, "")

    def _fitting(self, text: str, asked: Field, column: str) -> str:
        if len(text) <= asked.max_length:
            return text
        message = N_("Cut after %(max)d characters.")
        self.row.doubt(column, "shortened", message, max=asked.max_length)
        return text[: asked.max_length - 1].rstrip() + "…"

    def _translated(self, spelling: Spelling) -> str:
        """Return what `values` says of the first value it knows; the cells stay with the rest."""
        cells = [self.row.text(column, CELL_MAX, lines=True) for column in spelling.sources]
        self.row.keep(spelling.sources)
        written = [line for cell in cells for line in cell.split("\n") if line]
        for line in written:
            if line in spelling.values:
                return spelling.values[line]
        if written:
            message = N_("“%(value)s” is a value the mapping does not know.")
            self.row.doubt(spelling.sources[0], "unknown_value", message, value=written[0][:80])
        return spelling.otherwise


def _words(row: Row, column: str, asked: Field) -> str:
    return row.text(column, asked.max_length, lines=asked.kind == "long")


def _day(row: Row, column: str, asked: Field) -> str:
    number = row.day(column)
    return "" if number is None else calendar_day(number).isoformat()


def _links(row: Row, column: str, asked: Field) -> str:
    """Return the addresses of the web in a cell, one a line; anything else stays with the rest."""
    written = row.text(column, asked.max_length, lines=True).split()
    links = [_completed(part) for part in written]
    if not all(_LINK.fullmatch(link) for link in links):
        row.give_back(column, "not_a_link", N_("Not an address of the web; kept as it is written."))
    return "\n".join(link for link in links if _LINK.fullmatch(link))


def _completed(part: str) -> str:
    return f"http://{part}" if part.casefold().startswith("www.") else part


_READERS: dict[str, Callable[[Row, str, Field], str]] = {
    "text": _words,
    "day": _day,
    "links": _links,
}
