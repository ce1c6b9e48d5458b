"""What another town's registers do here when they win: a request is judged, a reply is applied.

The journal calls these inside the transaction that admits the record. What breaks a rule raises:
the record stays held, nothing else is stored, and the partner's page shows the code.
"""

from typing import Any

from federation.errors import RemoteProtocolError
from federation.record import Record
from node.domain.errors import Conflict
from node.domain.lifecycle import REVOKED, WITHDRAW
from node.domain.words import N_
from node.engagements import sayings, verdicts
from node.engagements.between import asker, inner
from node.engagements.between.post import MESSAGE, publish, seal_again
from node.engagements.between.registers import ACTS_MAX, Deed, Reply, Request
from node.engagements.ground import Ground, because, entered, read, written
from node.engagements.home import judge, pass_on_of
from node.engagements.moves import record_deed, restate
from node.engagements.opening import FROM_AFAR, Wish, open_for
from node.engagements.telling import tell_asker, tell_keeper
from node.store.catalogue import listings
from node.store.network import partners, refusals
from node.store.promises import acts, doubts
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

UNKNOWN_MAX = 200  # of one partner, shown to our staff at once


def on_request(ground: Ground, record: Record, message: dict[int, Any] | None) -> None:
    """Judge every act of a request that has no verdict yet, then publish one reply."""
    if message is None:
        _buried_request(ground, record)
        return
    request = inner.read_request(message)
    _raise_fence(record.origin, request.gen)
    row = rows.find(request.engagement)
    if row is None:
        row = _first_sight(ground, record, request)
    elif (row.home, row.asker_town, row.listing_key) != (
        ground.town,
        record.origin,
        request.listing_key,
    ):
        raise RemoteProtocolError("not_yours")
    known = {act.id for act in asker.own_acts(row)}
    if len(known | {deed.id for deed in request.deeds}) > ACTS_MAX:
        raise verdicts.refusal(verdicts.OVER_LIMIT)
    for deed in request.deeds:
        row = _judge_once(ground, record, row, deed)
    row = _keep_told(row, record, request)
    sayings.hear(ground, row, "asker", request.messages)
    if any(deed.by == "erasure" for deed in request.deeds):
        sayings.let_go(ground, row)
    if row.reply_record is None:
        publish(ground, row)


def _first_sight(ground: Ground, record: Record, request: Request) -> Engagement:
    """Bind the engagement to this town and listing; raises when nothing is to be kept."""
    deed = request.deeds[0]
    if deed.action not in FROM_AFAR:
        raise RemoteProtocolError("bad_inner", "field 9")
    if not partners.is_linked(record.origin):
        raise verdicts.refusal(verdicts.NO_AGREEMENT)
    wish = Wish(
        engagement=request.engagement,
        listing_key=request.listing_key,
        asker_town=record.origin,
        who=request.who,
        deed=deed,
        saw=request.saw,
        answer_by_ms=request.answer_by_ms,
        request_key=record.key,
        names={"asker": request.name, MESSAGE: deed.wish.get(MESSAGE, "")},
    )
    listing = listings.find(ground.town, request.listing_key)
    if listing is not None:
        pass_on_of(ground, listing)
    row, code = open_for(ground, wish)
    if row is None:
        raise verdicts.refusal(code)
    return row


def _judge_once(ground: Ground, record: Record, row: Engagement, deed: Deed) -> Engagement:
    held = acts.find(row.id, deed.id)
    if held is not None and held.verdict:
        return row
    record_deed(row, deed)
    if deed.action in FROM_AFAR:
        code = verdicts.DUP
    else:
        row, code = judge(ground, row, deed, "asker")
    acts.judge(row.id, deed.id, code, ground.now_ms())
    if code in (verdicts.OK, verdicts.PENDING):
        tell_keeper(ground, row)
        return row
    if code == verdicts.NOT_ALLOWED:
        refusals.note(record.origin, record.id, code, ground.now_ms(), record.origin)
    return restate(row)


