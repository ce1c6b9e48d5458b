"""A file read to the end: each row a listing ready to be published, or a rejection."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from federation import codec
from federation.record import RECORD_MAX_BYTES
from node.domain.errors import Invalid, Problem
from node.domain.listing import EXTRA_MAX, Source
from node.domain.practice import Importer, Practice
from node.domain.schema import plain
from node.domain.words import N_
from node.imports.doubles import Doubles
from node.imports.report import Report, Told
from node.imports.rows.row import Row
from node.imports.sheets.line import Line
from node.imports.sheets.opening import Sheet

BODY_MAX_BYTES = RECORD_MAX_BYTES - 512  # what signs and names a record takes less than that

STEP_ROWS = 200


@dataclass(frozen=True)
class Ready:
    """A row that can be published: what names it, the body, and the digest that tells a change."""

    line: int
    ref: str
    body: dict[str, Any]
    digest: bytes


@dataclass
class Reading:
    """Rows turned into bodies one after the other; what is told of them goes into the report.

    `refs` are all references met, of rejected rows too; `blind` is true when a row was so broken
    that its reference is not known: what it stood for has not vanished.
    """

    importer: Importer
    practice: Practice
    source: Source
    report: Report
    today: int
    doubles: Doubles
    publish: Collection[str] = ()
    ready: list[Ready] = field(default_factory=list)
    refs: dict[str, int] = field(default_factory=dict)
    blind: bool = False

    def read(self, sheet: Sheet, step: Callable[[int], None]) -> list[Ready]:
        """Return the rows of `sheet` that can be published; `step(rows read)` now and then."""
        self.report.rows = len(sheet.lines)
        for done, line in enumerate(sheet.lines, 1):
            row = Row(line.number, line.cells, line.point, self.today, frozenset(self.publish))
            try:
                self._read_one(line, row)
            except Invalid as refused:
                self.report.rejections += [Told(line.number, each) for each in refused.problems]
            self._tell(line, row)
            if done % STEP_ROWS == 0:
                step(done)
        return self.ready

    def _read_one(self, line: Line, row: Row) -> None:
        if line.fault:
            self._remember_broken(line.fault, row)
            raise Invalid([line.fault])
        try:
            body = self.importer.body(row)
        finally:  # a rejected row has not vanished: its listing stays as it is
            ref = self._reference(row)
        ready = self._ready(line, ref, self._completed(row, body, ref))
        row.doubts += self.doubles.of(line.number, ready.body)
        self.ready.append(ready)

    def _reference(self, row: Row) -> str:
        """Return what names the row; raises Invalid when nothing does, or another row has it."""
        try:
            ref = self.importer.key(row)
        except Invalid:
            self.blind = True
            raise
        if ref in self.refs:
            message = N_("The same reference, %(ref)s, as %(line)d.")
            params: dict[str, object] = {"ref": ref, "line": self.refs[ref]}
            raise Invalid([Problem("", "reference_twice", message, params)])
        self.refs[ref] = row.number
        return ref

    def _remember_broken(self, fault: Problem, row: Row) -> None:
        """Note which listing a broken row stood for, if that much can be read."""
        is_one_line = fault.params.get("until", row.number) == row.number
        try:
            self.refs.setdefault(self.importer.key(row), row.number)
        except Invalid:
            is_one_line = False
        self.blind = self.blind or not is_one_line

    def _completed(self, row: Row, body: dict[str, Any], ref: str) -> dict[str, Any]:
        extra = row.rest()
        if len(extra) > EXTRA_MAX:
            message = N_("%(found)d columns that no field takes; at most %(max)d can be kept.")
            params: dict[str, object] = {"found": len(extra), "max": EXTRA_MAX}
            raise Invalid([Problem("", "too_many_columns", message, params)])
        source = {**plain(self.source), "ref": ref}
        return {**body, "source": source, **({"extra": extra} if extra else {})}

    def _ready(self, line: Line, ref: str, body: dict[str, Any]) -> Ready:
        checked = plain(self.practice.schema.read(body))
        content = codec.dumps(checked)
        if len(content) > BODY_MAX_BYTES:
            message = N_("Too long: %(size)d bytes of at most %(max)d.")
            params: dict[str, object] = {"size": len(content), "max": BODY_MAX_BYTES}
            raise Invalid([Problem("", "too_long", message, params)])
        return Ready(line.number, ref, checked, hashlib.sha256(content).digest())

    def _tell(self, line: Line, row: Row) -> None:
        told: list[Problem] = []
        for each in [*([line.doubt] if line.doubt else []), *row.doubts]:
            if each not in told:
                told.append(each)
        self.report.warnings += [Told(line.number, each) for each in told]
        self.report.kept.update(dict.fromkeys(row.kept, 1))
        self.report.withheld.update(dict.fromkeys(row.withheld, 1))
        self.report.left_out.update(dict.fromkeys(row.left, 1))
