"""What the agreement between two towns lets residents ask: judged at home, foretold elsewhere.

An agreement that is not written yet lets everybody ask; a link that is ending lets nobody.
"""

from node.domain.agreement import ALL, LET, NONE, who_may_ask
from node.domain.errors import DomainError, NotAllowed
from node.domain.words import N_
from node.engagements.gate import name_of
from node.engagements.ground import Ground
from node.store.catalogue.listings import Listing
from node.store.network import agreements, partners

ENDING = N_("The link with %(town)s is being ended: nothing new can be asked there.")
OUTSIDE = N_("The agreement with %(town)s does not cover this.")
RUN_OUT = N_("The agreement with %(town)s is to be looked at again first. Ask our town's desk.")
BY_LEAVE = N_("Who may ask in %(town)s is said by our town's desk. Ask them.")


def lets_in(ground: Ground, listing: Listing, asker_town: bytes) -> bool:
    """Return whether residents of another town may ask for a listing of ours today."""
    if not partners.is_active(asker_town):
        return False
    agreed = agreements.agreed(asker_town)
    today = ground.today(ground.now_ms())
    return who_may_ask(agreed, listing.practice, today, inward=True) != NONE


def refusal(ground: Ground, listing: Listing, member: int | None) -> DomainError | None:
    """Return why our residents, or this one, cannot ask for another town's listing; None: may."""
    partner, name = partners.find(listing.origin), name_of(listing.origin)
    if partner is not None and partner.status == "ending":
        return NotAllowed("no_agreement", ENDING, town=name)
    agreed, today = agreements.agreed(listing.origin), ground.today(ground.now_ms())
    who = who_may_ask(agreed, listing.practice, today, inward=False)
    if who == ALL or (who == LET and member is None):
        return None
    if who == LET and agreements.is_let(listing.origin, member or 0):
        return None
    if who == LET:
        return NotAllowed("no_agreement", BY_LEAVE, town=name)
    is_covered = agreed is not None and listing.practice in agreed.ways
    message = RUN_OUT if is_covered and agreed.ways[listing.practice].outward != NONE else OUTSIDE
    return NotAllowed("no_agreement", message, town=name)
