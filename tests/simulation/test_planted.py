"""The simulation can fail: each fault planted in the product is noticed by one of its rules."""

import json
import subprocess
import sys

import pytest

from tests.simulation.simulated import ROOT, environment


def caught(tier: str) -> dict[str, list[object]]:
    """Return {fault: [rule that noticed it, after how many histories]}."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.simulate.planted", tier],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.stdout, done.stderr[-4000:]
    told: dict[str, list[object]] = json.loads(done.stdout.splitlines()[-1])
    for name, (rule, histories) in told.items():
        print(f"{name:52} {rule or 'NOT NOTICED':24} {histories}")
    return told


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize(("tier", "least"), [("light", 10), ("whole", 6)])
def test_every_planted_fault_is_noticed(tier: str, least: int) -> None:
    told = caught(tier)
    assert len(told) >= least
    assert [name for name, (rule, _) in told.items() if not rule] == []
