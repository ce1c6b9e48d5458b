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
    asking     how a resident asks; roles: who somebody is in a row, and their buttons
    words      the sentence a page may say of a row; timeline: its steps
    verdicts   the answers home can give; telling queues the notices; ground is what all stand on

The rules are ENGAGEMENTS.md; inside one town the same functions run and nothing travels.
"""

from node.engagements.engine import Engagements
from node.engagements.timeline import Step
from node.engagements.words import Words

__all__ = ["Engagements", "Step", "Words"]
