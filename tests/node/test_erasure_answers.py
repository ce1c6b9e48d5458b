"""The answers: a town says, signed, that it deleted; its partner believes that and no more."""

import hashlib
import io
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import RemoteProtocolError
from node.courier import incoming, outgoing
from node.erasure import ack, cleaning, telling
from node.store.catalogue.listings import Listing
from node.store.erasures import acks, burials
from node.store.erasures.acks import Told
from node.store.network import refusals, towns
from tests.node.erasing_towns import WORD, ack_records, answers, clean, two_towns
from tests.node.partner_wire import desk_page, held_ids, publish, withdraw
from tests.stories.test_erased_everywhere import forms, holding
from tests.visitor import Visitor
from tests.world import START_MS, Place, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient and Quimper, partners."""
    made = two_towns(tmp_path)
    yield made
    made.close()


# ── what towns say ───────────────────────────────────────────────────────────────────────────────


def test_a_town_answers_only_once_the_bytes_are_gone(world: World) -> None:
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, f"Selle {WORD}")
    world.sync()
    withdraw(lorient, record)
    world.sync()
    assert ack_records(lorient, quimper) == []
    assert answers(lorient, record.key)["Quimper"].gone_ms is None
    assert clean(quimper)
    world.sync()
    told = answers(lorient, record.key)["Quimper"]
    assert told.gone_ms == START_MS and told.kept == "" and not told.is_late
    assert len(ack_records(lorient, quimper)) == 1


def test_nobody_is_told_of_our_own_erasures_and_each_town_of_its_own(world: World) -> None:
    lorient, quimper = world.places.values()
    (mine,), (theirs,) = publish(lorient, "A"), publish(quimper, "B")
    world.sync()
    withdraw(lorient, mine)
    withdraw(quimper, theirs)
    world.sync()
    for place in (lorient, quimper):
        assert clean(place)
    world.sync()
    assert [each.to for each in ack_records(quimper, quimper)] == [lorient.town.id]
    assert answers(lorient, mine.key)["Quimper"].gone_ms
    assert answers(quimper, theirs.key)["Lorient"].gone_ms
    with lorient.inside():
        assert acks.of_key(theirs.key) == {}


def test_erasures_are_told_together_and_no_more_than_once_a_minute(world: World) -> None:
    lorient, quimper = world.places.values()
    held = publish(lorient, *(f"Objet {number}" for number in range(20)))
    world.sync()
    for record in held[:2]:
        withdraw(lorient, record)
        world.sync(1)
        assert clean(quimper)
    assert len({each.stamp for each in ack_records(quimper, quimper)}) == 1
    for record in held[2:]:
        withdraw(lorient, record)
    world.sync(1)
    world.clock.forward(minutes=2)
    assert clean(quimper)
    world.sync(1)
    assert len(ack_records(quimper, quimper)) == 1  # one register says it all
    assert all(answers(lorient, each.key)["Quimper"].gone_ms for each in held)


def test_an_answer_lost_on_the_way_is_in_the_next_one(world: World) -> None:
    lorient, quimper = world.places.values()
    first, second = publish(lorient, "A", "B")
    world.sync()
    for record in (first, second):
        withdraw(lorient, record)
        world.visit("Quimper", "Lorient")
        world.clock.forward(minutes=2)
        clean(quimper)  # tells; nobody hears the first
    world.sync()
    for record in (first, second):
        assert answers(lorient, record.key)["Quimper"].gone_ms


def test_a_part_that_is_full_is_followed_by_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(burials, "PART_MAX_KEYS", 3)
    lorient, quimper = world.places.values()
    held = publish(lorient, *(f"Objet {number}" for number in range(8)))
    world.sync()
    for record in held:
        withdraw(lorient, record)
    world.sync(1)
    assert clean(quimper)
    world.sync()
    assert len(ack_records(lorient, quimper)) == 3
    assert all(answers(lorient, each.key)["Quimper"].gone_ms for each in held)


def test_the_largest_part_fits_a_record(world: World) -> None:
    lorient, quimper = world.places.values()
    told = [
        Told(secrets.token_bytes(8), (START_MS + n * 1_000), "engagement" if n % 7 == 0 else "")
        for n in range(burials.PART_MAX_KEYS)
    ]
    key = ack.register_key(quimper.town.id, lorient.town.id, 63)
    inner = ack.written(key, 2**33, 63, told)
    with quimper.inside() as town:
        record = town.journal.publish_sealed(ack.KIND, inner, to=lorient.town.id, key=key)
        assert len(record.raw) <= 16_384
    part, read = ack.read({**inner, 1: key}, quimper.town.id, lorient.town.id, key)
    assert (part, sorted(read)) == (63, sorted(told))


def test_a_town_without_our_sealing_key_waits_and_tells_later(world: World) -> None:
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, "A")
    world.sync()
    withdraw(lorient, record)
    world.visit("Quimper", "Lorient")
    with quimper.inside() as town:
        card = towns.find(lorient.town.id)
        towns.forget(lorient.town.id)
        assert cleaning.clean(town, at_once=True) and ack_records(quimper, quimper) == []
        assert not telling.has_work(town)  # not again at every tick
        world.clock.forward(minutes=2)
        towns.put(card.town, card.updated_ms, name=card.name, hpke=card.hpke)
        assert telling.has_work(town) and telling.tell(town) == 1


def test_a_silent_town_is_named_after_seven_days(world: World) -> None:
    lorient, quimper = world.places.values()
    anne = Visitor(lorient, lorient.member("Anne", "anne@example.org"))
    sent = anne.send("/publier/objets", title="Selle", object="autre")
    code = sent.location.rsplit("/", 1)[1]
    world.sync()
    anne.send(f"/a/{code}/retirer", f"/a/{code}/retirer")
    page = anne.read(f"/a/{code}", 410).text
    assert "en train d’être retirée" in page
    clean(lorient)
    page = anne.read(f"/a/{code}", 410).text
    assert "Supprimée de tous les fichiers de ce serveur" in page
    assert "Quimper n’a pas encore répondu (dernier contact" in page
    assert "Quimper" not in desk_page(lorient, "/admin").split("À faire")[-1].split("<h2>")[0]
    world.clock.forward(days=8)
    page = anne.read(f"/a/{code}", 410).text
    assert "Quimper n’a rien dit depuis plus de sept jours" in page
    assert "n’a pas confirmé ce qui a été effacé" in desk_page(lorient, "/admin")
    told = desk_page(lorient, "/admin/effacements")
    assert code in told and "Appelez son association" in told
    stranger = Visitor(lorient).read(f"/a/{code}", 410).text
    assert "Quimper" not in stranger  # who answered is for its keeper and the desk
    world.sync()
    clean(quimper)
    world.sync()
    assert "Effacée à Quimper" in anne.read(f"/a/{code}", 410).text
    assert "n’a pas confirmé" not in desk_page(lorient, "/admin")


def test_a_partner_of_later_days_is_not_expected_to_answer(world: World) -> None:
    lorient = world.places["Lorient"]
    (record,) = publish(lorient, "A")
    world.sync()
    withdraw(lorient, record)
    world.clock.forward(days=1)
    world.found("Vannes")
    world.pair("Lorient", "Vannes")
    assert set(answers(lorient, record.key)) == {"Quimper"}


def test_a_nameless_row_that_stays_is_told_and_told_again_when_it_goes(world: World) -> None:
    """The asker is erased while the thing is out: home keeps the row, without a name (SPEC 11)."""
    lorient, quimper = world.places.values()
    anne, yann = lorient.member("Anne", "a@example.org"), quimper.member("Yann", "y@example.org")
    keeper = Visitor(lorient, anne)
    sent = keeper.send("/publier/objets", title="Selle", object="autre")
    world.sync()
    with quimper.inside():
        there = Listing.get(Listing.title == "Selle").code
    days = {"first_day": "2026-11-25", "last_day": "2026-11-26"}
    asked = Visitor(quimper, yann).send(f"/a/{there}/demander", message="Merci", **days)
    assert asked.status_code == 303 and sent.status_code == 303
    world.sync()
    with lorient.inside() as town:
        row = town.engagements.for_listing(town.id, Listing.get(Listing.title == "Selle").key)[0]
    act(lorient, row, anne, "approve")
    act(lorient, row, anne, "hand_over")
    world.sync()
    with quimper.inside() as town:
        mine = town.engagements.find(row.id)
        town.journal.withdraw(mine.request_key)
    world.sync()
    assert clean(lorient)
    world.sync()
    assert answers(quimper, mine.request_key)["Lorient"].kept == "engagement"
    world.clock.forward(minutes=2)
    act(lorient, row, anne, "take_back")
    act(lorient, row, anne, "close")
    clean(lorient)
    world.sync()
    assert answers(quimper, mine.request_key)["Lorient"].kept == ""


def act(place: Place, row: Any, member: Any, action: str) -> None:
    with place.inside() as town:
        town.engagements.act(
            row.id, action, member_id=member.id, role="keeper", act_id=secrets.token_bytes(8)
        )


# ── hostile answers ──────────────────────────────────────────────────────────────────────────────

ORIGIN, OWN = b"\1" * 32, b"\2" * 32
KEY = ack.register_key(ORIGIN, OWN, 0)
GOOD = ack.written(KEY, 0, 0, [Told(b"k" * 8, 5_000), Told(b"l" * 8, 5_000, "engagement")])


def test_an_answer_is_read_as_it_was_written() -> None:
    part, told = ack.read(GOOD, ORIGIN, OWN, KEY)
    assert part == 0
    assert told == [Told(b"k" * 8, 5_000), Told(b"l" * 8, 5_000, "engagement")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (1, b"x" * 16),
        (6, 1), (6, 64), (6, -1), (6, "0"), (6, None), (6, True),
        (7, None), (7, {}), (7, [[5]]), (7, [[5, b""]]), (7, [[5, b"short"]]),
        (7, [["5", b"k" * 8]]), (7, [[True, b"k" * 8]]),
        (7, [[-1, b"k" * 8]]), (7, [[2**32, b"k" * 8]]), (7, [[5, b"k" * 16]]),
        (7, [[5, secrets.token_bytes(8 * 513)]]), (7, [[5, b"k" * 8]] * 2),
        (7, [5] * 513),
        (8, None), (8, [[b"k" * 8]]), (8, [[b"k", "engagement"]]), (8, [[b"k" * 8, "e" * 33]]),
        (8, [["k", "e"]]), (8, "engagement"),
    ],
)  # fmt: skip
def test_an_answer_of_another_form_is_refused(field: int, value: Any) -> None:
    with pytest.raises(RemoteProtocolError, match="bad_inner"):
        ack.read({**GOOD, field: value}, ORIGIN, OWN, KEY)


@given(st.dictionaries(st.integers(0, 9), st.recursive(
    st.none() | st.booleans() | st.integers(-2**63, 2**63) | st.binary(max_size=40) | st.text(),
    lambda inner: st.lists(inner, max_size=4), max_leaves=12)))  # fmt: skip
def test_any_answer_at_all_is_read_or_refused(said: dict[int, Any]) -> None:
    try:
        ack.read({**GOOD, **said}, ORIGIN, OWN, KEY)
    except RemoteProtocolError as error:
        assert error.code == "bad_inner"


def test_a_town_cannot_answer_in_the_register_of_another(world: World) -> None:
    """A hostile Quimper says, in its own record, that Vannes has deleted: nothing is kept."""
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, "A")
    world.sync()
    withdraw(lorient, record)
    key = ack.register_key(b"v" * 32, lorient.town.id, 0)
    inner = ack.written(key, 0, 0, [Told(record.key[:8], START_MS)])
    with quimper.inside() as town:
        town.journal.publish_sealed(ack.KIND, inner, to=lorient.town.id, key=key)
    world.sync()
    assert answers(lorient, record.key)["Quimper"].gone_ms is None
    with lorient.inside():
        assert refusals.counts(quimper.town.id)["bad_inner"] == 1
    assert held_ids(lorient, quimper.town.id)  # the batch went on


def test_the_register_of_an_answer_is_a_hash_of_both_towns_and_its_part() -> None:
    said = b"lavoir-erasure-ack/1" + ORIGIN + OWN + b"\0\3"
    assert ack.register_key(ORIGIN, OWN, 3) == hashlib.sha256(said).digest()[:16]
    assert ack.register_key(ORIGIN, OWN, 3).hex() == "21c5ada67227add7f6c874f8b0611a95"
    pairs = ((ORIGIN, OWN), (OWN, ORIGIN))
    keys = {ack.register_key(*two, part) for two in pairs for part in (0, 1)}
    assert len(keys) == 4


def test_a_town_with_a_bad_sealing_key_keeps_no_other_waiting(world: World) -> None:
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, "A")
    world.sync()
    withdraw(lorient, record)
    world.sync(1)
    with quimper.inside() as town:
        card = towns.find(lorient.town.id)
        towns.put(card.town, card.updated_ms, name=card.name, hpke=bytes(32))
        assert cleaning.clean(town, at_once=True) and ack_records(quimper, quimper) == []
        towns.put(card.town, card.updated_ms, name=card.name, hpke=card.hpke)
        world.clock.forward(minutes=2)
        assert telling.tell(town) == 1


def test_the_latest_moment_an_answer_may_name_can_be_written_on_a_page(world: World) -> None:
    lorient, quimper = world.places.values()
    anne = Visitor(lorient, lorient.member("Anne", "anne@example.org"))
    sent = anne.send("/publier/objets", title="Selle", object="autre")
    code = sent.location.rsplit("/", 1)[1]
    with lorient.inside():
        record_key = Listing.get(Listing.code == code).key
    anne.send(f"/a/{code}/retirer", f"/a/{code}/retirer")
    key = ack.register_key(quimper.town.id, lorient.town.id, 0)
    inner = ack.written(key, 0, 0, [Told(record_key[:8], (2**32 - 1) * 1_000, "<script>")])
    with quimper.inside() as town:
        town.journal.publish_sealed(ack.KIND, inner, to=lorient.town.id, key=key)
    world.sync()
    page = anne.read(f"/a/{code}", 410).text
    assert "Effacée à Quimper" in page and "2106" in page and "script" not in page


def test_a_stick_carries_a_tombstone_there_and_the_answer_back(world: World) -> None:
    lorient, quimper = world.places.values()
    (record,) = publish(lorient, f"Selle {WORD}")
    world.sync()
    world.cut("Lorient", "Quimper")
    withdraw(lorient, record)
    carry(lorient, quimper)
    assert clean(quimper) and holding(quimper, *forms(WORD)) == set()
    assert answers(lorient, record.key)["Quimper"].gone_ms is None
    carry(quimper, lorient)
    assert answers(lorient, record.key)["Quimper"].gone_ms == START_MS


def carry(near: Place, far: Place) -> None:
    """Take a courier file from one town to the other."""
    file = io.BytesIO()
    with near.inside() as town:
        outgoing.write_to(town, far.town.id, file)
    file.seek(0)
    with far.inside() as town:
        incoming.import_from(town, file)
