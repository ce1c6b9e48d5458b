"""The pages of lending in a real node: the ask form, the slip, and who may print it."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from node.domain.schema import plain
from node.members import sessions
from node.store.catalogue import holdings, listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.promises.engagements import Engagement
from tests.world import Place, World

FORM = {"first_day": "2026-11-26", "last_day": "2026-11-27", "message": "Un déménagement"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    for name in ("Lorient", "Quimper"):
        made.found(name)
    made.pair("Lorient", "Quimper")
    yield made
    made.close()


def publish(place: Place, keeper: Any, **fields: Any) -> Listing:
    """Publish a listing of lending."""
    with place.inside() as town, write_tx():
        practice = town.registry.by_name["lending"]
        body = practice.schema.read({"title": "Remorque à vélo", "deposit": 5_000, **fields})
        record = town.journal.publish(practice.kind, plain(body))
        holdings.keep(record.key, keeper.id, town.clock.now_ms())
        return listings.find(record.origin, record.key)


def ask(place: Place, who: Any, listing: Listing, **form: str) -> Engagement:
    """Ask for a listing."""
    with place.inside() as town:
        held = listings.find(listing.origin, listing.key)
        return town.engagements.ask(held, who.id, {**FORM, **form}, secrets.token_bytes(16))


def act(place: Place, who: Any, row: Engagement, action: str) -> None:
    """Act as the keeper."""
    with place.inside() as town:
        town.engagements.act(
            row.id, action, member_id=who.id, role="keeper", act_id=secrets.token_bytes(8)
        )


def get(place: Place, path: str, who: Any = None, lang: str = "fr") -> Any:
    """Open a page as somebody."""
    client = place.app.test_client()
    if who is not None:
        with place.inside() as town:
            token = sessions.open(who.id, now_ms=town.clock.now_ms(), device="test")
        client.set_cookie(f"lavoir-{place.town.id.hex()[:8]}", token)
    return client.get(path, headers={"Accept-Language": lang})


def test_the_slip_is_printed_at_home_and_in_the_borrower_s_town(world: World) -> None:
    home, away = world.places["Lorient"], world.places["Quimper"]
    keeper, asker = home.member("Roue libre"), away.member("Maïwenn")
    trailer = publish(home, keeper, accessories="Attache de selle")
    world.sync()
    row = ask(away, asker, trailer)
    path = f"/demandes/{row.id.hex()}/bon"
    world.sync()
    assert get(home, path, keeper).status_code == get(away, path, asker).status_code == 404
    act(home, keeper, row, "approve")
    world.sync()
    for place, who in ((home, keeper), (away, asker)):
        page = get(place, path, who)
        text = page.get_data(as_text=True)
        assert page.status_code == 200
        for word in ("Bon de prêt", "Remorque à vélo", "Attache de selle", "Maïwenn", "50"):
            assert word in text, word
        assert "jeudi 26 novembre" in text and "vendredi 27 novembre" in text
    assert "Roue libre" in get(home, path, keeper).get_data(as_text=True)


def test_the_slip_is_nobody_else_s_business(world: World) -> None:
    place = world.places["Lorient"]
    keeper, asker, stranger = (place.member(name) for name in ("Anne", "Bernez", "Corentin"))
    row = ask(place, asker, publish(place, keeper, title="Tente"))
    act(place, keeper, row, "approve")
    path = f"/demandes/{row.id.hex()}/bon"
    assert get(place, path, asker).status_code == 200
    assert get(place, path, stranger).status_code == 404
    assert get(place, path).status_code in (302, 303, 401)
    for wrong in ("zz", "00" * 16, "0" * 31):
        assert get(place, f"/demandes/{wrong}/bon", asker).status_code == 404


def test_a_gift_has_its_own_slip(world: World) -> None:
    place = world.places["Lorient"]
    keeper, asker = place.member("Denez"), place.member("Enora")
    row = ask(place, asker, publish(place, keeper, title="Canapé", verb="donner"))
    act(place, keeper, row, "approve")
    text = get(place, f"/demandes/{row.id.hex()}/bon", asker).get_data(as_text=True)
    assert "Bon de don" in text and "Au retour" not in text


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, ('name="days"', 'name="first_day"', 'name="message"')),
        ({"copies": 20}, ('name="units"', 'max="20"')),
        ({"verb": "donner"}, ('name="message"',)),
    ],
)
@pytest.mark.parametrize("lang", ["fr", "br", "en"])
def test_the_ask_form_asks_what_is_needed(
    world: World, fields: dict[str, Any], asked: tuple[str, ...], lang: str
) -> None:
    place = world.places["Lorient"]
    keeper, asker = place.member("Fañch"), place.member("Gwenn")
    listing = publish(place, keeper, title="Chaises", **fields)
    page = get(place, f"/a/{listing.code}/demander", asker, lang)
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert all(each in text for each in asked)
    assert ('name="days"' in text) == (fields.get("verb") != "donner")


@pytest.mark.parametrize("lang", ["fr", "br", "en"])
def test_a_listing_shows_its_facts_in_every_language(world: World, lang: str) -> None:
    place = world.places["Lorient"]
    listing = publish(
        place,
        place.member("Herve"),
        title="Broyeur",
        open_days=[2, 5],
        hours="14 h à 18 h",
        copies=2,
    )
    page = get(place, f"/a/{listing.code}", None, lang)
    text = page.get_data(as_text=True)
    assert page.status_code == 200 and "14 h à 18 h" in text
    saturday = {"fr": "samedi", "br": "Sadorn", "en": "Saturday"}[lang]
    assert saturday in text
