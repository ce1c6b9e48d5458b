"""The host: the side that answers. It keeps nothing between two requests (SPEC.md section 7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from federation import limits
from federation.admission import admit_keyset
from federation.errors import RemoteProtocolError
from federation.messages import (
    Introduction,
    KeysetsQuestion,
    ReconcileQuestion,
    decode_ids,
    encode_error,
    encode_keysets,
    encode_round,
    encode_verdicts,
)
from federation.port import RecordStore
from federation.session import stretches
from federation.session.course import BAD_SIGNATURE
from federation.session.events import Answer, Checkpoints, Gave, Keysets, Received
from federation.session.pages import fitting, tombstones_first
from federation.session.rounds import Shelf, answer_round
from federation.session.said import run_list
from federation.session.summary import Summary
from federation.session.view import (
    Admit,
    View,
    exchanged_keysets,
    judged,
    record_ids,
    whole_records,
)
from federation.stamp import as_of_day
from federation.stretch import RangeQuestion
from federation.vouching import admit_checkpoint

_BLOB: Final = re.compile(re.escape(limits.BLOB) + "([0-9a-f]{64})")
_RUNS: Final = re.compile(re.escape(limits.RUNS) + "([0-9a-f]{64})")
_NOT_FOUND, _TOO_LARGE, _TOO_MANY = 404, 413, 429


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
        secret: bytes = b"",
        shelf: Shelf | None = None,
    ) -> None:
        """`introductions(peer)` are the towns told to a peer, `blob(digest, peer)` a photo.

        `fence(peer, gen)` is told a peer's last restore before anything is answered (SPEC 13.4).
        `secret` makes the tokens of hints, and should change with a restore; b"" gives none.
        `shelf` may outlive this host, so that the rounds of a visit find their sets in order.
        """
        self._store, self._admit, self._me, self.gen = store, admit, me, gen
        self._blob, self._shelf = blob, shelf or Shelf()
        summary = Summary(store, admit, me, gen, introductions, fence, secret)
        self._answers: dict[str, Callable[[bytes, bytes, int], Answer]] = {
            limits.SUMMARY: summary.answer,
            limits.KEYSETS: self._keysets,
            limits.RECONCILE: self._reconcile,
            limits.FETCH: self._fetch,
            limits.RANGE: self._range,
            limits.PUSH: self._push,
        }

    def answer(self, path: str, body: bytes, peer: bytes, now_ms: int) -> Answer:
        """Answer a request of `peer`, whose signature was verified. Raises RemoteProtocolError."""
        if len(body) > limits.FRAME_MAX_BYTES:
            raise RemoteProtocolError("too_large", f"{len(body)} bytes", _TOO_LARGE)
        if found := _BLOB.fullmatch(path):
            return self._photo(bytes.fromhex(found[1]), peer)
        if found := _RUNS.fullmatch(path):
            return Answer(run_list(self._store, self._me, peer, bytes.fromhex(found[1])))
        answer = self._answers.get(path)
        if answer is None:
            raise RemoteProtocolError("not_found", path, _NOT_FOUND)
        return answer(body, peer, now_ms)

    def _keysets(self, body: bytes, peer: bytes, now_ms: int) -> Answer:
        asked = KeysetsQuestion.decode(body)
        codes = tuple(admit_keyset(raw, self._store) for raw in asked.keysets)
        towns = [town for town in asked.towns if self._store.is_accepted(town)]
        held = [each.raw for town in towns for each in exchanged_keysets(self._store, town)]
        told = set(asked.keysets)
        missing = [raw for raw in held if raw not in told]
        answer = encode_keysets(missing[: limits.KEYSETS_PER_REQUEST_MAX])
        said = tuple(admit_checkpoint(raw, self._store, now_ms, peer) for raw in asked.checkpoints)
        return Answer(answer, events=(Keysets(codes), Checkpoints(said)))

    def _reconcile(self, body: bytes, peer: bytes, now_ms: int) -> Answer:
        asked = ReconcileQuestion.decode(body)
        view = self._view(peer, asked.as_of, now_ms)
        return Answer(encode_round(answer_round(view, asked.sets, self._shelf)))

    def _range(self, body: bytes, peer: bytes, now_ms: int) -> Answer:
        asked = RangeQuestion.decode(body)
        view = self._view(peer, asked.as_of, now_ms)
        found, ids = stretches.page(view, self._store, asked, self._shelf)
        return Answer(found.encode(), events=(Gave(tuple(ids)),))

    def _view(self, peer: bytes, as_of: int, now_ms: int) -> View:
        if abs(as_of - as_of_day(now_ms)) > limits.AS_OF_MAX_DAYS:
            raise RemoteProtocolError("bad_as_of")
        return View(self._store, peer, as_of)

    def _fetch(self, body: bytes, peer: bytes, now_ms: int) -> Answer:
        """Bring what was asked for, tombstones first: if the rest is cut off, erasures arrived."""
        ids = dict.fromkeys(decode_ids(body))
        held = self._store.raws(ids, peer)
        page = fitting(tombstones_first([held[one] for one in ids if one in held]))
        return Answer(b"".join(page), limits.CBOR_SEQUENCE, (Gave(record_ids(page)),))

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
