"""The reminders: whoever's turn it is hears of a deadline before it comes, once each time.

A state declares how many hours before its deadline that is (`State.remind_hours`). What is told is
looked at when it is due and again when it leaves (`is_true`), so after a month off only what still
holds is told, and of several reminders only the last.
"""

from federation.errors import ProtocolError
from node.domain.errors import DomainError
from node.domain.lifecycle import HOUR_MS, State
from node.engagements import gate, telling
from node.engagements.between.arrivals import fence
from node.engagements.between.asker import own_acts
from node.engagements.ground import Ground
from node.store.database import write_tx
from node.store.promises import engagements as rows
from node.store.promises import reminders
from node.store.promises.engagements import Engagement

ROWS_A_RUN = 1_000
LATER_MS = HOUR_MS  # when a partner is yet to be heard after a restore
WHO = {"asker": ("asker",), "keeper": ("keeper",), "both": ("asker", "keeper"), "clock": ("asker",)}


def remind(ground: Ground) -> int:
    """Tell of the deadlines that come now; return how many engagements were told of."""
    count = 0
    for engagement in rows.to_remind(ground.now_ms(), ROWS_A_RUN):
        with write_tx():
            row = rows.find(engagement)
            if row is not None:
                count += _look(ground, row)
    return count


def is_true(ground: Ground, row: Engagement) -> bool:
    """Return whether there still is something to remind of: open, not late, nothing under way.

    What a restored home may have forgotten is not reminded of before it says so again.
    """
    if row.final or row.deadline_ms is None or row.deadline_ms <= ground.now_ms():
        return False
    if ground.decides(row):
        return True
    return row.gen >= fence(row.home) and all(act.verdict for act in own_acts(row))


def _look(ground: Ground, row: Engagement) -> bool:
    """Tell of one engagement if it is time, and plan the next look; return whether it was told."""
    if not ground.is_here(row) and gate.is_unheard(_other(ground, row)):
        rows.look_again(row.id, ground.now_ms() + LATER_MS)
        return False
    due, next_ms = _due(ground, row)
    is_told = due is not None and is_true(ground, row) and _tell(ground, row, due)
    rows.look_again(row.id, next_ms)
    return is_told


def _tell(ground: Ground, row: Engagement, hours: int) -> bool:
    is_ours = [telling.remind(ground, row, side) for side in WHO.get(row.turn, ())]
    if not any(is_ours):
        return False
    reminders.note(row.id, row.since_ms, row.deadline_ms, hours, ground.now_ms())
    return True


def _due(ground: Ground, row: Engagement) -> tuple[int | None, int | None]:
    """The last reminder that is due, in hours before the deadline, and when the next one is.

    What would have been due before the state began was told by what began it.
    """
    state = _state(ground, row)
    if state is None or row.final or row.deadline_ms is None:
        return None, None
    held = reminders.told(row.id, row.since_ms, row.deadline_ms)
    left = [hours for hours in state.reminders if held is None or hours < held.hours]
    at_ms = {hours: row.deadline_ms - hours * HOUR_MS for hours in left}
    now_ms = ground.now_ms()
    due = [hours for hours in left if row.since_ms < at_ms[hours] <= now_ms]
    coming = [at_ms[hours] for hours in left if at_ms[hours] > now_ms]
    return min(due, default=None), min(coming, default=None)


def _state(ground: Ground, row: Engagement) -> State | None:
    try:
        return ground.state(row)
    except (DomainError, ProtocolError, KeyError):  # its practice is gone, or knows no such state
        return None


def _other(ground: Ground, row: Engagement) -> bytes:
    return bytes(row.asker_town if ground.decides(row) else row.home)
