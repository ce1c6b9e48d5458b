"""What the clock does to engagements: deadlines, patience, and the care of the registers.

Everything is tested again at each act, so a late or missing run changes nothing; each row is its
own transaction, so that a run never holds the node up.
"""

from collections.abc import Callable

from node.domain.lifecycle import DAY_MS
from node.engagements import (
    absence,
    adoption,
    diary,
    gate,
    home,
    line,
    recovery,
    reminders,
    sayings,
)
from node.engagements.between import asker, registers
from node.engagements.between.post import is_unheard_answer, publish, send_unsent
from node.engagements.ground import Ground
from node.journal import restoring
from node.store import marks
from node.store.database import write_tx
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement
from node.store.sets import records

CARED_DAY = "engagements_cared_day"
RENEW_DAYS = 100  # a register of an open engagement is renewed when it has less to live
BURY_AFTER_DAYS = 60
ROWS_A_RUN = 1_000
KINDS = (registers.REQUEST, registers.REPLY)
DAY_S = 86_400


def sweep(ground: Ground) -> int:
    """Let every deadline that has passed have its effect; return how many rows changed."""
    now_ms = ground.now_ms()
    if restoring.is_restoring():
        return 0
    changed = sum(
        _each(ground, row, _pass_on) for row in rows.overdue(now_ms, ground.town, ROWS_A_RUN)
    )
    changed += sum(_each(ground, row, _pass_on) for row in rows.proposed(ground.town, ROWS_A_RUN))
    changed += sum(
        _each(ground, row, asker.lose_patience)
        for row in rows.unanswered(now_ms, ground.town, ROWS_A_RUN)
    )
    reminders.remind(ground)
    recovery.settle(ground)
    adoption.hold_again(ground)
    changed += line.sweep(ground)
    send_unsent(ground)
    today = ground.today(now_ms)
    if marks.number(CARED_DAY) != today:
        care(ground)
        sayings.put_away(ground)
        absence.warn(ground)
        if ground.journal.logbook is not None:
            diary.care(ground, ground.journal.logbook)
        marks.write_number(CARED_DAY, today)
    return changed


def _each(ground: Ground, row: Engagement, act: Callable[[Ground, Engagement], Engagement]) -> bool:
    with write_tx():
        before = rows.find(row.id)
        if before is None or before.final:
            return False
        after = act(ground, before)
        return (after.version, after.answer_by_ms) != (before.version, before.answer_by_ms)


def _pass_on(ground: Ground, row: Engagement) -> Engagement:
    after = home.pass_on(ground, row)
    if after.version != row.version:
        publish(ground, after)
    return after


def care(ground: Ground) -> None:
    """Once a day: renew the registers of open engagements, bury those of what is long over."""
    for record in records.expiring(ground.town, ground.now_ms() // 1000 + RENEW_DAYS * DAY_S):
        row = rows.by_register(record.key) if record.kind in KINDS else None
        if row is not None and not row.final:
            with write_tx():
                publish(ground, row)
    for kind in KINDS:
        for record in records.walk(ground.town, kind):
            row = rows.by_register(record.key)
            if row is not None:
                _put_away(ground, row)


def _put_away(ground: Ground, row: Engagement) -> None:
    """Bury our register of what is over; close what a silent home can no longer matter for."""
    now_ms = ground.now_ms()
    if gate.is_unheard(row.asker_town if ground.decides(row) else row.home):
        return
    if row.final and row.since_ms < now_ms - BURY_AFTER_DAYS * DAY_MS:
        if not is_unheard_answer(ground, row):  # its tombstone would read "taken back"
            _bury(ground, row)
    elif not row.final and not ground.decides(row) and _is_past(row, now_ms):
        rows.change(row.id, final=True)


def _bury(ground: Ground, row: Engagement) -> None:
    """End our register of an engagement that has been over for BURY_AFTER_DAYS."""
    column = "reply_key" if ground.decides(row) else "request_key"
    key = getattr(row, column)
    with write_tx():
        if key is not None:
            ground.journal.withdraw(key)
            rows.change(row.id, **{column: None})


def _is_past(row: Engagement, now_ms: int) -> bool:
    """Whether a row of another home can no longer matter: its town may be lost for ever."""
    last_ms = max(row.ends_ms or 0, row.answer_by_ms or 0)
    return row.answer_by_ms is None and last_ms + BURY_AFTER_DAYS * DAY_MS < now_ms
