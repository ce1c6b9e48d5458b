"""The command: `python -m scripts.simulate`, histories by the hundred or one of them in words."""

import argparse
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scripts.simulate.crowd import Sum, Wanted, cores, findings
from scripts.simulate.findings import Finding
from scripts.simulate.history import STEPS, WANTED, drawn, run
from scripts.simulate.plan import Plan
from scripts.simulate.shrink import shrunk
from scripts.simulate.table import never, paces, reached

console = Console(stderr=True)
ENOUGH = {"light": 100, "whole": 60}  # so many must have met every kind of thing that can happen


def main(said: Sequence[str] | None = None) -> int:
    """Run what was asked for; return 0 if every rule held."""
    asked = _asked(said)
    wanted = [
        Wanted(tier, range(asked.seed, asked.seed + count), asked.towns, asked.steps)
        for tier, count in asked.histories.items()
    ]
    total = Sum()
    try:
        _run_all(wanted, asked.jobs, total, asked.json)
    except KeyboardInterrupt:
        console.print("Stopped; what was done until then:")
    missed = blind(total)
    broken = [_explained(finding, asked) for finding in total.broken[:3]]
    if asked.json:
        print(json.dumps(_told(total, missed, broken)))
    else:
        _print(total, missed, broken, asked)
    return 1 if total.broken or missed else 0


def _run_all(wanted: list[Wanted], jobs: int, total: Sum, is_quiet: bool) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=is_quiet) as bar:
        task = bar.add_task("histories", total=sum(len(each.seeds) for each in wanted))
        for finding in findings(wanted, jobs):
            total.add(finding)
            broken = f", {len(total.broken)} broken" if total.broken else ""
            bar.update(task, advance=1, description=f"histories{broken}")


def blind(total: Sum) -> list[str]:
    """What never happened although there were enough histories for it to."""
    return [
        f"{tier}: {name}"
        for tier, reach in total.reach.items()
        if total.histories[tier] >= ENOUGH[tier]
        for name in never(reach, WANTED[tier])
    ]


def _explained(finding: Finding, asked: argparse.Namespace) -> dict[str, object]:
    """A finding with the shortest history that shows it, line by line."""
    plan = drawn(finding.seed, finding.tier, asked.towns, asked.steps)
    short, runs = shrunk(plan, finding.rule, lambda each: run(each)[0].rule)
    return {**_named(finding, plan), "runs": runs, "lines": _lines(short)}


def _lines(plan: Plan) -> list[str]:
    finding, lines = run(plan, is_told=True)
    return [*lines, f"{finding.rule}: {finding.seen}"]


def _named(finding: Finding, plan: Plan) -> dict[str, object]:
    return {"rule": finding.rule, "seen": finding.seen, "replay": plan.name}


def _told(total: Sum, missed: list[str], broken: list[dict[str, object]]) -> dict[str, object]:
    return {
        "histories": dict(total.histories),
        "seconds": {tier: round(spent, 2) for tier, spent in total.seconds.items()},
        "reach": {tier: dict(sorted(reach.items())) for tier, reach in total.reach.items()},
        "never": missed,
        "broken": broken,
        "seeds": [[each.tier, each.seed, each.rule, each.seen] for each in total.broken],
    }


def _print(
    total: Sum, missed: list[str], broken: list[dict[str, object]], asked: argparse.Namespace
) -> None:
    out = Console()
    out.print(reached(total))
    if asked.one is not None:
        finding, _ = run(drawn(asked.seed, asked.one, asked.towns, asked.steps))
        out.print(f"seed {finding.seed}, trace {finding.digest}")
    out.print(paces(total))
    for each in total.broken:
        out.print(f"[red]{each.tier} seed {each.seed}[/]: {each.rule}: {each.seen}", markup=True)
    for each in broken:
        out.print(f"\nAgain: python -m scripts.simulate {each['replay']}", markup=False)
        for line in each["lines"]:  # type: ignore[attr-defined]
            out.print(f"    {line}", markup=False, highlight=False)
    for name in missed:
        out.print(f"Never happened: {name}", markup=False)
    if not total.broken and not missed:
        out.print(f"Every rule held in {sum(total.histories.values())} histories.")


def _asked(said: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.simulate", description=__doc__)
    parser.add_argument("--histories", type=int, default=500, help="how many, both tiers together")
    parser.add_argument("--tier", choices=["both", *STEPS], default="both")
    parser.add_argument("--towns", help="a number, or least..most (5..9 light, 5..6 whole)")
    parser.add_argument("--steps", type=int, default=0, help="of each history (80 light, 50 whole)")
    parser.add_argument("--seed", type=int, default=0, help="of the first history")
    parser.add_argument("--jobs", type=int, default=cores())
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(said)
    least, _, most = (asked.towns or "").partition("..")
    asked.towns = (int(least), int(most or least)) if least else None
    count = asked.histories
    asked.one = asked.tier if count == 1 and asked.tier != "both" else None
    whole = count * WHOLE_PERCENT // 100
    asked.histories = (
        {"light": count - whole, "whole": whole} if asked.tier == "both" else {asked.tier: count}
    )
    asked.jobs = 1 if count == 1 else asked.jobs
    return asked


WHOLE_PERCENT = 12  # of all histories, when both tiers are asked for


if __name__ == "__main__":
    sys.exit(main())
