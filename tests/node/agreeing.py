"""Two towns that agree, or do not: what tests of agreements and of the end of a link share."""

import secrets
from typing import Any

from node.domain.agreement import ALL, Text, Way
from node.domain.capacity import calendar_day
from node.partners.agreement import care, ours, wire
from node.store.catalogue import listings
from node.store.network import agreements, partners
from tests.world import Place, World

DAY_MS = 86_400_000


def text(lending: Way | None = None, **more: Any) -> Text:
    """A text about lending."""
    return Text(
        {"lending": lending or Way(ALL, ALL)}, **{"contact": "desk@lorient.example", **more}
    )


def write(here: Place, there: Place, said: Text) -> None:
    """Let a town write a text."""
    with here.inside() as town:
        ours.write(town, there.town.id, said, by="admin")


def agree(here: Place, there: Place) -> None:
    """Let a town agree to what it holds of the other."""
    with here.inside() as town:
        held = agreements.find(there.town.id)
        ours.agree(town, there.town.id, wire.digest(held.theirs), by="admin")


def cared(*places: Place) -> int:
    """Run the job of agreements in each town."""
    count = 0
    for place in places:
        with place.inside() as town:
            count += care.care(town)
    return count


def settled(world: World, *names: str) -> None:
    """Carry all words and run the jobs until nothing is left to say."""
    places = [world.places[name] for name in names or ("Lorient", "Quimper")]
    for _ in range(3):
        visit_all(world, *places)
        cared(*places)
    visit_all(world, *places)


def visit_all(world: World, *places: Place) -> None:
    """Let each of these towns visit each other one it is linked with."""
    for here in places:
        for there in places:
            if here is not there and here.is_up and there.is_up:
                with here.inside() as town:
                    if partners.is_linked(there.town.id):
                        town.exchanges.visit(there.town.id)


def version(here: Place, there: Place) -> int:
    """The number of what is in force as a town sees it."""
    with here.inside():
        return agreements.version(there.town.id)


def in_force(here: Place, there: Place) -> Any:
    """What is in force as a town reads it."""
    with here.inside():
        return agreements.agreed(there.town.id)


def publish(here: Place, title: str = "Échelle", **body: Any) -> bytes:
    """Publish a thing to lend without a keeper; return its key."""
    with here.inside() as town:
        return town.journal.publish("lending.item/1", {"title": title, **body}).key


def ask(here: Place, there: Place, key: bytes, who: Any, day: int = 20_783) -> Any:
    """Let a member of `here` ask for a listing of `there`; raises what the engine raises."""
    with here.inside() as town:
        row = listings.find(there.town.id, key)
        form = {"first_day": _iso(day), "last_day": _iso(day + 1)}
        return town.engagements.ask(row, who.id, form, secrets.token_bytes(16))


def _iso(day: int) -> str:
    return calendar_day(day).isoformat()


def a_statement(**more: Any) -> wire.Statement:
    """A statement about lending, with what a test says otherwise."""
    raw = wire.written(text(), 5)
    return wire.Statement(**{"number": 6, "text": raw, "accepts": wire.digest(raw), **more})
