"""The summary at the host's end: what differs, and what came since the visitor was here last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from federation import limits
from federation.errors import RemoteProtocolError
from federation.messages import (
    Difference,
    Group,
    Introduction,
    Row,
    Said,
    SummaryAnswer,
    SummaryQuestion,
    grouped,
)
from federation.port import RecordStore
from federation.record import SCOPES, parse
from federation.session import hint, said
from federation.session.events import Answer, Checkpoints, Event, Gave, Outcome, PeerSeen, Received
from federation.session.view import (
    Admit,
    View,
    exchanged_towns,
    introductions_digest,
    judged,
    keysets_digest,
    may_cross,
    record_ids,
    whole_records,
)
from federation.sets import fingerprint
from federation.stamp import as_of_day
from federation.vouching import admit_checkpoint

EMPTY: Final = fingerprint(0, 0)


@dataclass
class Summary:
    """One town's answers to summaries; `secret` makes the tokens of its hints, b"" gives none."""

    store: RecordStore
    admit: Admit
    me: bytes
    gen: int
    introductions: Callable[[bytes], Sequence[Introduction]]
    fence: Callable[[bytes, int], object]
    secret: bytes

    def answer(self, body: bytes, peer: bytes, now_ms: int) -> Answer:
        """Answer one. Raises RemoteProtocolError("bad_cbor" | "bad_message")."""
        asked = SummaryQuestion.decode(body)
        self.fence(peer, asked.gen)
        today = as_of_day(now_ms)
        events: list[Event] = [PeerSeen(asked.gen, asked.now_ms, asked.as_of)]
        if abs(asked.as_of - today) > limits.AS_OF_MAX_DAYS:
            return Answer(SummaryAnswer(today, self.gen, now_ms).encode(), events=tuple(events))
        outcomes = self._take_news(asked, peer, now_ms, events)
        view = View(self.store, peer, asked.as_of)
        towns = exchanged_towns(self.store)
        groups = [group for group in asked.groups if group.town in towns]
        differing = (self._difference(view, group, peer) for group in groups)
        answer = SummaryAnswer(
            asked.as_of,
            self.gen,
            now_ms,
            tuple(each for each in differing if each.rows),
            tuple(g.town for g in groups if keysets_digest(self.store, g.town) != g.keysets),
            self._untold(asked, peer),
            self._said(asked, towns, peer),
            self._token(peer, now_ms),
            verdicts=grouped((each.id, each.code) for each in outcomes),
        )
        told = {group.town for group in groups} - set(answer.keysets)
        answer, given = self._with_news(answer, asked, view, told)
        if given:
            events.append(Gave(given))
        return Answer(answer.encode(), events=tuple(events))

    # ── the visitor's news ──

    def _take_news(
        self, asked: SummaryQuestion, peer: bytes, now_ms: int, events: list[Event]
    ) -> tuple[Outcome, ...]:
        if asked.told:
            told = (admit_checkpoint(raw, self.store, now_ms, peer) for raw in asked.told)
            events.append(Checkpoints(tuple(told)))
        raws, _ = whole_records(asked.news, limits.NEWS_MAX_RECORDS)
        welcome = [raw for raw in raws if self._is_welcome(raw, peer)]
        if not welcome:
            return ()
        outcomes = judged(welcome, self.admit(welcome, peer, now_ms))
        events.append(Received(outcomes))
        return outcomes

    def _is_welcome(self, raw: bytes, peer: bytes) -> bool:
        """A visitor does not know whom its host accepts; what cannot be read is judged as ever."""
        try:
            record = parse(raw)
        except RemoteProtocolError:
            return True
        is_accepted = self.store.is_accepted(record.origin)
        return is_accepted and may_cross(record.origin, record.scope, self.me, peer)

    # ── ours ──

    def _with_news(
        self, answer: SummaryAnswer, asked: SummaryQuestion, view: View, towns: set[bytes]
    ) -> tuple[SummaryAnswer, tuple[bytes, ...]]:
        """Add what came since, of the towns the visitor accepts under the same keysets."""
        since = hint.read(self.secret, view.peer, self.gen, asked.token)
        if since is None:
            return answer, ()
        room = hint.room_beside(answer.encode())
        news = hint.news(self.store, view, since, room, towns)
        return answer._replace(news=b"".join(news)), record_ids(news)

    def _token(self, peer: bytes, now_ms: int) -> bytes:
        if not self.secret:
            return b""
        return hint.issue(self.secret, peer, self.gen, self.store.arrivals(), now_ms)

    def _said(self, asked: SummaryQuestion, towns: set[bytes], peer: bytes) -> tuple[Said, ...]:
        """Our checkpoints of the towns where they differ, some other time those too many now."""
        held = said.shown(self.store, self.me, peer)
        differing = (
            Said(group.town, tuple(each.raw for each in held.get(group.town, ())))
            for number, group in enumerate(asked.groups)
            if group.town in towns
            and said.digest(held.get(group.town, ())) != asked.digest_of(number)
        )
        return tuple(differing)[: limits.CHECKPOINTS_MAX // len(SCOPES)]

    def _untold(self, asked: SummaryQuestion, peer: bytes) -> tuple[Introduction, ...] | None:
        """The introductions to a peer, each with the two keysets that prove the town; None if it
        knows them.
        """
        told = tuple(
            each._replace(keysets=tuple(dict.fromkeys(each.keysets[:1] + each.keysets[-1:])))
            for each in self.introductions(peer)[: limits.INTRODUCTIONS_MAX]
        )
        return None if introductions_digest(told) == asked.introductions else told

    def _difference(self, view: View, group: Group, peer: bytes) -> Difference:
        """Our rows of one town, as far as they differ from the peer's and may cross to it."""
        theirs = {row.scope: row for row in group.rows}
        rows = []
        for scope in SCOPES:
            empty = Row(scope, 0, EMPTY)
            ours = view.rows.get((group.town, scope), empty)
            differs = ours != theirs.get(scope, empty)
            if differs and may_cross(group.town, scope, self.me, peer):
                rows.append(ours)
        return Difference(group.town, tuple(rows))
