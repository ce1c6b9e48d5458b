"""Requests through the pages: here and between two towns, what each side reads, who may do what."""

import pytest

from node.partners import pairing
from node.store.network import partners
from tests.node.pages.acting import answer, ask, publish, there
from tests.node.pages.conftest import Pair
from tests.scenery import Scenery
from tests.visitor import Reader, Visitor


@pytest.fixture
def saw(pair: Pair) -> str:
    """A saw of Yann's, at Quimper."""
    return publish(pair, "Yann", "Quimper", "Scie")


@pytest.fixture
def far(pair: Pair) -> str:
    """A trailer of Lorient, at Quimper: its address there."""
    publish(pair, "Roue libre", "Lorient", "Remorque")
    pair.world.sync()
    return there(pair, "Remorque")


def test_a_request_inside_one_town_goes_from_asked_to_brought_back(pair: Pair, saw: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", saw, phone="06 12", share_phone="1")
    assert "Demandée" in pair.visitor("Nolwenn").read(href).text
    keeper = pair.visitor("Yann").read(href)
    assert "Nolwenn" in keeper.text and "Merci !" in keeper.text and "06 12" not in keeper.text
    page = answer(pair, "Yann", "Quimper", href, "approve", reason="Sonnez fort")
    assert "Acceptée" in page.text and "06 12" in page.text
    mine = pair.visitor("Nolwenn").read(href)
    assert "Acceptée" in mine.text and "Sonnez fort" in mine.text
    answer(pair, "Yann", "Quimper", href, "hand_over")
    answer(pair, "Yann", "Quimper", href, "take_back")
    page = answer(pair, "Yann", "Quimper", href, "close")
    assert page.forms == [] or all(each.action != "" for each in page.forms)


def test_a_request_to_another_town_is_answered_and_signed_there(pair: Pair, far: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", far, phone="06 12", share_phone="1")
    mine = pair.visitor("Nolwenn")
    assert "signé par" not in mine.read(href).text
    pair.world.sync()
    received = pair.visitor("Roue libre", "Lorient").read("/demandes")
    assert "À vous" in received.text and "Nolwenn vous le demande" in received.text
    there_href = received.link("Remorque")
    reason = "Samedi à l’atelier"
    answer(pair, "Roue libre", "Lorient", there_href, "approve", reason=reason)
    pair.world.sync()
    page = mine.read(href)
    assert "Confirmée par Lorient" in page.text and reason in page.text
    assert page.text.count("signé par Lorient") == 2  # received, and accepted


def test_while_the_other_town_is_away_the_request_waits_and_then_leaves(
    pair: Pair, far: str
) -> None:
    pair.world.cut("Lorient", "Quimper")
    pair.world.visit("Quimper", "Lorient")
    href = ask(pair, "Nolwenn", "Quimper", far)
    mine = pair.visitor("Nolwenn")
    pair.world.visit("Quimper", "Lorient")
    page = mine.read(href).text
    assert "Écrite" in page and "signé par" not in page and "Lorient est injoignable" in page
    pair.world.heal("Lorient", "Quimper")
    pair.world.sync()
    assert "signé par Lorient" in mine.read(href).text


def test_the_same_ask_sent_again_is_one_request(pair: Pair, saw: str) -> None:
    visitor = pair.visitor("Nolwenn")
    form = visitor.form(f"{saw}/demander").fields
    fields = {**form, "first_day": "2026-11-25", "last_day": "2026-11-26"}
    answers = [visitor.post(f"{saw}/demander", fields) for _ in range(3)]
    assert {(each.status_code, each.location) for each in answers} == {(303, answers[0].location)}
    assert visitor.read("/demandes").text.count("vous le demandez") == 1


def test_the_same_wish_from_a_second_tab_is_one_request(pair: Pair, saw: str, far: str) -> None:
    for href in (saw, far):
        visitor = pair.visitor("Nolwenn")
        dates = {"first_day": "2026-11-25", "last_day": "2026-11-26"}
        tabs = [{**visitor.form(f"{href}/demander").fields, **dates} for _ in range(3)]
        tabs[2]["first_day"] = tabs[2]["last_day"] = "2026-12-02"
        places = [visitor.post(f"{href}/demander", fields).location for fields in tabs]
        assert places[0] == places[1] != places[2]


def test_a_refused_ask_keeps_what_was_typed(pair: Pair, saw: str) -> None:
    typed = {
        "first_day": "2026-11-29",
        "last_day": "2026-11-25",
        "message": "Bonjour « à vous »",
        "phone": "06 12",
        "share_phone": "1",
    }
    refused = pair.visitor("Nolwenn").send(f"{saw}/demander", **typed)
    assert refused.status_code == 422
    form = next(f for f in Reader(refused.text).forms if f.action == f"{saw}/demander")
    assert {name: form.value(name) for name in typed} == typed


def test_what_was_taken_meanwhile_is_said_and_nothing_is_lost(pair: Pair, saw: str) -> None:
    first = ask(pair, "Nolwenn", "Quimper", saw)
    answer(pair, "Yann", "Quimper", first, "approve")
    refused = pair.visitor("Maïwenn").send(
        f"{saw}/demander", first_day="2026-11-25", last_day="2026-11-25", message="Pareil"
    )
    assert refused.status_code == 409
    page = Reader(refused.text)
    assert "prise" in page.text or "pris" in page.text
    form = next(f for f in page.forms if f.action == f"{saw}/demander")
    assert form.value("message") == "Pareil"


def test_a_listing_that_changed_is_asked_for_anew(pair: Pair, saw: str) -> None:
    visitor = pair.visitor("Nolwenn")
    fields = visitor.form(f"{saw}/demander").fields
    pair.visitor("Yann").send(f"{saw}/modifier", deposit="80")
    dates = {"first_day": "2026-11-25", "last_day": "2026-11-26"}
    refused = visitor.post(f"{saw}/demander", {**fields, **dates})
    assert refused.status_code == 409
    form = next(f for f in Reader(refused.text).forms if f.action == f"{saw}/demander")
    assert form.value("saw") != fields["saw"][0]  # the page now shows the listing as it is


def test_ones_own_listing_cannot_be_asked_for(pair: Pair, saw: str) -> None:
    assert pair.visitor("Yann").get(f"{saw}/demander").status_code == 403


def test_a_request_is_read_by_its_two_sides_and_the_desk(pair: Pair, saw: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", saw)
    for who, status in (("Nolwenn", 200), ("Yann", 200), ("Maïwenn", 200), ("", 303)):
        assert pair.visitor(who).get(href).status_code == status, who
    stranger = pair.quimper.member("Loïc")
    assert Visitor(pair.quimper, stranger).get(href).status_code == 403
    for wrong in ("zz", "00" * 16, "00", "é", "0" * 400):
        assert pair.visitor("Nolwenn").get(f"/demandes/{wrong}").status_code == 404, wrong


def test_an_act_that_is_not_ones_own_is_refused_in_words(pair: Pair, saw: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", saw)
    visitor = pair.visitor("Nolwenn")
    for action in ("approve", "hand_over", "zzz", ""):
        form = visitor.form(href)
        page = visitor.follow(visitor.post(href, {**form.fields, "action": action}))
        assert "Demandée" in page.text
    stranger = Visitor(pair.quimper, pair.quimper.member("Loïc"))
    assert stranger.post(href, {"token": stranger.token(), "action": "approve"}).status_code == 403


def test_an_answer_to_an_older_page_is_refused_and_shows_the_new_one(pair: Pair, saw: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", saw)
    keeper = pair.visitor("Yann")
    old = keeper.form(href).fields
    answer(pair, "Nolwenn", "Quimper", href, "withdraw")
    page = keeper.follow(keeper.post(href, {**old, "action": "approve"}))
    assert "Annulée" in page.text and "Acceptée" not in page.text


def test_the_count_on_top_is_of_what_waits_for_me(pair: Pair, saw: str) -> None:
    assert "qui vous attend" not in pair.visitor("Yann").read("/").text
    href = ask(pair, "Nolwenn", "Quimper", saw)
    menu = pair.visitor("Yann").get("/").text
    assert '<span class="n">1<' in menu
    answer(pair, "Yann", "Quimper", href, "decline")
    assert '<span class="n">' not in pair.visitor("Yann").get("/").text


def test_what_is_over_is_folded_away(pair: Pair, saw: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", saw)
    answer(pair, "Nolwenn", "Quimper", href, "withdraw")
    page = pair.visitor("Nolwenn").get("/demandes").text
    assert page.index("<details>") < page.index(href)


def test_a_town_that_left_leaves_its_requests_readable(pair: Pair, far: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", far)
    pair.world.sync()
    with pair.quimper.inside() as town:
        pairing.remove(pair.lorient.town.id, town.clock)
        assert partners.find(pair.lorient.town.id).status == "removed"
    visitor = pair.visitor("Nolwenn")
    assert visitor.get(href).status_code == 200 and visitor.get("/demandes").status_code == 200


def test_the_furnished_requests_are_told_apart(scenery: Scenery) -> None:
    visitor = Visitor(scenery.place("Quimper"), scenery.people["Quimper", "Nolwenn"])
    page = visitor.read("/demandes")
    assert "À vous" in page.text and "En cours" in page.text and "1 terminée" in page.text
    accepted = visitor.read(f"/demandes/{scenery.requests['accepted']}")
    assert "atelier@example.org" in accepted.text and "Rendez-vous à l’atelier." in accepted.text
