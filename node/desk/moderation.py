"""Moderation: what was reported, the listing beside it, and what a moderator decides."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.desk import measures
from node.domain.errors import DomainError, Invalid
from node.engagements.ground import read
from node.members import reporting
from node.members.accounts import MODERATOR
from node.pages.cards import cards
from node.pages.here import member, names, shown, town
from node.pages.language import _
from node.pages.security import once, require_role
from node.store.catalogue import codes, listings
from node.store.people import members, reports
from node.store.people.reports import Report

blueprint = Blueprint("moderation", __name__, url_prefix="/admin/signalements")


@blueprint.before_request
def only_moderators() -> None:
    """Let nobody but a moderator (or administrator) in; raises NotAllowed, SignInFirst."""
    require_role(MODERATOR)


@blueprint.get("")
def list_() -> str:
    """Show what waits, what is hidden, and whose promises the desk looks after."""
    return render_template(
        "desk/moderation.html",
        cases=[each for row in reports.waiting() if (each := _line(*row)) is not None],
        hidden=[_hidden(row) for row in listings.hidden()],
        promises=_promises(),
    )


@blueprint.get("/<code>")
def show(code: str) -> str:
    """Show one listing with what is said of it."""
    return _page(measures.case_of(town(), code), {}, {})


@blueprint.post("/<code>")
@once
def take(code: str) -> Any:
    """Take a measure; a refused one comes back with its sentence."""
    case = measures.case_of(town(), code)
    typed = {name: request.form.get(name, "")[:2_000] for name in ("measure", "reason")}
    try:
        measures.take(town(), case, typed["measure"], typed["reason"], member())
    except Invalid as invalid:
        errors = {each.field: _(each.message, **each.params) for each in invalid.problems}
        return _page(case, errors, typed), 422
    except DomainError as error:
        return _page(case, {"measure": _(error.message, **error.params)}, typed), error.status
    flash(_("Done, and told to whoever is concerned."))
    return redirect(url_for(".list_"), 303)


def _line(origin: bytes, key: bytes, count: int, since_ms: int) -> dict[str, Any] | None:
    row = listings.find(origin, key)
    if row is None or row.state not in listings.LIVE_STATES:
        return None
    return {
        "code": codes.of(origin, key),
        "title": row.title,
        "town": "" if origin == town().id else names()[origin],
        "count": count,
        "since_ms": since_ms,
        "is_hidden": bool(row.hidden),
    }


def _hidden(row: listings.Listing) -> dict[str, Any]:
    return {
        "code": row.code,
        "title": row.title,
        "town": "" if row.origin == town().id else names()[row.origin],
        "why": row.hidden,
    }


def _promises() -> list[dict[str, Any]]:
    """Return the open promises of suspended people: they stay, and somebody has to see to them."""
    found = []
    for person in members.listed(status="suspended", limit=1_000):
        for row in town().engagements.promised(person.id):
            names_told = read(row.names)
            other = "keeper" if row.asker == person.id else "asker"
            found.append(
                {
                    "name": person.name,
                    "other": names_told.get(other, ""),
                    "href": url_for("requests.show", which=row.id.hex()),
                    "state": town().engagements.state(row).label,
                }
            )
    return found


def _page(case: measures.Case, errors: dict[str, str], values: dict[str, str]) -> str:
    listing, concerned = shown(case.row), members.find(case.publisher or 0)
    return render_template(
        "desk/case.html",
        case=case,
        cards=cards([case.row]),
        text=case.row.text,
        practice=listing.practice.label if listing else "",
        concerned=concerned,
        is_own=concerned is not None and concerned.id == member().id,
        reports=[_told(each) for each in reports.of_listing(*case.register)],
        errors=errors,
        values=values,
        reason_max=measures.REASON_MAX,
    )


def _told(row: Report) -> dict[str, Any]:
    """Return one report; of a partner's, the name of the town is all there is to know."""
    person = members.find(row.member) if row.member is not None else None
    return {
        "reason": dict(reporting.REASONS)[row.reason],
        "text": row.text,
        "count": row.count,
        "by": person.name if person is not None else "",
        "town": names()[row.town] if row.town is not None else "",
        "at_ms": row.at_ms,
        "state": row.state,
        "answer": row.answer,
    }
