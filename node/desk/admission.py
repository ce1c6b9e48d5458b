"""Admission at the desk: who wishes to become a member, yes or no with a reason, proofs seen."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.domain.errors import Invalid
from node.members import admission
from node.members.accounts import MODERATOR
from node.pages.here import member, now_ms, town
from node.pages.language import _
from node.pages.security import once, require_role
from node.store.people import members

blueprint = Blueprint("desk_admission", __name__, url_prefix="/admin/adhesions")


@blueprint.before_request
def only_moderators() -> None:
    """Let nobody but a moderator (or administrator) in; raises NotAllowed, SignInFirst."""
    require_role(MODERATOR)


@blueprint.get("")
def list_() -> str:
    """Show who waits, oldest first."""
    return _page({}, 0)


@blueprint.post("/<int(max=2147483647):number>")
@once(together=True)
def answer(number: int) -> Any:
    """Say yes or no to somebody."""
    words, by = request.form.get("words", "")[:2_000], member().id
    try:
        if request.form.get("answer") == "yes":
            admission.accept(number, by=by, words=words, now_ms=now_ms())
        else:
            admission.refuse(number, by=by, words=words, now_ms=now_ms())
    except Invalid as invalid:
        return _page({"words": _(invalid.message, **invalid.params)}, number), 422
    flash(_("Told to them."))
    return redirect(url_for(".list_"), 303)


@blueprint.post("/<int(max=2147483647):number>/domicile")
@once(together=True)
def prove(number: int) -> Any:
    """Note that a proof of residence was seen, or take that back."""
    is_seen = request.form.get("seen") == "1"
    admission.prove(number, is_seen, by=member().id, now_ms=now_ms())
    flash(_("Kept."))
    back = url_for(".list_") if request.form.get("back") == "waiting" else url_for(".proofs")
    return redirect(back, 303)


@blueprint.get("/domicile")
def proofs() -> str:
    """Show whose proof of residence was seen, when and by whom; everybody of the list."""
    people = sorted(members.listed(status="active", limit=1_000), key=lambda e: e.name.casefold())
    return render_template("desk/proofs.html", people=[_told(each) for each in people])


def _page(errors: dict[str, str], at: int) -> str:
    return render_template(
        "desk/admission.html",
        people=[_told(each) for each in admission.waiting()],
        errors=errors,
        at=at,
        mode=town().config.admission,
    )


def _told(person: Any) -> dict[str, Any]:
    inviter = members.find(person.invited_by) if person.invited_by is not None else None
    by = members.find(person.resident_by) if person.resident_by is not None else None
    return {
        "row": person,
        "invited_by": inviter.name if inviter is not None else "",
        "proof_by": by.name if by is not None else "",
    }
