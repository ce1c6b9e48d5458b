"""What is in force: the newest two texts of which each side signed its own and agreed to the other.

Both towns come to the same pair whatever the order in which statements cross: a side agrees only to
the text it holds, texts are numbered and never repeat, so the pairs ever agreed on form a chain.
"""

import json
from collections.abc import Iterator

from node.domain.agreement import in_force
from node.partners.agreement import wire
from node.store.network import agreements
from node.store.network.agreements import Agreement

SIGNED_MAX = 64  # pairs remembered: more than people write while a partner is away


def settle(own: bytes, partner: bytes, told: tuple[bytes, bytes] | None = None) -> bool:
    """Look what is in force now; return whether that changed. `told` is (ours, theirs) as the other
    side says it is: it counts if we signed that pair.
    """
    row = agreements.find(partner)
    for ours, theirs in _candidates(own, row, told):
        if _is_later(row, ours, theirs):
            agreed = in_force(wire.read_text(ours)[0], wire.read_text(theirs)[0])
            pair = wire.pair_of(own, ours, partner, theirs)
            agreements.save(
                partner,
                agreed=json.dumps(agreed.plain()),
                force_ours=ours,
                force_theirs=theirs,
                version=wire.version_of(pair),
            )
            return True
    return False


def _candidates(
    own: bytes, row: Agreement, told: tuple[bytes, bytes] | None
) -> Iterator[tuple[bytes, bytes]]:
    if row.ours is not None and row.theirs is not None:
        is_mutual = row.accepts == wire.digest(row.theirs) and row.accepted == wire.digest(row.ours)
        if is_mutual:
            yield row.ours, row.theirs
    if told is not None:
        pair = wire.pair_of(own, told[0], row.town, told[1]).hex()
        if pair in json.loads(row.signed):
            yield told


def _is_later(row: Agreement, ours: bytes, theirs: bytes) -> bool:
    """Whether a pair is newer than the one in force: on no side older, and on one newer."""
    if row.force_ours is None or row.force_theirs is None:
        return True
    before = [wire.read_text(each)[1] for each in (row.force_ours, row.force_theirs)]
    after = [wire.read_text(each)[1] for each in (ours, theirs)]
    return after != before and all(new >= old for new, old in zip(after, before, strict=True))


def remember(own: bytes, row: Agreement) -> None:
    """Keep that we signed our text together with our yes to theirs."""
    pair = wire.pair_of(own, row.ours, row.town, row.theirs).hex()
    signed = [each for each in json.loads(row.signed) if each != pair]
    agreements.save(row.town, signed=json.dumps([*signed, pair][-SIGNED_MAX:]))
