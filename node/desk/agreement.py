"""The agreement at the desk: what each town wrote, what counts; sign ours, agree to theirs."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.desk.overview import only_admins
from node.desk.towns import find
from node.domain import agreement as rules
from node.domain.agreement import WHO, Text, Way
from node.domain.capacity import day_number
from node.domain.errors import Invalid, NotFound, Problem
from node.domain.schema import tidy
from node.domain.words import N_
from node.members import accounts
from node.pages import agreeing
from node.pages.here import member, names, now_ms, town, whole
from node.pages.language import _
from node.pages.security import once
from node.partners.agreement import ours, wire
from node.store.network import agreements
from node.store.people import members

blueprint = Blueprint("desk_agreement", __name__, url_prefix="/admin/villes")
blueprint.before_request(only_admins)

YEAR_DAYS = 365


@blueprint.get("/<which>/accord")
def show(which: str) -> str:
    """Show what is in force, what each side wrote, and the form of ours."""
    return _page(which)


@blueprint.post("/<which>/accord")
@once
def write(which: str) -> Any:
    """Sign a text of ours."""
    row, person = find(which), member()
    try:
        ours.write(town(), row.town, _typed(), by=person.name, member=person.id)
    except Invalid as invalid:
        errors = {each.field: _(each.message, **each.params) for each in invalid.problems}
        return _page(which, errors), 422
    flash(_("Signed. It counts once %(town)s has signed as well.", town=names()[row.town]))
    return redirect(url_for(".show", which=which), 303)


@blueprint.post("/<which>/accord/accepter")
@once
def agree(which: str) -> Any:
    """Sign that we agree to what they wrote, as it was shown."""
    row, person = find(which), member()
    try:
        shown = bytes.fromhex(request.form.get("text", ""))
    except ValueError:
        shown = b""
    ours.agree(town(), row.town, shown, by=person.name, member=person.id)
    flash(_("Signed. What %(town)s wrote counts for both from now on.", town=names()[row.town]))
    return redirect(url_for(".show", which=which), 303)


@blueprint.post("/<which>/accord/personne")
@once(together=True)
def let(which: str) -> Any:
    """Let a resident ask in that town, or no longer."""
    row = find(which)
    known = whole(request.form.get("end"))
    if known is not None:
        agreements.unlet(row.town, known)
    else:
        person = members.by_email(request.form.get("email", "")[:254])
        if person is None or person.status != "active":
            raise NotFound("unknown_member", N_("Nobody here has this address of mail."))
        agreements.let(row.town, person.id, now_ms(), by=member().id)
    flash(_("Kept."))
    return redirect(url_for(".show", which=which), 303)


def _page(which: str, errors: dict[str, str] | None = None) -> str:
    row = find(which)
    held = agreements.find(row.town)
    mine = _read(held.ours if held else None)
    theirs = _read(held.theirs if held else None)
    is_new = theirs is not None and held.accepts != wire.digest(held.theirs)
    return render_template(
        "desk/agreement.html",
        row=row,
        slug=which,
        name=names()[row.town],
        home=town().config.name,
        force=agreeing.of(row.town),
        ours=agreeing.words(mine) if mine else None,
        theirs=agreeing.words(theirs) if theirs else None,
        theirs_digest=wire.digest(held.theirs).hex() if theirs else "",
        is_theirs_new=is_new,
        is_ours_waiting=mine is not None and held.accepted != wire.digest(held.ours),
        form=_form(mine),
        who=agreeing.WHO,
        labels={name: _(town().registry.by_name[name].label) for name in _practices()},
        let=[accounts.find(each) for each in agreements.let_in(row.town)],
        errors=errors or {},
    )


def _read(raw: bytes | None) -> Text | None:
    return wire.read_text(raw)[0] if raw else None


def _form(mine: Text | None) -> dict[str, Any]:
    """What the form begins with: what was typed, our text, or everything for a year."""
    if request.method == "POST":
        typed = {name: request.form.get(name, "")[:2_000] for name in ("contact", "note", "review")}
        ways = {name: _way(name) for name in _practices()}
        return {**typed, "ways": ways}
    today = agreeing.today()
    mine = mine or Text(
        dict.fromkeys(_practices(), Way()), town().config.contact, today + YEAR_DAYS
    )
    ways = {name: mine.ways.get(name, Way(rules.NONE, rules.NONE)) for name in _practices()}
    review = agreeing.iso(mine.review) if mine.review is not None else ""
    return {"contact": mine.contact, "note": mine.note, "review": review, "ways": ways}


def _practices() -> list[str]:
    return [each.name for each in town().registry.practices if each.engaging is not None]


def _way(name: str) -> Way:
    """What is ticked for a practice; what cannot be counts as nobody."""
    found = (request.form.get(f"{side}-{name}", "") for side in ("in", "out"))
    return Way(*(each if each in WHO else rules.NONE for each in found))


def _typed() -> Text:
    """Return the text of the form; raises Invalid."""
    contact, note = tidy(request.form.get("contact", "")), tidy(request.form.get("note", ""))
    problems = []
    if len(contact) > rules.CONTACT_MAX:
        problems.append(Problem("contact", "too_long", N_("That is too long. Say it shorter.")))
    if len(note) > rules.NOTE_MAX:
        problems.append(Problem("note", "too_long", N_("That is too long. Say it shorter.")))
    review = None
    if day := tidy(request.form.get("review", "")):
        try:
            review = day_number(date.fromisoformat(day))
        except ValueError:
            problems.append(Problem("review", "not_a_day", N_("This is not a day.")))
    if review is not None and review <= agreeing.today():
        problems.append(Problem("review", "in_the_past", N_("That day is over.")))
    if problems:
        raise Invalid(problems)
    return Text({name: _way(name) for name in _practices()}, contact, review, note)
