"""A courier file to try things on: Lorient's, for Quimper, with the cast of the vectors."""

import hashlib

from federation import bundle
from federation.bundle import Counts, Freight, Reader
from federation.record import SCOPE_PARTNERS, SCOPE_SEALED, TOMBSTONE, tombstone_until
from scripts.vectors.cast import NOW_MS, Cast, stamp

CAST = Cast()
LORIENT, QUIMPER = CAST.l1.town, CAST.q1.town
KEYSETS = [CAST.l1, CAST.l3]
PHOTOS = [b"RIFF a small photo", b"RIFF another photo" * 40]


def public(count: int) -> list[bytes]:
    """Return public listings of Lorient."""
    return [CAST.signed(f"public {at}").raw for at in range(count)]


def buried(count: int) -> list[bytes]:
    """Return tombstones of Lorient."""
    began = stamp(1)
    changes = {"stamp": began, "expires": tombstone_until(began), "state": TOMBSTONE, "body": b""}
    return [CAST.signed(f"buried {at}", **changes).raw for at in range(count)]


def private() -> list[bytes]:
    """Return a listing for partners and a sealed record."""
    for_partners = CAST.signed("for partners", scope=SCOPE_PARTNERS)
    sealed = CAST.signed("sealed", scope=SCOPE_SEALED, to=QUIMPER, kind="request/1")
    return [for_partners.raw, sealed.raw]


def packed(
    to=QUIMPER, *, count=4, photos=PHOTOS, hidden=None, made_ms=NOW_MS, key="L3", keysets=KEYSETS
) -> bytes:
    """Return a whole file."""
    hidden = private() if hidden is None else hidden
    counts = Counts(count + 2, len(hidden) if to else 0, len(photos))
    header = bundle.sign_header(
        keysets,
        CAST.keys[key],
        to=to,
        made_ms=made_ms,
        as_of=20_601,
        gen=0,
        names=("Lorient", "Quimper" if to else ""),
        counts=counts,
        rows=[],
    )
    reader = CAST.addressee.public if to else None
    freight = Freight(
        [each.raw for each in keysets], buried(2), hidden, public(count), photos, reader
    )
    return b"".join(bundle.write(header, to, freight))


def unpacked(raw: bytes, *, block: int = 1 << 16, town=QUIMPER, privates=None):
    """Return (items, damaged places) of a file read in blocks of that many bytes."""
    keys = [CAST.addressee.private] if privates is None else privates
    reader = Reader(town, keys)
    items = [item for at in range(0, len(raw), block) for item in reader.feed(raw[at : at + block])]
    items += reader.end()
    return items, reader.damaged


def of_kind(items, *kinds) -> list[bytes]:
    """Return the bytes of the items of these kinds."""
    return [each.raw for each in items if each.kind in kinds]


def digest(raw: bytes) -> bytes:
    """Return the SHA-256 of some bytes."""
    return hashlib.sha256(raw).digest()
