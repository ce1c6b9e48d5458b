"""The verdicts home gives on acts, and the sentence a resident of home reads for a refusal."""

from node.domain.errors import Conflict, DomainError, NotAllowed, NotFound
from node.domain.words import N_

OK = "ok"
PENDING = "pending"
DUP = "dup"
STALE = "stale"
FULL = "full"
LATE = "late"
TOO_LATE = "too_late"
ENDED = "ended"
NOT_ALLOWED = "not_allowed"
UNKNOWN_LISTING = "unknown_listing"
NO_AGREEMENT = "no_agreement"
OVER_LIMIT = "over_limit"

SENTENCES: dict[str, str] = {
    OK: N_("Done."),
    PENDING: N_("This waits for an answer."),
    DUP: N_("This was asked before."),
    STALE: N_("This has changed in the meantime. Please look again."),
    FULL: N_("It has just been taken for a part of that time."),
    LATE: N_("The time for this is over."),
    TOO_LATE: N_("It is too late to withdraw: what was promised is under way."),
    ENDED: N_("This request is over."),
    NOT_ALLOWED: N_("That is not yours to do."),
    UNKNOWN_LISTING: N_("It is no longer on offer."),
    NO_AGREEMENT: N_("This town does not lend to residents of that town."),
    OVER_LIMIT: N_("Too many requests are open for this."),
}
CODES = frozenset(SENTENCES)

_KINDS: dict[str, type[DomainError]] = {
    NOT_ALLOWED: NotAllowed,
    NO_AGREEMENT: NotAllowed,
    UNKNOWN_LISTING: NotFound,
}


def refusal(code: str) -> DomainError:
    """Return the error a resident of this town reads for a verdict that is not `ok`."""
    return _KINDS.get(code, Conflict)(code, SENTENCES[code])
