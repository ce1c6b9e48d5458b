"""What goes wrong: links, clocks, power, old copies, forgers, sticks that come late."""

from typing import TYPE_CHECKING

from federation.record import Draft, live_until, parse, sign
from federation.stamp import DAY_MS
from federation.words import from_words
from node.backup import release
from node.domain.errors import DomainError
from node.identity import resign, rotation
from node.journal import restoring
from node.store.sets import records
from scripts.simulate.plan import Step
from scripts.simulate.whole.place import Place
from scripts.simulate.wire import PowerCut

if TYPE_CHECKING:
    from scripts.simulate.whole.world import WholeWorld

HOUR_MS = 3_600_000
SKEWS_MS = (3 * HOUR_MS, -5 * HOUR_MS, 25 * HOUR_MS, -25 * HOUR_MS, 12 * HOUR_MS)
AHEAD_DAYS = (60, 200, 3 * 365)
STICKS = 6


def cut(world: "WholeWorld", place: Place, step: Step) -> str:
    """A link is cut, or the town is alone."""
    peers = sorted(world.partners[place.name])
    others = peers if step.numbers[1] % 3 == 0 else [peers[step.pick(2, peers)]]
    world.wire.cuts |= {frozenset((place.name, world.by_id[each].name)) for each in others}
    return f"{len(others)}"


def heal(world: "WholeWorld", place: Place, step: Step) -> str:
    """The links that are cut work again."""
    mended = len(world.wire.cuts)
    world.wire.cuts.clear()
    return f"{mended}" if mended else "nothing"


def minutes_pass(world: "WholeWorld", place: Place, step: Step) -> str:
    """Some minutes or hours pass."""
    world.true_ms += (1 + step.numbers[1] % 600) * 60_000
    return ""


def days_pass(world: "WholeWorld", place: Place, step: Step) -> str:
    """Some days pass."""
    world.true_ms += (1 + step.numbers[1] % 6) * DAY_MS + step.numbers[2] % DAY_MS
    return ""


def months_pass(world: "WholeWorld", place: Place, step: Step) -> str:
    """Some months pass."""
    world.true_ms += (30 + step.numbers[1] % 200) * DAY_MS
    return ""


def skew_clock(world: "WholeWorld", place: Place, step: Step) -> str:
    """The clock of a town goes wrong."""
    number = step.numbers[1] % 8
    if number < 3:
        place.clock.off_ms = SKEWS_MS[step.pick(2, SKEWS_MS)]
        kind = "by hours or a day"
    elif number < 6:
        place.clock.off_ms, kind = HOUR_MS - world.true_ms, "1970"
    else:
        place.clock.off_ms = AHEAD_DAYS[step.pick(2, AHEAD_DAYS)] * DAY_MS
        kind = "months or years ahead"
    world.trace.count(f"clock: {kind}")
    return kind


def true_clock(world: "WholeWorld", place: Place, step: Step) -> str:
    """The clock of every town is set right, or of the one."""
    wrong = [each for each in world.places if each.clock.off_ms]
    if not wrong:
        return "nothing"
    wrong[step.pick(1, wrong)].clock.off_ms = 0
    return ""


def restart(world: "WholeWorld", place: Place, step: Step) -> str:
    """The node is stopped in order and started again."""
    place.stop()
    place.start()
    return ""


def crash(world: "WholeWorld", place: Place, step: Step) -> str:
    """The power goes while the town does something: at any statement of any transaction."""
    does = CRASHING[step.pick(1, CRASHING)]
    verb = world.verb(does)
    at = 1 + step.numbers[2] % 80
    try:
        with place.doomed(at):
            ended = str(verb(world, place, step))
    except PowerCut:
        world.trace.count("died inside its own act")
        ended = "cut"
    except DomainError as error:
        ended = error.code
    place.crash()
    return f"{does} at {at}: {ended}"


CRASHING = ("publish", "revise", "erase", "ask", "keeper_acts", "asker_acts", "visit", "jobs")


def copy_house(world: "WholeWorld", place: Place, step: Step) -> str:
    """Somebody copies the house."""
    place.copy_house()
    return f"{len(place.copies)}"


