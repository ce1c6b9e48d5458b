"""The desk: who may enter, linking towns from both sides, reasons in words, codes, roles."""

import re
from pathlib import Path

import pytest

from federation.errors import CODES
from node.desk import reasons
from node.store.network import introductions, partners
from node.store.sets import records
from tests.node.pages.acting import publish, shown
from tests.node.pages.conftest import Pair
from tests.scenery import Scenery
from tests.visitor import Reader, Visitor
from tests.world import World


def slug(pair: Pair, town: str) -> str:
    return pair.world.places[town].town.id.hex()[:12]


def test_only_administrators_enter(pair: Pair) -> None:
    rules = [each for each in pair.quimper.app.url_map.iter_rules() if "/admin" in each.rule]
    assert len(rules) > 12
    for rule in rules:
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        for who, get, post in (("", 303, 401), ("Nolwenn", 403, 403)):
            visitor = pair.visitor(who)
            if "POST" in (rule.methods or ()):
                assert visitor.post(path, {"token": visitor.token()}).status_code == post, path
            else:
                assert visitor.get(path).status_code == get, (path, who)


def test_two_towns_are_linked_from_their_two_desks(pair: Pair) -> None:
    vannes = pair.world.found("Vannes")
    far = Visitor(vannes, vannes.member("Soizic", roles=("admin",)))
    near = pair.visitor("Maïwenn")
    invited = far.send("/admin/villes/relier", "/admin/villes/inviter")
    text = re.search(r'value="(http://vannes.test#[0-9A-Z-]+)"', invited.text)
    assert text and "<svg" in invited.text
    sent = near.send("/admin/villes/relier", "/admin/villes/accepter", invitation=text[1])
    page = near.follow(sent)
    words = re.findall(r"<li>(\w+)</li>", near.get(sent.location).text)
    other = far.get(f"/admin/villes/{slug(pair, 'Quimper')}").text
    assert len(words) == 6 and re.findall(r"<li>(\w+)</li>", other) == words
    assert "Comparer" in near.read("/admin").text
    base = sent.location
    assert "mots" in page.text
    near.send(base, f"{base}/mots")
    refused = near.follow(near.send(base, f"{base}/echanger"))
    assert "n’a pas confirmé" in refused.text or "pas encore confirmé" in refused.text
    there = f"/admin/villes/{slug(pair, 'Quimper')}"
    far.send(there, f"{there}/mots")
    done = near.follow(near.send(base, f"{base}/echanger"))
    assert "Échange fait" in done.text and "En bonne santé" in done.text


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "n'importe quoi",
        "http://lorient.test",
        "http://lorient.test#AAAAA-AAAAA",
        "x" * 5_000,
        "http://nulle-part.test#ABCDE-12345",
        "http://127.0.0.1:1#ABCDE-12345",
        "http://[#A-1",
    ],
)
def test_an_invitation_that_does_not_work_says_why_and_stays_typed(pair: Pair, typed: str) -> None:
    answer = pair.visitor("Maïwenn").send(
        "/admin/villes/relier", "/admin/villes/accepter", invitation=typed
    )
    assert answer.status_code == 422
    form = Reader(answer.text).form("/admin/villes/accepter")
    assert form.value("invitation") == typed[:400]
    assert 'id="f-invitation-e"' in answer.text


def test_words_that_differ_drop_the_link(pair: Pair) -> None:
    vannes = pair.world.found("Vannes")
    far = Visitor(vannes, vannes.member("Soizic", roles=("admin",)))
    near = pair.visitor("Maïwenn")
    text = re.search(
        r'value="(http://vannes[^"]+)"',
        far.send("/admin/villes/relier", "/admin/villes/inviter").text,
    )
    assert text
    near.send("/admin/villes/relier", "/admin/villes/accepter", invitation=text[1])
    action = f"/admin/villes/{slug(pair, 'Vannes')}/mots-differents"
    page = near.follow(near.send("/admin/villes/relier", action))
    assert "nouvelle invitation" in page.text
    with pair.quimper.inside():
        assert partners.find(vannes.town.id).status == "removed"


