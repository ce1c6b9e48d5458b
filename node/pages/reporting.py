"""Reporting a listing: the short form under it, for members and visitors, and one's own reports."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.domain.errors import Invalid
from node.members import reporting
from node.pages.here import Shown, member, names, now_ms, town
from node.pages.language import _
from node.pages.listing import find
from node.pages.security import limit, network_address, once, require_member
from node.partners import reports as between
from node.store.catalogue import codes, listings
from node.store.people import reports
from node.store.people.reports import Report

blueprint = Blueprint("reporting", __name__)


@blueprint.get("/a/<code>/signaler")
def form(code: str) -> Any:
    """Show the form that reports a listing."""
    return _form(_reportable(code), {}, {})


@blueprint.post("/a/<code>/signaler")
@once
def report(code: str) -> Any:
    """Keep a report; of another town's listing, its desk is told without a name."""
    listing, person, here = _reportable(code), member(), town()
    limit(*(("reported", person.id) if person else ("reported_from", network_address())))
    typed = {name: request.form.get(name, "")[:2_000] for name in ("reason", "text")}
    try:
        is_hidden = reporting.report(
            listing.row, here.id, member=person, address=network_address(),
            secret=here.keyring.secret, now_ms=now_ms(), **typed,
        )  # fmt: skip
    except Invalid as invalid:
        errors = {each.field: _(each.message, **each.params) for each in invalid.problems}
        return _form(listing, errors, typed), 422
    if not listing.is_local:
        between.tell(here, listing.origin, listing.key)
    flash(_("Thank you. The desk reads it; what it decides stands in your account."))
    if is_hidden:
        return redirect(url_for("catalogue.home"), 303)
    return redirect(url_for("listing.show", code=listing.code), 303)


@blueprint.get("/compte/signalements")
def own() -> str:
    """Show what the person signed in reported, and what the desk said."""
    person = require_member()
    told = [_told(each) for each in reports.of_member(person.id)]
    return render_template("account/reports.html", section="account", reports=told)


def _told(row: Report) -> dict[str, Any]:
    held = listings.find(row.origin, row.key)
    is_shown = held is not None and held.state in listings.LIVE_STATES and not held.hidden
    return {
        "code": codes.of(row.origin, row.key),
        "title": held.title if held is not None and is_shown else "",
        "town": "" if row.origin == town().id else names()[row.origin],
        "reason": dict(reporting.REASONS)[row.reason],
        "state": row.state,
        "answer": row.answer,
        "at_ms": row.at_ms,
        "decided_ms": row.decided_ms,
    }


def _reportable(code: str) -> Shown:
    """Return a listing that is shown; raises NotFound, SignInFirst."""
    listing = find(code)
    if listing.row.scope:
        require_member()
    return listing


def _form(listing: Shown, errors: dict[str, str], values: dict[str, str]) -> str:
    return render_template(
        "listing/report.html",
        section="listings",
        listing=listing,
        errors=errors,
        values=values,
        reasons=reporting.REASONS,
        text_max=reporting.TEXT_MAX,
    )
