"""The step for large differences: whole runs of a set, let in under one signature.

Where more than 512 records of a set are missing and its origin's checkpoint may vouch, the run
list is asked for by its hash, then the stretches of which half or more is missing. A run whose hash
holds over what is held, what arrived and what is named as gone needs no other signature yet; the
records of a broken one are verified one by one (SPEC.md section 7.4).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from federation import limits
from federation.checkpoint import (
    RUN_MAX_IDS,
    Checkpoint,
    Place,
    RunList,
    Vouch,
    is_intact,
    lay,
    parse_runs,
)
from federation.errors import RemoteProtocolError
from federation.record import Record, parse
from federation.session.course import Course
from federation.session.events import Differs, Event, Received, Unasked
from federation.session.view import whole_records
from federation.sets import Bound, Item
from federation.stamp import stamp_seconds
from federation.stretch import RangePage, RangeQuestion
from federation.vouching import standing

_PAGE_MAX_RECORDS = 20_000  # crumbs in one page: a record has a hundred bytes at least


@dataclass
class _Plan:
    """One set under way: its runs, the stretches still to be asked for, what waits for a run."""

    checkpoint: Checkpoint
    held: list[Item]
    places: list[Place] = field(default_factory=list)
    stretches: deque[tuple[Bound, Bound]] = field(default_factory=deque)
    raws: dict[Item, bytes] = field(default_factory=dict)
    gaps: set[Item] = field(default_factory=set)

    def lay(self, runs: RunList) -> None:
        """Choose the stretches: neighbouring runs of which half or more is missing."""
        self.places = lay(self.checkpoint, runs)
        for place in self.places:
            missing = place.size - len(within(self.held, place.lower, place.upper))
            if 2 * missing >= place.size:
                last = self.stretches[-1] if self.stretches else None
                if last and last[1] == place.lower:
                    self.stretches[-1] = (last[0], place.upper)
                else:
                    self.stretches.append((place.lower, place.upper))

    def whole(self, end: Bound) -> tuple[list[bytes], Vouch]:
        """Take out what arrived of the runs that end by `end`, with what the origin vouches for."""
        begin = self.stretches[0][0]
        done = [place for place in self.places if begin < place.upper <= end]
        limit = done[-1].upper if done else Bound(0)
        arrived = {item: raw for item, raw in self.raws.items() if item < limit}
        known = sorted({*self.held, *arrived, *(gap for gap in self.gaps if gap < limit)})
        ids: set[bytes] = set()
        for place in done:
            of_run = [one for _, one in within(known, place.lower, place.upper)]
            if is_intact(place, of_run):
                ids.update(of_run)
        for item in arrived:
            del self.raws[item]
        return list(arrived.values()), Vouch(self.checkpoint, frozenset(ids))


class RunsStep:
    """The runs of the sets of which much is missing, page by page."""

    content_type = limits.CBOR

    def __init__(self, course: Course) -> None:
        self._course = course
        self._names: deque[Differs] | None = None
        self._plan: _Plan | None = None
        self._is_spent = False
        self.path = limits.RANGE

    def ask(self) -> bytes | None:
        if self._names is None:
            self._names = deque(self._course.sets_differ if self._course.admit_vouched else ())
        while self._plan is not None or self._names:
            body = self._ask_on() if self._plan else self._begin(self._names.popleft())
            if body is not None:
                return body
            if self._plan is not None and not self._plan.stretches:
                self._plan = None
        if self._is_spent:
            self._is_spent = False
            self._course.settle()
        return None

    def _begin(self, each: Differs) -> bytes | None:
        """Ask for the run list of a set, unless it is held or not worth it."""
        course = self._course
        if each.theirs - each.ours <= limits.RANGE_ABOVE_RECORDS:
            return None
        said = standing(course.store, each.origin, each.scope, course.now_ms)
        if said is None or not said.run_count:
            return None
        self._plan, self._is_spent = _Plan(said, course.store.covered(said)), True
        raw = course.store.witness.runs(said.runs)
        if raw is not None:
            self._lay(raw)
            return None
        self.path = limits.RUNS + said.runs.hex()
        return b""

    def _ask_on(self) -> bytes | None:
        plan = self._plan
        if plan is None or not plan.stretches:
            return None
        self.path = limits.RANGE
        return RangeQuestion(
            self._course.view.as_of, *plan.checkpoint.name, *plan.stretches[0]
        ).encode()

    def take(self, body: bytes) -> list[Event]:
        if self.path != limits.RANGE:
            self._lay(body)
            return []
        return self._take_page(RangePage.decode(body))

    def _lay(self, raw: bytes) -> None:
        """Read a run list; without a good one the set is reconciled like any other."""
        plan = self._plan
        if plan is None:
            return
        try:
            runs = parse_runs(raw, plan.checkpoint)
        except RemoteProtocolError:
            self._plan = None
            return
        self._course.store.witness.keep_runs(raw)
        plan.lay(runs)

    def _take_page(self, page: RangePage) -> list[Event]:
        plan = self._plan
        if plan is None or not plan.stretches:
            raise RemoteProtocolError("bad_message", "no stretch was asked for")
        lower, upper = plan.stretches[0]
        if not lower < page.end <= upper:
            raise RemoteProtocolError("bad_message", "a page that ends outside its stretch")
        if page.end != upper and not page.records and not page.gaps:
            raise RemoteProtocolError("bad_message", "a page that brings nothing")
        items, _ = whole_records(page.records, _PAGE_MAX_RECORDS)
        strangers = self._sort_in(plan, items, lower, page.end)
        plan.gaps.update(within(sorted(page.gaps), lower, page.end))
        raws, vouch = plan.whole(page.end)
        if page.end == upper:
            plan.stretches.popleft()
        else:
            plan.stretches[0] = (page.end, upper)
        if len(plan.raws) > 2 * RUN_MAX_IDS:  # more than the origin said it had: no run of its
            raws, plan.raws = [*raws, *plan.raws.values()], {}
        events: list[Event] = [Received(self._course.receive(raws, vouch))] if raws else []
        if strangers:
            self._course.tally.unasked += strangers
            events.append(Unasked(strangers))
        return events

    def _sort_in(self, plan: _Plan, raws: Iterable[bytes], lower: Bound, end: Bound) -> int:
        """Put records at their places; return how many belong to no place that was asked for."""
        strangers = 0
        for raw in raws:
            record = _read(raw)
            item = record and (stamp_seconds(record.stamp), record.id)
            if record is None or item is None or not lower <= item < end:
                strangers += 1
            else:
                plan.raws[item] = raw
        return strangers


def within(items: list[Item], lower: Bound, upper: Bound) -> list[Item]:
    """The items from `lower` to before `upper`, of items in order."""
    return items[bisect_left(items, lower) : bisect_left(items, upper)]


def _read(raw: bytes) -> Record | None:
    try:
        return parse(raw)
    except RemoteProtocolError:
        return None
