"""The requests at the desk, what staff do on the page of one, and who keeps what, by hand."""

import re
from typing import Any

import pytest

from node.store import audit
from node.store.promises import acts, keepers
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from tests.node.pages.acting import ask, publish, shown
from tests.node.pages.conftest import Pair
from tests.visitor import Reader, Visitor

DESK = "/admin/demandes"


def moderator(pair: Pair) -> Visitor:
    """Return a moderator of Quimper, made on first use."""
    if "Gwenn" not in pair.people:
        pair.people["Gwenn"] = pair.quimper.member("Gwenn", "gwenn@example.org", ("moderator",))
    return pair.visitor("Gwenn")


def keep_by(pair: Pair, title: str, name: str) -> None:
    """Let a moderator name somebody to keep a listing of Quimper."""
    page = f"/a/{shown(pair, 'Quimper', title).code}/responsables"
    assert moderator(pair).send(page, page, who=name).status_code == 303


def association(pair: Pair, title: str = "Perceuse") -> str:
    """Publish a listing that nobody keeps; return its address."""
    href = publish(pair, "Nolwenn", "Quimper", title)
    with pair.quimper.inside():
        from node.store.catalogue import holdings

        holdings.keep(shown(pair, "Quimper", title).key, None, 0)
    return href


def number(href: str) -> bytes:
    return bytes.fromhex(href.rsplit("/", 1)[-1])


def row(pair: Pair, href: str) -> Engagement:
    with pair.quimper.inside():
        return rows.find(number(href))


def pressed(pair: Pair, visitor: Visitor, href: str, do: str, **typed: Any) -> Reader:
    """Send the form of staff for one thing; return the page it leads to."""
    page = visitor.read(href)
    form = next(each for each in page.forms if each.fields.get("do") == [do])
    return visitor.follow(visitor.post(f"{href}/tenue", {**form.fields, **typed}))


# ── the list ─────────────────────────────────────────────────────────────────────────────────────


def test_what_nobody_keeps_waits_at_the_desk_and_a_moderator_answers(pair: Pair) -> None:
    href = ask(pair, "Yann", "Quimper", association(pair))
    desk = moderator(pair)
    page = desk.read(DESK)
    assert "Perceuse" in page.text and "Yann" in page.text and number(href).hex()[:8] in page.text
    assert href in {link for link, _said in page.links}
    form = desk.form(href)
    done = desk.follow(desk.post(href, {**form.fields, "action": "approve"}))
    assert row(pair, href).state == "approved" and "Gwenn" in done.text
    assert href in {link for link, _said in desk.read(DESK).links}  # to be handed over
    with pair.quimper.inside() as town:
        town.engagements.act(
            number(href),
            "withdraw",
            member_id=pair.people["Yann"].id,
            role="asker",
            act_id=b"1" * 8,
        )
    assert href not in {link for link, _said in desk.read(DESK).links}


def test_what_somebody_keeps_does_not_wait_at_the_desk(pair: Pair) -> None:
    ask(pair, "Yann", "Quimper", publish(pair, "Nolwenn", "Quimper", "Remorque"))
    page = moderator(pair).read(DESK)
    assert "Remorque" not in page.text
    assert "Nolwenn" in moderator(pair).read(f"{DESK}?voir=ouvertes").text


def test_what_is_late_is_found(pair: Pair) -> None:
    href = ask(pair, "Yann", "Quimper", association(pair))
    desk = moderator(pair)
    for action, days in (("approve", 2), ("hand_over", 3)):
        form = desk.form(href)
        desk.post(href, {**form.fields, "action": action})
        pair.world.clock.forward(days=days)
    with pair.quimper.inside() as town:
        town.engagements.sweep()
    page = desk.read(f"{DESK}?voir=retard")
    assert "Perceuse" in page.text and row(pair, href).state == "overdue"


def test_a_request_is_found_by_its_number_and_by_the_code_of_its_listing(pair: Pair) -> None:
    listing = association(pair)
    href = ask(pair, "Yann", "Quimper", listing)
    desk, short = moderator(pair), number(href).hex()[:8]
    assert "Yann" in desk.read(f"{DESK}?numero={short}").text
    assert "Yann" in desk.read(f"{DESK}?annonce={listing.rsplit('/', 1)[-1].lower()}").text


