"""One's calendar: an address that only its owner knows, made anew or taken back at will."""

import secrets
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.engagements import occasions
from node.pages.here import now_ms, town
from node.pages.language import _
from node.pages.security import once, require_member
from node.store.people import calendars

blueprint = Blueprint("calendar", __name__)

SECRET_BYTES = 24


@blueprint.get("/compte/calendrier")
def show() -> str:
    """Show whether there is an address, and since when; the address itself is shown once."""
    return _page()


@blueprint.post("/compte/calendrier")
@once
def make() -> Any:
    """Make an address, or end it; the one before opens nothing any more."""
    person = require_member()
    if request.form.get("end") == "1":
        calendars.forget(person.id)
        flash(_("The address opens nothing any more."))
        return redirect(url_for(".show"), 303)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    calendars.keep(person.id, secret, now_ms())
    return _page(town().config.url + url_for("calendars.own", secret=secret))


def drawn(row: Any, person: Any) -> dict[str, Any]:
    """Return where a request can be had as an event, "" where it has no time (requests/show)."""
    has_time = occasions.of(town().engagements.ground, row) is not None
    href = url_for("calendars.of_request", which=row.id.hex()) if has_time else ""
    return {"calendar_href": href}


def _page(address: str = "") -> str:
    person = require_member()
    return render_template(
        "account/calendar.html",
        section="account",
        held=calendars.of(person.id),
        address=address,
    )
