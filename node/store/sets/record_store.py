"""The RecordStore port of the protocol, filled by the current database."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from federation.checkpoint import Checkpoint
from federation.errors import RemoteProtocolError
from federation.keyset import Keyset, check_next, compromised, retired
from federation.record import SCOPE_PARTNERS, SCOPE_PUBLIC, SCOPE_SEALED, Record, wins
from federation.sets import Item
from federation.stamp import DAY_S, day_start_s, stamp_ms
from federation.store import EXPIRED_KEPT_DAYS, Current, Register, SetRow, Usage, fingerprint
from node.store import marks
from node.store.catalogue import listings
from node.store.database import write_tx
from node.store.network import partners, towns
from node.store.sets import (
    checkpoints,
    keysets,
    memory,
    origins,
    records,
    rivals,
    sums,
    waiting,
)
from node.store.sets.checkpoints import SqlWitness
from node.store.sets.records import RecordRow


class Figures(NamedTuple):
    """What is held of one origin in one scope on a day, for `status` and the towns' pages."""

    origin: bytes
    scope: int
    live: int
    tombstones: int
    size_bytes: int
    fingerprint: bytes


class SqlRecordStore:
    """The records of the current database, as the town `own` may keep and show them.

    `carrier` is the partner whose visit this is (b"" for our own doing), `now_ms` the moment
    written into what is kept.
    """

    def __init__(self, own: bytes, *, carrier: bytes = b"", now_ms: int = 0) -> None:
        self.own = own
        self.carrier = carrier
        self.now_ms = now_ms

    def rows(self, peer: bytes | None, as_of: int) -> list[SetRow]:
        """Return the non-empty sets that authenticated `peer` may see; None: anyone."""
        visible = self._visible(peer)
        hidden = {} if peer == self.own else waiting.hidden_sums(peer, day_start_s(as_of))
        return [
            SetRow(each.origin, each.scope, each.live + each.tombstones, each.fingerprint)
            for each in figures(as_of, hidden)
            if (each.origin, each.scope) in visible and each.live + each.tombstones
        ]

    def items(self, origin: bytes, scope: int, as_of: int, peer: bytes | None = None) -> list[Item]:
        """Return [(seconds since 2020, id)] of one set as `peer` may see it, sorted."""
        dead = retired(keysets.of_town(origin), as_of)
        items = records.set_items(origin, scope, day_start_s(as_of), dead)
        hidden = self._hidden(peer)
        return [each for each in items if each[1] not in hidden] if hidden else items

    @property
    def witness(self) -> SqlWitness:
        """Return what is kept of the origins' checkpoints."""
        return SqlWitness()

    def covered(self, checkpoint: Checkpoint) -> list[Item]:
        """Return what is held of the set a checkpoint speaks of, or has left it since; sorted."""
        dead = retired(keysets.of_town(checkpoint.origin), checkpoint.as_of)
        held = records.set_items_before(checkpoint, dead)
        return sorted({*held, *checkpoints.gaps(checkpoint, dead)})

    def later(self, checkpoint: Checkpoint) -> int:
        """Return how many records of its set are younger than a checkpoint."""
        return records.count_later(checkpoint)

    def arrivals(self) -> int:
        """Return the place of the last record in order of arrival."""
        return records.last_arrival()

    def news(
        self, since: int, peer: bytes, as_of: int, limit: int, towns: Collection[bytes]
    ) -> list[bytes]:
        """Return the first `limit` records of `towns` that came after arrival `since`, in life on
        that day, that `peer` may see and did not bring; in order of arrival.
        """
        hidden = self._hidden(peer)
        visible = {name for name in self._visible(peer) if name[0] in towns}
        found: list[bytes] = []
        dead: dict[bytes, frozenset[int]] = {}
        for row in records.arrived_since(since, peer, day_start_s(as_of)):
            if row.origin not in dead:
                dead[row.origin] = retired(keysets.of_town(row.origin), as_of)
            is_shown = (row.origin, row.scope) in visible and row.id not in hidden
            if is_shown and row.keyset not in dead[row.origin]:
                found.append(row.raw)
                if len(found) == limit:
                    break
        return found

    def raws(self, ids: Iterable[bytes], peer: bytes | None) -> dict[bytes, bytes]:
        """Return {id: bytes} of those of `ids` that are held and that `peer` may see."""
        visible, hidden = self._visible(peer), self._hidden(peer)
        columns = (RecordRow.id, RecordRow.raw, RecordRow.origin, RecordRow.scope)
        return {
            record_id: raw
            for part in records.chunks(list(ids))
            for record_id, raw, origin, scope in RecordRow.select(*columns)
            .where(RecordRow.id.in_(part))
            .tuples()
            if (origin, scope) in visible and record_id not in hidden
        }

    def _hidden(self, peer: bytes | None) -> set[bytes]:
        """What a peer may not see until it was checked; ourselves we hide nothing."""
        return set() if peer == self.own else waiting.hidden_from(peer)

    def _visible(self, peer: bytes | None) -> set[tuple[bytes, int]]:
        """Public: anyone. Sealed: partners. For partners: only between the origin and a partner.

        Our own are nobody's to see in restore mode: so a visit brings back all that others hold.
        """
        towns = self.accepted() - origins.frozen_towns()
        if marks.read(marks.RESTORING):
            towns -= {self.own}
        seen = {(town, SCOPE_PUBLIC) for town in towns}
        if peer is not None and partners.is_linked(peer):
            seen |= {(town, SCOPE_SEALED) for town in towns}
        if peer is not None and partners.is_active(peer):
            seen |= {(town, SCOPE_PARTNERS) for town in towns & {self.own, peer}}
        return seen

    def known(self, ids: Iterable[bytes]) -> set[bytes]:
        """Return those of `ids` that need not be fetched: held, or remembered as useless."""
        wanted = list(ids)
        held = records.ids_held(wanted)
        return held | memory.ids_remembered(each for each in wanted if each not in held)

    def current(self, registers: Iterable[Register]) -> dict[Register, Current]:
        """Return the revision each of `registers` holds, if any."""
        return {
            register: Current(h.stamp, h.state, h.id, h.expires, h.size_bytes, h.keyset)
            for register, h in records.holders(registers).items()
        }

    def usage(self, towns: Iterable[bytes]) -> dict[bytes, Usage]:
        """Return what each of `towns` takes up here (absent: nothing)."""
        wanted = list(towns)
        held, full_at = sums.usage(wanted), origins.full_at(wanted)
        return {
            town: Usage(*held.get(town, (0, 0)), full_at.get(town, 0))
            for town in wanted
            if town in held or town in full_at
        }

    def keysets(self, origin: bytes) -> list[Keyset]:
        """Return the keysets of a town by number: genesis first, the one in force last."""
        return keysets.of_town(origin)

    def add_keyset(self, keyset: Keyset) -> None:
        """Keep a keyset; a genesis founds its town here. Raises as `keyset.check_next`.

        Another town's records under a keyset that is now compromised are dropped at once, and what
        pages showed of them. Ours stay, outside every set, until they are signed again. A keyset
        that contradicts one is kept aside for the admin; one decided against is refused.
        """
        if rivals.is_refused(keyset.id):
            raise RemoteProtocolError("broken_chain", "the admin decided against it")
        try:
            with write_tx():
                held = keysets.of_town(keyset.town)
                if check_next(held or [keyset], keyset) or not held:
                    keysets.keep(keyset)
                    if keyset.town != self.own:
                        distrust(keyset.town, compromised(keysets.of_town(keyset.town)))
        except RemoteProtocolError as error:
            if error.code == "keyset_equivocation":
                rivals.keep(keyset)
            raise

    def is_accepted(self, origin: bytes) -> bool:
        """Return whether the admin accepted that town: ourselves, a partner, or introduced."""
        return origin in self.accepted()

    def accepted(self) -> set[bytes]:
        """Return all accepted towns, ourselves included."""
        return partners.held_towns() | {self.own}

    def is_frozen(self, origin: bytes) -> bool:
        """Return whether the town signed two keysets with one number."""
        return origin in origins.frozen_towns()

    def freeze(self, origin: bytes) -> None:
        """Admit nothing more of that town until its admin speaks."""
        origins.freeze(origin)

    def put(
        self,
        batch: Sequence[Record],
        *,
        carrier: bytes = b"",
        unverified: Collection[bytes] = (),
    ) -> None:
        """Keep records that win their registers; whatever they replace is remembered.

        Those whose ids are `unverified` are shown to nobody else before they were checked.
        """
        with write_tx():
            held = records.holders(record.register for record in batch)
            kept: dict[Register, Record] = {}
            older: dict[bytes, int] = {}
            gaps: list[tuple[Any, int]] = []
            for record in batch:
                holder = kept.get(record.register) or held.get(record.register)
                if holder is None or wins(record, holder):
                    kept[record.register] = record
                    loser = holder
                    gaps += [(holder, record.stamp)] if holder else []
                else:
                    loser = record if record.id != holder.id else None
                if loser is not None:
                    older[loser.id] = loser.expires
            replaced = [held[register] for register in kept if register in held]
            _forget(replaced)
            checkpoints.note_gaps(gaps)
            records.insert(kept.values(), carrier or self.carrier, self.now_ms)
            sums.change(kept.values(), replaced)
            waiting.note(
                ((r.id, r.origin, r.scope) for r in kept.values() if r.id in unverified),
                carrier or self.carrier,
            )
            kept_s = EXPIRED_KEPT_DAYS * DAY_S
            memory.remember((each, "older", ends + kept_s) for each, ends in older.items())

    def unverified(self, limit: int) -> list[bytes]:
        """Return the bytes of the first records whose signatures wait to be checked."""
        return waiting.raws(limit)

    def verified(self, ids: Iterable[bytes]) -> None:
        """Let everyone see these records: their own signatures were found right."""
        waiting.forget(ids)

    def expel(self, batch: Iterable[Record]) -> None:
        """Remove records that should never have come in."""
        wrong = {record.id: record.register for record in batch}
        with write_tx():
            held = records.holders(wrong.values())
            _drop([each for each in held.values() if each.id in wrong])

    def spend(self, origin: bytes, full_at_ms: int) -> None:
        """Keep the moment at which the origin's allowance of new records is full again."""
        origins.spend(origin, full_at_ms)

    def remember(self, record_id: bytes, code: str, until: int) -> None:
        """Do not ask for that id again before `until` (unix seconds)."""
        memory.remember([(record_id, code, until)])


