"""Who a member is in an engagement, and what they may do in it now.

Nobody decides on what they asked for, nor on what they wrote down for somebody else; who keeps one
listing is nobody for another; the desk acts for whoever keeps it (GRR #366).
"""

from node.domain.errors import NotAllowed
from node.domain.lifecycle import PROPOSING, REVOKE, WITHDRAW, Transition
from node.domain.words import N_
from node.engagements import gate, keeping, proposal, verdicts
from node.engagements.between.arrivals import fence
from node.engagements.between.asker import is_leaving
from node.engagements.ground import Ground
from node.engagements.proposing import brings_terms
from node.store.people import members
from node.store.promises import acts
from node.store.promises.engagements import Engagement

DOERS = {  # how an act in a role is signed
    "asker": "self",
    "aide": "aide",
    "keeper": "keeper",
    "staff": "desk",
}
SHUT_OUT = ("suspended", "erased")


def roles(ground: Ground, row: Engagement, member_id: int) -> tuple[str, ...]:
    """Return what a member is in an engagement: asker, keeper, staff, aide, or nothing.

    staff acts for the keeper, aide for an asker whose request was written down for them.
    """
    member = members.find(member_id)
    if member is None or member.status in SHUT_OUT:
        return ()
    if row.asker_town == ground.town and row.asker == member_id:
        return ("asker",)
    found, is_desk = [], keeping.is_desk(member)
    if ground.decides(row):
        kept_by = keeping.of_row(row)
        if member_id in kept_by or (is_desk and not kept_by):
            found.append("keeper")
        if is_desk and member_id not in kept_by:
            found.append("staff")
    if row.asker_town == ground.town and (found or is_desk) and acts.aides(row.id):
        found.append("aide")
    return tuple(found)


def may_see(ground: Ground, row: Engagement, member_id: int) -> bool:
    """Return whether a member may read an engagement: who has a part in it, and the desk."""
    return bool(roles(ground, row, member_id)) or keeping.is_desk(members.find(member_id))


def doer(ground: Ground, row: Engagement, member_id: int, role: str, action: str = "") -> str:
    """Return how an act of a member in `role` is signed in the list; raises NotAllowed."""
    if role not in roles(ground, row, member_id):
        raise verdicts.refusal(verdicts.NOT_ALLOWED)
    if role in ("keeper", "staff") and is_own_word(ground, row, member_id, action):
        message = N_("You wrote this request down yourself: somebody else answers it.")
        raise NotAllowed("own_request", message)
    return DOERS[role]


def keeping_side(ground: Ground, row: Engagement, member_id: int) -> str:
    """Return how an act of home's side is signed by a member; raises NotAllowed."""
    mine = roles(ground, row, member_id)
    side = next((each for each in ("staff", "keeper") if each in mine), "")
    if not side:
        raise verdicts.refusal(verdicts.NOT_ALLOWED)
    return DOERS[side]


def is_own_word(ground: Ground, row: Engagement, member_id: int, action: str) -> bool:
    """Return whether an act of the keeper's would answer what this member wrote down themselves.

    What follows a yes that somebody else (or the listing by itself) gave, they may do.
    """
    if row.final or member_id not in acts.aides(row.id):
        return False
    lifecycle = ground.lifecycle(row)
    found = lifecycle.find(row.state, action)
    brings_terms = found is not None and (found.proposes or action in PROPOSING)
    return lifecycle.is_undecided(row.state) or brings_terms


def buttons(
    ground: Ground, row: Engagement, member_id: int, role: str = ""
) -> tuple[Transition, ...]:
    """Return what a member may do now by one press: answers to a proposal, then the table's.

    As aide for the asker if `role` says so, else on their own side.
    """
    offered = _offered(ground, row, member_id, role)
    return tuple(each for each in offered if not brings_terms(each))


def proposable(
    ground: Ground, row: Engagement, member_id: int, role: str = ""
) -> tuple[Transition, ...]:
    """Return what a member may do now that needs a form: other terms, to be agreed on."""
    return tuple(each for each in _offered(ground, row, member_id, role) if brings_terms(each))


def _offered(ground: Ground, row: Engagement, member_id: int, role: str) -> tuple[Transition, ...]:
    mine = roles(ground, row, member_id)
    role = role or next((each for each in ("asker", "keeper", "staff") if each in mine), "")
    if row.final or role not in mine:
        return ()
    if ground.decides(row) and not ground.is_here(row) and gate.is_closed(row.asker_town):
        return ()
    state, part = ground.state(row), "asker" if role in ("asker", "aide") else "keeper"
    offered = ground.lifecycle(row).actions(row.state, part)
    if part == "asker" and not ground.decides(row):
        if is_leaving(row):
            return ()
        if row.gen < fence(row.home) or gate.is_closed(row.home):
            return tuple(each for each in offered if each.action == WITHDRAW)
    may_revoke = state.takes and state.leavable  # before there is a yes, one declines
    offered = tuple(each for each in offered if each.action != REVOKE or may_revoke)
    found = proposal.narrowed(ground, row, part, offered)
    if part == "asker":
        return found
    return tuple(each for each in found if not is_own_word(ground, row, member_id, each.action))
