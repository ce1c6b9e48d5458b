"""A courier file read here: every record by the very door a visit uses, a batch at a time.

Read again, torn off in the middle or read in another order, it ends in the same state.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from federation import bundle
from federation.bundle import Header, Item, Reader, parse_header
from federation.errors import RemoteProtocolError
from node.courier import receipts
from node.courier.landing import Landing
from node.courier.report import Arrived
from node.domain.errors import Conflict, Invalid, Problem
from node.domain.words import N_
from node.store import marks
from node.store.network import carriages, partners

Progress = Callable[[int, int], None]

BLOCK_BYTES = 256 * 1024


def import_file(town: Any, path: Path, progress: Progress | None = None) -> Arrived:
    """Read a courier file or a receipt from disk. Raises as `import_from`, and OSError."""
    with path.open("rb") as file:
        return import_from(town, file, progress)


def import_from(town: Any, file: BinaryIO, progress: Progress | None = None) -> Arrived:
    """Read a courier file or a receipt from an open file that can be sought in.

    `progress(bytes read, bytes in all)` is told now and then. Stopped in the middle, what came in
    stays. Raises Invalid("not_a_bundle"), Conflict("not_for_us") and StorageRefused.
    """
    headers = _headers(town, file)
    told = _about(town, headers)
    landing = Landing(town, told)
    current = headers[0] if headers else None
    maker = _maker(town, current)
    for item in _items(town, file, told, progress):
        if item.kind == bundle.HEADER:
            current = _header(item.raw) or current
            maker = _maker(town, current)
        elif current is None or current.to in (None, town.id):
            landing.take(item, maker)
    landing.finish()
    return _finished(town, headers, told, file)


def _headers(town: Any, file: BinaryIO) -> list[Header]:
    """Find out what lies in the file before anything of it is taken.

    Raises Invalid for a file that is none of ours, Conflict for one that is for others alone.
    """
    found: dict[bytes, Header] = {}
    kinds: Counter[str] = Counter()
    for item in _items(town, file, None, None):
        kinds[item.kind] += 1
        header = _header(item.raw) if item.kind == bundle.HEADER else None
        if header is not None:
            found.setdefault(header.id, header)
    if not kinds.keys() - {bundle.STRANGE, bundle.PHOTO}:
        raise Invalid([_problem()])
    ours = [each for each in found.values() if each.to in (None, town.id)]
    if found and not ours:
        raise _not_for_us(next(iter(found.values())))
    return list(found.values())


def _about(town: Any, headers: list[Header]) -> Arrived:
    """Begin the report by what the file says of itself."""
    ours = [each for each in headers if each.to in (None, town.id)]
    told = Arrived(planned=sum(each.counts.public + each.counts.private for each in ours))
    if ours:
        first = ours[0]
        told.town, told.name, told.made_ms = first.town, first.names[0], first.made_ms
        told.is_for_anyone = first.to is None
        newest_ms = carriages.newest_made_ms(first.town, first.id)
        told.older_ms = newest_ms if newest_ms and newest_ms > first.made_ms else None
    for each in ours:
        if _maker(town, each):  # it was restored: what it promised before no longer counts
            partners.raise_fence(each.town, each.gen)
    return told


def _items(
    town: Any, file: BinaryIO, told: Arrived | None, progress: Progress | None
) -> Iterator[Item]:
    keys = [key.private for key in town.journal.keyring.hpke]
    reader = Reader(town.id, keys if told is not None else [])
    total = file.seek(0, 2)
    file.seek(0)
    while block := file.read(BLOCK_BYTES):
        yield from reader.feed(block)
        if progress:
            progress(file.tell(), total)
    yield from reader.end()
    if told is not None:
        told.damaged = reader.damaged


def _finished(town: Any, headers: list[Header], told: Arrived, file: BinaryIO) -> Arrived:
    header = next((each for each in headers if each.to in (None, town.id)), None)
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
    if header is not None and told.outcome == "ok":
        _hear(town, header)
    if told.verdicts["stored"]:
        partners.hasten(town.clock.now_ms())
    return told


def _hear(town: Any, header: Header) -> None:
    """A whole file made for us by who knows of our last restore tells as much as a visit."""
    gen = marks.number(marks.RESTORED_S)
    if header.to == town.id and header.fence >= gen and _maker(town, header):
        town.engagements.heard(header.town, gen)


def _header(raw: bytes) -> Header | None:
    try:
        return parse_header(raw)
    except RemoteProtocolError:
        return None


def _maker(town: Any, header: Header | None) -> bytes | None:
    """Return who made the file, if that is a partner whose signature counts."""
    if header is None or not receipts.believed(town, header.town, header.keyset):
        return None
    return header.town


def _problem() -> Problem:
    words = N_(
        "This is no courier file, or it was torn off at its very beginning. Please copy it again."
    )
    return Problem("file", "not_a_bundle", words)


def _not_for_us(header: Header) -> Conflict:
    return Conflict(
        "not_for_us",
        N_("This file is for %(town)s; %(maker)s made it on %(day)s. Nothing of it was taken."),
        town=header.names[1] or (header.to or b"").hex()[:8],
        maker=header.names[0] or header.town.hex()[:8],
        day=_day(header.made_ms),
    )


def _day(at_ms: int) -> str:
    """Return a day as anyone reads it; an impossible one as such."""
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
    except (OverflowError, ValueError, OSError):
        return "?"
