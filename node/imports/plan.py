"""What a file changes of what was imported from its source before.

A person's decisions stand: what was withdrawn here by hand stays withdrawn, and a rejected row's
listing stays as it was. A file in which most listings have vanished may be a broken download: their
withdrawal is held back until it is asked for.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from federation.record import TOMBSTONE
from federation.store import Current
from node.domain.errors import Problem
from node.domain.words import N_
from node.imports.reading import Ready
from node.store.catalogue.holdings import Holding

RENEW_BEFORE_S = 60 * 86_400
FEW = 10  # that many may vanish at once without a question, whatever their share


@dataclass(frozen=True)
class Write:
    """A row to publish; `key` is its listing's, None if new; `why` is a counter of the report."""

    ready: Ready
    key: bytes | None
    why: str


@dataclass
class Plan:
    """What is to be published and withdrawn; `kept_back` counts rejected rows that are listed."""

    writes: list[Write] = field(default_factory=list)
    unchanged: int = 0
    vanished: list[bytes] = field(default_factory=list)
    kept_back: int = 0
    by_hand: list[Ready] = field(default_factory=list)


def planned(
    ready: Collection[Ready],
    refs: Collection[str],
    held: Mapping[str, Holding],
    signed: Mapping[bytes, Current],
    now_s: int,
) -> Plan:
    """Return what `ready` changes of what is `held`; `signed` is what our registers hold, by key.

    `refs` are all references of the file, of rejected rows too.
    """
    plan = Plan()
    for each in ready:
        holding = held.get(each.ref)
        life = signed.get(holding.key) if holding else None
        if holding is None:
            plan.writes.append(Write(each, None, "new"))
        elif life and life.state == TOMBSTONE:
            plan.by_hand.append(each)
            plan.unchanged += 1
        elif holding.digest != each.digest:
            plan.writes.append(Write(each, holding.key, "changed"))
        elif life is None or life.expires < now_s + RENEW_BEFORE_S:
            plan.writes.append(Write(each, holding.key, "renewed"))
        else:
            plan.unchanged += 1
    plan.vanished = [holding.key for ref, holding in held.items() if ref not in refs]
    plan.kept_back = sum(ref in held for ref in set(refs) - {each.ref for each in ready})
    return plan


def doubt_of(plan: Plan, held: int, *, blind: bool) -> Problem | None:
    """Return why the vanished rows of a plan should not be believed, None when they should."""
    gone = len(plan.vanished)
    if gone and blind:
        message = N_("%(count)d listings are not in the file, but part of it cannot be read.")
        return Problem("", "vanished_unread", message, {"count": gone})
    if gone > FEW and gone * 2 > held:
        message = N_("%(count)d of %(held)d listings are not in the file: is it complete?")
        return Problem("", "vanished_many", message, {"count": gone, "held": held})
    return None
