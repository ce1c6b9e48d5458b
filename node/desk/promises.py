"""The promises at the desk after a restore: who is yet to be heard, what two sides say apart."""

import json
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from node.desk.overview import only_admins
from node.desk.towns import find
from node.domain.words import N_
from node.engagements import gate
from node.journal import restoring
from node.pages.around import slug
from node.pages.here import member, names, now_ms, town, whole
from node.pages.language import _
from node.pages.security import once
from node.store import audit
from node.store.catalogue import codes
from node.store.database import write_tx
from node.store.promises import doubts, engagements

blueprint = Blueprint("desk_promises", __name__, url_prefix="/admin/promesses")
blueprint.before_request(only_admins)

SENTENCES = {
    doubts.COLLIDES: N_(
        "Two people hold a yes for the same thing. The request named here holds nothing any more:"
        " call both, then take one yes back."
    ),
    doubts.UNKNOWN: N_(
        "%(town)s answers a request that is not known here. Who asked? Tell them the answer."
    ),
    doubts.FORGOTTEN: N_(
        "A promise of ours to %(town)s came back, and nobody knows any more what it was about."
        " Ask them."
    ),
    doubts.MEMBERLESS: N_(
        "The request came back, and the account of who made it did not. Find out who it is, and"
        " tell them."
    ),
}


@blueprint.get("")
def show() -> str:
    """Show the partners to be heard, those let through unheard, and what is in doubt."""
    return render_template(
        "desk/promises.html",
        closed=[(slug(each.town), names()[each.town], each) for each in gate.closed()],
        by_hand=[names()[each.town] for each in gate.let_through()],
        is_restoring=restoring.is_restoring(),
        doubts=[_told(each) for each in doubts.unsettled()],
    )


@blueprint.post("/<which>/ouvrir")
@once
def open_(which: str) -> Any:
    """Open the gate for a partner that cannot be heard, in the name of who is signed in."""
    row, person = find(which), member()
    if town().engagements.open_gate(row.town, person.name, person.id):
        flash(_("%(town)s holds nothing up any more.", town=names()[row.town]), "wait")
    return redirect(url_for(".show"), 303)


@blueprint.post("/doute/<which>")
@once
def settle(which: str) -> Any:
    """Put a doubt away that people have settled among themselves."""
    person, held = member(), doubts.find(whole(which) or 0)
    with write_tx():
        if held is not None and doubts.settle(held.id, now_ms()):
            audit.note(
                "doubt.settle", at_ms=now_ms(), actor=person.name, member=person.id,
                subject=held.town.hex(), detail=held.engagement.hex()[:8],
            )  # fmt: skip
    return redirect(url_for(".show"), 303)


def _told(doubt: Any) -> dict[str, Any]:
    """Return one doubt in words, with the listing's code and a way to the request if there is."""
    row = engagements.find(doubt.engagement)
    state = json.loads(doubt.told).get("state", "")
    return {
        "id": doubt.id,
        "message": _(SENTENCES[doubt.code], town=names()[doubt.town]),
        "at_ms": doubt.at_ms,
        "number": doubt.engagement.hex()[:8],
        "code": codes.of(row.listing_origin, row.listing_key) if row is not None else "",
        "state": _state(row, state),
        "href": f"/demandes/{row.id.hex()}" if row is not None else "",
    }


def _state(row: Any, name: str) -> str:
    """Return a state in the words of its practice, "" when nobody knows which that is."""
    if row is not None and name in town().engagements.states(row):
        return _(town().engagements.states(row)[name].label)
    return ""