@pytest.mark.parametrize(
    "query",
    [
        "numero=zz", "numero=%00", "numero=" + "f" * 400, "numero=a", "annonce=0000",
        "annonce=%F0%9F%8D%8E", "voir=nothing", "apres=99999999999999999999", "apres=-1",
        "apres=400", "numero=+", "annonce=' OR 1=1",
    ],
)  # fmt: skip
def test_odd_searches_find_nothing_and_break_nothing(pair: Pair, query: str) -> None:
    ask(pair, "Yann", "Quimper", association(pair))
    assert moderator(pair).get(f"{DESK}?{query}").status_code == 200


def test_only_moderators_and_administrators_come_in(pair: Pair) -> None:
    for path in (DESK, f"{DESK}/noter", "/admin/journal", "/admin/habilitations"):
        assert pair.visitor("").get(path).status_code == 303
        assert pair.visitor("Yann").get(path).status_code == 403
        assert moderator(pair).get(path).status_code == 200, path
        assert pair.visitor("Maïwenn").get(path).status_code == 200


# ── the page of a request ────────────────────────────────────────────────────────────────────────


def test_other_peoples_requests_are_not_read_by_their_address(pair: Pair) -> None:
    href = ask(pair, "Yann", "Quimper", publish(pair, "Nolwenn", "Quimper", "Remorque"))
    pair.people["Katell"] = pair.quimper.member("Katell")
    stranger = pair.visitor("Katell")
    assert stranger.get(href).status_code == 403
    for path in (href, f"{href}/tenue"):
        fields = {"token": stranger.token(), "action": "approve", "do": "back", "day": "2026-11-23"}
        assert stranger.post(path, fields).status_code in (303, 403)
    assert row(pair, href).state == "requested"
    for path in ("/demandes/00", "/demandes/zz", f"/demandes/{'0' * 32}", "/demandes/%00"):
        assert stranger.get(path).status_code == 404
        fields = {"token": stranger.token(), "do": "back"}
        assert stranger.post(f"{path}/tenue", fields).status_code == 404


def test_whoever_asks_sees_nothing_of_what_staff_see(pair: Pair) -> None:
    href = ask(pair, "Yann", "Quimper", association(pair))
    assert f"{href}/tenue" not in {form.action for form in pair.visitor("Yann").read(href).forms}
    assert f"{href}/tenue" in {form.action for form in moderator(pair).read(href).forms}


def test_a_hand_over_is_dated_back_with_both_names_in_the_history(pair: Pair) -> None:
    href = ask(pair, "Yann", "Quimper", association(pair))
    desk = moderator(pair)
    form = desk.form(href)
    desk.post(href, {**form.fields, "action": "approve"})
    pair.world.clock.forward(days=3)
    page = pressed(pair, desk, href, "back", action="hand_over", day="2026-11-25", hour="10:30")
    assert row(pair, href).state == "handed_over"
    assert "Gwenn a remis à Yann" in page.text and "25 novembre" in page.text
    journal = desk.read("/admin/journal").text
    assert "Gwenn" in journal and "Yann" in journal and "Perceuse" in journal


def test_a_day_alone_means_any_time_of_it_that_fits(pair: Pair) -> None:
    href = ask(pair, "Yann", "Quimper", association(pair), first_day="2026-11-23")
    desk = moderator(pair)
    pair.world.clock.forward(hours=6)  # 17:40: accepted after noon of the day that is typed
    form = desk.form(href)
    desk.post(href, {**form.fields, "action": "approve"})
    pair.world.clock.forward(hours=20)
    pressed(pair, desk, href, "back", action="hand_over", day="2026-11-23", hour="")
    held = row(pair, href)
    assert held.state == "handed_over" and held.since_ms >= pair.world.clock.now_ms() - 72_000_000


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        ("", ""), ("hier", ""), ("2026-11-31", ""), ("2027-01-01", ""), ("1969-12-31", ""),
        ("0001-01-01", "00:00"), ("9999-12-31", "23:59"), ("2026-11-20", "10:00"),
        ("2026-11-23", "99:99"), ("2026-11-23", "x" * 500), ("\x00", "\x00"),
    ],
)  # fmt: skip
def test_impossible_dates_are_refused_in_words(pair: Pair, day: str, hour: str) -> None:
    href = ask(pair, "Yann", "Quimper", association(pair))
    desk = moderator(pair)
    page = pressed(pair, desk, href, "back", action="approve", day=day, hour=hour)
    assert row(pair, href).state == "requested" and "Gardé" not in page.text


