"""The parting from a town: what was only asked is let go, what was promised is kept or taken back.

Everything runs in the caller's write transaction: either all of it is so, and signed, or nothing.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from node.domain.errors import DomainError
from node.domain.lifecycle import REVOKE, WITHDRAW
from node.engagements import gate, sayings, verdicts
from node.engagements.between import asker
from node.engagements.between.post import is_unheard_answer, publish
from node.engagements.between.registers import Deed
from node.engagements.ground import Ground, because
from node.engagements.home import judge
from node.engagements.moves import enter, note
from node.engagements.telling import tell_asker, tell_keeper
from node.store.database import write_tx
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

PARTED = "parted"


@dataclass(frozen=True)
class Open:
    """One engagement with a town that is not over.

    is_ours      we are home: we decide
    is_promised  more than asked: it is kept unless somebody takes it back
    can_be_left  our side may take it back now (home always; our residents where nothing is out)
    """

    row: Engagement
    is_ours: bool
    is_promised: bool
    can_be_left: bool


class Parting:
    """How one town parts from another: what `removal` and the desk call."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def open_with(self, town: bytes) -> list[Open]:
        """Return what is open with a town, oldest first."""
        return [_of(self.ground, row) for row in rows.with_town(town)]

    def part(
        self,
        town: bytes,
        taken_back: Collection[bytes] = (),
        reason: str = "",
        member: int | None = None,
    ) -> dict[str, int]:
        """Let go of what was only asked, take back those of `taken_back` (engagement ids), keep the
        rest; return {"declined", "withdrawn", "revoked", "kept": how many}.

        Raises NotYet while what was promised to that town is not known again after a restore.
        """
        with write_tx():
            return part(self.ground, town, taken_back, reason, member)

    def is_over(self, town: bytes, *, heard: bool) -> bool:
        """Return whether nothing is open with a town and, with `heard`, it knows the last word."""
        return not rows.with_town(town) and not (heard and _unheard(self.ground, town))

    def forget(self, town: bytes) -> int:
        """Blank what rows keep of people of a town nothing is open with, and bury our registers
        to it; return how many rows. Final answers it never acknowledged expire (SPEC 13.3).
        """
        with write_tx():
            return forget_town(self.ground, town)


def _of(ground: Ground, row: Engagement) -> Open:
    lifecycle, is_ours = ground.lifecycle(row), ground.decides(row)
    can_be_left = is_ours or (ground.state(row).leavable and not asker.is_leaving(row))
    is_promised = row.state not in (lifecycle.start, lifecycle.waiting)
    return Open(row, is_ours, is_promised, can_be_left)


def part(
    ground: Ground,
    town: bytes,
    taken_back: Collection[bytes] = (),
    reason: str = "",
    member: int | None = None,
) -> dict[str, int]:
    """Do what `Parting.part` says, in the caller's transaction."""
    gate.check_town(town)
    done = dict.fromkeys(("declined", "withdrawn", "revoked", "kept"), 0)
    for each in [_of(ground, row) for row in rows.with_town(town)]:
        if each.is_promised and each.row.id not in taken_back:
            done["kept"] += 1
        elif not each.is_ours:
            done["withdrawn"] += _withdraw(ground, each.row, member)
        elif each.is_promised:
            done["revoked"] += _revoke(ground, each.row, reason, member)
        else:
            done["declined"] += _decline(ground, each.row, reason, member)
    return done


def _decline(ground: Ground, row: Engagement, reason: str, member: int | None) -> bool:
    lifecycle, now_ms = ground.lifecycle(row), ground.now_ms()
    why = because(verdicts.NO_AGREEMENT, reason)
    row = enter(ground, row, lifecycle.refuses_to, now_ms, reason=why)
    note(row, secrets.token_bytes(8), PARTED, now_ms, "desk", member=member)
    tell_keeper(ground, row)
    publish(ground, row)
    return True


def _revoke(ground: Ground, row: Engagement, reason: str, member: int | None) -> bool:
    wish = {"reason": reason} if reason else {}
    deed = Deed(secrets.token_bytes(8), REVOKE, ground.now_ms(), "desk", None, wish)
    row, code = judge(ground, row, deed, "keeper")
    if code == verdicts.OK:
        note(row, deed.id, deed.action, deed.at_ms, deed.by, member=member)
        tell_keeper(ground, row)
    publish(ground, row)
    return code == verdicts.OK


def _withdraw(ground: Ground, row: Engagement, member: int | None) -> bool:
    deed = Deed(secrets.token_bytes(8), WITHDRAW, ground.now_ms(), "staff", row.version)
    try:
        asker.act(ground, row, deed, member)
    except DomainError:  # over meanwhile, or a thing is out: then it is kept until it is back
        return False
    tell_asker(ground, row)
    return True


def _unheard(ground: Ground, town: bytes) -> bool:
    mine = rows.with_town(town, only_open=False)
    return any(is_unheard_answer(ground, row) for row in mine if row.reply_key is not None)


def forget_town(ground: Ground, town: bytes) -> int:
    """Do what `Parting.forget` says, in the caller's transaction."""
    done = rows.with_town(town, only_open=False)
    for row in done:
        sayings.let_go(ground, row)
        rows.change(row.id, names="{}", contacts="{}", reason="")
        _bury(ground, rows.find(row.id))
    return len(done)


def _bury(ground: Ground, row: Engagement) -> None:
    column = "reply_key" if ground.decides(row) else "request_key"
    key = getattr(row, column)
    if key is not None and row.final and not is_unheard_answer(ground, row):
        ground.journal.withdraw(key)
        rows.change(row.id, **{column: None})
