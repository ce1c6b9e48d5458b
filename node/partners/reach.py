"""The reach of a partner: the 90th percentile of how late its words came, over thirty days.

A word written at any moment between two contacts waits for the second. So the share of a month's
moments whose word waited longer than x is the sum of what each silence has beyond x, over the
month; the reach is the x that leaves a tenth, between one day and fourteen (ENGAGEMENTS,
Deadlines). A silence that still lasts counts as far as it has come: of a town that never came every
word waited since the link began, which reaches the fourteen days after fifteen and a half.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from node.store.network import partners, reaches, sightings
from node.store.network.reaches import DAY_MS, LEAST_MS, MOST_MS

WINDOW_MS = 30 * DAY_MS
LATE_SHARE = 10  # a tenth of the moments may wait longer
CONTACT_EVERY_MS = 3_600_000  # noted no oftener: hours are nothing beside days


def measure(town: Any) -> int:
    """Note up to when each partner was heard, and keep its reach; return how many partners."""
    now_ms = town.clock.now_ms()
    linked = partners.listed(*partners.LINKED)
    heard = sightings.heard_ms((row.town for row in linked), now_ms)
    for row in linked:
        since_ms = max(now_ms - WINDOW_MS, min(row.since_ms, now_ms))
        reaches.sweep(row.town, now_ms - 4 * WINDOW_MS, now_ms)
        known = reaches.contacts(row.town, since_ms)
        last_ms = heard.get(row.town, 0)
        if last_ms and (not known or last_ms - known[-1] >= CONTACT_EVERY_MS):
            reaches.note(row.town, last_ms)
            known.append(last_ms)
        reaches.keep(row.town, reach_ms(known, since_ms, now_ms), now_ms)
    return len(linked)


def reach_ms(contacts: Sequence[int], since_ms: int, now_ms: int) -> int:
    """Return the reach of who was heard at these moments (UTC ms), seen from `since_ms` on."""
    inside = sorted({each for each in contacts if since_ms < each < now_ms})
    waits = sorted(after - before for before, after in pairwise([since_ms, *inside, now_ms]))
    return min(max(_exceeded_by_a_tenth(waits), LEAST_MS), MOST_MS)


def _exceeded_by_a_tenth(waits: Sequence[int]) -> int:
    """Return the x (ms) for which what is beyond x in each of `waits` (ascending) sums to a tenth
    of them all.
    """
    allowed = sum(waits) // LATE_SHARE
    beyond = 0
    for count, wait in enumerate(reversed(waits), start=1):
        beyond += wait
        shorter = waits[-count - 1] if count < len(waits) else 0
        x = (beyond - allowed) // count
        if x >= shorter:
            return x
    return 0
