"""The adoption of what we signed and forgot: our own registers, read back with the archive key.

Signed evidence beats a restored row. What it collides with holds nothing any more and is in doubt
until a person settles it; a final state stays final.
"""

import logging
from typing import Any

from federation.errors import ProtocolError
from federation.record import Record, parse
from node.domain.errors import DomainError
from node.domain.lifecycle import REVOKED, State
from node.engagements import capacity, gate, proposal, sayings
from node.engagements.between import asker, inner
from node.engagements.between.post import MESSAGE
from node.engagements.between.registers import REPLY, REQUEST, Deed, Reply, Request, register_key
from node.engagements.ground import Ground, because, entered, written
from node.engagements.moves import record_deed
from node.store import marks
from node.store.catalogue import holdings, listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.people import members
from node.store.promises import acts, doubts
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from node.store.sets import records

log = logging.getLogger(__name__)

ALL = 1_000_000


def adopt_all(ground: Ground, town: bytes) -> int:
    """Adopt all our registers towards a town that are held here; return how many there were."""
    count = 0
    for kind, adopt in ((REPLY, _adopt_reply), (REQUEST, _adopt_request)):
        for held in records.walk(ground.town, kind):
            if held.to == town:
                record, count = parse(held.raw), count + 1
                try:
                    with write_tx():
                        message = None if record.is_tombstone else _opened(ground, record)
                        adopt(ground, record, message)
                except (DomainError, ProtocolError) as error:
                    log.warning("our record %s is not adopted: %s", record.id.hex(), error)
    return count


def adopt_late(ground: Ground, record: Record, message: dict[int, Any]) -> Engagement | None:
    """Meet one of our registers after the gate was opened; return the row it is about, if known.

    A promise that home forgot and whose addressee was heard since is fenced there: it promises
    nothing. What a resident did is still what they did.
    """
    if record.kind == REQUEST:
        _adopt_request(ground, record, message)
    elif rows.find(message[1]) is None:
        _doubt(ground, message[1], record.to, doubts.FORGOTTEN, inner.read_reply(message).state)
    return rows.find(message[1])


def _opened(ground: Ground, record: Record) -> dict[int, Any]:
    return ground.journal.open_sealed(record)


def _doubt(ground: Ground, engagement: bytes, town: bytes | None, code: str, state: str) -> None:
    told = written({"state": state})
    doubts.raise_about(engagement, code, town or ground.town, told, ground.now_ms())


# ── as home: our replies ─────────────────────────────────────────────────────────────────────────


def _adopt_reply(ground: Ground, record: Record, message: dict[int, Any] | None) -> None:
    if message is None:
        _end_buried(ground, record)
        return
    reply = inner.read_reply(message)
    request = _request_of(ground, record.to, reply.engagement)
    row = rows.find(reply.engagement) or _start(ground, record, reply, request)
    if row is None:
        _doubt(ground, reply.engagement, record.to, doubts.FORGOTTEN, reply.state)
        return
    if (row.home, row.asker_town) != (ground.town, record.to):
        return
    _hear_acts(row, reply, request)
    sayings.recall(ground, row, "keeper", reply.messages)
    state = ground.lifecycle(row).states.get(reply.state)
    if state is None or (reply.version < row.version and row.final):
        return
    if gate.is_by_hand(row.asker_town) and state.takes and not _holds(ground, row):
        _adopt_against(ground, row, reply, state)
        return
    if row.final or (reply.gen, reply.version) <= (row.gen, row.version):
        return
    rows.change(row.id, **_said(reply, state), reply_record=record.id, gen=_gen())
    hold_by_terms(ground, rows.find(row.id), state)


def _adopt_against(ground: Ground, row: Engagement, reply: Reply, state: State) -> None:
    """A yes we forgot, of an engagement that went on since: kept if there is room, else in doubt.

    Only after a person opened the gate unheard.
    """
    listing = listings.find(row.listing_origin, row.listing_key)
    has_room = listing is not None and capacity.free(ground, listing, dict(reply.terms), row)
    if row.final or not has_room:
        _doubt(ground, row.id, row.asker_town, doubts.COLLIDES, reply.state)
        return
    said = {**_said(reply, state), "version": max(row.version, reply.version) + 1}
    rows.change(row.id, **said, gen=_gen())
    hold_by_terms(ground, rows.find(row.id), state)


