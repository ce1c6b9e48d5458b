"""What becomes of somebody's engagements when their account is erased.

Their open asks are withdrawn, their open promises taken back; name, message and contact leave the
rows and, by the next revision, the sealed registers. Where a thing is out, the row stays, nameless,
until it is back (ENGAGEMENTS, Restore, loss, removal, erasure).
"""

import secrets

from node.domain.errors import DomainError
from node.domain.lifecycle import REVOKE, WITHDRAW
from node.engagements import conditions, diary, sayings, verdicts
from node.engagements.between import asker
from node.engagements.between.post import publish
from node.engagements.between.registers import Deed
from node.engagements.ground import Ground
from node.engagements.home import judge
from node.engagements.moves import note, record_deed
from node.engagements.telling import tell_asker, tell_keeper
from node.store.promises import acts, habilitations, keepers, tickets
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

ALL = 1_000_000


def forget(ground: Ground, member_id: int) -> int:
    """Let go of every engagement of a member, inside the caller's write transaction.

    Returns how many there were.
    """
    diary.forget(ground, member_id)
    keepers.forget_member(member_id)
    habilitations.forget_member(member_id)
    sayings.forget(ground, member_id)
    tickets.forget_member(member_id)
    mine = rows.of_member(member_id, limit=ALL)
    for row in mine:
        if row.asker == member_id:
            _forget_asker(ground, row)
        elif not row.final:
            _forget_keeper(ground, row)
    conditions.forget_of(member_id)
    return len(mine)


def _forget_asker(ground: Ground, row: Engagement) -> None:
    deed = Deed(secrets.token_bytes(8), WITHDRAW, ground.now_ms(), "erasure", row.version)
    rows.change(row.id, names="{}", contacts="{}")
    row = rows.find(row.id)
    if not ground.decides(row):
        try:
            asker.act(ground, row, deed, None)
        except DomainError:  # over, or a thing is out: only the names go
            publish(ground, row)
        return
    row, code = judge(ground, row, deed, "asker")
    if code == verdicts.OK:
        record_deed(row, deed)
        acts.judge(row.id, deed.id, code, deed.at_ms)
        tell_keeper(ground, row)


def _forget_keeper(ground: Ground, row: Engagement) -> None:
    deed = Deed(secrets.token_bytes(8), REVOKE, ground.now_ms(), "home")
    row, code = judge(ground, row, deed, "keeper")
    if code == verdicts.OK:
        note(row, deed.id, deed.action, deed.at_ms, deed.by)
        tell_asker(ground, row)
    publish(ground, row)
