"""Who is told what: a notice queued in the transaction of what happened, worded when it is sent.

Kinds: engagement_asked (to the keeper), engagement_moved (to the side that did not act),
engagement_unanswered (to the asker, when their own town withdrew for them).
"""

from node.engagements.ground import Ground, written
from node.store import notices
from node.store.promises.engagements import Engagement

ASKED = "engagement_asked"
MOVED = "engagement_moved"
UNANSWERED = "engagement_unanswered"


def tell_keeper(ground: Ground, row: Engagement, kind: str = MOVED) -> None:
    """Queue a notice for the keeper, if they are a member of this town."""
    _tell(ground, row, row.keeper if row.home == ground.town else None, kind)


def tell_asker(ground: Ground, row: Engagement, kind: str = MOVED) -> None:
    """Queue a notice for the asker, if they are a member of this town."""
    _tell(ground, row, row.asker if row.asker_town == ground.town else None, kind)


def _tell(ground: Ground, row: Engagement, member: int | None, kind: str) -> None:
    if member is not None:
        notices.queue(
            kind,
            now_ms=ground.now_ms(),
            member=member,
            engagement=row.id,
            params=written({"state": row.state}),
        )
