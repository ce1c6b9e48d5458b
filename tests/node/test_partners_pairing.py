"""Pairing: a code two people passed on, six words both read aloud, and nothing before that."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import limits
from federation import pairing as letters
from federation.errors import RemoteProtocolError
from federation.messages import encode_ids
from federation.record import SCOPE_PARTNERS
from node.domain.errors import Conflict, DomainError, NotFound
from node.partners import pairing
from node.store import audit
from node.store.network import partners, towns
from node.store.sets import keysets, records
from tests.node.partner_wire import (
    TOWNS,
    Caller,
    card_of,
    code_of,
    foreign_record,
    held_ids,
    open_invitation,
    pair_with,
    partner,
    publish,
    refused,
    three_towns,
    titles,
)
from tests.world import World

BAD = 403
NONCE = b"n" * letters.NONCE_BYTES


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three towns that do not know each other."""
    made = World(tmp_path)
    for name in TOWNS:
        made.found(name)
    yield made
    made.close()


def invite(world: World, name: str = "Lorient") -> pairing.Invitation:
    place = world.places[name]
    with place.inside() as town:
        return pairing.invite(town.config.url, world.clock)


def accept(world: World, name: str, text: str) -> partners.Partner:
    with world.places[name].inside() as town:
        return town.exchanges.accept(text)


def confirm(world: World, name: str, other: str) -> None:
    with world.places[name].inside():
        pairing.confirm(world.places[other].town.id, world.clock)


def knows(world: World, name: str, other: str) -> str:
    row = partner(world.places[name], world.places[other])
    return row.status if row else ""


# ── the code ─────────────────────────────────────────────────────────────────────────────────────


def test_a_right_code_makes_both_wait_for_the_same_six_words(world: World) -> None:
    accept(world, "Quimper", invite(world).text)
    lorient, quimper = (world.places[each].town.id for each in TOWNS[:2])
    assert knows(world, "Lorient", "Quimper") == knows(world, "Quimper", "Lorient") == "words"
    assert pairing.words(lorient, quimper) == pairing.words(quimper, lorient)
    assert len(pairing.words(lorient, quimper)) == 6


def test_the_words_of_two_other_towns_are_others(world: World) -> None:
    one, two, three = (world.places[each].town.id for each in TOWNS)
    assert (
        len({tuple(pairing.words(*pair)) for pair in ((one, two), (two, three), (one, three))}) == 3
    )


@pytest.mark.parametrize("typed", ["{url}#{code}", "{url} {lower}", "  {url}#{dashed}  "])
def test_an_invitation_may_be_typed_as_people_type(world: World, typed: str) -> None:
    made = invite(world)
    dashed = "-".join(made.code[at : at + 2] for at in range(0, 10, 2))
    text = typed.format(url=made.url, code=made.code, lower=made.code.lower(), dashed=dashed)
    assert accept(world, "Quimper", text).status == "words"


NO_INVITATIONS = (
    "", "no", "http://lorient.test", "http://#ABCDE-12345", "ftp://lorient.test#ABCDE-12345",
    "http://lorient.test#ABC",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_INVITATIONS)
def test_what_is_no_invitation_is_said_to_be_none(world: World, text: str) -> None:
    with pytest.raises(Conflict) as told:
        accept(world, "Quimper", text)
    assert told.value.code == "bad_invitation"


def test_a_wrong_code_pairs_nobody(world: World) -> None:
    made = invite(world)
    wrong = ("0" if made.code[0] != "0" else "1") + made.code[1:]
    with pytest.raises(RemoteProtocolError) as told:
        accept(world, "Quimper", f"{made.url}#{wrong}")
    assert told.value.code == "bad_invitation"
    assert knows(world, "Lorient", "Quimper") == knows(world, "Quimper", "Lorient") == ""


