"""The pictured: which listings show photos, and which of those photos are asked of whom."""

import peewee

from federation.record import SCOPE_PARTNERS
from node.store.catalogue import blobs
from node.store.catalogue.blobs import Blob
from node.store.catalogue.listings import Listing
from node.store.database import write_tx

HERE = ("local", "remote")


def listings() -> list[tuple[int, bytes, bytes]]:
    """Return (row id, origin, record id) of each listing that shows a photo."""
    query = Listing.select(Listing.id, Listing.origin, Listing.record)
    return list(query.where(Listing.photo.is_null(False)).tuples())


def body(listing: int) -> bytes:
    """Return the signed body (CBOR) of a listing, b"" when it is gone."""
    return Listing.select(Listing.body).where(Listing.id == listing).scalar() or b""


def asked(partner: bytes) -> set[bytes]:
    """Return the photos last asked of a partner, whether still wanted or given up."""
    query = Blob.select(Blob.hash).where(Blob.wanted_from == partner)
    return {digest for (digest,) in query.tuples()}


def lost(digest: bytes) -> int:
    """Forget that a photo was here, its file being gone; return 1 if it was known, else 0."""
    with write_tx():
        here: peewee.Expression = Blob.status.in_(HERE)
        return Blob.delete().where(Blob.hash == digest, here).execute()


def kept_between(digest: bytes) -> set[bytes]:
    """Return the towns that show a photo to their partners alone, none if anyone may see it."""
    shown = _showing(digest, Listing.scope == SCOPE_PARTNERS)
    if not shown or _showing(digest, Listing.scope != SCOPE_PARTNERS):
        return set()
    return shown


def is_hidden(digest: bytes) -> bool:
    """Return whether only listings that are hidden here show a photo."""
    hidden = _showing(digest, Listing.hidden > "")
    return bool(hidden) and not _showing(digest, Listing.hidden == "")


def _showing(digest: bytes, where: peewee.Expression) -> set[bytes]:
    query = Listing.select(Listing.origin, Listing.photo, Listing.body).where(
        where, Listing.photo.is_null(False)
    )
    return {
        origin
        for origin, first, body in query.tuples()
        if digest == first or digest in blobs.hashes(body)
    }
