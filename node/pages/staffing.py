"""What only staff see of a request: who did what, and the acts that are done for somebody."""

import json
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for

from node.domain.errors import DomainError, Invalid, NotFound, Problem
from node.domain.words import N_
from node.engagements import aiding, keeping, roles, staff
from node.pages import deeds, formats
from node.pages.here import now_ms, town, whole
from node.pages.language import _
from node.pages.security import form_key, once, require_member
from node.store.database import StorageRefused
from node.store.promises import lines

blueprint = Blueprint("staffing", __name__)


def part(row: Any, person: Any) -> dict[str, Any]:
    """What staff.html draws beside the rest of a request; {"staff": None} for everybody else."""
    mine = town().engagements.roles(row, person.id)
    is_desk = keeping.is_desk(person)
    if "asker" in mine or not (mine or is_desk):
        return {"staff": None}
    buttons = town().engagements.buttons
    has_side = "keeper" in mine or "staff" in mine
    return {
        "staff": {
            "history": deeds.history(row),
            "kept_by": [deeds.name_of(each) for each in keeping.of_row(row)] if has_side else [],
            "back": buttons(row, person.id) if has_side else (),
            "can_extend": has_side
            and not row.final
            and staff.can_extend(town().engagements.ground, row),
            "line": _line(row) if has_side and not row.final else [],
            "aided": buttons(row, person.id, "aide") if "aide" in mine else (),
            "consents": aiding.CONSENTS.items(),
            "today": formats.as_moment(now_ms()).date().isoformat(),
            "may_forget": _may_forget(row, is_desk),
            "is_own_word": _is_own_word(row, person, mine),
        }
    }


def _line(row: Any) -> list[tuple[int, str]]:
    """The others in the line of a request that waits in one: [(place, name)]."""
    waiting = lines.waiting(row.listing_origin, row.listing_key)
    if row.id not in {each.id for each in waiting}:
        return []
    places = enumerate(waiting, 1)
    return [(place, deeds.asker_of(each)) for place, each in places if each.id != row.id]


def _may_forget(row: Any, is_desk: bool) -> bool:
    """Whether a name without an account can be taken away: it is over, and still names somebody."""
    has_name = bool(json.loads(row.names or "{}").get("asker"))
    is_typed = row.asker is None and row.asker_town == town().id
    return is_desk and row.final and is_typed and has_name


def _is_own_word(row: Any, person: Any, mine: tuple[str, ...]) -> bool:
    """Whether somebody else has to answer, because this person wrote it down."""
    ground = town().engagements.ground
    has_side = "keeper" in mine or "staff" in mine
    return has_side and roles.is_own_word(ground, row, person.id, "")


@blueprint.post("/demandes/<which>/tenue")
@once(together=True)
def act(which: str) -> Any:
    """Do one thing as staff: dated back, for somebody, more time, another place in the line."""
    person, row = require_member(), _row(which)
    try:
        done = ACTS.get(request.form.get("do", ""))
        if done is None:
            raise NotFound("no_act", N_("There is no such button here."))
        done(row, person)
        flash(_("Kept."))
    except StorageRefused:
        raise
    except DomainError as error:
        flash(_(error.message, **error.params), "stop")
    return redirect(url_for("requests.show", which=which), 303)


def _dated_back(row: Any, person: Any) -> None:
    action = request.form.get("action", "")[:40]
    role = next(
        (each for each in ("staff", "keeper") if each in town().engagements.roles(row, person.id)),
        "staff",
    )
    _act(row, person, action, role, _instant(row, action))


def _aided(row: Any, person: Any) -> None:
    _act(row, person, request.form.get("action", "")[:40], aiding.AIDE, None)


def _act(row: Any, person: Any, action: str, role: str, at_ms: int | None) -> None:
    town().engagements.act(
        row.id,
        action,
        member_id=person.id,
        role=role,
        on_version=whole(request.form.get("version")),
        act_id=form_key("act", 8),
        args=request.form,
        at_ms=at_ms,
    )


def _instant(row: Any, action: str) -> int:
    """Return when it happened, as it was typed, UTC ms: a day alone means any time of it that fits.

    Raises Invalid.
    """
    said = request.form.get("hour", "")
    start_ms, end_ms = deeds.span_of(request.form.get("day", ""))
    day = deeds.day_of(request.form.get("day", ""))
    at_ms = deeds.instant_ms(day, said) if day is not None and start_ms is not None else None
    if at_ms is None or start_ms is None or end_ms is None:
        message = N_("Say on which day it happened.")
        raise Invalid([Problem("day", "no_day", message)])
    if said.strip():
        return at_ms
    noon_ms = (start_ms + end_ms) // 2
    earliest_ms = staff.earliest_ms(town().engagements.ground, row, action)
    fitting_ms = min(max(noon_ms, earliest_ms), now_ms())
    return fitting_ms if start_ms <= fitting_ms < end_ms else noon_ms


def _extended(row: Any, person: Any) -> None:
    act_id = form_key("act", 8)
    town().engagements.staff.extend(row, request.form, member_id=person.id, act_id=act_id)


def _bumped(row: Any, person: Any) -> None:
    """Put a request before another one of its line: `before` is the place of that one."""
    town().engagements.staff.bump(row, whole(request.form.get("before")), member_id=person.id)


def _forgotten(row: Any, person: Any) -> None:
    town().engagements.staff.forget_name(row, member_id=person.id)


ACTS = {
    "back": _dated_back,
    "aide": _aided,
    "extend": _extended,
    "bump": _bumped,
    "forget": _forgotten,
}


def _row(which: str) -> Any:
    """Return a request; raises NotFound. What may be done with it the engine says."""
    try:
        return town().engagements.find(bytes.fromhex(which))
    except ValueError:
        raise NotFound("unknown_engagement", N_("That request is not known here.")) from None
