"""The shown: the bodies of the public listings that show photos, by the town that wrote them."""

from collections.abc import Iterable, Iterator

from federation.record import SCOPE_PUBLIC
from node.store.catalogue.listings import LIVE_STATES, Listing


def bodies(origins: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the signed bodies (CBOR) of these towns' live public listings with photos, newest
    first.
    """
    query = Listing.select(Listing.body).where(
        Listing.photo.is_null(False),
        Listing.scope == SCOPE_PUBLIC,
        Listing.state.in_(LIVE_STATES),
        Listing.origin.in_(list(origins)),
    )
    for (body,) in list(query.order_by(Listing.updated_ms.desc(), Listing.id).tuples()):
        yield bytes(body)
