"""Leaving: an account is erased by its own page, or by the desk, and by nobody else."""

from node.members import accounts
from node.store.catalogue.listings import Listing
from tests.node.pages.acting import ask, publish, there
from tests.node.pages.conftest import Pair


def test_a_person_erases_their_account_with_all_that_is_theirs(pair: Pair) -> None:
    publish(pair, "Nolwenn", "Quimper", "Perceuse")
    publish(pair, "Roue libre", "Lorient", "Remorque")
    pair.world.sync()
    request = ask(pair, "Nolwenn", "Quimper", there(pair, "Remorque"))
    visitor = pair.visitor("Nolwenn")
    page = visitor.read("/compte/effacer").text
    assert "Effacer le compte de Nolwenn" in page
    assert "1 annonce est retirée" in page and "1 demande en cours" in page
    sent = visitor.send("/compte/effacer")
    assert sent.status_code == 303
    assert "Votre compte est effacé" in visitor.follow(sent).text
    assert visitor.get(request).status_code in (302, 303, 401, 403, 404)
    pair.world.sync()  # the home of what was asked says that it is over
    with pair.quimper.inside() as town:
        assert town.engagements.of_member(pair.people["Nolwenn"].id)[0][0].final
        assert Listing.get(Listing.origin == town.id).state == "withdrawn"
    assert "Nolwenn" not in pair.visitor("Maïwenn").read("/admin/membres").text


def test_the_desk_erases_an_account_for_somebody(pair: Pair) -> None:
    number = pair.people["Yann"].id
    desk = pair.visitor("Maïwenn")
    assert "Effacer le compte de Yann" in desk.read(f"/admin/membres/{number}/effacer").text
    sent = desk.send(f"/admin/membres/{number}/effacer")
    assert sent.status_code == 303 and "Yann" not in desk.follow(sent).text
    assert desk.get(f"/admin/membres/{number}/effacer").status_code == 404
    assert desk.get("/admin/membres/99999/effacer").status_code == 404


def test_nobody_else_erases_an_account_and_the_last_administrator_stays(pair: Pair) -> None:
    number = pair.people["Yann"].id
    other = pair.visitor("Nolwenn")
    assert other.get(f"/admin/membres/{number}/effacer").status_code == 403
    answer = other.post(f"/admin/membres/{number}/effacer", {"token": other.token()})
    assert answer.status_code == 403
    assert pair.visitor().get("/compte/effacer").status_code in (302, 303)
    desk = pair.visitor("Maïwenn")
    sent = desk.send("/compte/effacer")
    assert sent.status_code == 409 and "seule personne qui administre" in sent.text
    with pair.quimper.inside():
        assert accounts.find(number).name == "Yann"
        assert accounts.find(pair.people["Maïwenn"].id).name == "Maïwenn"


def test_an_erasure_sent_twice_is_one(pair: Pair) -> None:
    visitor = pair.visitor("Nolwenn")
    form = visitor.form("/compte/effacer")
    first = visitor.post("/compte/effacer", form.fields)
    again = visitor.post("/compte/effacer", form.fields)
    assert first.status_code == 303 and again.status_code in (303, 400, 401, 409)
