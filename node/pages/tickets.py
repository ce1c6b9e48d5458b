"""The pages of tickets: a keeper opens and closes them, a borrower reports, the desk reads all."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.domain.capacity import day_number, midnight_ms
from node.domain.errors import DomainError, Invalid, NotAllowed, NotFound, Problem
from node.domain.schema import Form, said, tidy
from node.domain.words import N_
from node.engagements.tickets import TEXT_MAX, Report, may_close
from node.pages import ticketing
from node.pages.here import Shown, shown, town
from node.pages.language import _
from node.pages.listing import find
from node.pages.security import once, require_member, require_role
from node.store.catalogue import listings
from node.store.promises.tickets import HINT

blueprint = Blueprint("tickets", __name__)
EARLIEST = 1970  # a year
KEPT = N_("Noted. Whoever has it or asked for it meanwhile is told.")


@blueprint.get("/a/<code>/entretien")
def of_listing(code: str) -> str:
    """Show the open tickets of a listing to who may close them, and the form for a new one."""
    return _of_listing(_kept(code), {})


@blueprint.post("/a/<code>/entretien")
@once(together=True)
def open_(code: str) -> Any:
    """Open a ticket on a listing."""
    listing, person = _kept(code), require_member()
    try:
        town().engagements.tickets.open_(listing.row, _typed(request.form), person.id)
    except DomainError as error:
        return _of_listing(listing, _said(error)), error.status
    flash(_(KEPT))
    return redirect(url_for(".of_listing", code=listing.code), 303)


@blueprint.post("/a/<code>/entretien/<int(max=2147483647):number>/fermer")
@once(together=True)
def close(code: str, number: int) -> Any:
    """Close a ticket: whoever waits in line is next."""
    listing = _kept(code)
    town().engagements.tickets.close(number, require_member().id)
    flash(_("It works again: closed."))
    return redirect(url_for(".of_listing", code=listing.code), 303)


@blueprint.get("/demandes/<which>/panne")
def of_request(which: str) -> str:
    """Show the form with which a borrower says that something is broken."""
    row, listing = _held(which)
    return _of_request(row, listing, {})


@blueprint.post("/demandes/<which>/panne")
@once(together=True)
def report(which: str) -> Any:
    """Tell whoever keeps it that something is broken."""
    row, listing = _held(which)
    told = Report(HINT, request.form.get("broken", ""))
    try:
        town().engagements.tickets.report(row, told, require_member().id)
    except Invalid as error:
        return _of_request(row, listing, _said(error)), error.status
    flash(_("Thank you: whoever keeps it is told."))
    return redirect(url_for("requests.show", which=which), 303)


@blueprint.get("/admin/entretien")
def of_town() -> str:
    """Show the desk everything that is broken or looked after."""
    require_role("moderator")
    return render_template("tickets/town.html", section="admin", lines=ticketing.of_town())


def _of_listing(listing: Shown, errors: dict[str, str]) -> str:
    return render_template(
        "tickets/listing.html",
        section="listings",
        listing=listing,
        lines=ticketing.here(listing),
        errors=errors,
        typed=request.form,
        whats=list(ticketing.WHATS.items()),
        text_max=TEXT_MAX,
    )


def _of_request(row: Any, listing: Shown, errors: dict[str, str]) -> str:
    return render_template(
        "tickets/request.html",
        section="requests",
        row=row,
        listing=listing,
        errors=errors,
        typed=request.form,
        text_max=TEXT_MAX,
    )


def _kept(code: str) -> Shown:
    """Return a listing of ours whose tickets this person may close; raises NotFound, NotAllowed."""
    person, listing = require_member(), find(code)
    if not listing.is_local or not may_close(listing.key, person.id):
        message = N_("Only who keeps it, or the desk, can do this.")
        raise NotAllowed("not_yours", message)
    return listing


def _held(which: str) -> tuple[Any, Shown]:
    """Return a request of whoever holds the thing now, and its listing; raises as `_kept`."""
    person = require_member()
    try:
        row = town().engagements.find(bytes.fromhex(which))
    except ValueError:
        raise NotFound("unknown_engagement", N_("That request is not known here.")) from None
    listing = listings.find(row.listing_origin, row.listing_key)
    held = shown(listing) if listing is not None else None
    if row.asker != person.id or held is None or not town().engagements.tickets.may_report(row):
        raise NotAllowed("not_yours", N_("Only who has it now can do this."))
    return row, held


def _typed(form: Form) -> Report:
    """Return a ticket as it was typed: from the morning of one day to the end of another."""
    zone = town().config.timezone
    first, last = _day(form, "from"), _day(form, "until")
    return Report(
        what=tidy(said(form, "what")),
        text=said(form, "broken"),
        from_ms=midnight_ms(first, zone) if first is not None else None,
        until_ms=midnight_ms(last + 1, zone) if last is not None else None,
    )


def _day(form: Form, name: str) -> int | None:
    text = tidy(said(form, name))
    try:
        day = date.fromisoformat(text) if text else None
        if day is not None and not EARLIEST <= day.year < date.max.year:
            raise ValueError
        return day_number(day) if day is not None else None
    except ValueError:
        raise Invalid([Problem(name, "not_a_day", N_("A date, please."))]) from None


def _said(error: DomainError) -> dict[str, str]:
    if isinstance(error, Invalid):
        return {each.field: _(each.message, **each.params) for each in error.problems}
    return {"": _(error.message, **error.params)}
