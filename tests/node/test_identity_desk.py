"""The desk's pages of keys, as a volunteer uses them; the same by the command line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from federation.keyset import COMPROMISE
from node.cli import main
from node.pages.around import slug
from node.store import audit
from node.store.network import successions
from node.store.sets import keysets
from tests.node.identity_towns import DAY_MS, KeyWorld, key_world
from tests.node.partner_wire import desk_page
from tests.node.test_identity_freeze import hear, twice
from tests.visitor import Visitor
from tests.world import Place


@pytest.fixture
def world(tmp_path: Path) -> Iterator[KeyWorld]:
    made = key_world(tmp_path)
    yield made
    made.close()


@pytest.fixture
def desk(world: KeyWorld) -> Visitor:
    """Somebody at the desk of Quimper."""
    quimper = world.places["Quimper"]
    return Visitor(quimper, quimper.member("Maïwenn", roles=("admin",)))


def run(place: Place, *words: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(main, [*words, "--json", "--home", str(place.town.home)])
    assert result.exit_code == code, result.output
    return dict(json.loads(result.stdout)) if not code else {"said": result.output}


def test_the_choice_is_made_at_the_desk_and_told_in_the_trail(
    world: KeyWorld, desk: Visitor
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    rival, _ = twice(world)
    world.sync()
    hear(quimper, rival)
    path = f"/admin/identite/{slug(lorient.town.id)}"
    true = lorient.town.keyring.keyset.id.hex()
    assert desk.send(path, f"{path}/choisir", digest="00").status_code == 404
    done = desk.follow(desk.send(path, f"{path}/choisir", digest=true))
    assert "On croit de nouveau cette ville" in done.text and rival.id.hex() not in done.text
    assert true[:12] in desk.get("/admin/journal").text
    with quimper.inside() as town:
        assert not town.store.is_frozen(lorient.town.id)


def test_a_new_town_takes_a_place_at_the_desk(world: KeyWorld, desk: Visitor) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    auray = world.found("Auray")
    world.pair("Quimper", "Auray")
    path = f"/admin/identite/{slug(auray.town.id)}"
    assert "Lorient" in desk.get(path).text
    assert desk.send(path, f"{path}/remplace", town="zz").status_code == 404
    itself = desk.send(path, f"{path}/remplace", town=auray.town.id.hex())
    assert itself.status_code in (400, 409)
    done = desk.follow(desk.send(path, f"{path}/remplace", town=lorient.town.id.hex()))
    assert "Auray prend la place de Lorient" in done.text
    with quimper.inside():
        assert successions.listed() == {lorient.town.id: auray.town.id}
    assert "Auray" in desk.get("/admin/journal").text


def test_the_sheet_is_asked_for_a_month_after_the_founding_and_then_every_year(
    world: KeyWorld, desk: Visitor
) -> None:
    quimper, asked = world.places["Quimper"], "Vérifier que les deux exemplaires"
    assert asked not in desk_page(quimper, "/admin")
    world.clock.at_ms += 31 * DAY_MS
    assert asked in desk_page(quimper, "/admin")
    fresh = Visitor(quimper, quimper.member("Soizic", roles=("admin",)))
    fresh.send("/admin/identite", "/admin/identite/feuille")
    assert asked not in desk_page(quimper, "/admin")
    with quimper.inside():
        assert audit.latest(1)[0].action == "key.sheet"
    world.clock.at_ms += 366 * DAY_MS
    assert asked in desk_page(quimper, "/admin")


def test_a_theft_is_told_on_the_page_of_the_town(world: KeyWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    path = f"/admin/identite/{slug(lorient.town.id)}"
    assert "volée" not in desk_page(quimper, path)
    world.clock.at_ms += 60_000
    world.rotate("Lorient", is_stolen=True)
    world.sync()
    page = desk_page(quimper, path)
    assert "Sa clé a été volée" in page and "changée après un vol" in page


def test_who_knows_the_newest_key_is_told(world: KeyWorld) -> None:
    lorient = world.places["Lorient"]
    world.clock.at_ms += 60_000
    world.rotate("Lorient")
    world.clock.at_ms += 60_000
    world.visit("Lorient", "Quimper")
    said = run(lorient, "key", "show")
    assert {each["name"]: each["knows_newest"] for each in said["partners"]} == {
        "Quimper": True,
        "Vannes": False,
    }
    page = desk_page(lorient, "/admin/identite")
    assert "pas encore" in page and "la connaît" in page


def test_the_same_by_the_command_line(world: KeyWorld) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    rival, _ = twice(world, COMPROMISE)
    world.sync()
    hear(quimper, rival)
    said = run(quimper, "partner", "unfreeze", "Lorient")
    true = lorient.town.keyring.keyset.id.hex()
    assert said["frozen"] and said["choices"][0]["digests"] == [true, rival.id.hex()]
    refused = run(quimper, "partner", "unfreeze", "Lorient", "zz", code=1)
    assert "Traceback" not in refused["said"]
    assert not run(quimper, "partner", "unfreeze", "Lorient", true[:12])["frozen"]
    with quimper.inside():
        assert keysets.newest(lorient.town.id)[1].hex() == true
    auray = world.found("Auray")
    world.pair("Quimper", "Auray")
    told = run(quimper, "partner", "replace", "Lorient", "Auray", "--yes")
    assert (told["old"], told["new"]) == (lorient.town.id.hex(), auray.town.id.hex())
