"""A world as people know it after some weeks: listings, photos, requests in every state, a town
that has gone silent and one whose words are not compared yet. The pages are looked at in it.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from node.cli.seed import seeding
from node.domain.capacity import calendar_day
from node.domain.schema import plain
from node.engagements.tickets import Report
from node.erasure import cleaning, erase
from node.members import passwords, sessions
from node.pages.here import Shown
from node.partners import pairing
from node.practices.lending.practice import PRACTICE as LENDING
from node.store.catalogue import holdings, listings
from node.store.database import using, write_tx
from node.store.sets import records
from tests.drawings import BARROW, SEWING, TENT, TRAILER, drawing
from tests.node.partner_wire import foreign_record
from tests.world import START_MS, Place, World

DAY_MS = 86_400_000
TODAY = START_MS // DAY_MS
MANAGERS = {
    "Lorient": "Roue libre",
    "Quimper": "Les Mains de l’Odet",
    "Vannes": "Le Bief",
    "Auray": "Les Mains du Loch",
}
REQUESTS_SHOWN = ("accepted", "unsent", "received", "declined")
PASSWORD = "ajonc-moulin-sterne"
OWNED: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (
    ("Vannes", "Soizic", TENT, "À monter à quatre, une heure.", {"object": "fete"}),
    ("Quimper", "Nolwenn", SEWING, "Réglée, avec ses bobines.", {"object": "maison"}),
    (
        "Lorient",
        "Roue libre",
        TRAILER,
        "Remorque à deux roues, attache de selle fournie pour tous les vélos. Elle porte une"
        " machine à laver ou six caisses de légumes. À rendre propre, pneus gonflés.",
        {
            "object": "velo", "owner": "library", "open_days": [2, 5], "hours": "14 h à 18 h",
            "deposit": 5000, "max_days": 4, "accessories": "Attache de selle, deux sangles, pompe",
            "place": {
                "name": "Atelier vélo de Keryado", "insee": "56121", "lat_e6": 47_763_000,
                "lon_e6": -3_366_000,
            },
        },
    ),
    ("Quimper", "Yann", BARROW, "Monte les marches, porte 60 kg.", {"auto": True}),
)  # fmt: skip


@dataclass
class Scenery:
    """The world and who lives in it: members by (town, name), requests by what they show."""

    world: World
    people: dict[tuple[str, str], Any] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    gone: str = ""  # the code of a listing that was withdrawn
    erased: str = ""  # that of one Nolwenn withdrew: Lorient answered, Vannes did not

    def place(self, town: str) -> Place:
        """Return one town of the world."""
        return self.world.places[town]

    def listing(self, of: str, title: str, held: str = "") -> Any:
        """Return the listing `of` a town with that title, as it or another town holds it."""
        row = listings.Listing
        with self.place(held or of).inside():
            return row.get(row.title == title, row.origin == self.place(of).town.id)

    def titles(self, of: str) -> list[str]:
        """Return the titles of what is lent in a town, in order."""
        row = listings.Listing
        with self.place(of).inside() as town:
            lent = row.select().where(row.origin == town.id, row.verb == "preter")
            return sorted(each.title for each in lent)

    def cookie(self, town: str, name: str) -> dict[str, str]:
        """Open a session for somebody and return the cookie that carries it."""
        with self.place(town).inside() as here:
            token = sessions.open(
                self.people[town, name].id, now_ms=self.world.clock.now_ms(), device="Firefox"
            )
            return {"name": f"lavoir-{here.id.hex()[:8]}", "value": token}


def build(folder: Path) -> Scenery:
    """Make the whole scenery in an empty folder: three towns paired, a fourth waiting."""
    scenery = Scenery(World(folder))
    world = scenery.world
    world.clock.at_ms = START_MS - 20 * DAY_MS
    for name, manager in MANAGERS.items():
        world.found(name, manager=manager)
    for one, other in (("Quimper", "Lorient"), ("Quimper", "Vannes"), ("Lorient", "Vannes")):
        world.pair(one, other)
    _people(scenery)
    _publish(scenery)
    world.clock.at_ms = START_MS - 9 * DAY_MS
    world.sync()
    _furnish(scenery)
    _withdraw(scenery)
    world.clock.at_ms = START_MS - 4 * DAY_MS
    world.sync()
    _clean(scenery)
    world.sync(1)
    _fall_silent(scenery, "Vannes")
    world.clock.at_ms = START_MS - 3 * 3_600_000
    _requests(scenery)
    _await_words(scenery)
    _introduce(scenery)
    world.clock.at_ms = START_MS
    world.sync(1)
    _forge(scenery)
    return scenery


def _publish(scenery: Scenery) -> None:
    """Let each town publish its listings, in turn, some minutes apart."""
    towns = [scenery.place(name).town for name in ("Lorient", "Quimper", "Vannes")]
    steps = [seeding(town, town.config.name.lower()) for town in towns]
    going = list(zip(towns, steps, strict=True))
    while going:
        for each in list(going):
            with using(each[0].database):
                if next(each[1], _OVER) is _OVER:
                    going.remove(each)
            scenery.world.clock.forward(minutes=7)


_OVER = object()


def _people(scenery: Scenery) -> None:
    for town, name, roles in (
        ("Quimper", "Maïwenn", ("admin",)),
        ("Quimper", "Nolwenn", ()),
        ("Quimper", "Yann", ()),
        ("Lorient", "Roue libre", ("admin",)),
        ("Vannes", "Soizic", ()),
    ):
        email = f"{name.lower().replace(' ', '.').replace('ï', 'i')}@example.org"
        scenery.people[town, name] = scenery.place(town).member(name, email, roles)
    with scenery.place("Quimper").inside():
        for name in ("Maïwenn", "Nolwenn"):
            passwords.choose(scenery.people["Quimper", name].id, PASSWORD)


def _furnish(scenery: Scenery) -> None:
    """Let people publish things of their own, with a photo."""
    for town, owner, title, text, more in OWNED:
        with scenery.place(town).inside() as here:
            practice = here.registry.by_name["lending"]
            body = practice.schema.read({"title": title, "text": text, **more})
            body.photos = [here.photos.keep(drawing(title), title)]
            with write_tx():
                record = here.journal.publish(practice.kind, plain(body))
                holdings.keep(record.key, scenery.people[town, owner].id, here.clock.now_ms())
        scenery.world.clock.forward(minutes=50)


def _withdraw(scenery: Scenery) -> None:
    """Let Lorient withdraw something it lent."""
    row = scenery.listing("Lorient", scenery.titles("Lorient")[-1])
    scenery.gone = row.code
    with scenery.place("Lorient").inside() as town, write_tx():
        town.journal.withdraw(row.key)
    with scenery.place("Quimper").inside() as town:
        body = plain(LENDING.schema.read({"title": "Appareil à raclette", "object": "cuisine"}))
        key = town.journal.publish(LENDING.kind, body).key
        holdings.keep(key, scenery.people["Quimper", "Nolwenn"].id, town.clock.now_ms())
        scenery.erased = listings.find(town.id, key).code
        erase(town, key)


def _clean(scenery: Scenery) -> None:
    """Let two towns take what was withdrawn out of their files, and say so; Vannes does not."""
    for name in ("Quimper", "Lorient"):
        with scenery.place(name).inside() as town:
            cleaning.clean(town, at_once=True)


def _fall_silent(scenery: Scenery, name: str) -> None:
    """Take a town off the network and let the others notice it for four days."""
    world = scenery.world
    world.places[name].is_up = False
    for one in ("Quimper", "Lorient"):
        world.visit(one, name)


def _requests(scenery: Scenery) -> None:
    """Ask for things, here and there, and let some of it be answered."""
    trailer = _ask(scenery, "Nolwenn", "Lorient", TRAILER, 5, "Un déménagement.")
    _ask(scenery, "Nolwenn", "Quimper", BARROW, 2, "Bonjour ! Pour le potager.")
    sewing = _ask(scenery, "Yann", "Quimper", SEWING, 3, "Un ourlet à faire.")
    declined = _ask(scenery, "Yann", "Quimper", SEWING, 9, "Et des rideaux.")
    unsent = _ask(scenery, "Nolwenn", "Vannes", TENT, 8, "")
    scenery.world.clock.forward(minutes=11)
    scenery.world.sync(1)
    reason = "Rendez-vous à l’atelier."
    _act(scenery, "Lorient", "Roue libre", trailer, "approve", reason=reason)
    _act(scenery, "Quimper", "Nolwenn", declined, "decline", reason="Elle est en réparation.")
    scenery.world.clock.forward(minutes=9)
    scenery.world.sync(1)
    with scenery.place("Quimper").inside() as town:
        yann, barrow = scenery.people["Quimper", "Yann"], scenery.listing("Quimper", BARROW)
        town.engagements.talk.say(
            sewing, "Faut-il apporter du fil ?", member_id=yann.id, message_id=b"talk-one"
        )
        worn = Report("hint", "Le pneu se dégonfle : la pompe est dans le bac.")
        town.engagements.tickets.open_(barrow, worn, yann.id)
    scenery.requests |= {
        "accepted": trailer.hex(),
        "received": sewing.hex(),
        "declined": declined.hex(),
        "unsent": unsent.hex(),
    }


def _ask(scenery: Scenery, who: str, of: str, title: str, ahead_days: int, message: str) -> bytes:
    """Ask for something for one day, the first on which it is fetched `ahead_days` from now."""
    row = scenery.listing(of, title, held="Quimper")
    with scenery.place("Quimper").inside() as town:
        engaging = town.registry.by_name[row.practice].engaging
        body = Shown(row, town.registry.by_name[row.practice]).body
        days = range(TODAY + ahead_days, TODAY + ahead_days + 7)
        day = calendar_day(next(each for each in days if engaging.open_on(body, each)))
        form = {
            "first_day": day.isoformat(),
            "last_day": day.isoformat(),
            "message": message,
            "saw": town.engagements.saw(row),
            "name": who,
            "email": f"{who.lower()}@example.org",
            "share_email": "1",
        }
        which = hashlib.sha256(f"{who} {of} {title} {ahead_days}".encode()).digest()[:16]
        person = scenery.people["Quimper", who]
        return bytes(town.engagements.ask(row, person.id, form, which).id)


def _act(scenery: Scenery, town: str, who: str, which: bytes, action: str, **args: str) -> None:
    with scenery.place(town).inside() as here:
        here.engagements.act(
            which,
            action,
            member_id=scenery.people[town, who].id,
            role="keeper",
            act_id=(action + "........").encode()[:8],
            args={**args, "contact": "atelier@example.org", "share": "1"},
        )


def _await_words(scenery: Scenery) -> None:
    """Let Auray answer Quimper's invitation; the words are still to be compared."""
    with scenery.place("Quimper").inside() as town:
        invitation = pairing.invite(town.config.url, town.clock)
    with scenery.place("Auray").inside() as town:
        town.exchanges.accept(invitation.text)