def _holds(ground: Ground, row: Engagement) -> bool:
    return not row.final and ground.state(row).takes


def _gen() -> int:
    return marks.number(marks.RESTORED_S)


def _said(reply: Reply, state: State) -> dict[str, Any]:
    """The columns of a row of ours for what we once signed of it."""
    contacts = {"keeper": reply.contact} if reply.contact else {}
    return {
        "state": reply.state,
        "since_ms": reply.since_ms,
        "turn": reply.turn,
        "final": state.final,
        "deadline_ms": reply.deadline_ms,
        "lapses_to": reply.lapses_to,
        "version": reply.version,
        "terms": written(dict(reply.terms)),
        "proposal": "" if state.final else proposal.heard(reply.proposal),
        "reason": because(reply.reason, reply.reason_text),
        "contacts": written(contacts),
        "ends_ms": reply.ends_ms,
        "rank": reply.place,
        "place": reply.place,
    }


def _request_of(ground: Ground, town: bytes | None, engagement: bytes) -> Request | None:
    """Return the asker's own register, if it is held and can be read."""
    held = records.find(town or b"", register_key(REQUEST, engagement))
    try:
        message = _opened(ground, parse(held.raw)) if held and held.state == 0 else None
        return inner.read_request(message) if message else None
    except ProtocolError:
        return None


def _start(
    ground: Ground, record: Record, reply: Reply, request: Request | None
) -> Engagement | None:
    """Make the row of an engagement this town forgot, None when nobody says what it is about."""
    key = reply.listing_key or (request.listing_key if request else b"")
    listing = listings.find(ground.town, key) if key else None
    engaging = ground.engaging(listing) if listing else None
    if listing is None or engaging is None:
        return None
    table = next((t for t in engaging.lifecycles.values() if reply.state in t.states), None)
    if table is None:
        return None
    first, holding = request.deeds[0] if request else None, holdings.find(key)
    names = {"asker": request.name, MESSAGE: first.wish.get(MESSAGE, "")} if first else {}
    return rows.start(
        reply.engagement,
        practice=listing.practice,
        lifecycle=table.name,
        home=ground.town,
        asker_town=record.to,
        listing_origin=ground.town,
        listing_key=key,
        keeper=holding.member if holding else None,
        who=request.who if request else reply.who,
        state=table.start,
        since_ms=reply.since_ms,
        saw=request.saw if request else None,
        names=written(names),
        answer_by_ms=request.answer_by_ms if request else None,
        request_key=register_key(REQUEST, reply.engagement),
        reply_key=record.key,
        created_ms=first.at_ms if first else reply.since_ms,
    )


def _hear_acts(row: Engagement, reply: Reply, request: Request | None) -> None:
    """Keep which acts were judged, so that none is judged again."""
    sent = {deed.id: deed for deed in request.deeds} if request else {}
    for each in reply.verdicts:
        if each.code:
            deed = sent.get(each.id) or Deed(each.id, each.action, reply.since_ms, "self")
            record_deed(row, deed)
            acts.judge(row.id, each.id, each.code, reply.since_ms)


def _end_buried(ground: Ground, record: Record) -> None:
    """A reply that we buried: the engagement was long over, or its keeper erased."""
    row = rows.by_register(record.key)
    if row is None or row.home != ground.town:
        return
    if not row.final:
        lifecycle = ground.lifecycle(row)
        columns = entered(lifecycle, lifecycle.state(REVOKED), {"since": ground.now_ms()})
        capacity.release(row)
        rows.change(row.id, **columns, reason=because("record_removed"), contacts="{}")
    rows.change(row.id, reply_key=None)


# ── what promised terms hold ─────────────────────────────────────────────────────────────────────


def hold_by_terms(ground: Ground, row: Engagement, state: State) -> None:
    """Let a row of ours hold what its terms promise, if its state does; others give way."""
    capacity.release(row)
    listing = listings.find(row.listing_origin, row.listing_key)
    if not state.takes or listing is None or not listing.body:
        return
    aside = _by_weight(ground, row)
    while not hold(ground, row):
        if not aside:
            _doubt(ground, row.id, row.asker_town, doubts.COLLIDES, row.state)
            return
        other = aside.pop(0)
        if capacity.release(other):
            _doubt(ground, other.id, other.asker_town, doubts.COLLIDES, other.state)


