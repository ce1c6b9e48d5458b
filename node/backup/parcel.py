"""The parcel: the backup file, one encrypted stream of named parts and a signed list of them.

    "lavoir-backup/1\n", then a stream (federation.stream) only the archive key opens, in it:
    head, settings, keys, database, photo <hash> ..., list          each: length of its heading
    (2 bytes), heading CBOR [name, bytes], content
The names are these and no other: nothing in a backup can say where a file shall lie. The list is a
signed structure (COSE_Sign1) of the town, so nobody else's file passes for a backup of it.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

from federation import codec, keys
from federation.errors import ProtocolError
from federation.keys import SigningKey
from federation.stream import read_stream, write_stream
from node.backup.house import BackupError

TYPE = "lavoir-backup/1"
MAGIC = b"lavoir-backup/1\n"
HEAD, SETTINGS, KEYS, DATABASE, LIST = "head", "settings", "keys", "database", "list"
PHOTO = "photo "
HEAD_MAX_BYTES = 4_096
LIST_MAX_BYTES = 64_000_000

_NAME = re.compile(r"settings|keys|database|photo [0-9a-f]{64}")

Chunks = Iterator[bytes]
Taker = Callable[[str, int, Chunks], None]


class Head(NamedTuple):
    """What a reader may want to know before it takes the rest apart."""

    town: bytes
    made_ms: int
    name: str
    version: str  # of the software
    size_bytes: int  # of all parts, about


class Part(NamedTuple):
    """One part as the list tells it."""

    name: str
    size_bytes: int
    sha256: bytes


class Parcel(NamedTuple):
    """What a whole backup holds; `facts` is what its database said of itself."""

    head: Head
    parts: tuple[Part, ...]
    facts: dict[str, Any]
    signed: bytes  # the list, for who knows the town's keys

    def is_signed_by(self, public: bytes) -> bool:
        """Return whether the key `public` signed the list."""
        payload, signature = codec.sign1_split(self.signed)
        return keys.verify(public, signature, codec.sign1_message(payload))


class Packer:
    """Writes one backup file, part after part."""

    def __init__(self, out: Callable[[bytes], object], archive_public: bytes, head: Head) -> None:
        out(MAGIC)
        self._stream = write_stream(out, [archive_public], MAGIC)
        self._head = head
        self._parts: list[Part] = []
        self._put(HEAD, codec.dumps([TYPE, *head]))

    def add(self, name: str, size_bytes: int, chunks: Iterable[bytes]) -> None:
        """Write a part of exactly that size; raises BackupError when it changed meanwhile."""
        self._begin(name, size_bytes)
        digest, written = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            written += len(chunk)
            self._stream.write(chunk)
        if written != size_bytes:
            raise BackupError(f"{name} changed while it was read. Make the backup again.")
        self._parts.append(Part(name, size_bytes, digest.digest()))

    def close(self, facts: dict[str, Any], key: SigningKey) -> None:
        """Write the list and end the file."""
        listed = [TYPE, list(self._head), [list(part) for part in self._parts], facts]
        payload = codec.dumps(dict(enumerate(listed)))
        signature = key.sign(codec.sign1_message(payload))
        self._put(LIST, codec.sign1_join(payload, signature))
        self._stream.close()

    def _put(self, name: str, content: bytes) -> None:
        self._begin(name, len(content))
        self._stream.write(content)

    def _begin(self, name: str, size_bytes: int) -> None:
        heading = codec.dumps([name, size_bytes])
        self._stream.write(len(heading).to_bytes(2, "big") + heading)


def is_parcel(file: BinaryIO) -> bool:
    """Return whether a file begins as a backup does."""
    return file.read(len(MAGIC)) == MAGIC


def read_head(file: BinaryIO, privates: Sequence[bytes]) -> Head:
    """Return the head of a backup; raises BackupError."""
    with _sentences(file):
        return _head(_opened(file, privates))


def unpack(file: BinaryIO, privates: Sequence[bytes], take: Taker) -> Parcel:
    """Give every part to `take(name, bytes, chunks)`, which must use the chunks up.

    Returns what the list says once everything was found to be as it says. Raises BackupError for
    any byte that is not the one written.
    """
    with _sentences(file):
        source = _opened(file, privates)
        head, found = _head(source), dict[str, Part]()
        while (heading := source.heading())[0] != LIST:
            name, size = heading
            if name in found or not _NAME.fullmatch(name):
                raise _damaged("an unknown part")
            found[name] = _taken(source, name, size, take)
        parcel = _listed(source.content(heading[1], LIST_MAX_BYTES), head)
        source.end()
        if parcel.parts != tuple(found.values()):
            raise _damaged("the list tells other parts")
    return parcel


def _taken(source: "_Source", name: str, size: int, take: Taker) -> Part:
    digest = hashlib.sha256()

    def chunks() -> Chunks:
        for chunk in source.pieces(size):
            digest.update(chunk)
            yield chunk

    take(name, size, chunks())
    return Part(name, size, digest.digest())


def _head(source: "_Source") -> Head:
    name, size = source.heading()
    fields = codec.loads(source.content(size, HEAD_MAX_BYTES)) if name == HEAD else None
    forms = [str, bytes, int, str, str, int]
    if type(fields) is not list or [type(each) for each in fields] != forms or fields[0] != TYPE:
        raise _damaged("its head")
    return Head(*fields[1:])


def _listed(raw: bytes, head: Head) -> Parcel:
    payload, _ = codec.sign1_split(raw)
    fields: Any = codec.loads(payload)
    try:
        kind, told, parts, facts = (fields[number] for number in range(4))
        parcel = Parcel(Head(*told), tuple(Part(*each) for each in parts), dict(facts), raw)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged("its list") from error
    if kind != TYPE or parcel.head != head:
        raise _damaged("its list")
    return parcel


class _Source:
    """The plain bytes of a stream, read in pieces of any length."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""

    def heading(self) -> tuple[str, int]:
        """Read (name, bytes) of the next part."""
        length = int.from_bytes(self.content(2, 2), "big")
        fields = codec.loads(self.content(length, HEAD_MAX_BYTES))
        if type(fields) is not list or [type(each) for each in fields] != [str, int]:
            raise _damaged("a heading")
        return fields[0], fields[1]

    def content(self, size: int, most: int) -> bytes:
        """Read exactly `size` bytes at once."""
        if not 0 <= size <= most:
            raise _damaged("a length")
        return b"".join(self.pieces(size))

    def pieces(self, size: int) -> Chunks:
        """Yield `size` bytes as they come."""
        while size > 0:
            held = self._held or next(self._chunks, b"")
            if not held:
                raise _damaged("it ends too early")
            piece, self._held = held[:size], held[size:]
            size -= len(piece)
            yield piece

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self._held or any(self._chunks):
            raise _damaged("something follows its end")


def _opened(file: BinaryIO, privates: Sequence[bytes]) -> _Source:
    if not is_parcel(file):
        raise BackupError(f"{_name(file)} is not a backup of a town.")
    return _Source(read_stream(file.read, privates, MAGIC))


class _sentences:
    """Turn what the layers below say of a file into one sentence about it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _Damaged):
            raise BackupError(f"{_name(self._file)} is damaged ({error}). Use another backup.")
        if isinstance(error, ProtocolError) and error.code == "not_readable":
            raise BackupError(
                f"{_name(self._file)} was made for other keys. The key file of its own town or "
                "its 24 words open it."
            ) from error
        if isinstance(error, ProtocolError):
            raise BackupError(
                f"{_name(self._file)} is damaged ({error}). Use another backup."
            ) from error


class _Damaged(Exception):
    """A part is not where or what it must be."""


def _damaged(what: str) -> _Damaged:
    return _Damaged(what)


def _name(file: BinaryIO) -> str:
    return str(getattr(file, "name", "this file"))
