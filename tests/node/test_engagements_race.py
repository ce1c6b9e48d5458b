"""Eight borrowers in two server processes at one database: nobody gets a day twice."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.domain.clock import FixedClock
from node.domain.errors import DomainError
from node.store.catalogue import listings
from node.store.database import StorageRefused, using
from node.store.promises import claims
from node.store.promises import engagements as rows
from scripts.bench import contending
from tests.node.engagement_towns import START_MS, TODAY, TownHere, found, iso, opened

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


# ── what peers got wrong, by the number of their bug ─────────────────────────────────────────────


@pytest.fixture
def town(tmp_path: Path) -> Iterator[TownHere]:
    made = found(tmp_path, "Lorient", FixedClock(START_MS))
    yield made
    made.database.close()


def test_commonsbooking_610_two_confirms_of_one_day_give_one_loan(town: TownHere) -> None:
    listing = town.publish()
    asked = [town.ask(listing, name) for name in ("ana", "bob")]
    told: list[str] = []
    threads = [threading.Thread(target=approve, args=(town, row, told)) for row in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["approved", "full"]
    assert sorted(town.row(row).state for row in asked) == ["approved", "requested"]


def approve(town: TownHere, row: Any, told: list[str]) -> None:
    try:
        told.append(town.act(row, "approve").state)
    except DomainError as error:
        told.append(error.code)


def test_commonsbooking_1034_processes_at_one_database_promise_nothing_twice(
    tmp_path: Path,
) -> None:
    kinds, attempts = contending.KINDS, 1_500
    told = contending.contended(tmp_path, kinds, attempts, 4, seed=1034)
    assert contending.counted(tmp_path, kinds, told, attempts) == []
    assert told.outcomes["granted"] and told.outcomes["refused"], told.outcomes


def test_commonsbooking_1900_a_loan_given_back_early_is_free_and_only_then(town: TownHere) -> None:
    listing = town.publish(auto=True)
    first = town.ask(listing, "ana", 0, 3)
    with pytest.raises(DomainError, match="full"):
        town.ask(listing, "bob", 3, 4)
    town.act(first, "hand_over")
    with pytest.raises(DomainError, match="full"):
        town.ask(listing, "bob", 3, 4)
    town.act(first, "take_back")
    assert town.ask(listing, "bob", 3, 4).state == "approved"


def test_grr_508_the_same_form_sent_twice_is_one_booking(town: TownHere) -> None:
    listing = town.publish(copies=2, auto=True)
    member, token = town.member("ana"), b"t" * 16
    form = {"first_day": iso(TODAY + 1), "last_day": iso(TODAY + 1)}
    told: list[bytes] = []

    def send() -> None:
        with using(town.database):
            told.append(town.engine.ask(listing, member, form, token).id)

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [token] * 4
    with town.inside():
        assert len(rows.of_listing(listing.origin, listing.key)) == 1
        assert len(claims.of_engagement(token)) == 1


def test_timekit_76_what_ends_when_the_next_begins_does_not_overlap(town: TownHere) -> None:
    listing = town.publish(auto=True)
    assert town.ask(listing, "ana", 1, 2).state == "approved"
    assert town.ask(listing, "bob", 3, 4).state == "approved"
    for first, last in ((2, 3), (1, 1), (0, 5)):
        with pytest.raises(DomainError, match="full"):
            town.ask(listing, "cleo", first, last)
