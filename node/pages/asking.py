"""Asking: the form under a listing, and the request it makes, here or in another town."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from node.domain.errors import DomainError, Invalid, NotAllowed, NotFound
from node.domain.words import N_
from node.pages.here import Shown, town
from node.pages.language import _
from node.pages.listing import can_ask, find, is_mine
from node.pages.security import form_key, limit, once, require_member

blueprint = Blueprint("asking", __name__)


@blueprint.get("/a/<code>/demander")
def form(code: str) -> str:
    """Show the form that asks for a listing."""
    person = require_member()
    listing = _askable(code)
    values = {"name": person.name, "contact": person.email or person.phone or ""}
    return _form(listing, values, {})


@blueprint.post("/a/<code>/demander")
@once(together=True)
def ask(code: str) -> Any:
    """Write the request down; what was typed comes back with a sentence where it cannot be."""
    person = require_member()
    listing = _askable(code)
    limit("asked", person.id)
    try:
        row = town().engagements.ask(listing.row, person.id, request.form, form_key("engagement"))
    except Invalid as invalid:
        errors = {each.field: _(each.message, **each.params) for each in invalid.problems}
        return _form(listing, _typed(), errors), invalid.status
    except DomainError as error:
        return _form(listing, _typed(), {"": _(error.message, **error.params)}), error.status
    return redirect(url_for("requests.show", which=row.id.hex()), 303)


def _askable(code: str) -> Shown:
    """Return a listing one can ask for; raises NotFound, NotAllowed."""
    listing = find(code)
    if listing.practice.engaging is None or listing.row.state != "published":
        raise NotFound("not_offered", N_("This is not offered at the moment."))
    if is_mine(listing):
        raise NotAllowed("own_listing", N_("This is your own listing."))
    if not can_ask(listing):
        raise NotAllowed("not_compared", N_("This town is not a confirmed partner yet."))
    return listing


def _typed() -> dict[str, Any]:
    typed = {name: request.form.getlist(name) for name in request.form}
    return {name: each if len(each) > 1 else each[0] for name, each in typed.items()}


def _form(listing: Shown, values: dict[str, Any], errors: dict[str, str]) -> str:
    engaging = listing.practice.engaging
    fields = engaging.fields(listing.body) if engaging else ()
    return render_template(
        "requests/ask.html",
        section="listings",
        listing=listing,
        fields={each.name: each for each in fields},
        labels={each.name: each.label for each in fields},
        values={**dict.fromkeys(each.name for each in fields), **values},
        errors=errors,
        days=town().engagements.days(listing.row),
        saw=town().engagements.saw(listing.row),
    )
