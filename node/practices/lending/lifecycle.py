"""How a loan goes, and how a gift goes: two tables that refuse to be wrong.

The first transition written for a state is the way forward; the pages draw what comes next from it.
Moments (see `actions.moments`): start, the midnight before the first day (after it, if that is the
day of asking); pickup_over, the end of the opening day after the first; due, the end of the last.
Nobody waits in line, or is offered anything, for longer than it can still be fetched.
"""

from node.domain.lifecycle import Deadline, Lifecycle, State, Transition
from node.domain.words import N_

ANSWER_DAYS = 5
GIFT_KEPT_DAYS = 14
OFFER_HOURS = 48
LOST_AFTER_DAYS = 90
CLOSED_AFTER_DAYS = 7
DUE_TOLD_HOURS = (40, 16)  # at eight in the morning: due tomorrow, due today
OVERDUE_TOLD_HOURS = tuple((LOST_AFTER_DAYS - days) * 24 - 8 for days in (1, 7, 30))

REQUESTED = State(
    "requested",
    N_("Asked for"),
    turn="keeper",
    deadline=Deadline(days=ANSWER_DAYS, before="start"),
    lapses_to="lapsed",
    remind_hours=24,
)
COUNTERED = State(
    "countered",
    N_("Other terms proposed"),
    turn="asker",
    takes=True,
    deadline=Deadline(days=ANSWER_DAYS),
    lapses_to="lapsed",
    remind_hours=24,
)
ENDS = (
    State("declined", N_("Declined"), final=True),
    State("cancelled", N_("Withdrawn"), final=True),
    State("lapsed", N_("Came to nothing"), final=True),
    State("revoked", N_("Yes taken back"), final=True),
)
ANSWERS = (
    Transition("approve", "requested", "approved", "keeper", N_("Accept")),
    Transition("decline", "requested", "declined", "keeper", N_("Decline")),
)

LOAN = Lifecycle(
    "loan",
    start="requested",
    waiting="waiting",
    states=(
        REQUESTED,
        State(
            "waiting",
            N_("In the waiting line"),
            turn="clock",
            deadline=Deadline(after="pickup_over"),
            lapses_to="lapsed",
        ),
        State(
            "offered",
            N_("Offered to you"),
            turn="asker",
            takes=True,
            deadline=Deadline(hours=OFFER_HOURS, before="pickup_over"),
            lapses_to="passed",
            remind_hours=12,
        ),
        COUNTERED,
        State(
            "approved",
            N_("Accepted"),
            turn="keeper",
            takes=True,
            deadline=Deadline(after="pickup_over"),
            lapses_to="lapsed",
        ),
        State(
            "handed_over",
            N_("Handed over"),
            ahead=N_("Pick-up"),
            expected="first_day",
            turn="asker",
            takes=True,
            leavable=False,
            deadline=Deadline(after="due"),
            lapses_to="overdue",
            remind_hours=DUE_TOLD_HOURS,
        ),
        State(
            "overdue",
            N_("Overdue"),
            turn="asker",
            takes=True,
            leavable=False,
            deadline=Deadline(days=LOST_AFTER_DAYS),
            lapses_to="lost",
            remind_hours=OVERDUE_TOLD_HOURS,
        ),
        State(
            "returned",
            N_("Returned"),
            ahead=N_("Return"),
            expected="last_day",
            turn="keeper",
            leavable=False,
            deadline=Deadline(days=CLOSED_AFTER_DAYS),
            lapses_to="closed",
            remind_hours=24,
        ),
        State("closed", N_("All done"), final=True),
        State("passed", N_("Passed on to the next"), final=True),
        State("lost", N_("Lost"), final=True),
        *ENDS,
    ),
    transitions=(
        *ANSWERS,
        Transition("offer", "waiting", "offered", "clock", N_("Offer it")),
        Transition("decline", "waiting", "declined", "keeper", N_("Decline")),
        Transition("accept", "offered", "approved", "asker", N_("I take it")),
        Transition(
            "counter", "requested", "countered", "keeper", N_("Propose other days"), proposes=True
        ),
        Transition("accept", "countered", "approved", "asker", N_("Accept the proposal")),
        Transition("hand_over", "approved", "handed_over", "keeper", N_("I handed it over")),
        Transition("take_back", "handed_over", "returned", "keeper", N_("I have it back")),
        Transition(
            "renew", "handed_over", "handed_over", "asker", N_("Keep it longer"), amends=True
        ),
        Transition("lose", "handed_over", "lost", "keeper", N_("It is lost")),
        Transition("take_back", "overdue", "returned", "keeper", N_("I have it back")),
        Transition("lose", "overdue", "lost", "keeper", N_("It is lost")),
        Transition("close", "returned", "closed", "keeper", N_("All is well, close")),
    ),
)

GIFT = Lifecycle(
    "gift",
    start="requested",
    states=(
        REQUESTED,
        State(
            "approved",
            N_("Accepted"),
            turn="keeper",
            takes=True,
            deadline=Deadline(days=GIFT_KEPT_DAYS),
            lapses_to="lapsed",
        ),
        State("handed_over", N_("Handed over"), ahead=N_("Pick-up"), final=True),
        *ENDS,
    ),
    transitions=(
        *ANSWERS,
        Transition("hand_over", "approved", "handed_over", "keeper", N_("I handed it over")),
    ),
)

LIFECYCLES = {each.name: each for each in (LOAN, GIFT)}
