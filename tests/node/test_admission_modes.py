"""Admission: open, by approval, by invitation; what changes when the mode does, what is guessed."""

import re
from typing import Any

import pytest

from node.domain.errors import NotAllowed
from node.members import accounts, admission, codes
from node.pages.mailing import writers
from node.store import notices
from node.store.people import desk_words, invitations, members
from tests.node.pages.acting import publish
from tests.node.pages.conftest import Pair, pair
from tests.visitor import Reader, Visitor

__all__ = ["pair"]

GWENN = "gwenn@example.org"


def mode(pair: Pair, name: str) -> None:
    """Change how people become members at Quimper, as the settings do at the next start."""
    object.__setattr__(pair.quimper.town.config, "admission", name)


def mailed(pair: Pair, email: str) -> str | None:
    """Return the code of the last letter to an address, None where none was written."""
    with pair.quimper.inside() as town:
        due = [each for each in notices.due(town.clock.now_ms()) if each.address == email]
        letter = writers(town)[due[-1].kind](due[-1])
        for each in due:
            notices.sent(each, town.clock.now_ms())
    found = re.search(r"([0-9A-Z]{4} [0-9A-Z]{4})", letter.body) if letter else None
    return found[1] if found else None


def come(pair: Pair, email: str = GWENN) -> tuple[Visitor, str | None]:
    """Ask for a code by mail and type it."""
    visitor = pair.visitor()
    visitor.send("/compte", "/compte/courriel", email=email)
    code = mailed(pair, email)
    if code is not None:
        visitor.send("/compte", "/compte/code", code=code, email=email, name="Gwenn")
    return visitor, code


def status(pair: Pair, email: str = GWENN) -> str:
    with pair.quimper.inside():
        found = members.by_email(email)
        return found.status if found else ""


def number(pair: Pair, email: str = GWENN) -> int:
    with pair.quimper.inside():
        return int(members.by_email(email).id)


def reply(pair: Pair, to: int, said: str, words: str = "") -> Any:
    desk = pair.visitor("Maïwenn")
    page = "/admin/adhesions"
    return desk.send(page, f"{page}/{to}", words=words, answer=said)


def invited(pair: Pair, who: str, **typed: str) -> str:
    """Make an invitation by the form; return its code."""
    fields = {"uses": "1", "days": "14", "note": "", **typed}
    answer = pair.visitor(who).send("/compte/invitations", **fields)
    assert answer.status_code == 200, Reader(answer.text).text
    found = re.search(r"code=([0-9A-Z]{12})", answer.text)
    assert found, Reader(answer.text).text
    return found[1]


def join(pair: Pair, code: str, name: str = "Gwenn") -> tuple[Visitor, Any]:
    visitor = pair.visitor()
    return visitor, visitor.send("/rejoindre", code=code, name=name)


# ── by approval ──────────────────────────────────────────────────────────────────────────────────


def test_an_association_says_yes_to_its_members_unless_it_says_otherwise(pair: Pair) -> None:
    assert pair.quimper.town.config.admission == "approval"


def test_who_waits_reads_and_does_nothing_else_until_the_desk_says_yes(pair: Pair) -> None:
    href = publish(pair, "Yann", "Quimper", "Échelle")
    narrow = publish(pair, "Yann", "Quimper", "Treuil", seen="partners")
    gwenn, _ = come(pair)
    assert status(pair) == "pending"
    assert "pas encore répondu" in gwenn.read("/compte").text
    assert gwenn.get("/").status_code == gwenn.get(href).status_code == 200
    for path in (narrow, f"{href}/demander", "/publier/objets", "/demandes",
                 "/compte/invitations", "/compte/adresse"):  # fmt: skip
        assert gwenn.get(path).status_code == 403, path
    token = gwenn.token()
    for path in (f"{href}/demander", "/publier/objets", "/compte/invitations", "/compte/adresse",
                 "/compte", "/compte/mot-de-passe"):  # fmt: skip
        assert gwenn.post(path, {"token": token, "title": "x"}).status_code == 403, path
    assert gwenn.get("/admin").status_code == 403

    gwenn.send("/compte", "/compte/adhesion", name="Gwenn L.", words="Rue du Port, chez Yann.")
    assert "souhaite devenir membre" in pair.visitor("Maïwenn").read("/admin").text
    assert "Rue du Port" in pair.visitor("Maïwenn").read("/admin/adhesions").text
    assert reply(pair, number(pair), "yes").status_code == 303
    assert status(pair) == "active"
    assert gwenn.get(f"{href}/demander").status_code == 200  # the same browser, at once
    assert "accepté votre adhésion" in gwenn.read("/compte").text
    with pair.quimper.inside():
        assert members.by_email(GWENN).applied == ""


