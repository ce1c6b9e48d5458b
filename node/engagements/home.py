"""Home: the one place where an act on one of our listings is decided, by a person or the clock.

A local click and another town's act run the same functions, inside the same write transaction
(ENGAGEMENTS, One database transaction each, 1).
"""

import contextlib
import secrets

from node.domain.lifecycle import BOTH, CHANGE, PROPOSE, PROPOSING, WITHDRAW, Transition
from node.engagements import gate, line, opening, proposal, proposing, standing, verdicts
from node.engagements.between.post import publish
from node.engagements.between.registers import Deed
from node.engagements.capacity import Refused
from node.engagements.ground import Ground, because, read, written
from node.engagements.moves import affect, enter, note, stay
from node.engagements.telling import tell_asker, tell_keeper
from node.store.catalogue.listings import Listing
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

LAPSE = "lapse"
FELL = "proposal_lapse"
GONE = "gone"


def pass_on(ground: Ground, row: Engagement) -> Engagement:
    """Let every deadline that has passed have its effect, each at its own instant.

    So a late job changes nothing: the same states are entered at the same moments. What a partner
    may know better than a restored row waits until it was heard.
    """
    if _is_gated(ground, row):
        return row
    while not row.final:
        over_ms, is_proposal = _next_end(ground, row)
        if over_ms is None or ground.now_ms() < over_ms:
            break
        if is_proposal:
            row = stay(ground, row, answer=verdicts.LATE)
            note(row, secrets.token_bytes(8), FELL, over_ms, "home")
        else:
            row = enter(ground, row, row.lapses_to, over_ms, answer=verdicts.LATE)
            note(row, secrets.token_bytes(8), LAPSE, over_ms, "home")
        tell_asker(ground, row)
        tell_keeper(ground, row)
    return row


def pass_on_of(ground: Ground, listing: Listing) -> None:
    """Let the deadlines pass of whoever holds something of a listing of ours, before it is asked.

    What a late job has not freed yet must not be refused to anybody (ENGAGEMENTS, Deadlines).
    """
    engaging = ground.engaging(listing)
    if engaging is None or listing.origin != ground.town:
        return
    taking = {name for each in engaging.lifecycles.values() for name in each.taking()}
    late = rows.overdue_of(listing.origin, listing.key, ground.now_ms(), states=taking)
    for row in map(rows.find, late):
        after = pass_on(ground, row)
        if after.version != row.version:
            publish(ground, after)


def _next_end(ground: Ground, row: Engagement) -> tuple[int | None, bool]:
    """When the clock moves a row next, UTC ms, and whether it is its proposal that ends then.

    Words of the asker travel, so that home waits longer for them; for its own keeper it does not.
    """
    reach_ms, hung = ground.reach_ms(row), proposal.on_table(row)
    state_ms = None if row.deadline_ms is None else row.deadline_ms + reach_ms
    if hung is None or hung.on_lapse:
        return state_ms, False
    over_ms = hung.until_ms + (reach_ms if hung.by == "keeper" else 0)
    is_proposal = state_ms is None or over_ms < state_ms
    return (over_ms, True) if is_proposal else (state_ms, False)


def judge(ground: Ground, row: Engagement, deed: Deed, role: str) -> tuple[Engagement, str]:
    """Judge one act on an engagement of ours by somebody in `role` (asker, keeper, clock).

    Returns the row as it is now and the verdict; only `ok` and `pending` changed anything but
    deadlines. Raises what a person of this town reads for a rule of the practice that hinders.
    """
    if line.settle(ground):  # who waits comes before who acts now
        row = rows.find(row.id)
    row = pass_on(ground, row)
    found = ground.lifecycle(row).find(row.state, deed.action)
    code = _hindrance(ground, row, deed, role, found)
    if code != verdicts.OK or found is None:
        return row, code
    why = standing.of_row(ground, row, deed)
    if why is not None:
        return standing.refuse(ground, row, why)
    try:
        return _done(ground, row, deed, role, found)
    except Refused as refused:
        return row, refused.code


def _done(
    ground: Ground, row: Engagement, deed: Deed, role: str, found: Transition
) -> tuple[Engagement, str]:
    """Do what nothing stands against; raises Refused before anything is changed."""
    more = _told(row, deed, role)
    if proposing.brings_terms(found):
        return proposing.put(ground, row, deed, role, found, more)
    if proposal.answers(row, found, ground.lifecycle(row)):
        row = _answered(ground, row, deed, found, more)
        _affect(ground, row, found)
        return row, verdicts.OK
    terms = proposing.amended(ground, row, deed) if found.amends else None
    at_ms = deed.at_ms if role == "keeper" else ground.now_ms()  # staff may date an act back
    row = enter(ground, row, found.after, at_ms, terms=terms, **more)
    _affect(ground, row, found)
    return row, verdicts.OK