def figures(
    as_of: int, hidden: Mapping[tuple[bytes, int, int], tuple[int, int]] | None = None
) -> list[Figures]:
    """Return what is in life on the UTC day `as_of`, by origin and scope.

    `hidden`, {(origin, scope, keyset): (count, sum of ids)}, is left out.
    """
    towns = keysets.by_town()
    dead = {town: retired(held, as_of) for town, held in towns.items()}
    found: dict[tuple[bytes, int], list[int]] = {}
    for part in sums.parts():
        if part.day > as_of and part.keyset not in dead.get(part.origin, ()):
            total = found.setdefault((part.origin, part.scope), [0, 0, 0, 0])
            counted = (part.live, part.count - part.live, part.size_bytes, part.total)
            for at, number in enumerate(counted):
                total[at] += number
    for (origin, scope, keyset), (count, ids) in (hidden or {}).items():
        if (origin, scope) in found and keyset not in dead.get(origin, ()):
            found[origin, scope][0] -= count
            found[origin, scope][3] -= ids
    return [
        Figures(origin, scope, live, buried, size, fingerprint(ids % sums.ID_SPACE, live + buried))
        for (origin, scope), (live, buried, size, ids) in found.items()
    ]


def distrust(town: bytes, numbers: Collection[int]) -> int:
    """Drop a town's records under these keysets and what pages show of them; return how many.

    Its sealing key goes too: whoever stole the signing key may have that one as well.
    """
    gone = [
        each
        for part in (sums.parts(town) if numbers else ())
        if part.keyset in numbers
        for each in records.in_part(part.origin, part.scope, part.keyset, part.day)
    ]
    if gone:
        with write_tx():
            disown(gone)
            towns.forget_seal(town)
    return len(gone)


