"""People at the desk: who has an account, and codes handed out on paper."""

from typing import Any

from flask import Blueprint, render_template, request

from node.desk.overview import only_admins
from node.members import accounts, codes
from node.pages.here import now_ms, town
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
    known = request.form.get("member", type=int)
    name = request.form.get("name", "")
    if known is None and not name.strip():
        return _page(error=_("Please fill this in.")), 422
    person = accounts.find(known).id if known is not None else None
    code = codes.issue(
        "desk", member=person, name=name, secret=town().keyring.secret, now_ms=now_ms()
    )
    return _page(code=code)


def _page(code: str = "", error: str = "") -> str:
    people = sorted(members.listed(limit=1_000), key=lambda each: each.name.casefold())
    return render_template("desk/people.html", people=people, code=code, error=error)
