"""Two towns (or more) in one process whose records are carried by hand: any order, twice, or never.

Real databases, keys, journals and engines; no page and no network. The clock is shared.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from federation.seal import HpkeKey
from node.domain.capacity import calendar_day
from node.domain.clock import FixedClock
from node.domain.practice import Practice, Registry
from node.domain.schema import plain
from node.engagements import Engagements
from node.journal import profile
from node.journal.journal import Journal
from node.journal.keyring import Keyring
from node.journal.logbook import Logbook
from node.practices.lending.practice import PRACTICE as LENDING
from node.store.catalogue import holdings, listings
from node.store.catalogue.listings import Listing
from node.store.database import open_database, using, write_tx
from node.store.network import partners
from node.store.people import members
from node.store.promises.engagements import Engagement
from node.store.schema import migrate
from node.store.sets import records
from node.store.sets.record_store import SqlRecordStore

START_MS = 1_795_417_200_000  # Monday 2026-11-23, 8:00 in Paris
TODAY = 20_780  # that day as a day number
DAY_MS = 86_400_000


def iso(day: int) -> str:
    """Write a day number the way a form does."""
    return calendar_day(day).isoformat()


@dataclass
class TownHere:
    """One town: everything below the pages."""

    name: str
    clock: FixedClock
    keyring: Keyring
    database: Any
    journal: Journal
    engine: Engagements
    members: dict[str, int] = field(default_factory=dict)

    @property
    def id(self) -> bytes:
        """Return the town id."""
        return self.keyring.town

    @contextmanager
    def inside(self) -> Iterator["TownHere"]:
        """Make this town's database current."""
        with using(self.database):
            yield self

    def member(self, name: str, role: str = "resident") -> int:
        """Return the number of a member, made on first use."""
        if name not in self.members:
            with self.inside():
                made = members.join(
                    name, now_ms=self.clock.now_ms(), email=f"{name}@example.org", role=role
                )
            self.members[name] = made.id
        return self.members[name]

    def publish(
        self, keeper: str | None = "keeper", *, key: bytes | None = None, **body: Any
    ) -> Listing:
        """Publish (or revise) a listing of lending, kept by a member; return its row."""
        struct = LENDING.schema.read({"title": "Remorque à vélo", **body})
        holder = self.member(keeper) if keeper else None
        with self.inside(), write_tx():
            record = self.journal.publish(LENDING.kind, plain(struct), key=key)
            holdings.keep(record.key, holder, self.clock.now_ms())
            return listings.find(self.id, record.key)

    def withdraw(self, listing: Listing) -> None:
        """Withdraw a listing of ours as the pages do."""
        with self.inside(), write_tx():
            self.journal.withdraw(listing.key)
            self.engine.listing_closed(listing.key)

    def listing(self, of: Listing) -> Listing:
        """Return this town's copy of a listing."""
        with self.inside():
            return listings.find(of.origin, of.key)

    def ask(
        self, listing: Listing, who: str = "asker", first: int = 3, last: int = 4, **form: str
    ) -> Engagement:
        """Ask for days counted from TODAY."""
        member = self.member(who)
        typed = {"first_day": iso(TODAY + first), "last_day": iso(TODAY + last), **form}
        with self.inside():
            row = self.listing(listing)
            return self.engine.ask(row, member, typed, secrets.token_bytes(16))

    def act(
        self, row: Engagement, action: str, who: str = "keeper", role: str = "keeper", **more: Any
    ) -> Engagement:
        """Do something to an engagement."""
        member = self.member(who)
        more.setdefault("act_id", secrets.token_bytes(8))
        with self.inside():
            return self.engine.act(row.id, action, member_id=member, role=role, **more)

    def withdraw_ask(self, row: Engagement, who: str = "asker") -> Engagement:
        """Let the asker withdraw."""
        return self.act(row, "withdraw", who, "asker")

    def row(self, row: Engagement) -> Engagement:
        """Return what this town knows of an engagement now."""
        with self.inside():
            return self.engine.find(row.id)

    def words(self, row: Engagement) -> str:
        """Return the message id a page would say."""
        with self.inside():
            return self.engine.words(self.engine.find(row.id)).message

    def sweep(self) -> int:
        """Run the job of deadlines."""
        with self.inside():
            return self.engine.sweep()

    def raws(self, *kinds: str) -> list[bytes]:
        """Return what this town's own registers hold now, of some kinds or all."""
        with self.inside():
            own = records.walk(self.id)
            return [row.raw for row in own if not kinds or row.kind in kinds]

    def held(self) -> list[bytes]:
        """Return every record this town holds, whoever signed it."""
        with self.inside():
            return [row.raw for row in records.walk()]

    def hear(self, raws: Iterable[bytes], carrier: "TownHere | None" = None) -> list[str]:
        """Take in records somebody brought; return the verdicts of admission."""
        with self.inside():
            brought = self.journal.ingest(raws, carrier.id if carrier else None)
        return [each.code for each in brought]


