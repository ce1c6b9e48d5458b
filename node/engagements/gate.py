"""The gate: after a restore, what partners may hold of ours is heard before anything is promised.

Closed for a partner while we are in restore mode, and after it until a visit begun since brought
what it holds, or a person opened it knowing the risk (ENGAGEMENTS, Restore; SPEC 13.4).
"""

from node.domain.errors import Conflict
from node.domain.words import N_
from node.journal import restoring
from node.store import audit, marks
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.network import partners, towns
from node.store.network.partners import Partner
from node.store.promises import heard as hearings

OPEN_FOR = "gate_open_for"  # our restore for which the logbook was whole: nothing to be heard


class NotYet(Conflict):
    """It has to wait until partners were heard after our restore."""

    def __init__(self, town: bytes) -> None:
        message = N_("This is being checked with %(town)s after a restore. Please try again later.")
        super().__init__("checking", message, town=name_of(town))


def is_closed(town: bytes) -> bool:
    """Return whether a partner is yet to be heard since our last restore."""
    if restoring.is_restoring():
        return True
    gen = marks.number(marks.RESTORED_S)
    if gen <= marks.number(OPEN_FOR):
        return False
    held = hearings.find(town)
    return held is None or held.gen < gen


def closed() -> list[Partner]:
    """Return the partners yet to be heard, by name."""
    if not restoring.is_restoring() and not marks.number(marks.RESTORED_S):
        return []
    return [each for each in partners.listed("active") if is_closed(each.town)]


def check_town(town: bytes) -> None:
    """Raise NotYet while what was promised to a town, or by it, is not known again."""
    if is_closed(town):
        raise NotYet(town)


def check_capacity(listing: Listing) -> None:
    """Raise NotYet while somebody we have not heard may hold a promise on a listing of ours."""
    if listing.who != "town" and (waiting := closed()):
        raise NotYet(waiting[0].town)


def is_by_hand(town: bytes) -> bool:
    """Return whether a person opened the gate for a partner that was not heard since."""
    held = hearings.find(town)
    return held is not None and bool(held.by)


def open_for(town: bytes, now_ms: int, *, by: str = "", member: int | None = None) -> None:
    """Let a partner through: it was heard, or `by` (a person) takes the risk; that is audited."""
    with write_tx():
        hearings.note(town, marks.number(marks.RESTORED_S), now_ms, by)
        if by:
            audit.note(
                "gate.open",
                at_ms=now_ms,
                actor=by,
                member=member,
                subject=town.hex(),
                detail=name_of(town),
            )


def name_of(town: bytes) -> str:
    """Return the name of a town: as it says itself, as its partner page says, or its id."""
    card = towns.find(town)
    if card is not None and card.name:
        return str(card.name)
    partner = partners.find(town)
    return str(partner.name) if partner is not None and partner.name else town.hex()[:8]
