"""Records every node admits: listings, tombstones, a sealed request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from federation import record, seal
from federation.record import live_until, tombstone_until
from scripts.vectors.cast import Case, Cast, secret, stamp


def listings(cast: Cast) -> Iterator[Case]:
    """Live public records, the usual and the unusual."""
    usual = cast.signed("listing")
    yield "listing", usual.raw, "stored", "a public listing under the keyset in force"
    older = cast.signed("grace", signer="L2", keyset=cast.l2.number, stamp=stamp(40))
    yield "listing, keyset in grace", older.raw, "stored", "replaced less than 30 days ago"
    unknown = cast.signed("unknown kind", kind="bees.swarm/12")
    yield "unknown kind", unknown.raw, "stored", "relayed, not shown"
    extra = cast.signed("extra", extra={13: ["later", {0: True, 1: None}]})
    yield "unknown field", extra.raw, "stored", "a field of a later version is kept as it is"
    crit = cast.signed("crit", extra={14: 1, 20: b""}, crit=(14, 20))
    yield "critical field", crit.raw, "stored", "relayed, not shown by who knows no field 14"
    partners = cast.signed("partners", scope=record.SCOPE_PARTNERS)
    yield "partners only", partners.raw, "stored", "scope 1, from its origin to a partner"
    longest = cast.signed("longest", expires=live_until(stamp(5)))
    yield "longest life", longest.raw, "stored", "exactly 400 days"


def tombstones(cast: Cast) -> Iterator[Case]:
    """The end of a register."""
    at = stamp(4)
    buried: dict[str, Any] = {
        "state": record.TOMBSTONE,
        "body": b"",
        "expires": tombstone_until(at),
    }
    raw = cast.signed("tombstone", stamp=at, **buried).raw
    yield "tombstone", raw, "stored", "empty body, exactly 430 days"
    kept = cast.signed("partners", scope=record.SCOPE_PARTNERS, stamp=at, **buried).raw
    yield "tombstone of a listing", kept, "stored", "replaces the partners' listing above"


def sealed(cast: Cast, body: bytes) -> Iterator[Case]:
    """A request from Lorient to Quimper; HPKE draws a new key each time, so `body` is handed in."""
    context = sealed_place(cast)
    raw = cast.signed(
        "sealed",
        signer="L3",
        scope=record.SCOPE_SEALED,
        kind=context.kind,
        to=context.to,
        body=body,
    ).raw
    yield "sealed", raw, "stored", "opens with the addressee's key and with the archive key"


def sealed_place(cast: Cast) -> seal.Context:
    """Where the sealed vector belongs."""
    return seal.Context(cast.l1.town, secret("key sealed", 16), "request/1", cast.q1.town)


def sealed_inner(cast: Cast) -> dict[int, Any]:
    """What the sealed vector says."""
    place = sealed_place(cast)
    said = {0: place.kind, 1: secret("engagement", 16), 2: place.origin, 3: place.to, 4: 0, 5: 1}
    return said | {6: secret("key listing", 16), 9: []}


def new_body(cast: Cast) -> bytes:
    """Seal once; later runs keep the bytes found in sealed.json."""
    return seal.seal_message(
        sealed_inner(cast),
        cast.keys["L3"],
        to_public=cast.addressee.public,
        archive_public=cast.archive.public,
        context=sealed_place(cast),
    )
