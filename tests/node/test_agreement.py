"""The agreement between two towns: what both signed is in force, at both, whatever the order."""

import random

import pytest

from federation.record import parse
from node.domain.agreement import (
    ALL,
    GRACE_DAYS,
    LET,
    NONE,
    Text,
    Way,
)
from node.domain.errors import Conflict, Invalid, NotAllowed
from node.journal import restoring
from node.partners.agreement import ours, wire
from node.store.database import write_tx
from node.store.network import agreements
from node.store.sets import records
from tests.node import agreeing
from tests.node.agreeing import a_statement, agree, cared, settled, text, version, write
from tests.world import Place, World

TODAY = 20_780

# ── two towns ────────────────────────────────────────────────────────────────────────────────────


def both(lorient: Place, quimper: Place) -> int:
    """The version in force, which must be the same at both."""
    one, other = version(lorient, quimper), version(quimper, lorient)
    assert one == other
    return one


def agreed(world: World, lorient: Place, quimper: Place, said: Text | None = None) -> int:
    """Bring an agreement in force: Lorient writes, Quimper agrees."""
    world.clock.forward(minutes=1)
    write(lorient, quimper, said or text())
    settled(world)
    agree(quimper, lorient)
    settled(world)
    return both(lorient, quimper)


def test_what_one_side_wrote_counts_once_the_other_signed(world, lorient, quimper):
    settled(world)
    write(lorient, quimper, text(Way(ALL, NONE)))
    settled(world)
    assert both(lorient, quimper) == 0
    agree(quimper, lorient)
    settled(world)
    assert both(lorient, quimper) > 0
    assert agreeing.in_force(lorient, quimper).ways == {"lending": Way(ALL, NONE)}
    assert agreeing.in_force(quimper, lorient).ways == {"lending": Way(NONE, ALL)}


def test_a_change_counts_only_when_both_signed_it(world, lorient, quimper):
    settled(world)
    first = agreed(world, lorient, quimper)
    world.clock.forward(minutes=1)
    write(lorient, quimper, text(Way(NONE, NONE)))
    settled(world)
    assert both(lorient, quimper) == first
    assert agreeing.in_force(quimper, lorient).ways["lending"] == Way(ALL, ALL)
    agree(quimper, lorient)
    settled(world)
    assert both(lorient, quimper) != first
    assert agreeing.in_force(lorient, quimper).ways["lending"] == Way(NONE, NONE)


def test_both_sign_at_once_and_nothing_is_in_force_that_one_alone_signed(world, lorient, quimper):
    settled(world)
    write(lorient, quimper, text(note="un"))
    write(quimper, lorient, text(note="deux"))
    settled(world)
    assert both(lorient, quimper) == 0
    agree(lorient, quimper)
    agree(quimper, lorient)  # each to what the other had written before
    settled(world)
    both(lorient, quimper)
    agree(quimper, lorient)
    settled(world)
    assert both(lorient, quimper) > 0


def test_a_yes_that_crosses_a_new_text_binds_both_to_the_old_one(world, lorient, quimper):
    settled(world)
    first = agreed(world, lorient, quimper)
    world.clock.forward(minutes=1)
    write(lorient, quimper, text(note="nouveau"))
    agreeing.visit_all(world, lorient, quimper)
    world.cut("Lorient", "Quimper")
    agree(quimper, lorient)
    world.clock.forward(minutes=1)
    write(lorient, quimper, text(note="encore un autre"))
    world.heal("Lorient", "Quimper")
    settled(world)
    assert both(lorient, quimper) in (first, version(quimper, lorient))
    agree(quimper, lorient)
    settled(world)
    assert both(lorient, quimper) != first


def test_any_order_of_writing_agreeing_and_visiting_ends_alike(world, lorient, quimper):
    seed = random.randrange(1_000_000)
    drawn = random.Random(seed)
    settled(world)
    for turn in range(40):
        here, there = drawn.sample((lorient, quimper), 2)
        act = drawn.choice(("write", "agree", "visit", "care"))
        world.clock.forward(minutes=1)
        if act == "write":
            write(here, there, text(note=f"{turn}"))
        elif act == "visit":
            agreeing.visit_all(world, here, there)
        elif act == "care":
            cared(here)
        else:
            with here.inside():
                held = agreements.find(there.town.id)
            if held is not None and held.theirs is not None:
                agree(here, there)
    settled(world)
    assert version(lorient, quimper) == version(quimper, lorient), seed
    write(lorient, quimper, text(note="fin"))
    settled(world)
    agree(quimper, lorient)
    settled(world)
    assert version(lorient, quimper) == version(quimper, lorient) != 0, seed


