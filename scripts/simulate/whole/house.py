"""The houses: towns founded once a process, each then copied into every history that needs it."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from node.app import open_town
from node.cli.town import found_town
from node.domain.clock import FixedClock
from node.store.database import using
from node.store.people import members
from scripts.simulate.chance import ruled

START_MS = 1_795_430_400_000  # 2026-11-23 11:40 in Paris
FOUNDED_MS = START_MS - 10 * 86_400_000
COMMUNES = {
    "Auray": "56007",
    "Lorient": "56121",
    "Pontivy": "56178",
    "Quimper": "29232",
    "Vannes": "56260",
    "Brest": "29019",
    "Morlaix": "29151",
    "Rennes": "35238",
    "Concarneau": "29039",
}
NAMES = tuple(COMMUNES)
KEEPER, ASKER, OTHER_ASKER, DESK = range(1, 5)  # the members of every town, by their number
MEMORY = Path("/dev") / "shm"


@cache
def attic() -> Path:
    """Return a folder in memory (where there is one) that ends with the process."""
    folder = Path(tempfile.mkdtemp(prefix="lavoir-sim-", dir=MEMORY if MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def template(name: str) -> tuple[Path, tuple[str, ...]]:
    """Return the home of a town just founded, with four members, and its recovery words."""
    home = attic() / "founded" / name
    clock = FixedClock(FOUNDED_MS)
    with ruled(0, f"found {name}"):
        words = found_town(
            home, name=name, insee=COMMUNES[name], url=url_of(name), manager="", clock=clock
        )
        town = open_town(home, clock=clock)
        with using(town.database):
            for number, role in enumerate(("resident", "resident", "resident", "moderator"), 1):
                members.join(
                    f"Canari {name} {number}",
                    now_ms=FOUNDED_MS,
                    email=f"canari{number}@{name.lower()}.test",
                    role=role,
                )
            town.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        town.close()
    return home, tuple(words)


def url_of(name: str) -> str:
    """Return the address of a town."""
    return f"http://{name.lower()}.test"
