"""A courier file read here: every record by the very door a visit uses, a batch at a time.

Read again, torn off in the middle or read in another order, it ends in the same state.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from federation import bundle
from federation.bundle import Header, Reader
from federation.stamp import MAX_FUTURE_MS
from node.courier import receipts
from node.courier.landing import Landing
from node.courier.report import Arrived
from node.courier.survey import Progress, Survey, items, survey
from node.domain.errors import Conflict
from node.domain.words import N_
from node.store import marks
from node.store.network import carriages, partners

LOCK = "courier.lock"
LATEST_MS = 253_000_000_000_000  # in the year 9987: a page can still write it


def import_file(town: Any, path: Path, progress: Progress | None = None) -> Arrived:
    """Read a courier file or a receipt from disk. Raises as `import_from`, and OSError."""
    with path.open("rb") as file:
        return import_from(town, file, progress)


def import_from(town: Any, file: BinaryIO, progress: Progress | None = None) -> Arrived:
    """Read a courier file or a receipt from an open file that can be sought in.

    `progress(bytes read, bytes in all)` is told now and then. Stopped in the middle, what came in
    stays. Raises Invalid("not_a_bundle"), Conflict ("not_for_us", "courier_busy") and
    StorageRefused.
    """
    with _alone(town.home / LOCK):
        found = survey(town, file)
        told = _about(town, found)
        _land(town, file, found, told, progress)
        return _finished(town, found, told, file)


def _land(
    town: Any, file: BinaryIO, found: Survey, told: Arrived, progress: Progress | None
) -> None:
    """Take what is for us, under the name of whoever made the part of the file it lies in."""
    landing = Landing(town, told)
    reader = Reader(town.id, [key.private for key in town.journal.keyring.hpke])
    current = next(iter(found.headers.values()), None)
    maker = _maker(town, current)
    for item in items(reader, file, progress):
        if item.kind == bundle.HEADER:
            current = found.headers.get(item.raw, current)
            maker = _maker(town, current)
        elif found.is_ours(current):
            landing.take(item, maker)
    landing.finish()
    told.damaged = reader.damaged


def _about(town: Any, found: Survey) -> Arrived:
    """Begin the report by what the file says of itself."""
    told = Arrived(planned=sum(each.counts.public + each.counts.private for each in found.ours))
    for first in found.ours[:1]:
        told.town, told.name = first.town, first.names[0]
        told.made_ms = min(first.made_ms, LATEST_MS)
        told.is_for_anyone = first.to is None
        newest_ms = carriages.newest_made_ms(first.town, first.id) or 0
        is_older = told.made_ms < newest_ms < town.clock.now_ms() + MAX_FUTURE_MS
        told.older_ms = newest_ms if is_older else None
    for each in found.ours:
        if _maker(town, each):  # it was restored: what it promised before no longer counts
            partners.raise_fence(each.town, each.gen)
    return told


def _finished(town: Any, found: Survey, told: Arrived, file: BinaryIO) -> Arrived:
    header = next(iter(found.ours), None)
    is_whole = told.found >= told.planned and not told.damaged
    told.outcome = "locked" if told.locked else "ok" if is_whole else "torn"
    if header is None and told.confirmed and not told.found:
        told.outcome = "receipt"
        return told
    if header is not None and header.to == town.id and _maker(town, header):
        told.receipt = receipts.give(town, header, told.verdicts, told.sealed)
    row = carriages.note(
        carriages.IN, told.town, header.id if header else b"", made_ms=told.made_ms,
        at_ms=town.clock.now_ms(), outcome=told.outcome, planned=told.planned, found=told.found,
        stored=told.verdicts["stored"], refused=told.refusals, photos=told.photos,
        size_bytes=file.seek(0, 2), receipt=told.receipt,
    )  # fmt: skip
    told.carriage = row.id
    is_all = told.holds(*(sum(each.counts[at] for each in found.ours) for at in (0, 1)))
    if header is not None and told.outcome == "ok" and is_all:
        _hear(town, header)
    if told.verdicts["stored"]:
        partners.hasten(town.clock.now_ms())
    return told


def _hear(town: Any, header: Header) -> None:
    """A whole file made for us by who knows of our last restore tells as much as a visit."""
    gen = marks.number(marks.RESTORED_S)
    if header.to == town.id and header.fence >= gen and _maker(town, header):
        town.engagements.heard(header.town, gen)


def _maker(town: Any, header: Header | None) -> bytes | None:
    """Return who made the file, if that is a partner whose signature counts."""
    if header is None or not receipts.believed(town, header.town, header.keyset):
        return None
    return header.town


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one file be read at a time; the system lets go of the lock when a process dies.

    Raises Conflict("courier_busy").
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = N_("Another file is being read right now. Please try again soon.")
            raise Conflict("courier_busy", message) from None
        yield
    finally:
        os.close(handle)