def test_a_code_is_good_once(world: World) -> None:
    made = invite(world)
    accept(world, "Quimper", made.text)
    with pytest.raises(RemoteProtocolError):
        accept(world, "Vannes", made.text)
    assert knows(world, "Lorient", "Vannes") == ""


def test_a_code_is_good_for_fifteen_minutes(world: World) -> None:
    made = invite(world)
    world.clock.forward(minutes=15)
    accept(world, "Quimper", made.text)
    made = invite(world)
    world.clock.forward(minutes=15, ms=1)
    with pytest.raises(RemoteProtocolError):
        accept(world, "Vannes", made.text)


def test_a_new_invitation_ends_the_one_before(world: World) -> None:
    first, second = invite(world), invite(world)
    with pytest.raises(RemoteProtocolError):
        accept(world, "Quimper", first.text)
    assert accept(world, "Quimper", second.text).status == "words"


def test_five_wrong_guesses_spend_a_code(world: World) -> None:
    lorient, made = world.places["Lorient"], invite(world)
    ask = letters.encode("ask", card_of(world.places["Quimper"]), NONCE, "0" * 10)
    assert [pair_with(lorient, ask).status for _ in range(pairing.TRIES_MAX)] == [BAD] * 5
    with pytest.raises(RemoteProtocolError):
        accept(world, "Quimper", made.text)


def test_four_wrong_guesses_do_not(world: World) -> None:
    lorient, made = world.places["Lorient"], invite(world)
    ask = letters.encode("ask", card_of(world.places["Quimper"]), NONCE, "0" * 10)
    for _ in range(pairing.TRIES_MAX - 1):
        pair_with(lorient, ask)
    assert accept(world, "Quimper", made.text).status == "words"


def test_without_an_invitation_nobody_is_paired(world: World) -> None:
    ask = letters.encode("ask", card_of(world.places["Quimper"]), NONCE, "0" * 10)
    assert pair_with(world.places["Lorient"], ask).status == BAD


# ── the cards ────────────────────────────────────────────────────────────────────────────────────


def test_a_card_changed_on_its_way_is_refused(world: World, rng: random.Random) -> None:
    made = invite(world)
    ask = letters.encode("ask", card_of(world.places["Quimper"]), NONCE, made.code)
    places = sorted(rng.sample(range(len(ask)), pairing.TRIES_MAX - 1))
    for at in places:
        changed = ask[:at] + bytes([ask[at] ^ 1 << rng.randrange(8)]) + ask[at + 1 :]
        reply = pair_with(world.places["Lorient"], changed)
        assert reply.status in (400, 403), (at, reply)
    assert knows(world, "Lorient", "Quimper") == ""
    assert pair_with(world.places["Lorient"], ask).status == 200


def test_an_answer_changed_on_its_way_leaves_nothing_behind(
    world: World, rng: random.Random
) -> None:
    quimper, code = world.places["Quimper"], "0" * 10
    answer = letters.encode("answer", card_of(world.places["Lorient"]), NONCE, code)
    for at in rng.sample(range(len(answer)), 40):
        changed = answer[:at] + bytes([answer[at] ^ 1 << rng.randrange(8)]) + answer[at + 1 :]
        with quimper.inside() as town, pytest.raises(RemoteProtocolError):
            pairing.accepted(changed, NONCE, code, card_of(quimper), town.store, world.clock)
    assert knows(world, "Quimper", "Lorient") == ""


def test_an_answer_to_another_question_is_refused(world: World) -> None:
    quimper, code = world.places["Quimper"], "0" * 10
    answer = letters.encode("answer", card_of(world.places["Lorient"]), b"x" * 16, code)
    with quimper.inside() as town, pytest.raises(RemoteProtocolError) as told:
        pairing.accepted(answer, NONCE, code, card_of(quimper), town.store, world.clock)
    assert told.value.code == "bad_invitation"
    assert knows(world, "Quimper", "Lorient") == ""


