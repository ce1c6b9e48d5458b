"""The tombstones of a set: what goes first wherever records go."""

from federation.record import TOMBSTONE
from node.store.sets.records import RecordRow


def of_set(origin: bytes, scope: int) -> set[bytes]:
    """Return the ids of the tombstones held of one (origin, scope)."""
    query = RecordRow.select(RecordRow.id).where(
        RecordRow.origin == origin, RecordRow.scope == scope, RecordRow.state == TOMBSTONE
    )
    return {found for (found,) in query.tuples()}
