"""The standing of an erasure: which towns said that it is gone there, and who has said nothing."""

from collections.abc import Collection
from typing import Any, NamedTuple

from federation.record import SCOPE_PUBLIC
from node.store.erasures import acks, burials
from node.store.erasures.burials import Burial
from node.store.network import partners
from node.store.network.partners import Partner

LATE_MS = 7 * 86_400_000


class Answer(NamedTuple):
    """One town's answer to one erasure.

    gone_ms     when it was gone there, None while the town has said nothing
    kept        why a nameless row stays there for now, "" when nothing does
    last_ok_ms  when it was last reached, None for never
    is_late     it has said nothing for more than seven days
    """

    town: bytes
    name: str
    gone_ms: int | None
    kept: str
    last_ok_ms: int | None
    is_late: bool


def answers(burial: Burial, now_ms: int) -> list[Answer]:
    """Return what the towns that may have held one of our listings say of it: the silent ones
    first, then by name.

    May have held it: partners of that day, and of public ones every town that ever answered, by
    whichever relay.
    """
    said, known = acks.of_key(burial.key), acks.towns()
    told = [
        _answer(row, burial, said, now_ms)
        for row in partners.listed()
        if row.town in said or _may_hold(row, burial) or _reads(row, burial, known)
    ]
    return sorted(told, key=lambda each: (each.gone_ms is not None, each.name))


def silent(own: bytes, kinds: Collection[str], now_ms: int) -> list[Partner]:
    """Return the partners that have left an erasure of ours without an answer for seven days."""
    late = [
        row
        for row in burials.listed(own, kinds, before_ms=now_ms - LATE_MS, limit=1_000)
        if row.expires > now_ms // 1_000
    ]
    found = []
    for partner in partners.listed("active"):
        said = acks.of_town(partner.town)
        if any(row.key[: acks.SHORT_BYTES] not in said for row in late if _may_hold(partner, row)):
            found.append(partner)
    return found


def _may_hold(row: Partner, burial: Burial) -> bool:
    return row.status == "active" and row.since_ms <= burial.at_ms


def _reads(row: Partner, burial: Burial, known: Collection[bytes]) -> bool:
    """Whether a town that has our public records by a relay alone is known to read them."""
    return row.status == "introduced" and row.town in known and burial.scope == SCOPE_PUBLIC


def _answer(row: Partner, burial: Burial, said: dict[bytes, Any], now_ms: int) -> Answer:
    told = said.get(row.town)
    is_late = told is None and now_ms - burial.at_ms > LATE_MS
    return Answer(
        row.town,
        row.name,
        told.gone_ms if told else None,
        told.kept if told else "",
        row.last_ok_ms,
        is_late,
    )
