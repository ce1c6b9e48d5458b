"""What people do in a town: publish, ask, answer, withdraw, erase; and what the node does itself.

Each returns what happened in a few words, "nothing" where there was nothing to do, and raises what
a page would tell its reader.
"""

import secrets
from typing import TYPE_CHECKING, Any

from federation.record import SCOPE_PARTNERS, SCOPE_PUBLIC
from node.domain.capacity import calendar_day
from node.domain.schema import plain
from node.erasure.erase import erase as erase_register
from node.erasure.people import erase_person
from node.partners import pairing
from node.practices.lending.practice import PRACTICE as LENDING
from node.store.catalogue import holdings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.network import introductions, partners
from node.store.people import members
from node.store.promises.engagements import Engagement
from scripts.simulate.plan import Step
from scripts.simulate.whole import terms
from scripts.simulate.whole.house import ASKER, KEEPER, OTHER_ASKER
from scripts.simulate.whole.place import Place

if TYPE_CHECKING:
    from scripts.simulate.whole.world import WholeWorld

FEW = 2  # of each town so many things are asked for: requests meet on them
FORWARD = ("approve", "hand_over", "take_back", "withdraw", "counter", "propose", "change")
ANSWERS = ("accept", "keep")  # pressed before the others where there are any
PROPOSALS = ("counter", "propose", "change", "renew")