def disown(gone: list[records.Holder]) -> None:
    """Drop records whose signature proves nothing any more, and what pages show of them."""
    with write_tx():
        _drop(gone)
        for each in gone:
            listings.close(each.origin, each.key, "distrusted", stamp_ms(each.stamp))


def sweep(as_of: int, own: bytes = b"") -> int:
    """Delete what no set of that UTC day or the day before can hold; return how many records.

    What the town `own` signed under a key since replaced waits for the new one, however long.

    One short transaction for each part of a set, so that others can write in between.
    """
    day = as_of - EXPIRED_KEPT_DAYS
    dead = {town: retired(held, day) for town, held in keysets.by_town().items() if town != own}
    dropped = 0
    for part in sums.parts():
        if part.day <= day or part.keyset in dead.get(part.origin, ()):
            with write_tx():
                dropped += _drop_part(part)
    memory.sweep(day_start_s(as_of))
    return dropped


def forget_origin(town: bytes) -> int:
    """Delete every record of a town (a removed partner); return how many."""
    with write_tx():
        gone = records.of_origin(town)
        _drop(gone)
        checkpoints.forget_origin(town)
    return len(gone)


def _drop_part(part: sums.Part) -> int:
    gone = records.in_part(part.origin, part.scope, part.keyset, part.day)
    _drop(gone)
    return len(gone)


def _drop(gone: list[records.Holder]) -> None:
    _forget(gone)
    sums.change([], gone)


def _forget(gone: list[records.Holder]) -> None:
    records.delete(each.id for each in gone)
    waiting.forget([each.id for each in gone])