def test_a_question_sent_back_is_no_answer(world: World) -> None:
    quimper, code = world.places["Quimper"], "0" * 10
    ask = letters.encode("ask", card_of(world.places["Lorient"]), NONCE, code)
    with quimper.inside() as town, pytest.raises(RemoteProtocolError):
        pairing.accepted(ask, NONCE, code, card_of(quimper), town.store, world.clock)


def test_a_town_is_not_its_own_partner(world: World) -> None:
    with pytest.raises(RemoteProtocolError):
        accept(world, "Lorient", invite(world).text)
    assert knows(world, "Lorient", "Lorient") == ""


def test_of_many_who_send_one_code_at_once_one_is_paired(world: World) -> None:
    lorient, made = world.places["Lorient"], invite(world)
    asks = [
        letters.encode("ask", card_of(world.places[name]), NONCE, made.code)
        for name in TOWNS[1:] * 4
    ]
    start, codes = threading.Barrier(len(asks)), []

    def send(ask: bytes) -> None:
        start.wait()
        codes.append(pair_with(lorient, ask).status)

    threads = [threading.Thread(target=send, args=(ask,)) for ask in asks]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(codes) == [200] + [BAD] * (len(asks) - 1)
    assert sorted(knows(world, "Lorient", name) for name in TOWNS[1:]) == ["", "words"]


def test_guesses_made_at_once_are_all_counted(world: World) -> None:
    lorient = world.places["Lorient"]
    invite(world)
    ask = letters.encode("ask", card_of(world.places["Quimper"]), NONCE, "0" * 10)
    start = threading.Barrier(4)

    def send() -> None:
        start.wait()
        pair_with(lorient, ask)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert open_invitation(lorient)["tries"] == 4


def test_pairing_is_asked_for_twenty_times_an_hour_at_most(world: World) -> None:
    lorient = world.places["Lorient"]
    codes = [pair_with(lorient, b"\x00").status for _ in range(25)]
    assert codes[:20] == [BAD] * 20
    assert codes[20:] == [429] * 5


