"""Moderation: reports, what many of them do by themselves, what a moderator does, who is told."""

from typing import Any

import pytest

from node.desk import measures
from node.domain.errors import Conflict, NotAllowed
from node.members import accounts, reporting
from node.store import audit
from node.store.catalogue import listings
from node.store.people import desk_words, invitations, members, reports, sessions
from tests.node.pages.acting import answer, ask, jpeg, publish, shown, there, upload
from tests.node.pages.conftest import Pair, pair
from tests.visitor import Reader, Visitor

__all__ = ["pair"]

TITLE = "Scie sauteuse"


@pytest.fixture
def saw(pair: Pair) -> str:
    """A saw of Yann's at Quimper; return its address."""
    return publish(pair, "Yann", "Quimper", TITLE, photos=[upload(jpeg("#123456"))])


def resident(pair: Pair, name: str, *, days: int = 0, invited_by: int | None = None) -> Visitor:
    """Make a resident of Quimper, and let `days` pass."""
    with pair.quimper.inside() as town:
        made = accounts.create(name, now_ms=town.clock.now_ms(), invited_by=invited_by)
    pair.people[name] = made
    pair.world.clock.forward(days=days)
    return pair.visitor(name)


def report(visitor: Visitor, href: str, reason: str = "danger", text: str = "Sans carter.") -> Any:
    return visitor.send(f"{href}/signaler", reason=reason, text=text)


def decide(pair: Pair, code: str, measure: str, reason: str = "Il manque le carter.") -> Any:
    page = f"/admin/signalements/{code}"
    return pair.visitor("Maïwenn").send(page, measure=measure, reason=reason)


def code_of(href: str) -> str:
    return href.rsplit("/", 1)[1]


def kinds(pair: Pair, name: str) -> list[str]:
    with pair.quimper.inside():
        return [each.kind for each in desk_words.of_member(pair.people[name].id)]


# ── reporting ────────────────────────────────────────────────────────────────────────────────────


def test_a_report_reaches_the_desk_with_the_listing_beside_it(pair: Pair, saw: str) -> None:
    assert report(pair.visitor("Nolwenn"), saw).status_code == 303
    desk = pair.visitor("Maïwenn")
    assert "Sans carter." in desk.read(f"/admin/signalements/{code_of(saw)}").text
    listed = desk.read("/admin/signalements")
    assert TITLE in listed.text and "1 personne" in listed.text
    assert "signal" in desk.read("/admin").text


def test_a_visitor_may_report_and_is_limited_by_their_network(pair: Pair, saw: str) -> None:
    codes = []
    for _ in range(12):
        codes.append(report(pair.visitor(), saw).status_code)
    assert codes[:10] == [303] * 10 and codes[10:] == [429] * 2
    with pair.quimper.inside() as town:
        listing = shown(pair, "Quimper", TITLE)
        assert [each.who[0] for each in reports.of_listing(town.id, listing.key)] == ["v"]


def test_a_hundred_reports_of_one_person_are_one_report(pair: Pair, saw: str) -> None:
    nolwenn = pair.visitor("Nolwenn")
    answers = [report(nolwenn, saw, text=f"n° {each}").status_code for each in range(25)]
    assert answers == [303] * 20 + [429] * 5
    with pair.quimper.inside() as town:
        listing = shown(pair, "Quimper", TITLE)
        (row,) = reports.of_listing(town.id, listing.key)
        assert row.text == "n° 19"


@pytest.mark.parametrize(
    ("typed", "status"),
    [
        ({"reason": "", "text": "x"}, 422),
        ({"reason": "danger" * 50, "text": "x"}, 422),
        ({"reason": "danger", "text": "x" * 501}, 422),
        ({"reason": "danger", "text": "\x00\ud7ff<script>"}, 303),
        ({"reason": ["danger", "other"], "text": ""}, 303),
    ],
)
def test_what_cannot_be_kept_comes_back_with_a_sentence(
    pair: Pair, saw: str, typed: dict[str, Any], status: int
) -> None:
    sent = pair.visitor("Nolwenn").send(f"{saw}/signaler", **typed)
    assert sent.status_code == status and "<script>" not in sent.text


