"""`lavoir demo`: three towns on this machine, paired, with listings, until Ctrl-C."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click

from node.app import ROOT, Town, open_town
from node.cli.admin import admin_code
from node.cli.seed import KEEPER, seeding
from node.cli.terminal import home_option, sentences
from node.cli.town import found_town
from node.config import change_config
from node.journal.keyring import FILE as KEYS
from node.store.database import using
from node.store.network import partners

HOST = "127.0.0.1"
STARTED_WITHIN_S = 30.0
PORTS_TRIED = 50
DONE = object()


@dataclass(frozen=True)
class Place:
    """One town of the demonstration."""

    name: str
    insee: str
    port: int
    manager: str

    @property
    def slug(self) -> str:
        """Return the name of its folder."""
        return self.name.casefold()


PLACES = (
    Place("Lorient", "56121", 8001, "Les Mains du Scorff"),
    Place("Quimper", "29232", 8002, "Les Ateliers du Steïr"),
    Place("Vannes", "56260", 8003, "La Remise du Port"),
)


@click.command()
@home_option
@sentences
def demo(home: Path) -> None:
    """Run Lorient, Quimper and Vannes on this machine; started again, they go on."""
    folder = home / "demo"
    ports = _ports()
    new = [
        place
        for place in PLACES
        if _prepare(folder / place.slug, place, f"http://{HOST}:{ports[place.name]}")
    ]
    _pair(folder)
    _seed(folder, new)
    codes = {place.name: _code(folder / place.slug) for place in PLACES}
    servers = [_start(folder / place.slug, ports[place.name]) for place in PLACES]
    try:
        _wait_until_up(servers, ports)
        _say(ports, codes)
        _wait_for_end(servers)
    finally:
        _stop(servers)


def _ports() -> dict[str, int]:
    """Return a free port for each town, its own where it can be had; say it where it cannot."""
    chosen: dict[str, int] = {}
    for place in PLACES:
        wanted = {other.port for other in PLACES if other is not place} | {*chosen.values()}
        port = next(
            each
            for each in range(place.port, place.port + PORTS_TRIED)
            if each not in wanted and _is_free(each)
        )
        if port != place.port:
            click.echo(f"Port {place.port} is taken; {place.name} listens on {port} instead.")
        chosen[place.name] = port
    return chosen


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _prepare(home: Path, place: Place, url: str) -> bool:
    """Found a town where there is none and return True; tell it the address it has this time."""
    if not (home / KEYS).exists():
        click.echo(f"Founding {place.name} …")
        found_town(home, name=place.name, insee=place.insee, url=url, manager=place.manager)
        with _opened(home) as town:
            admin_code(town, KEEPER)
        return True
    change_config(home, url=url)
    with _opened(home) as town:
        town.publish_profile()
    return False


def _seed(folder: Path, places: list[Place]) -> None:
    """Give new towns their listings, one town after the other, so that a list mixes them."""
    with contextlib.ExitStack() as stack:
        towns = [stack.enter_context(_opened(folder / place.slug)) for place in places]
        steps = [seeding(town, place.slug) for town, place in zip(towns, places, strict=True)]
        for _ in zip_longest(
            *(_within(town, step) for town, step in zip(towns, steps, strict=True))
        ):
            pass


def _within(town: Town, steps: Iterator[None]) -> Iterator[None]:
    """Take each step with that town's database current."""
    while True:
        with using(town.database):
            if next(steps, DONE) is DONE:
                return
        yield


def _pair(folder: Path) -> None:
    """Make every two towns partners; in real life two people do this over the telephone."""
    cards = {}
    for place in PLACES:
        with _opened(folder / place.slug) as town:
            keysets = town.store.keysets(town.id)
            cards[place.name] = (town.id, town.config.url, keysets)
    for place in PLACES:
        with _opened(folder / place.slug) as town:
            for name, (other, url, keysets) in cards.items():
                if name != place.name:
                    _know(town, other, name, url, keysets)


def _know(town: Town, other: bytes, name: str, url: str, keysets: Any) -> None:
    for keyset in keysets:
        town.store.add_keyset(keyset)
    partners.save(
        other, name=name, url=url, status="active", words_here=True, lan=True, next_try_ms=0
    )


def _code(home: Path) -> str:
    with _opened(home) as town:
        return admin_code(town, KEEPER)


@contextlib.contextmanager
def _opened(home: Path) -> Any:
    town = open_town(home)
    try:
        with using(town.database):
            yield town
    finally:
        town.close()


def _start(home: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "node.cli", "serve", "--home", str(home), "--port", str(port)]
    log = (home / "serve.log").open("ab")
    return subprocess.Popen(
        command,
        cwd=ROOT.parent,
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches this process, which stops them in order
    )


def _wait_until_up(servers: list[subprocess.Popen[bytes]], ports: dict[str, int]) -> None:
    until = time.monotonic() + STARTED_WITHIN_S
    for server, (name, port) in zip(servers, ports.items(), strict=True):
        while not _answers(port):
            if server.poll() is not None or time.monotonic() > until:
                raise click.ClickException(f"{name} did not start; see its serve.log")
            time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/aide", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _say(ports: dict[str, int], codes: dict[str, str]) -> None:
    click.echo()
    for place in PLACES:
        click.echo(f"  {place.name:<8} http://{HOST}:{ports[place.name]}/")
    click.echo()
    click.echo("To sign in, open /compte in a town and type its code (each works once;")
    click.echo("the next start prints new ones):")
    for name, code in codes.items():
        role = "administrator and keeper of the listings"
        click.echo(f"  {name:<8} {code}   {role}")
    click.echo()
    click.echo("Try: in Quimper, search “remorque”, ask for Lorient's, answer it in Lorient.")
    click.echo("Ctrl-C stops the three towns.")
    sys.stdout.flush()


def _wait_for_end(servers: list[subprocess.Popen[bytes]]) -> None:
    ended = False

    def end(*_: object) -> None:
        nonlocal ended
        ended = True

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, end)
    while not ended:
        if any(server.poll() is not None for server in servers):
            raise click.ClickException("one of the towns stopped; see its serve.log")
        time.sleep(0.3)
    click.echo("Stopping …")


def _stop(servers: list[subprocess.Popen[bytes]]) -> None:
    for server in servers:
        if server.poll() is None:
            server.terminate()
    for server in servers:
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
