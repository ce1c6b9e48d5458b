"""Spaces in real towns: publishing one, booking it, and what became of that."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from node.domain.capacity import calendar_day
from node.domain.clock import FixedClock
from node.domain.schema import plain
from node.practices.spaces.practice import PRACTICE as SPACES
from node.store.catalogue import holdings, listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.promises.engagements import Engagement
from tests.node.engagement_towns import START_MS, TODAY, TownHere, found, pair

ROOM = {"title": "Salle du lavoir", "step": 60, "site": "Maison de quartier"}


@contextmanager
def two_towns(folder: Path) -> Iterator[tuple[TownHere, TownHere]]:
    """Lorient and Quimper, paired, with spaces and one clock."""
    clock = FixedClock(START_MS)
    towns = [found(folder, name, clock, (SPACES,)) for name in ("lorient", "quimper")]
    pair(*towns)
    yield towns[0], towns[1]
    for each in towns:
        each.database.close()


def publish(
    town: TownHere, keeper: str = "keeper", key: bytes | None = None, **body: Any
) -> Listing:
    """Publish (or revise) a space."""
    struct = SPACES.schema.read({**ROOM, **body})
    holder = town.member(keeper)
    with town.inside(), write_tx():
        record = town.journal.publish(SPACES.kind, plain(struct), key=key)
        holdings.keep(record.key, holder, town.clock.now_ms())
        return listings.find(town.id, record.key)


def book(
    town: TownHere, listing: Listing, who: str = "asker", day: int | str = 1,
    start: str = "9:00", **more: str,
) -> Engagement:  # fmt: skip
    """Ask for an hour (or as long as `minutes` says) on a day counted from TODAY, or as typed."""
    typed = day if isinstance(day, str) else calendar_day(TODAY + day).isoformat()
    form = {"day": typed, "start": start, **more}
    member = town.member(who)
    with town.inside():
        held = listings.find(listing.origin, listing.key)
        return town.engine.ask(held, member, form, secrets.token_bytes(16))
