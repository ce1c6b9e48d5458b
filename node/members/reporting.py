"""Reporting: somebody says that a listing should not be shown, and what many say counts at once.

Whoever reports is told what the desk decided. Reports of three residents who are known here for a
week hide a listing of ours until a moderator has looked; nothing of that is final.
"""

import hashlib
import hmac

from node.domain.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from node.domain.schema import tidy
from node.domain.words import N_
from node.members import told
from node.store import audit
from node.store.catalogue import codes, holdings, listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.people import members, reports
from node.store.people.members import Member

DAY_MS = 86_400_000
REASONS = (
    ("wrong", N_("Not true, or long out of date")),
    ("advert", N_("Advertisement, or the same thing again and again")),
    ("danger", N_("Dangerous or forbidden")),
    ("hurtful", N_("Insulting or hateful")),
    ("private", N_("Tells something private about somebody")),
    ("other", N_("Something else")),
)
TEXT_MAX = 500
HIDE_AT = 3  # trusted reporters
TRUSTED_AFTER_MS = 7 * DAY_MS
MISTAKES_MAX = 3  # rejected reports in MISTAKES_MS: whose reports then only wait to be read
MISTAKES_MS = 90 * DAY_MS
BY_REPORTS = "reports"  # why a listing is hidden: see `listings.hide`


def report(
    listing: Listing, own_town: bytes, *, member: Member | None, address: str, reason: str,
    text: str, secret: bytes, now_ms: int,
) -> bool:  # fmt: skip
    """Keep a report about a listing, ours or another town's; return whether it is hidden by it.

    `address` stands for a visitor's network. Raises Invalid(reason, text), NotFound, NotAllowed
    ("own_listing") and Conflict("answered") when the desk has answered and nothing changed since.
    """
    said = _checked(reason, text)
    if listing.state not in listings.LIVE_STATES or listing.hidden:
        raise NotFound("no_listing", N_("There is no listing with this code here."))
    if member is not None and member.id == publisher(listing, own_town):
        raise NotAllowed("own_listing", N_("This is your own listing."))
    who = f"m{member.id}" if member is not None else _visitor(address, secret)
    with write_tx():
        held = reports.find(listing.origin, listing.key, who)
        if held is not None and held.state != "open" and held.seen == seen(listing):
            raise Conflict(
                "answered", N_("You reported this already. The desk answered: %(answer)s"),
                answer=held.answer or "–",
            )  # fmt: skip
        reports.keep(
            listing.origin, listing.key, who, member=member.id if member else None, reason=reason,
            text=said, seen=seen(listing), at_ms=now_ms,
        )  # fmt: skip
        return listing.origin == own_town and _hold_back(listing, now_ms)


def publisher(listing: Listing, own_town: bytes) -> int | None:
    """Return the member behind a listing of ours, None for the association's and for others'."""
    held = holdings.find(listing.key) if listing.origin == own_town else None
    return held.member if held is not None else None


def seen(listing: Listing) -> bytes:
    """Return a digest of what a listing says now."""
    return hashlib.sha256(bytes(listing.body or b"")).digest()[:8]


def is_trusted(member: Member, now_ms: int) -> bool:
    """Return whether a member's report counts towards hiding a listing by itself."""
    if member.status != "active" or now_ms - member.created_ms < TRUSTED_AFTER_MS:
        return False
    return reports.rejected_since(member.id, now_ms - MISTAKES_MS) < MISTAKES_MAX


def _hold_back(listing: Listing, now_ms: int) -> bool:
    """Hide a listing of ours that enough trusted people report; who invited whom counts as one."""
    voices = set()
    waiting = reports.of_listing(listing.origin, listing.key, "open")
    for each in waiting:
        person = members.find(each.member) if each.member is not None else None
        if person is not None and is_trusted(person, now_ms):
            voices.add(person.invited_by or person.id)
    if len(voices) < HIDE_AT:
        return False
    register = (listing.origin, listing.key)
    listings.hide(*register, BY_REPORTS)
    concerned = publisher(listing, listing.origin)
    if concerned is not None:
        told.tell(concerned, "held_back", now_ms=now_ms, register=register)
    for each in waiting:
        if each.member is not None:
            told.tell(each.member, "report_held_back", now_ms=now_ms, register=register)
    audit.note(
        "moderation.held_back", at_ms=now_ms, actor="clock", detail=codes.of(*register),
        subject=f"member/{concerned}" if concerned is not None else "",
    )  # fmt: skip
    return True


def _visitor(address: str, secret: bytes) -> str:
    """Return what tells one visitor's household from another's, and nothing else."""
    return "v" + hmac.digest(secret, b"report\0" + address.encode(), "sha256")[:12].hex()


def _checked(reason: str, text: str) -> str:
    problems, said = [], tidy(text)
    if reason not in dict(REASONS):
        message = N_("Please choose one of the answers offered.")
        problems.append(Problem("reason", "unknown_choice", message))
    if len(said) > TEXT_MAX:
        message = N_("At most %(max)d characters, please.")
        problems.append(Problem("text", "too_long", message, {"max": TEXT_MAX}))
    if problems:
        raise Invalid(problems)
    return said
