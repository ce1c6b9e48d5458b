"""The end of a link: what was promised is kept or taken back, then no byte of the town is left."""

import pytest

from federation.record import parse
from node.domain.errors import Conflict, NotAllowed
from node.engagements import gate
from node.erasure import cleaning
from node.journal import restoring
from node.partners import removal
from node.partners.agreement import wire
from node.store import audit
from node.store.catalogue import listings
from node.store.catalogue.search import Search, search
from node.store.network import agreements, partners
from node.store.promises import claims
from node.store.sets import records
from tests.node import agreeing
from tests.node.agreeing import settled
from tests.world import Place

WORDS = "Trottinette-mauve"
TODAY = 20_780


@pytest.fixture
def asker(quimper):
    """A resident of Quimper."""
    return quimper.member("Nolwenn", "nolwenn@example.org")


@pytest.fixture
def admin(lorient):
    """Who decides at Lorient."""
    return lorient.member("Anne", "anne@example.org", ("admin",))


def act(place: Place, row, action: str, who, role: str = "staff"):
    """Do one thing to a request."""
    with place.inside() as town:
        act_id = f"{action:_<8}".encode()[:8]
        return town.engagements.act(row.id, action, member_id=who.id, role=role, act_id=act_id)


def state(place: Place, row) -> str:
    """Where a request stands at a town."""
    with place.inside() as town:
        return town.engagements.find(row.id).state


def status(place: Place, other: Place) -> str:
    """What a town holds another one for."""
    with place.inside():
        return partners.find(other.town.id).status


def begin(place: Place, other: Place, **more) -> dict:
    """End the link from one side."""
    with place.inside() as town:
        return removal.begin(town, other.town.id, by="admin", **more)


def finish(*places: Place) -> None:
    """Run the job of partings."""
    for place in places:
        with place.inside() as town:
            removal.finish_due(town)


def bytes_of(place: Place) -> bytes:
    """Everything in the files of a town, but for its keys."""
    found = b""
    for path in place.town.home.rglob("*"):
        if path.is_file() and "key" not in path.name:
            found += path.read_bytes()
    return found


def asked(world, lorient, quimper, asker, *, copies: int = 3, day: int = TODAY + 3):
    """A thing of Lorient somebody of Quimper asked for, heard there; (its key, the request)."""
    key = agreeing.publish(lorient, copies=copies)
    settled(world)
    row = agreeing.ask(quimper, lorient, key, asker, day)
    settled(world)
    assert state(lorient, row) == "requested"
    return key, row


def test_with_nothing_open_it_is_over_at_once_on_both_sides(world, lorient, quimper):
    agreeing.publish(quimper, WORDS)
    settled(world)
    begin(lorient, quimper)
    assert status(lorient, quimper) == "removed"
    finish(quimper)
    assert status(quimper, lorient) == "removed"
    with quimper.inside():
        assert audit.latest(9, subject=lorient.town.id.hex())


def test_what_was_only_asked_is_declined_and_the_word_arrives_before_the_cut(
    world, lorient, quimper, asker
):
    _, row = asked(world, lorient, quimper, asker)
    done = begin(lorient, quimper, reason="La médiathèque ferme")
    assert done["declined"] == 1
    finish(lorient, quimper)
    settled(world)
    finish(lorient, quimper)
    settled(world)
    finish(lorient, quimper)
    assert state(lorient, row) == state(quimper, row) == "declined"
    assert status(lorient, quimper) == status(quimper, lorient) == "removed"


def test_what_was_promised_is_kept_until_it_is_over(world, lorient, quimper, asker, admin):
    key, row = asked(world, lorient, quimper, asker)
    act(lorient, row, "approve", admin)
    settled(world)
    done = begin(lorient, quimper)
    assert done["kept"] == 1 and status(lorient, quimper) == "ending"
    settled(world)
    finish(lorient, quimper)
    assert status(quimper, lorient) == "ending" == status(lorient, quimper)
    with pytest.raises(NotAllowed) as refused:  # nothing new
        agreeing.ask(quimper, lorient, key, asker, TODAY + 20)
    assert refused.value.code == "no_agreement"
    act(lorient, row, "hand_over", admin)
    settled(world)
    assert state(quimper, row) == "handed_over"
    finish(lorient, quimper)
    act(lorient, row, "take_back", admin)
    act(lorient, row, "close", admin)
    settled(world)
    assert state(quimper, row) == "closed"
    for _ in range(3):
        finish(lorient, quimper)
        settled(world)
    assert status(lorient, quimper) == status(quimper, lorient) == "removed"