def test_a_no_has_a_reason_and_can_be_asked_again(pair: Pair) -> None:
    gwenn, _ = come(pair)
    which = number(pair)
    assert reply(pair, which, "no").status_code == 422
    assert reply(pair, which, "no", "Vous habitez trop loin.").status_code == 303
    assert "Vous habitez trop loin." in gwenn.read("/compte").text
    assert pair.visitor("Maïwenn").read("/admin/adhesions").text.count("Gwenn") == 0
    again = pair.visitor("Maïwenn")
    late = again.post(
        f"/admin/adhesions/{which}", {"token": again.token(), "answer": "yes", "words": ""}
    )
    assert late.status_code == 409 and status(pair) == "refused"
    gwenn.send("/compte", "/compte/adhesion", name="Gwenn", words="J’ai déménagé.")
    assert status(pair) == "pending"
    gwenn.send("/compte/effacer")
    assert status(pair) == ""


def test_a_code_of_the_desk_admits_whatever_the_mode(pair: Pair) -> None:
    for each in admission.MODES:
        mode(pair, each)
        with pair.quimper.inside() as town:
            code = codes.issue(
                "desk",
                name=f"Ami {each}",
                secret=town.keyring.secret,
                now_ms=pair.world.clock.now_ms(),
            )
        visitor = pair.visitor()
        visitor.send("/compte", "/compte/code", code=code)
        assert visitor.get("/demandes").status_code == 200, each


def test_the_mode_counts_when_the_code_is_typed_not_when_it_was_made(pair: Pair) -> None:
    visitor = pair.visitor()
    mode(pair, "open")
    visitor.send("/compte", "/compte/courriel", email=GWENN)
    code = mailed(pair, GWENN)
    mode(pair, "invitation")
    late = visitor.send("/compte", "/compte/code", code=code, email=GWENN)
    assert late.status_code == 403 and status(pair) == ""
    mode(pair, "approval")
    visitor.send("/compte", "/compte/code", code=code, email=GWENN)
    assert status(pair) == "pending"
    mode(pair, "open")
    come(pair)
    assert status(pair) == "active"


def test_where_anybody_may_come_nobody_waits(pair: Pair) -> None:
    mode(pair, "open")
    gwenn, _ = come(pair)
    assert status(pair) == "active" and gwenn.get("/demandes").status_code == 200


def test_a_refused_person_does_not_come_in_by_a_change_of_mode(pair: Pair) -> None:
    come(pair)
    reply(pair, number(pair), "no", "Non.")
    mode(pair, "open")
    come(pair)
    assert status(pair) == "refused"


# ── by invitation ────────────────────────────────────────────────────────────────────────────────


def test_a_stranger_gets_no_code_where_people_are_invited_and_the_page_says_the_same(
    pair: Pair,
) -> None:
    mode(pair, "invitation")
    said = []
    for email in ("nolwenn@example.org", GWENN):
        visitor = pair.visitor()
        sent = visitor.send("/compte", "/compte/courriel", email=email)
        said.append(visitor.read(sent.location).text.replace(email, ""))
    assert said[0] == said[1] and mailed(pair, GWENN) is None
    assert mailed(pair, "nolwenn@example.org") is not None


def test_an_invitation_lets_in_so_many_times_and_until_its_day(pair: Pair) -> None:
    mode(pair, "invitation")
    code = invited(pair, "Nolwenn", uses="2", days="3")
    for name in ("Gwenn", "Tudi"):
        visitor, sent = join(pair, code, name)
        assert sent.status_code == 303 and visitor.get("/demandes").status_code == 200
    assert join(pair, code, "Trop")[1].status_code == 403
    with pair.quimper.inside():
        assert {each.invited_by for each in members.listed() if each.name in ("Gwenn", "Tudi")} == {
            pair.people["Nolwenn"].id
        }
    other = invited(pair, "Nolwenn", days="3")
    pair.world.clock.forward(days=4)
    assert join(pair, other)[1].status_code == 403


