"""What is done to a pairing and to who people are: a code counts once, and roles stay at home."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import pairing as wire
from node.partners import pairing
from node.store.network import partners
from node.store.people import members
from tests.node.identity_towns import KeyWorld, ask, key_world
from tests.node.partner_wire import card_of, code_of, open_invitation, pair_with, publish


@pytest.fixture
def world(tmp_path: Path) -> Iterator[KeyWorld]:
    made = key_world(tmp_path)
    yield made
    made.close()


def test_abuse_028_a_code_is_used_once_however_many_towns_race_for_it(world: KeyWorld) -> None:
    auray, first, second = (*map(world.found, ("Auray", "Pontivy")), world.places["Vannes"])
    with auray.inside() as town:
        invitation = pairing.invite(town.config.url, world.clock)
    asks = [
        wire.encode("ask", card_of(each), bytes(16), invitation.code) for each in (first, second)
    ]
    answers = [pair_with(auray, each) for each in asks]
    assert [each.status for each in answers] == [200, 403]
    replayed = pair_with(auray, asks[0])
    assert (replayed.status, code_of(replayed)) == (403, "bad_invitation")
    with auray.inside():
        assert [row.town for row in partners.listed()] == [first.town.id]
        assert partners.listed()[0].status == "words"  # and nothing counts before the words do


def test_abuse_028_a_code_is_spent_by_a_few_guesses_and_by_time(world: KeyWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.found("Auray")
    with lorient.inside() as town:
        invitation = pairing.invite(town.config.url, world.clock)
    right = wire.encode("ask", card_of(quimper), bytes(16), invitation.code)
    for guess in range(pairing.TRIES_MAX):
        wrong = wire.encode("ask", card_of(quimper), bytes(16), f"AAAAAAAA{guess:02}")
        assert pair_with(lorient, wrong).status == 403
    assert pair_with(lorient, right).status == 403
    with lorient.inside() as town:
        late = pairing.invite(town.config.url, world.clock)
    world.clock.at_ms = late.until_ms + 1
    message = wire.encode("ask", card_of(quimper), bytes(16), late.code)
    assert pair_with(lorient, message).status == 403
    assert open_invitation(lorient)["tries"] >= 0
    with lorient.inside():
        assert partners.find(quimper.town.id) is None
    assert 32**wire.CODE_LETTERS >= 2**50 > pairing.TRIES_MAX


def test_abuse_025_who_somebody_is_in_one_town_means_nothing_in_another(world: KeyWorld) -> None:
    """Anna asks as an administrator of Quimper: Lorient makes no account and gives no role."""
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    wanted = publish(lorient, "Remorque")[0]
    world.sync()
    quimper.member("Anna", roles=("admin",))
    engagement = ask(quimper, lorient, wanted.key)
    world.sync()
    with lorient.inside() as town:
        assert town.engagements.find(engagement).asker is None
        assert [each.name for each in members.listed(limit=100)] == []
