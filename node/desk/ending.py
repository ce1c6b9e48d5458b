"""The end of a link at the desk: one screen of what is open, kept or taken back, then it goes."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.desk.overview import only_admins
from node.desk.towns import find
from node.domain.errors import DomainError
from node.domain.schema import tidy
from node.pages.here import member, names, town
from node.pages.language import _
from node.pages.requests import line
from node.pages.security import once
from node.partners import removal
from node.store.network import partners

blueprint = Blueprint("desk_ending", __name__, url_prefix="/admin/villes")
blueprint.before_request(only_admins)

REASON_MAX = 500


@blueprint.get("/<which>/quitter")
def show(which: str) -> str:
    """List what is open with the town, and ask for each promise whether it is kept."""
    row = find(which)
    return render_template(
        "desk/ending.html",
        row=row,
        slug=which,
        name=names()[row.town],
        open=[_told(each) for each in _open(row)],
    )


@blueprint.post("/<which>/quitter")
@once
def end(which: str) -> Any:
    """End the link: what is ticked is taken back, what was only asked is let go."""
    row, person = find(which), member()
    name = names()[row.town]
    taken_back = {each.row.id for each in _open(row)} & _ticked()
    reason = tidy(request.form.get("reason", ""))[:REASON_MAX]
    try:
        removal.begin(
            town(), row.town, taken_back=taken_back, reason=reason, by=person.name, member=person.id
        )
    except DomainError as error:
        flash(_(error.message, **error.params), "stop")
        return redirect(url_for(".show", which=which), 303)
    if partners.is_linked(row.town):
        flash(_("The link with %(town)s is being ended. What was promised is kept.", town=name))
        return redirect(url_for("desk_towns.show", which=which), 303)
    flash(_("%(town)s is no longer a partner.", town=name))
    return redirect(url_for("desk_towns.list_"), 303)


def _open(row: Any) -> list[Any]:
    held: list[Any] = town().engagements.parting.open_with(row.town)
    return held


def _ticked() -> set[bytes]:
    found = set()
    for text in request.form.getlist("back"):
        try:
            found.add(bytes.fromhex(text[:64]))
        except ValueError:
            continue
    return found


def _told(each: Any) -> dict[str, Any]:
    return {**line(each.row), "open": each, "id": each.row.id.hex()}