def test_to_agree_to_words_that_changed_meanwhile_is_refused(world, lorient, quimper):
    settled(world)
    write(lorient, quimper, text(note="un"))
    settled(world)
    with quimper.inside() as town, pytest.raises(Conflict, match="stale"):
        ours.agree(town, lorient.town.id, b"0" * 16)
    assert both(lorient, quimper) == 0


def test_an_older_text_signed_anew_changes_nothing(world, lorient, quimper):
    with lorient.inside() as town:
        ours_key = wire.register_key(lorient.town.id, quimper.town.id)
    settled(world)
    agreed(world, lorient, quimper, text(note="premier"))
    with lorient.inside() as town:
        old = ours.statement(agreements.find(quimper.town.id))
    second = agreed(world, lorient, quimper, text(note="second"))
    with lorient.inside() as town:  # a thief, or a restored town: old words, a new stamp
        inner = wire.inner(ours_key, 0, old)
        town.journal.publish_sealed(wire.KIND, inner, to=quimper.town.id, key=ours_key)
    agreeing.visit_all(world, lorient, quimper)
    assert version(quimper, lorient) == second


def test_a_number_from_the_far_future_is_refused(world, lorient, quimper):
    settled(world)
    key = wire.register_key(lorient.town.id, quimper.town.id)
    said = a_statement(number=wire.MOMENT_MAX_MS)
    with lorient.inside() as town:
        town.journal.publish_sealed(
            wire.KIND, wire.inner(key, 0, said), to=quimper.town.id, key=key
        )
    agreeing.visit_all(world, lorient, quimper)
    with quimper.inside():
        assert agreements.find(lorient.town.id) is None
    write(lorient, quimper, text())
    settled(world)
    with quimper.inside():
        assert agreements.find(lorient.town.id).theirs is not None


def test_a_text_of_another_town_in_ones_own_register_is_refused(world, lorient, quimper):
    settled(world)
    key = wire.register_key(quimper.town.id, lorient.town.id)
    with lorient.inside() as town:
        message = wire.inner(key, 0, a_statement(number=town.clock.now_ms()))
        town.journal.publish_sealed(wire.KIND, message, to=quimper.town.id, key=key)
    agreeing.visit_all(world, lorient, quimper)
    with quimper.inside():
        assert agreements.find(lorient.town.id) is None


def test_a_hostile_word_cannot_widen_what_we_signed(world, lorient, quimper):
    """A partner says that something is in force which we never signed."""
    settled(world)
    agreed(world, lorient, quimper, text(Way(NONE, NONE)))
    before = version(quimper, lorient)
    with quimper.inside():
        held = agreements.find(lorient.town.id)
        mine = held.ours
    wide = wire.written(text(Way(ALL, ALL)), world.clock.now_ms() + 5)
    forged = wire.written(text(Way(ALL, ALL)), world.clock.now_ms() + 6)
    key = wire.register_key(lorient.town.id, quimper.town.id)
    said = wire.Statement(world.clock.now_ms() + 9, wide, wire.digest(mine), (wide, forged))
    with lorient.inside() as town:
        town.journal.publish_sealed(
            wire.KIND, wire.inner(key, 0, said), to=quimper.town.id, key=key
        )
    agreeing.visit_all(world, lorient, quimper)
    cared(quimper)
    assert version(quimper, lorient) == before


def test_a_text_too_long_for_a_record_is_refused_with_words(world, lorient, quimper):
    settled(world)
    many = {f"practice{number}": Way() for number in range(32)}
    with lorient.inside() as town, pytest.raises(Invalid):
        ours.write(town, quimper.town.id, Text(many, "é" * 200, 20_999, "€" * 4_000))


def test_only_a_confirmed_partner_can_be_agreed_with(world, lorient, quimper):
    with lorient.inside() as town, pytest.raises(Conflict, match="not_paired"):
        ours.write(town, b"z" * 32, text())


def test_a_restored_town_takes_its_own_words_back_from_its_partner(world, lorient, quimper):
    settled(world)
    agreed(world, lorient, quimper)
    before = version(lorient, quimper)
    with lorient.inside() as town:  # what a backup of the day before knew: nothing of it
        agreements.Agreement.delete().execute()
        key = wire.register_key(lorient.town.id, quimper.town.id)
        held = records.find(lorient.town.id, key)
        theirs = records.find(quimper.town.id, wire.register_key(quimper.town.id, lorient.town.id))
        raws = [held.raw, theirs.raw]
        with write_tx():
            records.delete([held.id, theirs.id])
        restoring.begin(town.clock.now_ms(), restoring.RESTORED)
        town.journal.ingest(raws)
        restoring.finish(town.clock.now_ms())
    assert version(lorient, quimper) == before
    world.clock.forward(minutes=5)
    write(lorient, quimper, text(note="après"))
    settled(world)
    agree(quimper, lorient)
    settled(world)
    assert both(lorient, quimper) not in (0, before)


