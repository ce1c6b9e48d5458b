"""What every test may lean on: one seed for all randomness, and an empty home folder.

The seed stands at the top of a run and beside a failure; `TEST_SEED=... scripts/test` repeats it.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

CI = bool(os.environ.get("CI"))
# Set once by the process that starts the workers, which inherit it.
SEED = os.environ.setdefault("TEST_SEED", "1" if CI else str(random.SystemRandom().getrandbits(32)))

settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("desk", deadline=None, print_blob=True)
settings.load_profile("ci" if CI else "desk")


def pytest_report_header() -> str:
    """Say what repeats this run."""
    return f"randomness: TEST_SEED={SEED}, Hypothesis profile {'ci' if CI else 'desk'}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say again, just before the last line, what scripts/check found wrong before the tests."""
    report = Path(os.environ.get("CHECK_REPORT", os.devnull))
    text = report.read_text("utf-8") if report.is_file() else ""
    if text:
        terminalreporter.section("scripts/check failed", red=True)
        terminalreporter.write_line(text)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Iterator[random.Random]:
    """Random numbers of one test: the same for the same seed, whatever ran before."""
    print(f"TEST_SEED={SEED}")
    yield random.Random(f"{SEED}:{request.node.nodeid}")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder for one town."""
    path = tmp_path / "home"
    path.mkdir()
    return path