def test_nobody_reports_what_they_published_themself(pair: Pair, saw: str) -> None:
    assert report(pair.visitor("Yann"), saw).status_code == 403


def test_what_is_gone_or_was_never_there_cannot_be_reported(pair: Pair, saw: str) -> None:
    nolwenn = pair.visitor("Nolwenn")
    form = nolwenn.form(f"{saw}/signaler")
    pair.visitor("Yann").send(f"{saw}/retirer")
    sent = nolwenn.post(f"{saw}/signaler", {**form.fields, "reason": "danger"})
    assert sent.status_code == 404
    assert nolwenn.get("/a/ZZZZ/signaler").status_code == 404


def test_reports_about_a_listing_that_is_gone_close_by_themselves(pair: Pair, saw: str) -> None:
    report(pair.visitor("Nolwenn"), saw)
    pair.visitor("Yann").send(f"{saw}/retirer")
    assert pair.visitor("Maïwenn").get(f"/admin/signalements/{code_of(saw)}").status_code == 404
    assert "Aucun signalement" in pair.visitor("Maïwenn").read("/admin/signalements").text
    with pair.quimper.inside() as town:
        reports.sweep(town.clock.now_ms() - 400 * 86_400_000)
        assert not reports.is_any_open()
    assert "Sans carter" not in pair.visitor("Nolwenn").read("/compte/signalements").text


# ── many reports ─────────────────────────────────────────────────────────────────────────────────


def visitors(pair: Pair, count: int, **more: Any) -> list[Visitor]:
    """Make residents who are known here for eight days."""
    for number in range(count):
        resident(pair, f"Voisine {number}", **more)
    pair.world.clock.forward(days=8)
    return [pair.visitor(f"Voisine {number}") for number in range(count)]


def test_three_residents_known_here_hide_a_listing_until_a_moderator_has_looked(
    pair: Pair, saw: str
) -> None:
    for each in visitors(pair, 3):
        assert pair.visitor().get(saw).status_code == 200
        report(each, saw)
    assert pair.visitor().get(saw).status_code == 404
    assert TITLE not in pair.visitor().read("/").text
    assert kinds(pair, "Yann") == ["held_back"] and kinds(pair, "Voisine 0") == ["report_held_back"]
    assert "masquée" in pair.visitor("Yann").read(saw).text  # its keeper still reads it
    decide(pair, code_of(saw), "reject", "Tout est en ordre.")
    assert TITLE in pair.visitor().read("/").text
    assert kinds(pair, "Yann")[0] == "shown" and kinds(pair, "Voisine 0")[0] == "report_rejected"


def test_newcomers_and_visitors_hide_nothing(pair: Pair, saw: str) -> None:
    pair.world.clock.forward(days=8)
    for number in range(4):
        report(resident(pair, f"Nouvelle {number}"), saw)
    report(pair.visitor(), saw)
    assert pair.visitor().get(saw).status_code == 200


def test_people_invited_by_one_person_count_as_one_voice(pair: Pair, saw: str) -> None:
    host = pair.people["Nolwenn"].id
    for each in [*visitors(pair, 4, invited_by=host), pair.visitor("Nolwenn")]:
        report(each, saw)
    assert pair.visitor().get(saw).status_code == 200


def test_who_was_wrong_three_times_hides_nothing_for_a_while(pair: Pair, saw: str) -> None:
    people = visitors(pair, 3)
    for number in range(3):
        other = publish(pair, "Maïwenn", "Quimper", f"Objet {number}")
        pair.people["Bleuenn"] = pair.people.get("Bleuenn") or pair.quimper.member(
            "Bleuenn", "bleuenn@example.org", ("moderator",)
        )
        report(people[0], other)
        pair.visitor("Bleuenn").send(
            f"/admin/signalements/{code_of(other)}", measure="reject", reason="Non."
        )
    for each in people:
        report(each, saw)
    assert pair.visitor().get(saw).status_code == 200


