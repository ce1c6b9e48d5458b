"""Who keeps a listing of ours: whoever published it, and whoever was named beside them.

The publisher keeps it by holding it; others are named by a keeper or at the desk. What nobody
keeps (a keeper left or is shut out, a recovered listing) falls to the desk.
"""

from node.domain.errors import Conflict, NotAllowed, NotFound
from node.domain.words import N_
from node.store import audit
from node.store.catalogue import holdings, listings
from node.store.database import write_tx
from node.store.people import members
from node.store.people.members import Member
from node.store.promises import keepers
from node.store.promises.engagements import Engagement

DESK = ("moderator", "admin")  # who acts where nobody keeps a listing
KEEPERS_MAX = 20
ALL = 10_000


def is_active(member: Member | None) -> bool:
    """Return whether somebody may act at all: neither shut out, nor waiting, nor erased."""
    return member is not None and member.status == "active"


def is_desk(member: Member | None) -> bool:
    """Return whether somebody acts for the town: a moderator or an administrator."""
    return is_active(member) and member is not None and member.role in DESK


def of_listing(key: bytes, publisher: int | None = None) -> tuple[int, ...]:
    """Return the members who keep a listing of ours now, the publisher first.

    `publisher` is who an engagement named as such, for a listing that is gone.
    """
    holding = holdings.find(key)
    first = holding.member if holding is not None else publisher
    found = dict.fromkeys((first, *keepers.of_listing(key)))
    return tuple(each for each in found if each is not None and is_active(members.find(each)))


def of_row(row: Engagement) -> tuple[int, ...]:
    """Return the members who keep what an engagement of ours is about."""
    return of_listing(row.listing_key, row.keeper)


def whom_to_tell(row: Engagement) -> tuple[int, ...]:
    """Return who is told what concerns the keeper: each of them once, the desk if nobody keeps it.

    Nobody is told as keeper of what they asked for themselves.
    """
    found = of_row(row) or tuple(each.id for role in DESK for each in _active(role))
    return tuple(each for each in found if each != row.asker)


def _active(role: str) -> list[Member]:
    return members.listed(role=role, status="active", limit=ALL)


def is_keeper(key: bytes, member: int) -> bool:
    """Return whether a member keeps a listing of ours now."""
    return member in of_listing(key)


def published_by(member: int) -> list[bytes]:
    """Return the listings of ours that a member published, and so keeps."""
    return holdings.of_member(member) if is_active(members.find(member)) else []


def may_name(key: bytes, member: int) -> bool:
    """Return whether a member may say who keeps a listing: who keeps it, and the desk."""
    return is_desk(members.find(member)) or is_keeper(key, member)


def name(town: bytes, key: bytes, member: int, *, by: int, now_ms: int) -> bool:
    """Let a member keep a listing of ours, in the name of `by`; return whether that is new.

    Raises NotFound (no such listing, no such account), NotAllowed, Conflict("too_many").
    """
    with write_tx():
        listing = listings.find(town, key)
        if listing is None or not listing.body:
            raise NotFound("no_listing", N_("There is no listing with this code here."))
        if not may_name(key, by):
            raise NotAllowed("not_yours", N_("Only who keeps it, or the desk, can say who else."))
        if not is_active(members.find(member)):
            raise NotFound("no_member", N_("There is no such account."))
        if member in of_listing(key):
            return False
        if len(keepers.of_listing(key)) >= KEEPERS_MAX:
            raise Conflict(
                "too_many", N_("At most %(max)d people keep one thing."), max=KEEPERS_MAX
            )
        keepers.add(key, member, now_ms, by)
        _note("keeper.name", key, member, by, now_ms)
        return True


def end(key: bytes, member: int, *, by: int, now_ms: int) -> bool:
    """Let a named keeper keep a listing no longer; anybody may resign. Raises NotAllowed."""
    with write_tx():
        if by != member and not may_name(key, by):
            raise NotAllowed("not_yours", N_("Only who keeps it, or the desk, can say who else."))
        is_gone = keepers.remove(key, member)
        if is_gone:
            _note("keeper.end", key, member, by, now_ms)
        return is_gone


def _note(action: str, key: bytes, member: int, by: int, now_ms: int) -> None:
    person = members.find(by)
    audit.note(
        action, at_ms=now_ms, actor=person.name if person else "", member=by, other=member,
        listing=key,
    )  # fmt: skip
