"""A crowd of histories: many seeds in several processes, each finding told as it comes."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from scripts.simulate.findings import Finding
from scripts.simulate.history import drawn, run

SEEDS_AT_ONCE = 4


@dataclass(frozen=True)
class Wanted:
    """What is to be run: how many of a tier, from which seed, how large."""

    tier: str
    seeds: range
    towns: tuple[int, int] | None
    steps: int


@dataclass
class Sum:
    """All findings together."""

    histories: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    reach: dict[str, Counter[str]] = field(default_factory=dict)
    broken: list[Finding] = field(default_factory=list)

    def add(self, finding: Finding) -> None:
        """Add one finding."""
        self.histories[finding.tier] += 1
        self.seconds[finding.tier] += finding.seconds  # type: ignore[assignment]
        self.reach.setdefault(finding.tier, Counter()).update(finding.reach)
        if not finding.is_good:
            self.broken.append(finding)


def findings(wanted: Iterable[Wanted], jobs: int) -> Iterator[Finding]:
    """Run every history; with one job in this process, else in `jobs` others."""
    parts = [
        (each.tier, each.seeds[at : at + SEEDS_AT_ONCE], each.towns, each.steps)
        for each in wanted
        for at in range(0, len(each.seeds), SEEDS_AT_ONCE)
    ]
    if jobs == 1:
        for part in parts:
            yield from _run_part(*part)
        return
    pool = ProcessPoolExecutor(jobs)
    try:
        for done in as_completed([pool.submit(_run_part, *part) for part in parts]):
            yield from done.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def cores() -> int:
    """Return how many processes are worth starting."""
    return max(len(os.sched_getaffinity(0)), 1)


def _run_part(tier: str, seeds: range, towns: tuple[int, int] | None, steps: int) -> list[Finding]:
    return [run(drawn(seed, tier, towns, steps))[0] for seed in seeds]
