"""The unlogged: engagements changed since the logbook was last written, emptied as it is.

A row goes in with the change itself, so what an inner block takes back is taken back here too, and
a change that got past the logbook is found by the next transaction.
"""

from collections.abc import Iterable

from node.store.database import db, execute
from node.store.row import BytesField, Row


class Unlogged(Row):
    """One engagement whose line is due."""

    engagement = BytesField(primary_key=True)

    class Meta:
        without_rowid = True


def note(engagement: bytes) -> None:
    """Say that an engagement changes; inside the transaction that changes it."""
    execute("INSERT INTO unlogged (engagement) VALUES (?) ON CONFLICT DO NOTHING", (engagement,))


def forget(engagements: Iterable[bytes]) -> None:
    """Take back that these changed: what changed them was the logbook itself."""
    for engagement in engagements:
        execute("DELETE FROM unlogged WHERE engagement = ?", (engagement,))


def take() -> list[bytes]:
    """Return the engagements whose line is due, and forget them."""
    found = [row[0] for row in db.execute_sql("SELECT engagement FROM unlogged").fetchall()]
    if found:
        db.execute_sql("DELETE FROM unlogged")
    return found
