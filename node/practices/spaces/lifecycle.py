"""How a booking goes: one table for what needs no check-in, one for what does; both refuse errors.

The first transition written for a state is the way forward; the pages draw what comes next from it.
Moments (see `actions.moments`): start and end of the slot that was booked.
"""

from node.domain.lifecycle import Deadline, Lifecycle, State, Transition
from node.domain.words import N_

HELD_MINUTES = 10
ANSWER_DAYS = 3
OFFER_HOURS = 24
NO_SHOW_MINUTES = 30

HELD = State(
    "held",
    N_("Held for you"),
    turn="asker",
    takes=True,
    deadline=Deadline(minutes=HELD_MINUTES, before="start"),
    lapses_to="lapsed",
)
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
    N_("Another time is proposed"),
    turn="asker",
    takes=True,
    deadline=Deadline(days=ANSWER_DAYS, before="start"),
    lapses_to="lapsed",
    remind_hours=24,
)
WAITING = State(
    "waiting",
    N_("In the waiting line"),
    turn="clock",
    deadline=Deadline(after="start"),
    lapses_to="lapsed",
)
OFFERED = State(
    "offered",
    N_("A place came free for you"),
    turn="asker",
    takes=True,
    deadline=Deadline(hours=OFFER_HOURS, before="start"),
    lapses_to="passed",
    remind_hours=4,
)
DONE = State("done", N_("Done"), final=True)
ENDS = (
    State("refused", N_("Declined"), final=True),
    State("cancelled", N_("Withdrawn"), final=True),
    State("lapsed", N_("Came to nothing"), final=True),
    State("passed", N_("Passed on to the next in line"), final=True),
    State("no_show", N_("Nobody came"), final=True),
    State("revoked", N_("Yes taken back"), final=True),
)
BEFORE = (HELD, REQUESTED, COUNTERED, WAITING, OFFERED)
ANSWERS = (
    Transition("book", "held", "confirmed", "asker", N_("Book it")),
    Transition("confirm", "requested", "confirmed", "keeper", N_("Confirm the booking")),
    Transition(
        "counter", "requested", "countered", "keeper", N_("Propose another time"), proposes=True
    ),
    Transition("refuse", "requested", "refused", "keeper", N_("Decline")),
    Transition("accept", "countered", "confirmed", "asker", N_("Accept")),
    Transition("offer", "waiting", "offered", "clock", N_("Offer what came free")),
    Transition("refuse", "waiting", "refused", "keeper", N_("Decline")),
    Transition("accept", "offered", "confirmed", "asker", N_("Take it")),
)
NOBODY_CAME = Transition("no_show", "confirmed", "no_show", "keeper", N_("Nobody came"))

BOOKING = Lifecycle(
    "booking",
    start="requested",
    refuses_to="refused",
    waiting="waiting",
    holding="held",
    states=(
        *BEFORE,
        State(
            "confirmed",
            N_("Booked"),
            turn="clock",
            takes=True,
            deadline=Deadline(after="end"),
            lapses_to="done",
            expected="start",
        ),
        DONE,
        *ENDS,
    ),
    transitions=(
        *ANSWERS,
        Transition("close", "confirmed", "done", "keeper", N_("It took place")),
        NOBODY_CAME,
    ),
)

CHECKED = Lifecycle(
    "checked",
    start="requested",
    refuses_to="refused",
    waiting="waiting",
    holding="held",
    states=(
        *BEFORE,
        State(
            "confirmed",
            N_("Booked"),
            turn="clock",
            takes=True,
            deadline=Deadline(minutes=NO_SHOW_MINUTES, after="start", before="end"),
            lapses_to="no_show",
        ),
        State(
            "checked_in",
            N_("Arrived"),
            ahead=N_("Check-in"),
            expected="start",
            turn="clock",
            takes=True,
            leavable=False,
            deadline=Deadline(after="end"),
            lapses_to="done",
        ),
        DONE,
        *ENDS,
    ),
    transitions=(
        *ANSWERS,
        Transition("check_in", "confirmed", "checked_in", "keeper", N_("They have arrived")),
        NOBODY_CAME,
        Transition("check_out", "checked_in", "done", "keeper", N_("They have left")),
    ),
)

LIFECYCLES = {each.name: each for each in (BOOKING, CHECKED)}