# ── before the words are compared ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("confirming", [(), ("Lorient",), ("Quimper",)])
def test_nothing_is_exchanged_before_both_confirmed(
    world: World, confirming: tuple[str, ...]
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(lorient, "Perceuse")
    publish(quimper, "Remorque")
    accept(world, "Quimper", invite(world).text)
    for name in confirming:
        confirm(world, name, "Quimper" if name == "Lorient" else "Lorient")
    for near, far in ((lorient, quimper), (quimper, lorient)):
        with near.inside() as town:
            try:
                outcome = town.exchanges.visit(far.town.id).outcome
            except DomainError as error:
                outcome = error.code
        assert outcome in ("unknown_peer", "not_confirmed"), outcome
    assert held_ids(lorient, quimper.town.id) == held_ids(quimper, lorient.town.id) == set()


def test_who_is_not_confirmed_is_answered_nothing(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    (record,) = publish(lorient, "Perceuse")
    accept(world, "Quimper", invite(world).text)
    caller = Caller(quimper, lorient)
    assert caller.hello().status == 401
    reply = caller.ask(limits.FETCH, encode_ids([record.id]), nonce=bytes(16))
    assert (reply.status, code_of(reply)) == (401, "unknown_peer")


def test_the_link_is_open_once_both_confirmed(world: World) -> None:
    publish(world.places["Lorient"], "Perceuse")
    world.pair("Lorient", "Quimper")
    assert world.visit("Quimper", "Lorient").outcome == "ok"
    assert titles(world.places["Quimper"]) == {"Perceuse"}


def test_nobody_confirms_a_town_that_was_not_paired(world: World) -> None:
    with pytest.raises(NotFound):
        confirm(world, "Lorient", "Quimper")


def test_who_confirmed_is_written_down(world: World) -> None:
    accept(world, "Quimper", invite(world).text)
    with world.places["Quimper"].inside():
        pairing.confirm(world.places["Lorient"].town.id, world.clock, by="Maëlle")
        noted = audit.latest(1)[0]
    assert (noted.actor, noted.subject) == ("Maëlle", world.places["Lorient"].town.id.hex())


def test_pairing_again_leaves_an_open_link_open(world: World) -> None:
    world.pair("Lorient", "Quimper")
    accept(world, "Quimper", invite(world).text)
    assert knows(world, "Lorient", "Quimper") == knows(world, "Quimper", "Lorient") == "active"


# ── the end of a link ────────────────────────────────────────────────────────────────────────────


def test_what_was_held_of_a_removed_town_is_gone(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(lorient, "Trampoline", "Remorque")
    publish(lorient, "Four à pain", scope=SCOPE_PARTNERS)
    world.pair("Lorient", "Quimper")
    world.visit("Quimper", "Lorient")
    assert len(titles(quimper)) == 3
    with quimper.inside():
        pairing.remove(lorient.town.id, world.clock)
        assert records.of_origin(lorient.town.id) == []
        assert towns.find(lorient.town.id) is None
        assert keysets.of_town(lorient.town.id) == []
    assert titles(quimper) == set()
    page = quimper.app.test_client().get("/?q=trampoline")
    assert page.status_code == 200
    assert "Trampoline" not in page.text


def test_a_removed_town_is_neither_visited_nor_answered(world: World) -> None:
    world.pair("Lorient", "Quimper")
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    with quimper.inside() as town:
        pairing.remove(lorient.town.id, world.clock)
        assert town.exchanges.visit_due() == 0
        with pytest.raises(Conflict):
            town.exchanges.visit(lorient.town.id)
    publish(lorient, "Perceuse")
    assert world.visit("Lorient", "Quimper").outcome == "unknown_peer"
    assert titles(quimper) == set()


def test_a_removed_town_that_is_paired_again_brings_everything_again(world: World) -> None:
    publish(world.places["Lorient"], "Perceuse")
    for _ in range(2):
        world.pair("Lorient", "Quimper")
        assert world.visit("Quimper", "Lorient").outcome == "ok"
        assert titles(world.places["Quimper"]) == {"Perceuse"}
        for name, other in (TOWNS[:2], TOWNS[1::-1]):
            with world.places[name].inside():
                pairing.remove(world.places[other].town.id, world.clock)
        assert titles(world.places["Quimper"]) == set()


# ── who may write what ───────────────────────────────────────────────────────────────────────────


def test_records_of_a_town_that_was_not_accepted_are_refused_and_named(world: World) -> None:
    world.pair("Lorient", "Quimper")
    lorient, quimper, vannes = (world.places[each] for each in TOWNS)
    stranger = foreign_record(vannes.town.keyring, world.clock.now_ms())
    reply = Caller(lorient, quimper).ask(limits.PUSH, stranger.raw)
    assert reply.status == 200
    assert held_ids(quimper, vannes.town.id) == set()
    assert refused(quimper, lorient) == {"not_accepted": 1}


def test_what_is_for_partners_never_reaches_a_third_town(tmp_path: Path) -> None:
    world = three_towns(tmp_path, ("Lorient", "Quimper"), ("Quimper", "Vannes"))
    lorient, quimper, vannes = (world.places[each] for each in TOWNS)
    with quimper.inside():
        pairing.introduce(lorient.town.id, vannes.town.id, world.clock)
    (record,) = publish(lorient, "Four à pain", scope=SCOPE_PARTNERS)
    publish(lorient, "Perceuse")
    world.sync()
    with vannes.inside() as town:
        pairing.accept_introduced(lorient.town.id, town.store, world.clock)
    world.sync(3)
    assert titles(quimper, lorient) == {"Four à pain", "Perceuse"}
    assert titles(vannes, lorient) == {"Perceuse"}
    reply = Caller(vannes, quimper).ask(limits.FETCH, encode_ids([record.id]))
    assert (reply.status, reply.body) == (200, b"")
    world.close()
