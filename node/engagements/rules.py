"""What the rules of a practice would say now: read by pages, so that nobody asks in vain."""

from node.domain.lifecycle import ASK
from node.domain.standing import Hindrance
from node.engagements import standing
from node.engagements.between.asker import who
from node.engagements.between.registers import Deed
from node.engagements.ground import Ground
from node.engagements.roles import DOERS
from node.store.catalogue.listings import Listing
from node.store.people import members
from node.store.promises.engagements import Engagement


class Rules:
    """The rules of the practices of a town; its database must be current.

    What another town decides, only that town knows: there nothing is said.
    """

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def against(self, row: Engagement, action: str, role: str) -> Hindrance | None:
        """Return what stands against an act in `role` (asker, keeper, staff), None for nothing."""
        if not self.ground.decides(row):
            return None
        deed = Deed(b"", action, self.ground.now_ms(), DOERS[role])
        return standing.of_row(self.ground, row, deed)

    def against_asking(self, listing: Listing, member_id: int) -> Hindrance | None:
        """Return what keeps a member from asking for a listing of ours at all."""
        member = members.find(member_id)
        if member is None or listing.origin != self.ground.town or not listing.body:
            return None
        engaging = self.ground.rules(listing)
        whose = standing.Asker(
            b"", listing.origin, who(self.ground, listing, member.ref), member.id
        )
        deed = Deed(b"", ASK, self.ground.now_ms(), "self")
        known = standing.of(self.ground, engaging, listing, whose, deed)
        return engaging.limits(self.ground.body(listing), known)
