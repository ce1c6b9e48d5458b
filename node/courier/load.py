"""The load of a courier file: all that one partner may see, listed before anything is written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from federation.bundle import Counts, Freight
from federation.record import SCOPE_PUBLIC
from federation.session.view import exchanged_keysets
from federation.stamp import as_of_day
from federation.store import SetRow
from node.courier import pictures
from node.store.network import carriages
from node.store.sets import tombstones

READ_AT_ONCE = 100  # records: at most 1.6 MB of them in memory
RECEIPTS_MAX = 10  # of earlier files, in case the last ones were lost


class Moved(Exception):
    """What was listed was replaced or erased before it was written: list again."""


@dataclass
class Load:
    """The ids of what goes, each list in its order; `reader` is the addressee's sealing key."""

    town: Any
    partner: bytes | None
    reader: bytes | None
    as_of: int
    rows: list[SetRow] = field(default_factory=list)
    origins: list[bytes] = field(default_factory=list)
    buried: list[bytes] = field(default_factory=list)
    private: list[bytes] = field(default_factory=list)
    public: list[bytes] = field(default_factory=list)
    photos: list[bytes] = field(default_factory=list)

    @property
    def counts(self) -> Counts:
        """Return how many of each there are."""
        public = len(self.buried) + len(self.public)
        return Counts(public, len(self.private), len(self.photos))

    def freight(self) -> Freight:
        """Return it as it is read, bit by bit; reading raises Moved."""
        receipts = carriages.receipts_for(self.partner, RECEIPTS_MAX) if self.partner else []
        return Freight(
            keysets=self._keysets(),
            buried=self._raws(self.buried),
            private=_joined(receipts, self._raws(self.private)),
            public=self._raws(self.public),
            photos=self._photos(),
            reader=self.reader,
        )

    def _keysets(self) -> Iterator[bytes]:
        for origin in self.origins:
            yield from (each.raw for each in exchanged_keysets(self.town.store, origin))

    def _raws(self, ids: list[bytes]) -> Iterator[bytes]:
        left = iter(ids)
        while part := list(islice(left, READ_AT_ONCE)):
            found = self.town.store.raws(part, self.partner)
            for each in part:
                if each not in found:
                    raise Moved
                yield found[each]

    def _photos(self) -> Iterator[bytes]:
        for digest in self.photos:
            raw = pictures.read(self.town.photos, digest)
            if raw is None:
                raise Moved
            yield raw


def list_load(town: Any, partner: bytes | None, reader: bytes | None, *, with_photos: bool) -> Load:
    """List what that partner may see (None: anyone); without its sealing key, what is public."""
    load = Load(town, partner, reader, as_of_day(town.clock.now_ms()))
    live: list[bytes] = []
    for row in town.store.rows(partner, load.as_of):
        is_public = row.scope == SCOPE_PUBLIC
        if not is_public and reader is None:
            continue
        dead = tombstones.of_set(row.origin, row.scope)
        items = town.store.items(row.origin, row.scope, load.as_of, partner)
        ids = [record_id for _, record_id in items]
        (load.buried if is_public else load.private).extend(each for each in ids if each in dead)
        (load.public if is_public else live).extend(each for each in ids if each not in dead)
        load.rows += [row] if is_public else []
    load.private += live
    load.origins = sorted({row.origin for row in load.rows} | {town.id}, key=town.id.__ne__)
    if with_photos:
        load.photos = pictures.chosen(town.photos, load.origins)
    return load


def _joined(*parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield from part
