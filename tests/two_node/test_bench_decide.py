"""The bench of deciding runs, and what it times really happened on both nodes."""

import json
import subprocess
import sys

from scripts.bench.deciding import STEPS
from tests.nodes import ROOT


def test_the_bench_of_deciding_tells_each_step_on_an_empty_and_on_a_full_node() -> None:
    command = [sys.executable, "-m", "scripts.bench.deciding"]
    sizes = ["--listings", "20", "--past", "200", "--reps", "2"]
    done = subprocess.run(
        [*command, *sizes, "--json"], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    seconds = json.loads(done.stdout)["seconds"]
    assert list(seconds) == list(STEPS)
    for took in seconds.values():
        assert [len(took[name]) for name in ("empty", "full")] == [2, 2]
        assert min(*took["empty"], *took["full"]) > 0
