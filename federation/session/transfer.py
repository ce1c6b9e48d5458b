"""The last steps of a visit: the records themselves, first the missing ones here, then there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from federation import limits
from federation.messages import decode_verdicts, encode_ids
from federation.session.course import Course
from federation.session.events import Event, Outcome, Received, Sent, Unasked, Undelivered
from federation.session.pages import hopeless

UNANSWERED: Final = "unanswered"  # a pushed record on which the host gave no verdict


class FetchStep:
    """The records missing here, page by page; each page is judged before the next is asked for."""

    path = limits.FETCH
    content_type = limits.CBOR

    def __init__(self, course: Course) -> None:
        self._course = course

    def ask(self) -> bytes | None:
        ids = self._course.wanted.ask()
        return encode_ids(ids) if ids else None

    def take(self, body: bytes) -> list[Event]:
        course = self._course
        page = course.wanted.receive(body)
        events: list[Event] = []
        if page.raws:
            events.append(Received(course.receive(page.raws)))
        if page.unasked:
            course.tally.unasked += page.unasked
            events.append(Unasked(page.unasked))
        if page.undelivered:
            self._miss(page.undelivered)
            events.append(Undelivered(page.undelivered))
        if page.is_torn:
            course.note("bad_cbor")
        return events

    def _miss(self, ids: tuple[bytes, ...]) -> None:
        """A few may have been replaced since they were listed; a thousand never were there."""
        course = self._course
        course.tally.undelivered += len(ids)
        if course.tally.undelivered >= limits.UNDELIVERED_MAX_IDS:
            course.end("undelivered")


class PushStep:
    """The records missing there, page by page, tombstones first."""

    path = limits.PUSH
    content_type = limits.CBOR_SEQUENCE

    def __init__(self, course: Course) -> None:
        self._course = course
        self._is_sorted = False
        self._sent: dict[bytes, bytes] = {}

    def ask(self) -> bytes | None:
        if not self._is_sorted:
            self._course.offered.sort()
            self._is_sorted = True
        body, self._sent = self._course.offered.ask()
        return body or None

    def take(self, body: bytes) -> list[Event]:
        return [sent(self._course, self._sent, decode_verdicts(body))]


def sent(course: Course, ids: Mapping[bytes, bytes], verdicts: Mapping[bytes, str]) -> Event:
    """What became of the records {id: town} that went."""
    outcomes = tuple(Outcome(one, verdicts.get(one, UNANSWERED), ids[one]) for one in ids)
    course.tally.sent.update(each.code for each in outcomes)
    course.offered.leave(hopeless(outcomes))
    return Sent(outcomes)
