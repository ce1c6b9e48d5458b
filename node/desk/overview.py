"""The first page of the desk: what is to be done today, often nothing."""

from typing import Any

from flask import Blueprint, render_template, url_for

from node.domain.words import N_
from node.pages.around import slug
from node.pages.here import now_ms
from node.pages.security import require_role
from node.partners import health
from node.store.network import introductions, partners

blueprint = Blueprint("desk", __name__, url_prefix="/admin")

SHOWN_MAX = 5


def only_admins() -> None:
    """Let nobody but an administrator in; raises NotAllowed."""
    require_role("admin")


blueprint.before_request(only_admins)


@blueprint.get("")
def home() -> str:
    """Show at most five things to do, each with one button."""
    return render_template("desk/home.html", todo=_todo()[:SHOWN_MAX], **_figures())


def _todo() -> list[dict[str, Any]]:
    todo = []
    for row in partners.listed():
        state = health.of(row, now_ms())
        if row.status == "words":
            todo.append(_line(N_("Compare the six words with %(town)s"), row))
        elif state.tone == "stop":
            todo.append(_line(N_("%(town)s has been out of reach for more than a day"), row))
    for row in introductions.received(""):
        todo.append(_line(N_("A partner introduces %(town)s"), row))
    return todo


def _line(message: str, row: Any) -> dict[str, Any]:
    href = url_for("desk_towns.show", which=slug(row.town))
    return {"message": message, "town": row.name or slug(row.town), "href": href}


def _figures() -> dict[str, int]:
    return {
        "active": len(partners.listed("active")),
        "waiting": len(partners.listed("words", "invited")),
    }
