"""The gate: after a restore, what partners may hold of ours is heard before anything is promised.

A partner is unheard while we are in restore mode, and after it until a visit begun since brought
what it holds: till then it is told nothing and nothing it says has an effect here. The gate is
closed for it unless a person opened it knowing the risk: till then no place it may hold is given
away and no deadline passes (ENGAGEMENTS, Restore; SPEC 13.4).
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
KNEW_NOBODY = "knew_nobody"  # this town was made again from its recovery words
REPLAYED = "logbook_replayed"  # since when the restore is on, and the stamp a whole logbook reached


class NotYet(Conflict):
    """It has to wait until partners were heard after our restore."""

    def __init__(self, town: bytes) -> None:
        message = N_("This is being checked with %(town)s after a restore. Please try again later.")
        super().__init__("checking", message, town=name_of(town))


def is_unheard(town: bytes) -> bool:
    """Return whether a partner is yet to be heard since our last restore."""
    if restoring.is_restoring():
        return True
    gen = marks.number(marks.RESTORED_S)
    if gen <= marks.number(OPEN_FOR):
        return False
    held = hearings.find(town)
    return held is None or held.gen < gen or bool(held.by)


def is_closed(town: bytes) -> bool:
    """Return whether a partner is unheard and nobody took the risk of going on without."""
    if not is_unheard(town):
        return False
    return restoring.is_restoring() or not is_by_hand(town)


def closed() -> list[Partner]:
    """Return the partners for which the gate is closed, by name."""
    if not restoring.is_restoring() and not marks.number(marks.RESTORED_S):
        return []
    active = partners.listed(*partners.LINKED)
    return [each for each in active if is_closed(each.town) and not _is_new(each)]


def _is_new(partner: Partner) -> bool:
    """Whether a partner was first linked after the restore: it cannot hold what we forgot.

    A town made again from its recovery words knew no partner, so there none counts as new.
    """
    is_later = partner.since_ms // 1000 > marks.number(marks.RESTORED_S)
    return is_later and partner.last_ok_ms is None and not marks.read(KNEW_NOBODY)


def is_in_doubt() -> bool:
    """Return whether somebody may hold a promise of ours that is in no line of our logbook."""
    if restoring.is_restoring():
        return not reached_stamp()
    return any(is_unheard(each.town) for each in partners.listed(*partners.LINKED))


def reached_stamp() -> int:
    """Return how far a whole logbook went when it was replayed into the restore of now, else 0."""
    return int((marks.read(REPLAYED).split() or ["0"])[-1])


def let_through() -> list[Partner]:
    """Return the partners a person went on without, by name."""
    active = partners.listed(*partners.LINKED)
    return [each for each in active if is_unheard(each.town) and not is_closed(each.town)]


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
    held, gen = hearings.find(town), marks.number(marks.RESTORED_S)
    return held is not None and held.gen >= gen and bool(held.by)


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