def publish(world: "WholeWorld", place: Place, step: Step) -> str:
    """A member publishes a thing to lend or to give; one in four for partners only."""
    number = step.numbers[1]
    scope = SCOPE_PARTNERS if number % 4 == 0 else SCOPE_PUBLIC
    said: dict[str, Any] = {"title": f"Échelle {number % 97}", "copies": 2 - bool(number // 8 % 4)}
    if number // 16 % 4 == 0:
        said["verb"] = "donner"
    said["auto"] = number // 64 % 4 == 0
    with place.inside() as town, write_tx():
        body = plain(LENDING.schema.read(said))
        record = town.journal.publish(LENDING.kind, body, scope=scope)
        holdings.keep(record.key, KEEPER, town.clock.now_ms())
    return f"{record.key.hex()[:8]} scope {scope}"


def revise(world: "WholeWorld", place: Place, step: Step) -> str:
    """A member mends a listing, sometimes in what matters to who asked."""
    place = world.first_from(place, lambda each: _own(each.id))
    with place.inside() as town:
        listing = _one_of(_own(town.id), step, 1)
        if listing is None:
            return "nothing"
        body = town.engagements.ground.body(listing)
        said = plain(body) | {"text": f"Révisé {step.numbers[2] % 1000}"}
        if step.numbers[3] % 3 == 0:
            said["deposit"] = step.numbers[3] % 5_000
        town.journal.publish(LENDING.kind, said, key=listing.key, scope=listing.scope)
    return listing.key.hex()[:8]


def erase(world: "WholeWorld", place: Place, step: Step) -> str:
    """A member takes a listing away for good."""
    place = world.first_from(place, lambda each: _own(each.id))
    with place.inside() as town:
        listing = _one_of(_own(town.id), step, 1)
        if listing is None:
            return "nothing"
        erase_register(town, listing.key)
        world.erased.add((town.id, listing.key))
    return listing.key.hex()[:8]


def ask(world: "WholeWorld", place: Place, step: Step) -> str:
    """Somebody asks for a thing of another town (of their own now and then)."""
    place = world.first_from(place, lambda each: _shown(world, each, step.numbers[1] % 8 == 0))
    with place.inside() as town:
        listing = _one_of(_shown(world, place, step.numbers[1] % 8 == 0), step, 2)
        if listing is None:
            return "nothing"
        first = town.engagements.ground.today(town.clock.now_ms()) + 1 + step.numbers[3] % 3
        last = first + step.numbers[4] % 4
        typed = {
            "first_day": calendar_day(first).isoformat(),
            "last_day": calendar_day(last).isoformat(),
            "message": "Pour samedi",
            "saw": town.engagements.saw(listing),
        }
        if step.numbers[5] % 3 == 0:
            typed |= {"share": "1"}
        if step.numbers[3] // 4 % 2:
            typed |= {"queue": "1"}
        who, engagement = (ASKER, OTHER_ASKER)[step.numbers[5] % 2], secrets.token_bytes(16)
        terms.agree(world, engagement, town.engagements.terms(listing, typed))
        row = town.engagements.ask(listing, who, typed, engagement)
    if row.state == "waiting" or typed.get("queue"):
        world.trace.count("ask: in line")
    world.trace.count("ask: here" if row.home == place.id else "ask: another town's thing")
    _news(world, place, bytes(row.home), step)
    return f"{row.id.hex()[:8]} of {listing.origin.hex()[:8]}"


def keeper_acts(world: "WholeWorld", place: Place, step: Step) -> str:
    """A keeper answers one of the requests, by whichever button."""
    return _press(world, place, step, KEEPER, "keeper")


def asker_acts(world: "WholeWorld", place: Place, step: Step) -> str:
    """Somebody who asked does the one thing they can: withdraw, mostly."""
    one, other = ((ASKER, OTHER_ASKER), (OTHER_ASKER, ASKER))[step.numbers[5] % 2]
    said = _press(world, place, step, one, "asker")
    return said if said != "nothing" else _press(world, place, step, other, "asker")


def haggle(world: "WholeWorld", place: Place, step: Step) -> str:
    """One side answers what the other proposed; where nobody did, one side proposes."""
    sides = [(KEEPER, "keeper"), (ASKER, "asker"), (OTHER_ASKER, "asker")]
    first = step.numbers[2] % 3
    for only in (ANSWERS, PROPOSALS):
        for member, role in (*sides[first:], *sides[:first]):
            said = _press(world, place, step, member, role, only)
            if said != "nothing":
                return said
    return "nothing"


def _press(
    world: "WholeWorld",
    place: Place,
    step: Step,
    member: int,
    role: str,
    only: tuple[str, ...] = (),
) -> str:
    def offered(each: Place) -> list[tuple[Engagement, str]]:
        return [way for way in _buttons(each, member, role) if not only or way[1] in only]

    place = world.first_from(place, offered)
    with place.inside() as town:
        pressed = offered(place)
        if not pressed:
            return "nothing"
        likely = _likely(pressed, step) if step.numbers[3] % 4 else pressed
        row, action = likely[step.pick(1, likely)]
        on = row.version if step.numbers[2] % 6 else max(row.version - 1, 0)
        args = {"share": "1", "contact": "06", "reason": "Voilà"} if role == "keeper" else {}
        if action in terms.BRING:
            args |= terms.days(town, step)
        if role == "asker":
            terms.pressed(world, town, row, action, args)
        town.engagements.act(
            row.id, action, member_id=member, role=role, on_version=on,
            act_id=secrets.token_bytes(8), args=args,
        )  # fmt: skip
    world.trace.count(f"act: {action}")
    if row.home != row.asker_town:
        world.trace.count(f"act between towns: {action}")
        _news(world, place, bytes(row.home if role == "asker" else row.asker_town), step)
    return f"{action} {row.id.hex()[:8]}"


def _likely(pressed: list[tuple[Engagement, str]], step: Step) -> list[tuple[Engagement, str]]:
    """The buttons that lead on, between two towns if there are any; answers before the rest."""
    wanted = (ANSWERS, FORWARD) if step.numbers[3] // 4 % 4 else (FORWARD,)
    for names in wanted:
        on = [each for each in pressed if each[1] in names]
        if on:
            return [(row, action) for row, action in on if row.home != row.asker_town] or on
    return pressed


def _news(world: "WholeWorld", place: Place, other: bytes, step: Step) -> None:
    """Two times in three a town visits at once whom its news is for, as nodes do."""
    if other in world.partners[place.name] and step.numbers[4] // 16 % 3:
        world.visit(place, world.by_id[other], {})


def forget(world: "WholeWorld", place: Place, step: Step) -> str:
    """A member who asked leaves, and everything about them with them."""
    member = OTHER_ASKER if step.numbers[1] % 2 else ASKER
    with place.inside() as town:
        held = members.find(member)
        if held is None or held.status != "active":
            return "nothing"
        erase_person(town, member, by=None)
    return str(member)


def jobs(world: "WholeWorld", place: Place, step: Step) -> str:
    """The node does what is due by itself."""
    ran = place.run_jobs()
    for name in ran:
        world.trace.count(f"job: {name}")
    return " ".join(ran)


def visit(world: "WholeWorld", place: Place, step: Step) -> str:
    """A town visits one of its partners, and something may go wrong on the way."""
    peers = sorted(world.partners[place.name])
    host = world.by_id[peers[step.pick(1, peers)]]
    return f"{host.name} {world.visit(place, host, world.faults(step))}"


def visits_due(world: "WholeWorld", place: Place, step: Step) -> str:
    """A town visits whoever is due by its own plan (back-off, news)."""
    with place.inside() as town:
        due = list(town.exchanges.due())
    ended = [world.visit(place, world.by_id[each], {}) for each in due if each in world.by_id]
    return f"{len(ended)}" if ended else "nothing"


def introduce(world: "WholeWorld", place: Place, step: Step) -> str:
    """An admin introduces one partner to another."""
    peers = sorted(world.partners[place.name])
    if len(peers) < 2:
        return "nothing"
    at = step.pick(1, peers)
    known, reader = peers[at], peers[(at + 1 + step.numbers[2] % (len(peers) - 1)) % len(peers)]
    with place.inside():
        pairing.introduce(known, reader, place.clock)
    return f"{world.by_id[known].name} to {world.by_id[reader].name}"


def accept(world: "WholeWorld", place: Place, step: Step) -> str:
    """An admin accepts a town that was introduced: readable from now on."""
    place = world.first_from(place, lambda _: _offered())
    with place.inside() as town:
        told = _offered()
        if not told:
            return "nothing"
        accepted = told[step.pick(1, told)]
        pairing.accept_introduced(accepted, town.store, town.clock)
    return world.by_id[accepted].name


def _offered() -> list[bytes]:
    """The towns introduced to the current town that it does not hold."""
    told = (bytes(each.town) for each in introductions.received(""))
    return sorted(each for each in told if partners.find(each) is None)


def _buttons(place: Place, member: int, role: str) -> list[tuple[Engagement, str]]:
    """Everything a member could press now, in one role."""
    with place.inside() as town:
        mine = Engagement.asker == member if role == "asker" else Engagement.home == place.id
        rows = Engagement.select().where(mine, ~Engagement.final).order_by(Engagement.id)
        return [
            (row, each.action)
            for row in rows
            if role in town.engagements.roles(row, member)
            for each in (
                *town.engagements.buttons(row, member),
                *town.engagements.proposable(row, member),
            )
        ]


def _shown(world: "WholeWorld", place: Place, is_ours: bool) -> list[Listing]:
    """The things one could ask for: of partners, or of the own town."""
    partners_of = [place.id] if is_ours else sorted(world.partners[place.name])
    on_offer = (Listing.state == "published") & (Listing.practice == "lending")
    shown: list[Listing] = []
    for origin in partners_of:
        query = Listing.select().where(on_offer, Listing.origin == origin)
        shown.extend(query.order_by(Listing.key).limit(FEW))
    return shown


def _own(town: bytes) -> list[Listing]:
    mine = Listing.select().where(Listing.origin == town, Listing.state == "published")
    return list(mine.order_by(Listing.key))


def _one_of(listings: list[Listing], step: Step, at: int) -> Listing | None:
    return listings[step.pick(at, listings)] if listings else None