def _introduce(scenery: Scenery) -> None:
    """Let Lorient tell Quimper of a town only Lorient knows."""
    world = scenery.world
    far = world.found("Pontivy", manager="Le Blavet")
    world.pair("Lorient", "Pontivy")
    with scenery.place("Lorient").inside() as town:
        pairing.introduce(far.town.id, scenery.place("Quimper").town.id, town.clock)


def _forge(scenery: Scenery) -> None:
    """Let Lorient bring Quimper a record somebody changed on the way, one of the day after tomorrow
    and one that only a newer version can show.
    """
    lorient = scenery.place("Lorient").town
    row = scenery.listing("Lorient", TRAILER)
    with scenery.place("Lorient").inside():
        raw = bytearray(records.by_id(row.record).raw)
    raw[-1] ^= 1
    now_ms = scenery.world.clock.now_ms()
    ahead = foreign_record(lorient.keyring, now_ms + 2 * DAY_MS)
    newer = foreign_record(lorient.keyring, now_ms, kind="garden.plot/1")
    with scenery.place("Quimper").inside() as town:
        town.journal.ingest([bytes(raw), ahead.raw, newer.raw], lorient.id)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as behind gunicorn

    def log_request(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(place: Place) -> Iterator[str]:
    """The address of one town, served on the loopback as long as the block lasts."""
    server = make_server("127.0.0.1", 0, place.app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
