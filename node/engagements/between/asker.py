"""The asker's town: it writes down what its resident does, and reads what home answers.

It never moves an engagement by itself; what its pages say never runs ahead of what home signed.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from federation.errors import RemoteProtocolError
from node.domain.errors import Conflict
from node.domain.lifecycle import BOTH, DAY_MS, PROPOSE, WITHDRAW
from node.domain.words import N_
from node.engagements import gate, proposal, verdicts
from node.engagements.aiding import Person
from node.engagements.between.post import publish
from node.engagements.between.registers import (
    ACTS_MAX,
    ASKER_SIDE,
    REPLY,
    REQUEST,
    Deed,
    Proposed,
    Reply,
    register_key,
)
from node.engagements.ground import Ground, because, entered, read, written
from node.engagements.moves import record_deed
from node.engagements.telling import UNANSWERED, tell_asker
from node.store.catalogue.listings import Listing
from node.store.promises import acts
from node.store.promises import engagements as rows
from node.store.promises.acts import Act
from node.store.promises.engagements import Engagement

PATIENCE_MAX_MS = 60 * DAY_MS
WHO_BYTES = 16


def who(ground: Ground, listing: Listing, member_ref: bytes) -> bytes:
    """Return how home knows our member on this listing: always the same, linkable to no other."""
    about = listing.origin + listing.key + member_ref
    return hmac.digest(ground.journal.keyring.secret, b"lavoir-who" + about, "sha256")[:WHO_BYTES]


def write_down(
    ground: Ground,
    listing: Listing,
    engagement: bytes,
    deed: Deed,
    *,
    person: Person,
    names: Mapping[str, str],
    contacts: Mapping[str, str],
) -> Engagement:
    """Note an ask for another town's listing and send it; raises Invalid."""
    now_ms, body, engaging = ground.now_ms(), ground.body(listing), ground.rules(listing)
    terms = engaging.terms(body, deed.wish, ground.today(now_ms))
    lifecycle = engaging.lifecycle(body)
    start = lifecycle.state(lifecycle.start)
    columns = entered(lifecycle, start, ground.moments(engaging, terms, now_ms))
    answered_ms = columns["deadline_ms"] + 2 * ground.reach_of(listing.origin)
    patience_ms = min(answered_ms, now_ms + PATIENCE_MAX_MS)
    row = rows.start(
        engagement,
        practice=listing.practice,
        lifecycle=lifecycle.name,
        home=listing.origin,
        asker_town=ground.town,
        listing_origin=listing.origin,
        listing_key=listing.key,
        asker=person.id,
        who=who(ground, listing, person.ref),
        saw=listing.record,
        terms=written(terms),
        names=written(names),
        contacts=written(contacts),
        answer_by_ms=patience_ms,
        request_key=register_key(REQUEST, engagement),
        reply_key=register_key(REPLY, engagement),
        created_ms=now_ms,
        **{**columns, "deadline_ms": None, "lapses_to": ""},
    )
    record_deed(row, deed, person.aide or person.id)
    publish(ground, row)
    return rows.find(engagement)


def act(ground: Ground, row: Engagement, deed: Deed, member: int | None) -> Engagement:
    """Note an act on another town's listing and send it; raises Conflict, NotAllowed.

    Home decides; until its reply nothing here changes but what the resident wishes.
    """
    state = ground.state(row)
    if row.final:
        raise verdicts.refusal(verdicts.ENDED)
    if deed.action == WITHDRAW and is_leaving(row):
        return row
    if deed.action == WITHDRAW and not state.leavable:
        raise verdicts.refusal(verdicts.TOO_LATE)
    if deed.action != WITHDRAW:
        gate.check_town(row.home)
    found = ground.lifecycle(row).find(row.state, deed.action)
    if found is None or found.by not in ("asker", BOTH):
        raise verdicts.refusal(verdicts.NOT_ALLOWED)
    if proposal.answers(row, found, ground.lifecycle(row)):
        if _is_unheard(row, deed):
            return row
        code = proposal.may_answer(row, deed, "asker")
        if code != verdicts.OK:
            raise verdicts.refusal(code)
    if len(own_acts(row)) >= ACTS_MAX - (deed.action != WITHDRAW):  # who wants out always gets out
        raise Conflict("over_limit", N_("Too much has happened here. Please ask anew."))
    record_deed(row, deed, member)
    publish(ground, row)
    return rows.find(row.id)


