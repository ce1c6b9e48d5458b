"""A database copied back by hand does not bring back what was erased since: the logbook tells."""

import shutil
from pathlib import Path

from node.erasure.erase import erase
from node.journal import restoring
from node.store.catalogue.listings import Listing
from tests.node.partner_wire import publish
from tests.world import World


def test_a_database_put_back_by_hand_does_not_show_what_was_erased_since(tmp_path: Path) -> None:
    world = World(tmp_path)
    lorient = world.found("Lorient")
    erased, kept = publish(lorient, "À effacer", "À garder")
    lorient.town.close()
    shutil.copytree(tmp_path / "lorient", tmp_path / "copy")
    lorient = world.start("Lorient")
    with lorient.inside() as town:
        erase(town, erased.key)
        restoring.note_height(town.home)  # the job does, within seconds
    lorient.town.close()
    for old in (tmp_path / "lorient").glob("lavoir.db*"):
        old.unlink()
    for file in (tmp_path / "copy").glob("lavoir.db*"):
        shutil.copy(file, tmp_path / "lorient")
    lorient = world.start("Lorient")
    with lorient.inside():
        assert restoring.is_restoring()
        shown = Listing.select(Listing.key).where(Listing.state == "published").tuples()
        assert [key for (key,) in shown] == [kept.key]
    world.close()
