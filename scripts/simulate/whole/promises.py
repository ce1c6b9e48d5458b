"""The rules of engagements: what must hold at one town after every step (ENGAGEMENTS)."""

from collections import Counter
from typing import TYPE_CHECKING

from federation import codec
from node.practices.lending.lifecycle import LIFECYCLES
from node.store.catalogue.listings import Listing
from node.store.promises import claims, doubts
from node.store.promises.acts import Act
from node.store.promises.engagements import Engagement
from scripts.simulate.whole import terms
from scripts.simulate.whole.place import Place
from scripts.simulate.whole.rules import broken

if TYPE_CHECKING:
    from scripts.simulate.whole.world import WholeWorld

ASKER_SIDE = ("self", "aide", "staff", "clock", "erasure")


def check(world: "WholeWorld", place: Place) -> None:
    """Check what must hold of the engagements at one town at any time."""
    with place.inside():
        rows = list(Engagement.select().order_by(Engagement.id))
        if rows:
            _check_capacity(place, rows)
        for row in rows:
            _check_open(place, row)
            _check_final(place, row)
            terms.check(world, place, row)
            _check_held(place, row)


def _check_capacity(place: Place, rows: list[Engagement]) -> None:
    """Nothing is promised twice: on each day no more than there is (invariant 1)."""
    taken: Counter[tuple[bytes, int]] = Counter()
    for row in rows:
        if row.home == place.id:
            for day, units in terms.held(row).items():
                taken[bytes(row.listing_key), day] += units
    for (key, day), units in taken.items():
        listing = Listing.get_or_none(Listing.origin == place.id, Listing.key == key)
        copies = _copies(listing)
        if copies is not None and units > copies:
            broken(
                "no double promise", f"{place.name} {key.hex()[:8]}: {units} of {copies} on {day}"
            )


def _check_held(place: Place, row: Engagement) -> None:
    """What is promised is held, slot by slot, unless a person has yet to settle what collides."""
    if row.home != place.id or row.id in {each.engagement for each in doubts.unsettled()}:
        return
    slots, promised = {slot for _, slot in claims.of_engagement(row.id)}, set(terms.held(row))
    if slots != promised:
        name = f"{place.name} {row.id.hex()[:8]} {row.state}"
        broken("what is promised is held", f"{name}: {sorted(promised ^ slots)}")


def _copies(listing: Listing | None) -> int | None:
    """How many of a thing there are; None once it is gone (what was promised stays promised)."""
    if listing is None or not listing.body:
        return None
    from_body = codec.loads(listing.body)
    return int(from_body.get("copies", 1)) if listing.verb != "donner" else None


def _check_open(place: Place, row: Engagement) -> None:
    """Every open state has a turn and a deadline (invariant 18); at the asker's, patience."""
    if row.final:
        return
    state = LIFECYCLES[row.lifecycle].state(row.state)
    if state.final:
        broken("finals are final", f"{place.name} {row.id.hex()[:8]} is {row.state} and open")
    if row.home == place.id and not (row.turn and row.deadline_ms and row.lapses_to):
        broken("somebody's turn", f"{place.name} {row.id.hex()[:8]} {row.state} waits for nobody")


def _check_final(place: Place, row: Engagement) -> None:
    """A final state is final (invariant 3); a wait that was given up on may still be answered."""
    known = place.memory.finals.get(row.id)
    if known is not None and row.state != known:
        broken("finals are final", f"{place.name} {row.id.hex()[:8]}: {known}, then {row.state}")
    if row.final and LIFECYCLES[row.lifecycle].state(row.state).final:
        place.memory.finals[bytes(row.id)] = row.state


def own_acts(row: Engagement) -> list[Act]:
    """Return the acts of the asker's side."""
    return list(Act.select().where(Act.engagement == row.id, Act.by.in_(ASKER_SIDE)))
