"""A listing with a photo is published in Lorient, read in Quimper and, through it, in Vannes; asked
for once; then withdrawn. After the exchanges no file of the three houses holds a byte of it.
"""

import base64
import email
import email.policy
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from node.app import jobs_of
from node.journal import logbook
from node.journal.erasing import ERASURE
from node.partners import pairing
from node.store.catalogue.listings import Listing
from tests.visitor import Visitor
from tests.world import Place, World

MARKER = "zanzibaroque"  # in the title, the text and the place; searched without regard to case
TOWNS = ("Lorient", "Quimper", "Vannes")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient and Vannes know each other through Quimper alone."""
    made = World(tmp_path)
    for name in TOWNS:
        made.found(name)
    made.pair("Lorient", "Quimper")
    made.pair("Quimper", "Vannes")
    lorient, quimper, vannes = (made.places[name] for name in TOWNS)
    with quimper.inside():
        pairing.introduce(lorient.town.id, vannes.town.id, made.clock)
        pairing.introduce(vannes.town.id, lorient.town.id, made.clock)
    made.sync()
    for here, there in ((lorient, vannes), (vannes, lorient)):
        with here.inside() as town:
            pairing.accept_introduced(there.town.id, town.store, made.clock)
    made.sync()
    yield made
    made.close()


def work(world: World, rounds: int = 3) -> None:
    """Let every node do what it does by itself: mails, erasures, visits; time passes meanwhile."""
    for _ in range(rounds):
        for place in world.places.values():
            with place.inside() as town:
                for job in jobs_of(town):
                    if job.name in ("mails", "erasures") and job.has_work(town):
                        job.run(town)
        world.sync(1)
        world.clock.forward(minutes=2)


def picture() -> bytes:
    """A photo no two bytes of which are alike, so that its pieces can be searched for."""
    buffer = io.BytesIO()
    Image.effect_noise((400, 300), 90).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def published(place: Place, person: Any, photo: bytes) -> Listing:
    """Publish a listing by its form, as a person does; return it as it is shown there."""
    answer = Visitor(place, person).send(
        "/publier/objets",
        title=f"Échelle {MARKER}",
        text=f"Trois mètres, {MARKER}.",
        object="bricolage",
        place=f"Hangar {MARKER}",
        photos=(io.BytesIO(photo), "photo.jpg"),
    )
    assert answer.status_code == 303, answer.text
    with place.inside():
        return Listing.get(Listing.code == answer.location.rsplit("/", 1)[1])


def ask(place: Place, person: Any, code: str) -> None:
    """Ask for a listing for two days, with a word to its keeper."""
    days = {"first_day": "2026-11-25", "last_day": "2026-11-26"}
    answer = Visitor(place, person).send(f"/a/{code}/demander", message="Bonjour", **days)
    assert answer.status_code == 303, answer.text


def files(place: Place) -> dict[Path, bytes]:
    """Return every file of a house with its bytes; a letter also as its reader sees it."""
    found = {}
    for path in sorted(place.town.home.rglob("*")):
        if path.is_file():
            found[path] = path.read_bytes()
            if path.suffix == ".eml":
                mail: Any = email.message_from_bytes(found[path], policy=email.policy.default)
                found[path] += f"{mail['Subject']}\n{mail.get_content()}".encode()
    return found


def holding(place: Place, *secrets: bytes) -> set[str]:
    """Return the names of the files in which one of these is found, whatever its case."""
    return {
        path.name
        for path, raw in files(place).items()
        if any(each in raw or each.lower() in raw.lower() for each in secrets)
    }


def forms(word: str) -> list[bytes]:
    """Return a word as it may lie in a file: UTF-8, UTF-16, base64 at its three places."""
    raw = word.encode()
    shifted = [base64.b64encode(b" " * shift + raw)[4 * bool(shift) : -4] for shift in range(3)]
    return [raw, word.encode("utf-16-le"), *shifted]


def pieces(place: Place, digest: bytes) -> list[bytes]:
    """Return pieces of a photo and of its thumbnail as they lie on the shelf."""
    found = []
    for thumbnail in (False, True):
        raw = place.town.photos.shelf.path(digest, thumbnail).read_bytes()
        found += [raw[at : at + 48] for at in range(64, len(raw) - 48, 1_500)]
    return found


def test_an_erased_listing_is_gone_from_the_files_of_three_towns(world: World) -> None:
    lorient, quimper, vannes = (world.places[name] for name in TOWNS)
    anne = lorient.member("Anne", "anne@example.org")
    yann = quimper.member("Yann", "yann@example.org")

    row = published(lorient, anne, picture())
    work(world)
    with quimper.inside():
        code = Listing.get(Listing.key == row.key).code
    ask(quimper, yann, code)
    work(world)

    photo = pieces(lorient, row.photo)
    assert len(photo) > 4
    for place in (lorient, quimper, vannes):  # it is there, in several files, or we search in vain
        with place.inside() as town:
            town.database.execute_sql("PRAGMA wal_checkpoint(PASSIVE)")  # as busy nodes do
        assert {"lavoir.db", "lavoir.db-wal"} <= holding(place, *forms(MARKER)), place.name
        assert any(name.endswith(".webp") for name in holding(place, *photo)), place.name
    assert any(name.endswith(".eml") for name in holding(lorient, *forms(MARKER)))

    page = Visitor(lorient, anne)
    answer = page.send(f"/a/{row.code}/retirer", f"/a/{row.code}/retirer")
    assert answer.status_code == 303
    noted = [
        line.body[1]
        for line in logbook.read(lorient.town.home, lorient.town.keyring.archive)
        if line.kind == ERASURE
    ]
    assert row.key in noted
    said = page.read(f"/a/{row.code}", 410).text
    assert "Quimper n’a pas encore répondu" in said

    work(world)

    for place in (lorient, quimper, vannes):
        assert holding(place, *forms(MARKER)) == set(), place.name
        assert holding(place, *photo) == set(), place.name
    said = page.read(f"/a/{row.code}", 410).text
    assert "Effacée à Quimper" in said
    assert "Effacée à Vannes" in said  # reached through Quimper alone, it answered too
    assert MARKER not in said
