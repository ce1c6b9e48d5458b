"""Not heard from since: what that means, and what follows: hidden after a month, never lost."""

from node.partners import pairing
from node.store.network import partners, sightings
from tests.node.partner_wire import desk_page_of, held_ids, publish, titles
from tests.visitor import Visitor
from tests.world import Place, World

DAY_MS = 86_400_000


def found(place: Place) -> str:
    """What a visitor reads on the first page."""
    return str(Visitor(place).get("/").text)


def test_abuse_126_a_partner_that_is_gone_for_a_year_fades_and_returns(
    world: World, lorient: Place, quimper: Place
) -> None:
    publish(quimper, "Bétonnière", "Scie")
    world.sync()
    gone_ms = world.clock.now_ms()
    quimper.is_up = False
    world.clock.forward(days=29)
    assert "Bétonnière" in found(lorient)
    assert "Sans nouvelles d’elle depuis" in desk_page_of(lorient, quimper)
    world.clock.forward(days=2)
    assert "Bétonnière" not in found(lorient)
    assert "les habitants ne les trouvent plus" in desk_page_of(lorient, quimper)
    with lorient.inside():
        heard = sightings.heard_ms([quimper.town.id], world.clock.now_ms())
        assert heard == {quimper.town.id: gone_ms}
        assert len(held_ids(lorient, quimper.town.id)) >= 3  # hidden is not deleted
    world.clock.forward(days=330)
    quimper.is_up = True
    before = quimper.exchanges
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    assert quimper.exchanges - before < 12  # what is the same is not sent again
    assert "Bétonnière" in found(lorient)
    assert "Sans nouvelles" not in desk_page_of(lorient, quimper)


def test_abuse_126_a_partner_that_only_visits_us_is_heard(
    world: World, lorient: Place, quimper: Place
) -> None:
    """Quimper stands behind a router: Lorient cannot go there, and need not."""
    publish(quimper, "Bétonnière")
    world.sync()
    quimper.is_up = False
    for _ in range(9):
        world.clock.forward(days=10)
        assert world.visit("Lorient", "Quimper").outcome == "unreachable"
        assert world.visit("Quimper", "Lorient").outcome == "ok"
        assert "Bétonnière" in found(lorient)
    with lorient.inside():
        row = partners.find(quimper.town.id)
        assert row is not None and world.clock.now_ms() - (row.last_ok_ms or 0) > 30 * DAY_MS


def test_abuse_126_a_town_that_was_introduced_fades_when_nobody_brings_news_of_it(
    world: World, lorient: Place, quimper: Place
) -> None:
    world.found("Vannes")
    world.pair("Quimper", "Vannes")
    vannes = world.places["Vannes"]
    publish(vannes, "Tente")
    with quimper.inside() as town:
        pairing.introduce(vannes.town.id, lorient.town.id, town.clock)
    world.sync()
    with lorient.inside() as town:
        pairing.accept_introduced(vannes.town.id, town.store, town.clock)
    world.sync()
    assert titles(lorient, vannes) == {"Tente"} and "Tente" in found(lorient)
    vannes.is_up = False
    for _ in range(4):
        world.clock.forward(days=10)
        world.visit("Lorient", "Quimper")  # the relay itself is well and brings nothing new
    assert "Tente" not in found(lorient)
    vannes.is_up = True
    publish(vannes, "Pelle")
    world.sync()
    assert {"Tente", "Pelle"} <= titles(lorient, vannes)
    assert "Tente" in found(lorient)


def test_what_comes_through_another_is_news_of_it(
    world: World, lorient: Place, quimper: Place
) -> None:
    world.found("Vannes")
    world.pair("Quimper", "Vannes")
    world.pair("Lorient", "Vannes")
    vannes = world.places["Vannes"]
    publish(vannes, "Tente")
    world.sync()
    world.cut("Lorient", "Vannes")
    world.clock.forward(days=40)
    publish(vannes, "Pelle")
    for _ in range(2):
        world.visit("Quimper", "Vannes")
        world.visit("Lorient", "Quimper")
    assert "Tente" in found(lorient) and "Pelle" in found(lorient)


def test_a_clock_that_was_ahead_makes_nobody_heard_in_the_future(
    world: World, lorient: Place, quimper: Place
) -> None:
    with lorient.inside():
        now_ms = world.clock.now_ms()
        sightings.came(quimper.town.id, now_ms + 400 * DAY_MS)
        assert sightings.heard_ms([quimper.town.id], now_ms) == {quimper.town.id: now_ms}
        sightings.came(quimper.town.id, now_ms)
        later_ms = now_ms + 40 * DAY_MS
        assert sightings.silent_since(later_ms - 30 * DAY_MS, later_ms) == [quimper.town.id]
