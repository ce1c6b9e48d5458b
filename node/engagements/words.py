"""The one sentence a page may say of an engagement, as this town knows it.

Nothing here runs ahead of what is signed: "asked" is not "booked", "you withdrew" is not
"cancelled" (ENGAGEMENTS, What each page may show).
"""

from dataclasses import dataclass, field, replace

from node.domain.lifecycle import ACCEPT, CANCELLED, CHANGE, REVOKED, WITHDRAW
from node.domain.words import N_
from node.engagements import gate, proposal, verdicts
from node.engagements.between.arrivals import fence
from node.engagements.between.asker import is_leaving, own_acts
from node.engagements.between.post import sent_ms
from node.engagements.ground import Ground, read
from node.store.network import arrivals, partners
from node.store.promises.engagements import Engagement


@dataclass(frozen=True)
class Words:
    """One sentence: a message id, its values, and its instants (UTC ms), which pages write out.

    `note` is a second message id with the same values, "" if there is nothing to add; `quote` is
    what the keeper wrote, as they wrote it; `tone` is ok, wait or stop.
    """

    message: str
    params: dict[str, str] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    note: str = ""
    tone: str = "wait"
    quote: str = ""


def words(ground: Ground, row: Engagement) -> Words:
    """Return the sentence for an engagement as this town knows it."""
    if ground.is_here(row):
        said = _here(ground, row)
    else:
        said = _at_home(ground, row) if ground.decides(row) else _away(ground, row)
    return replace(said, quote=read(row.reason).get("text", ""))


SAID = {
    CANCELLED: N_("Withdrawn."),
    REVOKED: N_("The yes was taken back."),
}
REASONS = {
    verdicts.STALE: N_("The listing changed in the meantime. Please look at it and ask anew."),
    verdicts.FULL: N_("It was taken in the meantime for a part of that time."),
    verdicts.LATE: N_("The request arrived too late for those days."),
    verdicts.UNKNOWN_LISTING: N_("It is no longer on offer."),
    verdicts.NO_AGREEMENT: N_(
        "It is for residents of that town only,"
        " or the agreement between the two towns does not cover it."
    ),
    "record_removed": N_("That town removed its answer; nothing is promised any more."),
}

REFUSED = {  # what home said to an act of ours that changed nothing
    verdicts.STALE: N_("It came too late: something had changed there before."),
    verdicts.LATE: N_("It came too late for that."),
    verdicts.TOO_LATE: N_("It came too late for that."),
    verdicts.FULL: N_("It was taken in the meantime for a part of that time."),
}


def _here(ground: Ground, row: Engagement) -> Words:
    state = ground.state(row)
    times = _times(row)
    if row.final:
        return _over(ground, row, {}, times)
    if proposal.on_table(row) is not None:
        return Words(_proposed(ground, row), {}, _until(row))
    if row.state == ground.lifecycle(row).start:
        return Words(N_("Asked on %(since)s. An answer is due by %(until)s."), {}, times)
    is_kept = state.takes and state.leavable and state.turn == "asker"
    note = N_("Kept until %(until)s.") if is_kept else ""
    return Words(state.label, {}, times, note, _tone(ground, row))


def _at_home(ground: Ground, row: Engagement) -> Words:
    params, times = {"town": gate.name_of(row.asker_town)}, _times(row)
    note = N_("%(town)s may not know yet.") if row.ack < row.version else ""
    if not row.final and gate.is_unheard(row.asker_town):
        return Words(N_("Being checked with %(town)s after a restore."), params, times)
    if row.final:
        message = SAID.get(row.state, ground.state(row).label)
    elif proposal.on_table(row) is not None:
        message, times = _proposed(ground, row), _until(row)
    elif row.state == ground.lifecycle(row).start:
        message = N_("Asked from %(town)s. Your answer is due by %(until)s.")
    else:
        message = ground.state(row).label
    return Words(message, params, times, note, _tone(ground, row))


def _proposed(ground: Ground, row: Engagement) -> str:
    """What either side reads at home while other terms are on the table."""
    hung = proposal.on_table(row)
    if hung is not None and hung.by == "asker":
        return N_("A change is asked for: an answer is due by %(until)s. Until then what was agreed"
                  " holds.")  # fmt: skip
    if hung is not None and hung.on_lapse:
        return N_("Other terms are proposed: an answer is due by %(until)s.")
    return N_("Other terms are proposed: an answer is due by %(until)s. Until then what was agreed"
              " holds.")  # fmt: skip


def _proposed_there(ground: Ground, row: Engagement, params: dict[str, str]) -> Words:
    """What the asker reads while home's or their own proposal is on the table there."""
    hung = proposal.on_table(row)
    if hung is not None and hung.by == "asker":
        message = N_("You asked for a change: %(town)s answers until %(until)s. Until then what was"
                     " agreed holds.")  # fmt: skip
    elif hung is not None and not hung.on_lapse:
        message = N_("%(town)s proposes other terms: it is your turn until %(until)s. Until then"
                     " what was agreed holds.")  # fmt: skip
    elif ground.state(row).takes:
        message = N_("%(town)s proposes other terms: it is your turn until %(until)s.")
    else:
        message = N_("The listing changed in the meantime. %(town)s proposes other terms: it is"
                     " your turn until %(until)s.")  # fmt: skip
    return Words(message, params, _until(row))


def _until(row: Engagement) -> dict[str, int]:
    hung = proposal.on_table(row)
    return {**_times(row), "until": hung.until_ms} if hung else _times(row)


