"""Agreements and the end of a link through the pages: two desks write, sign, and part."""

from node.partners import removal
from node.store.network import agreements, partners
from tests.node import agreeing
from tests.node.pages.acting import answer, ask, publish, there
from tests.node.pages.conftest import Pair


def slug(pair: Pair, name: str) -> str:
    return pair.world.places[name].town.id.hex()[:12]


def carry(pair: Pair) -> None:
    agreeing.settled(pair.world)


def written(pair: Pair, **typed: str) -> None:
    """Lorient writes, Quimper agrees, each at its desk."""
    at = f"/admin/villes/{slug(pair, 'Quimper')}/accord"
    sent = pair.visitor("Anne", "Lorient").send(at, at, **typed)
    assert sent.status_code == 303
    carry(pair)
    desk = pair.visitor("Maïwenn")
    back = f"/admin/villes/{slug(pair, 'Lorient')}/accord"
    assert "a écrit un accord" in desk.read("/admin").text
    page = desk.follow(desk.send(back, f"{back}/accepter"))
    assert "Signé" in page.text
    carry(pair)


def test_two_desks_come_to_an_agreement_and_everybody_can_read_it(pair: Pair) -> None:
    at = f"/admin/villes/{slug(pair, 'Lorient')}/accord"
    assert "Pas encore écrit" in pair.visitor("Maïwenn").read(at).text
    public = f"/villes/{slug(pair, 'Lorient')}"
    assert "Pas encore écrit" in pair.visitor().read(public).text
    contact = "02 97 00 00 00"
    written(pair, contact=contact, review="2027-11-23", **{"in-lending": "none"})
    for name, who, town in (("Lorient", "Maïwenn", "Quimper"), ("Quimper", "Anne", "Lorient")):
        page = pair.visitor(who, town).read(f"/admin/villes/{slug(pair, name)}/accord").text
        assert "En vigueur" in page and "Version" in page
    text = pair.visitor().read(public).text
    assert contact in text and "2027" in text
    assert "Les habitants de Quimper peuvent demander : personne" in text
    assert "Les habitants de Lorient peuvent demander : tous les habitants" in text
    trail = pair.visitor("Maïwenn").read("/admin/journal").text
    assert "Maïwenn" in trail and "accord" in trail


