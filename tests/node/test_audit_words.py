"""The audit in words a volunteer understands: who did what for whom, when; names are forgotten."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from node.erasure.people import erase_person
from node.pages import deeds
from node.practices.registry import PRACTICES
from node.store import audit
from node.store.catalogue import holdings
from node.store.promises import engagements
from tests.node.pages.acting import ask, publish, shown
from tests.node.pages.conftest import Pair
from tests.visitor import Visitor
from tests.world import World

JOURNAL = "/admin/journal"
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """One town, its people, and a trailer that nobody but the desk keeps."""
    world = World(tmp_path_factory.mktemp("audit"))
    place = world.found("Quimper")
    people = {
        "Marie": place.member("Marie", "marie@example.org", ("moderator",)),
        "Jean": place.member("Jean", "jean@example.org"),
        "Nolwenn": place.member("Nolwenn", "nolwenn@example.org"),
        "Anne": place.member("Anne", "anne@example.org", ("admin",)),
    }
    made = Pair(world, people)
    publish(made, "Nolwenn", "Quimper", "Scie")
    publish(made, "Nolwenn", "Quimper", "Remorque")
    key = shown(made, "Quimper", "Remorque").key
    with place.inside():
        holdings.keep(key, None, 0)
    yield made
    world.close()


@pytest.fixture(scope="module")
def request_of_jean(pair: Pair) -> str:
    """A trailer that Marie handed over on Saturday, and typed in later."""
    code = shown(pair, "Quimper", "Remorque").code
    href = ask(pair, "Jean", "Quimper", f"/a/{code}", first_day="2026-11-28", last_day="2026-11-30")
    act(pair, href, "approve")
    saturday_ms = pair.world.clock.now_ms() + 5 * DAY_MS
    pair.world.clock.forward(days=6)
    act(pair, href, "hand_over", at_ms=saturday_ms)
    return href


def marie(pair: Pair) -> Visitor:
    return pair.visitor("Marie")


def act(pair: Pair, href: str, action: str, **more: Any) -> None:
    with pair.quimper.inside() as town:
        town.engagements.act(
            bytes.fromhex(href.rsplit("/", 1)[-1]), action, member_id=pair.people["Marie"].id,
            role="staff", act_id=secrets.token_bytes(8), **more,
        )  # fmt: skip


def test_what_was_dated_back_says_both_names_the_thing_and_the_day(
    pair: Pair, request_of_jean: str
) -> None:
    page = marie(pair).read(JOURNAL).text
    assert "Marie a accepté la demande faite par Jean : Remorque" in page
    assert "Marie a remis à Jean : Remorque ; daté du samedi 28 novembre à 11 h 40" in page
    history = marie(pair).read(request_of_jean).text
    assert "Jean a demandé : Remorque" in history
    assert "Marie a remis à Jean : Remorque ; daté du samedi 28 novembre" in history


def test_it_is_found_by_person_by_listing_and_by_day(pair: Pair, request_of_jean: str) -> None:
    code, desk = shown(pair, "Quimper", "Remorque").code, marie(pair)
    said = "la demande faite par Jean"
    for query in ("qui=Marie", "qui=Jean", "qui=+Jean+", f"annonce={code}", "jour=2026-11-23"):
        assert said in desk.read(f"{JOURNAL}?{query}").text, query
    saw = shown(pair, "Quimper", "Scie").code
    for query in ("qui=Nolwenn", f"annonce={saw}", "jour=2026-11-22", "qui=Personne", "annonce=?"):
        assert said not in desk.read(f"{JOURNAL}?{query}").text, query


@pytest.mark.parametrize(
    "query",
    [
        "jour=zz", "jour=9999-12-31", "jour=0001-01-01", "avant=zz", "avant=99999999999999999999",
        "qui=%00", "qui=" + "x" * 900, "annonce=%F0%9F%8D%8E", "jour=2026-02-30", "avant=-1",
    ],
)  # fmt: skip
def test_odd_questions_find_nothing_and_break_nothing(pair: Pair, query: str) -> None:
    assert marie(pair).get(f"{JOURNAL}?{query}").status_code == 200


def test_every_action_of_every_practice_has_a_sentence_with_both_names(
    pair: Pair, request_of_jean: str
) -> None:
    number = bytes.fromhex(request_of_jean.rsplit("/", 1)[-1])
    with pair.quimper.app.test_request_context("/?lang=fr"), pair.quimper.inside():
        row, marie_id = engagements.find(number), pair.people["Marie"].id
        for practice in PRACTICES:
            tables = practice.engaging.lifecycles.values() if practice.engaging else ()
            for each in (each for table in tables for each in table.transitions):
                for by in ("keeper", "desk", "aide"):
                    said = deeds.sentence(
                        row, each.action, by, marie_id, consent="paper", label=each.label
                    )
                    assert "Marie" in said and "Jean" in said and "Remorque" in said, (each, by)
                    assert "%(" not in said


def test_a_listing_that_is_gone_and_a_row_that_is_gone_still_read(pair: Pair) -> None:
    with pair.quimper.inside() as town:
        marie_id = pair.people["Marie"].id
        audit.note(
            "engagement.act", at_ms=town.clock.now_ms(), actor="Marie", member=marie_id,
            detail='{"action": "approve", "by": "desk"}', engagement=b"\x01" * 16,
        )  # fmt: skip
        audit.note(
            "engagement.act", at_ms=town.clock.now_ms(), actor="Marie", member=marie_id,
        )  # fmt: skip
        audit.note("keeper.name", at_ms=town.clock.now_ms(), actor="x", listing=b"\x02" * 16)
        audit.note("never.heard.of", at_ms=town.clock.now_ms(), actor="x", detail="{")
    page = marie(pair).read(JOURNAL).text
    assert "Marie a accepté la demande faite par quelqu’un : une annonce disparue" in page


def test_names_are_gone_from_the_trail_once_somebody_is_erased(
    pair: Pair, request_of_jean: str
) -> None:
    act(pair, request_of_jean, "take_back")
    assert "Jean" in marie(pair).read(JOURNAL).text
    with pair.quimper.inside() as town:
        erase_person(town, pair.people["Jean"].id, by=pair.people["Anne"].id)
    page = marie(pair).read(JOURNAL).text
    assert "Jean" not in page and "Marie a repris à quelqu’un : Remorque" in page
    assert "Jean" not in marie(pair).read(request_of_jean).text
