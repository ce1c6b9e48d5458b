"""The post between two towns: each signs and seals its one register, whole, whenever it changed.

What cannot be signed or sealed now (the other town's key has not arrived, our clock is wrong) is
kept as a row without a record, and sent later: never a record without its row.
"""

from node.domain.errors import Conflict
from node.domain.lifecycle import ASK, QUEUE
from node.engagements import contacts, gate, proposal
from node.engagements.between import registers
from node.engagements.between.registers import Deed, Reply, Request, Said, Verdict
from node.engagements.ground import Ground, read
from node.store import marks
from node.store.database import write_tx
from node.store.network import agreements
from node.store.promises import acts, messages
from node.store.promises import engagements as rows
from node.store.promises.acts import Act
from node.store.promises.engagements import Engagement
from node.store.sets import records

UNSENT = "engagements_unsent"  # ids whose register could not be signed or sealed yet
SEALED_TO = "sealed_to:"
MESSAGE = "message"


def publish(ground: Ground, row: Engagement) -> None:
    """Sign what this town says of an engagement with another; inside one town nothing travels."""
    if ground.is_here(row):
        return
    is_ours = ground.decides(row)
    column = "reply_record" if is_ours else "request_record"
    key = row.reply_key if is_ours else row.request_key
    if key is None:  # buried: the register ended 60 days after the engagement
        return
    if not is_ours:
        _remember_sent(ground, row)
    kind = registers.REPLY if is_ours else registers.REQUEST
    inner = (
        registers.reply_inner(reply_of(ground, row))
        if is_ours
        else registers.request_inner(request_of(ground, row))
    )
    to = row.asker_town if is_ours else row.home
    if gate.is_unheard(to):
        _wait(row, column)
        return
    try:
        record = ground.journal.publish_sealed(kind, inner, to=to, key=key)
    except Conflict:
        _wait(row, column)
    else:
        rows.change(row.id, **{column: record.id})


def _wait(row: Engagement, column: str) -> None:
    waiting = {*marks.read(UNSENT).split(), row.id.hex()}
    marks.write(UNSENT, " ".join(sorted(waiting)))
    rows.change(row.id, **{column: None})


def send_unsent(ground: Ground) -> int:
    """Try again what could not be signed or sealed; return how many registers that were."""
    waiting = marks.read(UNSENT).split()
    if waiting:
        with write_tx():
            marks.forget(UNSENT)
            for engagement in waiting:
                row = rows.find(bytes.fromhex(engagement))
                if row is not None:
                    publish(ground, row)
    return len(waiting)


def seal_again(ground: Ground, town: bytes, key: bytes) -> int:
    """Seal our registers that still matter to a town's new key; return how many.

    They are those of what is open, and final answers that the town has not heard. A town that was
    restored may have lost the keys before; content and ids stay as they are.
    """
    name = f"{SEALED_TO}{town.hex()}"
    before = marks.read(name)
    if before == key.hex():
        return 0
    marks.write(name, key.hex())
    shared = rows.with_town(town, only_open=False) if before else []
    waiting = [
        row
        for row in shared
        if not row.final or (row.reply_key is not None and is_unheard_answer(ground, row))
    ]
    for row in waiting:
        publish(ground, row)
    return len(waiting)


def is_unheard_answer(ground: Ground, row: Engagement) -> bool:
    """Return whether the asker's town has yet to acknowledge what we, as home, last said."""
    return ground.decides(row) and row.ack < row.version


def sent_ms(ground: Ground, act: Act, row: Engagement) -> int | None:
    """Return when a partner first fetched a record with this act, None if none did yet."""
    if act.sent_ms is not None:
        return act.sent_ms
    held = records.find(ground.town, row.request_key) if row.request_key else None
    return held.sent_ms if held else None


def _remember_sent(ground: Ground, row: Engagement) -> None:
    """Keep when the acts of the revision about to be replaced left this town."""
    held = records.find(ground.town, row.request_key) if row.request_key else None
    if held is not None and held.sent_ms is not None:
        acts.mark_sent(row.id, held.sent_ms)


def request_of(ground: Ground, row: Engagement) -> Request:
    """Return all our side says of an engagement elsewhere; the contact only once it is promised."""
    names = read(row.names)
    mine = [act for act in acts.of_engagement(row.id) if act.by in registers.ASKER_SIDE]
    return Request(
        engagement=row.id,
        gen=marks.number(marks.RESTORED_S),
        agreement=agreements.version(row.home),
        listing_key=row.listing_key,
        saw=row.saw,
        who=row.who,
        deeds=tuple(deed_of(act, names.get(MESSAGE, "")) for act in mine),
        ack=row.version,
        answer_by_ms=row.answer_by_ms,
        contact=contacts.told(ground, row, "asker"),
        name=names.get("asker", ""),
        messages=_said(row, "asker"),
    )


def deed_of(act: Act, message: str = "") -> Deed:
    """Return a stored act as it travels; an ask's message is kept in the row, to be erasable."""
    args = read(act.args)
    wish = dict(args.get("wish", {}))
    if act.action in (ASK, QUEUE) and message:
        wish[MESSAGE] = message
    seen = bytes.fromhex(args.get("seen", ""))
    return Deed(act.id, act.action, act.at_ms, act.by, act.on_version, wish, seen)


def reply_of(ground: Ground, row: Engagement) -> Reply:
    """Return all home says of an engagement of ours; the contact only once it is promised."""
    reason = read(row.reason)
    judged = [act for act in acts.of_engagement(row.id) if act.by in registers.ASKER_SIDE]
    return Reply(
        engagement=row.id,
        gen=marks.number(marks.RESTORED_S),
        agreement=agreements.version(row.asker_town),
        version=row.version,
        state=row.state,
        since_ms=row.since_ms,
        turn=row.turn,
        deadline_ms=row.deadline_ms,
        lapses_to=row.lapses_to,
        terms=read(row.terms),
        verdicts=tuple(Verdict(act.id, act.action, act.verdict) for act in judged),
        reason=reason.get("code", ""),
        reason_text=reason.get("text", ""),
        contact=contacts.told(ground, row, "keeper"),
        ends_ms=row.ends_ms,
        listing_key=row.listing_key,
        who=row.who,
        messages=_said(row, "keeper"),
        proposal=proposal.told(row),
        place=row.place,
    )


def _said(row: Engagement, side: str) -> tuple[Said, ...]:
    held = messages.of_engagement(row.id, side)
    return tuple(Said(each.id, each.at_ms, each.text) for each in held)
