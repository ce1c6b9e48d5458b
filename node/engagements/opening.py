"""The opening of an engagement: an ask for one of our listings, from here or from another town.

A local click and another town's ask run the same function, inside the same write transaction.
"""

import secrets
from dataclasses import dataclass, field

from node.domain.errors import Invalid, NotAllowed
from node.domain.lifecycle import ASK, HOLD, QUEUE, Lifecycle, State
from node.domain.practice import Engaging, Terms
from node.domain.words import N_
from node.engagements import agreed, capacity, line, proposing, standing, verdicts
from node.engagements.between.registers import REPLY, Deed, register_key
from node.engagements.ground import (
    Ground,
    because,
    entered,
    is_on_offer,
    seen_of,
    written,
)
from node.engagements.moves import enter, note, record_deed
from node.engagements.telling import ASKED, tell_asker, tell_keeper
from node.store import marks
from node.store.catalogue import holdings, listings
from node.store.catalogue.listings import Listing
from node.store.promises import acts, lines
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

OPENINGS = (ASK, QUEUE, HOLD)  # the acts an engagement can begin with
FROM_AFAR = (ASK, QUEUE)  # those of them that travel
OPEN_MAX = 200  # engagements of one partner with one listing that are not over
ANSWERED = (  # an ask refused for one of these gets a row and a reply; others leave no trace
    verdicts.UNKNOWN_LISTING,
    verdicts.NO_AGREEMENT,
    verdicts.STALE,
    verdicts.LATE,
    verdicts.FULL,
    verdicts.DUP,
)


@dataclass(frozen=True)
class Wish:
    """Somebody's ask for a listing of ours, from here or from another town."""

    engagement: bytes
    listing_key: bytes
    asker_town: bytes
    who: bytes
    deed: Deed
    saw: bytes
    asker: int | None = None
    by: int | None = None  # our member who wrote it, the asker or an aide
    answer_by_ms: int | None = None
    request_key: bytes | None = None
    names: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)


def open_for(ground: Ground, wish: Wish) -> tuple[Engagement | None, str]:
    """Judge an ask: return the row made of it, if any, and the verdict.

    A guard's no is a row only where it has to travel. Raises Invalid (what was asked cannot be),
    NotAllowed (one's own listing), and what a guard says to a person of this town.
    """
    listing = listings.find(ground.town, wish.listing_key)
    engaging = ground.engaging(listing) if listing else None
    if listing is None or engaging is None:
        return None, verdicts.UNKNOWN_LISTING
    holding = holdings.find(listing.key)
    keeper = holding.member if holding else None
    if keeper is not None and keeper == wish.asker:
        raise NotAllowed("own_listing", N_("This is your own listing."))
    found = _examine(ground, engaging, listing, wish)
    code = found.code
    is_told = wish.asker_town != ground.town  # whoever stands here reads the no at once
    if code != verdicts.OK and not (is_told and (code in ANSWERED or found.because)):
        return None, code
    row = _start(ground, listing, wish, keeper, found)
    record_deed(row, wish.deed, wish.by)
    acts.judge(row.id, wish.deed.id, code, ground.now_ms())
    if code == verdicts.OK and found.is_other:
        return proposing.put_changed(ground, row, found.terms), code
    if code == verdicts.OK:
        tell_keeper(ground, row, ASKED)
        row = approve_by_itself(ground, row)
    return row, code


@dataclass(frozen=True)
class _Found:
    """What became of an ask: the verdict, the terms, the state it opens in, a guard's own code.

    `is_other`: the listing is not what was shown, so that the terms are home's proposal.
    """

    code: str
    terms: Terms = field(default_factory=dict)
    state: str = ""
    because: str = ""
    is_other: bool = False


def _examine(ground: Ground, engaging: Engaging, listing: Listing, wish: Wish) -> _Found:
    code = _at_the_door(ground, listing, wish)
    if code != verdicts.OK:
        return _Found(code)
    body = ground.body(listing)
    has_changed = wish.saw != listing.record
    is_other = has_changed and wish.deed.seen != seen_of(engaging, body)
    if is_other and not _can_propose(ground, engaging.lifecycle(body), wish):
        return _Found(verdicts.STALE)
    try:
        terms = engaging.terms(body, wish.deed.wish, ground.today(wish.deed.at_ms))
    except Invalid:
        if has_changed:
            return _Found(verdicts.STALE)
        raise
    state = _entrance(engaging.lifecycle(body), wish)
    if state is None:
        return _Found(verdicts.NOT_ALLOWED)
    if _is_late(ground, engaging, engaging.lifecycle(body), wish, terms):
        return _Found(verdicts.LATE, terms)
    asker = standing.Asker(wish.engagement, wish.asker_town, wish.who, wish.asker)
    why = standing.hindrance(ground, engaging, listing, asker, wish.deed, terms)
    if why is not None and wish.asker_town == ground.town:
        raise standing.refusal(why)
    if why is not None:
        return _Found(why.verdict, terms, because=why.code)
    line.settle(ground)  # who waits comes before who asks now
    code = capacity.why_not(ground, listing, terms, who=wish.who)
    if code == verdicts.OK:
        return _Found(verdicts.OK, terms, state.name, is_other=is_other)
    waiting = engaging.lifecycle(body).waiting
    if code == verdicts.FULL and wish.deed.action == QUEUE and waiting and not is_other:
        return _Found(verdicts.OK, terms, waiting)
    return _Found(code, terms)


