"""A town on its bad days: each state in which the desk explains something or asks for something.

The days come one after the other, since one ends what the other needs: `days()` makes each and
gives the pages to be looked at then.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from federation.keys import SigningKey
from federation.keyset import next_keyset
from federation.record import SCOPE_PARTNERS
from federation.vouching import Completeness
from node.app import open_town
from node.backup import drill, rota
from node.identity import replacing
from node.journal import restoring
from node.members import sessions
from node.partners import pairing, quota
from node.store import marks
from node.store.catalogue import listings
from node.store.network import carriages, quarantine, strikes
from node.store.promises import doubts
from node.store.sets import completeness, origins, rivals
from tests.node.identity_towns import DAY_MS, KeyWorld, ask, key_world
from tests.node.partner_wire import publish
from tests.node.sticks import carry, pack, unpack
from tests.world import Place

Page = tuple[str, str, str]  # its name, who looks at it or "" for a visitor, its path


@dataclass
class Troubles:
    """Quimper, its partners, who sits at its desk, and the clock that goes on between the days."""

    world: KeyWorld
    people: dict[str, Any] = field(default_factory=dict)

    @property
    def quimper(self) -> Place:
        """The town whose pages are looked at."""
        return self.world.places["Quimper"]

    def slug(self, name: str) -> str:
        """Return how the addresses of the desk name a town."""
        return self.world.places[name].town.id.hex()[:12]

    def cookie(self, name: str) -> dict[str, str]:
        """Open a session for somebody and return the cookie that carries it."""
        with self.quimper.inside() as town:
            now_ms = town.clock.now_ms()
            token = sessions.open(self.people[name].id, now_ms=now_ms, device="Firefox")
            return {"name": f"lavoir-{town.id.hex()[:8]}", "value": token}

    def days(self) -> Iterator[tuple[str, list[Page]]]:
        """Make each day in turn; yield its name and its pages."""
        for make in (_quiet, _asked, _carried, _partners, _doubts, _failed, _proven, _stale,
                     _restored, _twin, _replaced, _own_keys):  # fmt: skip
            name = make.__name__.strip("_")
            yield name, [(f"{name}-{each}", who, path) for each, who, path in make(self)]


def build(folder: Path) -> Troubles:
    """Found Quimper, Lorient and Vannes, partners, and Auray, which is none yet."""
    made = Troubles(key_world(folder))
    made.world.found("Auray", manager="Les Mains du Loch")
    made.people["Maïwenn"] = made.quimper.member("Maïwenn", "maiwenn@example.org", ("admin",))
    made.people["Nolwenn"] = made.quimper.member("Nolwenn", "nolwenn@example.org")
    return made


def _desk(*pages: tuple[str, str]) -> list[Page]:
    return [(name, "Maïwenn", f"/admin{path}") for name, path in pages]


def _quiet(on: Troubles) -> list[Page]:
    """Nothing has happened yet: every page of the desk says so."""
    lorient = on.slug("Lorient")
    return _desk(
        ("desk", ""), ("keys", "/identite"), ("keys-of", f"/identite/{lorient}"),
        ("promises", "/promesses"), ("backups", "/sauvegardes"), ("erasures", "/effacements"),
        ("courier", "/courrier"),
    )  # fmt: skip


def _asked(on: Troubles) -> list[Page]:
    """A request went by stick; its receipt came back, and no answer yet."""
    world, quimper, lorient = on.world, on.quimper, on.world.places["Lorient"]
    ladder = publish(lorient, "Échelle", *(f"Tréteau {n}" for n in range(1, 30)))[0]
    carry(world, "Lorient", "Quimper")
    request = ask(quimper, lorient, ladder.key)
    told = carry(world, "Quimper", "Lorient")
    assert told.receipt is not None
    unpack(world, "Quimper", told.receipt)
    return [("request", "Maïwenn", f"/demandes/{request.hex()}")]


def _carried(on: Troubles) -> list[Page]:
    """A file was torn on its way, then came whole; in it is something for partners only."""
    world, quimper, lorient = on.world, on.quimper, on.world.places["Lorient"]
    hidden = publish(lorient, "Sono de la fête", scope=SCOPE_PARTNERS)[0]
    raw = pack(world, "Lorient", "Quimper")
    unpack(world, "Quimper", raw[: len(raw) * 2 // 3])
    with quimper.inside():
        torn = carriages.latest(1)[0].id
    unpack(world, "Quimper", raw)
    with quimper.inside():
        whole = carriages.latest(1)[0].id
        code = listings.find(lorient.town.id, hidden.key).code
    return [
        *_desk(("torn", f"/courrier?lu={torn}"), ("whole", f"/courrier?lu={whole}")),
        ("partners-only", "Nolwenn", f"/a/{code}"),
    ]


def _partners(on: Troubles) -> list[Page]:
    """Lorient brought too much, too early and damaged; Vannes has two sets of keys."""
    world, quimper = on.world, on.quimper
    lorient, vannes = world.places["Lorient"].town.id, world.places["Vannes"].town.id
    now_ms = world.clock.at_ms
    keyset = world.places["Vannes"].town.keyring.keyset
    world.rotate("Vannes")
    number = world.places["Vannes"].town.keyring.keyset.number
    world.sync()
    with quimper.inside():
        other = SigningKey.generate().public
        rivals.keep(next_keyset(world.roots["Vannes"], keyset, other, number, "routine"))
        origins.freeze(vannes)
        origins.spend(lorient, now_ms + quota.ORIGIN_LIVE_MAX * quota.NEW_EVERY_MS)
        ahead = (b"\1" * 32, lorient, "quarantined", now_ms + 2 * DAY_MS)
        quarantine.note(lorient, [ahead, (b"\2" * 32, vannes, "unknown_keyset", None)], now_ms)
        for ago in range(4):
            strikes.note(lorient, "bad_signature", now_ms - ago * DAY_MS, role="carrier", count=9)
        for scope, missing, state in ((0, 3, "missing"), (1, 0, "complete")):
            found = Completeness(lorient, scope, now_ms << 16, 31, missing, state)
            completeness.keep(found, checkpoint=b"", fingerprint=b"", now_ms=now_ms)
    return _desk(
        ("desk", ""), ("towns", "/villes"),
        ("brought", f"/villes/{on.slug('Lorient')}"), ("frozen", f"/villes/{on.slug('Vannes')}"),
        ("frozen-keys", f"/identite/{on.slug('Vannes')}"),
    )  # fmt: skip


def _doubts(on: Troubles) -> list[Page]:
    """A restore has ended: partners are still to be heard, four promises are in doubt."""
    lorient, now_ms = on.world.places["Lorient"].town.id, on.world.clock.at_ms
    with on.quimper.inside():
        restoring.begin(now_ms, restoring.RESTORED)
        restoring.finish(now_ms)
        told = json.dumps({"state": "approved"})
        for code in (doubts.UNKNOWN, doubts.FORGOTTEN, doubts.COLLIDES, doubts.MEMBERLESS):
            doubts.raise_about(code.encode().ljust(16, b"."), code, lorient, told, now_ms)
    return _desk(("desk", ""), ("promises", "/promesses"))


def _failed(on: Troubles) -> list[Page]:
    """The disk was too full for a backup."""
    with on.quimper.inside():
        why = "the disk has 12 MB left, the backup needs 40 MB"
        marks.write(marks.BACKUP_FAILED, json.dumps({"at_ms": on.world.clock.at_ms, "why": why}))
    return _desk(("backups", "/sauvegardes"))


def _proven(on: Troubles) -> list[Page]:
    """A backup is proven good."""
    with on.quimper.inside() as town:
        rota.run(town)
        drill.run(town, open_town)
    return _desk(("backups", "/sauvegardes"))


def _stale(on: Troubles) -> list[Page]:
    """None was proven for nine days."""
    on.world.days_pass(9)
    return _desk(("desk", ""), ("backups", "/sauvegardes"))


def _restored(on: Troubles) -> list[Page]:
    """A backup was put back; Lorient is not heard yet."""
    with on.quimper.inside():
        restoring.begin(on.world.clock.at_ms, restoring.RESTORED)
        marks.write_number(marks.RESTORED_FROM, on.world.clock.at_ms - 9 * DAY_MS)
    return [
        ("home", "", "/"),
        ("publish", "Nolwenn", "/publier/objets"),
        *_desk(("desk", ""), ("backups", "/sauvegardes"), ("promises", "/promesses")),
    ]


def _twin(on: Troubles) -> list[Page]:
    """A second machine speaks with our keys."""
    with on.quimper.inside():
        restoring.begin(on.world.clock.at_ms, restoring.TWIN)
    return _desk(("backups", "/sauvegardes"))


def _replaced(on: Troubles) -> list[Page]:
    """Auray took the place of Vannes."""
    with on.quimper.inside():
        restoring.finish(on.world.clock.at_ms)
    on.world.pair("Quimper", "Auray")
    auray, vannes = (on.world.places[name].town.id for name in ("Auray", "Vannes"))
    before = _desk(("may", f"/identite/{on.slug('Auray')}"))
    with on.quimper.inside() as town:
        replacing.replace(
            vannes, auray, lambda origin: pairing.remove(origin, town.clock), town.clock, by="x"
        )
    return [
        *before,
        *_desk(
            ("old", f"/villes/{on.slug('Vannes')}"),
            ("old-keys", f"/identite/{on.slug('Vannes')}"),
            ("trail", "/journal"),
        ),
    ]


def _own_keys(on: Troubles) -> list[Page]:
    """Somebody else signed a set of keys in our name."""
    quimper = on.quimper.town
    first = quimper.keyring.keyset
    ring = on.world.rotate("Quimper")
    other = SigningKey.generate().public
    with on.quimper.inside():
        rivals.keep(
            next_keyset(on.world.roots["Quimper"], first, other, ring.keyset.number, "routine")
        )
    return _desk(("desk", ""), ("keys", "/identite"))
