"""The bench of a sync runs, and its figures are those of visits that did their work."""

import json
import subprocess
import sys

from tests.nodes import ROOT


def test_the_bench_tells_its_three_steps_beside_their_floor() -> None:
    command = [sys.executable, "-m", "scripts.bench.visits", "--records", "60", "--reps", "1"]
    done = subprocess.run(
        [*command, "--json"], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    first, missing, nothing = json.loads(done.stdout)["figures"]
    assert [each["step"] for each in (first, missing, nothing)] == [
        "first sync",
        "10 missing",
        "nothing to do",
    ]
    assert [each["received"] for each in (first, missing, nothing)] == [61, 10, 0]
    assert (nothing["round_trips"], nothing["floor_bytes"]) == (1, 0)
    assert nothing["bytes_up"] <= 500 and nothing["bytes_down"] <= 500
    assert all(each["node_s"] > 0 and each["floor_s"] > 0 for each in (first, missing, nothing))
    assert first["floor_bytes"] > 51 * 300
