"""One's own address of mail: a new one is typed, a code goes there, and the code makes it count."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.domain.errors import DomainError, Invalid
from node.members import address, codes, rates
from node.pages.here import now_ms, town
from node.pages.language import _, current
from node.pages.security import limit, once, require_member

blueprint = Blueprint("address", __name__, url_prefix="/compte/adresse")


@blueprint.get("")
def show() -> str:
    """Show the form that asks for a code, and the one that takes it."""
    require_member()
    return _page({}, request.args.get("email", "")[:254])


@blueprint.post("")
@once
def ask() -> Any:
    """Mail a code to a new address; the answer is the same whoever has it already."""
    person = require_member()
    limit("address", person.id)
    typed = request.form.get("email", "")[:400]
    try:
        email = address.ask(person.id, typed, language=current().code, now_ms=now_ms())
    except Invalid as invalid:
        return _page({"email": _(invalid.message, **invalid.params)}, typed), 422
    flash(_("If this address can receive mail, a code is on its way. It works for an hour."))
    return redirect(url_for(".show", email=email), 303)


@blueprint.post("/code")
@once
def confirm() -> Any:
    """Take the code that went to the new address."""
    person, typed = require_member(), request.form.get("email", "")[:254]
    try:
        tried = codes.attempt(
            request.form.get("code", "")[:40], typed or "-", address=request.remote_addr,
            secret=town().keyring.secret, now_ms=now_ms(), limits=rates.table(town().config),
        )  # fmt: skip
        address.confirm(tried, person.id, typed)
    except DomainError as error:
        return _page({"code": _(error.message, **error.params)}, typed), error.status
    flash(_("This is your address now. The one before was told."))
    return redirect(url_for("account.show"), 303)


def _page(errors: dict[str, str], email: str) -> str:
    return render_template("account/address.html", section="account", errors=errors, email=email)
