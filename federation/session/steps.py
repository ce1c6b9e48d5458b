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
    ungrouped,
)
from federation.record import parse
from federation.session import said
from federation.session.course import Course
from federation.session.events import (
    Checkpoints,
    Differs,
    Event,
    Introduced,
    Keysets,
    PeerSeen,
    Received,
    Unasked,
)
from federation.session.hint import Hint, news, room_beside
from federation.session.rounds import OpenSets
from federation.session.transfer import sent
from federation.session.view import (
    View,
    exchanged_keysets,
    exchanged_towns,
    introductions_digest,
    may_cross,
    record_ids,
    set_of,
    whole_records,
)


class SummaryStep:
    """What is held of each town, as one fingerprint a set; equal sets cost nothing more.

    With the hint of the last visit the news of both ends travel with it.
    """

    path = limits.SUMMARY
    content_type = limits.CBOR

    def __init__(self, course: Course, introductions: bytes, hint: Hint | None) -> None:
        self._course = course
        self._introductions = introductions
        self._hint = hint
        open_towns = exchanged_towns(course.store)
        ends = (course.me, course.peer)
        ordered = sorted(open_towns, key=lambda town: (town not in ends, town))
        self._towns = tuple(ordered[: limits.ORIGINS_MAX])
        self._pushed: dict[bytes, bytes] = {}
        self._is_answered = False
        self._has_changed_day = False

    def ask(self) -> bytes | None:
        if self._is_answered:
            return None
        course = self._course
        question = SummaryQuestion(
            course.view.as_of,
            course.gen,
            course.now_ms,
            course.view.groups(self._towns),
            self._introductions,
            said.digests(self._towns, said.shown(course.store, course.me, course.peer)),
        )
        return (question if self._hint is None else self._with_news(question, self._hint)).encode()

    def _with_news(self, question: SummaryQuestion, hint: Hint) -> SummaryQuestion:
        """Add what came here since the last visit, and the token that asks for what came there."""
        course = self._course
        shown = said.shown(course.store, course.me, course.peer).values()
        ours = {each.id for of_town in shown for each in of_town}
        newer = (
            each
            for each in course.store.witness.since(hint.arrival, course.peer)
            if each.id in ours
        )
        told = tuple(each.raw for each in newer)[: limits.CHECKPOINTS_MAX]
        question = question._replace(token=hint.token, told=told)
        room = room_beside(question.encode())
        raws = news(course.store, course.view, hint.arrival, room, self._towns)
        origins = [parse(raw).origin for raw in raws]
        self._pushed = dict(zip(record_ids(raws), origins, strict=True))
        return question._replace(news=b"".join(raws))

    def take(self, body: bytes) -> list[Event]:
        answer = SummaryAnswer.decode(body)
        course = self._course
        events: list[Event] = [PeerSeen(answer.gen, answer.now_ms, answer.as_of)]
        if answer.as_of != course.view.as_of:
            self._change_day(answer.as_of)
            return events
        self._is_answered = True
        course.token = answer.token
        course.keysets_differ = [town for town in answer.keysets if town in self._towns]
        course.sets_differ = list(self._differing(answer))
        if answer.introductions is not None:
            digest = introductions_digest(answer.introductions)
            events.append(Introduced(answer.introductions, digest))
        events += course.sets_differ
        events += self._take_checkpoints(answer)
        events += self._take_news(answer)
        return events

    def _take_checkpoints(self, answer: SummaryAnswer) -> Iterable[Event]:
        """Judge the host's checkpoints, and keep in mind where ours are newer."""
        course = self._course
        held = said.shown(course.store, course.me, course.peer)
        for town, raws in answer.checkpoints:
            if town in self._towns:
                course.checkpoints += raws
                course.told += (one.raw for one in held.get(town, ()) if one.raw not in raws)
        if course.checkpoints and not course.keysets_differ:
            yield Checkpoints(course.take_checkpoints())

    def _take_news(self, answer: SummaryAnswer) -> Iterable[Event]:
        course = self._course
        if self._pushed:
            yield sent(course, self._pushed, ungrouped(answer.verdicts))
        raws, _ = whole_records(answer.news, limits.NEWS_MAX_RECORDS)
        if raws and self._hint is None:
            course.tally.unasked += len(raws)
            yield Unasked(len(raws))
        elif raws:
            self._check_scopes(raws)
            yield Received(course.receive(raws))
        if raws or self._pushed:
            course.settle()

    def _check_scopes(self, raws: Iterable[bytes]) -> None:
        ends = (self._course.me, self._course.peer)
        for town, scope in filter(None, map(set_of, raws)):
            if not may_cross(town, scope, *ends):
                raise RemoteProtocolError("not_shown", "a record for partners, from a relay")

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
                course.theirs[town, row.scope] = row
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
        told, self._course.told = tuple(self._course.told), []
        while differ and len(raws) < limits.KEYSETS_PER_REQUEST_MAX // 2:
            towns.append(differ.pop())
            raws += (each.raw for each in exchanged_keysets(self._course.store, towns[-1]))
        is_worth_it = towns or told
        return KeysetsQuestion(tuple(towns), tuple(raws), told).encode() if is_worth_it else None

    def take(self, body: bytes) -> list[Event]:
        course = self._course
        codes = tuple(admit_keyset(raw, course.store) for raw in decode_keysets(body))
        course.view = View(course.store, course.peer, course.view.as_of)
        events: list[Event] = [Keysets(codes)] if codes else []
        if course.checkpoints and not course.keysets_differ:
            events.append(Checkpoints(course.take_checkpoints()))
        return events


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
