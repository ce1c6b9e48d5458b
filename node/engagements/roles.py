"""Who a member is in an engagement, and what they may do in it now.

Nobody decides on what they asked themselves; the desk acts for whoever keeps the listing.
"""

from node.domain.lifecycle import REVOKE, WITHDRAW, Transition
from node.engagements import gate, verdicts
from node.engagements.between.arrivals import fence
from node.engagements.between.asker import is_leaving
from node.engagements.ground import Ground
from node.store.people import members
from node.store.promises.engagements import Engagement

DOERS = {"asker": "self", "keeper": "keeper", "staff": "desk"}  # how an act in a role is signed
DESK = ("moderator", "admin")


def roles(ground: Ground, row: Engagement, member_id: int) -> tuple[str, ...]:
    """Return what a member is in an engagement: asker, keeper, staff, or nothing."""
    if row.asker_town == ground.town and row.asker == member_id:
        return ("asker",)
    if not ground.decides(row):
        return ()
    if row.keeper == member_id:
        return ("keeper",)
    member = members.find(member_id)
    if member is None or member.role not in DESK:
        return ()
    return ("staff",) if row.keeper is not None else ("keeper", "staff")


def doer(ground: Ground, row: Engagement, member_id: int, role: str) -> str:
    """Return how an act of a member in `role` is signed in the list; raises NotAllowed."""
    if role not in roles(ground, row, member_id):
        raise verdicts.refusal(verdicts.NOT_ALLOWED)
    return DOERS[role]


def buttons(ground: Ground, row: Engagement, member_id: int) -> tuple[Transition, ...]:
    """Return what a member may do now, in the order of the table."""
    mine = roles(ground, row, member_id)
    if row.final or not mine:
        return ()
    if ground.decides(row) and not ground.is_here(row) and gate.is_closed(row.asker_town):
        return ()
    state, role = ground.state(row), "asker" if "asker" in mine else "keeper"
    offered = ground.lifecycle(row).actions(row.state, role)
    if role == "asker" and not ground.decides(row):
        if is_leaving(row):
            return ()
        if row.gen < fence(row.home) or gate.is_closed(row.home):
            offered = tuple(each for each in offered if each.action == WITHDRAW)
    may_revoke = state.takes and state.leavable  # before there is a yes, one declines
    return tuple(each for each in offered if each.action != REVOKE or may_revoke)