def test_a_button_outside_the_agreement_says_so_before_anything_is_written(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Scie")
    written(pair, **{"in-lending": "none", "out-lending": "all"})
    page = pair.visitor("Nolwenn").read(there(pair, "Scie"))
    assert "L’accord avec Lorient ne couvre pas cela" in page.text
    assert not [form for form in page.forms if form.action.endswith("/demander")]
    href = f"{there(pair, 'Scie')}/demander"
    sent = pair.visitor("Nolwenn").post(
        href,
        {
            "token": pair.visitor("Nolwenn").token(),
            "first_day": "2026-11-25",
            "last_day": "2026-11-26",
        },
    )
    assert sent.status_code in (400, 403, 409, 422)


def test_a_resident_whom_the_desk_lets_may_ask(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Scie")
    written(pair, **{"in-lending": "let"})
    href = there(pair, "Scie")
    assert "Le guichet de notre ville dit qui peut demander" in (
        pair.visitor("Nolwenn").read(href).text
    )
    at = f"/admin/villes/{slug(pair, 'Lorient')}/accord"
    desk = pair.visitor("Maïwenn")
    unknown = desk.send(at, f"{at}/personne", email="personne@example.org")
    assert unknown.status_code == 404
    page = desk.follow(desk.send(at, f"{at}/personne", email="nolwenn@example.org"))
    assert "Nolwenn" in page.text
    ask(pair, "Nolwenn", "Quimper", href)
    assert "Le guichet de notre ville dit qui" in pair.visitor("Yann").read(href).text


def test_words_that_changed_meanwhile_are_not_agreed_to(pair: Pair) -> None:
    at = f"/admin/villes/{slug(pair, 'Quimper')}/accord"
    pair.visitor("Anne", "Lorient").send(at, at, note="premier")
    carry(pair)
    desk, back = pair.visitor("Maïwenn"), f"/admin/villes/{slug(pair, 'Lorient')}/accord"
    shown = desk.form(back, f"{back}/accepter")
    pair.world.clock.forward(minutes=1)
    pair.visitor("Anne", "Lorient").send(at, at, note="autre chose")
    carry(pair)
    answer_ = desk.post(f"{back}/accepter", shown.fields)
    assert answer_.status_code == 409
    with pair.quimper.inside():
        assert agreements.version(pair.lorient.town.id) == 0


def test_a_form_with_nonsense_is_refused_in_words(pair: Pair) -> None:
    at = f"/admin/villes/{slug(pair, 'Quimper')}/accord"
    desk = pair.visitor("Anne", "Lorient")
    for typed in (
        {"review": "demain"},
        {"review": "2020-01-01"},
        {"contact": "x" * 300},
        {"note": "y" * 2_000},
    ):
        assert desk.send(at, at, **typed).status_code == 422, typed
    assert desk.send(at, at, **{"in-lending": "everybody"}).status_code == 303  # counts as nobody
    with pair.lorient.inside():
        row = agreements.find(pair.quimper.town.id)
        assert row is not None and row.number
    assert desk.post(f"{at}/accepter", {"token": desk.token(), "text": "zz"}).status_code == 409
    assert desk.get("/admin/villes/000000000000/accord").status_code == 404


def test_only_administrators_read_and_write_agreements(pair: Pair) -> None:
    for path in ("accord", "quitter"):
        at = f"/admin/villes/{slug(pair, 'Lorient')}/{path}"
        assert pair.visitor("Nolwenn").get(at).status_code == 403
        sent = pair.visitor("Nolwenn").post(at, {"token": pair.visitor("Nolwenn").token()})
        assert sent.status_code == 403
        assert pair.visitor().get(at).status_code in (302, 303, 401)


def test_a_link_is_ended_on_one_screen_with_each_promise_kept_or_taken_back(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Scie")
    publish(pair, "Roue libre", "Lorient", "Râteau")
    pair.world.sync()
    kept = ask(pair, "Nolwenn", "Quimper", there(pair, "Scie"))
    only_asked = ask(pair, "Nolwenn", "Quimper", there(pair, "Râteau"))
    pair.world.sync()
    answer(pair, "Roue libre", "Lorient", kept, "approve")
    pair.world.sync()
    desk, at = pair.visitor("Anne", "Lorient"), f"/admin/villes/{slug(pair, 'Quimper')}/quitter"
    text = desk.read(at).text
    assert "Scie" in text and "Râteau" in text and "refusée" in text
    page = desk.follow(desk.send(at, at, reason="Fin de la convention"))
    assert "prend fin" in page.text and "1 demande a été refusée" in page.text
    pair.world.visit("Lorient", "Quimper")
    pair.world.visit("Quimper", "Lorient")
    asker = pair.visitor("Nolwenn")
    assert "Fin de la convention" in asker.read(only_asked).text
    assert "prend fin" in asker.read(there(pair, "Scie")).text  # nothing new
    page = desk.follow(desk.send(at, at, back=kept.rsplit("/", 1)[1], reason="Cassée"))
    assert "Quimper n’est plus" in page.text  # nothing is open, and it has heard the last word
    assert "Cassée" in asker.read(kept).text
    for _ in range(3):
        carry(pair)
        for place in (pair.lorient, pair.quimper):
            with place.inside() as town:
                removal.finish_due(town)
    with pair.lorient.inside():
        assert partners.find(pair.quimper.town.id).status == "removed"
    gone = desk.read(f"/admin/villes/{slug(pair, 'Quimper')}").text
    assert "Le lien est terminé" in gone and "effacé le" in gone
    assert "1 promesse a été reprise" in gone
    other = pair.visitor("Maïwenn").read(f"/admin/villes/{slug(pair, 'Lorient')}").text
    assert "Lorient y a mis fin" in other
