"""The proposal: other terms on the table of an engagement, by whom, until when, and for how long.

It hangs on an open state. While that state takes capacity both what was agreed and what is proposed
are held; in a state that a counter-proposal led to, only what is proposed. Whoever did not propose
answers by naming its version (ENGAGEMENTS, rule 3).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from federation import codec
from node.domain.lifecycle import (
    ACCEPT,
    BOTH,
    CHANGE,
    DAY_MS,
    KEEP,
    PROPOSE,
    RETRACT,
    Lifecycle,
    Transition,
)
from node.domain.practice import Terms
from node.engagements import verdicts
from node.engagements.between.inner import MOMENT_MAX_MS
from node.engagements.between.registers import ASKER_SIDE, Deed, Proposed
from node.engagements.ground import Ground, read, written
from node.store.promises import acts
from node.store.promises.engagements import Engagement

ANSWER_MS = 5 * DAY_MS  # to answer a proposal that hangs on what was agreed
SEEN_BYTES = 16
INT_MAX = 2**53
UNSOUND = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Proposal:
    """Terms on the table.

    version   of what home says that first showed it; whoever answers names it
    by        keeper or asker; the other side answers until `until_ms` (UTC ms)
    on_lapse  the state the engagement ends in without an answer; "": what was agreed stays
    act       id of the asker's act that waits for the answer, b"" if home proposed
    """

    version: int
    by: str
    terms: Terms
    until_ms: int
    on_lapse: str = ""
    act: bytes = b""


def on_table(row: Engagement) -> Proposal | None:
    """Return the proposal of an engagement, None if there is none."""
    said = read(row.proposal)
    if not said:
        return None
    return Proposal(**{**said, "act": bytes.fromhex(said["act"])})


def kept(proposal: Proposal | None) -> str:
    """Return what the column of a row keeps of a proposal."""
    if proposal is None:
        return ""
    return written({**vars(proposal), "act": proposal.act.hex()})


def told(row: Engagement) -> Proposed | None:
    """Return the proposal of a row of ours as it travels."""
    hung = on_table(row)
    return Proposed(**vars(hung)) if hung else None


def heard(proposed: Proposed | None) -> str:
    """Return what a row keeps of a proposal that home told."""
    return kept(Proposal(**{**vars(proposed), "terms": dict(proposed.terms)}) if proposed else None)


def digest(terms: Mapping[str, Any]) -> bytes:
    """Return what an act that agrees to terms names them by: 16 bytes, alike in both towns.

    SHA-256(`lavoir-terms` || the terms as they travel, canonical CBOR), cut (SPEC 13.7).
    """
    said = codec.dumps(read(written(dict(terms))))
    return hashlib.sha256(b"lavoir-terms" + said).digest()[:SEEN_BYTES]


def held(ground: Ground, row: Engagement) -> tuple[Terms, ...]:
    """Return the terms an engagement holds capacity for now; where there are two, their union."""
    return held_in(ground.lifecycle(row), row.state, read(row.terms), on_table(row))


def held_in(
    lifecycle: Lifecycle, state: str, terms: Terms, hung: Proposal | None
) -> tuple[Terms, ...]:
    """Return the terms whose union a state holds."""
    if not lifecycle.state(state).takes:
        return ()
    if hung is None:
        return (terms,)
    return (hung.terms,) if lifecycle.is_countered(state) else (terms, hung.terms)


def turn(hung: Proposal | None, otherwise: str) -> str:
    """Return whose turn it is: of whoever did not propose, else of whom the state says."""
    if hung is None:
        return otherwise
    return "asker" if hung.by == "keeper" else "keeper"


def answers(row: Engagement, found: Transition, lifecycle: Lifecycle) -> bool:
    """Return whether a transition is about the proposal on the table, not about the state."""
    if found.action in (KEEP, RETRACT):
        return True
    is_universal = found in lifecycle.proposals
    return found.action == ACCEPT and (is_universal or on_table(row) is not None)


def may_answer(row: Engagement, deed: Deed, role: str, is_here: bool = True) -> str:
    """Return the verdict on an answer to the proposal on the table, by the side of `role`.

    What comes from another town also names the terms it answers: nobody is bound to what they
    never saw.
    """
    hung = on_table(row)
    if hung is None:
        return verdicts.STALE
    is_mine = hung.by == role
    if deed.action == RETRACT:
        return verdicts.OK if is_mine and not hung.on_lapse else verdicts.NOT_ALLOWED
    if is_mine or (deed.action == KEEP and hung.on_lapse):
        return verdicts.NOT_ALLOWED
    if deed.on != hung.version:
        return verdicts.STALE
    if deed.action == ACCEPT and not is_here and deed.seen != digest(hung.terms):
        return verdicts.STALE
    is_late = role == "asker" and deed.at_ms > hung.until_ms
    return verdicts.LATE if is_late else verdicts.OK


def narrowed(
    ground: Ground, row: Engagement, role: str, offered: tuple[Transition, ...]
) -> tuple[Transition, ...]:
    """Return what can be done besides `offered`, with what is on the table in mind.

    Answers come first; an answer, or a change, that home has yet to hear of is not given twice.
    """
    hung, lifecycle = on_table(row), ground.lifecycle(row)
    unheard = {
        act.action for act in acts.of_engagement(row.id) if not act.verdict and act.by in ASKER_SIDE
    }
    universal = tuple(each for each in lifecycle.proposals if each.before == row.state)
    mine = tuple(each for each in universal if each.by in (role, BOTH))
    said = [each for each in mine if each.action in (PROPOSE, CHANGE)]
    if hung is None:
        kept = [each for each in offered if each.action not in unheard or each.by != "asker"]
        return (*kept, *(each for each in said if each.action not in unheard))
    asks = hung.on_lapse and not lifecycle.is_countered(row.state)
    if asks:  # nothing was agreed: it is taken up, withdrawn, declined or countered
        offered = tuple(
            each for each in offered if each.proposes or lifecycle.state(each.after).final
        )
    if hung.by == role:
        back = [each for each in mine if each.action == RETRACT and not hung.on_lapse]
        return (*back, *(each for each in offered if each.action != ACCEPT), *said)
    if unheard & {ACCEPT, KEEP}:
        return tuple(each for each in offered if each.action != ACCEPT)
    answers = (ACCEPT,) if hung.on_lapse else (ACCEPT, KEEP)
    given = [each for each in mine if each.action in answers]
    return (*given, *offered, *said)


def version_answered(row: Engagement, action: str, shown: int) -> int:
    """Return the version an act names: of the proposal, if that stood on the page that was shown.

    `shown` is the version of the whole row; a proposal that still hangs stood there since its own.
    """
    hung = on_table(row)
    is_answer = hung is not None and action in (ACCEPT, KEEP) and shown >= hung.version
    return hung.version if hung is not None and is_answer else shown


def is_sound(ground: Ground, row: Engagement, terms: Mapping[str, Any]) -> bool:
    """Return whether terms of another town can be reckoned with and drawn as those asked for."""
    known, rules = read(row.terms), ground.rules(row)
    for name, value in terms.items():
        wanted = {rules.shape.get(name), type(known[name]) if name in known else None} - {None}
        if wanted - {type(value)} or (type(value) is int and abs(value) > INT_MAX):
            return False
    try:
        rules.claim(dict(terms))
        moments = rules.moments(dict(terms), ground.zone)
    except UNSOUND:
        return False
    return set(known) <= set(terms) and all(map(_has_a_day, moments.values()))


def _has_a_day(at_ms: object) -> bool:
    """Whether an instant that was reckoned from terms can be written as a day and an hour."""
    return type(at_ms) is int and 0 <= at_ms <= MOMENT_MAX_MS
