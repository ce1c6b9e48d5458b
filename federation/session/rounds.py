"""The rounds of a visit: several sets reconciled at once in messages of one frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from federation.errors import RemoteProtocolError
from federation.limits import FRAME_MAX_BYTES, IDLE_ROUNDS_MAX, SETS_PER_REQUEST_MAX
from federation.messages import Row, SetMessage
from federation.ranges import FRAME_MIN_BYTES, Negentropy
from federation.session.view import View
from federation.sets import Sealed

SET_OVERHEAD_BYTES: Final = 48  # town, scope and the heads of the CBOR around one message
_BUDGET_BYTES: Final = FRAME_MAX_BYTES - SETS_PER_REQUEST_MAX * SET_OVERHEAD_BYTES - 64

SetName = tuple[bytes, int]  # (origin, scope)


class Share:
    """The part of one frame that one message may use, and what it did use."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0


def shares(count: int) -> Iterator[Share]:
    """Deal one frame to `count` messages: each may use what is left, less the others' minimum."""
    left = _BUDGET_BYTES
    for others in range(count - 1, -1, -1):
        share = Share(left - others * FRAME_MIN_BYTES)
        yield share
        left -= share.used_bytes


@dataclass
class _Open:
    """A set under way at the visitor's end."""

    end: Negentropy
    message: bytes
    idle_rounds: int = 0


class Found(NamedTuple):
    """The ids that one answer told of one set."""

    town: bytes
    have: Sequence[bytes]
    need: Sequence[bytes]


class OpenSets:
    """The sets a visitor reconciles, at most SETS_PER_REQUEST_MAX of them at a time."""

    def __init__(self) -> None:
        self._waiting: deque[SetName] = deque()
        self._open: dict[SetName, _Open] = {}
        self.stalled: list[SetName] = []  # left alone: rounds went by and told nothing

    def add(self, names: Iterable[SetName]) -> None:
        """Put sets in line."""
        self._waiting.extend(names)

    def ask(self, view: View) -> tuple[SetMessage, ...]:
        """The messages of the next round; empty when all sets are done."""
        while self._waiting and len(self._open) < SETS_PER_REQUEST_MAX:
            name = self._waiting.popleft()
            end = Negentropy(view.items(*name))
            self._open[name] = _Open(end, end.initiate())
        return tuple(SetMessage(*name, each.message) for name, each in self._open.items())

    def take(self, answers: Sequence[bytes]) -> list[Found]:
        """Take the answers to the last round, in its order. Raises RemoteProtocolError."""
        under_way = list(self._open.items())
        found = []
        for (name, each), answer, share in zip(
            under_way, answers, shares(len(under_way)), strict=True
        ):
            each.end.frame_limit_bytes = share.limit_bytes
            message, have, need = each.end.reconcile(answer)
            each.idle_rounds = 0 if have or need else each.idle_rounds + 1
            share.used_bytes = len(message or b"")
            self._go_on(name, each, message)
            found.append(Found(name[0], have, need))
        return found

    def _go_on(self, name: SetName, each: _Open, message: bytes | None) -> None:
        if message is None:
            del self._open[name]
        elif each.idle_rounds > IDLE_ROUNDS_MAX:
            del self._open[name]
            self.stalled.append(name)
        else:
            each.message = message


class Shelf:
    """The sets a host put in order last, found again by what they hold: rounds come in a row."""

    def __init__(self, most: int = 4) -> None:
        """Keep at most that many sets: 4 MB each at 20,000 records."""
        self._most = most
        self._kept: dict[tuple[SetName, int, Row], Sealed] = {}

    def sealed(self, view: View, name: SetName) -> Sealed:
        """The set as the view shows it."""
        row = view.rows.get(name)
        if row is None:
            return Sealed(())
        key = (name, view.as_of, row)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = Sealed(view.items(*name))
            for old in list(self._kept)[: -self._most]:
                self._kept.pop(old, None)
        return found


def answer_round(view: View, sets: Sequence[SetMessage], shelf: Shelf) -> list[bytes]:
    """The host's end of one round: an answer for each set, together one frame.

    Raises RemoteProtocolError("bad_range" | "bad_message").
    """
    names = {(each.town, each.scope) for each in sets}
    if len(names) != len(sets):
        raise RemoteProtocolError("bad_message", "a set is there twice")
    answers = []
    for each, share in zip(sets, shares(len(sets)), strict=True):
        end = Negentropy(shelf.sealed(view, (each.town, each.scope)), share.limit_bytes)
        answers.append(end.respond(each.message))
        share.used_bytes = len(answers[-1])
    return answers
