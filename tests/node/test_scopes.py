"""Listings for partner towns alone: Lorient publishes, Quimper is its partner, Vannes is Quimper's.

Vannes was introduced to Lorient and reads it through Quimper; what Lorient keeps between partners
must not reach it by any door, nor anybody who is not signed in.
"""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from federation import limits
from federation.messages import encode_ids
from federation.record import SCOPE_PARTNERS, SCOPE_PUBLIC
from node.courier import incoming, outgoing
from node.domain.errors import Conflict
from node.erasure import cleaning
from node.partners import pairing
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.sets import records
from tests.node.pages.acting import jpeg, upload
from tests.node.partner_wire import KIND, Caller, held_ids, item, publish
from tests.stories.test_erased_everywhere import forms, holding, pieces
from tests.visitor import Reader, Visitor
from tests.world import Place, World

WORD = "quintessenciel"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient and Quimper, Quimper and Vannes; Lorient and Vannes read each other through it."""
    made = World(tmp_path)
    for name in ("Lorient", "Quimper", "Vannes"):
        made.found(name)
    made.pair("Lorient", "Quimper")
    made.pair("Quimper", "Vannes")
    lorient, quimper, vannes = made.places.values()
    with quimper.inside():
        pairing.introduce(lorient.town.id, vannes.town.id, made.clock)
    made.sync()
    with vannes.inside() as town:
        pairing.accept_introduced(lorient.town.id, town.store, made.clock)
    made.sync()
    yield made
    made.close()


def resident(place: Place, name: str, roles: tuple[str, ...] = ()) -> Visitor:
    return Visitor(place, place.member(name, f"{name.lower()}@example.org", roles))


def kept_between(world: World, seen: str = "partners") -> tuple[Visitor, Listing]:
    """Publish a thing with a photo by the form, for partners; return its keeper and its row."""
    lorient = world.places["Lorient"]
    anne = resident(lorient, "Anne")
    sent = anne.send(
        "/publier/objets", title=f"Treuil {WORD}", object="bricolage", seen=seen,
        photos=upload(jpeg("#abcdef")),
    )  # fmt: skip
    assert sent.status_code == 303, Reader(sent.text).text
    with lorient.inside():
        return anne, Listing.get(Listing.code == sent.location.rsplit("/", 1)[1])


def held(place: Place, row: Listing) -> Listing | None:
    with place.inside():
        return Listing.get_or_none(Listing.origin == row.origin, Listing.key == row.key)


def test_what_is_for_partners_reaches_the_third_town_by_no_door(world: World) -> None:
    lorient, quimper, vannes = world.places.values()
    _, row = kept_between(world)
    assert row.scope == SCOPE_PARTNERS
    world.sync()
    there = held(quimper, row)
    assert there is not None and there.scope == SCOPE_PARTNERS and held(vannes, row) is None

    assert row.record not in held_ids(vannes, lorient.town.id)  # by a visit
    world.visit("Quimper", "Vannes")  # by a push
    assert row.record not in held_ids(vannes, lorient.town.id)
    caller = Caller(vannes, quimper)
    told = caller.ask(limits.FETCH, encode_ids([row.record]))  # by its id
    assert (told.status, told.body) == (200, b"")
    photo = caller.ask(f"{limits.BLOB}{row.photo.hex()}", b"", "GET")
    assert photo.status == 404
    assert Caller(lorient, quimper).ask(f"{limits.BLOB}{row.photo.hex()}", b"", "GET").status == 200

    file = io.BytesIO()  # by a stick
    with quimper.inside() as town:
        outgoing.write_to(town, vannes.town.id, file)
    assert not [each for each in pieces(quimper, row.photo) if each in file.getvalue()]
    file.seek(0)
    with vannes.inside() as town:
        incoming.import_from(town, file)
    assert row.record not in held_ids(vannes, lorient.town.id)
    assert holding(vannes, *forms(WORD)) == set()


def test_who_is_not_signed_in_reads_nothing_of_it(world: World) -> None:
    quimper = world.places["Quimper"]
    _, row = kept_between(world)
    world.sync()
    there = held(quimper, row)
    assert there is not None
    stranger, yann = Visitor(quimper), resident(quimper, "Yann")
    for path in ("/", f"/?q={WORD}", "/carte", "/villes", "/api/v1/listings",
                 f"/api/v1/listings?q={WORD}"):  # fmt: skip
        assert "Treuil" not in stranger.get(path).text, path
    both = f"{row.origin.hex()}.{row.key.hex()}"
    assert stranger.get(f"/api/v1/listings/{there.code}").status_code == 404
    assert stranger.get(f"/api/v1/listings/{both}").status_code == 404
    assert yann.get(f"/api/v1/listings/{both}").status_code == 404  # the public door has no account
    page = stranger.get(f"/a/{there.code}")
    assert page.status_code in (302, 303) and "/compte" in page.location
    photo = f"/photos/{row.photo.hex()}.webp"
    assert stranger.get(photo).status_code in (302, 303)

    assert WORD in yann.get("/").text and WORD in yann.get(f"/?q={WORD}").text
    assert WORD in yann.read(f"/a/{there.code}").text
    answer = yann.get(photo)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"


def test_the_same_photo_in_a_public_listing_is_public(world: World) -> None:
    lorient = world.places["Lorient"]
    anne, row = kept_between(world)
    photo = f"/photos/{row.photo.hex()}.webp"
    assert Visitor(lorient).get(photo).status_code in (302, 303)
    shown = anne.send(
        "/publier/objets", title="Autre", object="bricolage", photos=upload(jpeg("#abcdef"))
    )
    assert shown.status_code == 303
    assert Visitor(lorient).get(photo).status_code == 200


def test_a_revision_keeps_the_scope_of_its_register(world: World) -> None:
    lorient, _, vannes = world.places.values()
    anne, row = kept_between(world)
    anne.post(f"/a/{row.code}/pause", {"token": anne.token()})
    anne.post(f"/a/{row.code}/pause", {"token": anne.token()})
    with lorient.inside() as town:
        found = records.find(row.origin, row.key)
        assert found is not None and found.scope == SCOPE_PARTNERS and found.id != row.record
        town.journal.publish(KIND, item("Encore"), key=row.key)  # as an effect of a practice does
        assert records.find(row.origin, row.key).scope == SCOPE_PARTNERS
        with pytest.raises(Conflict, match="scope_changed"):
            town.journal.publish(KIND, item("Encore"), key=row.key, scope=SCOPE_PUBLIC)
    world.sync()
    assert held(vannes, row) is None


def test_another_scope_is_another_register_and_the_old_code_leads_there(world: World) -> None:
    lorient, quimper, vannes = world.places.values()
    anne, row = kept_between(world, seen="all")
    world.sync(3)
    assert held(vannes, row) is not None
    page = f"/a/{row.code}/modifier"
    assert anne.form(page).value("seen") == "all"
    sent = anne.send(page, seen="partners")
    assert sent.status_code == 303 and not sent.location.endswith(row.code)
    with lorient.inside():
        anew = Listing.get(Listing.code == sent.location.rsplit("/", 1)[1])
        assert anew.scope == SCOPE_PARTNERS and anew.key != row.key
    assert anne.get(f"/a/{row.code}").location == f"/a/{anew.code}"
    assert anne.form(f"/a/{anew.code}/modifier").value("seen") == "partners"
    world.sync(3)
    assert held(quimper, anew) is not None and held(vannes, anew) is None
    assert held(vannes, row).state == "withdrawn"
    assert WORD not in Visitor(vannes).get("/").text


def test_a_removed_partner_takes_what_it_kept_between_partners_along(world: World) -> None:
    lorient, quimper, _ = world.places.values()
    _, row = kept_between(world)
    world.sync()
    photo = pieces(quimper, row.photo)
    assert holding(quimper, *forms(WORD)) and holding(quimper, *photo)
    with quimper.inside() as town:
        pairing.remove(lorient.town.id, world.clock)
        assert cleaning.has_work(town)
        assert cleaning.clean(town)
    assert holding(quimper, *forms(WORD)) == set()
    assert holding(quimper, *photo) == set()


def test_a_hidden_listing_stays_in_its_set(world: World) -> None:
    lorient, quimper, vannes = world.places.values()
    (record,) = publish(lorient, "Visible ailleurs")
    world.sync(2)
    with quimper.inside() as town:
        listings.hide(record.origin, record.key, "spam")
        assert cleaning.clean(town)
    world.sync(2)
    assert record.id in held_ids(quimper, lorient.town.id)
    assert record.id in held_ids(vannes, lorient.town.id)
    assert "Visible ailleurs" not in Visitor(quimper).get("/").text
    assert "Visible ailleurs" in Visitor(vannes).get("/").text


def test_an_unknown_choice_of_readers_is_the_narrow_one(world: World) -> None:
    _, row = kept_between(world, seen="nobody knows")
    assert row.scope == SCOPE_PARTNERS


def test_a_public_and_a_narrow_listing_of_the_same_words_are_two(world: World) -> None:
    lorient = world.places["Lorient"]
    anne, row = kept_between(world)
    again = anne.send(
        "/publier/objets", title=f"Treuil {WORD}", object="bricolage", seen="all",
        photos=upload(jpeg("#abcdef")),
    )  # fmt: skip
    assert again.status_code == 303 and not again.location.endswith(row.code)
    with lorient.inside(), write_tx():
        assert Listing.select().where(Listing.origin == row.origin).count() == 2
