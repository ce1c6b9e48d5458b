"""Two towns that erase: what the tests of erasure ask of them."""

from pathlib import Path
from typing import Any

from node.erasure import ack, cleaning, standing
from node.store.erasures import burials
from node.store.sets import records
from tests.world import Place, World

WORD = "hippogriffe"


def two_towns(folder: Path) -> World:
    """Return Lorient and Quimper, partners."""
    made = World(folder)
    for name in ("Lorient", "Quimper"):
        made.found(name)
    made.pair("Lorient", "Quimper")
    made.sync()
    return made


def clean(place: Place) -> bool:
    """Let a town take what was erased out of its files now; return whether it could."""
    with place.inside() as town:
        return cleaning.clean(town, at_once=True)


def answers(place: Place, key: bytes) -> dict[str, Any]:
    """Return {town: its answer} to the erasure of one of a town's registers."""
    with place.inside() as town:
        burial = burials.find(town.id, key)
        assert burial is not None
        return {each.name: each for each in standing.answers(burial, town.clock.now_ms())}


def ack_records(place: Place, author: Place) -> list[Any]:
    """Return the answers of `author` that a town holds."""
    with place.inside():
        return list(records.walk(author.town.id, ack.KIND))
