"""The news: whether a notice of an engagement still tells something when it is about to leave."""

from node.engagements import absence, closures, reminders, roles
from node.engagements.ground import Ground, read
from node.engagements.telling import LATE, MESSAGE, REMINDED, WARNED
from node.store.promises import messages
from node.store.promises.engagements import Engagement


def is_news(ground: Ground, row: Engagement, kind: str, params: str, member_id: int) -> bool:
    """Return whether a notice queued earlier is still so, for whom it is meant.

    Messages: somebody has not read them. All others: the state is the one they tell of, entered at
    the same moment; a reminder also needs a deadline that has not passed, a warning a ticket, or a
    thing that is late still. Who has no part in it any more (a keeper who let go) is told nothing.
    """
    if not roles.roles(ground, row, member_id):
        return False
    if kind == MESSAGE:
        side = "keeper" if row.asker == member_id else "asker"
        return row.id in messages.unread([row.id], side)
    told = read(params)
    if told.get("state") != row.state or told.get("since_ms", row.since_ms) != row.since_ms:
        return False
    if kind == REMINDED:
        return reminders.is_true(ground, row)
    if kind == LATE:
        return absence.due_ms(ground, row) is not None
    return kind != WARNED or bool(closures.of_engagement(ground, row))
