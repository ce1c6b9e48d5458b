"""The account: sign in by code or password, what is told of oneself, where one is signed in."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node import notices
from node.domain.errors import DomainError, Invalid
from node.members import accounts, codes, passwords, quartiers, rates, sessions
from node.pages import joining, told
from node.pages.here import member, now_ms, town
from node.pages.language import _, current
from node.pages.security import (
    applicant,
    inner_path,
    is_this_browser,
    limit,
    network_address,
    once,
    require_member,
    require_person,
    sign_in,
    sign_out,
)
from node.store.database import write_tx
from node.store.people import desk_words
from node.store.promises import habilitations

blueprint = Blueprint("account", __name__)

FORM = ("name", "phone", "language", "quartier")


@blueprint.get("/compte")
def show() -> str:
    """Show the account of who is signed in, or the ways to sign in."""
    if applicant() is not None:
        return joining.waiting_page({}, {})
    return _own_page() if member() else _door()


@blueprint.post("/compte/courriel")
@once
def ask_code() -> Any:
    """Mail a code; the answer is the same whether the address is known or not."""
    limit("code_asked_from", network_address())
    try:
        email = accounts.clean_email(request.form.get("email", ""))
    except Invalid as invalid:
        return _door({"email": _(invalid.message, **invalid.params)}), 422
    limit("code_asked", email)
    notices.queue_code(email, current().code, now_ms())
    flash(_("If this address can receive mail, a code is on its way. It works for 15 minutes."))
    return redirect(url_for(".show", email=email, next=request.form.get("next", "")), 303)


@blueprint.post("/compte/code")
@once
def enter_with_code() -> Any:
    """Let in who types a good code; a first code makes the account."""
    try:
        tried = codes.attempt(
            request.form.get("code", "")[:40],
            request.form.get("email", "")[:254] or None,
            address=request.remote_addr,
            secret=town().keyring.secret,
            now_ms=now_ms(),
            limits=rates.table(town().config),
        )
        with write_tx():
            person = codes.redeem(
                tried, name=request.form.get("name", ""), language=current().code,
                admission=town().config.admission,
            )  # fmt: skip
            sign_in(person.id)
    except DomainError as error:
        return _door({"code": _(error.message, **error.params)}), error.status
    return _onward()


@blueprint.post("/compte/entrer")
@once
def enter_with_password() -> Any:
    """Let in who has chosen a password."""
    try:
        person = passwords.attempt(
            request.form.get("email", "")[:254],
            request.form.get("password", "")[:1_000],
            address=request.remote_addr,
            secret=town().keyring.secret,
            now_ms=now_ms(),
            limits=rates.table(town().config),
        )
    except DomainError as error:
        return _door({"password": _(error.message, **error.params)}), error.status
    sign_in(person.id)
    return _onward()


@blueprint.post("/compte/sortir")
@once
def leave() -> Any:
    """Sign this browser out, or all of them."""
    person = require_person()
    if request.form.get("everywhere"):
        sessions.close_all(person.id)
    sign_out()
    return redirect(url_for("catalogue.home"), 303)


@blueprint.post("/compte/session")
@once(together=True)
def end_session() -> Any:
    """Sign another browser of the person out."""
    sessions.close_one(require_person().id, request.form.get("which", ""))
    flash(_("Signed out there."))
    return redirect(url_for(".show"), 303)


@blueprint.post("/compte")
@once
def change() -> Any:
    """Keep what the person says of themself."""
    person = require_member()
    typed = {name: request.form.get(name, "")[:400] for name in FORM}
    said = {**typed, **_lives(typed["quartier"])}
    try:
        accounts.change(person.id, **said)
    except Invalid as invalid:
        return _own_page(
            {each.field: _(each.message, **each.params) for each in invalid.problems}, typed
        ), 422
    flash(_("Kept."))
    return redirect(url_for(".show"), 303)


@blueprint.post("/compte/mot-de-passe")
@once
def choose_password() -> Any:
    """Choose, change or drop the password."""
    person = require_member()
    try:
        passwords.choose(person.id, request.form.get("password", "")[:1_000])
    except Invalid as invalid:
        return _own_page({"password": _(invalid.message, **invalid.params)}), 422
    sign_in(person.id)
    flash(_("Kept."))
    return redirect(url_for(".show"), 303)


def _lives(value: str) -> dict[str, str]:
    """Return the quartier and commune that were chosen, neither where the town has no list."""
    served = town().config.served
    if not quartiers.choices(served):
        return {}
    chosen = quartiers.read(value, served)
    is_other = chosen is not None and chosen.insee != town().config.insee
    return {
        "quartier": chosen.name if chosen else "",
        "commune": chosen.insee if chosen and is_other else "",
    }


def _onward() -> Any:
    return redirect(inner_path(request.form.get("next"), url_for("catalogue.home")), 303)


def _door(errors: dict[str, str] | None = None) -> str:
    return render_template(
        "account/door.html",
        section="account",
        errors=errors or {},
        values=request.values,
        next=inner_path(request.values.get("next"), ""),
        admission=town().config.admission,
    )


def _own_page(errors: dict[str, str] | None = None, typed: dict[str, str] | None = None) -> str:
    person, served = require_member(), town().config.served
    words = [told.spoken(each) for each in desk_words.of_member(person.id)]
    if any(each["is_new"] for each in words):
        desk_words.seen(person.id, now_ms())
    offered = quartiers.choices(served)
    lives = (person.quartier, person.commune or (served or ("",))[0])
    chosen = next((each.value for each in offered if (each.name, each.insee) == lives), "")
    return render_template(
        "account/own.html",
        section="account",
        errors=errors or {},
        values=typed or {name: getattr(person, name) for name in FORM} | {"quartier": chosen},
        sessions=[
            {"row": each, "name": sessions.name_of(each), "is_this": is_this_browser(each)}
            for each in sessions.listed(person.id)
        ],
        words=words,
        habilitations=habilitations.in_force(person.id, now_ms()),
        quartiers=[(each.value, each.label) for each in offered],
    )
