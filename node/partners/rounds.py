"""The rounds: several partners are visited at once, so that a slow one keeps no other waiting.

A visit that takes long goes on by itself; its thread ends with the process, as in a power cut.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import copy_context

log = logging.getLogger(__name__)

AT_ONCE = 4
PATIENCE_S = 5.0


class Rounds:
    """Goes to towns with `visit(town)`, each once at a time, AT_ONCE of them at once.

    `leave()` is called at the end of each thread, to let go of what it held.
    """

    def __init__(
        self, visit: Callable[[bytes], object], leave: Callable[[], object] = lambda: None
    ) -> None:
        self._visit, self._leave = visit, leave
        self._waiting: deque[bytes] = deque()
        self._under_way: set[bytes] = set()  # waiting ones included
        self._threads = 0
        self._calm = threading.Condition()

    def go(self, towns: Iterable[bytes]) -> int:
        """Visit those of `towns` that are not being visited; return how many were begun or queued.

        Waits for them, but no longer than PATIENCE_S.
        """
        with self._calm:
            new = [town for town in towns if town not in self._under_way]
            self._under_way.update(new)
            self._waiting.extend(new)
            more = min(len(self._waiting), AT_ONCE - self._threads)
            self._threads += more
        for _ in range(more):  # each in the context of the caller: the same town's database
            work = copy_context().run
            threading.Thread(target=work, args=(self._work,), name="visit", daemon=True).start()
        with self._calm:
            self._calm.wait_for(lambda: self._under_way.isdisjoint(new), PATIENCE_S)
        return len(new)

    def wait(self, seconds: float) -> bool:
        """Wait until no visit is under way; return whether that was so in time."""
        with self._calm:
            return self._calm.wait_for(lambda: not self._under_way, seconds)

    def _work(self) -> None:
        try:
            while (town := self._next()) is not None:
                try:
                    self._visit(town)
                except Exception:  # a fault of ours at one of them is no reason to leave out others
                    log.exception("the visit to %s broke", town.hex())
                finally:
                    self._done(town)
        finally:
            self._leave()

    def _next(self) -> bytes | None:
        with self._calm:
            if not self._waiting:
                self._threads -= 1
                return None
            return self._waiting.popleft()

    def _done(self, town: bytes) -> None:
        with self._calm:
            self._under_way.discard(town)
            self._calm.notify_all()
