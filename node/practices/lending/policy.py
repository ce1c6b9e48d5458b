"""Who may borrow what, how often and how many: the limits of a listing, and who stands behind them.

The limits are on the listing and shown before anybody asks (circulate #1986). Home asks the guards
in the transaction that decides; a partner town hears their code, and its page says `REASONS`.
"""

from collections.abc import Callable, Iterator

from node.domain.practice import Terms
from node.domain.standing import Hindrance, Other, Standing
from node.domain.words import N_
from node.practices.lending.schema import Item

LINES_MAX = 3  # waiting lines one member stands in at once (circulate #523)
LINE_MAX = 20  # people in the line of one listing
IN_LINE = ("waiting", "offered")
WITH_THEM = ("handed_over", "overdue")

OVERDUE = "overdue"
AT_ONCE = "at_once"
IN_LINE_ALREADY = "in_line_already"
TOO_MANY_LINES = "too_many_lines"
LINE_FULL = "line_full"
SOMEBODY_WAITS = "somebody_waits"
NO_RENEWAL_LEFT = "no_renewal_left"
STILL_OUT = "still_out"

REASONS = {
    OVERDUE: N_("Something borrowed before is overdue: it has to come back first."),
    AT_ONCE: N_("One person has no more things of this kind at once: one has to come back first."),
    IN_LINE_ALREADY: N_("They stand in the waiting line for this already."),
    TOO_MANY_LINES: N_(
        "One person stands in no more waiting lines at once: one has to be left first."
    ),
    LINE_FULL: N_("The waiting line for this is full."),
    SOMEBODY_WAITS: N_("Somebody waits for it: it cannot be kept longer."),
    NO_RENEWAL_LEFT: N_("It cannot be renewed any more."),
    STILL_OUT: N_("It is still out with somebody: it has to come back first."),
}

Guard = Callable[[Item, Terms, Standing], Hindrance | None]


def may_ask(item: Item, terms: Terms, standing: Standing) -> Hindrance | None:
    """Return what keeps somebody from borrowing: something overdue, or enough of that kind."""
    if any(is_overdue(other, standing.today) for other in standing.others):
        return _because(OVERDUE)
    if item.is_gift or not item.at_once:
        return None
    return _because(AT_ONCE) if len(list(_of_kind(item, standing))) >= item.at_once else None


def limits(item: Item, standing: Standing) -> Hindrance | None:
    """Return what keeps somebody from borrowing this at all, whatever the days."""
    return may_ask(item, {}, standing)


def may_queue(item: Item, terms: Terms, standing: Standing) -> Hindrance | None:
    """Return what keeps somebody from asking with a place in line: as `may_ask`, and the lines."""
    lines = [other for other in standing.others if other.state in IN_LINE]
    if any(other.listing == standing.listing for other in lines):
        return _because(IN_LINE_ALREADY)
    if len(lines) >= LINES_MAX:
        return _because(TOO_MANY_LINES)
    if standing.waiting >= LINE_MAX * item.copies:
        return _because(LINE_FULL)
    return may_ask(item, terms, standing)


def may_take(item: Item, terms: Terms, standing: Standing) -> Hindrance | None:
    """Return what keeps a thing from being promised or handed over: something else overdue.

    The desk may decide otherwise: it has heard why, and its name stands beside the act.
    """
    if standing.is_staff:
        return None
    is_late = any(is_overdue(other, standing.today) for other in standing.others)
    return _because(OVERDUE) if is_late else None


def may_hand_over(item: Item, terms: Terms, standing: Standing) -> Hindrance | None:
    """Return what keeps a thing from being handed over: none of it is there, or as `may_take`.

    No more loans are out than there are copies, whoever presses the button.
    """
    if "first_day" in terms and standing.out + int(terms["units"]) > item.copies:
        return _because(STILL_OUT)
    return may_take(item, terms, standing)


def may_renew(item: Item, terms: Terms, standing: Standing) -> Hindrance | None:
    """Return what keeps a loan from being renewed: somebody waits, or it was done too often."""
    if standing.waiting:
        return _because(SOMEBODY_WAITS)
    if standing.done.get("renew", 0) >= item.renewals and not standing.is_staff:
        return _because(NO_RENEWAL_LEFT)
    return may_take(item, terms, standing)


GUARDS: dict[str, Guard] = {
    "ask": may_ask,
    "queue": may_queue,
    "approve": may_take,
    "counter": may_take,
    "accept": may_take,
    "hand_over": may_hand_over,
    "renew": may_renew,
}


def is_overdue(other: Other, today: int) -> bool:
    """Return whether another loan of theirs should be back: its last day is over."""
    due_over = int(other.terms.get("after_day", today + 1)) <= today
    return other.state == "overdue" or (other.state == "handed_over" and due_over)


def _of_kind(item: Item, standing: Standing) -> Iterator[Other]:
    """Their loans of the same kind of thing that are asked for, promised or with them."""
    for other in standing.others:
        is_loan = other.lifecycle == "loan" and not other.is_over
        is_theirs = other.state not in (*IN_LINE, "returned")
        if is_loan and is_theirs and other.facets.get("object") == item.object:
            yield other


def _because(code: str) -> Hindrance:
    return Hindrance(code, REASONS[code])
