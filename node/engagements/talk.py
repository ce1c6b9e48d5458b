"""The talk inside an engagement, as pages show it: who may read it, write in it, what is new."""

from collections.abc import Iterable
from dataclasses import dataclass

from node.domain.errors import NotFound
from node.domain.words import N_
from node.engagements import roles, verdicts
from node.engagements.between.registers import MESSAGES_MAX
from node.engagements.ground import Ground
from node.engagements.sayings import OTHER, say
from node.store.database import write_tx
from node.store.promises import engagements as rows
from node.store.promises import messages
from node.store.promises.engagements import Engagement
from node.store.sets import records


@dataclass(frozen=True)
class Line:
    """One message as a page shows it: its words, when (UTC ms), whether it was read, and left."""

    text: str
    at_ms: int
    is_mine: bool
    is_new: bool = False
    is_waiting: bool = False


class Talk:
    """The talk of every engagement of a town; its database must be current."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def say(self, engagement: bytes, text: str, *, member_id: int, message_id: bytes) -> bool:
        """Write to the other side; the same id again changes nothing. Return whether it is new.

        Raises Invalid (empty, too long), NotAllowed, NotFound, Conflict (over, too much written).
        """
        with write_tx():
            row = rows.find(engagement)
            if row is None:
                raise NotFound("unknown_engagement", N_("That request is not known here."))
            mine = roles.roles(self.ground, row, member_id)
            if not mine:
                raise verdicts.refusal(verdicts.NOT_ALLOWED)
            return say(self.ground, row, _side(mine), text, message_id, member_id)

    def lines(self, row: Engagement, member_id: int) -> tuple[Line, ...]:
        """Return what a member may read of an engagement's talk, oldest first."""
        mine = roles.roles(self.ground, row, member_id)
        held = messages.of_engagement(row.id) if mine else []
        last = next((each.id for each in reversed(held) if each.side == _side(mine)), b"")
        waiting = b"" if not last or _has_left(self.ground, row) else last
        return tuple(
            Line(
                text=each.text,
                at_ms=each.at_ms,
                is_mine=each.side == _side(mine),
                is_new=each.side != _side(mine) and each.read_ms is None,
                is_waiting=each.side == _side(mine) and each.id == waiting,
            )
            for each in held
        )

    def may_write(self, row: Engagement, member_id: int) -> bool:
        """Return whether a member may write in an engagement now."""
        mine = roles.roles(self.ground, row, member_id)
        if row.final or not mine:
            return False
        return len(messages.of_engagement(row.id, _side(mine))) < MESSAGES_MAX

    def read(self, row: Engagement, member_id: int) -> int:
        """Note that a member saw what the other side wrote; return how many messages were new.

        Who only looks in from the desk does not read for the keeper.
        """
        if member_id == row.asker:
            return messages.mark_read(row.id, "keeper", self.ground.now_ms())
        is_keeper = "keeper" in roles.roles(self.ground, row, member_id)
        return messages.mark_read(row.id, "asker", self.ground.now_ms()) if is_keeper else 0

    def unread(self, shown: Iterable[Engagement], side: str) -> dict[bytes, int]:
        """Return {engagement: how many messages of the other side `side` did not see yet}."""
        return messages.unread([row.id for row in shown], OTHER[side])


def _side(mine: tuple[str, ...]) -> str:
    return "asker" if "asker" in mine else "keeper"


def _has_left(ground: Ground, row: Engagement) -> bool:
    """Whether the other town fetched what our register says now, or need not."""
    if ground.is_here(row):
        return True
    key = row.reply_key if ground.decides(row) else row.request_key
    held = records.find(ground.town, key) if key else None
    return held is not None and held.sent_ms is not None
