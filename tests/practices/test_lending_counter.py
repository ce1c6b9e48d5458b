"""Lending over the counter, through the pages: condition, photo, kits, lines, who comes today."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from node.domain.capacity import calendar_day
from node.domain.schema import plain
from node.photos.private import PrivatePhotos
from node.store.catalogue import holdings, listings
from node.store.catalogue.listings import Listing
from node.store.database import db, write_tx
from node.store.promises import engagements, tickets
from node.upkeep import upkeep
from tests.visitor import Reader, Visitor
from tests.world import START_MS, Place, World

TODAY = START_MS // 86_400_000
KIT = "Attache de selle\nDeux sangles\nPompe"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    for name in ("Lorient", "Quimper"):
        made.found(name)
    made.pair("Lorient", "Quimper")
    yield made
    made.close()


@pytest.fixture(scope="module")
def here(world: World) -> Place:
    return world.places["Lorient"]


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Place]:
    """A town of its own, for who moves its clock."""
    made = World(tmp_path)
    yield made.found("Lorient")
    made.close()


def publish(place: Place, keeper: Any, **fields: Any) -> Listing:
    """Publish a listing of lending."""
    with place.inside() as town, write_tx():
        practice = town.registry.by_name["lending"]
        body = practice.schema.read({"title": "Remorque", "object": "velo", **fields})
        record = town.journal.publish(practice.kind, plain(body))
        holdings.keep(record.key, keeper.id, town.clock.now_ms())
        return listings.find(record.origin, record.key)


def day(ahead: int) -> str:
    """Write a day as a form does."""
    return calendar_day(TODAY + ahead).isoformat()


def asked(visitor: Visitor, listing: Listing, *days: int, **typed: Any) -> str:
    """Ask through the page of a listing; return the address of the request."""
    page = f"/a/{listing.code}/demander"
    sent = visitor.send(page, days=[day(each) for each in days], **typed)
    assert sent.status_code == 303, Reader(sent.text).text
    return str(sent.location)


def press(visitor: Visitor, page: str, action: str, **typed: Any) -> Reader:
    """Press a button of a request, and read the page it leads to."""
    fields = visitor.form(page).fields
    return visitor.follow(visitor.post(page, {**fields, "action": action, **typed}))


def photo(name: str = "etat.jpg") -> tuple[io.BytesIO, str]:
    """Return a photo as a form sends it."""
    raw = io.BytesIO()
    Image.new("RGB", (60, 40), "green").save(raw, "JPEG")
    raw.seek(0)
    return raw, name


def test_a_kit_goes_out_and_comes_back_with_what_is_missing_and_a_photo(here: Place) -> None:
    keeper, asker = here.member("Roue libre"), here.member("Maïwenn")
    lender, borrower = Visitor(here, keeper), Visitor(here, asker)
    page = asked(borrower, publish(here, keeper, accessories=KIT, deposit=5_000), 0, 1)
    press(lender, page, "approve")
    form = lender.form(page)
    assert form.fields["part"] == form.fields["had"] == KIT.split("\n")
    out = press(
        lender, page, "hand_over", part=["Attache de selle", "Pompe"], deposit="1",
        reason="Rayée à gauche", photo=photo(),
    )  # fmt: skip
    assert "Il manque : Deux sangles" in out.text and "Caution prise" in out.text
    theirs = borrower.read(page)
    assert "Rayée à gauche" in theirs.text and "Il manque : Deux sangles" in theirs.text
    src = theirs.images[0]["src"]
    answer = borrower.get(src)
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert "no-store" in answer.headers["Cache-Control"]
    back = lender.form(page)
    assert back.fields["had"] == ["Attache de selle", "Pompe"]  # what went out
    again = press(lender, page, "take_back", part=["Attache de selle"], deposit="1")
    assert "Il manque : Pompe" in again.text and "Caution rendue" in again.text


def test_a_photo_of_the_condition_is_nobody_else_s_business(here: Place) -> None:
    keeper, asker = here.member("Anne"), here.member("Bernez")
    lender = Visitor(here, keeper)
    page = asked(Visitor(here, asker), publish(here, keeper), 0, 1)
    press(lender, page, "approve")
    src = press(lender, page, "hand_over", photo=photo()).images[0]["src"]
    assert Visitor(here, here.member("Curieux")).get(src).status_code == 403
    assert Visitor(here).get(src).status_code in (302, 303, 401)
    other = asked(Visitor(here, asker), publish(here, keeper), 0, 1)
    name = src.rpartition("/")[2]
    assert lender.get(f"{other}/photo/{name}").status_code == 404
    assert lender.get(f"{page}/photo/{'0' * 64}.webp").status_code == 404
    assert lender.get(f"/photos/{name}").status_code == 404


@pytest.mark.parametrize("raw", [b"<svg/>", b"GIF89a", b"\xff\xd8\xff", b"%PDF-1.4"])
def test_what_is_no_photo_stops_the_act_with_a_sentence(here: Place, raw: bytes) -> None:
    keeper, asker = here.member("Denez"), here.member("Enora")
    lender = Visitor(here, keeper)
    page = asked(Visitor(here, asker), publish(here, keeper), 0, 1)
    press(lender, page, "approve")
    answer = press(lender, page, "hand_over", photo=(io.BytesIO(raw), "x.jpg"))
    assert "Acceptée" in answer.text and "photo" in answer.text.lower()
    assert "État des lieux" not in answer.text


def test_a_borrower_notes_no_condition_whatever_they_send(here: Place) -> None:
    keeper, asker = here.member("Fañch"), here.member("Gwenn")
    page = asked(Visitor(here, asker), publish(here, keeper), 0, 1)
    press(Visitor(here, keeper), page, "approve")
    borrower = Visitor(here, asker)
    borrower.post(
        page,
        {
            "token": borrower.token(), "action": "withdraw", "noted": "withdraw", "had": "Pompe",
            "broken": "1", "reason": "cassée avant", "photo": photo(),
        },
    )  # fmt: skip
    assert "État des lieux" not in borrower.read(page).text
    with here.inside():
        assert tickets.all_open() == []


def test_the_words_travel_to_the_other_town_and_the_photo_does_not(world: World) -> None:
    home, away = world.places["Lorient"], world.places["Quimper"]
    keeper, asker = home.member("Herve"), away.member("Iwan")
    lender, borrower = Visitor(home, keeper), Visitor(away, asker)
    trailer = publish(home, keeper, accessories=KIT)
    world.sync()
    with away.inside():
        there = listings.find(trailer.origin, trailer.key)
    page = asked(borrower, there, 0, 1)
    world.sync()
    press(lender, page, "approve")
    assert "seuls vos mots voyagent" in lender.read(page).text
    press(lender, page, "hand_over", part=["Pompe"], reason="Rayée", photo=photo())
    world.sync()
    theirs = borrower.read(page)
    assert "Rayée" in theirs.text and "Il manque : Attache de selle, Deux sangles." in theirs.text
    assert theirs.images == [] and "État des lieux" not in theirs.text


def test_what_comes_back_broken_is_not_promised_and_the_next_one_is_warned(here: Place) -> None:
    keeper, asker, next_one = (here.member(each) for each in ("Jakez", "Katell", "Loeiz"))
    lender = Visitor(here, keeper)
    listing = publish(here, keeper)
    page = asked(Visitor(here, asker), listing, 0, 1)
    later = asked(Visitor(here, next_one), listing, 4, 5)
    for each in (page, later):
        press(lender, each, "approve")
    press(lender, page, "hand_over")
    private = {"reason": "Katell, rappelez-moi", "broken_text": "Une roue voilée"}
    press(lender, page, "take_back", broken="1", **private)
    for told in (Visitor(here, next_one).read(later), Visitor(here).read(f"/a/{listing.code}")):
        assert "Une roue voilée" in told.text and "rappelez-moi" not in told.text
    assert "rappelez-moi" in Visitor(here, asker).read(page).text
    refused = Visitor(here, asker).send(f"/a/{listing.code}/demander", days=[day(8)])
    assert refused.status_code == 409
    with here.inside():
        assert [each.what for each in tickets.of_listing(listing.key)] == ["repair"]


def test_what_is_broken_is_told_in_general_words_where_none_were_typed(here: Place) -> None:
    keeper, asker = here.member("Ronan"), here.member("Sterenn")
    lender, listing = Visitor(here, keeper), publish(here, keeper)
    page = asked(Visitor(here, asker), listing, 0, 1)
    for action in ("approve", "hand_over"):
        press(lender, page, action)
    press(lender, page, "take_back", broken="1", reason="Sterenn, rappelez-moi")
    told = Visitor(here).read(f"/a/{listing.code}").text
    assert "réparation" in told and "rappelez-moi" not in told


def test_who_asks_for_taken_days_may_wait_in_line_and_reads_their_place(here: Place) -> None:
    keeper, first, second = (here.member(each) for each in ("Maëlle", "Naig", "Odile"))
    listing = publish(here, keeper)
    page = asked(Visitor(here, first), listing, 2, 3)
    press(Visitor(here, keeper), page, "approve")
    waiting = Visitor(here, second)
    form = waiting.read(f"/a/{listing.code}/demander")
    assert "me mettre en file d’attente" in form.text and "pris" in form.text
    refused = waiting.send(f"/a/{listing.code}/demander", days=[day(2)])
    assert refused.status_code == 409 and "file d’attente" in Reader(refused.text).text
    place = asked(waiting, listing, 2, queue="1")
    assert "1 personne l’attend" in Visitor(here).read(f"/a/{listing.code}").text
    assert "Numéro 1 dans la file d’attente." in waiting.read(place).text
    press(Visitor(here, first), page, "withdraw")
    assert ("action", "accept") in waiting.form(place).buttons
    assert "Acceptée" in press(waiting, place, "accept").text


def test_limits_are_read_before_asking_and_who_is_at_theirs_is_told(here: Place) -> None:
    keeper, asker = here.member("Padrig"), here.member("Riwal")
    listing = publish(here, keeper, object="sport", at_once=1, renewals=2, turnround="day_between")
    reader = Visitor(here, asker).read(f"/a/{listing.code}")
    for words in ("prolongé 2 fois", "1 objet de cette sorte à la fois", "un jour d’écart"):
        assert words in reader.text
    asked(Visitor(here, asker), publish(here, keeper, object="sport"), 0, 1)
    told = Visitor(here, asker).read(f"/a/{listing.code}")
    assert "n’a pas plus d’objets de cette sorte" in told.text
    assert not any(each.action.endswith("/demander") for each in told.forms)


def test_who_comes_today_is_for_those_who_keep_it_and_the_desk(alone: Place) -> None:
    keeper, asker = alone.member("Soizic"), alone.member("Tugdual")
    lender = Visitor(alone, keeper)
    drill, tent = publish(alone, keeper, title="Perceuse"), publish(alone, keeper, title="Tente")
    fetch = asked(Visitor(alone, asker), drill, 0, 1)
    back = asked(Visitor(alone, asker), tent, 0)
    later = asked(Visitor(alone, asker), publish(alone, keeper, title="Scie"), 3)
    for each in (fetch, back, later):
        press(lender, each, "approve")
    press(lender, back, "hand_over")
    today = lender.read("/objets/aujourdhui").text
    assert "Perceuse" in today and "Tente" in today and "Scie" not in today
    assert "À remettre" in today and "À reprendre" in today and "Tugdual" in today
    with alone.inside() as town:
        town.clock.forward(days=2)
    late = lender.read("/objets/aujourdhui").text
    assert "En retard" in late and "Tente" in late
    assert "Perceuse" not in Visitor(alone, asker).read("/objets/aujourdhui").text
    moderator = alone.member("Uisant", roles=("moderator",))
    assert "Perceuse" in Visitor(alone, moderator).read("/objets/aujourdhui").text
    assert Visitor(alone).get("/objets/aujourdhui").status_code in (302, 303, 401)


def test_a_listing_is_published_with_closed_days_and_what_is_usual(here: Place) -> None:
    visitor = Visitor(here, here.member("Visant"))
    sent = visitor.send(
        "/publier/objets", title="Vélo cargo", object="velo", closed="24/12/2026 - 02/01/2027",
        holidays="1", accessories="Batterie\nAntivol", max_days="",
    )  # fmt: skip
    assert sent.status_code == 303, Reader(sent.text).text
    page = visitor.read(sent.location)
    for words in (
        "4 jours au plus",
        "24 décembre – 2 janvier",
        "jours fériés",
        "Batterie, Antivol",
    ):
        assert words in page.text, words
    form = visitor.form(sent.location + "/modifier")
    assert form.value("closed") == "24/12/2026 - 02/01/2027" and form.value("max_days") == "4"
    wrong = visitor.send(sent.location + "/modifier", closed="Noël")
    assert wrong.status_code == 422 and "24/12/2026 au 02/01/2027" in Reader(wrong.text).text


def test_more_copies_are_offered_to_who_waits_as_soon_as_the_listing_says_so(here: Place) -> None:
    keeper, first, second = (here.member(each) for each in ("Wenna", "Yann", "Zoé"))
    listing = publish(here, keeper, title="Chaise")
    press(Visitor(here, keeper), asked(Visitor(here, first), listing, 2, 3), "approve")
    place = asked(Visitor(here, second), listing, 2, 3, queue="1")
    sent = Visitor(here, keeper).send(f"/a/{listing.code}/modifier", copies="2")
    assert sent.status_code == 303
    with here.inside():
        row = engagements.find(bytes.fromhex(place.rpartition("/")[2]))
    assert row is not None and row.state == "offered"


def test_who_is_late_gets_nothing_more_but_from_the_desk_and_the_page_says_why(
    alone: Place,
) -> None:
    keeper, asker = alone.member("Alan"), alone.member("Brieg")
    moderator = alone.member("Charlez", roles=("moderator",))
    lender, desk = Visitor(alone, keeper), Visitor(alone, moderator)
    late = asked(Visitor(alone, asker), publish(alone, keeper, title="Pelle"), 0)
    press(lender, late, "approve")
    press(lender, late, "hand_over")
    wanted = asked(Visitor(alone, asker), publish(alone, keeper, title="Pioche"), 3, 4)
    press(lender, wanted, "approve")
    with alone.inside() as town:
        town.clock.forward(days=3)
        town.engagements.sweep()
    page = lender.read(wanted)
    assert "en retard" in page.text
    assert ("action", "hand_over") not in lender.form(wanted).buttons
    assert ("action", "hand_over") in desk.form(wanted).buttons
    assert "Remis" in press(desk, wanted, "hand_over").text


def test_both_sides_read_that_what_they_agreed_on_is_not_back_yet(alone: Place) -> None:
    keeper, first, second = (alone.member(each) for each in ("Alar", "Bleuenn", "Caradec"))
    lender, drill = Visitor(alone, keeper), publish(alone, keeper)
    late, page = (asked(Visitor(alone, who), drill, at) for who, at in ((first, 0), (second, 1)))
    for where, action in ((late, "approve"), (late, "hand_over"), (page, "approve")):
        press(lender, where, action)
    with alone.inside() as town:
        town.clock.forward(days=1)
        town.engagements.sweep()
    for reader in (lender, Visitor(alone, second)):
        assert "Pas encore revenu" in reader.read(page).text
    assert "doit d’abord revenir" in lender.read(page).text
    assert ("action", "hand_over") not in lender.form(page).buttons
    press(lender, late, "take_back")
    assert "Pas encore revenu" not in lender.read(page).text
    assert "Remis" in press(lender, page, "hand_over").text


def test_sixty_days_after_the_end_neither_words_nor_photo_are_left(alone: Place) -> None:
    keeper, asker = alone.member("Dewi"), alone.member("Elouan")
    lender = Visitor(alone, keeper)
    page = asked(Visitor(alone, asker), publish(alone, keeper), 0)
    press(lender, page, "approve")
    src = press(lender, page, "hand_over", reason="Rayée à droite", photo=photo()).images[0]["src"]
    for action in ("take_back", "close"):
        press(lender, page, action)
    digest = bytes.fromhex(src.rpartition("/")[2].removesuffix(".webp"))
    with alone.inside() as town:
        town.clock.forward(days=59)
        upkeep(town)
        assert town.photos.private.shelf.holds(digest)
        town.clock.forward(days=3)
        upkeep(town)
        assert not town.photos.private.shelf.holds(digest)
    lender = Visitor(alone, keeper)  # signed in again: it was long ago
    assert "Rayée à droite" not in lender.read(page).text and lender.get(src).status_code == 404


def test_a_photo_is_made_small_before_anything_is_locked_and_only_for_who_keeps_it(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, asker = here.member("Fanny"), here.member("Gaël")
    page = asked(Visitor(here, asker), publish(here, keeper, object="maison"), 0)
    press(Visitor(here, keeper), page, "approve")
    private, kept = here.town.photos.private, []

    def watched(upload: Any) -> bytes:
        kept.append(db.in_transaction())
        return PrivatePhotos.keep(private, upload)

    monkeypatch.setattr(private, "keep", watched)
    form = Visitor(here, asker).form(page)
    sent = {**form.fields, "action": "withdraw", "noted": "withdraw", "photo": photo()}
    assert Visitor(here, keeper).post(page, {**sent, "token": "forged"}).status_code >= 400
    Visitor(here, here.member("Heodez")).post(page, {**sent, "photo": photo()})
    borrower = Visitor(here, asker)
    borrower.post(
        page, {**borrower.form(page).fields, "noted": "x", "action": "x", "photo": photo()}
    )
    assert kept == [False]  # the keeper's alone, whose forged form then did nothing
    press(Visitor(here, keeper), page, "hand_over", photo=photo())
    assert kept == [False, False]
