"""Linking towns: invite and accept, compare the six words, introduce."""

from typing import Any

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for

from federation.errors import ProtocolError
from node.desk import reasons, trail
from node.desk.overview import only_admins
from node.desk.towns import find
from node.domain.errors import DomainError, NotFound
from node.domain.words import N_
from node.pages.around import slug
from node.pages.here import member, town
from node.pages.language import _
from node.pages.security import once
from node.partners import pairing
from node.store.network import introductions, partners

blueprint = Blueprint("desk_linking", __name__, url_prefix="/admin/villes")
blueprint.before_request(only_admins)


@blueprint.get("/relier")
def link() -> str:
    """Show the two ways to make a link, and the towns whose words wait to be compared."""
    return _link()


@blueprint.post("/inviter")
@once
def invite() -> Any:
    """Make an invitation and show it once: an address and a code, good for 15 minutes."""
    lan = request.form.get("lan-invite") == "1"
    invitation = pairing.invite(town().config.url, town().clock, lan=lan)
    trail.note("partner.invite")
    return _link(invitation=invitation)


@blueprint.post("/accepter")
@once
def accept() -> Any:
    """Answer an invitation of another town; then the six words are compared by voice."""
    typed = request.form.get("invitation", "")[:400]
    try:
        row = town().exchanges.accept(typed, lan=request.form.get("lan") == "1")
    except (ProtocolError, DomainError) as error:
        return _link(typed=typed, error=_sentence(error)), 422
    trail.note("partner.accept", row.town.hex())
    return redirect(url_for("desk_towns.show", which=slug(row.town)), 303)


@blueprint.post("/<which>/mots")
@once
def confirm(which: str) -> Any:
    """The admin says the words are the same on both sides: the link opens from here."""
    pairing.confirm(find(which).town, town().clock, by=member().name)
    flash(_("The link is open from our side."))
    return redirect(url_for("desk_towns.show", which=which), 303)


@blueprint.post("/<which>/mots-differents")
@once
def differ(which: str) -> Any:
    """The words differ: somebody stands between the two towns. The link is dropped."""
    row = find(which)
    pairing.remove(row.town, town().clock, by=member().name)
    trail.note("partner.differ", row.town.hex())
    flash(
        _(
            "The link with %(town)s was dropped. Begin again with a new invitation, sent by"
            " another way: somebody may stand between the two towns.",
            town=row.name,
        ),
        "stop",
    )
    return redirect(url_for("desk_towns.list_"), 303)


@blueprint.post("/<which>/presenter")
@once
def introduce(which: str) -> Any:
    """Tell this partner about another one, so that both can read each other through us."""
    row = find(which)
    other = pairing.named(request.form.get("town", "")).town
    pairing.introduce(other, row.town, town().clock)
    trail.note("partner.introduce", other.hex(), row.town.hex())
    flash(_("It will be told at the next exchange."))
    return redirect(url_for("desk_towns.show", which=which), 303)


@blueprint.post("/<which>/accueillir")
@once
def accept_introduced(which: str) -> Any:
    """Hold a town a partner introduced: readable until its words are compared."""
    row = next((each for each in introductions.received() if slug(each.town) == which), None)
    if row is None:
        raise NotFound("not_introduced", N_("No partner introduced that town."))
    pairing.accept_introduced(row.town, town().store, town().clock)
    trail.note("partner.welcome", row.town.hex())
    flash(_("%(town)s is read from now on, through the partner who introduced it.", town=row.name))
    return redirect(url_for("desk_towns.show", which=which), 303)


def _link(invitation: Any = None, typed: str = "", error: str = "") -> str:
    unmet = [
        {"row": row, "slug": slug(row.town), "words": pairing.words(town().id, row.town)}
        for row in partners.listed("words")
    ]
    return render_template(
        "desk/link.html",
        invitation=invitation,
        drawing=segno.make(invitation.text).svg_inline(omitsize=True) if invitation else "",
        unmet=unmet,
        typed=typed,
        error=error,
    )


def _sentence(error: ProtocolError | DomainError) -> str:
    if isinstance(error, DomainError):
        return _(error.message, **error.params)
    sentences = {
        "bad_invitation": N_("This code does not fit, was used, or is older than 15 minutes."),
        "private_address": N_("This address is on a local network: tick the box if that is meant."),
    }
    return _(sentences.get(error.code) or reasons.outcome(error.code))
