"""A promise between two whole nodes, over their real exchanges, with home's database put back."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from node.cli import main
from node.domain.errors import Conflict
from node.domain.schema import plain
from node.engagements import gate
from node.journal import restoring
from node.practices.lending.practice import PRACTICE as LENDING
from node.store import marks
from node.store.catalogue import holdings, listings
from node.store.database import write_tx
from node.store.promises import engagements as rows
from tests.node.engagement_towns import TODAY, iso
from tests.world import Place, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    for name in ("Lorient", "Quimper"):
        made.found(name)
    made.pair("Lorient", "Quimper")
    made.sync()
    yield made
    made.close()


def offered(place: Place, keeper: int) -> bytes:
    body = LENDING.schema.read({"title": "Remorque à vélo"})
    with place.inside() as town, write_tx():
        record = town.journal.publish(LENDING.kind, plain(body))
        holdings.keep(record.key, keeper, town.clock.now_ms())
    return bytes(record.key)


def asked(place: Place, origin: bytes, key: bytes, member: int) -> Any:
    form = {"first_day": iso(TODAY + 3), "last_day": iso(TODAY + 4)}
    with place.inside() as town:
        listing = listings.find(origin, key)
        return town.engagements.ask(listing, member, form, secrets.token_bytes(16))


def state(place: Place, row: Any) -> str:
    with place.inside():
        return str(rows.find(row.id).state)


def approve(place: Place, row: Any, keeper: int) -> None:
    with place.inside() as town:
        town.engagements.act(
            row.id, "approve", member_id=keeper, role="keeper", act_id=secrets.token_bytes(8)
        )


def typed(world: World, *words: str) -> None:
    done = CliRunner().invoke(main, [*words, "--home", str(world.folder / "lorient")])
    assert done.exit_code == 0, done.output


def restored_by_hand(world: World, backup: Path, *, with_logbook: bool) -> Place:
    """Do what an association types: `lavoir restore`."""
    world.places["Lorient"].town.close()
    if not with_logbook:
        (world.folder / "lorient" / "logbook").unlink()
    typed(world, "restore", str(backup))
    return world.start("Lorient")


def put_back(world: World, backup: Path, *, with_logbook: bool) -> Place:
    home = world.folder / "lorient"
    world.places["Lorient"].town.close()
    for old in home.glob("lavoir.db*"):
        old.unlink()
    shutil.copy(backup, home / "lavoir.db")
    if not with_logbook:
        (home / "logbook").unlink()
    return world.start("Lorient")


@pytest.mark.parametrize("with_logbook", [True, False])
@pytest.mark.parametrize("is_typed", [True, False])
def test_home_put_back_to_before_its_yes_gives_the_thing_to_nobody_else(
    world: World, tmp_path: Path, with_logbook: bool, is_typed: bool
) -> None:
    lorient, quimper = world.places["Lorient"], world.places["Quimper"]
    keeper, neighbour = (lorient.member(name).id for name in ("Roue libre", "Anne"))
    resident = quimper.member("Nolwenn").id
    key = offered(lorient, keeper)
    world.sync()
    row = asked(quimper, lorient.town.id, key, resident)
    world.sync()
    backup = tmp_path / "backup.lavoir"
    with lorient.inside() as town:
        restoring.note_height(town.home)
        if not is_typed:
            town.database.execute_sql("VACUUM INTO ?", (str(backup),))
    if is_typed:
        typed(world, "backup", str(backup))
    approve(lorient, row, keeper)
    with lorient.inside() as town:
        restoring.note_height(town.home)
    world.sync()
    assert state(quimper, row) == "approved"
    world.clock.forward(minutes=5)
    bring = restored_by_hand if is_typed else put_back
    lorient = bring(world, backup, with_logbook=with_logbook)
    with lorient.inside():
        assert restoring.is_restoring()  # noticed by itself
        assert rows.find(row.id).state == ("approved" if with_logbook else "requested")
    world.visit("Lorient", "Quimper")
    with lorient.inside() as town:
        restoring.finish(town.clock.now_ms())
        town.engagements.sweep()
        assert bool(gate.closed()) != with_logbook
    with pytest.raises(Conflict) as refused:
        there = asked(lorient, lorient.town.id, key, neighbour)
        approve(lorient, there, keeper)
    assert refused.value.code == ("full" if with_logbook else "checking")
    assert world.visit("Lorient", "Quimper").outcome == "ok"
    world.sync()
    with lorient.inside():
        assert not gate.closed()
        gen = marks.number(marks.RESTORED_S)
    assert state(lorient, row) == state(quimper, row) == "approved"
    with quimper.inside():
        assert rows.find(row.id).gen == gen > 0
    with pytest.raises(Conflict) as full:
        asked(lorient, lorient.town.id, key, neighbour)
    assert full.value.code == "full"
