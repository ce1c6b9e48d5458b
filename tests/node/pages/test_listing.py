"""The page of one listing: where it comes from, whether its signature holds, what one may do."""

import pytest

from node.members import codes
from node.store.catalogue import listings
from node.store.database import db, write_tx
from node.store.network import partners
from node.store.sets import records
from tests.node.pages.acting import ask, publish, shown, there, upload
from tests.node.pages.acting import jpeg as picture
from tests.node.pages.conftest import Pair
from tests.scenery import BARROW, SEWING, TRAILER, Scenery
from tests.visitor import Visitor


@pytest.fixture
def saw(pair: Pair) -> str:
    """A saw of Lorient, at Quimper: its address there."""
    publish(pair, "Roue libre", "Lorient", "Scie", text="Une **bonne** scie.")
    pair.world.sync()
    return there(pair, "Scie")


def test_a_listing_from_elsewhere_says_where_it_comes_from(scenery: Scenery) -> None:
    page = Visitor(scenery.place("Quimper")).read(
        f"/a/{scenery.listing('Lorient', TRAILER, held='Quimper').code}"
    )
    assert "Publiée à Lorient, copiée à Quimper jeudi 19 novembre" in page.text
    assert "la signature de Lorient correspond" in page.text
    assert "l’association de Quimper, mardi 3 novembre" in page.text
    link = page.link("Ouvrir à Lorient")
    key = scenery.listing("Lorient", TRAILER).key.hex()
    assert link == f"http://lorient.test/a/{key}"
    there = Visitor(scenery.place("Lorient"))
    assert TRAILER in there.follow(there.get(f"/a/{key}")).text


def test_our_own_listing_has_no_provenance(scenery: Scenery) -> None:
    code = scenery.listing("Quimper", BARROW).code
    page = Visitor(scenery.place("Quimper")).read(f"/a/{code}")
    assert "D’où vient" not in page.text


def test_a_code_in_small_letters_leads_to_the_one_address(scenery: Scenery) -> None:
    code = scenery.listing("Quimper", BARROW).code
    answer = Visitor(scenery.place("Quimper")).get(f"/a/{code.lower()}")
    if code.lower() != code:
        assert (answer.status_code, answer.location) == (301, f"/a/{code}")


def test_a_withdrawn_listing_leaves_a_page_that_says_so(pair: Pair, saw: str) -> None:
    own = there(pair, "Scie", "Lorient")
    pair.visitor("Roue libre", "Lorient").send(f"{own}/retirer", f"{own}/retirer")
    assert "Retirée par Lorient" in pair.visitor(town="Lorient").read(own, 410).text
    assert pair.visitor().get(saw).status_code == 200  # Quimper has not heard of it yet
    pair.world.sync()
    page = pair.visitor().read(saw, 410)
    assert "Retirée par Lorient" in page.text and "Scie" not in page.text
    assert pair.visitor("Nolwenn").get(f"{saw}/demander").status_code == 404


def test_a_listing_whose_record_has_ended_is_gone(pair: Pair, saw: str) -> None:
    pair.world.clock.forward(days=401)
    page = pair.visitor().read(saw, 410)
    assert "Lorient ne l’a pas confirmée" in page.text
    assert "401 jours" in page.text


def test_a_listing_past_its_last_day_is_read_but_not_asked_for(pair: Pair) -> None:
    href = publish(pair, "Yann", "Quimper", "Tente", ends="2026-11-24")
    pair.world.clock.forward(days=3)
    visitor = pair.visitor("Nolwenn")
    assert "Terminée" in visitor.read(href).text
    assert visitor.get(f"{href}/demander").status_code == 404
    assert "Tente" not in visitor.read("/").text


def test_a_signature_that_does_not_hold_is_said_in_words(pair: Pair, saw: str) -> None:
    listing = shown(pair, "Quimper", "Scie")
    with pair.quimper.inside(), write_tx():
        raw = bytearray(records.by_id(listing.row.record).raw)
        raw[-1] ^= 1
        db.execute_sql("UPDATE record SET raw = ? WHERE id = ?", (bytes(raw), listing.row.record))
    page = pair.visitor().read(saw)
    assert "Signature fausse" in page.text and "ne correspond pas" in page.text


def test_an_introduced_town_is_read_and_not_asked(pair: Pair, saw: str) -> None:
    with pair.quimper.inside():
        partners.save(pair.lorient.town.id, status="introduced")
    visitor = pair.visitor("Nolwenn")
    page = visitor.read(saw)
    assert "pas encore comparé" in page.text
    assert all("demander" not in href for href, _ in page.links)
    assert visitor.get(f"{saw}/demander").status_code == 403


