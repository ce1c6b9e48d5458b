"""The returned: records of ours that other towns brought back to us, counted for a person."""

from federation.record import LIVE
from node.store.sets.records import RecordRow


def since(town: bytes, at_ms: int) -> tuple[int, int]:
    """Return (live, buried) records of `town` brought by others since `at_ms` (UTC)."""
    query = RecordRow.select(RecordRow.state).where(
        RecordRow.origin == town, RecordRow.received_ms >= at_ms, RecordRow.carrier != b""
    )
    states = [state for (state,) in query.tuples()]
    return states.count(LIVE), len(states) - states.count(LIVE)


def addressees(town: bytes) -> set[bytes]:
    """Return the towns that sealed records of `town` are addressed to: it knew them."""
    query = RecordRow.select(RecordRow.to).where(
        RecordRow.origin == town, RecordRow.to.is_null(False)
    )
    return {to for (to,) in query.distinct().tuples()}
