"""Other terms: what people type to propose them, and what each resident ever agreed to.

The memory is the world's own: it is written down before the act, from what the page showed.
"""

from typing import TYPE_CHECKING, Any

from node.app import Town
from node.domain.capacity import calendar_day
from node.domain.lifecycle import ACCEPT, CHANGE, PROPOSE
from node.engagements import proposal
from node.engagements.ground import read
from node.practices.lending.actions import claim, is_milder, renewed
from node.practices.lending.lifecycle import LIFECYCLES
from node.store.catalogue import listings
from node.store.promises.engagements import Engagement
from scripts.simulate.plan import Step
from scripts.simulate.whole.place import Place
from scripts.simulate.whole.rules import broken

if TYPE_CHECKING:
    from scripts.simulate.whole.world import WholeWorld

RENEW = "renew"
BRING = ("counter", PROPOSE, CHANGE, RENEW)


def days(town: Town, step: Step) -> dict[str, str]:
    """Return the form of some days that begin soon."""
    first = town.engagements.ground.today(town.clock.now_ms()) + 1 + step.numbers[4] % 3
    last = first + step.numbers[5] % 5
    named = {"first_day": first, "last_day": last}
    return {name: calendar_day(day).isoformat() for name, day in named.items()}


def agree(world: "WholeWorld", engagement: bytes, terms: dict[str, Any]) -> None:
    """Remember terms that a resident asked for or said yes to."""
    world.agreed.setdefault(engagement, []).append(terms)


def pressed(
    world: "WholeWorld", town: Town, row: Engagement, action: str, form: dict[str, str]
) -> None:
    """Remember what a resident agrees to by pressing a button, as their page shows it."""
    hung, listing = proposal.on_table(row), listings.find(row.listing_origin, row.listing_key)
    if action == ACCEPT and hung is not None:
        agree(world, bytes(row.id), hung.terms)
    elif listing is not None and listing.body and action == CHANGE:
        agree(world, bytes(row.id), town.engagements.terms(listing, form))
    elif listing is not None and listing.body and action == RENEW:
        ground = town.engagements.ground
        today = ground.today(town.clock.now_ms())
        agree(world, bytes(row.id), renewed(ground.body(listing), read(row.terms), form, today))


def check(world: "WholeWorld", place: Place, row: Engagement) -> None:
    """What is promised was asked for or accepted, or only gives more (property 7)."""
    agreed = world.agreed.get(bytes(row.id))
    if agreed is None or not row.version or not LIFECYCLES[row.lifecycle].is_agreed(row.state):
        return
    now = read(row.terms)
    if now not in agreed and not any(is_milder(each, now) for each in agreed):
        broken("terms were agreed to", f"{place.name} {row.id.hex()[:8]}: {now} not in {agreed}")


def held(row: Engagement) -> dict[int, int]:
    """Return {day: units} that a row holds at home: of two terms the larger counts on each day."""
    held: dict[int, int] = {}
    lifecycle = LIFECYCLES[row.lifecycle]
    for terms in proposal.held_in(lifecycle, row.state, read(row.terms), proposal.on_table(row)):
        wanted = claim(terms)
        for day in wanted.span.days:
            held[day] = max(wanted.units, held.get(day, 0))
    return held
