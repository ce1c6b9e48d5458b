"""The host's pages of a stretch of a set: records in set order, and the ids that are gone."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from federation.limits import FRAME_MAX_BYTES, GAPS_MAX_IDS
from federation.port import RecordStore
from federation.session.rounds import Shelf
from federation.session.view import View
from federation.sets import Bound, Item
from federation.stretch import RangePage, RangeQuestion

_CHUNK: Final = 250
_ROOM_BYTES: Final = FRAME_MAX_BYTES - GAPS_MAX_IDS * 48 - 1_024  # 48: a gap and its CBOR heads


def page(
    view: View, store: RecordStore, asked: RangeQuestion, shelf: Shelf
) -> tuple[RangePage, list[bytes]]:
    """Answer one question; also the ids of the records given."""
    items = shelf.sealed(view, (asked.town, asked.scope)).items
    shown = _within(items, asked.lower, asked.upper)
    gone = _gone(view, store, asked, shown)
    end = asked.upper
    if len(gone) > GAPS_MAX_IDS:
        end = Bound(*gone[GAPS_MAX_IDS])
    given, size = [], 0
    for item, raw in _records(store, view, _within(shown, asked.lower, end)):
        size += len(raw)
        if size > _ROOM_BYTES:
            end = Bound(*item)
            break
        given.append((item, raw))
    gaps = tuple(_within(gone, asked.lower, end))
    body = b"".join(raw for _, raw in given)
    return RangePage(end, body, gaps), [one for (_, one), _ in given]


def _records(store: RecordStore, view: View, items: list[Item]) -> Iterator[tuple[Item, bytes]]:
    for at in range(0, len(items), _CHUNK):
        part = items[at : at + _CHUNK]
        raws = store.raws((one for _, one in part), view.peer)
        yield from ((item, raws[item[1]]) for item in part if item[1] in raws)


def _gone(view: View, store: RecordStore, asked: RangeQuestion, shown: list[Item]) -> list[Item]:
    """The places of what was in the set by its newest checkpoint, and is not shown now."""
    row = view.rows.get((asked.town, asked.scope))
    newest = store.witness.checkpoint(asked.town, asked.scope) if row else None
    if newest is None or row is None or row.fingerprint == newest.fingerprint:
        return []
    covered = _within(store.covered(newest), asked.lower, asked.upper)
    return sorted(set(covered).difference(shown))


def _within(items: Sequence[Item], lower: Bound, upper: Bound) -> list[Item]:
    return list(items[bisect_left(items, lower) : bisect_left(items, upper)])
