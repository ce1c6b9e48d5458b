"""What is said of sets: the checkpoints that travel with a visit, whoever first carried them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from federation.checkpoint import Checkpoint, make_runs
from federation.messages import DIGEST_BYTES
from federation.port import RecordStore
from federation.session.view import exchanged_towns, may_cross


def shown(store: RecordStore, me: bytes, peer: bytes) -> dict[bytes, list[Checkpoint]]:
    """The newest checkpoints that may cross between two towns, by their origin."""
    towns = exchanged_towns(store)
    found: dict[bytes, list[Checkpoint]] = {}
    for each in store.witness.checkpoints():
        if each.origin in towns and may_cross(*each.name, me, peer):
            found.setdefault(each.origin, []).append(each)
    return found


def digest(checkpoints: Sequence[Checkpoint]) -> bytes:
    """Eight bytes that tell whether two ends hold the same checkpoints of a town; 0 for none."""
    if not checkpoints:
        return bytes(DIGEST_BYTES)
    ids = b"".join(each.id for each in sorted(checkpoints, key=lambda each: each.scope))
    return hashlib.sha256(ids).digest()[:DIGEST_BYTES]


def digests(towns: Iterable[bytes], held: dict[bytes, list[Checkpoint]]) -> bytes:
    """The digests of several towns, one after the other; empty if nothing is held of any."""
    joined = b"".join(digest(held.get(town, ())) for town in towns)
    return joined if any(joined) else b""


def run_list(store: RecordStore, me: bytes, peer: bytes, wanted: bytes) -> bytes:
    """The run list with that hash, made again if need be; empty where it is not to be had."""
    for each in (one for said in shown(store, me, peer).values() for one in said):
        if each.runs == wanted:
            held = store.witness.runs(wanted)
            return held or _made_again(store, each)
    return b""


def _made_again(store: RecordStore, checkpoint: Checkpoint) -> bytes:
    runs = make_runs(store.covered(checkpoint))
    if runs.id != checkpoint.runs:
        return b""
    store.witness.keep_runs(runs.raw)
    return runs.raw