def test_a_button_that_does_not_exist_and_a_foreign_act_are_refused(pair: Pair) -> None:
    href = ask(pair, "Yann", "Quimper", association(pair))
    desk = moderator(pair)
    for fields in (
        {"do": ""}, {"do": "zz"}, {"do": "back", "action": "", "day": "2026-11-23"},
        {"do": "back", "action": "x" * 900, "day": "2026-11-23"}, {"do": "aide", "action": "ask"},
        {"do": "extend", "last_day": "zz"}, {"do": "extend"}, {"do": "bump", "before": "-1"},
        {"do": "bump"}, {"do": "forget"}, {"do": "aide", "action": "withdraw", "consent": "paper"},
    ):  # fmt: skip
        sent = desk.post(f"{href}/tenue", {"token": desk.token(), **fields})
        assert sent.status_code == 303, fields
    held = row(pair, href)
    assert (held.state, held.version) == ("requested", 1)
    with pair.quimper.inside():
        assert len(acts.of_engagement(held.id)) == 1


def test_more_time_is_given_on_the_page(pair: Pair) -> None:
    href = ask(pair, "Yann", "Quimper", association(pair), first_day="2026-11-23")
    desk = moderator(pair)
    for action in ("approve", "hand_over"):
        form = desk.form(href)
        desk.post(href, {**form.fields, "action": action})
    page = pressed(pair, desk, href, "extend", last_day="2026-11-28")
    assert "Gwenn a donné plus de temps à Yann" in page.text
    assert '"after_day": 20786' in row(pair, href).terms


# ── for somebody without a device ────────────────────────────────────────────────────────────────


def noted(pair: Pair, href: str, **typed: Any) -> Any:
    """Write a request down at the desk."""
    code = href.rsplit("/", 1)[-1]
    fields = {
        "first_day": "2026-11-25", "last_day": "2026-11-26",
        "person_name": "Mme Le Goff", "consent": "paper", **typed,
    }  # fmt: skip
    return moderator(pair).send(f"{DESK}/noter?annonce={code}", f"{DESK}/noter/{code}", **fields)


def test_a_request_is_written_down_at_the_desk_and_somebody_else_answers(pair: Pair) -> None:
    sent = noted(pair, association(pair))
    assert sent.status_code == 303, Reader(sent.text).text
    href = str(sent.location)
    page = moderator(pair).read(href)
    assert "Mme Le Goff" in page.text and "quelqu’un d’autre" in page.text
    assert ("action", "approve") not in [
        button for form in page.forms for button in form.buttons
    ]  # fmt: skip
    admin = pair.visitor("Maïwenn")
    form = admin.form(href)
    admin.post(href, {**form.fields, "action": "approve"})
    assert row(pair, href).state == "approved"
    pressed(pair, moderator(pair), href, "aide", action="withdraw", consent="spoken")
    assert row(pair, href).state == "cancelled"
    pressed(pair, moderator(pair), href, "forget")
    assert "Le Goff" not in moderator(pair).read(href).text
    journal = moderator(pair).read("/admin/journal").text
    assert "Le Goff" not in journal and "Gwenn" in journal


@pytest.mark.parametrize(
    "typed",
    [
        {"consent": ""}, {"consent": "x"}, {"person_name": ""}, {"person": "99999"},
        {"person": "zz", "person_name": ""}, {"first_day": ""}, {"first_day": "2020-01-01"},
        {"person_name": "x" * 400},
    ],
)  # fmt: skip
def test_a_note_that_cannot_be_kept_comes_back_as_typed(pair: Pair, typed: dict[str, str]) -> None:
    sent = noted(pair, association(pair), message="Pour samedi", **typed)
    assert sent.status_code == 422 and "Pour samedi" in sent.text
    with pair.quimper.inside():
        assert Engagement.select().count() == 0


def test_a_note_sent_twice_is_one_request(pair: Pair) -> None:
    code = association(pair).rsplit("/", 1)[-1]
    desk = moderator(pair)
    form = desk.form(f"{DESK}/noter?annonce={code}", f"{DESK}/noter/{code}")
    fields = {
        **form.fields, "first_day": "2026-11-25", "last_day": "2026-11-26",
        "person_name": "Mme Le Goff", "consent": "paper",
    }  # fmt: skip
    sent = [desk.post(f"{DESK}/noter/{code}", fields) for _ in range(2)]
    assert [each.status_code for each in sent] == [303, 303]
    assert sent[0].location == sent[1].location
    with pair.quimper.inside():
        assert Engagement.select().count() == 1


def test_the_desk_notes_down_nothing_that_is_not_there(pair: Pair) -> None:
    desk = moderator(pair)
    assert desk.get(f"{DESK}/noter?annonce=ZZZZ").status_code == 404
    assert desk.post(f"{DESK}/noter/ZZZZ", {"token": desk.token()}).status_code == 404


