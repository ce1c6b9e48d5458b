"""The habilitations at the desk: granted by hand, renewed, taken back, until training does it."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.domain.errors import Invalid, NotAllowed, NotFound, Problem
from node.domain.schema import tidy
from node.domain.words import N_
from node.engagements import keeping
from node.pages import deeds, formats
from node.pages.here import member, now_ms, town, whole
from node.pages.language import _
from node.pages.security import once, require_member
from node.store import audit
from node.store.catalogue import facets, listings
from node.store.database import write_tx
from node.store.people import members
from node.store.promises import habilitations, keepers

blueprint = Blueprint("desk_habilitations", __name__, url_prefix="/admin/habilitations")

SHOWN = 100
CODE_MAX = 40
LABEL_MAX = 80
YEARS_MAX = 20
FACET = "habilitation"  # how a listing says which one it asks for


@blueprint.before_request
def only_who_grants() -> None:
    """Let in the desk, and whoever keeps a listing that asks for a habilitation."""
    person = require_member()
    if not keeping.is_desk(person) and not _kept_codes(person.id):
        raise NotAllowed("role", N_("Your account is not allowed to do this."))


@blueprint.get("")
def list_() -> str:
    """Show what was granted, newest first, and the form that grants one."""
    return _page({}, {})


@blueprint.post("")
@once(together=True)
def grant() -> Any:
    """Grant one, or renew it; a refused form comes back as it was typed."""
    typed = {name: request.form.get(name, "")[:200] for name in ("who", "code", "label", "until")}
    try:
        _grant(typed)
    except Invalid as invalid:
        errors = {each.field: _(each.message, **each.params) for each in invalid.problems}
        return _page(typed, errors), 422
    flash(_("Kept."))
    return redirect(url_for(".list_"), 303)


@blueprint.post("/<int(max=2147483647):which>/retirer")
@once(together=True)
def revoke(which: int) -> Any:
    """Take one back; what was promised with it stays promised."""
    held = habilitations.find(which)
    if held is None:
        raise NotFound("no_habilitation", N_("There is no such habilitation."))
    _check(held.code)
    if habilitations.revoke(held.id, member().id, now_ms()):
        _note("habilitation.revoke", held)
        flash(_("Kept."))
    return redirect(url_for(".list_"), 303)


def _grant(typed: dict[str, str]) -> None:
    """Grant what was typed; raises Invalid (nobody, no code, a day that is over), NotAllowed."""
    person, code = _whom(typed["who"]), tidy(typed["code"]).lower()
    if not code or len(code) > CODE_MAX or not code.isprintable():
        raise _wrong("code", "no_code", N_("Say which one, as the listing asks for it."))
    _check(code)
    if person.id == member().id:
        raise _wrong("who", "oneself", N_("Nobody gives one to themselves: ask somebody else."))
    label = tidy(typed["label"])[:LABEL_MAX] or habilitations.codes().get(code, code)
    held = habilitations.grant(
        person.id, code, label, since_ms=now_ms(), until_ms=_until_ms(typed["until"]),
        by=member().id, now_ms=now_ms(),
    )  # fmt: skip
    _note("habilitation.grant", held)


def _whom(typed: str) -> Any:
    said = " ".join(typed.split())
    found = [members.by_email(said)] if "@" in said else members.called(said) if said else []
    if len(found) > 1:
        raise _wrong(
            "who", "several", N_("Several people have this name: give the address of mail.")
        )
    if not found or not keeping.is_active(found[0]):
        raise _wrong("who", "no_member", N_("Nobody here has this address or exactly this name."))
    return found[0]


def _until_ms(typed: str) -> int | None:
    """Return the end of the last day it is in force, UTC ms; None for no end. Raises Invalid."""
    if not typed.strip():
        return None
    _first_ms, until_ms = deeds.span_of(typed)
    last = formats.as_moment(now_ms()).date() + timedelta(days=365 * YEARS_MAX)
    day = deeds.day_of(typed)
    if until_ms is None or day is None or until_ms <= now_ms() or day > last:
        raise _wrong("until", "no_day", N_("A day to come, please, or none at all."))
    return until_ms


def _check(code: str) -> None:
    """Raise NotAllowed unless who is signed in may grant this code: the desk, a keeper of one."""
    if not keeping.is_desk(member()) and code not in _kept_codes(member().id):
        raise NotAllowed("not_yours", N_("You can give only what a thing you keep asks for."))


def _kept_codes(member_id: int) -> set[str]:
    """Return the habilitations that the listings of a keeper ask for."""
    keys = {*keepers.of_member(member_id), *keeping.published_by(member_id)}
    live = (listings.find(town().id, key) for key in keys)
    kept = {row.key for row in live if row is not None and row.state in listings.LIVE_STATES}
    return {said[FACET] for said in facets.of_keys(town().id, kept).values() if said.get(FACET)}


def _page(typed: dict[str, str], errors: dict[str, str]) -> str:
    is_desk, mine = keeping.is_desk(member()), _kept_codes(member().id)
    asked = dict(facets.values(FACET)) if is_desk else dict.fromkeys(mine)
    typed = dict.fromkeys(("who", "code", "label", "until"), "") | typed
    rows = habilitations.listed(limit=SHOWN, before=whole(request.args.get("avant")))
    shown = [each for each in rows if is_desk or each.code in mine]
    return render_template(
        "desk/habilitations.html",
        section="requests",
        rows=[_line(each) for each in shown],
        before=rows[-1].id if len(rows) == SHOWN else None,
        codes=[(code, habilitations.codes().get(code, code)) for code in sorted(asked)],
        is_desk=is_desk,
        typed=typed,
        errors=errors,
        labels={"who": N_("To whom"), "code": N_("Which one"), "until": N_("Until")},
    )


def _line(row: Any) -> dict[str, Any]:
    is_over = row.until_ms is not None and row.until_ms <= now_ms()
    return {
        "row": row,
        "name": deeds.name_of(row.member),
        "by": deeds.name_of(row.by),
        "is_in_force": row.revoked_ms is None and not is_over,
        "is_over": is_over,
        "last_day": formats.as_moment(row.until_ms - 1).date() if row.until_ms else None,
    }


def _note(action: str, held: Any) -> None:
    person = member()
    with write_tx():
        audit.note(
            action, at_ms=now_ms(), actor=person.name, member=person.id, other=held.member,
            detail=held.label,
        )  # fmt: skip


def _wrong(field: str, code: str, message: str) -> Invalid:
    return Invalid([Problem(field, code, message)])
