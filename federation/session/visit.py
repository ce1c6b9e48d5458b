"""The visit: the side that asks. One visit brings both ends to the same sets (SPEC.md section 7).

    summary ──▶ keysets ──▶ runs ──▶ reconcile ──▶ fetch ──▶ push ──▶ done
A state that has nothing more to ask gives way to the next, so identical ends take one exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from federation import limits
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.port import RecordStore
from federation.session.course import Course, Step
from federation.session.events import Done, Event, Hinted, Request, Tally
from federation.session.hint import Hint
from federation.session.pages import Offered, Wanted
from federation.session.runs import RunsStep
from federation.session.steps import KeysetsStep, ReconcileStep, SummaryStep
from federation.session.transfer import FetchStep, PushStep
from federation.session.view import Admit, AdmitVouched, View
from federation.stamp import as_of_day


class Visit:
    """One visit to one peer: carry `next_request` there, give the answer to `receive`, repeat.

    A RemoteProtocolError from `receive` ends the visit; what was admitted before it stays.
    """

    def __init__(
        self,
        store: RecordStore,
        admit: Admit,
        me: bytes,
        peer: bytes,
        now_ms: int,
        *,
        gen: int = 0,
        introductions: bytes = b"",
        vouched: AdmitVouched | None = None,
        hint: Hint | None = None,
    ) -> None:
        """`gen` marks our last restore; `introductions` is the digest of the last `Introduced`.

        `vouched` admits what an origin's checkpoint vouches for; `hint` is of the last `Hinted`.
        """
        self._arrival = store.arrivals()
        view = View(store, peer, as_of_day(now_ms))
        wanted, offered = Wanted(store), Offered(store, peer)
        self._course = Course(store, admit, me, peer, gen, now_ms, view, wanted, offered)
        self._course.admit_vouched = vouched
        self._started_ms = now_ms
        self._steps: list[Step] = [
            SummaryStep(self._course, introductions, hint),
            KeysetsStep(self._course),
            RunsStep(self._course),
            ReconcileStep(self._course),
            FetchStep(self._course),
            PushStep(self._course),
        ]
        self._next: Request | None = None
        self._is_waiting = False

    @property
    def tally(self) -> Tally:
        """The counts so far."""
        return self._course.tally

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to ask."""
        return self._course.is_over or not self._steps

    def next_request(self, now_ms: int) -> Request | None:
        """What to ask now; None when the visit is over."""
        if self._is_waiting:
            raise LocalProtocolError("bad_message", "the last request is not answered yet")
        self._advance(now_ms)
        request, self._next = self._next, None
        self._is_waiting = request is not None
        return request

    def receive(self, body: bytes, now_ms: int) -> list[Event]:
        """Take the answer to the last request; the last event of a visit is `Done`."""
        if not self._is_waiting:
            raise LocalProtocolError("bad_message", "nothing was asked")
        self._is_waiting = False
        self.tally.bytes_down += len(body)
        self._course.now_ms = now_ms
        try:
            events = self._steps[0].take(body)
        except RemoteProtocolError as error:
            self._course.end(error.code)
            raise
        self._advance(now_ms)
        return [*events, *self._ending()] if self.is_done else events

    def _ending(self) -> Iterator[Event]:
        """A visit that left nothing undone is told how to be taken up."""
        if not self._course.code and self._course.token:
            yield Hinted(self._course.token, self._arrival)
        yield Done(self._course.code, self.tally)

    def _advance(self, now_ms: int) -> None:
        """Prepare the next request, leaving behind the states that have nothing more to ask."""
        if now_ms - self._started_ms > limits.SESSION_MAX_MS:
            self._course.end("too_many_rounds")
        while self._next is None and not self.is_done:
            step = self._steps[0]
            body = step.ask()
            if body is None:
                self._steps.pop(0)
            else:
                self._next = Request(step.path, body, step.content_type)
                self.tally.exchanges += 1
                self.tally.bytes_up += len(body)


def drive(
    visit: Visit, post: Callable[[Request], bytes], now_ms: Callable[[], int]
) -> Iterator[Event]:
    """Carry a visit to its end over `post`. Raises what `post` raises and RemoteProtocolError."""
    while (request := visit.next_request(now_ms())) is not None:
        yield from visit.receive(post(request), now_ms())