def own_acts(row: Engagement) -> list[Act]:
    """Return the acts of the asker's side, in order."""
    return [act for act in acts.of_engagement(row.id) if act.by in ASKER_SIDE]


def is_leaving(row: Engagement) -> bool:
    """Return whether a withdrawal is on its way to home, unheard."""
    return any(act.action == WITHDRAW and not act.verdict for act in own_acts(row))


def _is_unheard(row: Engagement, deed: Deed) -> bool:
    """Whether the same answer to the same proposal is on its way to home already."""
    same = (deed.action, deed.on)
    return any(not act.verdict and (act.action, act.on_version) == same for act in own_acts(row))


def lose_patience(ground: Ground, row: Engagement) -> Engagement:
    """Withdraw for the resident when home did not answer in time (ENGAGEMENTS, Deadlines)."""
    if gate.is_closed(row.home):
        return row
    if row.state == ground.lifecycle(row).start and not is_leaving(row):
        deed = Deed(secrets.token_bytes(8), WITHDRAW, ground.now_ms(), "clock", row.version)
        row = act(ground, row, deed, None)
        tell_asker(ground, row, UNANSWERED)
    rows.change(row.id, answer_by_ms=None)
    return rows.find(row.id)


def apply(ground: Ground, row: Engagement, reply: Reply, record: bytes, key: bytes) -> Engagement:
    """Take over what home says, if it is newer; answer with our register, so that home knows.

    Raises RemoteProtocolError (a state that does not exist), Conflict (terms never asked for).
    """
    if (reply.gen, reply.version) <= (row.gen, row.version):
        return row
    if row.final and ground.state(row).final and reply.state != row.state:
        return _stays_over(ground, row, reply)
    lifecycle = ground.lifecycle(row)
    state = lifecycle.states.get(reply.state)
    if state is None:
        raise RemoteProtocolError("bad_inner", "field 7")
    terms = _terms(ground, row, reply)
    has_moved = row.version == 0 or reply.state != row.state
    was = proposal.on_table(row)
    rows.change(row.id, **_said(row, reply, state.final, record, key, lifecycle.start), terms=terms)
    _hear_verdicts(row, reply)
    if has_moved:
        _note(ground, row, reply, record, reply.state)
    elif reply.proposal and reply.proposal.by == "keeper" and _is_new(was, reply.proposal):
        _note(ground, row, reply, record, PROPOSE)
    row = rows.find(row.id)
    if (has_moved and row.state != lifecycle.start) or proposal.on_table(row) != was:
        tell_asker(ground, row)
    publish(ground, row)
    return rows.find(row.id)


def _terms(ground: Ground, row: Engagement, reply: Reply) -> str:
    """Return the terms to keep; raises RemoteProtocolError, Conflict ("other_terms").

    Agreed are those asked for, those an act of ours that home took up names by their digest, and
    what only gives more. Nothing need be said of terms while nothing is promised, and what is said
    with a no binds nobody.
    """
    if reply.proposal and not proposal.is_sound(ground, row, reply.proposal.terms):
        raise RemoteProtocolError("bad_inner", "field 13")
    terms = dict(reply.terms)
    if terms == read(row.terms) or (not terms and not _promises(ground, row, reply)):
        return row.terms
    if proposal.is_sound(ground, row, terms) and _is_agreed(ground, row, reply):
        return written(terms)
    if ground.lifecycle(row).state(reply.state).final:
        return row.terms
    raise Conflict("other_terms", N_("That town promised something that was not asked for."))


