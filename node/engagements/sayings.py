"""The sayings: how a message between asker and keeper is written, sent, heard and forgotten.

A message changes no state and waits for no verdict: each town's register carries all that its side
wrote, and what a newer one no longer says is gone (SPEC 13.1, 13.2). All of it is forgotten with
the asker, and PUT_AWAY_DAYS after the end. Everything here runs in the caller's transaction.
"""

from collections.abc import Collection, Iterable

from node.domain.errors import Conflict, Invalid, Problem
from node.domain.lifecycle import DAY_MS
from node.domain.schema import tidy
from node.domain.words import N_
from node.engagements import verdicts
from node.engagements.between.post import publish
from node.engagements.between.registers import (
    MESSAGE_MAX,
    MESSAGES_MAX,
    MESSAGES_MAX_BYTES,
    Said,
)
from node.engagements.ground import Ground
from node.engagements.telling import tell_message
from node.store.database import write_tx
from node.store.people import members
from node.store.promises import engagements as rows
from node.store.promises import messages
from node.store.promises.engagements import Engagement

PUT_AWAY_DAYS = 60
PUT_AWAY_AT_ONCE = 500
OTHER = {"asker": "keeper", "keeper": "asker"}


def say(
    ground: Ground, row: Engagement, side: str, text: str, message_id: bytes, member: int | None
) -> bool:
    """Write one message of our side and send it; see `Talk.say`."""
    if messages.find(row.id, side, message_id) is not None:
        return False
    if row.final:
        raise verdicts.refusal(verdicts.ENDED)
    words = clean(text)
    held = messages.of_engagement(row.id, side)
    size = sum(len(each.text.encode()) for each in held) + len(words.encode())
    if len(held) >= MESSAGES_MAX or size > MESSAGES_MAX_BYTES:
        raise Conflict(
            "talk_full",
            N_("Enough was written here: %(max)d messages a side. Please speak to each other."),
            max=MESSAGES_MAX,
        )
    at_ms = max([ground.now_ms(), *(each.at_ms + 1 for each in held)])  # after, whatever the clock
    messages.add(row.id, side, message_id, at_ms=at_ms, text=words, member=member)
    tell_message(ground, row, OTHER[side])
    publish(ground, row)
    return True


def clean(text: str) -> str:
    """Return a message as it is kept; raises Invalid (empty, too long)."""
    words = tidy(text)
    if not any(each.isprintable() and not each.isspace() for each in words):
        raise _invalid("missing", N_("Please write something."))
    if len(words) > MESSAGE_MAX:
        raise _invalid("too_long", N_("At most %(max)d characters, please."), max=MESSAGE_MAX)
    return words


def _invalid(code: str, message: str, **params: object) -> Invalid:
    return Invalid([Problem("message", code, message, params)])


def hear(ground: Ground, row: Engagement, side: str, said: Collection[Said]) -> None:
    """Keep all that the other town's register says its side wrote, and no more than that."""
    if _is_put_away(ground, row) or not _has_reader(row, OTHER[side]):
        said = ()
    messages.keep_only(row.id, side, {each.id for each in said})
    fresh, last_ms, now_ms = False, 0, ground.now_ms()
    for each in sorted(said, key=lambda one: one.at_ms):  # in their order, none from the future
        last_ms = max(min(each.at_ms, now_ms), last_ms + 1)
        fresh |= messages.add(row.id, side, each.id, at_ms=last_ms, text=each.text)
    if fresh:
        tell_message(ground, row, OTHER[side])


def recall(ground: Ground, row: Engagement, side: str, said: Iterable[Said]) -> None:
    """Take back what our own register says we wrote and a restore forgot (SPEC 13.4)."""
    member = row.asker if side == "asker" else row.keeper
    if _is_put_away(ground, row) or not _has_reader(row, side):
        return
    for each in said:
        messages.add(row.id, side, each.id, at_ms=each.at_ms, text=each.text, member=member)


def forget(ground: Ground, member_id: int) -> None:
    """Delete what a member wrote, and all that was written to them as an asker."""
    touched = set(messages.written_by(member_id))
    mine = (row.id for row in rows.of_member(member_id, limit=1_000_000) if row.asker == member_id)
    touched |= {each for each in mine if messages.forget(each)}
    messages.forget_member(member_id)
    for each in touched:
        row = rows.find(each)
        if row is not None:
            publish(ground, row)


def let_go(ground: Ground, row: Engagement) -> None:
    """Forget the whole talk of an engagement whose asker, of another town, was erased."""
    if messages.forget(row.id):
        publish(ground, rows.find(row.id))


def put_away(ground: Ground) -> int:
    """Forget what was written in engagements that are long over; return how many those were."""
    over = messages.outlived(ground.now_ms() - PUT_AWAY_DAYS * DAY_MS, PUT_AWAY_AT_ONCE)
    for each in over:
        with write_tx():
            messages.forget(each)
            publish(ground, rows.find(each))
    return len(over)


def _is_put_away(ground: Ground, row: Engagement) -> bool:
    return bool(row.final) and row.since_ms < ground.now_ms() - PUT_AWAY_DAYS * DAY_MS


def _has_reader(row: Engagement, side: str) -> bool:
    """Whether a side of ours is still somebody: nothing is kept for who was erased."""
    if side == "keeper":
        return True
    held = members.find(row.asker) if row.asker is not None else None
    return held is not None and held.status != "erased"
