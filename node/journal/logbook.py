"""The logbook: one append-only file outside every backup, where promises are noted first.

A restored database has forgotten what it promised since its backup; this file has not. Lines are
written and synced inside the transaction they tell of, just before it commits. So a committed
change without a line is impossible, and a line whose change was rolled back is voided by the next
one, or done again at the next start (`node.engagements.recovery`).

File `<home>/logbook`, one line of text each: base64 of CBOR [1, seq, at ms, kind, about, until ms,
is of a transaction, sealed body], a space, CRC-32 in hex. Only the archive key opens a body (SPEC
13). `seq` grows like a stamp, whatever the clock does, so two logbooks can be put in order too.
"""

import base64
import binascii
import fcntl
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, cast

from federation import codec
from federation.errors import ProtocolError
from federation.seal import Context, HpkeKey, open_body, seal_body
from node.domain.clock import Clock, SystemClock
from node.store.database import StorageRefused, refusal

FILE = "logbook"
TYPE = "lavoir-logbook/1"
VERSION = 1
VOID = "void"  # `about` is the seq of a group whose transaction was rolled back
BEGIN = "begin"  # the first line of a logbook: all that was known then follows it
FOR_EVER_MS = 0
DAY_MS = 86_400_000
KEPT_DAYS = 1_200  # of a line about nothing that a newer one replaces: longer than any backup


class Entry(NamedTuple):
    """What is to be noted: a newer line of one kind `about` the same thing replaces the older.

    `about` is at most 32 bytes that say nothing to a stranger; b"" replaces nothing. After
    `until_ms` (0: never) the line may be dropped.
    """

    kind: str
    body: dict[Any, Any]
    about: bytes = b""
    until_ms: int = FOR_EVER_MS


class Frame(NamedTuple):
    """One line as it lies in the file: everything but what only the archive key can read."""

    seq: int
    at_ms: int
    kind: str
    about: bytes
    until_ms: int
    is_tx: bool
    sealed: bytes
    raw: bytes


class Line(NamedTuple):
    """One line, opened."""

    at_ms: int
    kind: str
    body: dict[Any, Any]
    seq: int = 0
    about: bytes = b""


@dataclass
class Standing:
    """How far a logbook goes: `groups` are the seqs of its transactions not voided, in order.

    `torn` counts damaged lines at its end (a power cut: they never counted), `rotten` those before:
    then it is not whole.
    """

    last_seq: int = 0
    groups: list[int] = field(default_factory=list)
    torn: int = 0
    rotten: int = 0
    has_begun: bool = False
    sound_bytes: int = 0

    @property
    def last_group(self) -> int:
        """Return the seq of the newest transaction noted, 0 for none."""
        return self.groups[-1] if self.groups else 0

    def take(self, raw: bytes, frame: Frame | None) -> None:
        """Count one more line of `raw` bytes, None if it is damaged."""
        if frame is None:
            self.torn += 1
            return
        self.rotten += self.torn
        self.torn = 0
        self.last_seq = max(self.last_seq, frame.seq)
        self.has_begun = self.has_begun or frame.kind == BEGIN
        if frame.kind == VOID:
            voided = int.from_bytes(frame.about, "big")
            self.groups = [seq for seq in self.groups if seq != voided]
        elif frame.is_tx and self.last_group != frame.seq:
            self.groups = [*self.groups[-63:], frame.seq]


