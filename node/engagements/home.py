"""Home: the one place where an act on one of our listings is decided, by a person or the clock.

A local click and another town's act run the same functions, inside the same write transaction
(ENGAGEMENTS, One database transaction each, 1).
"""

import secrets

from node.domain.lifecycle import WITHDRAW, Transition
from node.engagements import gate, verdicts
from node.engagements.between.post import publish
from node.engagements.between.registers import Deed
from node.engagements.ground import Ground, because, read, written
from node.engagements.moves import Refused, affect, enter, note
from node.engagements.telling import tell_asker, tell_keeper
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

LAPSE = "lapse"
GONE = "gone"


def pass_on(ground: Ground, row: Engagement) -> Engagement:
    """Let every deadline that has passed have its effect, each at its own instant.

    So a late job changes nothing: the same states are entered at the same moments. What a partner
    may know better than a restored row waits until it was heard.
    """
    if _is_gated(ground, row):
        return row
    while row.deadline_ms is not None and not row.final:
        over_ms = row.deadline_ms + ground.reach_ms(row)
        if ground.now_ms() < over_ms:
            break
        row = enter(ground, row, row.lapses_to, over_ms)
        note(row, secrets.token_bytes(8), LAPSE, over_ms, "home")
        tell_asker(ground, row)
        tell_keeper(ground, row)
    return row


def judge(ground: Ground, row: Engagement, deed: Deed, role: str) -> tuple[Engagement, str]:
    """Judge one act on an engagement of ours by somebody in `role` (asker, keeper, clock).

    Returns the row as it is now and the verdict; only `ok` changed anything but deadlines.
    """
    row = pass_on(ground, row)
    found = ground.lifecycle(row).find(row.state, deed.action)
    code = _hindrance(ground, row, deed, role, found)
    if code != verdicts.OK or found is None:
        return row, code
    try:
        row = enter(ground, row, found.after, ground.now_ms(), **_told(row, deed, role))
    except Refused as refused:
        return row, refused.code
    if affect(ground, row, found):
        listing_gone(ground, row.listing_key)
    return row, verdicts.OK


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
    for row in rows.of_listing(ground.town, key):
        lifecycle = ground.lifecycle(row)
        if row.state == lifecycle.start and not _is_gated(ground, row):
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
    if found.by != role:
        return verdicts.NOT_ALLOWED
    if deed.action == WITHDRAW:
        return verdicts.OK
    if deed.on is not None and deed.on != row.version:
        return verdicts.STALE
    if role == "asker":
        if deed.on is None:
            return verdicts.STALE
        is_late = row.deadline_ms is not None and deed.at_ms > row.deadline_ms
        return verdicts.LATE if is_late else verdicts.OK
    return verdicts.LATE if _is_given_up(ground, row, found) else verdicts.OK


def _misplaced(ground: Ground, row: Engagement, deed: Deed, role: str) -> str:
    if deed.action == WITHDRAW:
        return verdicts.TOO_LATE if role == "asker" else verdicts.NOT_ALLOWED
    doers = {each.by for each in ground.lifecycle(row).transitions if each.action == deed.action}
    return verdicts.STALE if role in doers else verdicts.NOT_ALLOWED


def _is_given_up(ground: Ground, row: Engagement, found: Transition) -> bool:
    """Whether the asker's town stopped waiting: then home must not move the ask forward."""
    lifecycle = ground.lifecycle(row)
    is_forward = row.state == lifecycle.start and not lifecycle.state(found.after).final
    return is_forward and row.answer_by_ms is not None and ground.now_ms() > row.answer_by_ms
