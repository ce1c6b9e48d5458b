"""The opening of an engagement: an ask for one of our listings, from here or from another town.

A local click and another town's ask run the same function, inside the same write transaction.
"""

import secrets
from dataclasses import dataclass, field

from node.domain.errors import Invalid, NotAllowed
from node.domain.lifecycle import Lifecycle
from node.domain.practice import Engaging, Terms
from node.domain.words import N_
from node.engagements import verdicts
from node.engagements.between.registers import REPLY, Deed, register_key
from node.engagements.ground import (
    REACH_MS,
    Ground,
    because,
    entered,
    is_on_offer,
    seen_of,
    written,
)
from node.engagements.moves import enter, note, record_deed, take, units_for
from node.engagements.telling import ASKED, tell_asker, tell_keeper
from node.store import marks
from node.store.catalogue import holdings, listings
from node.store.catalogue.listings import Listing
from node.store.promises import acts
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

ASK = "ask"
OPEN_MAX = 200  # engagements of one partner with one listing that are not over
ANSWERED = (  # an ask refused for one of these gets a row and a reply; others leave no trace
    verdicts.UNKNOWN_LISTING,
    verdicts.NO_AGREEMENT,
    verdicts.STALE,
    verdicts.LATE,
    verdicts.FULL,
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
    answer_by_ms: int | None = None
    request_key: bytes | None = None
    names: dict[str, str] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)


def open_for(ground: Ground, wish: Wish) -> tuple[Engagement | None, str]:
    """Judge an ask: return the row made of it, if any, and the verdict.

    Raises Invalid (what was asked cannot be), NotAllowed (one's own listing).
    """
    listing = listings.find(ground.town, wish.listing_key)
    engaging = ground.engaging(listing) if listing else None
    if listing is None or engaging is None:
        return None, verdicts.UNKNOWN_LISTING
    holding = holdings.find(listing.key)
    keeper = holding.member if holding else None
    if keeper is not None and keeper == wish.asker:
        raise NotAllowed("own_listing", N_("This is your own listing."))
    code, terms = _examine(ground, engaging, listing, wish)
    if code != verdicts.OK and code not in ANSWERED:
        return None, code
    row = _start(ground, listing, wish, keeper, terms, code)
    record_deed(row, wish.deed, wish.asker)
    acts.judge(row.id, wish.deed.id, code, ground.now_ms())
    if code == verdicts.OK:
        tell_keeper(ground, row, ASKED)
        row = _approve_by_itself(ground, engaging, listing, row)
    return row, code


def _examine(ground: Ground, engaging: Engaging, listing: Listing, wish: Wish) -> tuple[str, Terms]:
    now_ms = ground.now_ms()
    if not is_on_offer(listing, now_ms):
        return verdicts.UNKNOWN_LISTING, {}
    if wish.asker_town != ground.town:
        if listing.who == "town":
            return verdicts.NO_AGREEMENT, {}
        if rows.open_between(wish.asker_town, listing.origin, listing.key) >= OPEN_MAX:
            return verdicts.OVER_LIMIT, {}
    body = ground.body(listing)
    has_changed = wish.saw != listing.record
    if has_changed and wish.deed.seen != seen_of(engaging, body):
        return verdicts.STALE, {}
    try:
        terms = engaging.terms(body, wish.deed.wish, ground.today(wish.deed.at_ms))
    except Invalid:
        if has_changed:
            return verdicts.STALE, {}
        raise
    lifecycle = engaging.lifecycle(body)
    start = lifecycle.state(lifecycle.start)
    columns = entered(lifecycle, start, ground.moments(engaging, terms, now_ms))
    reach_ms = 0 if wish.asker_town == ground.town else REACH_MS
    if columns["deadline_ms"] + reach_ms <= now_ms:
        return verdicts.LATE, terms
    is_full = units_for(ground, engaging, listing, terms) == ()
    return (verdicts.FULL if is_full else verdicts.OK), terms


def _start(
    ground: Ground, listing: Listing, wish: Wish, keeper: int | None, terms: Terms, code: str
) -> Engagement:
    is_ok, now_ms = code == verdicts.OK, ground.now_ms()
    lifecycle, engaging = _table(ground, listing), ground.rules(listing)
    state = lifecycle.state(lifecycle.start if is_ok else lifecycle.refuses_to)
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
        terms=written(terms),
        reason=because("" if is_ok else code),
        contacts=written(wish.contacts) if is_ok else "{}",
        names=written(wish.names),
        answer_by_ms=wish.answer_by_ms,
        request_key=wish.request_key,
        reply_key=register_key(REPLY, wish.engagement) if wish.request_key else None,
        created_ms=now_ms,
        **entered(lifecycle, state, moments),
    )
    if state.takes:
        take(ground, row)
    return row


def _table(ground: Ground, listing: Listing) -> Lifecycle:
    """The lifecycle of a listing; of a withdrawn one any, since only its refusal is needed."""
    engaging = ground.rules(listing)
    if listing.body:
        return engaging.lifecycle(ground.body(listing))
    return next(iter(engaging.lifecycles.values()))


def _approve_by_itself(
    ground: Ground, engaging: Engaging, listing: Listing, row: Engagement
) -> Engagement:
    body = ground.body(listing)
    way = ground.lifecycle(row).way_forward(row.state)
    if way is None or not engaging.auto(body):
        return row
    row = enter(ground, row, way.after, ground.now_ms())
    note(row, secrets.token_bytes(8), way.action, ground.now_ms(), "home")
    tell_asker(ground, row)
    return row
