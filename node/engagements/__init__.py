"""The engine behind every ask: who asked what, whose turn it is, who decides, and who knows it.

    engine     the public face: ask, act, sweep, and what the pages need
    opening    where an ask for one of our listings is decided; home: every act after it
    moves      one step of a row: state, capacity, effects, version
    between/   asker: the town of whoever asked; registers: the two sealed registers, inner reads
               the other town's; arrivals: what they do here; post: how ours leave
    forgetting what becomes of the engagements of somebody who leaves
    diary      every change goes into the logbook; recovery: what a restore forgot comes back, from
               the logbook or from partners (adoption); gate: nothing is promised before that
    sweep      deadlines, patience, renewal and burial of registers
    reminders  who is told before a deadline comes; news: whether that is still so as it leaves
    talk       the messages of both sides, as pages show them; sayings: kept, sent, heard, forgotten
    contacts   what each side ticked, from the yes until the end
    tickets    what is broken or looked after; closures: when nothing is promised meanwhile
    absence    what is out of the house or late, and whom that keeps waiting
    asking     how a resident asks, aiding: or somebody for them; roles: who somebody is in a row,
               and their buttons; keeping: who keeps a listing
    standing   what a practice's guards know of whoever asks, and how their no is told
    staff      what staff date back and give more time for; staffing: as pages call it
    words      the sentence a page may say of a row; timeline: its steps
    verdicts   the answers home can give; telling queues the notices; ground is what all stand on

The rules are ENGAGEMENTS.md; inside one town the same functions run and nothing travels.
"""

from node.engagements.engine import Engagements
from node.engagements.timeline import Step
from node.engagements.words import Words

__all__ = ["Engagements", "Step", "Words"]
