"""Towns whose database goes back in time: a backup, its restore, and the visits that follow.

What `lavoir restore` does to a house, as far as engagements see it: the database of before, with or
without the logbook beside it, restore mode, own records pulled back, a new mark of restore.
"""

import shutil
from pathlib import Path

from node.journal import restoring
from node.store import marks
from node.store.database import open_database, using
from node.store.network import partners
from tests.node.engagement_towns import TownHere, exchange, opened

DATABASE = "lavoir.db"


def house(town: TownHere) -> Path:
    """Return the folder of a town."""
    return Path(town.database.database).parent


def back_up(town: TownHere, to: Path) -> Path:
    """Copy a town's database into a file, whole."""
    with town.inside():
        to.unlink(missing_ok=True)
        town.database.execute_sql("VACUUM INTO ?", (str(to),))
    return to


def put_back(town: TownHere, backup: Path, *, with_logbook: bool) -> TownHere:
    """Put a backup in the place of a town's database and open it in restore mode.

    A power cut, a dead disk: nothing of the database of now is left.
    """
    folder = house(town)
    town.database.close()
    for old in folder.glob(DATABASE + "*"):
        old.unlink()
    shutil.copy(backup, folder / DATABASE)
    if not with_logbook:
        (folder / "logbook").unlink(missing_ok=True)
    return reopened(town, "restored")


def reopened(town: TownHere, why: str = "") -> TownHere:
    """Open a town again from its folder; `why` begins restore mode before anything is read."""
    town.database.close()
    folder = house(town)
    if why:
        database = open_database(folder / DATABASE)
        with using(database):
            restoring.begin(town.clock.now_ms(), why)
        database.close()
    practices = town.engine.ground.registry.practices
    again = opened(folder.parent, town.name, town.clock, practices)
    again.members = dict(town.members)
    return again


def pull_back(town: TownHere, other: TownHere) -> None:
    """Visit a partner in restore mode: it shows all it holds, we show nothing of ours."""
    town.hear(other.held(), other)


def leave_restore(town: TownHere) -> int:
    """Leave restore mode; return the new mark."""
    with town.inside():
        gen = restoring.finish(town.clock.now_ms())
    town.sweep()
    return gen


def visit(town: TownHere, other: TownHere) -> None:
    """Make a whole visit: the host raises its fence, both end with all records, we have heard."""
    with town.inside():
        gen = marks.number(marks.RESTORED_S)
    with other.inside():
        partners.raise_fence(town.id, gen)
        theirs = marks.number(marks.RESTORED_S)
    with town.inside():
        partners.raise_fence(other.id, theirs)
    for _ in range(2):
        other.hear(town.held(), town)
        town.hear(other.held(), other)
    with town.inside():
        town.engine.heard(other.id, gen)
    exchange(town, other, rounds=2)


def restored(town: TownHere, backup: Path, *others: TownHere, with_logbook: bool) -> TownHere:
    """Restore a town and let it pull its own records from others; not yet heard by the gate."""
    again = put_back(town, backup, with_logbook=with_logbook)
    for other in others:
        pull_back(again, other)
    leave_restore(again)
    return again
