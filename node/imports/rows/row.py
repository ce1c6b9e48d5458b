"""One row in careful hands: what a field takes is noted, so whatever none took stays visible.

Cells are text. What is read from one is text without contacts (see `personal`), control characters
or HTML line breaks; a cell that cannot be read as what it should be is doubted and stays with
the rest, never lost. HTML, formulas and Markdown are kept as the characters they are.
"""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from node.domain.capacity import calendar_day, day_number
from node.domain.errors import Invalid, Problem
from node.domain.listing import LABEL_MAX, VALUE_MAX
from node.domain.schema import tidy
from node.domain.words import N_
from node.imports.rows.personal import MASK, is_personal_column, without_contacts

KEY_MAX = 200

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>|<!--")
_BREAK = re.compile(r"<\s*(?:br|/p|/li|/div)\s*/?\s*>\s*", re.IGNORECASE)
_WHOLE = re.compile(r"(\d{1,9})(?:[.,]0+)?", re.ASCII)
_ISO_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[ T].*)?", re.ASCII)
_FRENCH_DAY = re.compile(r"(\d\d?)[/.-](\d\d?)[/.-](\d{4})(?:[ T].*)?", re.ASCII)
_YES_NO = {
    **dict.fromkeys(("true", "vrai", "oui", "yes", "1", "o"), True),
    **dict.fromkeys(("false", "faux", "non", "no", "0", "n"), False),
}