def test_a_promise_can_be_taken_back_with_a_reason_and_frees_its_place(
    world, lorient, quimper, asker, admin
):
    _, row = asked(world, lorient, quimper, asker, copies=1)
    act(lorient, row, "approve", admin)
    settled(world)
    done = begin(lorient, quimper, taken_back={row.id}, reason="Plus de bénévole")
    assert done["revoked"] == 1
    settled(world)
    assert state(quimper, row) == "revoked"
    with quimper.inside() as town:
        assert "Plus de bénévole" in town.engagements.find(row.id).reason
    with lorient.inside():
        assert claims.of_engagement(row.id) == []


def test_the_asker_may_still_withdraw_while_it_ends(world, lorient, quimper, asker, admin):
    _, row = asked(world, lorient, quimper, asker)
    act(lorient, row, "approve", admin)
    settled(world)
    begin(lorient, quimper)
    settled(world)
    act(quimper, row, "withdraw", asker, "asker")
    settled(world)
    assert state(lorient, row) == state(quimper, row) == "cancelled"


def test_a_place_promised_both_ways_is_kept_both_ways(world, lorient, quimper, asker, admin):
    _, row = asked(world, lorient, quimper, asker)
    act(lorient, row, "approve", admin)
    there = agreeing.publish(quimper, "Perceuse")
    settled(world)
    other = agreeing.ask(lorient, quimper, there, admin)
    settled(world)
    desk = quimper.member("Maïwenn", "maiwenn@example.org", ("admin",))
    act(quimper, other, "approve", desk)
    settled(world)
    done = begin(lorient, quimper)
    assert done["kept"] == 2
    settled(world)
    finish(lorient, quimper)
    assert status(lorient, quimper) == "ending"
    act(quimper, other, "hand_over", desk)
    settled(world)
    assert state(lorient, other) == "handed_over"


def test_our_own_open_asks_are_withdrawn_for_our_residents(world, lorient, quimper, asker):
    _, row = asked(world, lorient, quimper, asker)
    done = begin(quimper, lorient)  # the asker's town ends it
    assert done["withdrawn"] == 1
    settled(world)
    assert state(lorient, row) == "cancelled"


def test_a_hostile_ask_after_the_end_gets_no_agreement_and_takes_nothing(
    world, lorient, quimper, asker, admin
):
    key, row = asked(world, lorient, quimper, asker, copies=1, day=TODAY + 3)
    act(lorient, row, "approve", admin)
    settled(world)
    begin(lorient, quimper)
    with quimper.inside():  # a town that does not keep to it
        partners.save(lorient.town.id, status="active")
    late = agreeing.ask(quimper, lorient, key, asker, TODAY + 30)
    with quimper.inside() as town:
        town.exchanges.visit(lorient.town.id)
    with lorient.inside() as town:
        held = town.engagements.find(late.id)
        assert held.final and "no_agreement" in held.reason
        assert claims.of_engagement(late.id) == []


def test_no_byte_of_a_removed_town_is_left_in_any_file(world, lorient, quimper, asker, admin):
    agreeing.publish(quimper, WORDS, text=f"{WORDS} à plier")
    with quimper.inside() as town:
        town.journal.publish("lending.item/1", {"title": f"{WORDS} 2"}, scope=1)
    _, row = asked(world, lorient, quimper, asker)
    assert WORDS.encode() in bytes_of(lorient)
    assert asker.name.encode() in bytes_of(lorient)
    begin(lorient, quimper)
    for _ in range(3):
        settled(world)
        finish(lorient, quimper)
    assert status(lorient, quimper) == "removed"
    with lorient.inside() as town:
        assert cleaning.delete(town)
        assert not records.of_origin(quimper.town.id)
        assert not search(Search(text="trottinette", resident=True), now_ms=0).rows
        assert town.engagements.find(row.id).names == "{}"
    left = bytes_of(lorient)
    assert WORDS.encode() not in left
    with quimper.inside() as town:
        assert status(quimper, lorient) == "removed"
        assert cleaning.delete(town)
    assert "Échelle".encode() not in bytes_of(quimper)


def test_our_sealed_registers_to_a_removed_town_are_buried(world, lorient, quimper, asker):
    asked(world, lorient, quimper, asker)
    begin(lorient, quimper)
    for _ in range(4):
        settled(world)
        finish(lorient, quimper)
    for place, kind in ((lorient, "reply/1"), (quimper, "request/1")):
        with place.inside() as town:
            held = list(records.walk(town.id, kind))
            assert [each.state for each in held] == [1], kind  # tombstones


