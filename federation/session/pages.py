"""The pages of a visit: what is still to be fetched and what is still to be pushed.

A page is at most 1,000 records and one frame (SPEC.md section 7).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final, NamedTuple

from federation.admission import REFUSED
from federation.limits import FETCH_MAX_IDS, FRAME_MAX_BYTES, PUSH_MAX_RECORDS, WANTED_MAX_IDS
from federation.record import RECORD_MAX_BYTES, parse
from federation.session.events import Outcome
from federation.session.view import whole_records
from federation.store import RecordStore

PAGE_IS_FULL_BYTES: Final = FRAME_MAX_BYTES - RECORD_MAX_BYTES  # one more record may not fit
_HOPELESS: Final = frozenset(REFUSED + code for code in ("over_quota", "not_accepted", "frozen"))


class _Queue:
    """Ids in order, each once, with the town they were listed under."""

    def __init__(self) -> None:
        self._towns: dict[bytes, bytes] = {}

    def add(self, town: bytes, ids: Iterable[bytes]) -> None:
        """Put ids at the end, those already there excepted."""
        self._towns |= dict.fromkeys((one for one in ids if one not in self._towns), town)

    def take(self, count: int) -> dict[bytes, bytes]:
        """Remove and return the first `count`: {id: town}."""
        taken = dict(islice(self._towns.items(), count))
        for one in taken:
            del self._towns[one]
        return taken

    def leave(self, towns: set[bytes]) -> None:
        """Drop whatever was listed under `towns`."""
        if towns:
            self._towns = {one: town for one, town in self._towns.items() if town not in towns}


class Page(NamedTuple):
    """What one answer to a fetch brought."""

    raws: list[bytes]  # asked for, each once, not yet judged
    unasked: int
    undelivered: tuple[bytes, ...]
    is_torn: bool


class Wanted(_Queue):
    """The ids the other end holds and this one lacks."""

    def __init__(self, store: RecordStore) -> None:
        super().__init__()
        self._store = store
        self._listed: Counter[bytes] = Counter()
        self._asked: dict[bytes, bytes] = {}
        self.has_overflowed = False  # more was listed than one town may have

    def want(self, town: bytes, ids: Sequence[bytes]) -> None:
        """Queue those of `ids` that are neither held nor remembered as useless."""
        known = self._store.known(ids)
        new = [one for one in ids if one not in known]
        room = WANTED_MAX_IDS - self._listed[town]
        self._listed[town] += len(new[:room])
        self.has_overflowed = self.has_overflowed or len(new) > room
        self.add(town, new[:room])

    def ask(self) -> list[bytes]:
        """The ids of the next page."""
        self._asked = self.take(FETCH_MAX_IDS)
        return list(self._asked)

    def receive(self, body: bytes) -> Page:
        """Sort an answer; what a full page had no room for is asked again."""
        items, is_torn = whole_records(body, FETCH_MAX_IDS)
        raws: dict[bytes, bytes] = {}
        for raw in items:
            one = hashlib.sha256(raw).digest()
            if one in self._asked:
                raws[one] = raw
        missing = [one for one in self._asked if one not in raws]
        if raws and len(body) > PAGE_IS_FULL_BYTES:
            for one in missing:
                self.add(self._asked[one], (one,))
            missing = []
        return Page(list(raws.values()), len(items) - len(raws), tuple(missing), is_torn)


class Offered(_Queue):
    """The ids this end holds and the other lacks."""

    def __init__(self, store: RecordStore, peer: bytes) -> None:
        super().__init__()
        self._store = store
        self._peer = peer

    def sort(self) -> None:
        """Put the tombstones first: if the rest does not arrive, erasures did."""
        live: dict[bytes, bytes] = {}
        buried: dict[bytes, bytes] = {}
        while towns := self.take(PUSH_MAX_RECORDS):
            for one, raw in self._store.raws(towns, self._peer).items():
                (buried if parse(raw).is_tombstone else live)[one] = towns[one]
        self._towns = buried | live

    def ask(self) -> tuple[bytes, dict[bytes, bytes]]:
        """The next page as a CBOR sequence, and {id: town} of what is in it."""
        while towns := self.take(PUSH_MAX_RECORDS):
            raws = self._store.raws(towns, self._peer)
            left = [one for one in towns if one in raws]  # the others were replaced meanwhile
            page = fitting([raws[one] for one in left])
            if page:
                rest = {one: towns[one] for one in left[len(page) :]}
                self._towns = rest | self._towns
                return b"".join(page), {one: towns[one] for one in left[: len(page)]}
        return b"", {}


def fitting(raws: Sequence[bytes]) -> list[bytes]:
    """As many of `raws`, from the first on, as one frame takes."""
    page, size = [], 0
    for raw in raws:
        size += len(raw)
        if size > FRAME_MAX_BYTES:
            break
        page.append(raw)
    return page


def tombstones_first(raws: Iterable[bytes]) -> list[bytes]:
    """Records held here, the tombstones before all others."""
    return sorted(raws, key=lambda raw: not parse(raw).is_tombstone)


def hopeless(outcomes: Iterable[Outcome]) -> set[bytes]:
    """The towns of which no further record can be taken in this visit."""
    return {each.origin for each in outcomes if each.origin and each.code in _HOPELESS}
