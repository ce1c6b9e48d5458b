"""A checkpoint: an origin's signed word on one whole set, and the runs its signature covers.

It names the set by the hash of its run list, in which every run is the hash of up to 256 ids in
set order. So one signature vouches for thousands of records, and whoever withholds one is seen.
Checkpoints stand outside the sets; a fingerprint proves nothing here (SPEC.md section 7.4).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from federation import codec, keys
from federation.errors import LocalProtocolError, RemoteProtocolError
from federation.keys import SigningKey
from federation.keyset import Keyset
from federation.record import SCOPES, UNIX_S_MAX, Record
from federation.sets import (
    FINGERPRINT_BYTES,
    ID_BYTES,
    SECONDS_LIMIT,
    Bound,
    Item,
    Sealed,
)
from federation.stamp import (
    DAY_MS,
    MAX_FUTURE_MS,
    as_of_day,
    is_stamp,
    stamp_ms,
    stamp_seconds,
)

TYPE: Final = "lavoir-checkpoint/1"
CHECKPOINT_MAX_BYTES: Final = 1_024
RUN_MAX_IDS: Final = 256
RUN_LIST_MAX_BYTES: Final = 64 * 1024
VOUCH_MAX_DAYS: Final = 7  # an older checkpoint still counts, and vouches for nothing
COUNT_MAX: Final = 2**32
_SIZE_LIMIT: Final = 2**53
_RUN_DOMAIN: Final = b"lavoir-run/1"
_FIELDS: Final = (  # in the order of their numbers, from 1 on: type, exact length in bytes or None
    ("origin", bytes, 32),
    ("keyset", int, None),
    ("scope", int, None),
    ("stamp", int, None),
    ("as_of", int, None),
    ("records", int, None),
    ("fingerprint", bytes, FINGERPRINT_BYTES),
    ("runs", bytes, ID_BYTES),
    ("run_count", int, None),
    ("size_bytes", int, None),
)


class Checkpoint(NamedTuple):
    """A checkpoint whose form was checked; its signature was not (`verify` does)."""

    raw: bytes
    id: bytes  # SHA-256 of its bytes
    origin: bytes
    keyset: int
    scope: int
    stamp: int  # as a record's
    as_of: int  # the UTC day of the set it speaks of
    records: int
    fingerprint: bytes  # 16 bytes, Negentropy V1
    runs: bytes  # SHA-256 of the run list
    run_count: int
    size_bytes: int  # of all records of the set
    signature: bytes

    @property
    def name(self) -> tuple[bytes, int]:
        """(origin, scope): the set it speaks of."""
        return self.origin, self.scope

    @property
    def rank(self) -> tuple[int, int]:
        """What makes one checkpoint of a set newer than another: its keyset, then its stamp.

        A stolen key may have stamped ahead of the truth; the keyset after it must win at once.
        """
        return self.keyset, self.stamp


class Run(NamedTuple):
    """Up to 256 ids that follow each other: where they end (exclusive), and their hash."""

    seconds: int
    prefix: bytes
    digest: bytes

    @property
    def bound(self) -> Bound:
        """The exclusive upper bound of the run."""
        return Bound(self.seconds, self.prefix)


class RunList(NamedTuple):
    """The runs of one set, as the bytes they travel in."""

    raw: bytes
    runs: tuple[Run, ...]

    @property
    def id(self) -> bytes:
        """The SHA-256 by which it is asked for."""
        return hashlib.sha256(self.raw).digest()


class Place(NamedTuple):
    """Where one run lies in its set, and how many ids its origin says it has."""

    lower: Bound
    upper: Bound
    size: int
    digest: bytes


class Vouch(NamedTuple):
    """What one checkpoint lets in without a signature of its own: ids of intact runs."""

    checkpoint: Checkpoint
    ids: frozenset[bytes]
    but: frozenset[str] = frozenset()  # kinds that are verified all the same

    def covers(self, record: Record) -> bool:
        """Whether the origin of that very record has vouched for it: nobody vouches for another."""
        said = self.checkpoint
        return (
            record.id in self.ids
            and (record.origin, record.scope) == said.name
            and record.keyset == said.keyset
            and record.stamp < said.stamp
            and record.kind not in self.but
        )


# ── making ───────────────────────────────────────────────────────────────────────────────────────


def make_runs(items: Iterable[Item]) -> RunList:
    """Cut a set into runs of 256 ids. Raises LocalProtocolError("bad_range") as `Sealed`."""
    held = Sealed(items)
    runs = []
    for start in range(0, len(held), RUN_MAX_IDS):
        end = min(start + RUN_MAX_IDS, len(held))
        bound = Bound(held.items[-1][0] + 1) if end == len(held) else held.boundary(end)
        runs.append(Run(*bound, run_digest(held.ids(start, end))))
    return RunList(codec.dumps([list(run) for run in runs]), tuple(runs))


def run_digest(ids: Iterable[bytes]) -> bytes:
    """The hash of the ids of one run, in set order."""
    return hashlib.sha256(_RUN_DOMAIN + b"".join(ids)).digest()


def sign_checkpoint(
    signing_key: SigningKey,
    items: Sequence[Item],
    *,
    origin: bytes,
    keyset: int,
    scope: int,
    stamp: int,
    as_of: int,
    size_bytes: int,
) -> tuple[Checkpoint, RunList]:
    """Sign what a set holds on the UTC day `as_of`.

    Raises LocalProtocolError with the code its reader would give.
    """
    runs = make_runs(items)
    total = Sealed(items).fingerprint(0, len(items))
    said = (origin, keyset, scope, stamp, as_of, len(items), total)
    payload = codec.dumps(dict(enumerate((TYPE, *said, runs.id, len(runs.runs), size_bytes))))
    raw = codec.sign1_join(payload, signing_key.sign(codec.sign1_message(payload)))
    try:
        made = parse_checkpoint(raw)
        parse_runs(runs.raw, made)
    except RemoteProtocolError as error:
        raise LocalProtocolError(error.code, error.detail) from error
    return made, runs


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def parse_checkpoint(raw: bytes) -> Checkpoint:
    """Read a checkpoint by its form, without checking its signature.

    Raises RemoteProtocolError: too_big, bad_cose, bad_cbor, bad_type, bad_field, bad_stamp,
    bad_scope, bad_checkpoint.
    """
    if len(raw) > CHECKPOINT_MAX_BYTES:
        raise RemoteProtocolError("too_big", f"{len(raw)} bytes")
    payload, signature = codec.sign1_split(raw)
    fields = codec.loads(payload, max_depth=1)
    if type(fields) is not dict or fields.get(0) != TYPE:
        raise RemoteProtocolError("bad_type")
    if tuple(fields) != tuple(range(len(_FIELDS) + 1)):
        raise RemoteProtocolError("bad_field", "not the eleven fields")
    for value, (name, kind, length) in zip(list(fields.values())[1:], _FIELDS, strict=True):
        if type(value) is not kind or (type(value) is bytes and len(value) != length):
            raise RemoteProtocolError("bad_field", name)
    identity = hashlib.sha256(raw).digest()
    read = Checkpoint._make((raw, identity, *list(fields.values())[1:], signature))
    _check_values(read)
    return read


def _check_values(read: Checkpoint) -> None:
    if not 0 < read.keyset < UNIX_S_MAX:
        raise RemoteProtocolError("bad_field", "keyset")
    if read.scope not in SCOPES:
        raise RemoteProtocolError("bad_scope")
    if not is_stamp(read.stamp):
        raise RemoteProtocolError("bad_stamp")
    if not 0 <= read.records <= COUNT_MAX or not 0 <= read.size_bytes <= _SIZE_LIMIT:
        raise RemoteProtocolError("bad_checkpoint", "records or bytes")
    if read.run_count != -(-read.records // RUN_MAX_IDS):
        raise RemoteProtocolError("bad_checkpoint", "runs of 256 ids")
    if abs(read.as_of - as_of_day(stamp_ms(read.stamp))) > 1:
        raise RemoteProtocolError("bad_checkpoint", "its day is not the day of its stamp")


def verify(checkpoint: Checkpoint, public: bytes) -> bool:
    """Whether the checkpoint was signed by the holder of `public` (RFC 9052 section 4.4)."""
    payload, signature = codec.sign1_split(checkpoint.raw)
    return keys.verify(public, signature, codec.sign1_message(payload))


def check_signer(checkpoint: Checkpoint, keysets: Sequence[Keyset]) -> None:
    """Believe a checkpoint only under the keyset in force, the last of `keysets` (by number).

    A replaced key has no days of grace here: one signature of it could forge thousands of records.
    Raises RemoteProtocolError: unknown_keyset, keyset_retired, bad_signature.
    """
    known = {keyset.number: keyset.signing for keyset in keysets}
    if checkpoint.keyset not in known:
        raise RemoteProtocolError("unknown_keyset")
    if checkpoint.keyset != keysets[-1].number:
        raise RemoteProtocolError("keyset_retired", "a newer keyset is in force")
    if not verify(checkpoint, known[checkpoint.keyset]):
        raise RemoteProtocolError("bad_signature")


def check_age(checkpoint: Checkpoint, now_ms: int) -> None:
    """Refuse to let a checkpoint vouch that is older than 7 days or over 24 h ahead of our clock.

    Raises RemoteProtocolError("stale_checkpoint").
    """
    at_ms = stamp_ms(checkpoint.stamp)
    if not now_ms - VOUCH_MAX_DAYS * DAY_MS < at_ms <= now_ms + MAX_FUTURE_MS:
        raise RemoteProtocolError("stale_checkpoint")


def parse_runs(raw: bytes, checkpoint: Checkpoint) -> RunList:
    """Read the run list that a checkpoint names. Raises RemoteProtocolError: too_big, bad_runs."""
    if len(raw) > RUN_LIST_MAX_BYTES:
        raise RemoteProtocolError("too_big", f"{len(raw)} bytes")
    if hashlib.sha256(raw).digest() != checkpoint.runs:
        raise RemoteProtocolError("bad_runs", "not the list that was signed")
    rows = codec.loads(raw, max_depth=2)
    if type(rows) is not list or len(rows) != checkpoint.run_count:
        raise RemoteProtocolError("bad_runs", "not the number of runs that was signed")
    runs = tuple(map(_run, rows))
    if not all(one.bound < other.bound for one, other in pairwise(runs)):
        raise RemoteProtocolError("bad_runs", "bounds do not grow")
    if runs and (runs[-1].prefix or runs[-1].seconds > stamp_seconds(checkpoint.stamp) + 1):
        raise RemoteProtocolError("bad_runs", "does not end where the checkpoint was made")
    return RunList(raw, runs)


def _run(row: Any) -> Run:
    if type(row) is not list or tuple(map(type, row)) != (int, bytes, bytes):
        raise RemoteProtocolError("bad_runs", "a run is a time, a prefix and a hash")
    seconds, prefix, digest = row
    if not 0 <= seconds <= SECONDS_LIMIT or len(prefix) > ID_BYTES or len(digest) != ID_BYTES:
        raise RemoteProtocolError("bad_runs", "a run out of bounds")
    return Run(seconds, prefix, digest)


# ── laying runs over what is known ───────────────────────────────────────────────────────────────


def lay(checkpoint: Checkpoint, runs: RunList) -> list[Place]:
    """The places of the runs of a checkpoint; every run but the last has 256 ids."""
    places, lower, left = [], Bound(0), checkpoint.records
    for run in runs.runs:
        places.append(Place(lower, run.bound, min(left, RUN_MAX_IDS), run.digest))
        lower, left = run.bound, left - RUN_MAX_IDS
    return places


def is_intact(place: Place, ids: Sequence[bytes]) -> bool:
    """Whether exactly the ids of a run are known: held, arrived, or named as gone since."""
    return len(ids) == place.size and run_digest(ids) == place.digest


def vouch(checkpoint: Checkpoint, runs: RunList, items: Iterable[Item]) -> Vouch:
    """The ids of the runs that are intact over `items`; the rest must be checked one by one."""
    known = sorted(set(items))
    whole: list[bytes] = []
    for place in lay(checkpoint, runs):
        part = known[bisect_left(known, place.lower) : bisect_left(known, place.upper)]
        ids = [one for _, one in part]
        if is_intact(place, ids):
            whole += ids
    return Vouch(checkpoint, frozenset(whole))
