"""The projection: what a held record looks like to the pages. Disposable, made from records alone.

A record that cannot be shown (a kind of a newer version, a body that breaks the schema, a critical
field we do not know) stays held and relayed intact; it only has no row here.
"""

import logging

from federation import codec
from federation.errors import ProtocolError
from federation.record import SCOPE_SEALED, Record
from federation.stamp import stamp_ms
from node.domain.errors import DomainError
from node.domain.listing import ListingBody, Place
from node.domain.practice import Facets, Practice, Registry
from node.journal import profile
from node.store.catalogue import codes, facets, listings
from node.store.network import towns

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
NOWHERE = Place()


def show(record: Record, registry: Registry) -> None:
    """Bring the read models up to date with a record that just won its register."""
    if record.scope == SCOPE_SEALED:
        return
    if record.kind == profile.KIND:
        _show_profile(record)
        return
    practice = registry.by_kind.get(record.kind)
    if record.is_tombstone:
        listings.close(record.origin, record.key, "withdrawn", stamp_ms(record.stamp))
    elif practice is not None and record.is_understood:
        _try_listing(record, practice)


def _try_listing(record: Record, practice: Practice) -> None:
    try:
        body = practice.schema.read(codec.loads(record.body))
    except (ProtocolError, DomainError) as error:
        log.info("record %s is held but not shown: %s", record.id.hex(), error)
        listings.close(record.origin, record.key, "unreadable", stamp_ms(record.stamp))
        return
    if not isinstance(body, ListingBody):
        raise TypeError(f"{practice.name}: a listing's body inherits ListingBody")
    _show_listing(record, practice, body)


def _show_listing(record: Record, practice: Practice, body: ListingBody) -> None:
    place = body.place or NOWHERE
    found = practice.facets(body)
    listing = listings.keep(
        record.origin,
        record.key,
        words=_words(body, place, found),
        record=record.id,
        practice=practice.name,
        kind=record.kind,
        code=codes.allocate(record.origin, record.key),
        title=body.title,
        text=body.text,
        verb=body.verb,
        place_name=place.name,
        lat_e6=place.lat_e6,
        lon_e6=place.lon_e6,
        insee=place.insee,
        quartier=body.quartier,
        who=body.who,
        state=body.state,
        ends_ms=None if body.ends is None else (body.ends + 1) * DAY_MS,
        created_ms=stamp_ms(record.stamp),
        updated_ms=stamp_ms(record.stamp),
        expires=record.expires,
        photo=body.photos[0].hash if body.photos else None,
        body=record.body,
        source=body.source.name if body.source else "",
        scope=record.scope,
    )
    facets.put(listing.id, found)


def _words(body: ListingBody, place: Place, found: Facets) -> tuple[str, ...]:
    return (body.text, place.name, body.quartier, *(value for _, value in found))


def _show_profile(record: Record) -> None:
    if record.is_tombstone:
        return
    try:
        said = profile.read(codec.loads(record.body))
    except (ProtocolError, DomainError) as error:
        log.info("profile of %s is not shown: %s", record.origin.hex(), error)
        return
    towns.put(record.origin, stamp_ms(record.stamp), **profile.columns(said))