def _keep_told(row: Engagement, record: Record, request: Request) -> Engagement:
    """Keep what the request tells beside its acts: how far it heard us, name and contact."""
    names, contacts = read(row.names), read(row.contacts)
    names["asker"] = request.name  # a register is complete: what it no longer says is gone
    for deed in request.deeds:
        if deed.action in FROM_AFAR:
            names[MESSAGE] = deed.wish.get(MESSAGE, "")
    contacts.pop("asker", None)
    if request.contact and not row.final:
        contacts["asker"] = request.contact
    rows.change(
        row.id,
        ack=max(row.ack, min(request.ack, row.version)),
        request_key=record.key,
        request_record=record.id,
        names=written(names),
        contacts=written(contacts),
    )
    return rows.find(row.id)


def _buried_request(ground: Ground, record: Record) -> None:
    """A tombstoned request is a withdrawal, and takes the asker's name and contact with it."""
    row = rows.by_register(record.key)
    if row is None or (row.home, row.asker_town) != (ground.town, record.origin):
        return
    if not row.final:
        deed = Deed(record.id[:8], WITHDRAW, ground.now_ms(), "erasure")
        row = _judge_once(ground, record, row, deed)
    rows.change(row.id, names="{}", contacts="{}", request_record=record.id)
    sayings.let_go(ground, row)
    if row.reply_record is None:
        publish(ground, rows.find(row.id))


def on_reply(ground: Ground, record: Record, message: dict[int, Any] | None) -> None:
    """Apply what home says, unless it is older, fenced or not about an engagement of ours."""
    if message is None:
        _buried_reply(ground, record)
        return
    reply = inner.read_reply(message)
    row = rows.find(reply.engagement)
    if row is None:
        _unknown(ground, record, reply)
        return
    if (row.home, row.asker_town) != (record.origin, ground.town):
        raise RemoteProtocolError("not_yours")
    if reply.gen < fence(record.origin):
        raise Conflict("fenced", N_("That answer was signed before that town was restored."))
    _raise_fence(record.origin, reply.gen)
    if (reply.gen, reply.version) >= (row.gen, row.version):
        sayings.hear(ground, row, "keeper", reply.messages)
    asker.apply(ground, row, reply, record.id, record.key)


def _unknown(ground: Ground, record: Record, reply: Reply) -> None:
    """Show our staff an answer to a request not known here: a restore may have forgotten it."""
    told = {"state": reply.state, "terms": dict(reply.terms), "record": record.id.hex()}
    if doubts.count_of(record.origin) < UNKNOWN_MAX:
        raised = (reply.engagement, doubts.UNKNOWN, record.origin, written(told))
        doubts.raise_about(*raised, ground.now_ms())
    refusals.note(record.origin, record.id, "unknown_engagement", ground.now_ms(), record.origin)


def on_profile(ground: Ground, record: Record, body: dict[str, Any] | None) -> None:
    """Seal our open registers again when a town's card shows another sealing key."""
    key = body.get("hpke") if body else None
    if isinstance(key, bytes):
        seal_again(ground, record.origin, key)


def _buried_reply(ground: Ground, record: Record) -> None:
    """A tombstoned reply of an open engagement reads: taken back, record removed."""
    row = rows.by_register(record.key)
    if row is None or row.final or (row.home, row.asker_town) != (record.origin, ground.town):
        return
    lifecycle = ground.lifecycle(row)
    columns = entered(lifecycle, lifecycle.state(REVOKED), {"since": ground.now_ms()})
    reason = because("record_removed")
    rows.change(row.id, **columns, reason=reason, contacts="{}", reply_record=record.id)
    tell_asker(ground, rows.find(row.id))


def fence(town: bytes) -> int:
    """Return the last restore (unix seconds) that a town has told of, 0 for none."""
    partner = partners.find(town)
    return partner.generation_s if partner else 0


def _raise_fence(town: bytes, gen: int) -> None:
    if gen:
        partners.raise_fence(town, gen)