def test_a_double_click_uses_an_invitation_once(pair: Pair) -> None:
    mode(pair, "invitation")
    code, visitor = invited(pair, "Nolwenn", uses="5"), pair.visitor()
    form = visitor.form("/rejoindre")
    fields = {**form.fields, "code": code, "name": "Gwenn"}
    assert {visitor.post("/rejoindre", fields).status_code for _ in range(2)} == {303}
    with pair.quimper.inside() as town:
        (held,) = invitations.of_member(pair.people["Nolwenn"].id, town.clock.now_ms())
        assert held.uses_left == 4


def test_an_invitation_ends_with_its_maker_and_by_their_will_alone(pair: Pair) -> None:
    mode(pair, "invitation")
    first, second = invited(pair, "Nolwenn"), invited(pair, "Nolwenn")
    with pair.quimper.inside() as town:
        newest, oldest = invitations.of_member(pair.people["Nolwenn"].id, town.clock.now_ms())
    yann, nolwenn = pair.visitor("Yann"), pair.visitor("Nolwenn")
    yann.post("/compte/invitations/fin", {"token": yann.token(), "which": str(oldest.id)})
    nolwenn.post("/compte/invitations/fin", {"token": nolwenn.token(), "which": str(newest.id)})
    assert join(pair, second)[1].status_code == 403
    assert join(pair, first)[1].status_code == 303
    third = invited(pair, "Nolwenn")
    with pair.quimper.inside() as town:
        accounts.suspend(pair.people["Nolwenn"].id, by=None, now_ms=town.clock.now_ms())
    assert join(pair, third)[1].status_code == 403


def test_where_the_desk_approves_a_neighbour_recommends_and_a_moderator_admits(pair: Pair) -> None:
    gwenn, _ = join(pair, invited(pair, "Nolwenn"))
    assert "pas encore répondu" in gwenn.read("/compte").text
    assert "Nolwenn" in pair.visitor("Maïwenn").read("/admin/adhesions").text
    tudi, _ = join(pair, invited(pair, "Maïwenn"), "Tudi")
    assert tudi.get("/demandes").status_code == 200


def test_guessing_invitations_ends_soon(pair: Pair) -> None:
    visitor, codes_seen = pair.visitor(), []
    for guess in range(24):
        sent = visitor.send("/rejoindre", code=f"ZZZZ ZZZZ {guess:04d}", name="x")
        codes_seen.append(sent.status_code)
    assert codes_seen == [403] * 20 + [429] * 4
    with pair.quimper.inside():
        assert len(members.listed()) == 3


@pytest.mark.parametrize(
    "typed",
    [
        {"uses": "0"}, {"uses": "-1"}, {"uses": "51"}, {"uses": "9" * 40}, {"uses": "un"},
        {"days": "0"}, {"days": "61"}, {"days": "²"}, {"note": "x" * 81},
    ],
)  # fmt: skip
def test_an_invitation_has_bounds(pair: Pair, typed: dict[str, str]) -> None:
    fields = {"uses": "1", "days": "1", "note": "", **typed}
    assert pair.visitor("Nolwenn").send("/compte/invitations", **fields).status_code == 422


def test_invitations_are_made_so_often_a_day(pair: Pair) -> None:
    said = [
        pair.visitor("Nolwenn").send("/compte/invitations", uses="1", days="1").status_code
        for _ in range(22)
    ]
    assert said == [200] * 20 + [429] * 2


@pytest.mark.parametrize("typed", ["", "x" * 500, "\x00", "é", "<script>", "0" * 12])
def test_a_hostile_code_is_refused_with_a_sentence(pair: Pair, typed: str) -> None:
    _, sent = join(pair, typed, "<b>Gwenn</b>")
    assert sent.status_code == 403 and "<script>" not in sent.text


