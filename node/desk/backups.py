"""The backups at the desk: is one proven good, make one, carry one away; the end of a restore."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, send_file, url_for

from node.backup import drill, release, rota
from node.desk import trail
from node.desk.overview import only_admins
from node.domain.errors import NotFound
from node.domain.words import N_
from node.journal import restoring
from node.pages.here import member, now_ms, town
from node.pages.language import _
from node.pages.security import once
from node.store import jobs, marks

blueprint = Blueprint("desk_backups", __name__, url_prefix="/admin/sauvegardes")
blueprint.before_request(only_admins)

WHY = {
    restoring.RESTORED: N_("A backup was put back."),
    restoring.RECOVERED: N_("The town was brought back from a partner with its recovery words."),
    restoring.COPIED: N_("The database in this house is an older copy, or another one."),
    restoring.ELSEWHERE: N_(
        "Records of ours came from a partner that this machine never signed: it was put back to an "
        "earlier state, or a second machine runs with our keys."
    ),
    restoring.TWIN: N_(
        "A second machine runs with our keys, from a copied card perhaps. Switch one of the two "
        "off for good; then say here that this one lives."
    ),
}


@blueprint.get("")
def show() -> str:
    """Show whether a backup is proven good, the backups there are, and a restore under way."""
    mode = restoring.state()
    proven = rota.last(marks.DRILL)
    return render_template(
        "desk/backups.html",
        mode=mode,
        why=WHY.get(mode.why, "") if mode else "",
        made_ms=marks.number(marks.RESTORED_FROM),
        by_hand=bool(mode and mode.why in restoring.BY_HAND),
        told=release.report(town()) if mode else None,
        proven=proven,
        is_stale=drill.is_stale(proven, now_ms()),
        failed=rota.last(marks.BACKUP_FAILED),
        held=rota.listed(town().home),
    )


@blueprint.post("/faire")
@once
def make() -> Any:
    """Have a backup made now, and then tried; both take their time in the background."""
    marks.write(marks.DRILL_WISHED, "yes")
    jobs.hasten("backup")
    flash(_("A backup is being made and tried. Look again in a minute."), "wait")
    return redirect(url_for("desk_backups.show"), 303)


@blueprint.get("/<name>")
def download(name: str) -> Any:
    """Send one of the backups, to be carried to another house; raises NotFound."""
    found = next((each for each in rota.listed(town().home) if each.path.name == name), None)
    if found is None:
        raise NotFound("no_backup", N_("There is no such backup."))
    trail.note("town.backup", name)
    return send_file(
        found.path, mimetype="application/octet-stream", as_attachment=True, download_name=name,
        conditional=False, etag=False, max_age=0,
    )  # fmt: skip


@blueprint.post("/terminer")
@once
def leave() -> Any:
    """End restore mode: this machine is the town. Raises Conflict("not_restoring", "old_keys")."""
    person = member()
    release.leave(town(), by=person.name, member=person.id)
    jobs.hasten("keys")
    flash(_("The town publishes again."), "ok")
    return redirect(url_for("desk_backups.show"), 303)
