"""A request travels where no network reaches: by stick between two desks, and by telephone.

Nolwenn of Quimper asks for Lorient's trailer; the link is cut all along. Everything is done on the
pages that residents and volunteers use; what is carried are the very bytes they download.
"""

import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import codec
from node.courier import import_file, import_from
from node.domain.errors import Conflict
from node.store.sets import records
from tests.drawings import TRAILER
from tests.node.pages.acting import answer, ask, jpeg, publish, there, upload
from tests.node.pages.conftest import Pair
from tests.visitor import Reader
from tests.world import World

WISH = "Pour déménager ma sœur rue du Frout"
ANSWER = "Le portail grince, sonnez deux fois."


class Desk:
    """Somebody at the desk of a town, with a stick or a telephone in the hand."""

    def __init__(self, towns: Pair, name: str, town: str) -> None:
        self.towns = towns
        self.visitor = towns.visitor(name, town)

    def take(self, other: str = "") -> bytes:
        """Download the file for another town (or for anyone), as the page offers it."""
        wanted = self.towns.world.places[other].town.id.hex()[:12] if other else "tous"
        links = self.visitor.read("/admin/courrier").links
        sent = self.visitor.get(
            next(href for href, _ in links if href.endswith(f"/{wanted}.lavoir"))
        )
        assert sent.status_code == 200, Reader(sent.text).text
        assert sent.headers["Content-Disposition"].startswith("attachment")
        return bytes(sent.data)

    def bring(self, raw: bytes, status: int = 303) -> Reader:
        """Upload a file; return the page that says what became of it."""
        form = self.visitor.form("/admin/courrier", "/admin/courrier/lire")
        fields = {**form.fields, "file": upload(raw, "courrier.lavoir")}
        sent = self.visitor.post("/admin/courrier/lire", fields)
        assert sent.status_code == status, Reader(sent.text).text
        return self.visitor.follow(sent) if status == 303 else Reader(sent.text)

    def receipt(self, page: Reader) -> bytes:
        """Download the receipt that a page offers."""
        sent = self.visitor.get(next(href for href, _ in page.links if "/recu.lavoir" in href))
        assert sent.status_code == 200
        return bytes(sent.data)


@pytest.fixture
def towns(tmp_path: Path) -> Iterator[Pair]:
    """Lorient has a trailer, Quimper knows of it, and then the network goes."""
    world = World(tmp_path)
    for name in ("Lorient", "Quimper"):
        world.found(name)
    world.pair("Lorient", "Quimper")
    people = {
        "Nolwenn": world.places["Quimper"].member("Nolwenn", "nolwenn@example.org"),
        "Maïwenn": world.places["Quimper"].member("Maïwenn", "maiwenn@example.org", ("admin",)),
        "Roue libre": world.places["Lorient"].member("Roue libre", "roue@example.org"),
        "Anne": world.places["Lorient"].member("Anne", "anne@example.org", ("admin",)),
    }
    made = Pair(world, people)
    for place in world.places.values():
        with place.inside() as town:
            town.publish_profile()
    publish(made, "Roue libre", "Lorient", TRAILER, photos=upload(jpeg()))
    world.sync()
    world.cut("Lorient", "Quimper")
    yield made
    world.close()


def asked(towns: Pair) -> str:
    """Let Nolwenn ask for the trailer; return the address of her request."""
    return ask(towns, "Nolwenn", "Quimper", there(towns, TRAILER), message=WISH)


def accepted(towns: Pair) -> None:
    """Let the trailer's keeper say yes."""
    page = towns.visitor("Roue libre", "Lorient").read("/demandes")
    href = next(href for href, _ in page.links if href.startswith("/demandes/"))
    assert WISH in towns.visitor("Roue libre", "Lorient").read(href).text
    answer(towns, "Roue libre", "Lorient", href, "approve", contact=ANSWER, share="1")


def test_a_request_goes_by_stick_and_its_answer_comes_back(towns: Pair) -> None:
    href, nolwenn = asked(towns), towns.visitor("Nolwenn")
    maiwenn, anne = Desk(towns, "Maïwenn", "Quimper"), Desk(towns, "Anne", "Lorient")
    assert "par clé USB" not in nolwenn.read(href).text
    there_and_read = anne.bring(maiwenn.take("Lorient"))
    assert "4 enregistrements lus sur 4" in there_and_read.text, there_and_read.text
    assert "1 enregistrement est nouveau ici" in there_and_read.text
    receipt = anne.receipt(there_and_read)
    maiwenn.bring(receipt)
    waiting = nolwenn.read(href).text
    assert "Reçue à Lorient, par clé USB" in waiting and "Lorient l’a reçue" in waiting
    accepted(towns)
    maiwenn.bring(anne.take("Quimper"))
    page = nolwenn.read(href)
    assert "Acceptée" in page.text and ANSWER in page.text and "signé par Lorient" in page.text