def put_back(world: "WholeWorld", place: Place, step: Step) -> str:
    """An old copy of the database, or of the whole machine, takes the place of the new."""
    held = [each for each in world.places if each.copies]
    if not held:
        return "nothing"
    place = held[step.pick(1, held)]
    copy = place.copies[step.pick(2, place.copies)]
    whole = step.numbers[3] % 2 == 0
    place.put_back(copy, whole=whole)
    world.touched.add(place.name)
    kind = "whole machine" if whole else "database"
    world.trace.count(f"put back: {kind}")
    with place.inside():
        world.trace.count("restore mode", restoring.is_restoring())
    return f"{place.name} {kind}"


def admin_speaks(world: "WholeWorld", place: Place, step: Step) -> str:
    """The admin of a town in restore mode says that this house is the one that lives."""
    for each in world.places:
        with each.inside() as town:
            if restoring.is_restoring():
                world.touched.add(each.name)
                release.leave(town, by="admin")
                return each.name
    return "nothing"


def rotate(world: "WholeWorld", place: Place, step: Step) -> str:
    """An admin takes a new key into force, from the sheet of 24 words; it may have been stolen."""
    with place.inside() as town:
        rotation.rotate(
            town, from_words(list(place.words)), is_stolen=step.numbers[1] % 3 == 0, by="admin"
        )
        resign.resign_all(town)
    return "stolen" if step.numbers[1] % 3 == 0 else "routine"


def fill_stick(world: "WholeWorld", place: Place, step: Step) -> str:
    """What one partner may see is copied onto a stick."""
    peers = sorted(world.partners[place.name])
    reader = world.by_id[peers[step.pick(1, peers)]]
    with place.inside() as town:
        ids = [row.id for row in records.walk()]
        raws = list(town.store.raws(ids, reader.id).values())
    world.sticks = [*world.sticks[1 - STICKS :], (place, reader, raws)]
    return f"{len(raws)}"


def empty_stick(world: "WholeWorld", place: Place, step: Step) -> str:
    """A stick reaches the town it was filled for, whenever that is; its records in any order."""
    if not world.sticks:
        return "nothing"
    filler, reader, raws = world.sticks[step.pick(1, world.sticks)]
    mixed = list(raws)
    world.chance.rng.shuffle(mixed)
    return bring(world, reader, filler, mixed)


def forge(world: "WholeWorld", place: Place, step: Step) -> str:
    """A carrier alters a record, or signs one in another town's name."""
    with place.inside() as town:
        others = [row for row in records.walk() if row.origin != town.id]
        key = town.keyring.signing
    if not others:
        return "nothing"
    victim = parse(sorted(row.raw for row in others)[step.numbers[1] % len(others)])
    if step.numbers[2] % 2:
        raw = victim.raw[:-1] + bytes((victim.raw[-1] ^ 1,))
    else:
        stamp = victim.stamp + (1 << 16)
        draft = Draft(
            origin=victim.origin, keyset=victim.keyset, key=victim.key, stamp=stamp,
            expires=min(victim.expires, live_until(stamp)), scope=victim.scope,
            kind=victim.kind, body=b"forged", to=victim.to,
        )  # fmt: skip
        raw = sign(draft, key).raw
    peers = sorted(world.partners[place.name])
    return bring(world, world.by_id[peers[step.pick(3, peers)]], place, [raw])


def bring(world: "WholeWorld", reader: Place, carrier: Place, raws: list[bytes]) -> str:
    """Hand records to a town's journal in the name of a carrier."""
    world.touched.add(reader.name)
    with reader.inside() as town:
        verdicts = town.journal.ingest(raws, carrier.id)
    for each in verdicts:
        world.trace.count(f"verdict: {each.code}")
    return f"{reader.name} {sum(each.code == 'stored' for each in verdicts)}"


def say_again(world: "WholeWorld", place: Place, step: Step) -> str:
    """Something overheard is said once more."""
    said = world.wire.say_again(step.numbers[1])
    return f"{said.to} {said.request.path}" if said else "nothing"


def say_late(world: "WholeWorld", place: Place, step: Step) -> str:
    """A request that was on its way all the time arrives."""
    said = world.wire.say_late(step.numbers[1])
    return f"{said.to} {said.request.path}" if said else "nothing"