# ── who keeps what ───────────────────────────────────────────────────────────────────────────────


def test_a_keeper_is_named_on_the_page_of_the_listing_and_lets_go(pair: Pair) -> None:
    href = association(pair)
    code = href.rsplit("/", 1)[-1]
    page = f"/a/{code}/responsables"
    assert page in {link for link, _said in moderator(pair).read(DESK).links}  # nobody keeps it
    keep_by(pair, "Perceuse", "Yann")
    assert page not in {link for link, _said in moderator(pair).read(DESK).links}
    yann = pair.visitor("Yann")
    assert "Yann" in yann.read(page).text and page in {link for link, _ in yann.read(href).links}
    asked = ask(pair, "Nolwenn", "Quimper", href)
    form = yann.form(asked)
    yann.post(asked, {**form.fields, "action": "approve"})
    assert row(pair, asked).state == "approved"
    number_of = pair.people["Yann"].id
    sent = yann.post(f"{page}/retirer", {"token": yann.token(), "member": number_of})
    assert sent.location == href and yann.get(page).status_code == 403
    assert yann.get(asked).status_code == 403


@pytest.mark.parametrize("who", ["", "  ", "Personne", "x@", "x" * 5_000, "\x00", "%", "Nolwenn "])
def test_a_name_nobody_has_is_refused(pair: Pair, who: str) -> None:
    association(pair)
    page = f"/a/{shown(pair, 'Quimper', 'Perceuse').code}/responsables"
    sent = moderator(pair).send(page, page, who=who)
    assert sent.status_code in (404, 303)
    with pair.quimper.inside():
        kept = keepers.of_listing(shown(pair, "Quimper", "Perceuse").key)
    assert len(kept) == (1 if who == "Nolwenn " else 0)


def test_two_people_of_one_name_are_told_apart_by_their_address(pair: Pair) -> None:
    association(pair)
    page = f"/a/{shown(pair, 'Quimper', 'Perceuse').code}/responsables"
    pair.quimper.member("Yann", "yann2@example.org")
    assert moderator(pair).send(page, page, who="Yann").status_code == 409
    assert moderator(pair).send(page, page, who="yann2@example.org").status_code == 303


def test_who_keeps_a_listing_changes_and_pauses_it_and_withdraws_it_not(pair: Pair) -> None:
    page = publish(pair, "Nolwenn", "Quimper", "Perceuse")
    yann, wanted = pair.visitor("Yann"), {"title": "Perceuse à colonne"}
    form = f"{page}/modifier"
    assert yann.get(form).status_code == 403
    assert "en tant que responsable" not in yann.read(page).text
    keep_by(pair, "Perceuse", "Yann")
    assert "La modifier, en tant que responsable" in yann.read(page).text
    assert yann.send(form, form, seen="partners", **wanted).status_code == 403
    assert yann.send(form, form, **wanted).status_code == 303
    assert yann.post(f"{page}/pause", {"token": yann.token()}).status_code == 303
    assert shown(pair, "Quimper", "Perceuse à colonne").row.state == "paused"
    withdrawal = f"{page}/retirer"
    assert yann.get(withdrawal).status_code == 403
    assert yann.post(withdrawal, {"token": yann.token()}).status_code == 403


def test_strangers_do_not_see_nor_name_keepers(pair: Pair) -> None:
    code = association(pair).rsplit("/", 1)[-1]
    stranger = pair.visitor("Yann")
    page = f"/a/{code}/responsables"
    assert stranger.get(page).status_code == 403 and pair.visitor("").get(page).status_code == 303
    for path, fields in ((page, {"who": "Yann"}), (f"{page}/retirer", {"member": "1"})):
        assert stranger.post(path, {"token": stranger.token(), **fields}).status_code == 403
    for odd in ("", "-1", "zz", "9" * 30):
        desk = moderator(pair)
        fields = {"token": desk.token(), "member": odd}
        assert desk.post(f"{page}/retirer", fields).status_code == 303


def test_a_listing_of_another_town_has_no_keepers_here(pair: Pair) -> None:
    publish(pair, "Roue libre", "Lorient", "Scie")
    pair.world.sync()
    code = shown(pair, "Quimper", "Scie").code
    assert moderator(pair).get(f"/a/{code}/responsables").status_code == 403


def test_codes_and_numbers_of_the_audit_hold_no_name(pair: Pair) -> None:
    noted(pair, association(pair))
    with pair.quimper.inside():
        said = " ".join(each.detail + each.subject for each in audit.latest(50))
    assert "Le Goff" not in said and not re.search("Gwenn", said)