def test_a_town_that_never_comes_again_is_purged_after_thirty_days(world, lorient, quimper, asker):
    asked(world, lorient, quimper, asker)
    world.cut("Lorient", "Quimper")
    begin(lorient, quimper)
    finish(lorient)
    assert status(lorient, quimper) == "ending"  # its answer waits to be heard
    world.clock.forward(days=31)
    finish(lorient)
    assert status(lorient, quimper) == "removed"


def test_to_end_twice_changes_nothing_more(world, lorient, quimper, asker, admin):
    _, row = asked(world, lorient, quimper, asker)
    act(lorient, row, "approve", admin)
    settled(world)
    begin(lorient, quimper)
    with lorient.inside():
        first = agreements.find(quimper.town.id).ended_ms
    world.clock.forward(minutes=5)
    assert begin(lorient, quimper)["kept"] == 1
    with lorient.inside():
        assert agreements.find(quimper.town.id).ended_ms == first
    assert begin(lorient, quimper, taken_back={row.id})["revoked"] == 1
    assert state(lorient, row) == "revoked"


def test_in_a_restore_no_link_is_ended(world, lorient, quimper, asker):
    _, row = asked(world, lorient, quimper, asker)
    with lorient.inside() as town:
        restoring.begin(town.clock.now_ms(), restoring.RESTORED)
        with pytest.raises(Conflict):
            removal.begin(town, quimper.town.id)
        assert partners.is_active(quimper.town.id)
        assert town.engagements.find(row.id).state == "requested"
        restoring.finish(town.clock.now_ms())
        with pytest.raises(gate.NotYet):  # nor before it was heard what was promised there
            removal.begin(town, quimper.town.id)
        assert agreements.find(quimper.town.id) is None


def test_a_restore_while_it_ends_goes_on_ending(world, lorient, quimper, asker, admin):
    _, row = asked(world, lorient, quimper, asker)
    act(lorient, row, "approve", admin)
    settled(world)
    begin(lorient, quimper)
    settled(world)
    with lorient.inside() as town:  # put back to the day before
        partners.save(quimper.town.id, status="active")
        agreements.Agreement.delete().execute()
        restoring.begin(town.clock.now_ms(), restoring.RESTORED)
        held = records.find(town.id, agreeing_key(lorient, quimper))
        town.journal.tell(parse(held.raw))
        assert partners.find(quimper.town.id).status == "ending"
        restoring.finish(town.clock.now_ms())


def agreeing_key(one: Place, other: Place) -> bytes:
    """The key of the register in which one town speaks to the other."""
    return wire.register_key(one.town.id, other.town.id)


def test_linked_again_later_the_old_end_is_past(world, lorient, quimper):
    settled(world)
    begin(lorient, quimper)
    finish(quimper)
    assert status(quimper, lorient) == "removed" == status(lorient, quimper)
    world.clock.forward(days=2)
    world.pair("Lorient", "Quimper")
    settled(world)
    finish(lorient, quimper)
    settled(world)
    finish(lorient, quimper)
    assert status(lorient, quimper) == status(quimper, lorient) == "active"
    agreeing.write(lorient, quimper, agreeing.text())
    settled(world)
    agreeing.agree(quimper, lorient)
    settled(world)
    one, two = agreeing.version(lorient, quimper), agreeing.version(quimper, lorient)
    assert one == two != 0


def test_scope_1_is_shown_no_more_to_a_town_that_leaves(world, lorient, quimper, asker, admin):
    _, row = asked(world, lorient, quimper, asker)
    act(lorient, row, "approve", admin)
    settled(world)
    begin(lorient, quimper)
    with lorient.inside() as town:
        made = town.journal.publish("lending.item/1", {"title": "Pour voisins"}, scope=1)
    settled(world)
    finish(quimper)
    settled(world)
    with quimper.inside():
        assert listings.find(lorient.town.id, made.key) is None


def test_a_town_whose_words_were_never_compared_goes_at_once(world, lorient):
    world.found("Vannes")
    vannes = world.places["Vannes"].town.id
    with lorient.inside() as town:
        partners.save(vannes, name="Vannes", status="words")
        assert removal.begin(town, vannes) == removal.NOTHING
        assert partners.find(vannes).status == "removed"
