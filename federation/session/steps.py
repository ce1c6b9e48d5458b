"""The first steps of a visit: which sets differ, under which keysets, by which ids."""

from __future__ import annotations

from collections.abc import Iterable

from federation import limits
from federation.admission import admit_keyset
from federation.errors import RemoteProtocolError
from federation.messages import (
    KeysetsQuestion,
    ReconcileQuestion,
    SummaryAnswer,
    SummaryQuestion,
    decode_keysets,
    decode_round,
)
from federation.session.course import Course
from federation.session.events import Differs, Event, Introduced, Keysets, PeerSeen
from federation.session.rounds import OpenSets
from federation.session.view import (
    View,
    exchanged_keysets,
    exchanged_towns,
    introductions_digest,
    may_cross,
)


class SummaryStep:
    """What is held of each town, as one fingerprint a set; equal sets cost nothing more."""

    path = limits.SUMMARY
    content_type = limits.CBOR

    def __init__(self, course: Course, introductions: bytes) -> None:
        self._course = course
        self._introductions = introductions
        open_towns = exchanged_towns(course.store)
        ends = (course.me, course.peer)
        ordered = sorted(open_towns, key=lambda town: (town not in ends, town))
        self._towns = tuple(ordered[: limits.ORIGINS_MAX])
        self._is_answered = False
        self._has_changed_day = False

    def ask(self) -> bytes | None:
        if self._is_answered:
            return None
        course = self._course
        groups = course.view.groups(self._towns)
        return SummaryQuestion(
            course.view.as_of, course.gen, course.now_ms, groups, self._introductions
        ).encode()

    def take(self, body: bytes) -> list[Event]:
        answer = SummaryAnswer.decode(body)
        events: list[Event] = [PeerSeen(answer.gen, answer.now_ms, answer.as_of)]
        if answer.as_of != self._course.view.as_of:
            self._change_day(answer.as_of)
            return events
        self._is_answered = True
        self._course.keysets_differ = [town for town in answer.keysets if town in self._towns]
        self._course.sets_differ = list(self._differing(answer))
        if answer.introductions is not None:
            digest = introductions_digest(answer.introductions)
            events.append(Introduced(answer.introductions, digest))
        return [*events, *self._course.sets_differ]

    def _change_day(self, as_of: int) -> None:
        """Take the host's day, once: it only filters, and both ends must filter alike."""
        if self._has_changed_day:
            raise RemoteProtocolError("bad_as_of")
        self._has_changed_day = True
        self._course.view = View(self._course.store, self._course.peer, as_of)

    def _differing(self, answer: SummaryAnswer) -> Iterable[Differs]:
        course = self._course
        for town, rows in answer.differing:
            if town not in self._towns:
                raise RemoteProtocolError("not_shown", "a town that was not asked for")
            for row in rows:
                if not may_cross(town, row.scope, course.me, course.peer):
                    raise RemoteProtocolError("not_shown", "a set for partners, from a relay")
                ours = course.view.rows.get((town, row.scope))
                yield Differs(town, row.scope, ours.records if ours else 0, row.records)


class KeysetsStep:
    """The keysets of the towns where they differ, both ways, before any record under them."""

    path = limits.KEYSETS
    content_type = limits.CBOR

    def __init__(self, course: Course) -> None:
        self._course = course

    def ask(self) -> bytes | None:
        towns: list[bytes] = []
        raws: list[bytes] = []
        differ = self._course.keysets_differ
        while differ and len(raws) < limits.KEYSETS_PER_REQUEST_MAX // 2:
            towns.append(differ.pop())
            raws += (each.raw for each in exchanged_keysets(self._course.store, towns[-1]))
        return KeysetsQuestion(tuple(towns), tuple(raws)).encode() if towns else None

    def take(self, body: bytes) -> list[Event]:
        course = self._course
        codes = tuple(admit_keyset(raw, course.store) for raw in decode_keysets(body))
        course.view = View(course.store, course.peer, course.view.as_of)
        return [Keysets(codes)]


class ReconcileStep:
    """Which ids are missing at either end, for all sets that differ at once."""

    path = limits.RECONCILE
    content_type = limits.CBOR

    def __init__(self, course: Course) -> None:
        self._course = course
        self._sets = OpenSets()
        self._asked = 0

    def ask(self) -> bytes | None:
        course = self._course
        self._sets.add((each.origin, each.scope) for each in course.sets_differ)
        course.sets_differ = []
        sets = self._sets.ask(course.view)
        if sets and course.tally.rounds >= limits.ROUNDS_MAX:
            course.note("too_many_rounds")
            sets = ()
        if not sets:
            return None
        self._asked = len(sets)
        course.tally.rounds += 1
        return ReconcileQuestion(course.view.as_of, sets).encode()

    def take(self, body: bytes) -> list[Event]:
        course = self._course
        for town, have, need in self._sets.take(decode_round(body, self._asked)):
            course.offered.add(town, have)
            course.wanted.want(town, need)
        if self._sets.stalled:
            course.note("no_progress")
        if course.wanted.has_overflowed:
            course.note("over_quota")
        return []
