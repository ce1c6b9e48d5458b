"""`lavoir serve` and `lavoir work`: the web process, and the jobs when they live apart."""

import os
import signal
import socket
import struct
import threading
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from node.app import Town, create_app, open_town, start_jobs
from node.backup import entrance
from node.backup.migrating import bring_up_to_date
from node.cli.terminal import home_option, sentences
from node.cli.worker import PatientWorker
from node.config import Config, load
from node.domain.clock import SystemClock
from node.identity import care
from node.journal import twins
from node.store.database import using

PATIENCE_S = 20  # between two bytes of a request, or of an answer: then the other end is gone


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with one worker of many threads: what a small box and SQLite like best."""

    def __init__(self, home: Path, config: Config, host: str, port: int) -> None:
        self.home = home
        self.config = config
        self.bind = f"{host}:{port}"
        super().__init__()

    def load_config(self) -> None:
        """Say how gunicorn runs; nothing is read from its own files or environment."""
        settings: dict[str, Any] = {
            "bind": self.bind,
            "workers": 1,
            "worker_class": PatientWorker,
            "worker_connections": 800,
            "threads": self.config.threads,
            "timeout": 120,
            "graceful_timeout": 15,
            "keepalive": 5,
            "limit_request_line": 8190,
            "limit_request_fields": 60,
            "forwarded_allow_ips": "",
            "worker_tmp_dir": None,
            "proc_name": "lavoir",
            "loglevel": self.config.log_level,
            "control_socket_disable": True,
            "when_ready": _be_patient,
            "post_worker_init": _start_jobs,
            "worker_exit": _stop,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Return the WSGI application; called in the worker, after the fork."""
        self.town = open_town(self.home)
        return of_known_length(create_app(self.town))


def of_known_length(app: Any) -> Any:
    """Refuse requests that do not say how long they are: no browser and no node sends one.

    Else a body whose chunks are broken would look like an error of ours.
    """

    def guarded(environ: Any, start_response: Any) -> Any:
        if not environ.get("HTTP_TRANSFER_ENCODING"):
            return app(environ, start_response)
        headers = [("Content-Type", "text/plain"), ("Content-Length", "0"), ("Connection", "close")]
        start_response("411 Length Required", headers)
        return [b""]

    return guarded


def wait_no_longer(listener: socket.socket, patience_s: int) -> None:
    """Let go of a connection that falls silent in the middle, as telephones out of range do.

    Each would otherwise keep a thread for ever. What is accepted inherits it from the listener.
    """
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        listener.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", patience_s, 0))


def _be_patient(server: Any) -> None:
    for listener in server.LISTENERS:
        wait_no_longer(listener.sock, PATIENCE_S)


def _start_jobs(worker: Any) -> None:
    town: Town = worker.app.town
    if town.config.jobs == "inside":
        worker.lavoir_jobs = start_jobs(town)


def _stop(server: Any, worker: Any) -> None:
    jobs = getattr(worker, "lavoir_jobs", None)
    if jobs is not None:
        jobs.stop()


@click.command()
@home_option
@click.option("--host", help="Address to listen on (setting `host`).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port (setting `port`).")
@sentences
def serve(home: Path, host: str | None, port: int | None) -> None:
    """Serve the town's pages, its API and its partners."""
    config = make_ready(home)
    Server(home, config, host or config.host, config.port if port is None else port).run()


def make_ready(home: Path) -> Config:
    """Bring the house up to date before anyone comes in: the schema, this month's sealing key.

    A database that is damaged is not served, and one that is migrated is backed up first. The next
    profile published carries the new key; older ones stay, to open what is on its way.
    """
    config = load(home, os.environ)
    entrance.enter(home)
    entrance.check_all(home, config.store_driver)
    now_ms = SystemClock().now_ms()
    bring_up_to_date(home, config.name, now_ms, driver=config.store_driver)
    town = open_town(home)
    try:
        with using(town.database):
            twins.wake()
            care.freshen(town)
    finally:
        town.close()
    return town.config


@click.command()
@home_option
@sentences
def work(home: Path) -> None:
    """Run the jobs (syncs, deadlines, mails) in a process of their own, until stopped."""
    town = open_town(home)
    jobs = start_jobs(town)
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    click.echo("Jobs are running; stop with Ctrl-C.")
    stopped.wait()
    jobs.stop()
    town.close()
