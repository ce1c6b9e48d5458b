"""The replacing: a partner lost its root, founded a new town, and our admin was told so in person.

Nothing follows by itself: what we held of the old town is deleted, requests that were open with it
stay visible to be settled by people, and its page points to the new one (SPEC 3.7).
"""

from collections.abc import Callable

from node.domain.clock import Clock
from node.domain.errors import Conflict, NotFound
from node.domain.words import N_
from node.store import audit
from node.store.database import write_tx
from node.store.network import partners, successions
from node.store.promises import engagements
from node.store.promises.engagements import Engagement

Remove = Callable[[bytes], object]  # ends the link with a town and deletes what is held of it


def replace(
    old: bytes, new: bytes, remove: Remove, clock: Clock, *, by: str, member: int | None = None
) -> list[Engagement]:
    """Write down that the partner `new` took the place of `old`; return what is open with `old`.

    Raises NotFound, Conflict("not_paired") before the words of the new town were compared, and
    Conflict("same_town").
    """
    with write_tx():
        before, after = partners.find(old), partners.find(new)
        if before is None or after is None:
            raise NotFound("unknown_town", N_("There is no such partner town."))
        if old == new or successor(new) == old:
            raise Conflict("same_town", N_("A town cannot take its own place."))
        if after.status != "active" or not after.words_here:
            raise Conflict("not_paired", N_("First compare the six words with the new town."))
        if before.status != "removed":
            remove(old)
        successions.note(old, new, clock.now_ms())
        audit.note(
            "partner.replace",
            at_ms=clock.now_ms(), actor=by, member=member, subject=old.hex(), detail=new.hex(),
        )  # fmt: skip
    return open_with(old)


def open_with(town: bytes) -> list[Engagement]:
    """Return the engagements with a town that are not over: people must settle them."""
    return engagements.with_town(town)


def successor(town: bytes) -> bytes | None:
    """Return the town that stands in the place of `town` now, however often it was replaced."""
    listed, seen = successions.listed(), {town}
    found = listed.get(town)
    while found is not None and found in listed and found not in seen:
        seen.add(found)
        found = listed[found]
    return found


def predecessors(town: bytes) -> list[bytes]:
    """Return the towns whose place this one took."""
    return sorted(old for old, new in successions.listed().items() if new == town)
