"""The figures of a bench as a table: medians with the extremes beside them."""

import os
import platform
import statistics
from collections.abc import Iterable, Sequence

import apsw


def spread(seconds: Sequence[float]) -> str:
    """Return "0.412 (0.398-0.455)": the median and the extremes, in seconds."""
    return f"{statistics.median(seconds):.3f} ({min(seconds):.3f}-{max(seconds):.3f})"


def drawn(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown whose columns line up."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    drawn_lines = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([drawn_lines[0], rule, *drawn_lines[1:]])


def machine() -> dict[str, str]:
    """Return what the figures depend on: Python, SQLite, cores, how busy the machine is."""
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return {
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "cores": str(os.cpu_count()),
        "load": load,
        "machine": platform.machine(),
    }
