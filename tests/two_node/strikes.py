"""Strikes: a visit between real nodes is cut by SIGKILL at a seeded moment, then all must be well.

The moment is a delay after the visit began, or a number of records stored at one end. Nothing is
told to the processes: they are struck as a power cut would strike them.
"""

import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from federation.sets import fingerprint
from federation.stamp import as_of_day
from node.app import Town
from node.store.catalogue.listings import Listing
from node.store.network.exchanges import Exchange
from node.store.sets import records
from node.store.sets.record_store import figures
from node.store.sets.records import RecordRow
from tests.nodes import PRACTICE, Held, Node, Nodes, end

LOOK_AGAIN_S = 0.002
BEGUN_WITHIN_S = 60.0


@dataclass(frozen=True)
class Strike:
    """One seeded point: who is struck, and when."""

    visitor: str
    victim: str
    delay_s: float  # after the visit began...
    stored: int  # ...or once so many records came in at the visitor's; 0: the delay counts

    def __str__(self) -> str:
        when = f"after {self.stored} records" if self.stored else f"after {self.delay_s:.3f} s"
        return f"{self.victim} struck {when} of {self.visitor}'s visits"


def draw(rng: random.Random, nodes: Nodes, lasts_s: float, to_come: int) -> Strike:
    """Draw a point of a sync that lasts about `lasts_s` and brings `to_come` records."""
    visitor, victim = rng.choice(list(nodes.towns)), rng.choice(list(nodes.towns))
    stored = rng.randrange(1, to_come) if rng.random() < 0.5 else 0
    return Strike(visitor, victim, rng.uniform(0, lasts_s), stored)


def strike(nodes: Nodes, point: Strike) -> bool:
    """Let the visitor sync and strike; return whether its visits were cut by that.

    Every process of the victim dies: its server, and the visitor's own command.
    """
    visitor = nodes.towns[point.visitor]
    with visitor.inside():
        visits, held = Exchange.select().count(), RecordRow.select().count()
        command = visitor.launch("sync", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: Exchange.select().count() > visits or command.poll() is not None)
        began = time.monotonic()
        while command.poll() is None and not _is_time(point, began, held):
            time.sleep(LOOK_AGAIN_S)
    was_cut = command.poll() is None
    nodes.towns[point.victim].cut_power()
    if point.victim == point.visitor:
        end(command)
    code = command.wait(timeout=BEGUN_WITHIN_S)
    return was_cut and code != 0


def _is_time(point: Strike, began: float, held: int) -> bool:
    if point.stored:
        return RecordRow.select().count() >= held + point.stored
    return time.monotonic() >= began + point.delay_s


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    until = time.monotonic() + BEGUN_WITHIN_S
    while not is_so():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(LOOK_AGAIN_S)


def check_whole(node: Node) -> None:
    """Assert that a database is sound: its file, its sums, its read model."""
    assert node.faults() == []
    with node.inside() as town:
        assert _counted(town) == _summed(town), f"{node.name}: the sums are not the records'"
        live = (
            RecordRow.select().where(RecordRow.kind == PRACTICE.kind, RecordRow.state == 0).count()
        )
        shown = Listing.select().where(Listing.state == "published").count()
        assert shown == live, f"{node.name}: {live} live objects, {shown} listings"


def _summed(town: Town) -> Held:
    found = figures(as_of_day(town.clock.now_ms()))
    return {
        f"{each.origin.hex()} {each.scope}": (each.live, each.tombstones, each.fingerprint.hex())
        for each in found
    }


def _counted(town: Town) -> Held:
    """Count every record again, with nothing but the records table."""
    sums: dict[str, list[int]] = {}
    for row in records.walk():
        total = sums.setdefault(f"{row.origin.hex()} {row.scope}", [0, 0, 0])
        total[row.state] += 1
        total[2] += int.from_bytes(row.id, "little")
    return {
        name: (live, buried, fingerprint(ids % 2**256, live + buried).hex())
        for name, (live, buried, ids) in sums.items()
    }