def _by_weight(ground: Ground, row: Engagement) -> list[Engagement]:
    """The rows in the way that no signature of ours since the restore stands behind."""
    holders = capacity.holders(ground, row, *proposal.held(ground, row))
    weak = [each for each in map(rows.find, holders) if each is not None]
    return sorted(
        (each for each in weak if ground.is_here(each) or each.gen < _gen()),
        key=lambda each: (not ground.is_here(each), -each.created_ms),
    )


def hold(ground: Ground, row: Engagement) -> bool:
    """Hold what the terms of a row promise, if nobody else does; return whether it could."""
    try:
        capacity.hold(ground, row, *proposal.held(ground, row))
    except capacity.Refused:
        return False
    return True


def hold_again(ground: Ground) -> int:
    """Settle the doubts that time has settled: over, or there is room again; return how many."""
    settled = 0
    for doubt in doubts.unsettled():
        row = rows.find(doubt.engagement)
        if doubt.code != doubts.COLLIDES or row is None or row.home != ground.town:
            continue
        if not row.final and not ground.state(row).takes:
            continue
        with write_tx():
            if row.final or capacity.held_by(row.id) or hold(ground, row):
                settled += doubts.settle(doubt.id, ground.now_ms())
    return settled


# ── as the asker's town: our requests ────────────────────────────────────────────────────────────


def _adopt_request(ground: Ground, record: Record, message: dict[int, Any] | None) -> None:
    if message is None:
        row = rows.by_register(record.key)
        if row is not None and row.asker_town == ground.town:
            rows.change(row.id, names="{}", contacts="{}", request_key=None)
        return
    request = inner.read_request(message)
    row = rows.find(request.engagement) or _start_elsewhere(ground, record, request)
    if row is None:
        _doubt(ground, request.engagement, record.to, doubts.FORGOTTEN, "")
        return
    if (row.home, row.asker_town) == (record.to, ground.town):
        for deed in request.deeds:
            record_deed(row, deed, row.asker)
        sayings.recall(ground, row, "asker", request.messages)


def _start_elsewhere(ground: Ground, record: Record, request: Request) -> Engagement | None:
    """Make the row of an ask this town forgot, None when the listing is not known either."""
    listing = listings.find(record.to or b"", request.listing_key)
    engaging = ground.engaging(listing) if listing else None
    if listing is None or engaging is None:
        return None
    first = request.deeds[0]
    member = _who(ground, listing, request.who)
    lifecycle, terms = _terms(ground, listing, first)
    columns = entered(
        lifecycle, lifecycle.state(lifecycle.start), ground.moments(engaging, terms, first.at_ms)
    )
    row = rows.start(
        request.engagement,
        practice=listing.practice,
        lifecycle=lifecycle.name,
        home=listing.origin,
        asker_town=ground.town,
        listing_origin=listing.origin,
        listing_key=listing.key,
        asker=member,
        who=request.who,
        saw=request.saw,
        terms=written(terms),
        names=written({"asker": request.name, MESSAGE: first.wish.get(MESSAGE, "")}),
        contacts=written({"asker": request.contact} if request.contact else {}),
        answer_by_ms=request.answer_by_ms,
        request_key=record.key,
        reply_key=register_key(REPLY, request.engagement),
        request_record=record.id,
        created_ms=first.at_ms,
        **{**columns, "deadline_ms": None, "lapses_to": ""},
    )
    if member is None:
        _doubt(ground, row.id, row.home, doubts.MEMBERLESS, row.state)
    return row


def _terms(ground: Ground, listing: Listing, deed: Deed) -> tuple[Any, dict[str, Any]]:
    """The lifecycle and terms of an ask, as far as the listing still says them."""
    engaging = ground.rules(listing)
    try:
        body = ground.body(listing)
        today = ground.today(deed.at_ms)
        return engaging.lifecycle(body), engaging.terms(body, deed.wish, today)
    except (DomainError, ProtocolError):
        return next(iter(engaging.lifecycles.values())), {}


def _who(ground: Ground, listing: Listing, known_as: bytes) -> int | None:
    """Find our member behind a `who` of ours."""
    everybody = members.listed(limit=ALL)
    found = (each.id for each in everybody if asker.who(ground, listing, each.ref) == known_as)
    return next(found, None)
