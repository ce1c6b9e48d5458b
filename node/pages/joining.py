"""Joining: coming in by an invitation, asking to be a member, inviting others."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.domain.errors import DomainError, Invalid
from node.members import admission, rates
from node.pages import told
from node.pages.here import member, now_ms, town, whole
from node.pages.language import _, current
from node.pages.security import (
    SignInFirst,
    applicant,
    limit,
    network_address,
    once,
    require_member,
    sign_in,
)
from node.store.database import write_tx
from node.store.people import desk_words, invitations

blueprint = Blueprint("joining", __name__)


@blueprint.get("/rejoindre")
def door() -> str:
    """Show the form of who was invited; the link of an invitation brings its code along."""
    return _door({}, {"code": request.args.get("code", "")[:40]})


@blueprint.post("/rejoindre")
@once
def join() -> Any:
    """Make an account of an invitation and sign its person in."""
    typed = {name: request.form.get(name, "")[:400] for name in ("code", "name")}
    here = town()
    try:
        limit("joined_from", network_address())
        code = admission.look(
            typed["code"], address=request.remote_addr, secret=here.keyring.secret,
            now_ms=now_ms(), limits=rates.table(here.config),
        )  # fmt: skip
        with write_tx():
            person = admission.join(
                code, typed["name"], mode=here.config.admission, language=current().code,
                now_ms=now_ms(),
            )  # fmt: skip
            sign_in(person.id)
    except DomainError as error:
        return _door({error.field or "code": _(error.message, **error.params)}, typed), error.status
    return redirect(url_for("account.show"), 303)


@blueprint.post("/compte/adhesion")
@once(together=True)
def apply() -> Any:
    """Keep what somebody writes who wishes to become a member."""
    person = applicant()
    if person is None:
        require_member()
        return redirect(url_for("account.show"), 303)
    limit("applied", person.id)
    name, words = request.form.get("name", "")[:400], request.form.get("words", "")[:2_000]
    try:
        admission.apply(person.id, name=name, words=words, now_ms=now_ms())
    except Invalid as invalid:
        errors = {each.field: _(each.message, **each.params) for each in invalid.problems}
        return waiting_page(errors, {"name": name, "words": words}), 422
    flash(_("Sent. The desk answers as soon as somebody has read it."))
    return redirect(url_for("account.show"), 303)


@blueprint.post("/compte/invitations")
@once(together=True)
def invite() -> Any:
    """Make an invitation; its code and its link are shown once."""
    person = require_member()
    limit("invited", person.id)
    typed = {name: request.form.get(name, "")[:200] for name in ("uses", "days", "note")}
    try:
        code = admission.invite(
            person.id, uses=whole(typed["uses"]) or 0, days=whole(typed["days"]) or 0,
            note=typed["note"], secret=town().keyring.secret, now_ms=now_ms(),
        )  # fmt: skip
    except Invalid as invalid:
        errors = {each.field: _(each.message, **each.params) for each in invalid.problems}
        return invitations_page("", errors, typed), 422
    return invitations_page(code, {}, {})


@blueprint.get("/compte/invitations")
def list_() -> str:
    """Show the invitations of who is signed in, and the form that makes one."""
    require_member()
    return invitations_page("", {}, {})


@blueprint.post("/compte/invitations/fin")
@once(together=True)
def revoke() -> Any:
    """End an invitation of who is signed in; anybody else's stays."""
    invitations.revoke(whole(request.form.get("which")) or 0, require_member().id)
    flash(_("Ended."))
    return redirect(url_for(".list_"), 303)


def invitations_page(code: str, errors: dict[str, str], values: dict[str, str]) -> str:
    """Draw a member's invitations; `code` is the one just made."""
    person = require_member()
    link = url_for("joining.door", code=code.replace(" ", "")) if code else ""
    return render_template(
        "account/invitations.html",
        section="account",
        code=code,
        link=f"{town().config.url}{link}" if link else "",
        errors=errors,
        values={"uses": "1", "days": "14", **values},
        invitations=invitations.of_member(person.id, now_ms()),
        admits=town().config.admission != admission.APPROVAL or person.role != "resident",
    )


def waiting_page(errors: dict[str, str], values: dict[str, str]) -> str:
    """Draw the account of who is no member yet: what they wrote, what the desk said."""
    person = applicant()
    if person is None:
        raise SignInFirst
    return render_template(
        "account/waiting.html",
        section="account",
        who=person,
        words=[told.spoken(each) for each in desk_words.of_member(person.id, 1)],
        errors=errors,
        values={"name": person.name, "words": person.applied, **values},
    )


def _door(errors: dict[str, str], values: dict[str, str]) -> str:
    return render_template(
        "account/join.html",
        section="account",
        errors=errors,
        values=values,
        is_signed_in=member() is not None,
    )
