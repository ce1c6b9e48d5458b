"""Records that are not what their town signed: kept out, named, and no harm to the others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import limits
from node.partners import pairing
from tests.node.partner_wire import (
    TOWNS,
    desk_page_of,
    partner,
    plant,
    publish,
    refused,
    revise,
    three_towns,
    titles,
    visits,
)
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient, Quimper and Vannes, each a partner of both others."""
    made = three_towns(tmp_path)
    yield made
    made.close()


def test_a_tampered_record_is_refused_with_its_reason_and_the_rest_is_kept(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    made = publish(lorient, *(f"Outil {number}" for number in range(30)))
    false = plant(lorient, made[7:8])
    outcome = world.visit("Quimper", "Lorient")
    assert (outcome.outcome, outcome.refused) == ("ok", 1)
    assert titles(quimper, lorient) == {f"Outil {number}" for number in range(30) if number != 7}
    assert refused(quimper, lorient) == {"bad_signature": 1}
    page = desk_page_of(quimper, lorient)
    assert false[0].id.hex()[:12] in page
    assert "bad_signature" in page
    assert partner(quimper, lorient).failures == 0


def test_what_was_refused_for_good_is_not_fetched_again(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    plant(lorient, publish(lorient, "Faux"))
    publish(lorient, "Vrai")
    world.visit("Quimper", "Lorient")
    again = world.visit("Quimper", "Lorient")
    assert (again.outcome, again.received, again.refused) == ("ok", 0, 0)
    assert titles(quimper, lorient) == {"Vrai"}


def test_a_refused_record_that_its_town_signs_anew_is_taken(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    (record,) = plant(lorient, publish(lorient, "Faux"))
    world.visit("Quimper", "Lorient")
    revise(lorient, record, "Vrai")
    world.visit("Quimper", "Lorient")
    assert titles(quimper, lorient) == {"Vrai"}


def test_twenty_bad_signatures_end_the_visit_and_put_off_the_next(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    publish(lorient, "Vrai")
    plant(lorient, publish(lorient, *(f"Faux {n}" for n in range(limits.BAD_SIGNATURES_MAX))))
    outcome = world.visit("Quimper", "Lorient")
    assert outcome.outcome == "too_many_bad_signatures"
    row = partner(quimper, lorient)
    assert (row.failures, row.last_error) == (1, "too_many_bad_signatures")
    assert row.next_try_ms > world.clock.now_ms()
    assert "Vrai" in titles(quimper, lorient)
    assert refused(quimper, lorient) == {"bad_signature": limits.BAD_SIGNATURES_MAX}
    assert "too_many_bad_signatures" in desk_page_of(quimper, lorient)


def test_nineteen_do_not(world: World) -> None:
    lorient = world.places["Lorient"]
    plant(lorient, publish(lorient, *(f"Faux {n}" for n in range(limits.BAD_SIGNATURES_MAX - 1))))
    assert world.visit("Quimper", "Lorient").outcome == "ok"


def test_a_carrier_cannot_change_what_it_carries(tmp_path: Path) -> None:
    world = three_towns(tmp_path, ("Lorient", "Quimper"), ("Quimper", "Vannes"))
    lorient, quimper, vannes = (world.places[name] for name in TOWNS)
    with quimper.inside():
        pairing.introduce(lorient.town.id, vannes.town.id, world.clock)
    made = publish(lorient, "Un", "Deux", "Trois")
    world.sync(1)
    with vannes.inside() as town:
        pairing.accept_introduced(lorient.town.id, town.store, world.clock)
    plant(quimper, made[:1])
    world.visit("Vannes", "Quimper")
    assert titles(vannes, lorient) == {"Deux", "Trois"}
    assert refused(vannes, quimper) == {"bad_signature": 1}
    assert refused(vannes, lorient) == {}
    world.close()


def test_a_refusal_at_the_other_end_is_counted_here(world: World) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    plant(lorient, publish(lorient, "Faux"))
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert refused(quimper, lorient) == {"bad_signature": 1}
    assert visits(quimper, lorient)[0].refused == 1
