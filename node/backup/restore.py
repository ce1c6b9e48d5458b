"""The restore: a backup becomes the town again, in restore mode; the present house stands aside.

    opened and proven ──▶ brought to this schema ──▶ erasures of the logbook done again ──▶ swapped
Nothing of the present house changes before the swap.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from node.backup import swap, unpacking
from node.backup.house import DATABASE, BackupError, emptied
from node.backup.parcel import Head, Parcel
from node.backup.unpacking import Proof
from node.journal import restoring
from node.journal.keyring import Keyring, KeyringError
from node.journal.logbook import FILE as LOGBOOK
from node.journal.logbook import frames
from node.store import marks
from node.store.database import db, open_database, using, write_tx
from node.store.schema import migrate
from node.store.sets.record_store import SqlRecordStore

Progress = Callable[[int, int], object]  # (bytes done, bytes in all)
Again = Callable[[Path], object]  # does the erasures of the logbook again in a staged house

# What a database that went back in time must not know any more: sessions that were ended, codes
# and nonces that were used, leases of processes that are gone.
FORGOTTEN = ("session", "login_code", "nonce", "job_lease")


class Restored(NamedTuple):
    """What was restored, and where the house that stood there before is now (None: none did)."""

    head: Head
    facts: dict[str, object]
    photos: int
    aside: Path | None
    kept_keys: bool  # the key file in place was newer than the backup's, and stays


def present_keys(home: Path) -> Keyring | None:
    """Return the keys of the house that stands there, None where none can be read."""
    try:
        return Keyring.load(home)
    except (KeyringError, OSError):
        return None


def restore(
    path: Path,
    home: Path,
    proof: Proof,
    now_ms: int,
    again: Again = lambda folder: None,
    progress: Progress = lambda done, total: None,
) -> Restored:
    """Put the backup `path` in place of what is in `home`; the town is then in restore mode.

    Killed at any moment it leaves the old house or the new one. Raises BackupError, SchemaTooNew.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with emptied(home):
        swap.finish(home)
        present = present_keys(home)
        if present is not None and unpacking.look(path, proof).town != present.town:
            raise BackupError(f"{home} holds another town. Restore into an empty folder (--home).")
        stood = any((home / name).exists() for name in swap.FILES)
        folder = swap.stage(home)
        try:
            told, keyring = unpacking.unpack(path, proof, folder, progress)
            kept_keys = _keep_newer_keys(folder, keyring, present)
            _prepare(folder, home, now_ms, told.head.made_ms)
            again(folder)
            _close_database(folder)
            aside = swap.commit(home, now_ms)
        except OSError as error:
            raise _refused(home, error) from error
        finally:
            if not swap.is_unfinished(home):
                shutil.rmtree(folder, ignore_errors=True)
    if not stood:
        aside.rmdir()
    return _told(told, aside if stood else None, kept_keys)


def _refused(home: Path, error: OSError) -> BackupError:
    """Return the sentence for a disk that refused, before or after the step that decides."""
    if swap.is_unfinished(home):
        state = "The restore is decided and is finished by the next command"
    else:
        state = "Nothing was changed"
    return BackupError(f"The disk of {home} refused: {error.strerror or error}. {state}.")


def _told(told: Parcel, aside: Path | None, kept_keys: bool) -> Restored:
    photos = sum(part.name.startswith("photo ") for part in told.parts)
    return Restored(told.head, told.facts, photos, aside, kept_keys)


def _keep_newer_keys(folder: Path, restored: Keyring, present: Keyring | None) -> bool:
    """Keys never go back: a key file that lives and is not older stays the town's."""
    if present is None or present.keyset.number < restored.keyset.number:
        return False
    present.save(folder)
    return present.to_bytes() != restored.to_bytes()


def _prepare(folder: Path, home: Path, now_ms: int, made_ms: int) -> None:
    """Bring a staged database up to date, and into restore mode."""
    keyring = Keyring.load(folder)
    database = open_database(folder / DATABASE)
    try:
        migrate(database)
        with using(database), write_tx():
            for table in FORGOTTEN:
                db.execute_sql(f'DELETE FROM "{table}"')
            SqlRecordStore(keyring.town).add_keyset(keyring.keyset)
            restoring.begin(now_ms, restoring.RESTORED)
            marks.write_number(marks.RESTORED_FROM, made_ms)
            reached = max(restoring.height(home), _last_logged(home))
            marks.write_number(marks.LAST_STAMP, max(marks.number(marks.LAST_STAMP), reached))
            restoring.found(folder)
    finally:
        database.close()


def _last_logged(home: Path) -> int:
    """Return the number of the logbook's last line, which grows like a stamp; 0 without one."""
    path = home / LOGBOOK
    return max((frame.seq for frame in frames(path)), default=0) if path.exists() else 0


def _close_database(folder: Path) -> None:
    """Leave one file: what is in its journal goes into it."""
    database = open_database(folder / DATABASE)
    try:
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        database.close()
    for name in swap.JOURNALS:
        (folder / name).unlink(missing_ok=True)
