"""The engine behind every ask: who asked what, whose turn it is, who decides, and who knows it.

Read it in this order; each module stands on those before it, but for `engine`, which stands on all.

    engine      the public face, `town.engagements`: ask, act, sweep, and what the pages need
    ground      what all stand on: the door, the practices, the clock, how a row is read
    verdicts    the answers home can give; telling: the notices that go with them

Deciding, at the town of the listing
    opening     an ask is judged; home: every act after it, and every deadline
    moves       one step of a row: state, capacity, effects, version
    capacity    what can still be promised; line: who waits, and is offered what comes free
    absence     what is out of the house or late; closures: when nothing is promised
    proposal    other terms on the table; proposing: how they are put there and answered
    standing    what a practice's guards know of whoever asks; rules: what they would say now
    agreed      what the agreement between two towns lets residents ask

Asking and keeping: who may do what
    asking      how a resident asks; aiding: or somebody for them
    roles       who somebody is in a row, and their buttons; keeping: who keeps a listing
    staff       what staff date back and give more time for; staffing: as pages call it

Between towns
    between/    asker: the town of whoever asked; registers: the two sealed registers; inner reads
                the other town's; arrivals: what they do here; post: how ours leave
    gate        nothing is promised before it was heard what was; diary: each change is logged
    recovery    what a restore forgot comes back, from the logbook or from partners (adoption)
    parting     what becomes of engagements when the link between two towns ends

The clock, and leaving
    sweep       deadlines, patience, renewal and burial of registers
    reminders   who is told before a deadline comes; news: whether it is still so as it leaves
    forgetting  the engagements of somebody who leaves; suspending: of who is shut out for a time

Beside the states
    talk        the messages of both sides, as pages show them; sayings: kept, sent, forgotten
    contacts    what each side ticked, from the yes until the end
    tickets     what is broken or looked after; conditions: how a thing went out and came in
    occasions   when it takes place, for calendars
    words       the sentence a page may say of a row; timeline: its steps

The rules are ENGAGEMENTS.md; inside one town the same functions run and nothing travels.
"""

from node.engagements.engine import Engagements
from node.engagements.timeline import Step
from node.engagements.words import Words

__all__ = ["Engagements", "Step", "Words"]
