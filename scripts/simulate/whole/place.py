"""A place: one town of the world with its files, started and stopped as often as it takes."""

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask

from federation.record import Record
from federation.signature import HttpReply, HttpRequest
from node.app import DATABASE, Town, jobs_of, open_town
from node.domain.errors import DomainError
from node.journal import restoring
from node.partners import endpoints
from node.store.database import using
from scripts.simulate.whole.house import attic, template, url_of
from scripts.simulate.wire import PowerCut

NOT_RUN = ("mails", "visits", "backup", "drill")  # steps of their own, or none of ours


@dataclass
class TownClock:
    """A town's own clock: the true time, and how wrong it is."""

    true_ms: Callable[[], int]
    off_ms: int = 0
    latest_ms: int = 0

    def now_ms(self) -> int:
        """Return what it shows, UTC ms since 1970."""
        now_ms = max(self.true_ms() + self.off_ms, 0)
        self.latest_ms = max(self.latest_ms, now_ms)
        return now_ms


@dataclass
class Memory:
    """What the simulation knows of a town, to hold against what the town says."""

    acked: dict[tuple[bytes, bytes], Record] = field(default_factory=dict)
    finals: dict[bytes, str] = field(default_factory=dict)
    received: dict[bytes, set[bytes]] = field(default_factory=dict)  # engagement -> acts judged

    def copy(self) -> "Memory":
        """Return what was known at this moment."""
        received = {each: set(known) for each, known in self.received.items()}
        return Memory(dict(self.acked), dict(self.finals), received)


@dataclass
class Copy:
    """A copy of a house, made at some moment."""

    folder: Path
    memory: Memory


class Rounds:
    """Visits one after the other, where a node takes four threads: a history has one order."""

    def __init__(self, visit: Callable[[bytes], object]) -> None:
        self.visit = visit

    def go(self, towns: Iterable[bytes]) -> int:
        """Visit each of `towns`; return how many."""
        return sum(1 for town in towns if self.visit(town))


class Place:
    """One town; `connect` opens its links to the others."""

    def __init__(
        self, name: str, folder: Path, clock: TownClock, connect: Callable[[str], Any]
    ) -> None:
        self.name, self.url, self.clock, self.connect = name, url_of(name), clock, connect
        self.home = folder / name
        founded, self.words = template(name)
        shutil.copytree(founded, self.home)
        self.memory, self.copies = Memory(), list[Copy]()
        self.ran_ms: dict[str, int] = {}  # job: when it last ran, by the true time
        self.town: Town
        self.start()

    # ── running ──

    def start(self) -> None:
        """Open the town from its files."""
        self.town = open_town(
            self.home, clock=self.clock, connect=lambda url, **_: self.connect(url)
        )
        self.town.database.execute_sql("PRAGMA synchronous=OFF")
        self.town.exchanges.rounds = Rounds(self.town.exchanges.visit)  # type: ignore[assignment]
        app = Flask("node")
        app.extensions["lavoir"] = self.town
        app.register_blueprint(endpoints.blueprint)
        app.testing = True
        self.client = app.test_client()

    def stop(self) -> None:
        """End the process in order."""
        self.town.close()

    def crash(self) -> None:
        """End the process as a power cut does, and start it again from its files."""
        database = self.town.database
        database.connection().exec_trace = None
        database.connection().close(True)  # whatever transaction was open is gone
        database._state.reset()
        self.start()

    @property
    def id(self) -> bytes:
        """Return the town id."""
        return self.town.id

    @contextmanager
    def inside(self) -> Iterator[Town]:
        """Make this town's database current."""
        with using(self.town.database):
            yield self.town

    @contextmanager
    def doomed(self, statements: int) -> Iterator[None]:
        """Let the process die at the given SQL statement of the block, if it comes to it."""
        connection, left = self.town.database.connection(), [statements]

        def trace(*_: Any) -> bool:
            left[0] -= 1
            if left[0] <= 0:
                raise PowerCut
            return True

        connection.exec_trace = trace
        try:
            yield
        finally:
            with contextlib.suppress(Exception):
                connection.exec_trace = None if left[0] > 0 else trace

    def run_jobs(self) -> list[str]:
        """Run what the node does by itself, each job that is due and has work; return names."""
        ran = []
        with self.inside() as town:
            for job in jobs_of(town):
                now_ms = self.clock.true_ms()
                is_due = now_ms >= self.ran_ms.get(job.name, 0) + job.every_s * 1_000
                if is_due and job.name not in NOT_RUN and job.has_work(town):
                    self.ran_ms[job.name] = now_ms
                    try:
                        job.run(town)
                        ran.append(job.name)
                    except DomainError as error:  # a node logs it and runs the job again later
                        ran.append(f"{job.name} refused: {error.code}")
        return ran

    def note_height(self) -> None:
        """Let the job run that notes, every few seconds, how far our stamps have come."""
        if restoring.has_risen(self.home):
            restoring.note_height(self.home)

    def answer(self, request: HttpRequest) -> HttpReply:
        """Answer one request at the town's own endpoint."""
        with self.inside():
            reply = self.client.open(
                request.path,
                method=request.method,
                data=request.body,
                headers=dict(request.headers),
                query_string=request.query,
            )
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return HttpReply(reply.status_code, reply.get_data(), headers)

    # ── copies ──

    def copy_house(self) -> None:
        """Copy the whole house while it runs."""
        folder = attic() / "copies" / f"{id(self)}-{self.name}-{len(self.copies)}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.home, folder)
        self.copies.append(Copy(folder, self.memory.copy()))

    def put_back(self, copy: Copy, *, whole: bool) -> None:
        """Put an old copy in the place of the house: all of it, or the database alone."""
        self.stop()
        if whole:
            shutil.rmtree(self.home)
            shutil.copytree(copy.folder, self.home)
        else:
            for old in self.home.glob(DATABASE + "*"):
                old.unlink()
            for file in copy.folder.glob(DATABASE + "*"):
                shutil.copy(file, self.home)
        self.memory = copy.memory.copy()
        self.ran_ms.clear()
        self.start()

    def clear(self) -> None:
        """Stop and leave nothing behind."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        for copy in self.copies:
            shutil.rmtree(copy.folder, ignore_errors=True)