def _affect(ground: Ground, row: Engagement, found: Transition) -> None:
    if found in ground.lifecycle(row).transitions and affect(ground, row, found):
        listing_gone(ground, row.listing_key)


def _answered(
    ground: Ground, row: Engagement, deed: Deed, found: Transition, more: dict[str, str]
) -> Engagement:
    was = proposal.on_table(row)
    row = proposing.answer(ground, row, deed, found, more)
    if was is None or not was.on_lapse or row.state != ground.lifecycle(row).start:
        return row
    with contextlib.suppress(Refused):  # asked now, on the terms there are
        row = opening.approve_by_itself(ground, row)
    return row


def _told(row: Engagement, deed: Deed, role: str) -> dict[str, str]:
    """The columns for what a keeper adds to an act: a reason, a contact they ticked."""
    reason, contact = deed.wish.get("reason", ""), deed.wish.get("contact", "")
    if role != "keeper":
        return {}
    told = {"reason": because(deed.action, reason)} if reason else {}
    if contact:
        told["contacts"] = written({**read(row.contacts), "keeper": contact})
    return told


def listing_gone(ground: Ground, key: bytes) -> list[Engagement]:
    """Decline what was only asked of a listing of ours that is no longer there.

    What was promised keeps its frozen terms until it is done or revoked. Returns the rows changed.
    """
    gone = []
    for row in rows.open_of_listing(ground.town, key):
        lifecycle = ground.lifecycle(row)
        if lifecycle.is_undecided(row.state) and not _is_gated(ground, row):
            reason = because(verdicts.UNKNOWN_LISTING)
            row = enter(ground, row, lifecycle.refuses_to, ground.now_ms(), reason=reason)
            note(row, secrets.token_bytes(8), GONE, ground.now_ms(), "home")
            tell_asker(ground, row)
            publish(ground, row)
            gone.append(row)
    return gone


def _is_gated(ground: Ground, row: Engagement) -> bool:
    return not ground.is_here(row) and gate.is_closed(row.asker_town)


def _hindrance(
    ground: Ground, row: Engagement, deed: Deed, role: str, found: Transition | None
) -> str:
    if row.final:
        return verdicts.ENDED
    if found is None:
        return _misplaced(ground, row, deed, role)
    if found.by not in (role, BOTH):
        return verdicts.NOT_ALLOWED
    if deed.action == WITHDRAW:
        return verdicts.OK
    if proposal.answers(row, found, ground.lifecycle(row)):
        return proposal.may_answer(row, deed, role, ground.is_here(row))
    if deed.on is not None and deed.on != row.version:
        return verdicts.STALE
    if role == "asker":
        if deed.on is None:
            return verdicts.STALE
        is_late = row.deadline_ms is not None and deed.at_ms > row.deadline_ms
        return verdicts.LATE if is_late else verdicts.OK
    if _is_given_up(ground, row, found):
        return verdicts.LATE
    return verdicts.PENDING if _waits(ground, row, found) else verdicts.OK


def _misplaced(ground: Ground, row: Engagement, deed: Deed, role: str) -> str:
    if deed.action == WITHDRAW:
        return verdicts.TOO_LATE if role == "asker" else verdicts.NOT_ALLOWED
    if deed.action == CHANGE and role == "asker":
        return verdicts.LATE  # it was locked before this came
    if deed.action in PROPOSING:
        is_theirs = (deed.action, role) in ((PROPOSE, "asker"), (CHANGE, "keeper"))
        return verdicts.NOT_ALLOWED if is_theirs else verdicts.STALE
    doers = {each.by for each in ground.lifecycle(row).transitions if each.action == deed.action}
    return verdicts.STALE if role in doers else verdicts.NOT_ALLOWED


def _is_given_up(ground: Ground, row: Engagement, found: Transition) -> bool:
    """Whether the asker's town stopped waiting: then home must not move the ask forward."""
    lifecycle = ground.lifecycle(row)
    is_forward = row.state == lifecycle.start and not lifecycle.state(found.after).final
    return is_forward and row.answer_by_ms is not None and ground.now_ms() > row.answer_by_ms


def _waits(ground: Ground, row: Engagement, found: Transition) -> bool:
    """Whether the asker has yet to say whether they want it at all, on the terms there are now."""
    hung, lifecycle = proposal.on_table(row), ground.lifecycle(row)
    is_open = hung is not None and bool(hung.on_lapse) and not lifecycle.is_countered(row.state)
    return is_open and not found.proposes and not lifecycle.state(found.after).final
