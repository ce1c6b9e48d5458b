"""Messages and tickets through the pages, without a script: who reads what, and what is refused."""

import pytest

from tests.node.pages.acting import answer, ask, publish, there
from tests.node.pages.conftest import Pair
from tests.visitor import Reader


@pytest.fixture
def saw(pair: Pair) -> str:
    """A saw of Yann's, at Quimper."""
    return publish(pair, "Yann", "Quimper", "Scie")


def write(pair: Pair, who: str, town: str, href: str, text: str) -> Reader:
    """Write a message in the form of a request's page; return the page it leads to."""
    visitor = pair.visitor(who, town)
    form = next(each for each in visitor.read(href).forms if each.action.endswith("/messages"))
    return visitor.follow(visitor.post(form.action, {**form.fields, "text": text}))


def test_both_sides_of_a_town_write_and_the_list_says_what_is_new(pair: Pair, saw: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", saw)
    assert "Samedi ?" in write(pair, "Nolwenn", "Quimper", href, "Samedi ?\n<b>gras</b>").text
    keeper = pair.visitor("Yann")
    assert "1 nouveau message" in keeper.read("/demandes").text
    page = keeper.read(href)
    assert "Samedi ?" in page.text and "<b>gras</b>" in page.text
    assert "1 nouveau message" not in keeper.read("/demandes").text
    write(pair, "Yann", "Quimper", href, "Oui, à dix heures")
    assert "Oui, à dix heures" in pair.visitor("Nolwenn").read(href).text


def test_a_message_crosses_to_the_other_town_and_back(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Remorque")
    pair.world.sync()
    href = ask(pair, "Nolwenn", "Quimper", there(pair, "Remorque"))
    mine = write(pair, "Nolwenn", "Quimper", href, "Elle a une béquille ?")
    assert "pas encore" in mine.text
    pair.world.sync()
    received = pair.visitor("Roue libre", "Lorient")
    line = received.read("/demandes")
    assert "1 nouveau message" in line.text
    there_href = line.link("Remorque")
    page = write(pair, "Roue libre", "Lorient", there_href, "Oui, et deux catadioptres")
    assert "Elle a une béquille ?" in page.text
    pair.world.sync()
    assert "deux catadioptres" in pair.visitor("Nolwenn").read(href).text


def test_a_message_of_five_thousand_characters_comes_back_as_it_was_typed(
    pair: Pair, saw: str
) -> None:
    href = ask(pair, "Nolwenn", "Quimper", saw)
    visitor = pair.visitor("Nolwenn")
    form = next(each for each in visitor.read(href).forms if each.action.endswith("/messages"))
    refused = visitor.post(form.action, {**form.fields, "text": "mot " * 1_250})
    assert refused.status_code == 422 and "500" in Reader(refused.text).text
    again = next(each for each in Reader(refused.text).forms if each.action.endswith("/messages"))
    assert again.value("text").startswith("mot mot")


def test_the_back_button_sends_no_message_twice(pair: Pair, saw: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", saw)
    visitor = pair.visitor("Nolwenn")
    form = next(each for each in visitor.read(href).forms if each.action.endswith("/messages"))
    for _ in range(3):
        assert visitor.post(form.action, {**form.fields, "text": "Une fois"}).status_code == 303
    assert visitor.read(href).text.count("Une fois") == 1


def test_a_stranger_writes_in_no_request(pair: Pair, saw: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", saw)
    stranger = pair.people["Roue libre"].id
    assert stranger  # of another town: here it is nobody's number
    outsider = pair.visitor("Maïwenn")
    form = next(each for each in outsider.read(href).forms if each.action.endswith("/messages"))
    assert outsider.post(form.action, {**form.fields, "text": "De la mairie"}).status_code == 303
    anybody = pair.visitor("")
    assert anybody.post(f"{href}/messages", {"text": "x"}).status_code in (302, 303, 400, 401, 403)
    assert "De la mairie" in pair.visitor("Nolwenn").read(href).text


def test_once_it_is_over_nobody_is_asked_to_write(pair: Pair, saw: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", saw)
    write(pair, "Nolwenn", "Quimper", href, "Finalement non")
    page = answer(pair, "Nolwenn", "Quimper", href, "withdraw")
    assert "Finalement non" in page.text
    assert not any(each.action.endswith("/messages") for each in page.forms)


def test_what_was_ticked_is_read_after_the_yes_and_only_that(pair: Pair, saw: str) -> None:
    href = ask(
        pair, "Nolwenn", "Quimper", saw,
        email="nolwenn@maison.example", phone="06 12 34", share_phone="1",
    )  # fmt: skip
    keeper = pair.visitor("Yann")
    assert "06 12 34" not in keeper.read(href).text
    page = answer(pair, "Yann", "Quimper", href, "approve", email="yann@maison.example",
                  share_email="1", phone="07 00")  # fmt: skip
    assert "06 12 34" in page.text and "nolwenn@maison.example" not in page.text
    mine = pair.visitor("Nolwenn")
    assert "yann@maison.example" in mine.read(href).text and "07 00" not in mine.read(href).text
    answer(pair, "Nolwenn", "Quimper", href, "withdraw")
    assert "06 12 34" not in keeper.read(href).text
    assert "yann@maison.example" not in mine.read(href).text


def test_a_keeper_notes_a_repair_and_closes_it(pair: Pair, saw: str) -> None:
    keeper, other = pair.visitor("Yann"), pair.visitor("Nolwenn")
    assert pair.visitor("Nolwenn").get(f"{saw}/entretien").status_code == 403
    href = ask(pair, "Nolwenn", "Quimper", saw)
    form = next(f for f in keeper.read(f"{saw}/entretien").forms if f.action.endswith("entretien"))
    sent = keeper.post(form.action, {**form.fields, "what": "repair", "broken": "Lame tordue"})
    assert sent.status_code == 303
    assert "Lame tordue" in other.read(saw).text and "Lame tordue" in other.read(href).text
    refused = pair.visitor("Maïwenn").send(
        f"{saw}/demander", first_day="2026-11-27", last_day="2026-11-27"
    )
    assert refused.status_code == 409
    assert "Lame tordue" in pair.visitor("Maïwenn").read("/admin/entretien").text
    close = next(f for f in keeper.read(f"{saw}/entretien").forms if "fermer" in f.action)
    assert keeper.post(close.action, close.fields).status_code == 303
    assert "Lame tordue" not in other.read(saw).text
    ask(pair, "Maïwenn", "Quimper", saw, first_day="2026-11-27", last_day="2026-11-27")


def test_a_borrower_reports_and_only_the_keeper_reads_the_words(pair: Pair, saw: str) -> None:
    href = ask(pair, "Nolwenn", "Quimper", saw)
    assert pair.visitor("Nolwenn").get(f"{href}/panne").status_code == 403  # not promised yet
    answer(pair, "Yann", "Quimper", href, "approve")
    answer(pair, "Yann", "Quimper", href, "hand_over")
    later = ask(pair, "Maïwenn", "Quimper", saw, first_day="2026-12-02", last_day="2026-12-02")
    borrower = pair.visitor("Nolwenn")
    form = next(f for f in borrower.read(f"{href}/panne").forms if f.value("broken") is not None)
    empty = borrower.post(f"{href}/panne", {**form.fields, "broken": " "})
    assert empty.status_code == 422
    sent = borrower.post(f"{href}/panne", {**form.fields, "broken": "CANARY manche fendu"})
    assert sent.status_code == 303
    assert "CANARY" in pair.visitor("Yann").read(f"{saw}/entretien").text
    assert "CANARY" not in borrower.read(saw).text
    assert "CANARY" not in pair.visitor("").read(saw).text
    assert "abîmé" in pair.visitor("Maïwenn").read(later).text


def test_a_ticket_whose_words_or_days_are_wrong_is_refused_with_them(pair: Pair, saw: str) -> None:
    keeper = pair.visitor("Yann")
    form = next(f for f in keeper.read(f"{saw}/entretien").forms if f.action.endswith("entretien"))
    for wrong in (
        {"what": "explosion", "broken": "x"},
        {"what": "repair", "broken": ""},
        {"what": "repair", "broken": "x" * 5_000},
        {"what": "repair", "broken": "x", "from": "2026-11-31"},
        {"what": "repair", "broken": "x", "from": "2026-12-05", "until": "2026-12-04"},
        {"what": "repair", "broken": "x", "until": "2099-01-01"},
        {"what": "repair", "broken": "x", "until": "not a day"},
    ):
        answered = keeper.post(form.action, {**form.fields, **wrong})
        assert answered.status_code == 422, wrong
        again = next(f for f in Reader(answered.text).forms if f.action.endswith("entretien"))
        assert again.value("broken") == wrong["broken"]
    assert "Rien n" in keeper.read(f"{saw}/entretien").text


def test_too_many_open_notes_are_refused_with_a_sentence(pair: Pair, saw: str) -> None:
    keeper = pair.visitor("Yann")
    for number in range(20):
        form = next(f for f in keeper.read(f"{saw}/entretien").forms if f.action.endswith("tien"))
        sent = keeper.post(form.action, {**form.fields, "what": "hint", "broken": f"{number}"})
        assert sent.status_code == 303
    form = next(f for f in keeper.read(f"{saw}/entretien").forms if f.action.endswith("tien"))
    refused = keeper.post(form.action, {**form.fields, "what": "hint", "broken": "encore un"})
    assert refused.status_code == 409 and "Fermez-en" in Reader(refused.text).text