def found(
    folder: Path, name: str, clock: FixedClock, practices: tuple[Practice, ...] = (LENDING,)
) -> TownHere:
    """Found a town in `folder`; power cuts are not what these tests are about, so it is fast."""
    home = folder / name
    home.mkdir(parents=True)
    Keyring.create(home, clock.now_ms())
    database = open_database(home / "lavoir.db")
    migrate(database)
    database.close()
    town = opened(folder, name, clock, practices)
    with town.inside():
        town.journal.store.add_keyset(town.keyring.genesis)
        said = profile.Profile(name=name, hpke=town.keyring.hpke[0].public)
        town.journal.publish(profile.KIND, plain(said), key=profile.KEY)
    return town


def opened(
    folder: Path, name: str, clock: FixedClock, practices: tuple[Practice, ...] = (LENDING,)
) -> TownHere:
    """Open a town that was founded in `folder`."""
    keyring = Keyring.load(folder / name)
    database = open_database(folder / name / "lavoir.db")
    database.execute_sql("PRAGMA synchronous=OFF")
    registry = Registry(practices)
    logbook = FastLogbook(folder / name, HpkeKey.from_private(keyring.archive).public, clock)
    journal = Journal(keyring, clock, registry, SqlRecordStore(keyring.town), logbook)
    engine = Engagements(journal, registry, clock)
    with using(database):
        engine.keep_logbook(logbook)
    return TownHere(name, clock, keyring, database, journal, engine)


class FastLogbook(Logbook):
    """A logbook that waits for no disk: here nobody cuts the power."""

    def _sync(self, handle: int) -> None:
        """Leave it to the system."""


def know(one: TownHere, other: TownHere, status: str = "active") -> None:
    """Let `one` accept `other` as a partner."""
    with one.inside():
        partners.save(other.id, name=other.name, url="http://x.test", status=status)
        SqlRecordStore(one.id).add_keyset(other.keyring.genesis)


def pair(one: TownHere, other: TownHere) -> None:
    """Make two towns partners that hold each other's profile."""
    for here, there in ((one, other), (other, one)):
        know(here, there)
    exchange(one, other)


def exchange(one: TownHere, other: TownHere, rounds: int = 3) -> None:
    """Carry everything both ways until both heard each other's last word."""
    for _ in range(rounds):
        other.hear(one.raws(), one)
        one.hear(other.raws(), other)


@dataclass
class Two:
    """Home (Lorient) and the asker's town (Quimper), paired, with one clock."""

    clock: FixedClock
    home: TownHere
    away: TownHere

    def exchange(self) -> None:
        """Carry everything both ways."""
        exchange(self.home, self.away)

    def both(self, row: Engagement) -> tuple[str, str]:
        """Return the state at home and as the asker's town knows it."""
        return self.home.row(row).state, self.away.row(row).state

    def asked(self, **body: object) -> Engagement:
        """Return an ask that home has received."""
        listing = self.home.publish(**body)  # type: ignore[arg-type]
        self.exchange()
        row = self.away.ask(listing, message="Pour un déménagement")
        self.exchange()
        return row


@contextmanager
def two_towns(folder: Path) -> Iterator[Two]:
    """Found home and the asker's town, paired."""
    clock = FixedClock(START_MS)
    home, away = found(folder, "Lorient", clock), found(folder, "Quimper", clock)
    pair(home, away)
    yield Two(clock, home, away)
    for town in (home, away):
        town.database.close()