@dataclass
class Row:
    """The row `number` (line or item) of a file; `today` is a day number.

    `point` is (longitude, latitude) as written, when the file's shape has a position of its own.
    `publish` names the columns of contacts that may be published, `labels` how columns are called
    when they stay as they are. While the row is read, `doubts` fills up, and the columns whose cell
    was withheld, kept as it is (`kept`) or left out on purpose (`left`).
    """

    number: int
    cells: Mapping[str, str]
    point: tuple[str, str] | None = None
    today: int = 0
    publish: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    doubts: list[Problem] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    _taken: set[str] = field(default_factory=set)

    def doubt(self, column: str, code: str, message: str, **params: object) -> None:
        """Note what looks wrong and is kept all the same."""
        self.doubts.append(Problem(column, code, message, params))

    def raw(self, column: str) -> str:
        """Return the cell as written, on one line, and count it as taken; "" when there is none."""
        self._taken.add(column)
        return _one_line(self.cells.get(column, ""))

    def text(self, column: str, max_length: int, *, lines: bool = False) -> str:
        """Return the words of a cell, on one line unless `lines`; what is too long is cut and told.

        A column of contacts gives "" unless it may be published.
        """
        self._taken.add(column)
        words = self._words(column, lines=lines)
        if len(words) <= max_length:
            return words
        message = N_("Cut after %(max)d characters.")
        self.doubt(column, "shortened", message, max=max_length)
        if max_length < VALUE_MAX:
            self.keep([column])
        return words[: max_length - 1].rstrip() + "…"

    def count(self, column: str, maximum: int) -> int | None:
        """Return a whole number up to `maximum`, None when there is none to be read."""
        text = self.raw(column)
        match = _WHOLE.fullmatch(text)
        number = int(match[1]) if match else maximum + 1
        if number <= maximum:
            return number
        if text:
            message = N_("Not a whole number up to %(max)d; kept as it is written.")
            self.give_back(column, "not_a_number", message, max=maximum)
        return None

    def yes_no(self, column: str) -> bool | None:
        """Return whether the cell says yes, None when it says neither yes nor no."""
        text = self.raw(column)
        answer = _YES_NO.get(text.casefold())
        if answer is None and text:
            self.give_back(column, "not_yes_no", N_("Neither yes nor no; kept as it is written."))
        return answer

    def day(self, column: str) -> int | None:
        """Return a day number from 2026-11-23 or 23/11/2026, None when there is none to be read."""
        text = self.raw(column)
        number = _day_number(text)
        if number is None and text:
            self.give_back(column, "not_a_day", N_("Not a date; kept as it is written."))
        elif number is not None and not _ISO_DAY.fullmatch(text):
            shown = calendar_day(number).isoformat()
            self.doubt(column, "day_format", N_("Read as %(day)s."), day=shown)
        if number is not None and number > self.today:
            self.doubt(column, "future", N_("This day is still to come."))
        return number

    def give_back(self, column: str, code: str, message: str, **params: object) -> None:
        """Doubt a cell and keep it with the rest."""
        self.keep([column])
        self.doubt(column, code, message, **params)

    def keep(self, columns: Iterable[str]) -> None:
        """Keep cells with the rest though they were read."""
        self._taken.difference_update(columns)

    def leave(self, columns: Collection[str]) -> None:
        """Leave out columns on purpose."""
        self._taken.update(columns)
        self.left.extend(column for column in columns if self.cells.get(column, "").strip())

    def key_of(self, columns: Iterable[str]) -> str:
        """Return what names the row: its cells joined by "-"; hashed when long or a contact.

        Raises Invalid when all are empty.
        """
        texts = {column: _one_line(self.cells.get(column, "")) for column in columns}
        key = "-".join(texts.values())
        if not key.strip("-"):
            message = N_("Nothing names this row: it could not be found again at the next import.")
            raise Invalid([Problem(next(iter(texts), ""), "no_key", message)])
        contact = without_contacts(key) != key or any(map(self._is_withheld, texts))
        if contact or len(key) > KEY_MAX:
            return hashlib.sha256(key.encode()).hexdigest()[:32]
        self._taken.update(texts)
        return key

    def rest(self) -> list[list[str]]:
        """Return the [label, value] pairs of the cells nothing took, in the order of the columns.

        It takes them: asked again, there are none. Columns of contacts are withheld, and named in
        `withheld`, unless they may be published.
        """
        pairs = []
        for column in self.cells:
            if column not in self._taken and _one_line(self.cells[column]):
                value = self.text(column, VALUE_MAX, lines=True)
                label = self.labels.get(column, column)
                if value:
                    self.kept.append(column)
                    pairs.append([_one_line(label)[:LABEL_MAX] or "?", value])
        return pairs

    def _words(self, column: str, *, lines: bool) -> str:
        written = self.cells.get(column, "")
        if self._is_withheld(column):
            if written.strip():
                self.withheld.append(column)
            return ""
        self._suspect(column, written)
        broken = _BREAK.sub("\n", written) if "<" in written else written
        words = tidy(broken.replace("\t", " ")) if lines else _one_line(broken)
        public = words if column in self.publish else without_contacts(words)
        if public != words:
            message = N_("A telephone number or mail address in the text is not published.")
            self.doubt(column, "contact_in_text", message)
        return "" if public == MASK else public

    def _is_withheld(self, column: str) -> bool:
        return column not in self.publish and is_personal_column(column)

    def _suspect(self, column: str, written: str) -> None:
        if "<" in written and _TAG.search(written):
            self.doubt(column, "html", N_("Holds HTML; kept as plain characters."))
        if written.startswith("="):
            message = N_("Looks like a spreadsheet formula; kept as plain characters.")
            self.doubt(column, "formula", message)
        if any(unicodedata.category(c) == "Cc" and c not in "\t\r\n" for c in written):
            message = N_("Control characters were taken out.")
            self.doubt(column, "control_characters", message)


def _one_line(text: str) -> str:
    return " ".join(tidy(text.replace("\t", " ")).split())


def _day_number(text: str) -> int | None:
    iso, french = _ISO_DAY.fullmatch(text), _FRENCH_DAY.fullmatch(text)
    try:
        if iso:
            return max(0, day_number(date(int(iso[1]), int(iso[2]), int(iso[3]))))
        if french:
            return max(0, day_number(date(int(french[3]), int(french[2]), int(french[1]))))
    except ValueError:
        return None
    return None
