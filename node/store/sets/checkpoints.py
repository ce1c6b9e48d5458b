"""The checkpoints: the newest word of each origin on each of its sets, and what hangs on it."""

import hashlib
from collections.abc import Iterable
from typing import Any

import peewee

from federation.checkpoint import Checkpoint, parse_checkpoint
from federation.sets import Item
from federation.stamp import day_start_s, stamp_seconds
from node.store.database import db, execute_many, write_tx
from node.store.network import strikes
from node.store.row import BytesField, Row
from node.store.sets import records


class CheckpointRow(Row):
    """The newest checkpoint of one set; `arrival` is its place among all that came in."""

    origin = BytesField()
    scope = peewee.IntegerField()
    id = BytesField()
    keyset = peewee.BigIntegerField()
    stamp = peewee.BigIntegerField()
    as_of = peewee.IntegerField()
    runs = BytesField()
    raw = BytesField()
    arrival = peewee.BigIntegerField()
    carrier = BytesField()

    class Meta:
        table_name = "checkpoint"
        primary_key = peewee.CompositeKey("origin", "scope")
        without_rowid = True


class RunListRow(Row):
    """A run list by its SHA-256, kept while a checkpoint names it."""

    hash = BytesField(primary_key=True)
    raw = BytesField()

    class Meta:
        table_name = "run_list"


class GapRow(Row):
    """An id that left its set: replaced by a revision of stamp `by`."""

    id = BytesField(primary_key=True)
    origin = BytesField()
    scope = peewee.IntegerField()
    seconds = peewee.BigIntegerField()
    stamp = peewee.BigIntegerField()
    expires = peewee.BigIntegerField()
    keyset = peewee.BigIntegerField()
    by = peewee.BigIntegerField()

    class Meta:
        table_name = "gap"
        indexes = ((("origin", "scope"), False),)


class Distrust(Row):
    """A town whose checkpoints vouch for nothing until our admin has spoken: why, and the proof."""

    town = BytesField(primary_key=True)
    code = peewee.TextField()
    proof = BytesField()
    at_ms = peewee.BigIntegerField()


