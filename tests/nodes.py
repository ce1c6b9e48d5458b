"""Real nodes on this machine: each a home folder, a port of loopback and processes of `node.cli`.

What a person types is run as they type it; a power cut is SIGKILL of every process of a node. Only
processes started here are ended, by their process group.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from federation.stamp import as_of_day
from node.app import Town, open_town
from node.cli.town import found_town
from node.config import change_config
from node.domain.schema import plain
from node.practices.lending.practice import PRACTICE
from node.store.database import using, write_tx
from node.store.network import partners
from node.store.sets.record_store import figures

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
INSEE = {"Lorient": "56121", "Quimper": "29232", "Vannes": "56260"}
STARTED_WITHIN_S = 60.0
COMMAND_WITHIN_S = 300.0
_compiled = Path(tempfile.gettempdir()) / f"lavoir-tests-compiled-{os.getuid()}"

Held = dict[str, tuple[int, int, str]]  # "origin scope" -> live, tombstones, fingerprint


class NodeFailed(AssertionError):
    """A command or a server did not do what it was started for; its words are in the message."""


@dataclass
class Node:
    """One town's home and, when it serves, its processes."""

    name: str
    home: Path
    port: int
    server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address the others know."""
        return f"http://{HOST}:{self.port}"

    # ── commands ─────────────────────────────────────────────────────────────────────────────────

    def launch(self, *words: str, **streams: Any) -> subprocess.Popen[bytes]:
        """Start `lavoir …` in this home, in a process group of its own."""
        command = [sys.executable, "-m", "node.cli", *words, "--home", str(self.home)]
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **streams,
        )

    def run(self, *words: str, code: int = 0) -> str:
        """Run `lavoir …` to its end and return what it printed; raises NodeFailed."""
        process = self.launch(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            said, complained = process.communicate(timeout=COMMAND_WITHIN_S)
        except subprocess.TimeoutExpired:
            end(process)
            raise
        if process.returncode != code:
            told = (said + complained).decode(errors="replace")
            raise NodeFailed(f"{self.name}: lavoir {' '.join(words)}: {process.returncode}\n{told}")
        return said.decode()

    def ask(self, *words: str, code: int = 0) -> Any:
        """Run `lavoir … --json` and return what it answered."""
        return json.loads(self.run(*words, "--json", code=code))

    # ── serving ──────────────────────────────────────────────────────────────────────────────────

    def serve(self) -> None:
        """Start the server; it is up once `wait_until_up` returns."""
        with (self.home / "serve.log").open("ab") as log:
            self.server = self.launch("serve", "--port", str(self.port), stdout=log, stderr=log)

    def wait_until_up(self) -> None:
        """Wait until the server answers; raises NodeFailed with its log."""
        until = time.monotonic() + STARTED_WITHIN_S
        while time.monotonic() < until:
            if self.server is not None and self.server.poll() is not None:
                break
            try:
                urllib.request.urlopen(f"{self.url}/static/favicon.svg", timeout=5).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.05)
        raise NodeFailed(f"{self.name} does not answer:\n{self.log()[-3_000:]}")

    def wait_until_listening(self) -> None:
        """Wait until a connection is taken in: its request waits there for the application."""
        until = time.monotonic() + STARTED_WITHIN_S
        while time.monotonic() < until and self.server is not None and self.server.poll() is None:
            try:
                socket.create_connection((HOST, self.port), timeout=5).close()
                return
            except OSError:
                time.sleep(0.02)
        raise NodeFailed(f"{self.name} does not listen:\n{self.log()[-3_000:]}")

    def stop(self) -> None:
        """Stop the server as a service manager does; SIGKILL when it does not listen."""
        if self.server is not None and self.server.poll() is None:
            self.server.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.server.wait(timeout=25)
        self.cut_power()

    def cut_power(self) -> None:
        """SIGKILL the server and its workers, now."""
        if self.server is not None:
            end(self.server)
            self.server = None

    def log(self) -> str:
        """Return what the servers of this home wrote."""
        path = self.home / "serve.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    # ── looking inside ───────────────────────────────────────────────────────────────────────────

    @contextmanager
    def inside(self) -> Iterator[Town]:
        """Open the town in this process too, as a command would."""
        town = open_town(self.home)
        try:
            with using(town.database):
                yield town
        finally:
            town.close()

    def publish(self, count: int, said: str = "Perceuse") -> list[bytes]:
        """Publish `count` objects in one transaction; return their keys."""
        with self.inside() as town, write_tx():
            return [
                town.journal.publish(PRACTICE.kind, listing(f"{said} {number}")).key
                for number in range(count)
            ]

    def held(self) -> Held:
        """Return what is held of every origin and scope, as `status` tells it."""
        with self.inside() as town:
            return {
                f"{each.origin.hex()} {each.scope}": (
                    each.live,
                    each.tombstones,
                    each.fingerprint.hex(),
                )
                for each in figures(as_of_day(town.clock.now_ms()))
            }

    def told(self) -> Held:
        """Return the same out of `lavoir status --json`, run as a command."""
        return {
            f"{origin} {scope}": (each["live"], each["tombstones"], each["fingerprint"])
            for origin, kept in self.ask("status")["origins"].items()
            for scope, each in kept["sets"].items()
        }

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong with the database file; nothing when it is whole."""
        with self.inside() as town:
            checked = town.database.execute_sql("PRAGMA integrity_check").fetchall()
            strays = town.database.execute_sql("PRAGMA foreign_key_check").fetchall()
        return [row[0] for row in checked if row[0] != "ok"] + [str(row) for row in strays]

    def sync(self, *towns: str) -> list[dict[str, Any]]:
        """Run `lavoir sync` to its end; return its visits. Raises NodeFailed when one failed."""
        return list(self.ask("sync", *towns)["visits"])


