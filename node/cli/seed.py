"""The listings of the demonstration: each practice's demo.json, dealt out to a town."""

import hashlib
import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from node.app import ROOT, Town
from node.domain.listing import PLACE_ROUNDING_E6
from node.domain.practice import Practice
from node.domain.schema import plain
from node.members import accounts
from node.places import communes
from node.store.catalogue import holdings
from node.store.database import write_tx

PER_PRACTICE = 20
SPREAD_E6 = 6 * PLACE_ROUNDING_E6  # about 2 km around the town hall
TOWNS = ("lorient", "quimper", "vannes")
KEEPER = "Accueil"


def seed(town: Town, slug: str) -> int:
    """Publish about 20 listings of each practice as the town `slug`'s; return how many."""
    return sum(1 for _ in seeding(town, slug))


def seeding(town: Town, slug: str) -> Iterator[None]:
    """Publish one listing at each step, the practices in turn, so that a list is a mixture."""
    keeper = accounts.named(KEEPER)
    shares = [
        [(practice, item) for item in _share(practice, slug)]
        for practice in town.registry.practices
    ]
    for turn in zip_longest(*shares):
        for dealt in filter(None, turn):
            practice, item = dealt
            _publish(town, practice, item, keeper.id if keeper else None)
            yield


def _share(practice: Practice, slug: str) -> list[dict[str, Any]]:
    """Return this town's part of the pool: what is bound to it, its third, then as it comes.

    So towns show the same thing only where the pool is too small for all.
    """
    file = ROOT / "practices" / practice.name / "demo.json"
    pool = json.loads(file.read_text(encoding="utf-8"))
    own = [each for each in pool if each.get("town") == slug]
    turn = TOWNS.index(slug)
    free = [each for each in pool if not each.get("town")]
    third = [each for at, each in enumerate(free) if at % len(TOWNS) == turn]
    others = [each for at, each in enumerate(free) if at % len(TOWNS) != turn]
    return (own + third + others[turn::2])[:PER_PRACTICE]


def _publish(town: Town, practice: Practice, item: dict[str, Any], keeper: int | None) -> None:
    fields = {name: value for name, value in item.items() if name != "town"}
    fields["place"] = _place(town, fields.get("place") or {}, str(fields.get("title")))
    body = practice.schema.read(fields)
    with write_tx():
        record = town.journal.publish(practice.kind, plain(body))
        holdings.keep(record.key, keeper, town.clock.now_ms())


def _place(town: Town, said: dict[str, Any], title: str) -> dict[str, Any]:
    """Return where an item is: as it says, or somewhere in the town, always the same place."""
    commune = communes.find(said.get("insee") or town.config.insee)
    if commune is None or commune.lat_e6 is None or commune.lon_e6 is None:
        return said
    where = hashlib.sha256((title + town.config.name).encode()).digest()
    offsets = [int.from_bytes(where[at : at + 4], "big") % SPREAD_E6 for at in (0, 4)]
    found = {
        "name": commune.name,
        "insee": commune.insee,
        "lat_e6": commune.lat_e6 + offsets[0] - SPREAD_E6 // 2,
        "lon_e6": commune.lon_e6 + offsets[1] - SPREAD_E6 // 2,
    }
    return {**found, **said}
