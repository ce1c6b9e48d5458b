"""A courier file made here: everything one partner may see, or what anyone may."""

import contextlib
import os
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from federation import bundle
from federation.limits import ORIGINS_MAX
from node.courier.load import Load, Moved, list_load
from node.domain.errors import Conflict
from node.domain.words import N_
from node.store import marks
from node.store.database import write_tx
from node.store.durable import sync_file
from node.store.network import carriages, partners, towns

Progress = Callable[[int, int], None]

TRIES = 3  # while somebody publishes; the last one keeps others from writing


@dataclass(frozen=True)
class Made:
    """What went into a file: counts, its size; `is_sealed` False: the partner's key is not here,
    so nothing private went.
    """

    bundle: bytes
    to: bytes | None
    public: int
    private: int
    photos: int
    size_bytes: int
    is_sealed: bool


def export_file(
    town: Any,
    partner: bytes | None,
    path: Path,
    *,
    with_photos: bool = True,
    progress: Progress | None = None,
) -> Made:
    """Write a courier file so that a power cut leaves it whole or absent.

    Raises Conflict("not_confirmed") and OSError (a full or absent stick).
    """
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as out:
            made = write_to(town, partner, out, with_photos=with_photos, progress=progress)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
    _sync(path.parent)
    return made


def write_to(
    town: Any,
    partner: bytes | None,
    out: BinaryIO,
    *,
    with_photos: bool = True,
    progress: Progress | None = None,
) -> Made:
    """Write a courier file into `out` from its beginning, and note it in the history.

    Raises Conflict("not_confirmed") for a town whose words were not compared.
    """
    if partner is not None and not partners.is_linked(partner):
        raise Conflict("not_confirmed", N_("Compare the six words with this town first."))
    for _ in range(TRIES - 1):
        with contextlib.suppress(Moved):
            return _written(town, partner, out, with_photos, progress)
    with write_tx():
        return _written(town, partner, out, with_photos, progress)


def _written(
    town: Any, partner: bytes | None, out: BinaryIO, with_photos: bool, progress: Progress | None
) -> Made:
    reader = _sealing_key(partner)
    load = list_load(town, partner, reader, with_photos=with_photos)
    header = _header(town, load)
    out.seek(0)
    out.truncate()
    total, done = sum(load.counts), 0
    for done, piece in enumerate(bundle.write(header, partner, load.freight())):
        out.write(piece)
        if progress and done % 100 == 0:
            progress(min(done, total), total)
    if progress:
        progress(total, total)
    read = bundle.parse_header(header)
    size_bytes = out.tell()
    carriages.note(
        carriages.OUT, partner or b"", read.id, made_ms=read.made_ms, at_ms=read.made_ms,
        planned=load.counts.public + load.counts.private, photos=load.counts.photos,
        size_bytes=size_bytes,
    )  # fmt: skip
    return Made(read.id, partner, *load.counts, size_bytes, partner is None or reader is not None)


def _header(town: Any, load: Load) -> bytes:
    keyring = town.journal.keyring
    return bundle.sign_header(
        [keyring.genesis, keyring.keyset],
        keyring.signing,
        to=load.partner,
        made_ms=town.clock.now_ms(),
        as_of=load.as_of,
        gen=marks.number(marks.RESTORED_S),
        names=(_printable(town.config.name), _name_of(load.partner)),
        counts=load.counts,
        rows=load.rows[:ORIGINS_MAX],
        fence=_fence(load.partner),
    )


def _sealing_key(partner: bytes | None) -> bytes | None:
    known = towns.find(partner) if partner is not None else None
    return known.hpke or None if known is not None else None


def _fence(partner: bytes | None) -> int:
    """Return the last restore of the addressee we know of: what we hold of it since is in here."""
    held = partners.find(partner) if partner is not None else None
    return held.generation_s if held is not None else 0


def _name_of(partner: bytes | None) -> str:
    held = partners.find(partner) if partner is not None else None
    return _printable(held.name) if held is not None else ""


def _printable(name: str) -> str:
    kept = "".join(each for each in name if each.isprintable())
    return unicodedata.normalize("NFC", kept)[: bundle.NAME_MAX_CHARS]


def _sync(folder: Path) -> None:
    """Make the new name last; some file systems of sticks cannot, and need not, be told."""
    with contextlib.suppress(OSError):
        sync_file(folder)
