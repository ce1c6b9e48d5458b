"""Habilitations by hand: the desk and who keeps the machine grant them; they end, and are shown."""

from typing import Any

import pytest

from node.store.catalogue import facets
from node.store.promises import habilitations
from tests.node.pages.acting import publish, shown
from tests.node.pages.conftest import Pair
from tests.visitor import Visitor

PAGE = "/admin/habilitations"


def desk(pair: Pair) -> Visitor:
    if "Gwenn" not in pair.people:
        pair.people["Gwenn"] = pair.quimper.member("Gwenn", "gwenn@example.org", ("moderator",))
    return pair.visitor("Gwenn")


def granted(pair: Pair) -> list[tuple[str, str, bool]]:
    """Return who has what, and whether it is still granted, newest first."""
    with pair.quimper.inside():
        names = {each.id: who for who, each in pair.people.items() if who not in ("Anne",)}
        rows = habilitations.listed()
        return [(names[each.member], each.code, each.revoked_ms is None) for each in rows]


def machine(pair: Pair, code: str = "laser") -> str:
    """Publish something of Nolwenn's that asks for a habilitation; return its address."""
    href = publish(pair, "Nolwenn", "Quimper", "Découpe")
    with pair.quimper.inside():
        facets.put(shown(pair, "Quimper", "Découpe").row.id, [("habilitation", code)])
    return href


def give(visitor: Visitor, **typed: Any) -> Any:
    fields = {"who": "Yann", "code": "Laser ", "label": "Découpe laser", "until": "", **typed}
    return visitor.send(PAGE, PAGE, **fields)


def test_the_desk_grants_one_that_the_person_sees_on_their_account(pair: Pair) -> None:
    assert give(desk(pair), until="2026-12-31").status_code == 303
    assert granted(pair) == [("Yann", "laser", True)]
    page = pair.visitor("Yann").read("/compte").text
    assert "Découpe laser" in page and "31 décembre" in page
    assert "Découpe laser" not in pair.visitor("Nolwenn").read("/compte").text
    said = desk(pair).read("/admin/journal").text
    assert "Gwenn a donné à Yann l’habilitation « Découpe laser »" in said


def test_it_ends_by_itself_and_is_renewed(pair: Pair) -> None:
    give(desk(pair), until="2026-11-25")
    pair.world.clock.forward(days=4)
    assert "Découpe laser" not in pair.visitor("Yann").read("/compte").text
    assert "terminée" in desk(pair).read(PAGE).text
    give(desk(pair), until="2027-11-25")
    assert "Découpe laser" in pair.visitor("Yann").read("/compte").text


def test_it_is_taken_back_once(pair: Pair) -> None:
    give(desk(pair))
    with pair.quimper.inside():
        number = habilitations.listed()[0].id
    for _ in range(2):
        visitor = desk(pair)
        sent = visitor.post(f"{PAGE}/{number}/retirer", {"token": visitor.token()})
        assert sent.status_code == 303
    assert granted(pair) == [("Yann", "laser", False)]
    visitor = desk(pair)
    assert visitor.post(f"{PAGE}/99999/retirer", {"token": visitor.token()}).status_code == 404
    assert desk(pair).read("/admin/journal").text.count("a retiré à Yann") == 1


def test_a_keeper_grants_what_their_own_listing_asks_for_and_nothing_else(pair: Pair) -> None:
    keeper = pair.visitor("Nolwenn")
    assert keeper.get(PAGE).status_code == 403  # keeps nothing that asks for one
    machine(pair)
    assert give(keeper).status_code == 303
    assert give(keeper, code="fraiseuse").status_code == 403
    give(desk(pair), code="fraiseuse", label="Fraiseuse")
    assert "Fraiseuse" not in keeper.read(PAGE).text
    with pair.quimper.inside():
        other = habilitations.listed()[0].id
    assert keeper.post(f"{PAGE}/{other}/retirer", {"token": keeper.token()}).status_code == 403
    assert granted(pair) == [("Yann", "fraiseuse", True), ("Yann", "laser", True)]


def test_nobody_gives_one_to_themselves(pair: Pair) -> None:
    machine(pair)
    assert give(pair.visitor("Nolwenn"), who="Nolwenn").status_code == 422
    assert give(desk(pair), who="gwenn@example.org").status_code == 422
    assert granted(pair) == []


@pytest.mark.parametrize(
    "typed",
    [
        {"who": ""}, {"who": "Personne"}, {"who": "x@"}, {"who": "\x00"}, {"who": "x" * 5_000},
        {"code": ""}, {"code": "x" * 41}, {"until": "hier"},
        {"until": "2020-01-01"}, {"until": "9999-12-31"}, {"until": "0001-01-01"},
        {"until": "2026-02-30"},
    ],
)  # fmt: skip
def test_what_cannot_be_granted_comes_back_as_typed(pair: Pair, typed: dict[str, str]) -> None:
    sent = give(desk(pair), label="Comme ceci", **typed)
    assert sent.status_code == 422 and "Comme ceci" in sent.text
    assert granted(pair) == []


def test_who_is_erased_leaves_no_habilitation_and_no_name_under_one(pair: Pair) -> None:
    give(desk(pair))
    give(desk(pair), who="Nolwenn")
    with pair.quimper.inside() as town:
        town.engagements.forget(pair.people["Yann"].id)
        town.engagements.forget(pair.people["Gwenn"].id)
        left = habilitations.listed()
    assert [(each.member, each.by) for each in left] == [(pair.people["Nolwenn"].id, None)]
