"""Three towns of a `World` whose 24 words are known, and what a test does with them."""

import secrets
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from federation.keys import from_words
from federation.record import parse, verify
from federation.stamp import as_of_day
from node.cli.town import found_town
from node.domain.capacity import calendar_day
from node.identity.care import needs_care
from node.identity.resign import pending, resign_all
from node.identity.rotation import rotate
from node.journal.keyring import Keyring
from node.members import accounts
from node.store.catalogue import holdings, listings
from node.store.network import partners
from node.store.sets import keysets, records
from node.store.sets.record_store import figures
from tests.node.partner_wire import TOWNS
from tests.world import INSEE, START_MS, Place, World

DAY_MS = 86_400_000


class KeyWorld(World):
    """Lorient, Quimper and Vannes, whose roots the test holds as their papers would."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.roots: dict[str, bytes] = {}

    def found(self, name: str, manager: str = "") -> Place:
        """Found a town, start it and keep its words."""
        home, url = self.folder / name.lower(), f"http://{name.lower()}.test"
        words = found_town(home, name=name, insee=INSEE[name], url=url, clock=self.clock)
        self.roots[name] = from_words(words)
        return self.start(name)

    def rotate(self, name: str, *, is_stolen: bool = False, **more: Any) -> Keyring:
        """Rotate a town's key and sign everything again."""
        with self.places[name].inside() as town:
            ring = rotate(town, self.roots[name], is_stolen=is_stolen, by="test", **more)
            town.publish_profile()
            resign_all(town)
        return ring

    def days_pass(self, days: float) -> None:
        """Move everybody's clock."""
        self.clock.at_ms += int(days * DAY_MS)


@cache
def _founded() -> tuple[tempfile.TemporaryDirectory[str], dict[str, bytes]]:
    """Found the three towns once for all tests: each takes a copy of their houses."""
    kept = tempfile.TemporaryDirectory(prefix="lavoir-tests-")
    world = KeyWorld(Path(kept.name))
    for name in TOWNS:
        world.found(name)
    for one, other in (TOWNS[:2], TOWNS[1:], TOWNS[::2]):
        world.pair(one, other)
    world.sync()
    world.close()
    return kept, world.roots


def key_world(folder: Path) -> KeyWorld:
    """Return three towns, each a partner of both others, who have met."""
    kept, roots = _founded()
    shutil.copytree(kept.name, folder, dirs_exist_ok=True)
    world = KeyWorld(folder)
    world.roots = dict(roots)
    for name in TOWNS:
        world.start(name)
    return world


def keysets_under(place: Place, origin: bytes) -> set[int]:
    """Return the keyset numbers of the records a town holds of an origin."""
    with place.inside():
        return {row.keyset for row in records.walk(origin)}


def shown(place: Place, origin: bytes, now_ms: int) -> int:
    """Return how many public records of an origin a town's sets show."""
    with place.inside():
        found = figures(as_of_day(now_ms))
        return sum(each.live for each in found if (each.origin, each.scope) == (origin, 0))


def health_of(place: Place, other: Place) -> Any:
    """Return a town's row of another."""
    with place.inside():
        return partners.find(other.town.id)


def ask(near: Place, far: Place, key: bytes, days: int = 3) -> bytes:
    """Let a resident of `near` ask for an object of `far`; return the engagement's id."""
    engagement = secrets.token_bytes(16)
    with near.inside() as town:
        member = accounts.named("Anna") or accounts.create(
            "Anna", None, roles=(), now_ms=town.clock.now_ms()
        )
        today = START_MS // DAY_MS
        day = calendar_day(today + days).isoformat()
        row = listings.find(far.town.id, key)
        form = {"first_day": day, "last_day": day}
        town.engagements.ask(row, member.id, form, engagement)
    return engagement


def keep(place: Place, key: bytes) -> None:
    """Give one of a town's listings a keeper."""
    with place.inside() as town:
        member = accounts.create("Erwan", None, roles=(), now_ms=town.clock.now_ms())
        holdings.keep(key, member.id, town.clock.now_ms())


def whole(place: Place) -> None:
    """Check that everything of ours that lives is signed by the key in force, and rightly."""
    with place.inside() as town:
        ring = town.keyring
        assert keysets.newest(town.id)[1] == ring.keyset.id
        for row in records.walk(town.id):
            record = parse(row.raw)
            assert record.keyset == ring.keyset.number
            assert verify(record, ring.signing.public)
        assert pending(town.journal) == 0 and not needs_care(town)
