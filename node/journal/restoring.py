"""The restore mode: a town whose database may have gone back in time signs nothing, shows none of
its own records to others, and takes back from them what it said since.

It is noticed by a mark kept twice, in the database and in the file `town.generation` beside it,
with the last stamp that was reached: a database copied back by hand bears another mark, or an
earlier stamp. A machine rolled back as a whole is noticed by what partners bring (`came_home`).
"""

import contextlib
import os
import secrets
from pathlib import Path
from typing import NamedTuple

from federation.stamp import stamp_ms
from node.store import marks
from node.store.database import write_tx
from node.store.durable import sync_file
from node.store.network import partners

FILE = "town.generation"

RESTORED = "restored"  # a backup was put back by `lavoir restore`
RECOVERED = "recovered"  # founded again from a partner and the recovery words
COPIED = "copied"  # the database is not the one this house had, or is an older copy of it
ELSEWHERE = "elsewhere"  # records came home that this house never signed
TWIN = "twin"  # another node speaks with our keys
BY_HAND = (ELSEWHERE, TWIN)  # only a person can say which of two houses lives
_RANK = {ELSEWHERE: 1, TWIN: 2}  # a reason that says more takes the place of one that says less


class Restoring(NamedTuple):
    """Since when (UTC ms) and why the town is in restore mode."""

    since_ms: int
    why: str


def is_restoring() -> bool:
    """Return whether the town is in restore mode; expects the town's database to be current."""
    return bool(marks.read(marks.RESTORING))


def state() -> Restoring | None:
    """Return since when and why the town is in restore mode, None when it is not."""
    since, _, why = marks.read(marks.RESTORING).partition(" ")
    return Restoring(int(since), why) if since else None


def begin(now_ms: int, why: str) -> None:
    """Enter restore mode; one that is on goes on, a reason that needs a person outweighs others.

    It begins after every visit that is known, whatever the clock says, so that only visits to come
    count as such.
    """
    with write_tx():
        held = state()
        if held is None or _RANK.get(why, 0) > _RANK.get(held.why, 0):
            since_ms = held.since_ms if held else max(now_ms, _last_visit_ms() + 1)
            marks.write(marks.RESTORING, f"{since_ms} {why}")


def _last_visit_ms() -> int:
    known = partners.listed()
    return max(
        (each or 0 for row in known for each in (row.last_ok_ms, row.last_error_ms)), default=0
    )


def finish(now_ms: int) -> int:
    """Leave restore mode; return the new `gen` (unix seconds, SPEC 12), greater than any before."""
    with write_tx():
        gen = max(now_ms // 1000, marks.number(marks.RESTORED_S) + 1)
        marks.write_number(marks.RESTORED_S, gen)
        marks.forget(marks.RESTORING)
    return gen


def came_home(stamp: int, now_ms: int) -> None:
    """Take note of a record of ours that another town brought; call inside its transaction.

    Our stamp moves past it. Outside restore mode, unless it is older than our last restore, it was
    signed by nobody here: this machine was rolled back, or another one runs with our keys.
    """
    if not is_restoring() and stamp_ms(stamp) // 1000 > marks.number(marks.RESTORED_S):
        begin(now_ms, ELSEWHERE)
    if stamp > marks.number(marks.LAST_STAMP):
        marks.write_number(marks.LAST_STAMP, stamp)


# ── the mark that is kept twice ──────────────────────────────────────────────────────────────────


def found(home: Path) -> None:
    """Give a new house its mark, in the database and beside it."""
    with write_tx():
        mark = secrets.token_hex(16)
        marks.write(marks.GENERATION, mark)
        _write(home, mark, marks.number(marks.LAST_STAMP))


def check(home: Path, now_ms: int) -> None:
    """Enter restore mode when database and file disagree, then make them agree again.

    A house of a version without marks has neither, and gets them.
    """
    if _agree(home):
        return
    with write_tx():  # nobody changes either meanwhile
        if _agree(home):
            return
        mark, stamp = _read(home)
        if mark or marks.read(marks.GENERATION):
            begin(now_ms, COPIED)
        if stamp > marks.number(marks.LAST_STAMP):
            marks.write_number(marks.LAST_STAMP, stamp)
        found(home)


def note_height(home: Path) -> None:
    """Write down beside the database which stamp it reached, so that an older copy is noticed."""
    mark, stamp = _read(home)
    reached = marks.number(marks.LAST_STAMP)
    if reached > stamp and mark == marks.read(marks.GENERATION):
        _write(home, mark, reached)


def has_risen(home: Path) -> bool:
    """Return whether `note_height` has something to write."""
    return marks.number(marks.LAST_STAMP) > height(home)


def height(home: Path) -> int:
    """Return the stamp written down beside the database, 0 where there is none."""
    return _read(home)[1]


def _agree(home: Path) -> bool:
    mark, stamp = _read(home)  # the file first: it is never ahead of the database
    held = marks.read(marks.GENERATION)
    return bool(mark) and mark == held and stamp <= marks.number(marks.LAST_STAMP)


def _read(home: Path) -> tuple[str, int]:
    with contextlib.suppress(FileNotFoundError, ValueError):
        mark, stamp = (home / FILE).read_text("ascii").split()
        return mark, int(stamp)
    return "", 0


def _write(home: Path, mark: str, stamp: int) -> None:
    """Replace the file in one step; a power cut leaves the old or the new one."""
    part = home / (FILE + ".part")
    with part.open("w", encoding="ascii") as file:
        file.write(f"{mark} {stamp}\n")
        file.flush()
        os.fsync(file.fileno())
    part.replace(home / FILE)
    sync_file(home)