@dataclass
class Nodes:
    """Some towns on this machine, ended together."""

    folder: Path
    towns: dict[str, Node] = field(default_factory=dict)

    def init(self, name: str, **settings: Any) -> Node:
        """Found a town through `lavoir init`; `settings` go to its lavoir.toml."""
        node = self._node(name)
        said = node.ask("init", "--name", name, "--insee", INSEE[name], "--url", node.url)
        assert len(said["words"]) == 24
        return self._settled(node, settings)

    def found(self, name: str, **settings: Any) -> Node:
        """Found a town in this process, which is quicker."""
        node = self._node(name)
        found_town(node.home, name=name, insee=INSEE[name], url=node.url)
        return self._settled(node, settings)

    def _node(self, name: str) -> Node:
        return Node(name, self.folder / name.lower(), free_port())

    def _settled(self, node: Node, settings: dict[str, Any]) -> Node:
        """No visit happens by itself unless a test asks for it; loopback is allowed."""
        change_config(node.home, **{"jobs": "apart", "lan": True, **settings})
        self.towns[node.name] = node
        return node

    def link(self, one: str, other: str) -> None:
        """Make two towns partners as if both had confirmed the words, without any exchange."""
        for near, far in ((one, other), (other, one)):
            node = self.towns[far]
            with node.inside() as town:
                keysets, known = town.store.keysets(town.id), town.id
            with self.towns[near].inside() as town:
                for keyset in keysets:
                    town.store.add_keyset(keyset)
                partners.save(
                    known, name=far, url=node.url, status="active", words_here=True, lan=True
                )

    def serve(self, *names: str) -> None:
        """Serve some towns, or all, and wait until they answer."""
        chosen = [self.towns[name] for name in names or self.towns]
        for node in chosen:
            node.serve()
        for node in chosen:
            node.wait_until_up()

    def pair(self, one: str, other: str) -> tuple[list[str], list[str]]:
        """Pair two serving towns through the commands; return the six words each was shown."""
        a, b = self.towns[one], self.towns[other]
        invitation = a.ask("partner", "invite")["invitation"]
        answered = b.ask("partner", "accept", invitation)
        confirmed = a.ask("partner", "confirm", b.name)
        b.run("partner", "confirm", a.name)
        return confirmed["words"], answered["words"]

    def copy(self, folder: Path) -> "Nodes":
        """Return the same towns on copies of their homes, at the same ports; all are stopped."""
        for node in self.towns.values():
            assert node.server is None, f"{node.name} is being served"
            shutil.copytree(node.home, folder / node.home.name)
        towns = {
            name: Node(name, folder / node.home.name, node.port)
            for name, node in self.towns.items()
        }
        return Nodes(folder, towns)

    def stop(self) -> None:
        """Stop every server."""
        for node in self.towns.values():
            node.stop()

    def cut_power(self) -> None:
        """SIGKILL every server."""
        for node in self.towns.values():
            node.cut_power()


def listing(title: str, **more: Any) -> dict[str, Any]:
    """Return the body of an object to lend, of the size real ones have (about 500 bytes signed)."""
    text = "Bon état, mallette et notice comprises. À rapporter propre, lames vérifiées ensemble."
    place = {"name": "Maison des associations", "lat_e6": 47_748_000, "lon_e6": -3_366_000}
    said = {"title": title, "text": text, "object": "bricolage", "place": place, **more}
    return plain(PRACTICE.schema.read(said))


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL a process started here and those it started; nothing when it ended by itself."""
    if process.poll() is None:  # not reaped: its number cannot be another's by now
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _environment() -> dict[str, str]:
    """Return an environment without settings; modules are compiled once, in a folder apart."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LAVOIR_")}
    if kept.pop("PYTHONDONTWRITEBYTECODE", ""):
        kept["PYTHONPYCACHEPREFIX"] = str(_compiled)
    return {**kept, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
