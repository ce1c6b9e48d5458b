"""People at the desk: who has an account, what they may do, and codes handed out on paper."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.desk import measures, trail
from node.desk.overview import only_admins
from node.domain.errors import Invalid
from node.domain.schema import tidy
from node.erasure.people import erase_person
from node.members import accounts, codes
from node.pages import leaving
from node.pages.here import member, now_ms, town, whole
from node.pages.language import _
from node.pages.security import once
from node.store.people import members

blueprint = Blueprint("desk_people", __name__, url_prefix="/admin/membres")
blueprint.before_request(only_admins)


@blueprint.get("")
def list_() -> str:
    """Show the accounts and the form that makes a code."""
    return _page()


@blueprint.post("/code")
@once
def hand_out() -> Any:
    """Make a one-use code for a new person or one of the list, shown once to be written down."""
    known = whole(request.form.get("member"))
    name = request.form.get("name", "")
    if known is None and not name.strip():
        return _page(error=_("Please fill this in.")), 422
    person = accounts.find(known) if known is not None else None
    try:
        code = codes.issue(
            "desk",
            member=person.id if person else None,
            name=name,
            secret=town().keyring.secret,
            now_ms=now_ms(),
        )
    except Invalid as invalid:
        return _page(error=_(invalid.message, **invalid.params), typed=name), 422
    trail.note(*(("member.code", f"member/{person.id}") if person else ("member.code_new",)))
    return _page(code=code, code_for=person.name if person else name)


@blueprint.post("/<int(max=2147483647):number>/role")
@once(together=True)
def give_role(number: int) -> Any:
    """Give somebody a role; the last administrator stays one."""
    role = request.form.get("role", "")
    if role not in trail.ROLES:
        return redirect(url_for(".list_"), 303)
    accounts.set_role(number, role, by=member().id, now_ms=now_ms())
    flash(_("Kept."))
    return redirect(url_for(".list_"), 303)


@blueprint.post("/<int(max=2147483647):number>/acces")
@once(together=True)
def shut_out(number: int) -> Any:
    """Shut somebody out, or let them in again."""
    if request.form.get("open") == "1":
        measures.restore(town(), number, member())
    else:
        measures.suspend(town(), number, tidy(request.form.get("reason", ""))[:500], member())
    flash(_("Kept."))
    return redirect(url_for(".list_"), 303)


@blueprint.get("/<int(max=2147483647):number>/effacer")
def ask_to_erase(number: int) -> str:
    """Ask whether somebody's account is really to be erased, as they wished."""
    return leaving.page(accounts.find(number), url_for(".erase", number=number), url_for(".list_"))


@blueprint.post("/<int(max=2147483647):number>/effacer")
@once(together=True)
def erase(number: int) -> Any:
    """Erase somebody's account for them; the last administrator stays."""
    erase_person(town(), number, by=member().id)
    flash(_("The account is erased. The partner towns delete their copies as they hear of it."))
    return redirect(url_for(".list_"), 303)


def _page(code: str = "", code_for: str = "", error: str = "", typed: str = "") -> str:
    people = sorted(members.listed(limit=1_000), key=lambda each: each.name.casefold())
    return render_template(
        "desk/people.html",
        people=[each for each in people if each.status != "erased"],
        roles=trail.ROLES.items(),
        code=code,
        code_for=code_for,
        error=error,
        typed=typed,
        url=f"{town().config.url}/compte",
    )