# ── proofs of residence, a new address ───────────────────────────────────────────────────────────


def test_of_a_proof_is_kept_that_it_was_seen_when_and_by_whom(pair: Pair) -> None:
    desk, which = pair.visitor("Maïwenn"), pair.people["Nolwenn"].id
    page = "/admin/adhesions/domicile"
    assert desk.send(page, f"/admin/adhesions/{which}/domicile", seen="1").status_code == 303
    assert "par Maïwenn" in desk.read(page).text
    with pair.quimper.inside() as town:
        row = members.find(which)
        assert (row.resident_ms, row.resident_by) == (
            town.clock.now_ms(), pair.people["Maïwenn"].id,
        )  # fmt: skip
        with pytest.raises(NotAllowed):
            admission.prove(which, True, by=which, now_ms=town.clock.now_ms())


def test_a_new_address_counts_once_its_code_was_typed_and_the_old_one_is_told(pair: Pair) -> None:
    nolwenn, new = pair.visitor("Nolwenn"), "nolwenn@ailleurs.example"
    nolwenn.send("/compte/adresse", email=new)
    assert status(pair, new) == ""
    code = mailed(pair, new)
    stranger = pair.visitor()
    assert stranger.send("/compte", "/compte/code", code=code, email=new).status_code == 403
    page = f"/compte/adresse?email={new}"
    yann = pair.visitor("Yann")
    assert yann.send(page, "/compte/adresse/code", code=code, email=new).status_code == 403
    assert nolwenn.send(page, "/compte/adresse/code", code=code, email=new).status_code == 303
    assert status(pair, new) == "active" and status(pair, "nolwenn@example.org") == ""
    with pair.quimper.inside() as town:
        (old,) = [
            each for each in notices.due(town.clock.now_ms()) if "example.org" in each.address
        ]
        letter = writers(town)[old.kind](old)
        assert letter is not None and letter.to == "nolwenn@example.org" and new not in letter.body
    again = nolwenn.send(page, "/compte/adresse/code", code=code, email=new)
    assert again.status_code == 403


def test_the_address_of_somebody_else_is_mailed_no_code_and_the_page_says_the_same(
    pair: Pair,
) -> None:
    said = []
    for email in ("yann@example.org", "libre@example.org"):
        visitor = pair.visitor("Nolwenn")
        sent = visitor.send("/compte/adresse", email=email)
        said.append(visitor.read(sent.location).text.replace(email, ""))
    assert said[0] == said[1]
    assert mailed(pair, "yann@example.org") is None
    for typed in ("", "pas une adresse", "x" * 300 + "@y.fr"):
        assert pair.visitor("Nolwenn").send("/compte/adresse", email=typed).status_code == 422
    form = pair.visitor("Nolwenn")
    for code, email in (("", ""), ("ZZZZZZZZ", "yann@example.org"), ("é" * 60, "\x00")):
        sent = form.send("/compte/adresse", "/compte/adresse/code", code=code, email=email)
        assert sent.status_code in (403, 422)


def test_another_browser_is_signed_out_by_name_and_nobody_elses(pair: Pair) -> None:
    phone, laptop, yann = pair.visitor("Nolwenn"), pair.visitor("Nolwenn"), pair.visitor("Yann")
    form = laptop.form("/compte", "/compte/session")
    yann.post("/compte/session", {**form.fields, "token": yann.token()})
    assert phone.get("/demandes").status_code == 200
    laptop.post("/compte/session", form.fields)
    assert phone.get("/demandes").status_code == 303
    assert laptop.get("/demandes").status_code == 200
    for which in ("é", "", "x" * 900):
        sent = laptop.post("/compte/session", {"token": laptop.token(), "which": which})
        assert sent.status_code == 303


def test_words_of_the_desk_are_new_once(pair: Pair) -> None:
    with pair.quimper.inside() as town:
        desk_words.tell(pair.people["Yann"].id, "warned", "Doucement.", now_ms=town.clock.now_ms())
        assert desk_words.unread(pair.people["Yann"].id) == 1
    yann = pair.visitor("Yann")
    assert yann.read("/compte").text.count("Doucement.") == 2
    assert yann.read("/compte").text.count("Doucement.") == 1
