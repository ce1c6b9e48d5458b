"""The blobs: the photos known by their SHA-256, here on disk or still to be asked of a partner."""

from collections.abc import Iterable, Iterator

import peewee

from federation import codec
from federation.errors import ProtocolError
from node.store.database import db, execute_many, write_tx
from node.store.row import BytesField, Row

STATUSES = ("local", "remote", "wanted", "missing")
FIRST_RETRY_MS = 60_000
GIVE_UP_AFTER = 10


class Blob(Row):
    """One photo: `local` made here, `remote` fetched and kept, `wanted` (to fetch) or `missing`."""

    hash = BytesField(primary_key=True)
    status = peewee.TextField()
    size_bytes = peewee.IntegerField(default=0)
    media_type = peewee.TextField(default="")
    width = peewee.IntegerField(default=0)
    height = peewee.IntegerField(default=0)
    wanted_from = BytesField(null=True)
    attempts = peewee.IntegerField(default=0)
    next_try_ms = peewee.BigIntegerField(default=0)
    kept_ms = peewee.BigIntegerField(null=True)

    class Meta:
        indexes = ((("status", "next_try_ms"), False),)


class DoomedPhoto(Row):
    """A photo the listing of a register no longer shows, since when; deleted unless others do."""

    hash = BytesField(primary_key=True)
    origin = BytesField()
    key = BytesField()
    since_ms = peewee.BigIntegerField()

    class Meta:
        indexes = ((("origin", "key"), False),)
        without_rowid = True


def find(digest: bytes) -> Blob | None:
    """Return what is known of a photo."""
    return Blob.get_or_none(Blob.hash == digest)


def keep(
    digest: bytes, status: str, now_ms: int, *, media_type: str, size_bytes: int, width: int,
    height: int,
) -> None:  # fmt: skip
    """Note a photo whose file is on disk, synced; one made here stays `local` for good."""
    with write_tx():
        held = find(digest)
        Blob.upsert(
            hash=digest, status="local" if held and held.status == "local" else status,
            media_type=media_type, size_bytes=size_bytes, width=width, height=height,
            wanted_from=None, kept_ms=now_ms,
        )  # fmt: skip


def want(digest: bytes, partner: bytes) -> None:
    """Ask for a photo at the next visit to `partner`, unless it is here."""
    with write_tx():
        Blob.insert(
            hash=digest, status="wanted", wanted_from=partner
        ).on_conflict_ignore().execute()
        gone = Blob.status.in_(("wanted", "missing"))
        Blob.update(status="wanted", wanted_from=partner, attempts=0, next_try_ms=0).where(
            Blob.hash == digest, gone, Blob.wanted_from.is_null() | (Blob.wanted_from != partner)
        ).execute()


def wanted(partner: bytes, now_ms: int, limit: int = 50) -> list[bytes]:
    """Return the hashes to ask of a partner now."""
    query = Blob.select(Blob.hash).where(
        Blob.status == "wanted", Blob.wanted_from == partner, Blob.next_try_ms <= now_ms
    )
    return [each for (each,) in query.order_by(Blob.next_try_ms, Blob.hash).limit(limit).tuples()]


def failed(digest: bytes, now_ms: int) -> None:
    """Plan the next try later each time; after GIVE_UP_AFTER it is `missing`."""
    with write_tx():
        blob = Blob.get(Blob.hash == digest)
        attempts = blob.attempts + 1
        Blob.update(
            attempts=attempts,
            status="wanted" if attempts < GIVE_UP_AFTER else "missing",
            next_try_ms=now_ms + FIRST_RETRY_MS * 2**attempts,
        ).where(Blob.hash == digest).execute()


def forget(digest: bytes) -> None:
    """Delete what is known of a photo; the caller deletes the file."""
    with write_tx():
        Blob.delete().where(Blob.hash == digest).execute()


def doom(digests: Iterable[bytes], origin: bytes, key: bytes, since_ms: int) -> None:
    """Note that a listing no longer shows these photos; the last that lets go of one counts."""
    with write_tx():
        execute_many(
            'INSERT INTO doomed_photo (hash, origin, "key", since_ms) VALUES (?, ?, ?, ?)'
            ' ON CONFLICT (hash) DO UPDATE SET origin = excluded.origin, "key" = excluded."key",'
            " since_ms = excluded.since_ms",
            [(digest, origin, key, since_ms) for digest in digests],
        )


def doomed() -> list[DoomedPhoto]:
    """Return the photos that wait to be deleted, or to be found in use elsewhere."""
    return list(DoomedPhoto.select().order_by(DoomedPhoto.since_ms, DoomedPhoto.hash))


def is_any_doomed() -> bool:
    """Return whether a photo waits to be deleted; reads only."""
    return db.execute_sql("SELECT 1 FROM doomed_photo LIMIT 1").fetchone() is not None


def spare(digest: bytes) -> None:
    """No longer mean to delete a photo: it is gone, or another listing shows it."""
    with write_tx():
        DoomedPhoto.delete().where(DoomedPhoto.hash == digest).execute()


def hashes(body: bytes) -> Iterator[bytes]:
    """Yield the photo hashes of a listing's body, which passed its schema when it was shown."""
    try:
        said = codec.loads(bytes(body or b""))
    except ProtocolError:
        return
    if isinstance(said, dict):
        for photo in said.get("photos", ()):
            yield photo["hash"]
