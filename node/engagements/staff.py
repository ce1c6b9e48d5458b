"""What staff do beside the table: date an act back, give more time; both names stay in the trace.

What is dated back happened in the state it leaves, at the earliest when that state began. What the
clock did meanwhile does not count where the same act was possible before it: a thing that came back
on Saturday and is typed in on Monday was never overdue.
"""

from dataclasses import replace

from node.domain.errors import Conflict, Invalid, NotAllowed, Problem
from node.domain.practice import Terms
from node.domain.schema import Form
from node.domain.words import N_
from node.engagements import verdicts
from node.engagements.between.registers import ASKER_SIDE, Deed
from node.engagements.capacity import Refused
from node.engagements.ground import Ground, read, written
from node.engagements.home import LAPSE, pass_on
from node.engagements.moves import enter, note, stay
from node.store import audit
from node.store.catalogue import listings
from node.store.people import members
from node.store.promises import acts
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

EXTEND = "extend"
KEEPING = ("keeper", "staff")  # the roles of home's side
TRACED = ("keeper", "desk", "aide")
TYPED_LATER_MS = 60_000  # an act that was typed in so long after it happened was dated back


def dated(ground: Ground, row: Engagement, deed: Deed, role: str, at_ms: int | None) -> Deed:
    """Return an act with the instant (UTC ms) staff say it happened at; None: now.

    Raises NotAllowed (not home's side), Invalid (in the future, or before it could be).
    """
    if at_ms is None:
        return deed
    if role not in KEEPING or not ground.decides(row):
        raise verdicts.refusal(verdicts.NOT_ALLOWED)
    if at_ms > ground.now_ms():
        raise _wrong("in_the_future", N_("That is still to come."))
    if at_ms < earliest_ms(ground, row, deed.action):
        raise _wrong("too_early", N_("It had not got so far at that time."))
    return replace(deed, at_ms=at_ms)


def earliest_ms(ground: Ground, row: Engagement, action: str) -> int:
    """Return when an act can have happened at the earliest, UTC ms."""
    found = ground.lifecycle(row).find(row.state, action)
    for state, since_ms in reversed(_lapsed_from(ground, row)):
        before = ground.lifecycle(row).find(state, action)
        if found is None or before is None or before.after != found.after:
            break
        return since_ms
    return int(row.since_ms)


def _lapsed_from(ground: Ground, row: Engagement) -> list[tuple[str, int]]:
    """The state, and since when, from which the clock alone brought a row where it is; or none."""
    lifecycle, before = ground.lifecycle(row), None
    now, since_ms, is_lapse = lifecycle.start, int(row.created_ms), False
    for act in acts.of_engagement(row.id):
        is_asker = act.by in ASKER_SIDE
        found = lifecycle.find(now, act.action) if is_asker else None
        after = found.after if found else read(act.args).get("state", "")
        if after and act.verdict == verdicts.OK:
            before = (now, since_ms)
            at_ms = act.verdict_ms if is_asker else act.at_ms
            now, since_ms, is_lapse = after, int(at_ms or act.at_ms), act.action == LAPSE
    return [before] if before and is_lapse and now == row.state else []


def extend(ground: Ground, row: Engagement, form: Form, deed: Deed, member_id: int) -> Engagement:
    """Give an engagement more time by the practice's own rule; tells nobody yet.

    Only what is milder for the asker goes without their word. What was overdue is no longer, if the
    new time is still to come. Raises Invalid, NotAllowed, Conflict (full, not milder).
    """
    row = pass_on(ground, row)
    if row.final or not ground.state(row).takes or ground.lifecycle(row).is_undecided(row.state):
        raise verdicts.refusal(verdicts.ENDED if row.final else verdicts.NOT_ALLOWED)
    terms = _longer(ground, row, form)
    try:
        row = _in_time_again(ground, row, terms) or stay(ground, row, terms=terms)
    except Refused as refused:
        raise verdicts.refusal(refused.code) from None
    note(row, deed.id, EXTEND, deed.at_ms, deed.by, member=member_id)
    trace(ground, row, deed, member_id)
    return row


def can_extend(ground: Ground, row: Engagement) -> bool:
    """Return whether more time can be given at all: something is promised, and may be amended."""
    is_promised = ground.state(row).takes and not ground.lifecycle(row).is_undecided(row.state)
    return bool(ground.decides(row) and is_promised and ground.rules(row).amends)


def _longer(ground: Ground, row: Engagement, form: Form) -> Terms:
    rules, listing = ground.rules(row), listings.find(row.listing_origin, row.listing_key)
    if listing is None or not listing.body:
        raise verdicts.refusal(verdicts.UNKNOWN_LISTING)
    amend = rules.amends.get(EXTEND) or next(iter(rules.amends.values()), None)
    if amend is None:
        raise NotAllowed("not_extended", N_("More time cannot be given for this."))
    agreed, today = read(row.terms), ground.today(ground.now_ms())
    terms = amend(ground.body(listing), agreed, form, today)
    if terms == agreed or not rules.is_milder(agreed, terms):
        message = N_("That takes something away: propose it, so that they can say yes.")
        raise Conflict("not_milder", message)
    return terms


def _in_time_again(ground: Ground, row: Engagement, terms: Terms) -> Engagement | None:
    """Bring a row back to the state the clock took it from, if the new time is to come there."""
    for state, since_ms in _lapsed_from(ground, row):
        here = ground.lifecycle(row).state(state)
        moments = ground.moments(ground.rules(row), terms, since_ms)
        if here.takes and here.deadline and here.deadline.at_ms(moments) > ground.now_ms():
            return enter(ground, row, state, since_ms, terms=terms)
    return None


def is_late(ground: Ground, row: Engagement) -> bool:
    """Return whether something is out beyond its time: the clock alone says so, and nobody left."""
    states, here = ground.lifecycle(row).states, ground.state(row)
    is_out = here.takes and not here.leavable
    return is_out and any(
        each.lapses_to == row.state and each.takes and not each.leavable for each in states.values()
    )


def trace(ground: Ground, row: Engagement, deed: Deed, member_id: int) -> None:
    """Write who did what for whom into the audit; names are read when it is shown."""
    if deed.by not in TRACED:
        return
    person, now_ms = members.find(member_id), ground.now_ms()
    detail = {"action": deed.action, "by": deed.by}
    if deed.at_ms < now_ms - TYPED_LATER_MS:
        detail["at_ms"] = deed.at_ms
    if "consent" in deed.wish:
        detail["consent"] = deed.wish["consent"]
    audit.note(
        "engagement.act", at_ms=now_ms, actor=person.name if person else "", member=member_id,
        detail=written(detail), other=row.asker, engagement=row.id, listing=row.listing_key,
    )  # fmt: skip


def trace_ask(ground: Ground, row: Engagement, aide_id: int) -> None:
    """Write into the audit who wrote an ask down for whom."""
    first = acts.of_engagement(row.id)[0]
    wish = read(first.args).get("wish", {})
    trace(ground, row, Deed(first.id, first.action, first.at_ms, first.by, wish=wish), aide_id)


def forget_name(ground: Ground, row: Engagement) -> Engagement:
    """Take away the name of somebody without an account, once it is over; raises Conflict."""
    if not row.final:
        raise Conflict("not_over", N_("It is not over yet: withdraw it first."))
    rows.change(row.id, names="{}", contacts="{}")
    return rows.find(row.id)


def _wrong(code: str, message: str) -> Invalid:
    return Invalid([Problem("at", code, message)])