def test_what_was_answered_is_not_reported_again_until_it_changes(pair: Pair, saw: str) -> None:
    nolwenn = pair.visitor("Nolwenn")
    report(nolwenn, saw)
    decide(pair, code_of(saw), "reject", "Tout est en ordre.")
    again = report(nolwenn, saw)
    assert again.status_code == 409 and "Tout est en ordre." in Reader(again.text).text
    pair.visitor("Yann").send(f"{saw}/modifier", title="Scie sans carter")
    assert report(nolwenn, saw).status_code == 303


# ── measures ─────────────────────────────────────────────────────────────────────────────────────


def test_a_hidden_listing_is_reached_by_no_door_and_its_promise_stays(pair: Pair, saw: str) -> None:
    request = ask(pair, "Nolwenn", "Quimper", saw)
    answer(pair, "Yann", "Quimper", request, "approve")
    photo = f"/photos/{shown(pair, 'Quimper', TITLE).row.photo.hex()}.webp"
    key = shown(pair, "Quimper", TITLE).key.hex()
    origin = pair.quimper.town.id.hex()
    nolwenn = pair.visitor("Nolwenn")
    open_form = nolwenn.form(f"{saw}/demander")
    assert pair.visitor().get(photo).status_code == 200
    assert decide(pair, code_of(saw), "hide").status_code == 303

    for path in (saw, f"/a/{key}", f"{saw}/demander", f"{saw}/signaler", photo,
                 photo.replace(".webp", "-320.webp"), f"/api/v1/listings/{code_of(saw)}",
                 f"/api/v1/listings/{origin}.{key}"):  # fmt: skip
        assert nolwenn.get(path).status_code == 404, path
    for path in ("/", "/?q=scie", "/carte", "/api/v1/listings", "/api/v1/listings?q=scie"):
        assert TITLE not in nolwenn.get(path).text, path
    sent = nolwenn.post(f"{saw}/demander", {**open_form.fields, "first_day": "2026-12-10",
                                            "last_day": "2026-12-10"})  # fmt: skip
    assert sent.status_code == 404
    assert nolwenn.get(request).status_code == 200
    assert "Acceptée" in nolwenn.read(request).text
    yann = pair.visitor("Yann")
    assert "masqué" in yann.read(saw).text and "carter" in yann.read("/compte").text
    assert decide(pair, code_of(saw), "show").status_code == 303
    assert nolwenn.get(saw).status_code == nolwenn.get(photo).status_code == 200


def test_hiding_is_told_to_who_reported_and_who_published_with_two_names_in_the_audit(
    pair: Pair, saw: str
) -> None:
    report(pair.visitor("Nolwenn"), saw)
    decide(pair, code_of(saw), "hide")
    assert kinds(pair, "Nolwenn") == ["report_hidden"] and kinds(pair, "Yann") == ["hidden"]
    assert "Il manque le carter." in pair.visitor("Nolwenn").read("/compte/signalements").text
    assert "Il manque le carter." in pair.visitor("Nolwenn").read("/compte").text
    trail = pair.visitor("Maïwenn").read("/admin/journal").text
    assert "Maïwenn" in trail and "Yann" in trail and "carter" in trail
    with pair.quimper.inside():
        (entry,) = [each for each in audit.latest() if each.action == "moderation.hide"]
        assert entry.member == pair.people["Maïwenn"].id
        assert entry.subject == f"member/{pair.people['Yann'].id}"


def test_what_is_told_is_told_in_the_language_of_who_reads_it(pair: Pair, saw: str) -> None:
    pair.visitor("Yann").send("/compte", language="br")
    decide(pair, code_of(saw), "warn")
    yann = Visitor(pair.quimper, pair.people["Yann"], language="en")
    assert "The desk warns you" in yann.read("/compte").text


