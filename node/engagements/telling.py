"""Who is told what: a notice queued in the transaction of what happened, worded when it is sent.

Kinds: engagement_asked (to the keeper), engagement_moved (to the side that did not act),
engagement_unanswered (to the asker, when their own town withdrew for them), engagement_message (to
who has not read what the other side wrote), engagement_reminded (to whoever's turn it is),
engagement_warned (to who holds something that is broken).
"""

from typing import Any

from node.engagements.ground import Ground, written
from node.store import notices
from node.store.promises.engagements import Engagement

ASKED = "engagement_asked"
MOVED = "engagement_moved"
UNANSWERED = "engagement_unanswered"
MESSAGE = "engagement_message"
REMINDED = "engagement_reminded"
WARNED = "engagement_warned"
KINDS = (ASKED, MOVED, UNANSWERED, MESSAGE, REMINDED, WARNED)
TOGETHER_MS = 10 * 60_000  # messages written within it are told of once


def tell_keeper(ground: Ground, row: Engagement, kind: str = MOVED) -> None:
    """Queue a notice for the keeper, if they are a member of this town."""
    _tell(ground, row, reader(ground, row, "keeper"), kind)


def tell_asker(ground: Ground, row: Engagement, kind: str = MOVED) -> None:
    """Queue a notice for the asker, if they are a member of this town."""
    _tell(ground, row, reader(ground, row, "asker"), kind)


def tell_message(ground: Ground, row: Engagement, side: str) -> None:
    """Queue, once in TOGETHER_MS, that the other side wrote to the asker or the keeper."""
    member = reader(ground, row, side)
    if member is not None and not notices.is_waiting(member, row.id, kind=MESSAGE):
        _queue(ground, row, member, MESSAGE, after_ms=TOGETHER_MS)


def tell_again(ground: Ground, row: Engagement, side: str, kind: str) -> bool:
    """Queue a reminder or a warning for a side; return whether that side is of this town.

    Whoever has a notice of this very state waiting already reads there how it stands.
    """
    member, params = reader(ground, row, side), _state_of(row)
    if member is not None and not notices.is_waiting(member, row.id, params=params):
        _queue(ground, row, member, kind, params=params)
    return member is not None


def reader(ground: Ground, row: Engagement, side: str) -> int | None:
    """Return the member of this town who is the asker or the keeper, None if it is not ours."""
    if side == "asker":
        return row.asker if row.asker_town == ground.town else None
    return row.keeper if row.home == ground.town else None


def _tell(ground: Ground, row: Engagement, member: int | None, kind: str) -> None:
    if member is not None:
        _queue(ground, row, member, kind, params=_state_of(row))


def _state_of(row: Engagement) -> str:
    """What a notice says is so; when it is no longer so as it leaves, it is not sent."""
    return written({"state": row.state, "since_ms": row.since_ms})


def _queue(ground: Ground, row: Engagement, member: int, kind: str, **more: Any) -> None:
    now_ms = ground.now_ms()
    notices.queue(kind, now_ms=now_ms, member=member, engagement=row.id, **more)
