"""The partners at the desk: invite, compare the words, see each one's health, go there now."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from federation.errors import ProtocolError
from node.desk.overview import only_admins
from node.domain.errors import DomainError, NotFound
from node.domain.words import N_
from node.pages.around import slug
from node.pages.here import member, names, now_ms, town
from node.pages.language import _
from node.pages.security import once
from node.partners import health, pairing
from node.store.network import exchanges, introductions, partners, refusals
from node.store.sets.record_store import figures

blueprint = Blueprint("desk_towns", __name__, url_prefix="/admin/villes")

DAY_MS = 86_400_000

blueprint.before_request(only_admins)


@blueprint.get("")
def list_() -> str:
    """Show every partner with its health, and who was introduced."""
    rows = [
        {"row": row, "slug": slug(row.town), "health": health.of(row, now_ms())}
        for row in partners.listed()
    ]
    known = {row["row"].town for row in rows if row["row"].status != "removed"}
    introduced = [
        {"row": row, "slug": slug(row.town), "by": names()[row.partner]}
        for row in introductions.received("")
        if row.town not in known
    ]
    return render_template("desk/towns.html", rows=rows, introduced=introduced)


@blueprint.get("/relier")
def link() -> str:
    """Show the two ways to make a link: invite, or accept an invitation."""
    return render_template("desk/link.html", invitation=None, typed="", error="")


@blueprint.post("/inviter")
@once
def invite() -> Any:
    """Make an invitation and show it once: an address and a code, good for 15 minutes."""
    invitation = pairing.invite(town().config.url, town().clock)
    return render_template("desk/link.html", invitation=invitation, typed="", error="")


@blueprint.post("/accepter")
@once
def accept() -> Any:
    """Answer an invitation of another town; then the six words are compared by voice."""
    typed = request.form.get("invitation", "")[:400]
    try:
        row = town().exchanges.accept(typed, lan=request.form.get("lan") == "1")
    except (ProtocolError, DomainError) as error:
        page = render_template(
            "desk/link.html", invitation=None, typed=typed, error=_sentence(error)
        )
        return page, 422
    return redirect(url_for(".show", which=slug(row.town)), 303)


@blueprint.get("/<which>")
def show(which: str) -> str:
    """Show one partner: health in words, last exchanges with their cause, what was refused."""
    row = _find(which)
    return render_template(
        "desk/town.html",
        row=row,
        slug=which,
        name=row.name or which,
        health=health.of(row, now_ms()),
        words=pairing.words(town().id, row.town),
        visits=exchanges.latest(row.town),
        refusals=refusals.latest(row.town),
        refused=refusals.counts(row.town),
        held=[each for each in figures(now_ms() // DAY_MS) if each.origin == row.town],
        others=[each for each in partners.listed("active") if each.town != row.town],
        introduced=[names()[each] for each in introductions.given_to(row.town)],
        names=names(),
    )


@blueprint.post("/<which>/echanger")
@once
def sync_now(which: str) -> Any:
    """Visit the partner now and say how it went."""
    row = _find(which)
    outcome = town().exchanges.visit(row.town)
    if outcome.code == "ok":
        flash(
            _(
                "Exchanged: %(received)s received, %(sent)s sent, %(refused)s refused.",
                received=outcome.received,
                sent=outcome.sent,
                refused=outcome.refused,
            )
        )
    else:
        state = health.of(_find(which), now_ms())
        flash(_(state.cause or state.word, **(state.params or {})), "stop")
    return redirect(url_for(".show", which=which), 303)


@blueprint.post("/<which>/mots")
@once
def confirm(which: str) -> Any:
    """The admin says the words are the same on both sides: the link opens from here."""
    pairing.confirm(_find(which).town, town().clock, by=member().name)
    flash(_("The link is open from our side."))
    return redirect(url_for(".show", which=which), 303)


@blueprint.post("/<which>/presenter")
@once
def introduce(which: str) -> Any:
    """Tell this partner about another one, so that both can read each other through us."""
    row = _find(which)
    pairing.introduce(pairing.named(request.form.get("town", "")).town, row.town, town().clock)
    flash(_("It will be told at the next exchange."))
    return redirect(url_for(".show", which=which), 303)


@blueprint.post("/<which>/accueillir")
@once
def accept_introduced(which: str) -> Any:
    """Hold a town a partner introduced: readable until its words are compared."""
    row = next((each for each in introductions.received() if slug(each.town) == which), None)
    if row is None:
        raise NotFound("not_introduced", N_("No partner introduced that town."))
    pairing.accept_introduced(row.town, town().store, town().clock)
    return redirect(url_for(".show", which=which), 303)


@blueprint.post("/<which>/quitter")
@once
def remove(which: str) -> Any:
    """End the link and delete what is held of that town."""
    row = _find(which)
    pairing.remove(row.town, town().clock, by=member().name)
    flash(_("%(town)s is no longer a partner.", town=row.name))
    return redirect(url_for(".list_"), 303)


def _find(which: str) -> Any:
    for row in partners.listed():
        if slug(row.town) == which:
            return row
    raise NotFound("unknown_town", N_("There is no such partner town."))


def _sentence(error: ProtocolError | DomainError) -> str:
    if isinstance(error, DomainError):
        return _(error.message, **error.params)
    sentences = {
        "bad_invitation": _("This code does not fit, was used, or is older than 15 minutes."),
        "unreachable": _("Nobody answers at this address."),
        "private_address": _("This address is on a local network: tick the box if that is meant."),
    }
    return sentences.get(error.code, _("It did not work (%(code)s).", code=error.code))