def test_withdrawing_goes_through_the_journal_and_answers_what_was_only_asked(
    pair: Pair, saw: str
) -> None:
    pair.world.sync()
    key = shown(pair, "Quimper", TITLE).key
    asked = ask(pair, "Nolwenn", "Quimper", saw)
    report(pair.visitor("Nolwenn"), saw)
    assert decide(pair, code_of(saw), "withdraw").status_code == 303
    assert "Refusée" in pair.visitor("Nolwenn").read(asked).text
    pair.world.sync()
    with pair.lorient.inside():
        row = listings.find(pair.quimper.town.id, key)
        assert row is not None and row.state == "withdrawn"


def test_a_reason_is_asked_for_and_what_is_too_long_comes_back(pair: Pair, saw: str) -> None:
    wrong = (("hide", ""), ("hide", " "), ("hide", "x" * 501), ("burn", "Pour rien."))
    for measure, reason in wrong:
        assert decide(pair, code_of(saw), measure, reason).status_code == 422
    assert pair.visitor().get(saw).status_code == 200


def test_hiding_twice_and_showing_what_is_not_hidden_change_nothing(pair: Pair, saw: str) -> None:
    assert decide(pair, code_of(saw), "show").status_code == 409
    assert decide(pair, code_of(saw), "hide").status_code == 303
    assert decide(pair, code_of(saw), "hide").status_code == 409
    assert kinds(pair, "Yann") == ["hidden"]


def test_a_moderator_moderates_and_does_nothing_else_at_the_desk(pair: Pair, saw: str) -> None:
    pair.people["Soizic"] = pair.quimper.member("Soizic", roles=("moderator",))
    soizic = pair.visitor("Soizic")
    assert soizic.get("/admin").location == "/admin/signalements"
    assert soizic.get("/admin/signalements").status_code == 200
    assert soizic.get("/admin/adhesions").status_code == 200
    for path in ("/admin/membres", "/admin/villes", "/admin/sauvegardes"):
        assert soizic.get(path).status_code == 403
    assert pair.visitor("Nolwenn").get("/admin/signalements").status_code == 403


def test_nobody_moderates_what_they_published_themself(pair: Pair) -> None:
    own = publish(pair, "Maïwenn", "Quimper", "Échelle")
    form = pair.visitor("Maïwenn").token()
    sent = pair.visitor("Maïwenn")
    page = f"/admin/signalements/{code_of(own)}"
    assert "votre propre annonce" in sent.read(page).text
    for measure in measures.MEASURES:
        answer = sent.post(page, {"token": sent.token(), "measure": measure, "reason": "Bof."})
        assert answer.status_code == 403, (measure, form)


# ── suspending ───────────────────────────────────────────────────────────────────────────────────


def test_who_is_suspended_is_out_at_once_with_what_they_published(pair: Pair, saw: str) -> None:
    yann = pair.visitor("Yann")
    yann.send("/compte/invitations", uses="3", days="3", note="")
    own = ask(pair, "Yann", "Quimper", publish(pair, "Maïwenn", "Quimper", "Échelle"))
    asked = ask(pair, "Nolwenn", "Quimper", saw)
    promised = ask(pair, "Nolwenn", "Quimper", saw, first_day="2026-12-01", last_day="2026-12-02")
    answer(pair, "Yann", "Quimper", promised, "approve")
    assert decide(pair, code_of(saw), "suspend", "Menaces.").status_code == 303

    assert yann.get("/demandes").status_code == 303
    assert pair.visitor().get(saw).status_code == 404
    nolwenn = pair.visitor("Nolwenn")
    assert "Refusée" in nolwenn.read(asked).text and "Acceptée" in nolwenn.read(promised).text
    desk = pair.visitor("Maïwenn").read("/admin/signalements")
    assert "Yann" in desk.text and any(promised == href for href, _ in desk.links)
    with pair.quimper.inside() as town:
        assert not sessions.of_member(pair.people["Yann"].id)
        assert not invitations.of_member(pair.people["Yann"].id, town.clock.now_ms())
        row = shown(pair, "Quimper", TITLE).row
        assert (row.hidden, row.state) == (measures.SUSPENDED, "paused")
        assert town.engagements.find(bytes.fromhex(own.rsplit("/", 1)[1])).final

    pair.visitor("Maïwenn").send(
        "/admin/membres", f"/admin/membres/{pair.people['Yann'].id}/acces", open="1"
    )
    assert nolwenn.get(saw).status_code == 200
    assert TITLE in nolwenn.read("/").text
    assert pair.visitor("Yann").get("/demandes").status_code == 200


