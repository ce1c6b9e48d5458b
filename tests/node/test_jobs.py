"""Jobs: one process at a time runs one, a failed or killed run is followed by another."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from node import jobs
from node.domain.clock import FixedClock
from node.jobs import Job
from node.store import jobs as leases
from node.store import marks
from node.store.database import open_database, using, write_tx
from node.store.jobs import JobLease
from node.store.schema import migrate

ROOT = Path(__file__).parents[2]
NOW = 1_795_000_000_000
PATIENCE_S = 20.0


@pytest.fixture
def town(home: Path) -> Iterator[Any]:
    database = open_database(home / "lavoir.db")
    migrate(database)
    with using(database):
        yield SimpleNamespace(clock=FixedClock(NOW), database=database)
    database.close()


@pytest.fixture
def start(town: Any) -> Iterator[Callable[..., jobs.Runner]]:
    """Start runners that are stopped at the end of the test."""
    runners: list[jobs.Runner] = []

    @contextmanager
    def context() -> Iterator[Any]:
        with using(town.database):
            yield town

    def begin(*table: Job) -> jobs.Runner:
        runners.append(jobs.start(context, table, tick_s=0.02))
        return runners[-1]

    yield begin
    stopped = [runner.stop() for runner in runners]
    assert all(stopped)


def until(true: Callable[[], Any]) -> None:
    """Wait for something that comes; fail when it does not."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


def row(name: str = "one") -> JobLease:
    return JobLease.get(JobLease.name == name)


def ended(name: str = "one") -> bool:
    return JobLease.select().where(JobLease.name == name, JobLease.ended_ms.is_null(False)).exists()


def test_a_job_runs_when_due_with_its_town_and_database(start: Any, town: Any) -> None:
    def run(given: Any) -> None:
        assert given is town
        with write_tx():
            marks.write_number("ran", marks.number("ran") + 1)

    start(Job("one", 60, run))
    until(ended)
    assert (row().outcome, row().due_ms, row().holder) == ("ok", NOW + 60_000, "")
    assert marks.number("ran") == 1
    town.clock.forward(minutes=1)
    until(lambda: marks.number("ran") == 2)


def test_a_job_survives_its_own_failure(
    start: Any, town: Any, caplog: pytest.LogCaptureFixture
) -> None:
    runs: list[int] = []

    def run(town: Any) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ZeroDivisionError("once")

    with caplog.at_level(logging.ERROR):
        start(Job("one", 60, run))
        until(ended)
    assert row().outcome == "ZeroDivisionError: once" and "job one failed" in caplog.text
    town.clock.forward(minutes=1)
    until(lambda: ended() and row().outcome == "ok")
    assert len(runs) == 2


def test_one_broken_job_does_not_hold_up_the_others(start: Any) -> None:
    done = threading.Event()

    def broken(town: Any) -> Any:
        raise RuntimeError("broken")

    start(Job("bad", 60, broken, has_work=broken), Job("good", 60, lambda town: done.set()))
    assert done.wait(PATIENCE_S)


def test_a_job_with_nothing_to_do_takes_no_lease(start: Any, town: Any) -> None:
    asked, has_work = threading.Event(), threading.Event()

    def look(town: Any) -> bool:
        asked.set()
        return has_work.is_set()

    start(Job("one", 0, lambda town: None, has_work=look))
    assert asked.wait(PATIENCE_S)
    assert not JobLease.select().exists()
    has_work.set()
    until(ended)


def test_wake_makes_a_job_due_at_once(start: Any, town: Any) -> None:
    runs: list[int] = []
    start(Job("one", 3_600, lambda town: runs.append(1)))
    until(ended)
    assert len(runs) == 1
    jobs.wake("one")
    until(lambda: len(runs) == 2)


def test_a_job_woken_while_it_runs_runs_again(start: Any) -> None:
    runs: list[int] = []
    begun, go = threading.Event(), threading.Event()

    def run(town: Any) -> None:
        runs.append(1)
        begun.set()
        assert go.wait(PATIENCE_S)

    start(Job("one", 3_600, run))
    assert begun.wait(PATIENCE_S)
    jobs.wake("one")
    go.set()
    until(lambda: len(runs) == 2)


def test_a_wake_is_undone_with_its_transaction(start: Any) -> None:
    start(Job("one", 3_600, lambda town: None))
    until(ended)
    with pytest.raises(ZeroDivisionError), write_tx():
        jobs.wake("one")
        raise ZeroDivisionError
    assert row().due_ms == NOW + 3_600_000


def test_a_job_longer_than_its_lease_keeps_it(start: Any, town: Any) -> None:
    begun, go = threading.Event(), threading.Event()

    def run(given: Any) -> None:
        begun.set()
        assert go.wait(PATIENCE_S)

    start(Job("one", 60, run))
    assert begun.wait(PATIENCE_S)
    town.clock.forward(ms=jobs.LEASE_MS - 1)
    until(lambda: row().until_ms > NOW + jobs.LEASE_MS)
    assert not leases.take("one", "somebody else", 1_000, town.clock.now_ms())
    go.set()
    until(ended)


def test_a_hung_run_loses_its_lease_at_last(
    start: Any, town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "LONGEST_MS", 0)
    begun, go = threading.Event(), threading.Event()

    def run(given: Any) -> None:
        begun.set()
        assert go.wait(PATIENCE_S)

    start(Job("one", 60, run))
    assert begun.wait(PATIENCE_S)
    town.clock.forward(ms=jobs.LEASE_MS)
    assert leases.take("one", "somebody else", 1_000, town.clock.now_ms())
    go.set()


def test_stop_waits_for_what_runs_and_says_when_it_did_not_end(start: Any) -> None:
    begun, go = threading.Event(), threading.Event()

    def run(town: Any) -> None:
        begun.set()
        assert go.wait(PATIENCE_S)

    runner = start(Job("one", 60, run))
    assert begun.wait(PATIENCE_S)
    assert runner.stop(wait_s=0.05) is False
    go.set()
    assert runner.stop() is True


# ── several processes ────────────────────────────────────────────────────────────────────────────


def process(home: Path, seconds: float, mode: str = "work") -> subprocess.Popen[bytes]:
    worker = str(ROOT / "tests/node/jobs_worker.py")
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, worker, str(home), str(seconds), mode], env=environ)


def lines(home: Path) -> list[list[str]]:
    path = home / "log"
    return [line.split() for line in path.read_text().splitlines()] if path.is_file() else []


def test_two_processes_never_run_one_job_at_the_same_time(home: Path, town: Any) -> None:
    both = [process(home, 2.5) for _ in range(2)]
    until(lambda: len({pid for _, pid in lines(home)}) == 2)
    assert [each.wait(PATIENCE_S) for each in both] == [0, 0]
    said = lines(home)
    assert len(said) >= 8
    for begin, end in zip(said[::2], said[1::2], strict=True):
        assert (begin[0], end[0]) == ("begin", "end") and begin[1] == end[1]


def test_another_process_takes_over_from_a_dead_one(home: Path, town: Any) -> None:
    dying = process(home, 30, "die")
    assert dying.wait(PATIENCE_S) == -9
    assert row().holder and lines(home) == [["begin", str(dying.pid)]]
    living = process(home, 1.0)  # it need not wait for the end of the lease
    assert living.wait(PATIENCE_S) == 0
    assert ["end", str(living.pid)] in lines(home)