def _is_agreed(ground: Ground, row: Engagement, reply: Reply) -> bool:
    """Whether somebody here agreed to the terms home tells, or loses nothing by them."""
    is_forgotten = row.terms == "{}" and row.version == 0  # asked before a restore of ours
    if is_forgotten or proposal.digest(reply.terms) in _agreed(row, reply):
        return True
    return _is_milder(ground, row, read(row.terms), reply.terms)


def _promises(ground: Ground, row: Engagement, reply: Reply) -> bool:
    """Whether the state home tells holds the terms it tells, not only what it proposes."""
    lifecycle = ground.lifecycle(row)
    return lifecycle.state(reply.state).takes and not lifecycle.is_countered(reply.state)


def _agreed(row: Engagement, reply: Reply) -> set[bytes]:
    """The digests of all terms our resident agreed to, by acts that home took up."""
    taken = {each.id for each in reply.verdicts if each.code == verdicts.OK}
    return {
        bytes.fromhex(read(act.args).get("seen", ""))
        for act in own_acts(row)
        if act.verdict == verdicts.OK or act.id in taken
    }


def _is_milder(
    ground: Ground, row: Engagement, known: Mapping[str, Any], terms: Mapping[str, Any]
) -> bool:
    try:
        return ground.rules(row).is_milder(dict(known), dict(terms))
    except proposal.UNSOUND:
        return False


def _is_new(was: proposal.Proposal | None, told: Proposed) -> bool:
    return was is None or was.version != told.version


def _note(ground: Ground, row: Engagement, reply: Reply, record: bytes, action: str) -> None:
    """Write down what home told as a step of its own, with the record it is signed in."""
    at_ms = reply.since_ms if action == reply.state else ground.now_ms()
    args = written({"state": reply.state, "record": record.hex(), "version": reply.version})
    acts.append(row.id, record[:8], action, at_ms=at_ms, by="home", args=args)
    acts.judge(row.id, record[:8], verdicts.OK, at_ms)


def _stays_over(ground: Ground, row: Engagement, reply: Reply) -> Engagement:
    """Nothing revives what is over, not even a home that was restored to before its end."""
    rows.change(row.id, gen=reply.gen, version=reply.version, applied_version=reply.version)
    _hear_verdicts(row, reply)
    state = ground.lifecycle(row).states.get(reply.state)
    if state is not None and not state.final and not is_leaving(row):
        row_is_over = Deed(secrets.token_bytes(8), WITHDRAW, ground.now_ms(), "clock")
        record_deed(row, row_is_over)
    publish(ground, rows.find(row.id))
    return rows.find(row.id)


def _said(
    row: Engagement, reply: Reply, is_final: bool, record: bytes, key: bytes, start: str
) -> dict[str, object]:
    """The columns for what a newer reply says."""
    contacts = {name: text for name, text in read(row.contacts).items() if name == "asker"}
    if reply.contact:
        contacts["keeper"] = reply.contact
    return {
        "state": reply.state,
        "since_ms": reply.since_ms,
        "proposal": "" if is_final else proposal.heard(reply.proposal),
        "turn": reply.turn,
        "final": is_final,
        "deadline_ms": reply.deadline_ms,
        "lapses_to": reply.lapses_to,
        "version": reply.version,
        "applied_version": reply.version,
        "gen": reply.gen,
        "reason": because(reply.reason, reply.reason_text),
        "contacts": "{}" if is_final else written(contacts),
        "ends_ms": reply.ends_ms,
        "answer_by_ms": row.answer_by_ms if reply.state == start and not reply.proposal else None,
        "place": reply.place,
        "reply_record": record,
        "reply_key": key,
    }


def _hear_verdicts(row: Engagement, reply: Reply) -> None:
    """Keep each verdict; on an act unknown here it is home's claim, not the resident's act."""
    for each in reply.verdicts:
        if acts.find(row.id, each.id) is None:
            acts.append(row.id, each.id, each.action, at_ms=reply.since_ms, by="claimed")
        if each.code:
            acts.judge(row.id, each.id, each.code, reply.since_ms)
