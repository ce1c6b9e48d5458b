"""What a file holds at one place: the cells of a row, or the reason why it is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.domain.errors import Problem
from node.domain.schema import tidy


@dataclass(frozen=True)
class Line:
    """The line (or item) `number` of a file: cells by column and the position of its shape.

    `point` is (longitude, latitude) as written; `fault` says why it cannot be a row, `doubt` what
    looks wrong about it.
    """

    number: int
    cells: Mapping[str, str] = field(default_factory=dict)
    point: tuple[str, str] | None = None
    fault: Problem | None = None
    doubt: Problem | None = None


def one_line(written: str) -> str:
    """Return a name (of a column, of a source) as it is told: one line, no control characters."""
    return " ".join(tidy(written).split())[:200]
