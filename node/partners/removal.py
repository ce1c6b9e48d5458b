"""The removal of a partner: what was promised is kept or taken back, then all that is its goes.

active ──begin──▶ ending ──nothing is open, the last word was heard──▶ removed (purged)

Begun here by a person, or by the node when the other town's signed word says that it ended the
link. While it is ending, visits go on and nothing new is asked; after it no byte of the town's
listings, people and sealed registers is left in any file.
"""

import json
import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

from federation.errors import ProtocolError
from node.domain.errors import DomainError
from node.erasure import letters
from node.journal import restoring
from node.partners import pairing, reports
from node.partners.agreement import ours
from node.store import audit
from node.store.database import write_tx
from node.store.network import agreements, partners
from node.store.promises import engagements
from node.store.sets import records

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
HEARD_WITHIN_MS = 30 * DAY_MS  # how long the last words wait for a town that does not come
NOTHING = dict.fromkeys(("declined", "withdrawn", "revoked", "kept"), 0)


def begin(
    town: Any,
    partner: bytes,
    *,
    taken_back: Collection[bytes] = (),
    reason: str = "",
    by: str = "",
    member: int | None = None,
) -> dict[str, int]:
    """End the link: what was only asked is let go, what was promised is kept but for `taken_back`.

    Returns how many were {"declined", "withdrawn", "revoked", "kept"}. A town that was never a
    partner in full is removed at once. Raises NotFound, and Conflict("clock", "restoring",
    "checking"): then nothing was changed.
    """
    row = pairing.require(partner)
    if row.status not in partners.LINKED:
        purge(town, partner, by=by)
        return NOTHING
    with write_tx():
        done: dict[str, int] = town.engagements.parting.part(partner, taken_back, reason, member)
        held = agreements.find(partner)
        if held is None or held.ended_ms is None or row.status == "active":
            ours.end(town, partner)
        partners.save(partner, status="ending", next_try_ms=0)
        audit.note(
            "partner.end", at_ms=town.clock.now_ms(), actor=by, member=member,
            subject=partner.hex(), detail=json.dumps(done),
        )  # fmt: skip
    if town.engagements.parting.is_over(partner, heard=False):
        _tell(town, partner)
    finish(town, partner, by=by)
    return done


def _tell(town: Any, partner: bytes) -> None:
    """Try once to bring the last word there; what fails is tried again for thirty days if a last
    answer of ours waits to be heard.
    """
    try:
        town.exchanges.visit(partner)
    except (DomainError, ProtocolError) as error:
        log.info("the end of a link could not be told: %s", error.code)


def finish(town: Any, partner: bytes, by: str = "") -> bool:
    """Purge a town whose link is ending if nothing holds it any more; return whether it did."""
    row, held = partners.find(partner), agreements.find(partner)
    if row is None or row.status != "ending" or restoring.is_restoring():
        return False
    since_ms = held.ended_ms if held is not None and held.ended_ms else town.clock.now_ms()
    is_patient = town.clock.now_ms() < since_ms + HEARD_WITHIN_MS
    if not town.engagements.parting.is_over(partner, heard=is_patient):
        return False
    purge(town, partner, by=by)
    return True


def finish_due(town: Any) -> int:
    """Do what is due for every link that is ending; return how many towns are gone now (job)."""
    gone = 0
    for row in partners.listed("ending"):
        held = agreements.find(row.town)
        try:
            if held is None or held.ended_ms is None:  # they ended it: so do we
                begin(town, row.town, by="node")
                gone += partners.find(row.town).status == "removed"
            else:
                gone += finish(town, row.town, by="node")
        except DomainError as error:  # the clock, a restore: later
            log.info("the link with %s cannot be ended yet: %s", row.name, error.code)
    return gone


def purge(town: Any, partner: bytes, by: str = "") -> None:
    """Delete what is held of a town; its last bytes leave the files by the job of erasures.

    Raises NotFound, Conflict("clock", "restoring") where registers of ours are to be buried.
    """
    named = [row.id for row in engagements.with_town(partner, only_open=False)]
    with write_tx():
        detail = json.dumps({"records": len(records.of_origin(partner)), "requests": len(named)})
        if named:
            town.engagements.parting.forget(partner)
        reports.forget(town, partner)
        pairing.remove(partner, town.clock, by=by, detail=detail)
    try:
        letters.drop(Path(town.config.mail), named)
    except OSError as error:
        log.warning("a letter about a removed town cannot be deleted: %s", error)