_KEEP_GAP = (
    'INSERT OR REPLACE INTO gap (id, origin, scope, seconds, stamp, expires, keyset, "by")'
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


class SqlWitness:
    """The Witness port of the protocol, filled by the current database."""

    def checkpoint(self, origin: bytes, scope: int) -> Checkpoint | None:
        """Return the newest checkpoint of one set."""
        row = db.execute_sql(
            "SELECT raw FROM checkpoint WHERE origin = ? AND scope = ?", (origin, scope)
        ).fetchone()
        return parse_checkpoint(row[0]) if row else None

    def checkpoints(self) -> list[Checkpoint]:
        """Return the newest checkpoint of every set, by origin and scope."""
        rows = db.execute_sql("SELECT raw FROM checkpoint ORDER BY origin, scope").fetchall()
        return [parse_checkpoint(row[0]) for row in rows]

    def since(self, arrival: int, but: bytes) -> list[Checkpoint]:
        """Return the newest checkpoints that came after that place in the order of arrival, and
        were not brought by the partner `but`.
        """
        rows = CheckpointRow.select(CheckpointRow.raw).where(
            CheckpointRow.arrival > arrival, CheckpointRow.carrier != but
        )
        return [parse_checkpoint(raw) for (raw,) in rows.tuples()]

    def keep(self, checkpoint: Checkpoint, carrier: bytes = b"") -> None:
        """Put a checkpoint in the place of the one of its set; forget gaps it no longer has."""
        with write_tx():
            CheckpointRow.upsert(
                on=("origin", "scope"),
                origin=checkpoint.origin,
                scope=checkpoint.scope,
                id=checkpoint.id,
                keyset=checkpoint.keyset,
                stamp=checkpoint.stamp,
                as_of=checkpoint.as_of,
                runs=checkpoint.runs,
                raw=checkpoint.raw,
                arrival=records.next_arrival(),
                carrier=carrier,
            )
            db.execute_sql(
                'DELETE FROM gap WHERE origin = ? AND scope = ? AND "by" <= ?',
                (*checkpoint.name, checkpoint.stamp),
            )
            _drop_unnamed_runs()

    def void(self, origin: bytes, scope: int) -> None:
        """Drop the checkpoint of one set: ours no longer says what is true."""
        with write_tx():
            db.execute_sql("DELETE FROM checkpoint WHERE origin = ? AND scope = ?", (origin, scope))
            _drop_unnamed_runs()

    def runs(self, digest: bytes) -> bytes | None:
        """Return the run list with that SHA-256."""
        return RunListRow.select(RunListRow.raw).where(RunListRow.hash == digest).scalar()

    def keep_runs(self, raw: bytes) -> None:
        """Keep a run list for as long as a checkpoint names it."""
        with write_tx():
            RunListRow.upsert(hash=hashlib.sha256(raw).digest(), raw=raw)

    def distrust(self, origin: bytes, why: str, proof: bytes, now_ms: int) -> None:
        """Let no checkpoint of that town vouch until our admin has spoken; it is told why."""
        with write_tx():
            strikes.note(origin, why, now_ms, role=strikes.ORIGIN)
            Distrust.upsert(
                keep=("code", "proof", "at_ms"),
                town=origin,
                code=why,
                proof=proof,
                at_ms=now_ms,
            )

    def distrusted(self) -> dict[bytes, str]:
        """Return {town: code} of those whose checkpoints vouch for nothing."""
        return dict(Distrust.select(Distrust.town, Distrust.code).tuples())


def distrusted() -> list[Distrust]:
    """Return the towns whose checkpoints vouch for nothing, with the reason and its proof."""
    return list(Distrust.select().order_by(Distrust.at_ms))


def trust_again(town: bytes) -> None:
    """Let a town's checkpoints vouch again: our admin has spoken."""
    with write_tx():
        Distrust.delete().where(Distrust.town == town).execute()


def note_gaps(replaced: Iterable[tuple[Any, int]]) -> None:
    """Keep the places of records that were replaced by revisions of these stamps. Each needs id,
    origin, scope, stamp, expires and keyset.
    """
    execute_many(
        _KEEP_GAP,
        [
            (h.id, h.origin, h.scope, stamp_seconds(h.stamp), h.stamp, h.expires, h.keyset, by)
            for h, by in replaced
        ],
    )


def gaps(checkpoint: Checkpoint, dead: frozenset[int]) -> list[Item]:
    """Return the places of what has left the set since the checkpoint was made."""
    rows = db.execute_sql(
        "SELECT seconds, id, keyset FROM gap WHERE origin = ? AND scope = ? AND stamp < ?"
        ' AND "by" > ? AND expires > ?',
        (
            *checkpoint.name,
            checkpoint.stamp,
            checkpoint.stamp,
            day_start_s(checkpoint.as_of),
        ),
    ).fetchall()
    return [(seconds, one) for seconds, one, keyset in rows if keyset not in dead]


def sweep(before_stamp: int) -> None:
    """Forget the gaps made before a stamp: no checkpoint that old vouches for anything."""
    with write_tx():
        db.execute_sql('DELETE FROM gap WHERE "by" < ?', (before_stamp,))


def forget_origin(town: bytes) -> None:
    """Delete what is kept of the checkpoints of a town whose records are no longer held."""
    with write_tx():
        for table in ("checkpoint", "gap", "completeness"):
            db.execute_sql(f"DELETE FROM {table} WHERE origin = ?", (town,))
        trust_again(town)
        _drop_unnamed_runs()


def _drop_unnamed_runs() -> None:
    db.execute_sql("DELETE FROM run_list WHERE hash NOT IN (SELECT runs FROM checkpoint)")
