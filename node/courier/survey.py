"""The survey: what lies in a file and for whom, found out before anything of it is taken."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO

from federation import bundle
from federation.bundle import Header, Item, Reader, parse_header
from federation.errors import RemoteProtocolError
from node.domain.errors import Conflict, Invalid, Problem
from node.domain.words import N_

Progress = Callable[[int, int], None]

BLOCK_BYTES = 256 * 1024
HEADERS_MAX = 64  # files in one file: each costs three checks of a signature


@dataclass
class Survey:
    """The headers of a file that prove their maker, by their bytes, in the order they came."""

    town: bytes
    headers: dict[bytes, Header] = field(default_factory=dict)

    @property
    def ours(self) -> list[Header]:
        """Return those that are for us, or for anyone."""
        return [each for each in self.headers.values() if self.is_ours(each)]

    def is_ours(self, header: Header | None) -> bool:
        """Whether what follows a header is to be read here; so it is where there is none."""
        return header is None or header.to in (None, self.town)

    def note(self, raw: bytes) -> None:
        """Keep a header that is believed; others say nothing."""
        if raw not in self.headers and len(self.headers) < HEADERS_MAX:
            try:
                self.headers[raw] = parse_header(raw)
            except RemoteProtocolError:
                return


def survey(town: Any, file: BinaryIO) -> Survey:
    """Read a file once for its headers.

    Raises Invalid for a file that is none of ours, Conflict for one that is for others alone.
    """
    found, kinds = Survey(town.id), Counter[str]()
    for item in items(Reader(town.id, []), file):
        kinds[item.kind] += 1
        if item.kind == bundle.HEADER:
            found.note(item.raw)
    if not kinds.keys() - {bundle.STRANGE, bundle.PHOTO}:
        raise Invalid([_problem()])
    if found.headers and not found.ours:
        raise _not_for_us(next(iter(found.headers.values())))
    return found


def items(reader: Reader, file: BinaryIO, progress: Progress | None = None) -> Iterator[Item]:
    """Read a file from its beginning, a block at a time."""
    total = file.seek(0, 2)
    file.seek(0)
    while block := file.read(BLOCK_BYTES):
        yield from reader.feed(block)
        if progress:
            progress(file.tell(), total)
    yield from reader.end()


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
