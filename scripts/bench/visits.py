"""Times a visit between two nodes: first sync, ten records missing, nothing to do; see `sync`.

The host is a real server; the visitor is a town opened in this process, as in the worker that runs
its jobs, so no start of Python is counted. Node and floor take turns.
"""

import argparse
import json
import logging
import shutil
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from node.journal import checkpoints
from node.store.sets import records
from scripts.bench import floor
from scripts.bench.floor import Plain
from scripts.bench.table import drawn, machine, spread
from tests.nodes import Node, Nodes

STEPS = ("first sync", "10 missing", "nothing to do")
MISSING = 10
HEAD = ("records", "step", "node s", "floor s", "ratio", "us/record", "KiB up", "KiB down", "trips")


@dataclass(frozen=True)
class Figure:
    """One step of one repetition: wall seconds of the node and of its floor, what crossed."""

    records: int
    step: str
    node_s: float
    cpu_s: float
    floor_s: float
    received: int
    bytes_up: int
    bytes_down: int
    round_trips: int
    floor_bytes: int


def main() -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    asked = _asked()
    figures: list[Figure] = []
    before = machine()
    with tempfile.TemporaryDirectory(prefix="lavoir-bench-") as folder:
        for count in asked.records:
            figures += measured(Path(folder) / str(count), count, asked.reps)
    if asked.json:
        print(json.dumps({"machine": before, "figures": [asdict(each) for each in figures]}))
    else:
        print("  ".join(f"{name} {value}" for name, value in before.items()))
        print(told(figures))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench/sync")
    parser.add_argument("--records", type=int, action="append")
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    asked.records = asked.records or [1_000, 10_000]
    return asked


def measured(folder: Path, count: int, reps: int) -> list[Figure]:
    """Return the figures of `reps` repetitions with a host of `count` records."""
    nodes = Nodes(folder)
    host, visitor = nodes.found("Lorient"), nodes.found("Quimper")
    nodes.link("Lorient", "Quimper")
    host.publish(count)
    host.serve()
    host.wait_until_up()
    with host.inside() as town:  # as a host that has been up for a while
        checkpoints.sign_due(town.journal, town.clock.now_ms())
    try:
        return [
            figure
            for rep in range(reps)
            for figure in _repetition(_copied(visitor, folder / f"rep {rep}"), host, count)
        ]
    finally:
        nodes.cut_power()


def _copied(node: Node, home: Path) -> Node:
    shutil.copytree(node.home, home)
    return Node(node.name, home, node.port)


def _repetition(visitor: Node, host: Node, count: int) -> list[Figure]:
    """Visit three times; the floor carries the same records each time."""
    held = _plain(host)
    shares = (held[:-MISSING], held[-MISSING:], [])
    with floor.serving([floor.packed(each) for each in shares]) as port:
        figures = []
        for number, step in enumerate(STEPS):
            if step == "10 missing":
                host.publish(MISSING, "Nouveauté")
            took = floor.fetch(port, number, visitor.home / "floor.db")
            figures.append(_visit(visitor, count, step, took))
    return figures


def _plain(host: Node) -> list[Plain]:
    with host.inside():
        return [
            Plain(bytes(row.id), bytes(row.origin), bytes(row.key), row.stamp, bytes(row.raw))
            for row in records.walk()
        ]


def _visit(visitor: Node, count: int, step: str, took: floor.Took) -> Figure:
    with visitor.inside() as town:
        (partner,) = (each for each in _partners(town))
        began, cpu = time.perf_counter(), time.process_time()
        outcome = town.exchanges.visit(partner)
        node_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    if outcome.outcome != "ok":
        raise SystemExit(f"{step}: {outcome.outcome}")
    return Figure(
        count,
        step,
        node_s,
        cpu_s,
        took.seconds,
        outcome.received,
        outcome.bytes_up,
        outcome.bytes_down,
        outcome.round_trips,
        took.size_bytes,
    )


def _partners(town: Any) -> list[bytes]:
    return sorted(town.store.accepted() - {town.id})


def told(figures: list[Figure]) -> str:
    """Return the table: a line for each number of records and step."""
    lines = []
    for count, step in dict.fromkeys((each.records, each.step) for each in figures):
        same = [each for each in figures if (each.records, each.step) == (count, step)]
        node_s, floor_s = [each.node_s for each in same], [each.floor_s for each in same]
        median = statistics.median(node_s)
        received = max(each.received for each in same)
        lines.append(
            (
                str(count),
                step,
                spread(node_s),
                spread(floor_s),
                f"{median / statistics.median(floor_s):.1f}",
                f"{median / received * 1e6:.0f}" if received > MISSING else "-",
                f"{same[-1].bytes_up / 1024:.1f}",
                f"{same[-1].bytes_down / 1024:.1f}",
                "-".join(str(each) for each in sorted({each.round_trips for each in same})),
            )
        )
    return drawn(HEAD, lines)


if __name__ == "__main__":
    main()