class Logbook:
    """The logbook of one town; several processes may write to it."""

    def __init__(self, home: Path, archive_public: bytes, clock: Clock | None = None) -> None:
        self.path = home / FILE
        self._public = archive_public
        self._clock = clock or SystemClock()
        self._standing = Standing()
        self._read_bytes = 0
        self._inode = 0
        self._lock = threading.RLock()

    def exists(self) -> bool:
        """Return whether there is a logbook that was begun."""
        return self.path.exists() and self.standing().has_begun

    def standing(self) -> Standing:
        """Return how far the file goes now, whoever wrote to it."""
        with self._lock:
            if not self.path.exists():
                self._standing, self._read_bytes, self._inode = Standing(), 0, 0
            else:
                with self.path.open("rb") as file:
                    self._catch_up(file)
            return self._standing

    def write(
        self, kind: str, body: dict[Any, Any], *, about: bytes = b"", until_ms: int = FOR_EVER_MS
    ) -> None:
        """Note one thing by itself; it is on the disk when this returns. Raises StorageRefused."""
        self.write_all([Entry(kind, body, about, until_ms)])

    def write_all(
        self, entries: Sequence[Entry], *, is_tx: bool = False, after_seq: int = 0
    ) -> int:
        """Note several things under one number with one sync; return that number.

        `is_tx`: they are what one transaction of the database changes, and the caller keeps the
        number in it. The number is greater than `after_seq` and all others of the file. Raises
        StorageRefused: then nothing was noted.
        """
        with self._lock, self._open() as file:
            now_ms = self._clock.now_ms()
            seq = max(now_ms << 16, self._standing.last_seq + 1, after_seq + 1)
            raws = [self._raw(seq, now_ms, each, is_tx) for each in entries]
            self._append(file, b"".join(raws))
            for raw in raws:
                self._standing.take(raw, _parsed(raw))
        return seq

    def begin(self, entries: Iterable[Entry], after_seq: int) -> int:
        """Begin the book anew with all that is known; the old file is replaced in one step.

        What it noted beside the transactions stays. Call it inside write_tx().
        """
        now_ms = self._clock.now_ms()
        seq = max(now_ms << 16, self.standing().last_seq + 1, after_seq + 1)
        kept = [each.raw for each in self._frames() if not each.is_tx and each.kind != VOID]
        fresh = (self._raw(seq, now_ms, each, True) for each in (Entry(BEGIN, {}), *entries))
        self._replace(chain(kept, fresh))
        return seq

    def compact(self, now_ms: int, *, gone: Iterable[bytes] = ()) -> int:
        """Drop lines that a newer one replaced, that had their time, or are about `gone`.

        Crash-safe: the new file takes the old one's place in one step. Call it inside write_tx(),
        so that nobody writes meanwhile. Returns the bytes saved.
        """
        before = self.path.stat().st_size if self.path.exists() else 0
        if not before:
            return 0
        dropped, voided = set(gone), self._voided()
        newest = {(f.kind, f.about): f.raw for f in frames(self.path) if _may_stay(f, voided)}
        kept = (
            frame.raw
            for frame in frames(self.path)
            if _may_stay(frame, voided)
            and frame.about not in dropped - {b""}
            and not 0 < _until_ms(frame) < now_ms
            and (not frame.about or newest[frame.kind, frame.about] == frame.raw)
        )
        self._replace(kept)
        return before - self.path.stat().st_size

    def _frames(self) -> Iterator[Frame]:
        return frames(self.path) if self.path.exists() else iter(())

    # ── the file ─────────────────────────────────────────────────────────────────────────────

    def _sync(self, handle: int) -> None:
        os.fdatasync(handle)

    def _sync_folder(self, folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            self._sync(handle)
        finally:
            os.close(handle)

    def _voided(self) -> set[int]:
        return {int.from_bytes(f.about, "big") for f in frames(self.path) if f.kind == VOID}

    def _raw(self, seq: int, now_ms: int, entry: Entry, is_tx: bool) -> bytes:
        sealed = seal_body(
            codec.dumps(entry.body),
            to_public=self._public,
            archive_public=self._public,
            context=_context(entry.about, entry.kind),
        )
        head = [VERSION, seq, now_ms, entry.kind, entry.about, entry.until_ms, is_tx, sealed]
        text = base64.b64encode(codec.dumps(head))
        return b"%s %08x\n" % (text, binascii.crc32(text))

    def _append(self, file: Any, raw: bytes) -> None:
        """Write behind the last sound line: what a power cut tore never counted."""
        end = self._standing.sound_bytes
        try:
            os.ftruncate(file.fileno(), end)
            os.pwrite(file.fileno(), raw, end)
            self._sync(file.fileno())
        except OSError as error:
            os.ftruncate(file.fileno(), end)
            raise _refused(error) from error
        self._standing.torn = 0
        self._standing.sound_bytes = self._read_bytes = end + len(raw)

    def _replace(self, raws: Iterable[bytes]) -> None:
        part = self.path.with_name(FILE + ".part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "wb") as file:
                for raw in raws:
                    file.write(raw)
                file.flush()
                self._sync(file.fileno())
            os.replace(part, self.path)
            self._sync_folder(self.path.parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise _refused(error) from error

    @contextmanager
    def _open(self) -> Iterator[Any]:
        """Hold the file for writing, read up to its end; made when it is not there."""
        while True:
            is_new = not self.path.exists()
            try:
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise _refused(error) from error
            with os.fdopen(handle, "rb+", buffering=0) as file:
                if is_new:
                    self._sync_folder(self.path.parent)
                fcntl.flock(file, fcntl.LOCK_EX)
                if not _is_at(self.path, file):  # replaced between open and lock
                    continue
                self._catch_up(file)
                yield file
                return

    def _catch_up(self, file: Any) -> None:
        """Read what others wrote since; all of it again when the file is another one."""
        status = os.fstat(file.fileno())
        if status.st_ino != self._inode or status.st_size < self._read_bytes:
            self._standing, self._read_bytes = Standing(), 0
            self._inode = status.st_ino
        if status.st_size == self._read_bytes:
            return
        standing = self._standing
        file.seek(standing.sound_bytes)
        standing.torn, at = 0, standing.sound_bytes
        for raw in _raws(file):
            at += len(raw)
            frame = _parsed(raw)
            standing.take(raw, frame)
            if frame is not None:
                standing.sound_bytes = at
        self._read_bytes = status.st_size


def read(home: Path, archive_private: bytes, after_seq: int = 0) -> Iterator[Line]:
    """Yield the lines of the logbook in `home` after `after_seq`, oldest first, opened.

    Damaged lines, and those of transactions that were rolled back, are passed over.
    """
    path, key = home / FILE, HpkeKey.from_private(archive_private)
    if not path.exists():
        return
    voided = {int.from_bytes(f.about, "big") for f in frames(path) if f.kind == VOID}
    for frame in frames(path):
        if frame.seq <= after_seq or frame.seq in voided or frame.kind == VOID:
            continue
        try:
            body = codec.loads(open_body(frame.sealed, [key], _context(frame.about, frame.kind)))
        except ProtocolError:
            continue  # sealed to another town's archive, or damaged behind a right CRC
        yield Line(frame.at_ms, frame.kind, cast(dict[Any, Any], body), frame.seq, frame.about)


def frames(path: Path) -> Iterator[Frame]:
    """Yield the sound lines of a file in order, unopened."""
    with path.open("rb") as file:
        for raw in _raws(file):
            frame = _parsed(raw)
            if frame is not None:
                yield frame


def _raws(file: Any) -> Iterator[bytes]:
    """Yield the lines from here on, each with its end; a buffered reader of the same file."""
    with open(os.dup(file.fileno()), "rb") as reader:
        yield from reader


def _parsed(raw: bytes) -> Frame | None:
    """Return what one line says, None for a damaged one."""
    text, _, crc = raw.rstrip(b"\n").partition(b" ")
    try:
        if not raw.endswith(b"\n") or crc != b"%08x" % binascii.crc32(text):
            return None
        fields = codec.loads(base64.b64decode(text, validate=True))
        forms = (int, int, int, str, bytes, int, bool, bytes)
        if type(fields) is not list or tuple(map(type, fields)) != forms or fields[0] != VERSION:
            return None
        return Frame(*fields[1:], raw)
    except (ProtocolError, ValueError):
        return None


def _may_stay(frame: Frame, voided: set[int]) -> bool:
    return frame.kind != VOID and frame.seq not in voided


def _until_ms(frame: Frame) -> int:
    if frame.until_ms or frame.about or frame.kind == BEGIN:
        return frame.until_ms
    return frame.at_ms + KEPT_DAYS * DAY_MS


def _context(about: bytes, kind: str) -> Context:
    return Context(b"", about, f"{TYPE} {kind}", b"")


def _is_at(path: Path, file: Any) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


def _refused(error: OSError) -> BaseException:
    told = refusal(error)
    if isinstance(told, StorageRefused):
        return told
    words = {28: "disk is full", 30: "readonly", 13: "readonly"}.get(error.errno or 0, "disk I/O")
    return refusal(OSError(words))
