"""The diary: at the end of each transaction, every engagement it changed goes into the logbook.

A line is the whole row with its acts and what it holds, members named by what every copy of the
database knows them by. The last line of an engagement is all that counts (SPEC 13.5).
"""

import hashlib
from collections.abc import Callable
from typing import Any

from node.domain.lifecycle import DAY_MS
from node.engagements import capacity, gate
from node.engagements.ground import Ground
from node.journal.logbook import VOID, Entry, Logbook
from node.store import marks
from node.store.database import after_commit, before_commit, db, write_tx
from node.store.people import members
from node.store.promises import acts, messages, reminders, unlogged
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

KIND = "engagement"
KEPT_DAYS = 430  # (id, final state) is remembered while a record of it can be valid
STAMP = "stamp"  # {0: the last stamp of ours}, once a day: what renewals and new keys signed
FORGOTTEN = "forgotten"  # {0: ref of a member}: erased, and erased again after a restore
FIELDS = {"row", "people", "acts", "claims", "gated", STAMP}  # of an engagement's line
COMPACT_DAYS = 30
COMPACTED = "logbook_compacted"
NOTED = "logbook_stamp"


def keep(ground: Ground, logbook: Logbook, first: Callable[[Ground], object]) -> None:
    """Write into `logbook` from now on, at the end of each transaction of the current database.

    `first` is done before: the last that a transaction may change of its own accord.
    """
    before_commit(db.obj, lambda: (first(ground), flush(ground, logbook)))


def flush(ground: Ground, logbook: Logbook) -> None:
    """Note what the transaction changed; call as its last act. Raises StorageRefused."""
    changed = unlogged.take()
    if not changed:
        return
    standing, logged = logbook.standing(), marks.number(marks.LOGGED)
    if not standing.has_begun or standing.last_group < logged:
        since_ms = ground.now_ms() - KEPT_DAYS * DAY_MS
        known = [*dict.fromkeys((*rows.unfinished(since_ms), *changed))]
        seq = logbook.begin(_entries(ground, known), logged)
    else:
        undone = [seq for seq in standing.groups if seq > logged]
        void = [Entry(VOID, {}, about=seq.to_bytes(8, "big")) for seq in undone]
        entries = [*void, *_entries(ground, changed)]
        seq = logbook.write_all(entries, is_tx=True, after_seq=logged)
    marks.write_number(marks.LOGGED, seq)


def care(ground: Ground, logbook: Logbook) -> None:
    """Once a day: note how far our stamps went, and once a month drop what no longer counts."""
    now_ms, last = ground.now_ms(), marks.number(marks.LAST_STAMP)
    with write_tx():
        if not logbook.exists():
            return
        if last > marks.number(NOTED):
            logbook.write(STAMP, {0: last}, about=b"stamp")
            marks.write_number(NOTED, last)
        if now_ms - marks.number(COMPACTED) > COMPACT_DAYS * DAY_MS:
            logbook.compact(now_ms)
            marks.write_number(COMPACTED, now_ms)


def forget(ground: Ground, member: int) -> None:
    """Note that a member was erased; once that is committed, drop the lines that still know them.

    Call it before the erasure, in its transaction.
    """
    logbook, ref = ground.journal.logbook, _ref(member)
    if logbook is not None and ref is not None:
        logbook.write(FORGOTTEN, {0: ref}, about=about(ref))
        after_commit(lambda: _scrub(ground, logbook))


def _scrub(ground: Ground, logbook: Logbook) -> None:
    with write_tx():
        logbook.compact(ground.now_ms())


def about(engagement: bytes) -> bytes:
    """Return what the lines of an engagement are about, to who cannot read them."""
    return hashlib.sha256(b"lavoir-logbook" + engagement).digest()[:16]


def _entries(ground: Ground, changed: list[bytes]) -> list[Entry]:
    found = [rows.find(each) for each in changed]
    return [_entry(row) for row in found if row is not None]


def _entry(row: Engagement) -> Entry:
    until_ms = row.since_ms + KEPT_DAYS * DAY_MS if row.final else 0
    return Entry(KIND, told(row), about(row.id), until_ms)


def told(row: Engagement) -> dict[str, Any]:
    """Return all there is of an engagement as plain values, numbers of members left out."""
    return {
        "row": {name: value for name, value in row.__data__.items() if name not in PEOPLE},
        "people": {name: _ref(getattr(row, name)) for name in PEOPLE},
        "acts": [_plain(act) for act in acts.of_engagement(row.id)],
        **capacity.told(row),
        "messages": [_plain(each) for each in messages.of_engagement(row.id)],
        "reminders": [_row_of(each) for each in reminders.of_engagement(row.id)],
        STAMP: marks.number(marks.LAST_STAMP),
        "gated": gate.is_in_doubt(),
    }


PEOPLE = ("asker", "keeper")


def _plain(act: Any) -> dict[str, Any]:
    return {**_row_of(act), "member": _ref(act.member)}


def _row_of(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.__data__.items() if name != "engagement"}


def _ref(member: int | None) -> bytes | None:
    held = members.find(member) if member is not None else None
    return bytes(held.ref) if held is not None else None
