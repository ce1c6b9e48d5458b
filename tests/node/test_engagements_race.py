"""Eight borrowers in two server processes at one database: nobody gets a day twice."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.domain.errors import DomainError
from node.store.catalogue import listings
from node.store.database import StorageRefused, using
from node.store.promises import claims
from node.store.promises import engagements as rows
from tests.node.engagement_towns import START_MS, TODAY, TownHere, found, opened

ROOT = Path(__file__).parents[2]
BORROWERS = 8
PROCESSES = 2
ASKS = 6
DAYS = 10


def borrow(folder: str, key: str, process: str) -> None:
    """Be one server process: four borrowers at once; print what each was granted."""
    town = opened(Path(folder), "Lorient", FixedClock(START_MS))
    told: list[dict[str, Any]] = []
    mine = range(int(process), BORROWERS, PROCESSES)
    while not (Path(folder) / "go").exists():
        time.sleep(0.005)
    threads = [threading.Thread(target=_ask_all, args=(town, key, who, told)) for who in mine]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(told))


def _ask_all(town: TownHere, key: str, who: int, told: list[dict[str, Any]]) -> None:
    with using(town.database):
        listing = listings.find(town.id, bytes.fromhex(key))
    for at in range(ASKS):
        first = (who + at * 3) % DAYS
        last = min(first + at % 3, DAYS - 1)
        told.append(_ask_once(town, listing, who, first, last))


def _ask_once(town: TownHere, listing: Any, who: int, first: int, last: int) -> dict[str, Any]:
    town.members[f"borrower{who}"] = who + 2
    for _ in range(20):
        try:
            row = town.ask(listing, f"borrower{who}", first, last)
        except StorageRefused:
            continue
        except DomainError as error:
            return {"code": error.code, "first": first, "last": last}
        return {"code": row.state, "id": row.id.hex(), "first": first, "last": last}
    return {"code": "busy", "first": first, "last": last}


@pytest.mark.parametrize("copies", [1, 2])
def test_concurrent_borrowers_never_get_overlapping_days(tmp_path: Path, copies: int) -> None:
    town = found(tmp_path, "Lorient", FixedClock(START_MS))
    listing = town.publish(copies=copies, auto=True)
    for who in range(BORROWERS):
        town.member(f"borrower{who}")
    town.database.close()
    told = in_processes(tmp_path, listing.key.hex())
    assert len(told) == BORROWERS * ASKS
    codes = Counter(each["code"] for each in told)
    assert set(codes) <= {"approved", "full"} and codes["approved"] and codes["full"], codes
    taken = Counter(
        day
        for each in told
        if each["code"] == "approved"
        for day in range(each["first"], each["last"] + 1)
    )
    assert max(taken.values()) <= copies
    with using(town.database):
        held = claims.taken(listing.origin, listing.key, TODAY, TODAY + DAYS)
        kept = rows.of_listing(listing.origin, listing.key)
    assert Counter(day - TODAY for _, day in held) == taken
    assert {row.id.hex() for row in kept} == {each["id"] for each in told if "id" in each}


def in_processes(folder: Path, key: str) -> list[dict[str, Any]]:
    """Let the borrowers loose in their processes, all at the same moment."""
    code = "import sys; from tests.node.test_engagements_race import borrow; borrow(*sys.argv[1:])"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder), key, str(number)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    (folder / "go").touch()
    return [each for process in started for each in json.loads(process.communicate(timeout=90)[0])]
