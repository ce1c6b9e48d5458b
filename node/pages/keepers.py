"""Who keeps a listing: the names, and the form with which who keeps it names another."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.domain.errors import Conflict, DomainError, NotAllowed, NotFound
from node.domain.words import N_
from node.engagements import keeping
from node.members import accounts
from node.pages import deeds
from node.pages.here import Shown, now_ms, town, whole
from node.pages.language import _
from node.pages.listing import find
from node.pages.security import limit, once, require_member
from node.store.catalogue import facets
from node.store.people import members
from node.store.promises import keepers

blueprint = Blueprint("keepers", __name__)


def may_name(listing: Shown, person: Any) -> bool:
    """Return whether somebody may say who keeps a listing."""
    is_in = person is not None and listing.is_local and listing.practice.engaging is not None
    return bool(is_in and keeping.may_name(listing.key, person.id))


@blueprint.get("/a/<code>/responsables")
def show(code: str) -> str:
    """Show who keeps a listing of ours, to who keeps it and to the desk."""
    return _page(_listing(code))


@blueprint.post("/a/<code>/responsables")
@once(together=True)
def name(code: str) -> Any:
    """Name one more keeper, by their address of mail or their exact name."""
    listing, person = _listing(code), require_member()
    limit("named", person.id)
    typed = request.form.get("who", "")[:254]
    try:
        member = _named(typed)
        keeping.name(town().id, listing.key, member.id, by=person.id, now_ms=now_ms())
    except DomainError as error:
        return _page(listing, typed, _(error.message, **error.params)), error.status
    flash(_("%(name)s keeps it from now on.", name=deeds.name_of(member.id)))
    return redirect(url_for(".show", code=listing.code), 303)


@blueprint.post("/a/<code>/responsables/retirer")
@once(together=True)
def end(code: str) -> Any:
    """Let a named keeper keep it no longer; whoever lets go of themselves is led to the listing."""
    listing, person = _listing(code), require_member()
    member = whole(request.form.get("member")) or 0
    if keeping.end(listing.key, member, by=person.id, now_ms=now_ms()):
        flash(_("Kept."))
    is_still = may_name(listing, person)
    there = url_for(".show", code=listing.code) if is_still else listing.href
    return redirect(there, 303)


def _named(typed: str) -> Any:
    """Return the one active account with this address or exactly this name; raises NotFound."""
    said = " ".join(typed.split())
    by_email = accounts.by_email(said) if "@" in said else None
    found = [by_email] if by_email is not None else members.called(said) if said else []
    if len(found) > 1:
        raise Conflict("several", N_("Several people have this name: give the address of mail."))
    if not found or found[0].status != "active":
        message = N_("Nobody here has this address or exactly this name.")
        raise NotFound("no_member", message)
    return found[0]


def _listing(code: str) -> Shown:
    """Return a listing whose keepers this person may see; raises NotFound, NotAllowed."""
    person, listing = require_member(), find(code)
    if not may_name(listing, person):
        raise NotAllowed("not_yours", N_("Only who keeps it, or the desk, can say who else."))
    return listing


def _page(listing: Shown, typed: str = "", error: str = "") -> str:
    named = set(keepers.of_listing(listing.key))
    return render_template(
        "listing/keepers.html",
        section="listings",
        listing=listing,
        people=[
            {"id": each, "name": deeds.name_of(each), "is_named": each in named}
            for each in keeping.of_listing(listing.key)
        ],
        asks_for=facets.of_keys(listing.origin, [listing.key])
        .get(listing.key, {})
        .get("habilitation", ""),
        typed=typed,
        error=error,
    )