def test_in_restore_mode_nothing_is_signed(world, lorient, quimper):
    settled(world)
    with lorient.inside() as town:
        restoring.begin(town.clock.now_ms(), restoring.RESTORED)
        with pytest.raises(Conflict, match="restor"):
            ours.write(town, quimper.town.id, text())
        assert agreements.find(quimper.town.id) is None
        restoring.finish(town.clock.now_ms())


def test_a_register_is_sealed_again_to_a_newer_key_and_renewed_before_its_end(
    world, lorient, quimper
):
    settled(world)
    agreed(world, lorient, quimper)
    assert cared(lorient, quimper) == 0
    with lorient.inside():
        agreements.save(quimper.town.id, sealed_to=b"older key".ljust(32))
    assert cared(lorient) == 1
    world.clock.forward(days=300)
    assert cared(lorient) == 1
    assert cared(lorient) == 0


# ── what it does ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def asker(quimper):
    """A resident of Quimper."""
    return quimper.member("Nolwenn", "nolwenn@example.org")


def test_an_ask_outside_the_agreement_is_told_so_before_it_is_written(
    world, lorient, quimper, asker
):
    key = agreeing.publish(lorient)
    settled(world)
    agreed(world, lorient, quimper, text(Way(NONE, ALL)))
    with pytest.raises(NotAllowed) as refused:
        agreeing.ask(quimper, lorient, key, asker)
    assert refused.value.code == "no_agreement"


def test_home_judges_by_its_own_agreement_whatever_the_asker_s_town_believes(
    world, lorient, quimper, asker
):
    key = agreeing.publish(lorient)
    settled(world)
    agreed(world, lorient, quimper, text(Way(NONE, ALL)))
    with quimper.inside():  # a hostile partner, or one that was restored
        agreements.save(lorient.town.id, agreed="")
    row = agreeing.ask(quimper, lorient, key, asker)
    settled(world)
    with quimper.inside() as town:
        held = town.engagements.find(row.id)
        assert held.final and "no_agreement" in held.reason


def test_within_the_agreement_an_ask_goes_through_and_cites_its_number(
    world, lorient, quimper, asker
):
    key = agreeing.publish(lorient)
    settled(world)
    number = agreed(world, lorient, quimper)
    row = agreeing.ask(quimper, lorient, key, asker)
    settled(world)
    with lorient.inside() as town:
        assert town.engagements.find(row.id).state == "requested"
        sealed = records.find(quimper.town.id, row.request_key)
        assert town.journal.open_sealed(parse(sealed.raw))[5] == number


def test_those_a_moderator_let_may_ask_and_others_may_not(world, lorient, quimper, asker):
    key = agreeing.publish(lorient, copies=3)
    settled(world)
    agreed(world, lorient, quimper, text(Way(LET, ALL)))
    with pytest.raises(NotAllowed):
        agreeing.ask(quimper, lorient, key, asker)
    with quimper.inside() as town:
        agreements.let(lorient.town.id, asker.id, town.clock.now_ms())
    assert agreeing.ask(quimper, lorient, key, asker).state == "requested"
    with quimper.inside():
        agreements.unlet(lorient.town.id, asker.id)
    with pytest.raises(NotAllowed):
        agreeing.ask(quimper, lorient, key, asker)


def test_after_the_review_and_its_grace_what_was_promised_stays(world, lorient, quimper, asker):
    key = agreeing.publish(lorient, copies=2)
    settled(world)
    agreed(world, lorient, quimper, text(review=TODAY + 1))
    row = agreeing.ask(quimper, lorient, key, asker, TODAY + 70)
    settled(world)
    with lorient.inside() as town:
        keeper = lorient.member("Anne", "anne@example.org", ("admin",))
        town.engagements.act(
            row.id, "approve", member_id=keeper.id, role="staff", act_id=b"12345678"
        )
    world.clock.forward(days=GRACE_DAYS + 2)
    with pytest.raises(NotAllowed):
        agreeing.ask(quimper, lorient, key, asker, TODAY + 75)
    with lorient.inside() as town:
        assert town.engagements.find(row.id).state == "approved"