def test_what_is_for_its_own_town_cannot_be_asked_from_another(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Échelle", who="town")
    pair.world.sync()
    href = there(pair, "Échelle")
    page = pair.visitor("Nolwenn").read(href)
    assert "réservé aux habitants de Lorient" in page.text
    assert pair.visitor("Nolwenn").get(f"{href}/demander").status_code == 403
    own = there(pair, "Échelle", "Lorient")
    assert pair.visitor("Anne", "Lorient").get(f"{own}/demander").status_code == 200


def test_a_visitor_who_asks_signs_in_and_comes_back(pair: Pair, saw: str) -> None:
    visitor = pair.visitor()
    answer = visitor.get(visitor.read(saw).link("Se connecter et demander"))
    assert answer.status_code == 303 and answer.location.startswith("/compte?next=")
    with pair.quimper.inside() as town:
        code = codes.issue(
            "desk", name="Gwenn", secret=town.keyring.secret, now_ms=town.clock.now_ms()
        )
    sent = visitor.send(answer.location, "/compte/code", code=code)
    assert (sent.status_code, sent.location) == (303, f"{saw}/demander")
    assert "Demander : Scie" in visitor.read(sent.location).text


def test_who_is_signed_in_asks_on_the_listing_itself(pair: Pair, saw: str) -> None:
    visitor = pair.visitor("Nolwenn")
    form = visitor.form(saw, f"{saw}/demander")
    assert (form.value("name"), form.value("email")) == ("Nolwenn", "nolwenn@example.org")
    assert not {"share_email", "share_phone"} & set(form.fields)  # nobody tells without ticking


def test_who_published_changes_it_and_nobody_else(pair: Pair, saw: str) -> None:
    own = there(pair, "Scie", "Lorient")
    page = pair.visitor("Roue libre", "Lorient").read(own)
    assert "Votre annonce" in page.text and page.link("La modifier") == f"{own}/modifier"
    other = pair.visitor("Anne", "Lorient")  # an administrator may too
    assert "Votre annonce" not in other.read(own).text
    assert f"{own}/modifier" in {href for href, _ in other.read(own).links}
    assert other.get(f"{own}/modifier").status_code == 200
    for who, town, href, status in (
        ("Nolwenn", "Quimper", saw, 403),
        ("", "Lorient", own, 303),
        ("Maïwenn", "Quimper", saw, 404),  # not even an administrator, of another town's
    ):
        for end in ("modifier", "retirer"):
            assert pair.visitor(who, town).get(f"{href}/{end}").status_code == status, (who, end)


def test_a_paused_listing_waits(pair: Pair, saw: str) -> None:
    own = there(pair, "Scie", "Lorient")
    keeper = pair.visitor("Roue libre", "Lorient")
    keeper.send(own, f"{own}/pause")
    pair.world.sync()
    visitor = pair.visitor("Nolwenn")
    assert "Indisponible pour le moment" in visitor.read(saw).text
    assert visitor.get(f"{saw}/demander").status_code == 404
    assert "Rien trouvé" in visitor.read("/?q=scie").text
    keeper.send(own, f"{own}/pause")
    pair.world.sync()
    assert visitor.get(f"{saw}/demander").status_code == 200


def test_a_text_is_shown_without_the_markup_of_whoever_wrote_it(pair: Pair) -> None:
    text = "<script>alert(1)</script> [clic](javascript:alert(1)) **gras** <b onclick=x>"
    href = publish(pair, "Yann", "Quimper", "<i>Titre</i>", text=text)
    page = pair.visitor().get(href).text
    assert "<script>alert" not in page and 'href="javascript' not in page
    assert "<strong>gras</strong>" in page and "<i>Titre</i>" not in page
    assert "<b onclick" not in page and "&lt;b onclick" in page


def test_photos_stand_on_the_card_and_the_page_here_and_there(pair: Pair) -> None:
    files = [upload(picture("red")), upload(picture("blue"))]
    publish(pair, "Roue libre", "Lorient", "Scie", photos=files, photos_alt="La scie")
    pair.world.sync()
    for town in ("Lorient", "Quimper"):
        visitor = pair.visitor(town=town)
        images = visitor.read(there(pair, "Scie", town)).images
        assert [each["alt"] for each in images] == ["La scie", "La scie"]
        card = [each for each in visitor.read("/").images if "photos" in each["src"]]
        assert len(card) == 1
        for each in [*images, *card]:
            assert visitor.get(each["src"]).mimetype == "image/webp"


def test_a_photo_that_has_not_come_yet_is_promised(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Scie", photos=[upload(picture())])
    lorient = pair.lorient
    with lorient.inside() as town:
        for path in town.home.glob("photos/**/*.webp"):
            path.unlink()
    pair.world.sync()
    assert "encore en chemin depuis Lorient" in pair.visitor().read(there(pair, "Scie")).text


def test_a_hidden_listing_is_nowhere(pair: Pair, saw: str) -> None:
    listing = shown(pair, "Quimper", "Scie")
    with pair.quimper.inside():
        listings.hide(listing.origin, listing.key, "signalée")
    assert pair.visitor().get(saw).status_code == 404
    assert "Scie" not in pair.visitor().read("/").text


def test_the_keeper_sees_how_many_ask(pair: Pair, saw: str) -> None:
    own = there(pair, "Scie", "Lorient")
    ask(pair, "Anne", "Lorient", own)
    page = pair.visitor("Roue libre", "Lorient").read(own)
    assert "1 demande en cours" in page.text


def test_a_furnished_listing_shows_its_own_controls(scenery: Scenery) -> None:
    code = scenery.listing("Quimper", SEWING).code
    nolwenn = Visitor(scenery.place("Quimper"), scenery.people["Quimper", "Nolwenn"])
    assert nolwenn.read(f"/a/{code}/retirer").link("Retour") == f"/a/{code}"
