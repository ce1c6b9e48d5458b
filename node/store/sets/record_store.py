"""The RecordStore port of the protocol, filled by the current database."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from federation.keyset import Keyset, check_next, compromised, retired
from federation.record import SCOPE_PARTNERS, SCOPE_PUBLIC, SCOPE_SEALED, Record, wins
from federation.stamp import DAY_S, day_start_s
from federation.store import EXPIRED_KEPT_DAYS, Current, Register, SetRow, Usage, fingerprint
from node.store import marks
from node.store.database import write_tx
from node.store.network import partners
from node.store.sets import keysets, memory, origins, records, sums
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
        return [
            SetRow(each.origin, each.scope, each.live + each.tombstones, each.fingerprint)
            for each in figures(as_of)
            if (each.origin, each.scope) in visible
        ]

    def items(self, origin: bytes, scope: int, as_of: int) -> list[tuple[int, bytes]]:
        """Return [(seconds since 2020, id)] of one set, sorted."""
        dead = retired(keysets.of_town(origin), as_of)
        return records.set_items(origin, scope, day_start_s(as_of), dead)

    def raws(self, ids: Iterable[bytes], peer: bytes | None) -> dict[bytes, bytes]:
        """Return {id: bytes} of those of `ids` that are held and that `peer` may see."""
        visible = self._visible(peer)
        columns = (RecordRow.id, RecordRow.raw, RecordRow.origin, RecordRow.scope)
        return {
            record_id: raw
            for part in records.chunks(list(ids))
            for record_id, raw, origin, scope in RecordRow.select(*columns)
            .where(RecordRow.id.in_(part))
            .tuples()
            if (origin, scope) in visible
        }

    def _visible(self, peer: bytes | None) -> set[tuple[bytes, int]]:
        """Public: anyone. Sealed: partners. For partners: only between the origin and a partner.

        Our own are nobody's to see in restore mode: so a visit brings back all that others hold.
        """
        towns = self.accepted() - origins.frozen_towns()
        if marks.read(marks.RESTORING):
            towns -= {self.own}
        seen = {(town, SCOPE_PUBLIC) for town in towns}
        if peer is not None and partners.is_active(peer):
            seen |= {(town, SCOPE_SEALED) for town in towns}
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
            register: Current(h.stamp, h.state, h.id, h.expires, h.size_bytes)
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

        Records under a keyset that is now compromised are dropped at once.
        """
        with write_tx():
            held = keysets.of_town(keyset.town)
            if check_next(held or [keyset], keyset) or not held:
                keysets.keep(keyset)
                dead = compromised(keysets.of_town(keyset.town))
                for part in sums.parts(keyset.town) if dead else ():
                    if part.keyset in dead:
                        _drop_part(part)

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

    def put(self, batch: Sequence[Record]) -> None:
        """Keep records that win their registers; whatever they replace is remembered."""
        with write_tx():
            held = records.holders(record.register for record in batch)
            kept: dict[Register, Record] = {}
            older: dict[bytes, int] = {}
            for record in batch:
                holder = kept.get(record.register) or held.get(record.register)
                if holder is None or wins(record, holder):
                    kept[record.register] = record
                    loser = holder
                else:
                    loser = record if record.id != holder.id else None
                if loser is not None:
                    older[loser.id] = loser.expires
            replaced = [held[register] for register in kept if register in held]
            records.delete(each.id for each in replaced)
            records.insert(kept.values(), self.carrier, self.now_ms)
            sums.change(kept.values(), replaced)
            kept_s = EXPIRED_KEPT_DAYS * DAY_S
            memory.remember((each, "older", ends + kept_s) for each, ends in older.items())

    def spend(self, origin: bytes, full_at_ms: int) -> None:
        """Keep the moment at which the origin's allowance of new records is full again."""
        origins.spend(origin, full_at_ms)

    def remember(self, record_id: bytes, code: str, until: int) -> None:
        """Do not ask for that id again before `until` (unix seconds)."""
        memory.remember([(record_id, code, until)])


def figures(as_of: int) -> list[Figures]:
    """Return what is in life on the UTC day `as_of`, by origin and scope."""
    towns = keysets.by_town()
    dead = {town: retired(held, as_of) for town, held in towns.items()}
    found: dict[tuple[bytes, int], list[int]] = {}
    for part in sums.parts():
        if part.day > as_of and part.keyset not in dead.get(part.origin, ()):
            total = found.setdefault((part.origin, part.scope), [0, 0, 0, 0])
            counted = (part.live, part.count - part.live, part.size_bytes, part.total)
            for at, number in enumerate(counted):
                total[at] += number
    return [
        Figures(origin, scope, live, buried, size, fingerprint(ids % sums.ID_SPACE, live + buried))
        for (origin, scope), (live, buried, size, ids) in found.items()
    ]


def sweep(as_of: int) -> int:
    """Delete what no set of that UTC day or the day before can hold; return how many records.

    One short transaction for each part of a set, so that others can write in between.
    """
    day = as_of - EXPIRED_KEPT_DAYS
    dead = {town: retired(held, day) for town, held in keysets.by_town().items()}
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
    return len(gone)


def _drop_part(part: sums.Part) -> int:
    gone = records.in_part(part.origin, part.scope, part.keyset, part.day)
    _drop(gone)
    return len(gone)


def _drop(gone: list[records.Holder]) -> None:
    records.delete(each.id for each in gone)
    sums.change([], gone)
