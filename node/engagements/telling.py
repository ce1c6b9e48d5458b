"""Who is told what: a notice queued in the transaction of what happened, worded when it is sent.

Kinds: engagement_asked (to the keeper), engagement_moved (to the side that did not act),
engagement_unanswered (to the asker, when their own town withdrew for them), engagement_message (to
who has not read what the other side wrote), engagement_reminded (to whoever's turn it is),
engagement_warned (to who holds something that is broken), engagement_late (to both sides of what
was promised soon and is not back yet).
"""

from typing import Any

from node.engagements import keeping
from node.engagements.ground import Ground, written
from node.store import notices
from node.store.promises.engagements import Engagement

ASKED = "engagement_asked"
MOVED = "engagement_moved"
UNANSWERED = "engagement_unanswered"
MESSAGE = "engagement_message"
REMINDED = "engagement_reminded"
WARNED = "engagement_warned"
LATE = "engagement_late"
KINDS = (ASKED, MOVED, UNANSWERED, MESSAGE, REMINDED, WARNED, LATE)
TOGETHER_MS = 10 * 60_000  # messages written within it are told of once


def tell_keeper(ground: Ground, row: Engagement, kind: str = MOVED) -> None:
    """Queue a notice for everybody who keeps it, if it is of this town."""
    _tell(ground, row, "keeper", kind)


def tell_asker(ground: Ground, row: Engagement, kind: str = MOVED) -> None:
    """Queue a notice for the asker, if they are a member of this town."""
    _tell(ground, row, "asker", kind)


def tell_message(ground: Ground, row: Engagement, side: str) -> None:
    """Queue, once in TOGETHER_MS, that the other side wrote to the asker or the keeper."""
    for member in readers(ground, row, side):
        if not notices.is_waiting(member, row.id, kind=MESSAGE):
            _queue(ground, row, member, MESSAGE, after_ms=TOGETHER_MS)


def remind(ground: Ground, row: Engagement, side: str) -> bool:
    """Queue a reminder for a side; return whether it has somebody in this town.

    Whoever has a notice of this very state waiting already reads there how it stands.
    """
    told, params = readers(ground, row, side), _state_of(row)
    for member in told:
        if not notices.is_waiting(member, row.id, params=params):
            _queue(ground, row, member, REMINDED, params=params)
    return bool(told)


def warn(ground: Ground, row: Engagement, side: str, kind: str = WARNED) -> None:
    """Queue, once while it waits, that what an engagement is about is broken, or not back yet."""
    for member in readers(ground, row, side):
        if not notices.is_waiting(member, row.id, kind=kind):
            _queue(ground, row, member, kind, params=_state_of(row))


def readers(ground: Ground, row: Engagement, side: str) -> tuple[int, ...]:
    """Return the members of this town who are told as asker or keeper, () if none is ours."""
    if side == "keeper":
        return keeping.whom_to_tell(row) if row.home == ground.town else ()
    is_ours = row.asker_town == ground.town and row.asker is not None
    return (row.asker,) if is_ours else ()


def _tell(ground: Ground, row: Engagement, side: str, kind: str) -> None:
    for member in readers(ground, row, side):
        _queue(ground, row, member, kind, params=_state_of(row))


def _state_of(row: Engagement) -> str:
    """What a notice says is so; when it is no longer so as it leaves, it is not sent."""
    return written({"state": row.state, "since_ms": row.since_ms})


def _queue(ground: Ground, row: Engagement, member: int, kind: str, **more: Any) -> None:
    now_ms = ground.now_ms()
    notices.queue(kind, now_ms=now_ms, member=member, engagement=row.id, **more)
