"""The host: the side that answers. It keeps nothing between two requests (SPEC.md section 7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from federation import limits
from federation.admission import admit_keyset
from federation.errors import RemoteProtocolError
from federation.messages import (
    Difference,
    Group,
    Introduction,
    KeysetsQuestion,
    ReconcileQuestion,
    Row,
    SummaryAnswer,
    SummaryQuestion,
    decode_ids,
    encode_error,
    encode_keysets,
    encode_round,
    encode_verdicts,
)
from federation.record import SCOPES
from federation.session.events import Event, Keysets, PeerSeen, Received
from federation.session.pages import fitting
from federation.session.rounds import answer_round
from federation.session.transfer import BAD_SIGNATURE
from federation.session.view import (
    Admit,
    View,
    exchanged_keysets,
    exchanged_towns,
    introductions_digest,
    judged,
    keysets_digest,
    may_cross,
    whole_records,
)
from federation.sets import fingerprint
from federation.stamp import as_of_day
from federation.store import RecordStore

EMPTY: Final = fingerprint(0, 0)
_BLOB: Final = re.compile(re.escape(limits.BLOB) + "([0-9a-f]{64})")
_NOT_FOUND, _TOO_LARGE, _TOO_MANY = 404, 413, 429


class Answer(NamedTuple):
    """What to send back, and what the node may want to know of it."""

    body: bytes
    content_type: str = limits.CBOR
    events: tuple[Event, ...] = ()
    status: int = 200


def _nobody(peer: bytes) -> Sequence[Introduction]:
    return ()


def _no_fence(peer: bytes, gen: int) -> None:
    return None


def _nothing(digest: bytes, peer: bytes) -> bytes | None:
    return None


class Host:
    """One town's answers to its authenticated peers.

    What a peer is shown follows from who it is; the sets, towns and ids it names only narrow that.
    """

    def __init__(
        self,
        store: RecordStore,
        admit: Admit,
        me: bytes,
        *,
        gen: int = 0,
        introductions: Callable[[bytes], Sequence[Introduction]] = _nobody,
        blob: Callable[[bytes, bytes], bytes | None] = _nothing,
        fence: Callable[[bytes, int], object] = _no_fence,
    ) -> None:
        """`introductions(peer)` are the towns told to a peer, `blob(digest, peer)` a photo.

        `fence(peer, gen)` is told a peer's last restore before anything is answered (SPEC 13.4).
        """
        self._fence = fence
        self._store, self._admit, self._me, self.gen = store, admit, me, gen
        self._introductions, self._blob = introductions, blob
        self._answers: dict[str, Callable[[bytes, bytes, int], Answer]] = {
            limits.SUMMARY: self._summary,
            limits.KEYSETS: self._keysets,
            limits.RECONCILE: self._reconcile,
            limits.FETCH: self._fetch,
            limits.PUSH: self._push,
        }

    def answer(self, path: str, body: bytes, peer: bytes, now_ms: int) -> Answer:
        """Answer a request of `peer`, whose signature was verified. Raises RemoteProtocolError."""
        if len(body) > limits.FRAME_MAX_BYTES:
            raise RemoteProtocolError("too_large", f"{len(body)} bytes", _TOO_LARGE)
        if found := _BLOB.fullmatch(path):
            return self._photo(bytes.fromhex(found[1]), peer)
        answer = self._answers.get(path)
        if answer is None:
            raise RemoteProtocolError("not_found", path, _NOT_FOUND)
        return answer(body, peer, now_ms)

    # ── summary ──

    def _summary(self, body: bytes, peer: bytes, now_ms: int) -> Answer:
        asked = SummaryQuestion.decode(body)
        self._fence(peer, asked.gen)
        today = as_of_day(now_ms)
        seen = (PeerSeen(asked.gen, asked.now_ms, asked.as_of),)
        if abs(asked.as_of - today) > limits.AS_OF_MAX_DAYS:
            return Answer(SummaryAnswer(today, self.gen, now_ms).encode(), events=seen)
        view = View(self._store, peer, asked.as_of)
        towns = exchanged_towns(self._store)
        groups = [group for group in asked.groups if group.town in towns]
        differing = (self._difference(view, group, peer) for group in groups)
        introductions = self._told(peer)
        is_told = introductions_digest(introductions) == asked.introductions
        answer = SummaryAnswer(
            asked.as_of,
            self.gen,
            now_ms,
            tuple(each for each in differing if each.rows),
            tuple(g.town for g in groups if keysets_digest(self._store, g.town) != g.keysets),
            None if is_told else introductions,
        )
        return Answer(answer.encode(), events=seen)

    def _told(self, peer: bytes) -> tuple[Introduction, ...]:
        """The introductions to a peer, each with the two keysets that prove the town."""
        return tuple(
            each._replace(keysets=tuple(dict.fromkeys(each.keysets[:1] + each.keysets[-1:])))
            for each in self._introductions(peer)[: limits.INTRODUCTIONS_MAX]
        )

    def _difference(self, view: View, group: Group, peer: bytes) -> Difference:
        """Our rows of one town, as far as they differ from the peer's and may cross to it."""
        theirs = {row.scope: row for row in group.rows}
        rows = []
        for scope in SCOPES:
            empty = Row(scope, 0, EMPTY)
            ours = view.rows.get((group.town, scope), empty)
            differs = ours != theirs.get(scope, empty)
            if differs and may_cross(group.town, scope, self._me, peer):
                rows.append(ours)
        return Difference(group.town, tuple(rows))

    # ── the rest ──

    def _keysets(self, body: bytes, peer: bytes, now_ms: int) -> Answer:
        asked = KeysetsQuestion.decode(body)
        codes = tuple(admit_keyset(raw, self._store) for raw in asked.keysets)
        towns = [town for town in asked.towns if self._store.is_accepted(town)]
        held = [each.raw for town in towns for each in exchanged_keysets(self._store, town)]
        told = set(asked.keysets)
        missing = [raw for raw in held if raw not in told]
        answer = encode_keysets(missing[: limits.KEYSETS_PER_REQUEST_MAX])
        return Answer(answer, events=(Keysets(codes),))

    def _reconcile(self, body: bytes, peer: bytes, now_ms: int) -> Answer:
        asked = ReconcileQuestion.decode(body)
        if abs(asked.as_of - as_of_day(now_ms)) > limits.AS_OF_MAX_DAYS:
            raise RemoteProtocolError("bad_as_of")
        view = View(self._store, peer, asked.as_of)
        return Answer(encode_round(answer_round(view, asked.sets)))

    def _fetch(self, body: bytes, peer: bytes, now_ms: int) -> Answer:
        ids = dict.fromkeys(decode_ids(body))
        held = self._store.raws(ids, peer)
        page = fitting([held[one] for one in ids if one in held])
        return Answer(b"".join(page), limits.CBOR_SEQUENCE)

    def _push(self, body: bytes, peer: bytes, now_ms: int) -> Answer:
        """Judge what was pushed; what follows a torn record or a full page gets no verdict."""
        raws, _ = whole_records(body, limits.PUSH_MAX_RECORDS)
        outcomes = judged(raws, self._admit(raws, peer, now_ms)) if raws else ()
        events = (Received(outcomes),)
        bad = sum(each.code == BAD_SIGNATURE for each in outcomes)
        if bad >= limits.BAD_SIGNATURES_MAX:
            refusal = encode_error("too_many_bad_signatures", f"{bad}")
            return Answer(refusal, events=events, status=_TOO_MANY)
        return Answer(encode_verdicts([(each.id, each.code) for each in outcomes]), events=events)

    def _photo(self, digest: bytes, peer: bytes) -> Answer:
        photo = self._blob(digest, peer)
        if photo is None or len(photo) > limits.PHOTO_MAX_BYTES:
            raise RemoteProtocolError("not_found", "no such photo", _NOT_FOUND)
        return Answer(photo, limits.OCTETS)
