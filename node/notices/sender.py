"""The sender: takes what is due, has it written from the state of now, and hands it over."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from node.domain.clock import Clock
from node.notices.letters import Letter
from node.notices.post import Post, PostError
from node.store import notices, rates
from node.store.notices import Notice

log = logging.getLogger(__name__)

HOUR_MS = 3_600_000
BATCH = 50

# Looks again at what a notice is about; returns its letter, None when there is nothing left to say.
Writer = Callable[[Notice], Letter | None]


class Sender:
    """Sends the notices of one town; every call expects its database to be current."""

    def __init__(
        self, post: Post, writers: Mapping[str, Writer], clock: Clock, mails_per_hour: int = 200
    ) -> None:
        self.post = post
        self.writers = writers
        self.clock = clock
        self.mails_per_hour = mails_per_hour

    def is_due(self) -> bool:
        """Return whether there is anything to send; reads only."""
        return bool(notices.due(self.clock.now_ms(), 1))

    def send_due(self, limit: int = BATCH) -> int:
        """Send what is due; return how many letters left.

        A letter that cannot leave is tried again later, with growing patience. A power cut
        between handing over and noting it sends that one letter twice, never none.
        """
        todo = deque(notices.due(self.clock.now_ms(), limit))
        sent = 0
        try:
            with self.post.open() if todo else nullcontext() as counter:
                while todo and self._may_send():
                    sent += self._send_one(todo[0], counter)
                    todo.popleft()
        except PostError as error:
            log.warning("no mail can be sent: %s", error)
            for each in todo:
                self._failed(each, error)
        return sent

    def _may_send(self) -> bool:
        return rates.allow("mails", self.mails_per_hour, HOUR_MS, self.clock.now_ms())

    def _send_one(self, notice: Notice, counter: Any) -> int:
        """Return 1 when a letter left, 0 when not; raises PostError when none can."""
        try:
            letter = self._written(notice)
            if letter is not None:
                counter.hand_in(letter, self.clock.now_ms())
        except PostError as error:
            if error.is_down:
                raise
            self._failed(notice, error)
        except Exception as error:  # one letter that cannot be written holds up no other
            log.exception("notice %s (%s) could not be written", notice.id, notice.kind)
            self._failed(notice, error)
        else:
            notices.sent(notice, self.clock.now_ms())
            return 0 if letter is None else 1
        return 0

    def _written(self, notice: Notice) -> Letter | None:
        writer: Any = self.writers.get(notice.kind)
        if writer is None:
            raise LookupError(f"nobody writes notices of kind {notice.kind}")
        return writer(notice)  # type: ignore[no-any-return]

    def _failed(self, notice: Notice, error: Exception) -> None:
        notices.failed(notice, f"{type(error).__name__}: {error}", self.clock.now_ms())
