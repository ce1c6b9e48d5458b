"""The keys at the desk: how ours stand, those of a partner, and what only people can decide."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.desk import trail
from node.desk.overview import only_admins
from node.desk.towns import find
from node.domain.errors import NotFound
from node.domain.words import N_
from node.identity import freeze, replacing, yearly
from node.identity.standing import knows, standing
from node.pages.around import slug
from node.pages.here import member, names, now_ms, town
from node.pages.language import _
from node.pages.security import once
from node.partners import pairing
from node.store.network import partners
from node.store.sets import keysets

blueprint = Blueprint("desk_identity", __name__, url_prefix="/admin/identite")
blueprint.before_request(only_admins)

REASONS = {
    "genesis": N_("the first one"),
    "routine": N_("changed as a precaution"),
    "lost": N_("made again, its file was lost"),
    "compromise": N_("changed after a theft"),
}


@blueprint.get("")
def show() -> str:
    """Show our own keys: since when, who knows them, and the sheet that must not be forgotten."""
    return render_template(
        "desk/identity.html",
        keys=standing(town()),
        reasons=REASONS,
        sheet_ms=yearly.seen_ms(),
        sheet_is_due=yearly.is_due(town().keyring.genesis, now_ms()),
        choices=freeze.choices(town().id),
        shown=freeze.DIGEST_SHOWN,
    )


@blueprint.post("/feuille")
@once
def sheet_seen() -> Any:
    """An admin looked: both copies of the recovery sheet are where they should be."""
    yearly.note_seen(now_ms())
    trail.note("key.sheet")
    flash(_("Noted. The desk asks again in a year."))
    return redirect(url_for(".show"), 303)


@blueprint.get("/<which>")
def of_town(which: str) -> str:
    """Show a partner's keys, the choice between two sets of them, and what town took its place."""
    row = find(which)
    held = keysets.of_town(row.town)
    new = replacing.successor(row.town)
    return render_template(
        "desk/keys.html",
        row=row,
        slug=which,
        name=row.name or which,
        held=held[::-1],
        reasons=REASONS,
        is_told=knows(row, standing(town()).in_force),
        is_frozen=row.town in freeze.frozen(),
        choices=freeze.choices(row.town),
        shown=freeze.DIGEST_SHOWN,
        open_requests=replacing.open_with(row.town),
        successor={"name": names()[new], "slug": slug(new)} if new else None,
        predecessors=[names()[old] for old in replacing.predecessors(row.town)],
        candidates=_replaceable(row),
    )


@blueprint.post("/<which>/choisir")
@once
def choose(which: str) -> Any:
    """The admin called the other town: the keys it calls its own are believed from now on."""
    origin = town().id if which == slug(town().id) else find(which).town
    digest = request.form.get("digest", "")[:64]
    if freeze.unfreeze(origin, digest, town().clock, by=member().name, member=member().id):
        flash(_("This town is believed again."))
    there = url_for(".show") if origin == town().id else url_for(".of_town", which=which)
    return redirect(there, 303)


@blueprint.post("/<which>/remplace")
@once
def take_place(which: str) -> Any:
    """The admin was told in person: this town takes the place of one that lost its words."""
    new, old = find(which), _find_hex(request.form.get("town", ""))

    def remove(origin: bytes) -> None:
        pairing.remove(origin, town().clock, by=member().name)

    me = member()
    replacing.replace(old.town, new.town, remove, town().clock, by=me.name, member=me.id)
    flash(_("%(new)s takes the place of %(old)s.", new=new.name, old=old.name))
    return redirect(url_for(".of_town", which=slug(old.town)), 303)


def _replaceable(row: Any) -> list[Any]:
    """Return the towns whose place a confirmed partner may take."""
    if row.status != "active" or not row.words_here:
        return []
    return [
        each
        for each in partners.listed(*partners.HELD, "removed")
        if each.town != row.town and replacing.successor(each.town) is None
    ]


def _find_hex(text: str) -> Any:
    for row in partners.listed():
        if row.town.hex() == text:
            return row
    raise NotFound("unknown_town", N_("There is no such partner town."))
