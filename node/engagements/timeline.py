"""The steps of an engagement: what was done, by whom it is signed, and what is still to come."""

from dataclasses import dataclass, field, replace

from node.domain.lifecycle import (
    ACCEPT,
    CANCELLED,
    CHANGE,
    KEEP,
    PROPOSE,
    RETRACT,
    WITHDRAW,
    Lifecycle,
    State,
)
from node.domain.words import N_
from node.engagements import verdicts
from node.engagements.between.asker import own_acts
from node.engagements.between.post import sent_ms
from node.engagements.gate import name_of
from node.engagements.ground import Ground, read
from node.store.network import arrivals
from node.store.promises import acts
from node.store.promises.acts import Act
from node.store.promises.engagements import Engagement

PROPOSED = {  # what is said of an act about other terms
    PROPOSE: N_("Other terms proposed"),
    CHANGE: N_("Change asked for"),
    ACCEPT: N_("New terms agreed"),
    KEEP: N_("What was agreed stays"),
    RETRACT: N_("Proposal taken back"),
    "extend": N_("More time given"),
    "bump": N_("Place in the waiting line changed"),
    "proposal_lapse": N_("No answer: what was agreed stays"),
}
REFUSED = N_("Change refused")


@dataclass(frozen=True)
class Step:
    """One step of the timeline; `status` is done, now, later or failed.

    `at_ms` is when it was or is expected, UTC ms; what home said is signed: by which town, in
    which record.
    """

    label: str
    params: dict[str, str] = field(default_factory=dict)
    at_ms: int | None = None
    status: str = "done"
    signed_by: bytes | None = None
    record_id: bytes | None = None


def steps(ground: Ground, row: Engagement) -> tuple[Step, ...]:
    """Return the timeline: what was done, what is waited for, what is still to come."""
    is_away = not ground.is_here(row) and not ground.decides(row)
    begun = _way_there(ground, row) if is_away else [_asked(row)]
    start = ground.lifecycle(row).start
    done = [act for act in acts.of_engagement(row.id) if _moved(act) and act.action != start]
    heard = [act for act in done if not _is_said_again(act, done)]
    known = [_moved_step(ground, row, act) for act in heard]
    sent = _under_way(ground, row) if is_away and row.version else []
    is_unheard = is_away and row.version == 0 and arrivals.when(row.request_record) is None
    return (*begun, *known, *sent, *_ahead(ground, row, is_unheard or bool(sent)))


def _under_way(ground: Ground, row: Engagement) -> list[Step]:
    """The acts of our resident that home has yet to answer: written here, or on their way."""
    steps = []
    for act in own_acts(row):
        if act.verdict or row.final:
            continue
        left_ms = sent_ms(ground, act, row)
        label = N_("Your word left %(town)s") if left_ms else N_("Your word is written here")
        steps.append(Step(label, {"town": name_of(ground.town)}, left_ms or act.at_ms, "now"))
    return steps


def _asked(row: Engagement) -> Step:
    if row.asker_town == row.home:
        return Step(N_("Asked"), {}, row.created_ms)
    return Step(N_("Asked from %(town)s"), {"town": name_of(row.asker_town)}, row.created_ms)


def _way_there(ground: Ground, row: Engagement) -> list[Step]:
    here, there = {"town": name_of(ground.town)}, {"town": name_of(row.home)}
    left_ms = sent_ms(ground, own_acts(row)[0], row)
    is_received = row.version > 0
    is_gone = is_received or left_ms is not None
    left = Step(N_("Left %(town)s"), here, left_ms, "done" if is_gone else "now")
    received = Step(N_("Received in %(town)s"), there, status="now" if is_gone else "later")
    if is_received:
        first = next((act for act in acts.of_engagement(row.id) if act.by == "home"), None)
        at_ms = first.at_ms if first else row.since_ms
        received = Step(received.label, there, at_ms, "done", row.home, _record_of(first))
    elif (carried_ms := arrivals.when(row.request_record)) is not None:
        received = Step(N_("Received in %(town)s, by stick"), there, carried_ms, "done", row.home)
    return [Step(N_("Written"), {}, row.created_ms), left, received]


def _moved(act: Act) -> bool:
    """Whether an act is a step of its own: a move of home, or an act of the asker that counted."""
    if act.by in ("keeper", "desk", "home"):
        return bool(read(act.args).get("state"))
    if act.action == CHANGE:
        return act.verdict in (verdicts.OK, verdicts.PENDING, verdicts.NOT_ALLOWED)
    if act.action == ACCEPT and not read(act.args).get("seen"):
        return False  # of an offer held for them: the state it led to is the step
    if act.action in PROPOSED:
        return act.verdict == verdicts.OK
    return act.action == WITHDRAW and act.verdict == verdicts.OK


def _is_said_again(act: Act, done: list[Act]) -> bool:
    """Whether an asker's withdrawal is also there as the signed word of home, which is shown."""
    if act.action != WITHDRAW or act.by == "home":
        return False
    return any(each.by == "home" and read(each.args)["state"] == CANCELLED for each in done)


def _moved_step(ground: Ground, row: Engagement, act: Act) -> Step:
    lifecycle = ground.lifecycle(row)
    is_ours = act.by not in ("home", "keeper", "desk")
    signed = None if ground.is_here(row) or is_ours else row.home
    if act.action in PROPOSED and not _led_on(act, lifecycle):
        label = REFUSED if act.verdict == verdicts.NOT_ALLOWED else PROPOSED[act.action]
        at_ms = act.verdict_ms if is_ours and act.verdict_ms else act.at_ms
        return Step(label, {}, at_ms, "done", signed, _record_of(act))
    state = lifecycle.state(read(act.args).get("state", CANCELLED))
    is_bad = state.final and state not in lifecycle.path(lifecycle.start)
    at_ms = act.verdict_ms if act.action == WITHDRAW else act.at_ms
    status = "failed" if is_bad else "done"
    return Step(state.label, {}, at_ms, status, signed, _record_of(act))


def _led_on(act: Act, lifecycle: Lifecycle) -> bool:
    """Whether an act of home about a proposal brought the engagement into another state."""
    after = read(act.args).get("state", "")
    ways = lifecycle.written
    return any(each.action == act.action and each.after == after for each in ways)


def _record_of(act: Act | None) -> bytes | None:
    record = read(act.args).get("record") if act is not None else None
    return bytes.fromhex(record) if record else None


def _ahead(ground: Ground, row: Engagement, is_unheard: bool) -> list[Step]:
    """The states still to come if all goes well; the first of them is waited for now."""
    if row.final:
        return []
    lifecycle = ground.lifecycle(row)
    moments = ground.rules(row).moments(read(row.terms), ground.zone)
    path = lifecycle.path(row.state)
    coming = [_coming(state, moments) for state in path[1:] if state.ahead]
    is_asked = row.state not in (lifecycle.waiting, lifecycle.holding)
    if row.state == lifecycle.start or (is_asked and lifecycle.is_undecided(row.state)):
        coming.insert(0, Step(N_("Answer"), {}, row.deadline_ms or row.answer_by_ms, "later"))
    elif path:
        coming.insert(0, _coming(path[0], moments))
    if coming and not is_unheard:
        coming[0] = replace(coming[0], status="now")
    return coming


def _coming(state: State, moments: dict[str, int]) -> Step:
    return Step(state.ahead or state.label, {}, moments.get(state.expected), "later")
