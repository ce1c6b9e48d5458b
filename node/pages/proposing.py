"""Other terms for a request: what is on the table beside what was agreed, and the form for them."""

import json
from collections import Counter
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from node.domain.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from node.domain.words import N_
from node.pages import askform, formats
from node.pages.here import Shown, shown, town, whole
from node.pages.language import _
from node.pages.security import form_key, once, require_member
from node.store.catalogue import listings
from node.store.database import StorageRefused
from node.store.promises import acts

blueprint = Blueprint("proposing", __name__)


def part(row: Any, person: Any) -> dict[str, Any]:
    """What proposal.html draws in the page of a request."""
    engagements = town().engagements
    hung = engagements.proposal(row)
    is_asker = row.asker == person.id
    return {
        "proposal": hung,
        "is_my_proposal": hung is not None and (hung.by == "asker") == is_asker,
        "agreed_terms": json.loads(row.terms or "{}"),
        "proposal_until": formats.deadline(hung.until_ms) if hung else "",
        "proposable": engagements.proposable(row, person.id),
    }


@blueprint.get("/demandes/<which>/proposer")
def form(which: str) -> str:
    """Show the form of other terms: the practice's own, with what was asked last."""
    row = _row(which, require_member().id)
    return _form(row, _wished(row), {})


@blueprint.post("/demandes/<which>/proposer")
@once(together=True)
def propose(which: str) -> Any:
    """Put other terms on the table; what cannot be comes back as typed, with a sentence."""
    person = require_member()
    row = _row(which, person.id)
    way, mine = _way(row, person.id), town().engagements.roles(row, person.id)
    try:
        town().engagements.act(
            row.id,
            way.action,
            member_id=person.id,
            role=next(each for each in ("asker", "keeper", "staff") if each in mine),
            on_version=whole(request.form.get("version")),
            act_id=form_key("act", 8),
            args=request.form,
        )
    except StorageRefused:
        raise
    except Invalid as invalid:
        errors = {each.field: _(each.message, **each.params) for each in invalid.problems}
        return _form(row, askform.typed(), errors), invalid.status
    except DomainError as error:
        return _form(row, askform.typed(), {"": _(error.message, **error.params)}), error.status
    return redirect(url_for("requests.show", which=which), 303)


def _form(row: Any, values: dict[str, Any], errors: dict[str, str]) -> str:
    person = require_member()
    listing = _listing(row)
    return render_template(
        "requests/propose.html",
        section="requests",
        row=row,
        way=_way(row, person.id),
        is_asker=row.asker == person.id,
        terms=json.loads(row.terms or "{}"),
        practice=row.practice,
        request_line={"listing": listing},
        done=Counter(),
        **askform.draw(listing, values, errors),
    )


def _wished(row: Any) -> dict[str, Any]:
    """What was last typed for this request, so that only what is to change need be typed again."""
    wishes = [json.loads(act.args).get("wish") for act in acts.of_engagement(row.id)]
    typed = [each for each in wishes if each]
    return {**typed[-1]} if typed else {}


def _way(row: Any, member_id: int) -> Any:
    """Return in which way other terms can be proposed now; raises Conflict."""
    ways = town().engagements.proposable(row, member_id)
    if not ways:
        raise Conflict("nothing_to_propose", N_("No other terms can be proposed at the moment."))
    return ways[0]


def _row(which: str, member_id: int) -> Any:
    """Return a request this person has a part in; raises NotFound, NotAllowed."""
    try:
        row = town().engagements.find(bytes.fromhex(which))
    except ValueError:
        raise NotFound("unknown_engagement", N_("That request is not known here.")) from None
    if not town().engagements.roles(row, member_id):
        raise NotAllowed("not_yours", N_("This request is somebody else's."))
    return row


def _listing(row: Any) -> Shown:
    held = listings.find(row.listing_origin, row.listing_key)
    listing = shown(held) if held is not None and held.body else None
    if listing is None:
        raise NotFound("unknown_listing", N_("It is no longer on offer."))
    return listing
