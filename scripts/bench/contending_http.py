"""The same over HTTP: askers send the pages' own form to two server processes on one home."""

import argparse
import http.client
import random
import urllib.parse
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from node.domain.capacity import calendar_day
from node.engagements import capacity
from node.members import sessions
from node.practices.lending.practice import PRACTICE
from node.store.catalogue import holdings, listings
from node.store.database import write_tx
from node.store.people import members
from node.store.promises import engagements as rows
from scripts.bench.contending import GIVEN_BACK, OUTCOMES, REPORT_EVERY, Told, together
from tests.nodes import HOST, Node, Nodes, free_port, listing

SERVERS, THINGS, PEOPLE, COPIES, DAYS = 2, 30, 160, 2, 40
POSTS_OF_ONE_ADDRESS = 150  # the node lets one address send 240 forms a minute
ASKS_PER_DAY = 10_000
TRIES = 5  # where a connection breaks, as a browser's does


@dataclass(frozen=True)
class Errand:
    """What one asker is to do: which servers, what is lent, who asks (cookie by member)."""

    ports: tuple[int, ...]
    codes: tuple[str, ...]
    people: tuple[str, ...]
    today: int
    attempts: int
    number: int
    seed: int


def contended(folder: Path, asked: argparse.Namespace, watch: Any) -> tuple[Told, list[str]]:
    """Serve a town twice, let the askers loose, and count; return what was told, what is wrong."""
    nodes = Nodes(folder)
    node = nodes.found(NAME, asks_per_day=ASKS_PER_DAY)
    codes, people, today = _furnished(node)
    served = [Node(node.name, node.home, port) for port in (node.port, free_port())]
    try:
        for each in served:
            each.serve()
        for each in served:
            each.wait_until_up()
        share, rest = divmod(asked.attempts, asked.processes)
        ports = tuple(each.port for each in served)
        errands = [
            Errand(
                ports,
                codes,
                people[number :: asked.processes],
                today,
                share + (number < rest),
                number,
                asked.seed,
            )
            for number in range(asked.processes)
        ]
        told = together(errands, run, asked.attempts, watch)
    finally:
        for each in served:
            each.stop()
    return told, counted(node, told, asked.attempts)


NAME = "Lorient"


def _furnished(node: Node) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Publish what is lent, let people in; return the codes, their cookies and the day it is."""
    with node.inside() as town:
        now_ms = town.clock.now_ms()
        keeper = members.join("Gardienne", now_ms=now_ms, email="gardienne@example.org")
        codes = []
        for number in range(THINGS):
            body = listing(f"Perceuse {number}", copies=COPIES, auto=True, max_days=7)
            with write_tx():
                record = town.journal.publish(PRACTICE.kind, body)
                holdings.keep(record.key, keeper.id, now_ms)
            codes.append(str(listings.find(town.id, record.key).code))
        people = []
        for number in range(PEOPLE):
            who = members.join(f"M{number}", now_ms=now_ms, email=f"m{number}@example.org")
            token = sessions.open(who.id, now_ms=now_ms, device="Firefox")
            people.append(f"lavoir-{town.id.hex()[:8]}={token}")
        return tuple(codes), tuple(people), town.engagements.ground.today(now_ms)


# ── one asker ────────────────────────────────────────────────────────────────────────────────────


def run(errand: Errand, pipe: Connection, start: Any) -> None:
    """Ask `errand.attempts` times, now at one server and now at the other; tell what came of it."""
    draw, told = random.Random(f"{errand.seed} {errand.number}"), Told()
    browser = Browser(errand, draw)
    start.wait()
    for done in range(1, errand.attempts + 1):
        cookie = draw.choice(errand.people)
        first = errand.today + 1 + draw.randrange(DAYS)
        days = {
            "first_day": calendar_day(first).isoformat(),
            "last_day": calendar_day(first + draw.randrange(4)).isoformat(),
        }
        status, where = browser.post(f"/a/{draw.choice(errand.codes)}/demander", cookie, days)
        outcome = {303: "granted", 409: "refused", 503: "retried"}.get(status, f"other {status}")
        told.outcomes[outcome] += 1
        if status == 303:
            told.held[where.rpartition("/")[2]] = {"cookie": cookie}
        if told.held and draw.random() < GIVEN_BACK:
            which = draw.choice(sorted(told.held))
            said = {"action": "withdraw"}
            if browser.post(f"/demandes/{which}", told.held[which]["cookie"], said)[0] == 303:
                del told.held[which]
        if done % REPORT_EVERY == 0:
            pipe.send(REPORT_EVERY)
    pipe.send(told)


class Browser:
    """Sends forms as the pages do, from a new address of loopback now and then."""

    def __init__(self, errand: Errand, draw: random.Random) -> None:
        self.errand, self.draw, self.sent = errand, draw, 0
        self.links: dict[int, http.client.HTTPConnection] = {}

    def post(self, path: str, cookie: str, fields: dict[str, str]) -> tuple[int, str]:
        """Send a form to one of the servers; return the status and where it leads."""
        port = self.draw.choice(self.errand.ports)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": cookie,
            "Idempotency-Key": self.draw.randbytes(16).hex(),
        }
        body = urllib.parse.urlencode(fields)
        for _ in range(TRIES):
            link = self._link(port)
            try:
                link.request("POST", path, body, headers)
                answer = link.getresponse()
                answer.read()
            except (http.client.HTTPException, OSError):  # sent again, it is the same intention
                self.links.pop(port).close()
                continue
            return answer.status, answer.headers.get("Location", "")
        return 0, ""

    def _link(self, port: int) -> http.client.HTTPConnection:
        if self.sent % POSTS_OF_ONE_ADDRESS == 0:
            for link in self.links.values():
                link.close()
            self.links.clear()
            batch = self.sent // POSTS_OF_ONE_ADDRESS
            self.address = f"127.{self.errand.number + 1}.{batch // 250}.{batch % 250 + 1}"
        self.sent += 1
        if port not in self.links:
            source = (self.address, 0)
            self.links[port] = http.client.HTTPConnection(
                HOST, port, timeout=120, source_address=source
            )
        return self.links[port]


# ── counting ─────────────────────────────────────────────────────────────────────────────────────


def counted(node: Node, told: Told, attempts: int) -> list[str]:
    """Return what does not add up between what the askers were told and the rows."""
    sums = {name: told.outcomes[name] for name in OUTCOMES}
    faults = [f"{name}: {count}" for name, count in told.outcomes.items() if name not in sums]
    if sum(sums.values()) != attempts:
        faults.append(f"{sums} are not {attempts} attempts")
    with node.inside():
        kept = [row for row in rows.Engagement.select() if not row.final]
        if {row.id.hex() for row in kept if row.state == "approved"} != set(told.held):
            faults.append(f"{len(kept)} rows are promised, {len(told.held)} were told so")
        taken: Counter[tuple[bytes, int]] = Counter()
        for row in kept:
            taken.update((row.listing_key, slot) for _, slot in capacity.held_by(row.id).pairs)
        faults += [
            f"{key.hex()[:8]}: {n} on {day}" for (key, day), n in taken.items() if n > COPIES
        ]
    return faults + node.faults()
