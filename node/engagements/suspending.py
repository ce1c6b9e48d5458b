"""What becomes of somebody's engagements when the desk shuts them out: asks end, promises stay.

What was only asked, by them or of them, is over at once; what was promised goes on, and the desk
acts for them (`roles`).
"""

import contextlib
import secrets

from node.domain.errors import DomainError
from node.domain.lifecycle import WITHDRAW
from node.engagements import verdicts
from node.engagements.between import asker
from node.engagements.between.registers import Deed
from node.engagements.ground import Ground
from node.engagements.home import judge, listing_gone
from node.engagements.moves import record_deed
from node.engagements.telling import tell_keeper
from node.store.catalogue import holdings
from node.store.promises import acts
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

ALL = 1_000_000


def suspend(ground: Ground, member_id: int) -> list[Engagement]:
    """End what a member only asked and was only asked, inside the caller's write transaction.

    Returns what was promised and is still open.
    """
    for key in holdings.of_member(member_id):
        listing_gone(ground, key)
    for row in rows.of_member(member_id, limit=ALL):
        if row.asker == member_id and not row.final and not ground.state(row).takes:
            _withdraw(ground, row)
    return promised(ground, member_id)


def promised(ground: Ground, member_id: int) -> list[Engagement]:
    """Return the open promises a member has a part in, newest first."""
    mine = rows.of_member(member_id, limit=ALL)
    return [row for row in mine if not row.final and ground.state(row).takes]


def _withdraw(ground: Ground, row: Engagement) -> None:
    deed = Deed(secrets.token_bytes(8), WITHDRAW, ground.now_ms(), "staff", row.version)
    if not ground.decides(row):
        with contextlib.suppress(DomainError):  # withdrawn already: the rest is home's to say
            asker.act(ground, row, deed, None)
        return
    row, code = judge(ground, row, deed, "asker")
    if code == verdicts.OK:
        record_deed(row, deed)
        acts.judge(row.id, deed.id, code, deed.at_ms)
        tell_keeper(ground, row)
