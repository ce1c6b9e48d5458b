"""Runs histories in a process of their own, whose randomness belongs to their seed alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """Return the environment in which a set of bytes has one order."""
    return {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT)}


def command(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the simulation as somebody would type it."""
    return subprocess.run(
        [sys.executable, "-m", "scripts.simulate", *options],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )


def simulated(tier: str, seed: int, count: int, jobs: int = 1) -> dict[str, Any]:
    """Return what `count` histories from `seed` on came to."""
    asked = ["--tier", tier, "--seed", str(seed), "--histories", str(count), "--jobs", str(jobs)]
    done = command(*asked, "--json")
    assert done.stdout, done.stderr[-4000:]
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def check_all_held(told: dict[str, Any]) -> None:
    """Assert that no rule broke, showing the shortest history of each."""
    for each in told["broken"]:
        print(
            f"\n{each['rule']}: {each['seen']}\nAgain: python -m scripts.simulate {each['replay']}"
        )
        print("\n".join(f"    {line}" for line in each["lines"]))
    assert told["seeds"] == []
