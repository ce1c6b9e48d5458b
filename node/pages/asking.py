"""Asking: the form under a listing, and the request it makes, here or in another town."""

import json
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from node.domain.errors import DomainError, Invalid
from node.pages import askform
from node.pages.here import Shown, town
from node.pages.language import _
from node.pages.listing import find
from node.pages.security import form_key, limit, once, require_member

blueprint = Blueprint("asking", __name__)


@blueprint.get("/a/<code>/demander")
def form(code: str) -> str:
    """Show the form that asks for a listing."""
    require_member()
    listing = _askable(code)
    return _form(listing, askform.first_values(), {})


@blueprint.post("/a/<code>/demander")
@once(together=True)
def ask(code: str) -> Any:
    """Write the request down; what was typed comes back with a sentence where it cannot be."""
    person = require_member()
    listing = _askable(code)
    limit("asked", person.id)
    asked_before = _asked_before(listing, person.id)
    if asked_before is not None:
        return redirect(url_for("requests.show", which=asked_before.id.hex()), 303)
    try:
        row = town().engagements.ask(listing.row, person.id, request.form, form_key("engagement"))
    except Invalid as invalid:
        errors = {each.field: _(each.message, **each.params) for each in invalid.problems}
        return _form(listing, askform.typed(), errors), invalid.status
    except DomainError as error:
        return _form(listing, askform.typed(), {"": _(error.message, **error.params)}), error.status
    return redirect(url_for("requests.show", which=row.id.hex()), 303)


def _asked_before(listing: Shown, member_id: int) -> Any:
    """Return an open request of this person for the same thing on the same terms, or None.

    Who goes back and sends the form again, or sends it from a second tab, means one request.
    """
    engagements = town().engagements
    try:
        terms = engagements.terms(listing.row, request.form)
    except Invalid:
        return None
    for row in engagements.open_for_listing(listing.origin, listing.key):
        if row.asker == member_id and json.loads(row.terms) == terms:
            return row
    return None


def _askable(code: str) -> Shown:
    """Return a listing one can ask for; raises NotFound, NotAllowed."""
    listing = find(code)
    refused = askform.refusal(listing)
    if refused is not None:
        raise refused
    return listing


def _form(listing: Shown, values: dict[str, Any], errors: dict[str, str]) -> str:
    drawn = askform.draw(listing, values, errors)
    return render_template("requests/ask.html", section="listings", **drawn)
