"""Other terms through the pages: what each side reads side by side, and whose turn it is."""

import pytest

from tests.node.pages.acting import answer, ask, publish, there
from tests.node.pages.conftest import Pair
from tests.visitor import Reader


@pytest.fixture
def far(pair: Pair) -> str:
    """A request of Nolwenn's at Quimper for a trailer of Lorient, which has it: its address."""
    publish(pair, "Roue libre", "Lorient", "Remorque")
    pair.world.sync()
    href = ask(pair, "Nolwenn", "Quimper", there(pair, "Remorque"))
    pair.world.sync()
    return href


def received(pair: Pair) -> str:
    """Return the address of the request at Lorient."""
    return pair.visitor("Roue libre", "Lorient").read("/demandes").link("Remorque")


def propose(pair: Pair, who: str, town: str, href: str, **typed: str) -> Reader:
    """Propose other days through the form; return the page it leads to."""
    visitor = pair.visitor(who, town)
    sent = visitor.send(f"{href}/proposer", **typed)
    assert sent.status_code == 303, Reader(sent.text).text
    return visitor.follow(sent)


OTHER_DAYS = {"first_day": "2026-12-02", "last_day": "2026-12-03"}


def test_a_counter_proposal_is_read_beside_what_was_asked_and_accepted(
    pair: Pair, far: str
) -> None:
    home = received(pair)
    assert "Proposer d’autres jours" in pair.visitor("Roue libre", "Lorient").read(home).text
    page = propose(pair, "Roue libre", "Lorient", home, reason="Plutôt là", **OTHER_DAYS)
    assert "Vous avez fait cette proposition" in page.text
    assert pair.visitor("Nolwenn").read(far).text.count("décembre") == 0
    pair.world.sync()
    mine = pair.visitor("Nolwenn").read(far).text
    assert "Lorient propose d’autres conditions" in mine and "Plutôt là" in mine
    assert "25 novembre" in mine and "2 décembre" in mine
    assert "À vous" in pair.visitor("Nolwenn").read("/demandes").text
    page = answer(pair, "Nolwenn", "Quimper", far, "accept")
    assert "Votre oui est en route vers Lorient" in page.text
    pair.world.sync()
    done = pair.visitor("Nolwenn").read(far).text
    assert "Confirmée par Lorient" in done and "2 décembre" in done and "25 novembre" not in done


def test_a_change_of_what_was_agreed_is_asked_for_and_refused(pair: Pair, far: str) -> None:
    home = received(pair)
    answer(pair, "Roue libre", "Lorient", home, "approve")
    pair.world.sync()
    propose(pair, "Nolwenn", "Quimper", far, **OTHER_DAYS)
    assert "Votre changement est en route" in pair.visitor("Nolwenn").read(far).text
    pair.world.sync()
    assert "Vous avez demandé un changement" in pair.visitor("Nolwenn").read(far).text
    page = pair.visitor("Roue libre", "Lorient").read(home)
    assert "Un changement est demandé" in page.text and "25 novembre" in page.text
    answer(pair, "Roue libre", "Lorient", home, "keep")
    pair.world.sync()
    mine = pair.visitor("Nolwenn").read(far).text
    assert "Ils s’en tiennent à ce qui était convenu" in mine and "Changement refusé" in mine
    assert "Confirmée par Lorient" in mine and "25 novembre" in mine


def test_what_cannot_be_proposed_comes_back_with_a_sentence(pair: Pair, far: str) -> None:
    home, keeper = received(pair), pair.visitor("Roue libre", "Lorient")
    backwards = {"first_day": "2026-12-03", "last_day": "2026-12-02"}
    sent = keeper.send(f"{home}/proposer", **backwards)
    assert sent.status_code == 422 and 'value="2026-12-03"' in sent.text
    assert keeper.send(f"{home}/proposer", first_day="bientôt", last_day="").status_code == 422


def test_nobody_else_reads_or_proposes(pair: Pair, far: str) -> None:
    home = received(pair)
    answer(pair, "Roue libre", "Lorient", home, "decline")
    assert pair.visitor("Roue libre", "Lorient").client.get(f"{home}/proposer").status_code == 409
    assert pair.visitor("Yann").client.get(f"{far}/proposer").status_code in (403, 404)
    assert pair.visitor("Nolwenn").client.get("/demandes/zz/proposer").status_code == 404