def test_the_file_that_comes_back_brings_the_receipt_as_well(towns: Pair) -> None:
    asked(towns)
    maiwenn, anne = Desk(towns, "Maïwenn", "Quimper"), Desk(towns, "Anne", "Lorient")
    anne.bring(maiwenn.take("Lorient"))
    maiwenn.bring(anne.take("Quimper"))
    slim = "/admin/courrier/" + towns.lorient.town.id.hex()[:12] + ".lavoir?photos=0"
    assert len(maiwenn.visitor.get(slim).data) < len(maiwenn.take("Lorient"))
    assert "reçu là-bas" in maiwenn.visitor.read("/admin/courrier").text


def test_whoever_finds_the_stick_reads_nothing_private(towns: Pair) -> None:
    asked(towns)
    vannes = towns.world.found("Vannes")
    towns.world.pair("Lorient", "Vannes")
    towns.people["Soizic"] = vannes.member("Soizic", "soizic@example.org", ("admin",))
    maiwenn, anne = Desk(towns, "Maïwenn", "Quimper"), Desk(towns, "Anne", "Lorient")
    there_way = maiwenn.take("Lorient")
    anne.bring(there_way)
    accepted(towns)
    back = anne.take("Quimper")
    with towns.world.places["Lorient"].inside() as town:
        sealed = [row.raw for row in records.walk() if row.scope == 2]
    assert len(sealed) == 2
    for raw in sealed:
        assert codec.sign1_split(raw)[1] not in there_way + back
    for words in (WISH, ANSWER, "Nolwenn"):
        assert words.encode() not in there_way + back
    for file, reader in ((there_way, "Lorient"), (back, "Quimper")):
        with towns.world.places["Vannes"].inside() as town:
            with pytest.raises(Conflict) as caught:
                import_from(town, io.BytesIO(file))
            assert caught.value.code == "not_for_us" and caught.value.params["town"] == reader
        page = Desk(towns, "Soizic", "Vannes").bring(file, status=409)
        assert f"pour {reader}" in page.text and "Rien n’en a été pris" in page.text


def test_everything_twice_and_in_any_order_ends_the_same(
    towns: Pair, tmp_path: Path, rng: random.Random
) -> None:
    href = asked(towns)
    maiwenn, anne = Desk(towns, "Maïwenn", "Quimper"), Desk(towns, "Anne", "Lorient")
    first = maiwenn.take("Lorient")
    receipt = anne.receipt(anne.bring(first))
    early = anne.take("Quimper")
    accepted(towns)
    late = anne.take("Quimper")
    second = maiwenn.take("Lorient")
    to_quimper, to_lorient = [early, late, receipt] * 2, [first, second] * 2
    rng.shuffle(to_quimper)
    rng.shuffle(to_lorient)
    for raw in to_quimper:
        maiwenn.bring(raw)
    for raw in to_lorient:
        anne.bring(raw)
    anne.bring(maiwenn.take("Lorient"))
    maiwenn.bring(anne.take("Quimper"))
    found = towns.world.fingerprints()
    assert found["Lorient"].items() >= found["Quimper"].items()
    page = towns.visitor("Nolwenn").read(href).text
    assert page.count("Acceptée") and ANSWER in page
    towns.world.heal("Lorient", "Quimper")
    assert towns.world.visit("Quimper", "Lorient").received == 0


def test_a_telephone_carries_it_too(towns: Pair, tmp_path: Path) -> None:
    """What the desk's page downloads the command reads, and the other way round."""
    href = asked(towns)
    phone = tmp_path / "Download" / "courrier (1).lavoir"
    phone.parent.mkdir()
    phone.write_bytes(Desk(towns, "Maïwenn", "Quimper").take("Lorient"))
    with towns.world.places["Lorient"].inside() as town:
        told = import_file(town, phone)
        assert told.outcome == "ok" and told.verdicts["stored"] >= 1 and told.receipt
    phone.write_bytes(told.receipt)
    Desk(towns, "Maïwenn", "Quimper").bring(phone.read_bytes())
    assert "Lorient l’a reçue" in towns.visitor("Nolwenn").read(href).text