def test_a_partner_that_is_down_is_told_with_its_cause_and_what_to_do(pair: Pair) -> None:
    pair.world.cut("Lorient", "Quimper")
    admin, base = pair.visitor("Maïwenn"), f"/admin/villes/{slug(pair, 'Lorient')}"
    page = admin.follow(admin.send(base, f"{base}/echanger"))
    assert "Injoignable" in page.text and "unreachable" in page.text
    assert "nous réessayons" in page.text
    pair.world.clock.forward(days=2)
    pair.world.visit("Quimper", "Lorient")
    assert "depuis plus d’un jour" in admin.read("/admin").text
    assert "Lorient est injoignable depuis" in admin.read("/admin/villes").text


def test_a_record_that_was_changed_on_the_way_is_named_with_its_reason(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Scie")
    pair.world.sync()
    listing = shown(pair, "Lorient", "Scie")
    with pair.lorient.inside():
        raw = bytearray(records.by_id(listing.row.record).raw)
    raw[-1] ^= 1
    with pair.quimper.inside() as town:
        town.journal.ingest([bytes(raw)], pair.lorient.town.id)
    admin = pair.visitor("Maïwenn")
    page = admin.read(f"/admin/villes/{slug(pair, 'Lorient')}")
    assert "bad_signature" in page.text and "falsifi" in page.text
    assert "refusés cette semaine" in admin.read("/admin").text
    assert "Scie" in pair.visitor().read("/").text  # the true one is still there


def test_a_partner_introduces_a_town_which_is_read_and_then_confirmed(pair: Pair) -> None:
    vannes = pair.world.found("Vannes")
    pair.world.pair("Quimper", "Vannes")
    with vannes.inside():
        vannes.member("Soizic", "soizic@example.org")
    near = pair.visitor("Maïwenn")
    base = f"/admin/villes/{slug(pair, 'Lorient')}"
    form = near.form(base, f"{base}/presenter")
    near.post(f"{base}/presenter", {**form.fields, "town": vannes.town.id.hex()})
    assert "Déjà présenté" in near.read(base).text
    pair.world.sync()
    lorient = pair.visitor("Anne", "Lorient")
    assert "présente Vannes" in lorient.read("/admin").text
    action = f"/admin/villes/{slug(pair, 'Vannes')}/accueillir"
    page = lorient.follow(lorient.send("/admin/villes", action))
    assert "Vannes" in page.text
    with pair.lorient.inside():
        assert partners.find(vannes.town.id).status == "introduced"
        assert introductions.received("") == []
    assert (
        lorient.post(f"/admin/villes/{'0' * 12}/accueillir", {"token": lorient.token()}).status_code
        == 404
    )


def test_ending_a_link_takes_its_listings_away(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Scie")
    pair.world.sync()
    admin, base = pair.visitor("Maïwenn"), f"/admin/villes/{slug(pair, 'Lorient')}"
    page = admin.follow(admin.send(f"{base}/quitter", f"{base}/quitter"))
    assert "n’est plus" in page.text
    assert "Scie" not in pair.visitor().read("/").text
    assert pair.visitor().get(f"/villes/{slug(pair, 'Lorient')}").status_code == 404
    assert "Lorient" in admin.read("/admin/journal").text


def test_a_code_handed_out_opens_the_account_it_was_made_for(pair: Pair) -> None:
    admin = pair.visitor("Maïwenn")
    made = admin.send("/admin/membres", "/admin/membres/code", name="Gwenn")
    code = re.search(r'class="code">.*?</span>([0-9A-Z ]+)<', made.text)
    assert made.status_code == 200 and code
    again = admin.send("/admin/membres", "/admin/membres/code", name=" ")
    assert again.status_code == 422
    guest = pair.visitor()
    assert guest.send("/compte", "/compte/code", code=code[1]).status_code == 303
    assert "Gwenn" in guest.read("/compte").text
    assert "Gwenn" in admin.read("/admin/membres").text
    assert "code" in admin.read("/admin/journal").text


def test_a_code_made_twice_by_a_double_click_is_one_code(pair: Pair) -> None:
    admin = pair.visitor("Maïwenn")
    fields = {**admin.form("/admin/membres", "/admin/membres/code").fields, "name": "Gwenn"}
    pages = [admin.post("/admin/membres/code", fields).text for _ in range(2)]
    codes = [re.findall(r'class="code">.*?</span>([0-9A-Z ]+)<', page) for page in pages]
    assert codes[0] == codes[1] and len(codes[0]) == 1


def test_roles_are_given_and_the_last_administrator_stays(pair: Pair) -> None:
    admin = pair.visitor("Maïwenn")
    nolwenn, own = pair.people["Nolwenn"].id, pair.people["Maïwenn"].id
    for number, role, status in ((own, "resident", 409), (nolwenn, "admin", 303)):
        path = f"/admin/membres/{number}/role"
        sent = admin.send("/admin/membres", path, role=role)
        assert sent.status_code == status, Reader(sent.text).text
    assert pair.visitor("Nolwenn").get("/admin").status_code == 200
    admin.send("/admin/membres", f"/admin/membres/{nolwenn}/role", role="zzz")
    assert pair.visitor("Nolwenn").get("/admin").status_code == 200
    shut = f"/admin/membres/{pair.people['Yann'].id}/acces"
    yann = pair.visitor("Yann")
    admin.send("/admin/membres", shut)
    assert yann.get("/demandes").status_code == 303
    admin.post(shut, {"token": admin.token(), "open": "1"})
    assert pair.visitor("Yann").get("/demandes").status_code == 200


def test_every_code_of_the_protocol_has_a_sentence(scenery: Scenery) -> None:
    told = {**reasons.REFUSED, **reasons.OUTCOMES}
    # codes a town never meets as a reason: its own printing of words, its own pairing form
    own = {"bad_public_key", "bad_words", "bad_invitation", "not_shown"}
    assert sorted(set(CODES) - set(told) - own) == []
    assert reasons.refused("zzz") == reasons.outcome("zzz") == reasons.OTHER
    catalogue = scenery.place("Quimper").town.catalogues.language("fr").translations
    whole = [*map(reasons.refusal, reasons.REFUSED), *map(reasons.ending, reasons.OUTCOMES)]
    assert all(all(reason) for reason in whole)  # what happened, what is safe, what to do
    sentences = {sentence for reason in whole for sentence in reason}
    assert [said for said in sentences if catalogue.gettext(said) == said] == []


def test_the_first_page_of_the_desk_has_one_button_for_each_thing(scenery: Scenery) -> None:
    admin = Visitor(scenery.place("Quimper"), scenery.people["Quimper", "Maïwenn"])
    page = admin.read("/admin")
    for words in ("Comparer les six mots avec Auray", "Vannes est injoignable", "Pontivy"):
        assert words in page.text
    with_buttons = [href for href, said in page.links if said.startswith(("Comparer", "Voir"))]
    for href in with_buttons:
        assert admin.get(href.partition("#")[0]).status_code == 200


def test_a_town_without_partners_is_told_to_link_one(tmp_path: Path) -> None:
    world = World(tmp_path)
    place = world.found("Lorient")
    admin = Visitor(place, place.member("Anne", roles=("admin",)))
    assert "/admin/villes/relier" in {href for href, _ in admin.read("/admin").links}
    for path in ("/admin/villes", "/villes", "/", "/carte", "/admin/journal"):
        assert admin.get(path).status_code == 200
    world.close()


def test_the_trail_goes_back_page_by_page(pair: Pair) -> None:
    admin = pair.visitor("Maïwenn")
    for number in range(60):
        admin.post("/admin/membres/code", {"token": admin.token(), "name": f"Nom {number}"})
    first = admin.read("/admin/journal")
    earlier = admin.read(_earlier(first))
    assert first.text.count("Maïwenn") == 50 and 10 <= earlier.text.count("Maïwenn") < 20


def _earlier(page: Reader) -> str:
    return next(href for href, _ in page.links if "avant=" in href)
