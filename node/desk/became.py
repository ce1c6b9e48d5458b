"""What became of a town whose link is ending or ended, as the audit tells it."""

import json
from collections import Counter
from typing import Any

from node.partners.agreement.theirs import ENDED
from node.store import audit
from node.store.network import partners

END, GONE = "partner.end", "partner.remove"


def became(town: bytes) -> dict[str, Any] | None:
    """Return when the link with a town was ended and by whom, what was done with what was open,
    and when all of it was deleted; None while the link lasts, or for one there never was.
    """
    told = audit.latest(200, subject=town.hex())
    ends = [each for each in told if each.action in (END, GONE)]  # newest first
    partner = partners.find(town)
    if not ends or partner is None or partner.status not in ("ending", "removed"):
        return None
    since_ms = partner.since_ms
    mine = [each for each in ends if each.at_ms >= since_ms] or ends[:1]
    counts: Counter[str] = Counter()
    for each in mine:
        counts.update(json.loads(each.detail) if each.detail.startswith("{") else {})
    return {
        "began_ms": mine[-1].at_ms,
        "gone_ms": mine[0].at_ms if partner.status == "removed" else None,
        "is_theirs": any(each.action == ENDED and each.at_ms >= since_ms for each in told),
        "counts": counts,
    }
