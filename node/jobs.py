"""The jobs: what a node does by itself, each run under a lease in the database.

The only door to APScheduler, which merely ticks and lends threads: what is due and who runs it
stands in the database, so any number of processes of one node may tick together.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

from node.store import jobs as leases
from node.store import marks
from node.store.database import write_tx

log = logging.getLogger(__name__)

LEASE_MS = leases.LEASE_MS  # renewed at each tick while a job runs
LONGEST_MS = 2 * 3_600_000  # a run that hangs longer no longer keeps its lease
THREADS = 3
STOP_WAIT_S = 10.0

Town = Any  # the object node.app builds; each job uses only what it needs of it
Context = Callable[[], AbstractContextManager[Town]]


def always(town: Town) -> bool:
    """Return True: for a job that finds out itself whether there is something to do."""
    return True


@dataclass(frozen=True)
class Job:
    """One thing to do again and again: `run(town)`, `every_s` seconds after the last run began.

    `has_work(town)` is asked first and only reads: a job that looks every few seconds then writes
    to the disk (its lease) only when it really runs.
    """

    name: str
    every_s: int
    run: Callable[[Town], object]
    has_work: Callable[[Town], bool] = always


class Runner:
    """Ticks, and runs what is due, until stopped; see `start`."""

    def __init__(self, context: Context, jobs: tuple[Job, ...], tick_s: float) -> None:
        self.context = context
        self.jobs = {job.name: job for job in jobs}
        self.tick_s = tick_s
        self.holder = leases.holder_here()
        self._calm = threading.Condition()  # guards what follows
        self._launched: set[str] = set()  # handed to a thread, begun or not
        self._running: set[str] = set()  # begun
        self._leased: dict[str, int] = {}  # whose lease is ours: name -> monotonic ms it was taken
        self._is_stopping = False
        # Timers of the machine run in UTC: a change to summer time must not double a tick.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={  # ticks have a thread of their own: they keep the leases of the others
                "default": {"type": "threadpool", "max_workers": THREADS},
                "tick": {"type": "threadpool", "max_workers": 1},
            },
        )

    def begin(self) -> "Runner":
        """Start ticking at once, in the background."""
        self._scheduler.add_job(
            self._tick,
            "interval",
            executor="tick",
            seconds=self.tick_s,
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._scheduler.start()
        return self

    def stop(self, wait_s: float = STOP_WAIT_S) -> bool:
        """Begin nothing new and wait for what runs; return whether all of it ended in time."""
        with self._calm:
            self._is_stopping = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        with self._calm:
            return self._calm.wait_for(lambda: not self._running, wait_s)

    def _tick(self) -> None:
        try:
            with self.context() as town:
                now_ms = town.clock.now_ms()
                self._renew(now_ms)
                known = {row.name: row for row in leases.every()}
                for job in self.jobs.values():
                    row = known.get(job.name)
                    if self._is_due(row, job, now_ms) and self._has_work(job, town):
                        self._launch(job)
        except Exception:
            log.exception("the jobs could not look at what is due; next look in %s s", self.tick_s)

    @staticmethod
    def _is_due(row: leases.JobLease | None, job: Job, now_ms: int) -> bool:
        return row is None or leases.is_due(row, now_ms, every_ms=job.every_s * 1000)

    def _has_work(self, job: Job, town: Town) -> bool:
        try:
            return job.has_work(town)
        except Exception:  # the run will say what is wrong, and note it
            log.exception("job %s could not look whether it has work", job.name)
            return True

    def _renew(self, now_ms: int) -> None:
        with self._calm:  # held all along: what is renewed here must not be given back meanwhile
            for name, taken_ms in self._leased.items():
                if _monotonic_ms() - taken_ms < LONGEST_MS:
                    leases.take(name, self.holder, LEASE_MS, now_ms)

    def _launch(self, job: Job) -> None:
        with self._calm:
            if self._is_stopping or job.name in self._launched:
                return
            self._launched.add(job.name)
        self._scheduler.add_job(self._work, args=(job,), misfire_grace_time=None)

    def _work(self, job: Job) -> None:
        with self._calm:
            if self._is_stopping:
                return
            self._running.add(job.name)
        try:
            with self.context() as town:
                now_ms = town.clock.now_ms()
                every_ms = job.every_s * 1000
                if leases.take(job.name, self.holder, LEASE_MS, now_ms, every_ms=every_ms):
                    self._run(job, town, now_ms)
        except Exception:
            log.exception("job %s could not take or give back its lease", job.name)
        finally:
            with self._calm:
                self._running.discard(job.name)
                self._launched.discard(job.name)
                self._calm.notify_all()

    def _run(self, job: Job, town: Town, began_ms: int) -> None:
        woken = marks.read(_wake_mark(job.name))
        with self._calm:
            self._leased[job.name] = _monotonic_ms()
        outcome = "ok"
        try:
            job.run(town)
        except Exception as error:  # whatever it was, the next run comes
            log.exception("job %s failed", job.name)
            outcome = f"{type(error).__name__}: {error}"[:500]
        with self._calm:
            del self._leased[job.name]
        with write_tx():
            again = marks.read(_wake_mark(job.name)) != woken  # woken while it ran
            due_ms = 0 if again else began_ms + job.every_s * 1000
            leases.give_back(
                job.name, self.holder, town.clock.now_ms(), due_ms=due_ms, outcome=outcome
            )


def start(context: Context, jobs: tuple[Job, ...], tick_s: float = 3) -> Runner:
    """Run the jobs in the background until `.stop()`; returns at once.

    `context()` gives the town with its database current; it is entered in each thread that works.
    """
    return Runner(context, jobs, tick_s).begin()


def wake(name: str) -> None:
    """Make a job due at once, whichever process runs it; a run under way is followed by another.

    Joins the transaction it is called in.
    """
    with write_tx():
        marks.write_number(_wake_mark(name), marks.number(_wake_mark(name)) + 1)
        leases.hasten(name)


def _wake_mark(name: str) -> str:
    return f"wake {name}"


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000