def _away(ground: Ground, row: Engagement) -> Words:
    params, times = {"town": gate.name_of(row.home)}, _times(row)
    if row.final and row.state != ground.lifecycle(row).start:
        return _over(ground, row, params, times)
    if row.gen < fence(row.home) or gate.is_unheard(row.home):
        return Words(N_("Being checked with %(town)s after a restore."), params, times)
    if is_leaving(row):
        return _leaving(ground, row, params, times)
    if row.version == 0:
        return _on_its_way(ground, row, params)
    sent = _under_way(row)
    if sent:
        return Words(sent, params, times)
    if proposal.on_table(row) is not None:
        return _proposed_there(ground, row, params)
    if row.state == ground.lifecycle(row).start:
        message = N_("%(town)s has it since %(since)s. It is their turn until %(until)s.")
        return Words(message, params, times)
    return _answered(ground, row, params, times)


def _under_way(row: Engagement) -> str:
    """What the asker reads while their last act is on its way, "" if none is."""
    unheard = [act.action for act in own_acts(row) if not act.verdict]
    if not unheard:
        return ""
    if unheard[-1] == ACCEPT:
        return N_("Your yes is on its way to %(town)s. It is not yours yet.")
    if unheard[-1] == CHANGE:
        return N_("Your change is on its way to %(town)s. Until they answer what was agreed holds.")
    return N_("Your answer is on its way to %(town)s.")


def _answered(
    ground: Ground, row: Engagement, params: dict[str, str], times: dict[str, int]
) -> Words:
    state, note = ground.state(row), _last_no(ground, row)
    is_agreed = ground.lifecycle(row).is_agreed(row.state)
    if is_agreed and state.leavable and row.turn != "asker":
        known = _last_contact_ms(row) or row.since_ms
        message = N_("Confirmed by %(town)s on %(since)s, as known on %(known)s.")
        return Words(message, params, {**times, "known": known}, note, "ok")
    if row.turn == "asker" and state.leavable:
        return Words(N_("It is your turn until %(until)s."), params, times, note)
    return Words(state.label, params, times, note, _tone(ground, row))


def _last_no(ground: Ground, row: Engagement) -> str:
    """Why the last act of the asker was refused, "" if it was not."""
    judged = [act for act in own_acts(row) if act.verdict]
    if not judged or judged[-1].verdict in (verdicts.OK, verdicts.PENDING):
        return ""
    code = read(row.reason).get("code", "")
    told = ground.rules(row).reasons.get(code) or REFUSED.get(judged[-1].verdict, "")
    is_change = judged[-1].action == CHANGE
    return N_("They keep to what was agreed.") if is_change and not told else told


def _leaving(
    ground: Ground, row: Engagement, params: dict[str, str], times: dict[str, int]
) -> Words:
    by = next(act.by for act in own_acts(row) if act.action == WITHDRAW and not act.verdict)
    if by == "clock":
        return Words(N_("No answer from %(town)s: withdrawn for you."), params, times, tone="stop")
    if ground.state(row).takes:
        message = N_("You withdrew. %(town)s does not know yet: it is still in your name.")
        return Words(message, params, times)
    return Words(N_("You withdrew. %(town)s does not know yet."), params, times)


def _on_its_way(ground: Ground, row: Engagement, params: dict[str, str]) -> Words:
    left_ms, until_ms = sent_ms(ground, own_acts(row)[0], row), row.answer_by_ms or row.since_ms
    carried_ms = arrivals.when(row.request_record)
    if carried_ms is not None:
        message = N_(
            "%(town)s received it on %(when)s, by stick. Without an answer by %(until)s it is"
            " withdrawn for you."
        )
        return Words(message, params, {"when": carried_ms, "until": until_ms})
    if left_ms is not None:
        message = N_(
            "On its way to %(town)s since %(left)s. Without an answer by %(until)s it is"
            " withdrawn for you."
        )
        return Words(message, params, {"left": left_ms, "until": until_ms})
    contact_ms = _last_contact_ms(row)
    if contact_ms is None:
        return Words(N_("Noted here, not yet sent to %(town)s."), params)
    message = N_("Noted here, not yet sent to %(town)s (last contact %(contact)s).")
    return Words(message, params, {"contact": contact_ms})


def _over(ground: Ground, row: Engagement, params: dict[str, str], times: dict[str, int]) -> Words:
    reason, tone = read(row.reason), _tone(ground, row)
    code = reason.get("code", "")
    note = REASONS.get(code) or ground.rules(row).reasons.get(code, "")
    if row.state != CANCELLED or not params:
        message = SAID.get(row.state, ground.state(row).label)
        return Words(message, params, times, note, tone)
    is_mine = any(act.action == WITHDRAW and act.verdict == verdicts.OK for act in own_acts(row))
    message = (
        N_("Cancelled; %(town)s knows it.") if is_mine else N_("%(town)s says it was withdrawn.")
    )
    return Words(message, params, times, note, tone)


def _times(row: Engagement) -> dict[str, int]:
    return {"since": row.since_ms, "until": row.deadline_ms or row.since_ms}


def _last_contact_ms(row: Engagement) -> int | None:
    partner = partners.find(row.home)
    return partner.last_ok_ms if partner else None


def _tone(ground: Ground, row: Engagement) -> str:
    lifecycle, state = ground.lifecycle(row), ground.state(row)
    if state.final:
        return "ok" if state in lifecycle.path(lifecycle.start) else "stop"
    return "ok" if lifecycle.is_agreed(row.state) else "wait"