def test_a_listing_paused_by_its_owner_stays_paused_after_a_suspension(
    pair: Pair, saw: str
) -> None:
    yann = pair.visitor("Yann")
    yann.post(f"{saw}/pause", {"token": yann.token()})
    with pair.quimper.inside() as town:
        by, number = members.find(pair.people["Maïwenn"].id), pair.people["Yann"].id
        measures.suspend(town, number, "", by)
        measures.restore(town, number, by)
        row = shown(pair, "Quimper", TITLE).row
        assert (row.hidden, row.state) == ("", "paused")


def test_nobody_suspends_themself_a_higher_role_or_the_last_administrator(pair: Pair) -> None:
    soizic = pair.quimper.member("Soizic", roles=("moderator",))
    other = pair.quimper.member("Tudi", roles=("admin",))
    with pair.quimper.inside() as town:
        for who, by, kind in (
            (soizic, soizic, Conflict), (other, soizic, NotAllowed), (other, other, Conflict),
        ):  # fmt: skip
            with pytest.raises(kind):
                measures.suspend(town, who.id, "", by)
        measures.suspend(town, other.id, "", pair.people["Maïwenn"])
        with pytest.raises(Conflict, match="last_admin"):
            measures.suspend(town, pair.people["Maïwenn"].id, "", other)


def test_an_erased_reporter_leaves_no_word_behind(pair: Pair, saw: str) -> None:
    report(pair.visitor("Nolwenn"), saw, text="Moi, Nolwenn, je l’ai vu.")
    number = pair.people["Nolwenn"].id
    pair.visitor("Nolwenn").send("/compte/effacer")
    with pair.quimper.inside() as town:
        listing = shown(pair, "Quimper", TITLE)
        (row,) = reports.of_listing(town.id, listing.key)
        assert row.member is None and row.text == "" and row.who != f"m{number}"
    assert pair.visitor("Maïwenn").get(f"/admin/signalements/{code_of(saw)}").status_code == 200


# ── another town's listing ───────────────────────────────────────────────────────────────────────


def test_a_partners_listing_is_hidden_here_and_stays_where_it_lives(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Remorque")
    pair.world.sync()
    href = there(pair, "Remorque")
    report(pair.visitor("Nolwenn"), href)
    page = pair.visitor("Maïwenn").read(f"/admin/signalements/{code_of(href)}")
    assert "withdraw" not in [value for form in page.forms for _, value in form.buttons]
    assert decide(pair, code_of(href), "withdraw").status_code == 403
    assert decide(pair, code_of(href), "hide").status_code == 303
    pair.world.sync()
    assert pair.visitor("Nolwenn").get(href).status_code == 404
    assert pair.visitor("", "Lorient").get(there(pair, "Remorque", "Lorient")).status_code == 200
    assert reporting.HIDE_AT == 3


def test_what_is_hidden_stays_hidden_under_a_new_revision_and_a_new_code(
    pair: Pair, saw: str
) -> None:
    decide(pair, code_of(saw), "hide")
    yann = pair.visitor("Yann")
    assert yann.send(f"{saw}/modifier", title="Scie avec carter").status_code == 303
    assert pair.visitor().get(saw).status_code == 404
    sent = yann.send(f"{saw}/modifier", seen="partners")
    assert sent.status_code == 303 and sent.location != saw
    assert pair.visitor("Nolwenn").get(sent.location).status_code == 404
    assert yann.get(sent.location).status_code == 200
