"""A person erased: engagements let go of, listings buried, account emptied, in one transaction."""

from typing import Any

from node.erasure.erase import erase
from node.members import accounts
from node.store.database import write_tx


def erase_person(town: Any, member: int, *, by: int | None) -> None:
    """Forget a member: all or nothing, and nothing can be left out or come in another order.

    Raises NotFound, Conflict("last_admin", "clock", "restoring").
    """
    with write_tx():
        accounts.erase(
            member,
            let_go=town.engagements.forget,
            withdraw=lambda key: erase(town, key),
            by=by,
            now_ms=town.clock.now_ms(),
        )
