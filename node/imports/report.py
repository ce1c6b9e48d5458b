"""What an import did, for the person who must know: numbers that add up, reasons, doubts."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from node.domain.errors import Problem

COUNTS = ("new", "changed", "renewed", "unchanged", "rejected")


@dataclass(frozen=True)
class Told:
    """A problem and the line (or item) of the file it is on."""

    line: int
    problem: Problem

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, its message in English."""
        each = self.problem
        message = each.message % each.params if each.params else each.message
        return {"line": self.line, "column": each.field, "code": each.code, "message": message}


@dataclass
class Report:
    """The outcome of one import.

    rows == new + changed + renewed + unchanged + rejected. `withdrawn` are listings whose row has
    vanished; `held_back` those that would be, but a file this different may be a broken one;
    `kept_back` listings whose row is rejected now and that stay as they were.
    columns: how many cells of each were kept as they are, withheld (contacts), left out (mapping).
    """

    file: str
    format: str
    practice: str
    source: dict[str, str]
    counted_in: str = "line"
    rows: int = 0
    new: int = 0
    changed: int = 0
    renewed: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    held_back: int = 0
    kept_back: int = 0
    rejections: list[Told] = field(default_factory=list)
    warnings: list[Told] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    kept: Counter[str] = field(default_factory=Counter)
    withheld: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def rejected(self) -> int:
        """Return how many rows are no listing."""
        return len({told.line for told in self.rejections})

    @property
    def listed(self) -> int:
        """Return how many rows stand as a listing now."""
        return self.new + self.changed + self.renewed + self.unchanged

    def reasons(self) -> Counter[str]:
        """Return how many rows were rejected for each code."""
        return Counter(told.problem.code for told in self.rejections)

    def doubts(self) -> Counter[str]:
        """Return how many warnings there are of each code."""
        return Counter(told.problem.code for told in self.warnings)

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "file": self.file,
            "format": self.format,
            "practice": self.practice,
            "source": self.source,
            "counted_in": self.counted_in,
            "rows": self.rows,
            **{name: getattr(self, name) for name in COUNTS},
            "withdrawn": self.withdrawn,
            "held_back": self.held_back,
            "kept_back": self.kept_back,
            "rejections": [told.as_json() for told in self.rejections],
            "warnings": [told.as_json() for told in self.warnings],
            "notes": [Told(0, each).as_json() for each in self.notes],
            "columns": {
                "kept": dict(self.kept),
                "withheld": dict(self.withheld),
                "left_out": dict(self.left_out),
            },
        }
