"""`lavoir rebuild`: what pages read is made of the records alone, and can be made again."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from federation.record import SCOPE_PARTNERS
from node.store.catalogue.listings import Listing
from node.store.database import db, write_tx
from node.store.network.towns import TownRow
from node.store.sets import records, sums
from tests.node.partner_wire import KIND, publish, revise, three_towns, withdraw
from tests.world import Place, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Lorient, Quimper and Vannes, each a partner of both others."""
    made = three_towns(tmp_path)
    yield made
    made.close()


def tables(place: Place) -> dict[str, list[Any]]:
    """Return the rows of the read model, without the numbers of rows."""
    with place.inside():
        names = [each for each in Listing._meta.sorted_field_names if each != "id"]
        wanted = ", ".join(f'l."{name}"' for name in names)
        rows = db.execute_sql(
            f"SELECT {wanted}, s.title, s.words FROM listing l"
            " LEFT JOIN listing_search s ON s.rowid = l.id"
        ).fetchall()
        facets = db.execute_sql(
            'SELECT l.origin, l."key", f.name, f.value, l.state FROM facet f'
            " JOIN listing l ON l.id = f.listing_id"
        ).fetchall()
        cards = list(TownRow.select().tuples())
    listed = [dict(zip([*names, "indexed title", "words"], row, strict=True)) for row in rows]
    return {
        "listing": sorted(listed, key=lambda row: (row["origin"], row["key"])),
        "facet": sorted(facets),
        "town": sorted(cards),
    }


def from_records_alone(read: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Leave out what a node only remembers: the shells of listings that are no more, and when a
    listing that was revised since first came.
    """
    live = [row for row in read["listing"] if row["state"] == "published"]
    revised = [{**row, "created_ms": 0} for row in live if row["title"].startswith("Revu")]
    return {
        "listing": [row for row in live if not row["title"].startswith("Revu")] + revised,
        "facet": [row for row in read["facet"] if row[-1] == "published"],
        "town": read["town"],
    }


def test_a_rebuild_changes_nothing(world: World, rng: random.Random) -> None:
    quimper = with_a_past(world, rng)
    before = tables(quimper)
    with quimper.inside() as town:
        told: list[tuple[int, int]] = []
        count = town.journal.rebuild(lambda done, total: told.append((done, total)))
    assert told[-1] == (count, count)
    assert tables(quimper) == before


def test_a_rebuild_makes_the_read_model_again_from_nothing(
    world: World, rng: random.Random
) -> None:
    quimper = with_a_past(world, rng)
    before = tables(quimper)
    with quimper.inside() as town:
        with write_tx():
            for table in ("listing_search", "facet", "listing", "town"):
                db.execute_sql(f"DELETE FROM {table}")
        assert tables(quimper) == {"listing": [], "facet": [], "town": []}
        town.journal.rebuild()
    assert from_records_alone(tables(quimper)) == from_records_alone(before)
    assert len(from_records_alone(before)["listing"]) == 3 * 25 + 1


def test_a_rebuild_that_is_cut_changes_nothing(world: World, rng: random.Random) -> None:
    quimper = with_a_past(world, rng)
    before = tables(quimper)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with quimper.inside() as town, pytest.raises(KeyboardInterrupt):
        town.journal.rebuild(stop)
    assert tables(quimper) == before


def with_a_past(world: World, rng: random.Random) -> Place:
    for place in world.places.values():
        made = publish(place, *(f"{place.name} {number}" for number in range(30)))
        world.sync(1)
        for each in rng.sample(made, 10):
            world.clock.forward(minutes=1)
            revise(place, each, f"Revu {rng.random()}", text="Mieux dit.", quartier="Le Port")
        for each in rng.sample(made, 5):
            withdraw(place, each)
        with place.inside() as town:
            town.journal.publish(KIND, {"title": ""})  # held and relayed, not shown
            town.journal.publish("later.kind/9", {"x": 1})
    publish(world.places["Lorient"], "Entre nous", scope=SCOPE_PARTNERS)
    world.sync(1)
    return world.places["Quimper"]


def test_the_sums_are_those_of_the_records(world: World, rng: random.Random) -> None:
    quimper = with_a_past(world, rng)
    with quimper.inside():
        kept = sums.parts()
        with write_tx():
            db.execute_sql("DELETE FROM setsum")
            rows = list(records.walk())
            sums.change(rows, [])
        assert sums.parts() == kept
