"""How a row moves from state to state at home: capacity, effects and version in one step.

Everything here runs inside the caller's write transaction. Refused is raised before anything is
changed.
"""

from typing import Any

from node.domain.lifecycle import Transition
from node.domain.practice import Terms
from node.domain.schema import plain
from node.engagements import capacity, proposal
from node.engagements.between.registers import Deed
from node.engagements.ground import Ground, entered, read, written
from node.engagements.proposal import Proposal
from node.engagements.verdicts import ENDED, OK
from node.store import marks
from node.store.catalogue import listings
from node.store.promises import acts, lines
from node.store.promises import engagements as rows
from node.store.promises.acts import Act
from node.store.promises.engagements import Engagement


def enter(
    ground: Ground,
    row: Engagement,
    after: str,
    at_ms: int,
    *,
    terms: Terms | None = None,
    hung: Proposal | None = None,
    answer: str = ENDED,
    **more: Any,
) -> Engagement:
    """Bring a row of ours into another state, hold or give back capacity, raise its version.

    `terms` are new ones; `hung` is the proposal that hangs on the new state; one that hung before
    is off the table, and `answer` is the verdict on the asker's act that made it. Returns the row
    as it is now; raises Refused. A final state forgets both contacts, and what was said on the way.
    """
    lifecycle = ground.lifecycle(row)
    new, then = lifecycle.state(after), read(row.terms) if terms is None else terms
    hold(ground, row, proposal.held_in(lifecycle, after, then, hung))
    reckoned = hung.terms if hung and lifecycle.is_countered(after) else then
    columns = {**entered(lifecycle, new, _moments(ground, row, reckoned, at_ms)), **more}
    if after == lifecycle.waiting and row.rank is None:
        columns |= lines.at_end(row.listing_origin, row.listing_key)
    elif after != lifecycle.waiting and row.rank is not None:
        columns |= lines.OUT
    if new.final:
        columns |= {"contacts": "{}", "reason": more.get("reason", "")}
    return _put(row, columns, then, hung, answer, at_ms)


def stay(
    ground: Ground,
    row: Engagement,
    *,
    terms: Terms | None = None,
    hung: Proposal | None = None,
    answer: str = ENDED,
    **more: Any,
) -> Engagement:
    """Leave a row of ours in its state with other terms, or with another proposal (or none) on it.

    Its deadline is counted anew from the terms. As `enter` otherwise.
    """
    lifecycle = ground.lifecycle(row)
    state, then = lifecycle.state(row.state), read(row.terms) if terms is None else terms
    hold(ground, row, proposal.held_in(lifecycle, row.state, then, hung))
    if terms is not None:
        more = {**entered(lifecycle, state, _moments(ground, row, then, row.since_ms)), **more}
    return _put(row, {"turn": state.turn, **more}, then, hung, answer, ground.now_ms())


def _moments(ground: Ground, row: Engagement, terms: Terms, since_ms: int) -> dict[str, int]:
    return ground.moments(ground.rules(row), terms, since_ms)


def _put(
    row: Engagement,
    columns: dict[str, Any],
    terms: Terms,
    hung: Proposal | None,
    answer: str,
    at_ms: int,
) -> Engagement:
    """Keep terms and proposal, and tell the asker what became of the proposal that they made."""
    before = proposal.on_table(row)
    if before is not None and before.act and (hung is None or hung.act != before.act):
        acts.judge(row.id, before.act, answer, at_ms)
    columns["turn"] = proposal.turn(hung, columns["turn"])
    told = {"terms": written(terms), "proposal": proposal.kept(hung)}
    return restate(row, **{**columns, **told})


def hold(ground: Ground, row: Engagement, wanted: tuple[Terms, ...]) -> None:
    """Let a row hold exactly the union of what `wanted` terms promise; raises Refused.

    What it holds already is kept first, so that less than that is never refused.
    """
    if wanted != proposal.held(ground, row):
        capacity.retake(ground, row, *wanted)


def restate(row: Engagement, **columns: Any) -> Engagement:
    """Change what home says of a row: a new version that is yet to be published."""
    gen = marks.number(marks.RESTORED_S)
    rows.change(row.id, version=row.version + 1, gen=gen, reply_record=None, **columns)
    return rows.find(row.id)


def affect(ground: Ground, row: Engagement, transition: Transition) -> bool:
    """Let the practice change the listing after an action; return whether that ended it."""
    effect = ground.rules(row).effects.get(transition.action)
    listing = listings.find(row.listing_origin, row.listing_key)
    if effect is None or listing is None or not listing.body:
        return False
    body = ground.body(listing)
    after = effect(body, read(row.terms))
    if after is None:
        ground.journal.withdraw(listing.key)
    elif after is not body:
        ground.journal.publish(listing.kind, plain(after), key=listing.key)
    return after is None


def note(
    row: Engagement,
    act: bytes,
    action: str,
    at_ms: int,
    by: str,
    *,
    typed_ms: int | None = None,
    **columns: Any,
) -> None:
    """Write down an act of home's side, with the state it led to; `typed_ms` is when it was typed
    in, if it was dated back (UTC ms).
    """
    args = written({"state": row.state})
    acts.append(row.id, act, action, at_ms=at_ms, by=by, args=args, **columns)
    acts.judge(row.id, act, OK, typed_ms or at_ms)


def record_deed(row: Engagement, deed: Deed, member: int | None = None) -> Act:
    """Write an act of the asker's side into the list, as it will travel (or be judged here)."""
    wish = {name: text for name, text in deed.wish.items() if name != "message"}
    args = written({"wish": wish, "seen": deed.seen.hex()})
    return acts.append(
        row.id,
        deed.id,
        deed.action,
        at_ms=deed.at_ms,
        by=deed.by,
        on_version=deed.on,
        args=args,
        member=member,
    )
