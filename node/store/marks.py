"""The marks: single named values of the node that must survive a restart."""

import peewee

from node.store.database import db, write_tx
from node.store.row import Row

GENERATION = "generation"  # hex; also in a file beside the database: differ after a restore
LAST_ARRIVAL = "last_arrival"  # the place of the last record that came in; it never goes back
LOOKED_ARRIVAL = "looked_arrival"  # up to where sets were held beside their origins' words
LAST_STAMP = "last_stamp"  # the highest stamp this town signed
RESTORING = "restoring"  # since when (UTC ms) and why; absent when the town is not in restore mode
LOGGED = "logged"  # the number of the last transaction that is in the logbook
RESTORED_S = "restored_s"  # `gen` of SPEC: unix seconds of the last restore, 0 if never
BOOTS = "boots"  # JSON: the nonces this node took at its starts, the last one in force
BACKUP = "backup"  # JSON: the last backup the node made by itself
BACKUP_FAILED = "backup_failed"  # JSON: when it last could not, and why; absent once it could
DRILL_WISHED = "drill_wished"  # the next backup is to be tried at once
RESTORED_FROM = "restored_from"  # UTC ms: when the backup was made that was put back last
DRILL = "drill"  # JSON: when a backup was last restored for a test, and what came of it


class Mark(Row):
    """One name and its value as text."""

    name = peewee.TextField(primary_key=True)
    value = peewee.TextField()


def read(name: str, default: str = "") -> str:
    """Return the value of a mark, `default` if it was never set."""
    row = db.execute_sql("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
    return row[0] if row else default


def write(name: str, value: str) -> None:
    """Set a mark."""
    with write_tx():
        Mark.upsert(name=name, value=value)


def number(name: str, default: int = 0) -> int:
    """Return the value of a mark that counts, `default` if it was never set."""
    return int(read(name) or default)


def write_number(name: str, value: int) -> None:
    """Set a mark that counts."""
    write(name, str(value))


def forget(name: str) -> None:
    """Remove a mark."""
    with write_tx():
        Mark.delete().where(Mark.name == name).execute()
