"""The view: what both ends of a visit compute alike from their store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from federation import codec
from federation.admission import REFUSED, Verdict
from federation.checkpoint import Vouch
from federation.errors import RemoteProtocolError
from federation.forms import plain
from federation.keyset import Keyset
from federation.limits import KEYSETS_PER_TOWN_MAX
from federation.messages import Group, Introduction, Row
from federation.port import RecordStore
from federation.record import SCOPE_PARTNERS, SCOPES, parse
from federation.session.events import Outcome
from federation.sets import Item

# (records in the order they came, the town that brought them, now in UTC ms) -> one verdict each
Admit = Callable[[Sequence[bytes], bytes, int], Sequence[Verdict]]
# the same, of records whose origin has vouched for some of them
AdmitVouched = Callable[[Sequence[bytes], Vouch, bytes, int], Sequence[Verdict]]


class View:
    """The sets a peer may see on one day; whatever else is asked for looks empty."""

    def __init__(self, store: RecordStore, peer: bytes, as_of: int) -> None:
        self.as_of = as_of
        self.peer = peer
        self._store = store
        self.rows = {
            (row.origin, row.scope): Row(row.scope, row.count, row.fingerprint)
            for row in store.rows(peer, as_of)
        }

    def items(self, town: bytes, scope: int) -> list[Item]:
        """The items of a set, none if the peer may not see it."""
        if (town, scope) not in self.rows:
            return []
        return self._store.items(town, scope, self.as_of, self.peer)

    def groups(self, towns: Iterable[bytes]) -> tuple[Group, ...]:
        """What is held of each of `towns`, in their order."""
        return tuple(
            Group(
                town,
                keysets_digest(self._store, town),
                tuple(self.rows[town, scope] for scope in SCOPES if (town, scope) in self.rows),
            )
            for town in towns
        )


def exchanged_towns(store: RecordStore) -> set[bytes]:
    """The towns whose records may come and go: accepted, and not frozen."""
    return {town for town in store.accepted() if not store.is_frozen(town)}


def exchanged_keysets(store: RecordStore, town: bytes) -> list[Keyset]:
    """The keysets that travel: the genesis and the newest, however many a town's root may sign."""
    held = store.keysets(town)
    return held[:1] + held[1:][1 - KEYSETS_PER_TOWN_MAX :]


def keysets_digest(store: RecordStore, town: bytes) -> bytes:
    """Eight bytes that tell whether two ends would send the same keysets of a town."""
    sent = b"".join(keyset.id for keyset in exchanged_keysets(store, town))
    return hashlib.sha256(sent).digest()[:8]


def introductions_digest(introductions: Sequence[Introduction]) -> bytes:
    """Sixteen bytes that tell whether two ends mean the same introductions; empty for none."""
    if not introductions:
        return b""
    return hashlib.sha256(codec.dumps(plain(tuple(introductions)))).digest()[:16]


def may_cross(origin: bytes, scope: int, one: bytes, other: bytes) -> bool:
    """Whether a set may travel between two towns: for partners only, straight from its origin."""
    return scope != SCOPE_PARTNERS or origin in (one, other)


def judged(raws: Sequence[bytes], verdicts: Sequence[Verdict]) -> tuple[Outcome, ...]:
    """The outcomes of a batch, with the origin of those that were refused and could be read."""
    return tuple(
        Outcome(each.id, each.code, _origin(raw) if each.code.startswith(REFUSED) else None)
        for raw, each in zip(raws, verdicts, strict=True)
    )


def whole_records(body: bytes, maximum: int) -> tuple[list[bytes], bool]:
    """The first `maximum` items of a CBOR sequence, and whether there was more, whole or torn."""
    raws: list[bytes] = []
    items = codec.sequence(body)
    try:
        raws.extend(islice(items, maximum))
        return raws, next(items, None) is not None
    except RemoteProtocolError:
        return raws, True


def record_ids(raws: Iterable[bytes]) -> tuple[bytes, ...]:
    """The ids of records, from their bytes."""
    return tuple(hashlib.sha256(raw).digest() for raw in raws)


def set_of(raw: bytes) -> tuple[bytes, int] | None:
    """(origin, scope) of a record, None if it cannot be read."""
    try:
        record = parse(raw)
    except RemoteProtocolError:
        return None
    return record.origin, record.scope


def _origin(raw: bytes) -> bytes | None:
    found = set_of(raw)
    return found[0] if found else None
