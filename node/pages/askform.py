"""The form that asks for a listing: who may see it, its fields and days, what was typed in it."""

from typing import Any

from flask import request

from node.domain.errors import DomainError, NotAllowed, NotFound
from node.domain.words import N_
from node.engagements import agreed
from node.pages.cards import line, remote
from node.pages.here import Shown, member, now_ms, town
from node.pages.language import _
from node.store.catalogue import holdings
from node.store.network import partners
from node.store.promises import engagements


def is_mine(listing: Shown) -> bool:
    """Return whether the person signed in stands behind this listing."""
    if not listing.is_local or member() is None:
        return False
    held = holdings.find(listing.key)
    return bool(held is not None and held.member == member().id)


def is_offered(listing: Shown) -> bool:
    """Return whether a listing can be asked for by anyone: it is shown, and not over."""
    row = listing.row
    ends_ms = min(row.ends_ms or row.expires * 1_000, row.expires * 1_000)
    return bool(
        listing.practice.engaging is not None
        and row.state == "published"
        and not row.hidden
        and now_ms() < ends_ms
    )


def refusal(listing: Shown) -> DomainError | None:
    """Return why a listing cannot be asked for here (by this person), None when it can."""
    if not is_offered(listing):
        return NotFound("not_offered", N_("This is not offered at the moment."))
    if is_mine(listing):
        return NotAllowed("own_listing", N_("This is your own listing."))
    if listing.is_local:
        return None
    partner = partners.find(listing.origin)
    if partner is None or partner.status not in partners.LINKED:
        message = N_("Our town and %(town)s have not compared their words yet: reading only.")
        return NotAllowed("not_compared", message, town=listing.town)
    if listing.row.who == "town":
        return NotAllowed("town_only", N_("This is for residents of %(town)s."), town=listing.town)
    person = member()
    return agreed.refusal(town().engagements.ground, listing.row, person.id if person else None)


def first_values() -> dict[str, Any]:
    """Return what the form of the person signed in says before anything is typed."""
    person = member()
    return {"name": person.name, "email": person.email or "", "phone": person.phone or ""}


def typed() -> dict[str, Any]:
    """Return the form that was sent as its fields show it again: a text, or a list of ticks."""
    found = {name: request.form.getlist(name) for name in request.form}
    return {name: each if len(each) > 1 else each[0] for name, each in found.items()}


def in_line(listing: Shown) -> int:
    """Return how many wait in line for a listing of ours; of another town's only they know."""
    engaging = listing.practice.engaging
    state = engaging.lifecycle(listing.body).waiting if engaging and listing.is_local else ""
    return engagements.count_in(listing.origin, listing.key, state) if state else 0


def _limit(listing: Shown) -> str:
    """Return what keeps the person signed in from asking for it now, "" for nothing."""
    person = member()
    found = town().engagements.rules.against_asking(listing.row, person.id) if person else None
    return _(found.message, **found.params) if found else ""


def draw(listing: Shown, values: dict[str, Any], errors: dict[str, str]) -> dict[str, Any]:
    """Return what the templates of the form want, under the names they use."""
    engaging = listing.practice.engaging
    fields = engaging.fields(listing.body) if engaging else ()
    return {
        "listing": listing,
        "fields": {each.name: each for each in fields},
        "labels": {each.name: each.label for each in fields},
        "values": {**dict.fromkeys(each.name for each in fields), **values},
        "errors": errors,
        "days": town().engagements.days(listing.row),
        "limit": _limit(listing),
        "in_line": in_line(listing),
        "saw": town().engagements.saw(listing.row),
        "line": line(listing),
        "remote": None if listing.is_local else remote(listing),
    }
