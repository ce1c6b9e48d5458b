"""Signing in and out, and what a person says of themself."""

import pytest

from node.members import codes, passwords, quartiers
from tests.node.pages.conftest import Pair
from tests.visitor import Reader


def desk_code(pair: Pair, name: str) -> str:
    with pair.quimper.inside() as town:
        now_ms = town.clock.now_ms()
        return codes.issue("desk", name=name, secret=town.keyring.secret, now_ms=now_ms)


def test_a_code_of_the_desk_opens_an_account_once(pair: Pair) -> None:
    code, visitor = desk_code(pair, "Gwenn"), pair.visitor()
    sent = visitor.send("/compte", "/compte/code", code=code.lower().replace(" ", "-"))
    assert (sent.status_code, sent.location) == (303, "/")
    assert "Gwenn" in visitor.read("/compte").text
    again = pair.visitor().send("/compte", "/compte/code", code=code)
    assert again.status_code == 403 and "ne marche" in Reader(again.text).text


def test_a_code_asked_for_by_mail_is_answered_alike_for_everybody(pair: Pair) -> None:
    said = []
    for email in ("nolwenn@example.org", "inconnue@example.org"):
        visitor = pair.visitor()
        sent = visitor.send("/compte", "/compte/courriel", email=email)
        assert sent.status_code == 303
        said.append(visitor.read(sent.location).text.replace(email, ""))
    assert said[0] == said[1] and "un code" in said[0]
    refused = pair.visitor().send("/compte", "/compte/courriel", email="pas une adresse")
    assert refused.status_code == 422 and "pas une adresse" in refused.text


def test_wrong_codes_and_passwords_are_refused_and_kept_out_of_the_page(pair: Pair) -> None:
    visitor = pair.visitor()
    for action, typed in (
        ("/compte/code", {"code": "ZZZZ ZZZZ", "name": "Gwenn"}),
        ("/compte/entrer", {"email": "nolwenn@example.org", "password": "faux-mot-de-passe"}),
    ):
        refused = visitor.send("/compte", action, **typed)
        assert refused.status_code == 403
        assert "faux-mot-de-passe" not in refused.text
    assert visitor.get("/demandes").status_code == 303


def test_the_answer_to_a_form_leads_to_pages_that_can_be_opened(pair: Pair) -> None:
    visitor = pair.visitor()
    page = Reader(visitor.send("/compte", "/compte/code", code="ZZZZ ZZZZ").text)
    assert visitor.get(page.link("English")).status_code == 200
    back = page.form("/apparence").value("back")
    assert visitor.get(back).status_code == 200


def test_who_chose_a_password_enters_with_it_and_comes_back(pair: Pair) -> None:
    with pair.quimper.inside():
        passwords.choose(pair.people["Nolwenn"].id, "ajonc-moulin-sterne")
    visitor = pair.visitor()
    sent = visitor.send(
        "/compte?next=/demandes",
        "/compte/entrer",
        email="nolwenn@example.org",
        password="ajonc-moulin-sterne",
    )
    assert (sent.status_code, sent.location) == (303, "/demandes")
    visitor.send("/compte", "/compte/sortir")
    assert visitor.get("/demandes").status_code == 303


@pytest.mark.parametrize(
    "goal", ["//evil.example", "https://evil.example", "/\\evil", "javascript:1"]
)
def test_signing_in_never_leads_to_another_site(pair: Pair, goal: str) -> None:
    visitor, code = pair.visitor(), desk_code(pair, "Gwenn")
    form = visitor.form("/compte", "/compte/code")
    sent = visitor.post("/compte/code", {**form.fields, "code": code, "next": goal})
    assert (sent.status_code, sent.location) == (303, "/")


def test_a_person_changes_what_they_say_of_themself(pair: Pair) -> None:
    with pair.quimper.inside():
        quartiers.add("29232", "Gare", ("29232",))
    visitor = pair.visitor("Nolwenn")
    visitor.send("/compte", name="Nolwenn L.", phone="02 97", quartier="Gare", language="br")
    form = visitor.form("/compte", "/compte")
    said = [form.value(name) for name in ("name", "phone", "quartier", "language")]
    assert said == ["Nolwenn L.", "02 97", "Gare", "br"]
    refused = visitor.send("/compte", name="x" * 100, language="klingon", phone="02 98")
    assert refused.status_code == 422 and "02 98" in refused.text  # what was typed stays


def test_a_password_that_is_too_short_is_refused_at_its_field(pair: Pair) -> None:
    visitor = pair.visitor("Nolwenn")
    refused = visitor.send("/compte", "/compte/mot-de-passe", password="court")
    assert refused.status_code == 422 and 'id="n-err"' in refused.text
    kept = visitor.send("/compte", "/compte/mot-de-passe", password="ajonc-moulin-sterne")
    assert kept.status_code == 303 and visitor.get("/demandes").status_code == 200


def test_signing_out_everywhere_ends_every_browser(pair: Pair) -> None:
    phone, desk = pair.visitor("Nolwenn"), pair.visitor("Nolwenn")
    assert desk.get("/demandes").status_code == 200
    form = phone.form("/compte", "/compte/sortir")
    phone.post("/compte/sortir", {**form.fields, "everywhere": "1"})
    assert desk.get("/demandes").status_code == phone.get("/demandes").status_code == 303


def test_the_look_is_a_wish_kept_in_a_cookie(pair: Pair) -> None:
    visitor = pair.visitor()
    sent = visitor.post("/apparence", {"theme": "dark", "back": "/aide?lang=fr"})
    assert (sent.status_code, sent.location) == (303, "/aide?lang=fr")
    assert 'data-theme="dark"' in visitor.get("/aide").text
    visitor.post("/apparence", {"theme": "auto", "back": "/"})
    assert "data-theme" not in visitor.get("/aide").text
    for back in ("//evil.example", "https://evil.example/x", "/\\evil.example", ""):
        assert visitor.post("/apparence", {"theme": "light", "back": back}).location == "/"
