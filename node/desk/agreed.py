"""What agreements ask of the desk: a text to read and sign, a day of review that has come."""

from node.domain import agreement as rules
from node.domain.words import N_
from node.pages import agreeing
from node.partners.agreement import wire
from node.store.network import agreements
from node.store.network.partners import Partner

SIGN = N_("%(town)s wrote an agreement: read it, and sign it or write another")
REVIEW = N_("The agreement with %(town)s is to be looked at again")


def asks(partner: Partner) -> list[str]:
    """Return what the first page of the desk says of the agreement with an active partner."""
    row = agreements.find(partner.town) if partner.status == "active" else None
    if row is None:
        return []
    found = []
    if row.theirs is not None and row.accepts != wire.digest(row.theirs):
        found.append(SIGN)
    agreed = agreements.agreed(partner.town)
    if agreed is not None and rules.is_due(agreed, agreeing.today()):
        found.append(REVIEW)
    return found
