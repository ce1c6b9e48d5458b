"""A world of towns in one process: real databases, real pages, links that can be cut and slowed.

Each town is a full node (app.Town and its Flask application) in a folder of its own; what travels
between two of them is the very HTTP exchange, handed over instead of sent. The clock is shared and
stands still until it is moved.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from federation.errors import RemoteProtocolError
from federation.signature import HttpReply, HttpRequest
from node.app import Town, create_app, open_town
from node.cli.town import found_town
from node.domain.clock import FixedClock
from node.members import accounts
from node.store.database import using
from node.store.network import partners

START_MS = 1_795_430_400_000  # 2026-11-23 11:40 in Paris
INSEE = {
    "Auray": "56007",
    "Lorient": "56121",
    "Pontivy": "56178",
    "Quimper": "29232",
    "Vannes": "56260",
}


@dataclass
class Place:
    """One town of the world: its node, its application and the address the others know."""

    name: str
    url: str
    town: Town
    app: Any
    is_up: bool = True
    exchanges: int = 0

    @contextmanager
    def inside(self) -> Iterator[Town]:
        """Make this town's database current for the block."""
        with using(self.town.database):
            yield self.town

    def member(self, name: str, email: str | None = None, roles: tuple[str, ...] = ()) -> Any:
        """Make an account."""
        with self.inside() as town:
            return accounts.create(name, email, roles=roles, now_ms=town.clock.now_ms())


@dataclass
class World:
    """Towns, the links between them and the time."""

    folder: Path
    clock: FixedClock = field(default_factory=lambda: FixedClock(START_MS))
    places: dict[str, Place] = field(default_factory=dict)
    cuts: set[frozenset[str]] = field(default_factory=set)

    def found(self, name: str, manager: str = "") -> Place:
        """Found a town and start it."""
        home = self.folder / name.lower()
        url = f"http://{name.lower()}.test"
        found_town(home, name=name, insee=INSEE[name], url=url, manager=manager, clock=self.clock)
        place = self.start(name)
        return place

    def start(self, name: str) -> Place:
        """Open a town again from its folder, as after a restart."""
        home = self.folder / name.lower()
        town = open_town(home, clock=self.clock, connect=self._connector(name))
        place = Place(name, f"http://{name.lower()}.test", town, create_app(town))
        place.app.testing = True
        self.places[name] = place
        return place

    def pair(self, one: str, other: str) -> None:
        """Pair two towns the way people do: invitation, answer, both confirm the words."""
        from node.partners import pairing

        a, b = self.places[one], self.places[other]
        with a.inside() as town:
            invitation = pairing.invite(town.config.url, self.clock)
        with b.inside() as town:
            town.exchanges.accept(invitation.text)
            pairing.confirm(a.town.id, self.clock)
        with a.inside():
            pairing.confirm(b.town.id, self.clock)

    def cut(self, one: str, other: str) -> None:
        """Cut the link between two towns."""
        self.cuts.add(frozenset((one, other)))

    def heal(self, one: str, other: str) -> None:
        """Mend the link between two towns."""
        self.cuts.discard(frozenset((one, other)))

    def visit(self, one: str, other: str) -> Any:
        """Let one town visit the other now; return the outcome."""
        with self.places[one].inside() as town:
            return town.exchanges.visit(self.places[other].town.id)

    def sync(self, rounds: int = 2) -> None:
        """Let every town visit each of its partners, a few times over."""
        for _ in range(rounds):
            for place in self.places.values():
                with place.inside() as town:
                    if place.is_up:
                        for partner in partners.listed("active"):
                            town.exchanges.visit(partner.town)

    def fingerprints(self) -> dict[str, Any]:
        """Return, for each town, what it holds of every origin and scope."""
        from federation.stamp import as_of_day
        from node.store.sets.record_store import figures

        found = {}
        for name, place in self.places.items():
            with place.inside():
                day = as_of_day(self.clock.now_ms())
                found[name] = {
                    (each.origin, each.scope): (each.live, each.tombstones, each.fingerprint)
                    for each in figures(day)
                }
        return found

    def close(self) -> None:
        """Close every town."""
        for place in self.places.values():
            place.town.close()

    def _connector(self, name: str) -> Any:
        return lambda url, lan=False: _Link(self, name, url)


@dataclass
class _Link:
    """A link from one town to an address of the world."""

    world: World
    near: str
    url: str

    def send(self, request: HttpRequest, max_bytes: int) -> HttpReply:
        """Carry one request; raises RemoteProtocolError where the link is cut or nobody answers."""
        far = next((p for p in self.world.places.values() if p.url == self.url), None)
        if far is None or not far.is_up or frozenset((self.near, far.name)) in self.world.cuts:
            raise RemoteProtocolError("unreachable", self.url)
        far.exchanges += 1
        answer = far.app.test_client().open(
            request.path,
            method=request.method,
            data=request.body,
            headers=dict(request.headers),
            query_string=request.query,
        )
        body = answer.get_data()
        if len(body) > max_bytes:
            raise RemoteProtocolError("too_large", f"{len(body)} bytes")
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return HttpReply(answer.status_code, body, headers)

    def close(self) -> None:
        """Nothing is kept open."""
