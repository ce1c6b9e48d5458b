"""A process of its own that runs the jobs of a town: `python jobs_worker.py HOME SECONDS MODE`.

Each run writes a line when it begins and one when it ends. In mode `die` the process is killed in
the middle of its first run.
"""

import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from node import jobs
from node.domain.clock import SystemClock
from node.store.database import open_database, using


def write(home: Path, word: str) -> None:
    with (home / "log").open("a") as file:
        file.write(f"{word} {os.getpid()}\n")


def main(home: Path, seconds: float, mode: str) -> None:
    database = open_database(home / "lavoir.db")

    @contextmanager
    def context():
        with using(database):
            yield SimpleNamespace(clock=SystemClock())

    def run(town: object) -> None:
        write(home, "begin")
        if mode == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.04)
        write(home, "end")

    runner = jobs.start(context, (jobs.Job("one", 0, run),), tick_s=0.02)
    time.sleep(seconds)
    runner.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
