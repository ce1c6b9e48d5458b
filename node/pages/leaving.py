"""The leaving: a person erases their account, with all that is theirs, here and in other towns."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for

from node.erasure.people import erase_person
from node.pages.here import town
from node.pages.language import _
from node.pages.security import once, require_person, sign_out
from node.store.catalogue import holdings, listings

blueprint = Blueprint("leaving", __name__, url_prefix="/compte/effacer")


@blueprint.get("")
def ask() -> str:
    """Ask whether it is meant, and say what goes and what may stay for a while."""
    return page(require_person(), url_for(".erase"), url_for("account.show"))


@blueprint.post("")
@once(together=True)
def erase() -> Any:
    """Erase the account of who is signed in; raises Conflict("last_admin", "clock")."""
    person = require_person()
    erase_person(town(), person.id, by=person.id)
    sign_out()
    flash(_("Your account is erased. The partner towns delete their copies as they hear of it."))
    return redirect(url_for("catalogue.home"), 303)


def page(person: Any, action: str, back: str) -> str:
    """Draw the question for one person's account, asked of themselves or of the desk."""
    asked, kept = town().engagements.of_member(person.id)
    rows = (listings.find(town().id, key) for key in holdings.of_member(person.id))
    return render_template(
        "account/erase.html",
        section="account",
        owner=person,
        action=action,
        back=back,
        listings=sum(row is not None and row.state in listings.LIVE_STATES for row in rows),
        requests=sum(not row.final for row in (*asked, *kept)),
    )