def _at_the_door(ground: Ground, listing: Listing, wish: Wish) -> str:
    """Whether an ask from that town is looked at at all."""
    if not is_on_offer(listing, ground.now_ms()):
        return verdicts.UNKNOWN_LISTING
    if wish.asker_town != ground.town:
        if listing.who == "town" or not agreed.lets_in(ground, listing, wish.asker_town):
            return verdicts.NO_AGREEMENT
        if rows.open_between(wish.asker_town, listing.origin, listing.key) >= OPEN_MAX:
            return verdicts.OVER_LIMIT
    return verdicts.OK


def _entrance(lifecycle: Lifecycle, wish: Wish) -> State | None:
    """The state an ask opens in while there is room; None where there is no such way in."""
    if wish.deed.action != HOLD:
        return lifecycle.state(lifecycle.start)
    is_ours = lifecycle.holding and wish.request_key is None  # a hold is for residents of home
    return lifecycle.state(lifecycle.holding) if is_ours else None


def _is_late(
    ground: Ground, engaging: Engaging, lifecycle: Lifecycle, wish: Wish, terms: Terms
) -> bool:
    now_ms, start = ground.now_ms(), lifecycle.state(lifecycle.start)
    columns = entered(lifecycle, start, ground.moments(engaging, terms, now_ms))
    return bool(columns["deadline_ms"] + ground.reach_of(wish.asker_town) <= now_ms)


def _start(
    ground: Ground, listing: Listing, wish: Wish, keeper: int | None, found: _Found
) -> Engagement:
    is_ok, now_ms, terms = found.code == verdicts.OK, ground.now_ms(), found.terms
    lifecycle, engaging = _table(ground, listing), ground.rules(listing)
    state = lifecycle.state(found.state if is_ok else lifecycle.refuses_to)
    moments = ground.moments(engaging, terms, now_ms) if terms else {"since": now_ms}
    row = rows.start(
        wish.engagement,
        practice=listing.practice,
        lifecycle=lifecycle.name,
        home=ground.town,
        asker_town=wish.asker_town,
        listing_origin=listing.origin,
        listing_key=listing.key,
        asker=wish.asker,
        keeper=keeper,
        who=wish.who,
        version=1,
        gen=marks.number(marks.RESTORED_S),
        saw=wish.saw,
        terms=written({} if found.is_other else terms),
        reason=because("" if is_ok else found.because or found.code),
        contacts=written(wish.contacts) if is_ok else "{}",
        names=written(wish.names),
        answer_by_ms=wish.answer_by_ms,
        request_key=wish.request_key,
        reply_key=register_key(REPLY, wish.engagement) if wish.request_key else None,
        created_ms=now_ms,
        **entered(lifecycle, state, moments),
        **(lines.at_end(listing.origin, listing.key) if state.name == lifecycle.waiting else {}),
    )
    if state.takes:
        capacity.take(ground, row)
    return row


def _table(ground: Ground, listing: Listing) -> Lifecycle:
    """The lifecycle of a listing; of a withdrawn one any, since only its refusal is needed."""
    engaging = ground.rules(listing)
    if listing.body:
        return engaging.lifecycle(ground.body(listing))
    return next(iter(engaging.lifecycles.values()))


def approve_by_itself(ground: Ground, row: Engagement) -> Engagement:
    """Say yes to what was just asked if the listing wants that; return the row as it is now."""
    listing, lifecycle = listings.find(row.listing_origin, row.listing_key), ground.lifecycle(row)
    way = lifecycle.way_forward(row.state)
    if way is None or row.state != lifecycle.start or listing is None or not listing.body:
        return row
    if not ground.rules(row).auto(ground.body(listing)):
        return row
    row = enter(ground, row, way.after, ground.now_ms())
    note(row, secrets.token_bytes(8), way.action, ground.now_ms(), "home")
    tell_asker(ground, row)
    return row


def _can_propose(ground: Ground, lifecycle: Lifecycle, wish: Wish) -> bool:
    """Whether a town may answer with other terms: where a keeper could, and it was not a hold."""
    ways = lifecycle.written
    is_countered = any(each.proposes and each.before == lifecycle.start for each in ways)
    return wish.asker_town != ground.town and is_countered and wish.deed.action != HOLD
