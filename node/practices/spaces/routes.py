"""The pages only spaces have: all of them by site, the week of one, the dates of a series."""

import json
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from node.domain.capacity import QUARTER_MS, Span, day_of, weekday
from node.domain.errors import DomainError, NotFound
from node.domain.lifecycle import HOUR_MS
from node.domain.schema import typed
from node.domain.words import N_
from node.engagements import closures
from node.pages import askform, requests
from node.pages.here import Shown, member, now_ms, shown, town
from node.pages.language import _
from node.pages.listing import find
from node.pages.security import form_key, limit, once, require_member
from node.practices.spaces import actions, free, hours, series
from node.store.catalogue.search import LIMIT_MAX, Search, search
from node.store.promises import claims

blueprint = Blueprint("spaces", __name__)

PRACTICE = "spaces"
WEEK_DAYS = 7
ALL_AT_ONCE = ("withdraw", "confirm", "refuse")


@blueprint.get("/espaces")
def places() -> str:
    """Show every space by town, site and area."""
    wanted = Search(practice=PRACTICE, resident=member() is not None)
    found = search(wanted, now_ms=now_ms(), limit=LIMIT_MAX)
    return render_template(
        "spaces/places.html", section="listings", towns=_by_place(found.rows), total=found.total
    )


@blueprint.get("/espaces/<code>")
def week(code: str) -> Any:
    """Show what is free in a week; with a day, the form that books on it."""
    listing = _space(code)
    chosen = _day(request.args.get("jour", ""))
    today = day_of(now_ms(), hours.ZONE.key)
    first = max(today, chosen - weekday(chosen)) if chosen is not None else today
    taken = _taken(listing, first, WEEK_DAYS)
    refused = askform.refusal(listing)
    may_ask = refused is None and member() is not None and chosen is not None
    return render_template(
        "spaces/week.html",
        section="listings",
        listing=listing,
        week=[_drawn(listing, each, taken) for each in range(first, first + WEEK_DAYS)],
        today=today,
        chosen=chosen,
        starts=_starts(listing, chosen, taken) if chosen is not None else [],
        refused=_(refused.message, **refused.params) if refused else "",
        ask=_ask(listing, {"day": chosen}) if may_ask else None,
        repeat=series.UNTIL_DAY,
    )


@blueprint.post("/espaces/<code>/serie")
@once(together=True)
def repeat(code: str) -> Any:
    """Ask for the same hours every week; each date is told apart, and what can be had is kept."""
    person = require_member()
    listing = _space(code)
    refused = askform.refusal(listing)
    if refused is not None:
        raise refused
    limit("asked", person.id)
    which = form_key("series", 8).hex()
    told = [
        _one_date(listing, person.id, which, each)
        for each in series.days(listing.body, request.form)
    ]
    done = any(each["row"] for each in told)
    page = render_template(
        "spaces/asked.html", section="requests", listing=listing, dates=told, which=which, done=done
    )
    return page, 200 if done else 409


@blueprint.get("/espaces/serie/<which>")
def dates(which: str) -> str:
    """Show the dates of a series to either side of it."""
    person = require_member()
    rows = _of_series(which, person.id)
    engagements = town().engagements
    offered = [{each.action for each in engagements.buttons(row, person.id)} for row in rows]
    return render_template(
        "spaces/series.html",
        section="requests",
        which=which,
        lines=[{**requests.line(row), "terms": json.loads(row.terms)} for row in rows],
        actions=[each for each in ALL_AT_ONCE if any(each in some for some in offered)],
    )


@blueprint.post("/espaces/serie/<which>")
@once(together=True)
def act(which: str) -> Any:
    """Do one thing to every date of a series that allows it."""
    person = require_member()
    action = request.form.get("action", "")
    rows = _of_series(which, person.id)
    count = sum(_act_on(row, action, person.id) for row in rows) if action in ALL_AT_ONCE else 0
    flash(_("Done for %(done)d of %(all)d dates.", done=count, all=len(rows)))
    return redirect(url_for(".dates", which=which), 303)


def _by_place(rows: list[Any]) -> dict[str, dict[str, dict[str, list[Shown]]]]:
    """Return {town: {site: {area: spaces}}}, our town first, the rest in the order of names."""
    found: dict[str, dict[str, dict[str, list[Shown]]]] = {}
    held = [each for each in map(shown, rows) if each is not None]
    for each in sorted(held, key=_place_of):
        sites = found.setdefault(each.town, {})
        sites.setdefault(each.body.site, {}).setdefault(each.body.area, []).append(each)
    return found


def _place_of(listing: Shown) -> tuple[Any, ...]:
    body = listing.body
    return not listing.is_local, listing.town, body.site == "", body.site, body.area, body.title


def _space(code: str) -> Shown:
    """Return a space that is shown to whoever looks; raises NotFound."""
    listing = find(code)
    if listing.practice.name != PRACTICE or not listing.row.body:
        raise NotFound("no_listing", N_("There is no listing with this code here."))
    if listing.row.scope:  # for residents of its town and of partner towns
        require_member()
    return listing


def _day(text: str) -> int | None:
    """Return the day number somebody typed or followed, None for none; far away ones too."""
    try:
        day = typed((actions.DAY,), {"day": text}).get("day")
    except DomainError:
        return None
    return day if day is not None and abs(day - day_of(now_ms(), hours.ZONE.key)) < 3_660 else None


def _taken(listing: Shown, first_day: int, days: int) -> list[tuple[int, int]]:
    """Return the (unit, quarter) pairs nobody can have: promised, or closed by a ticket.

    Of another town's space only that town knows.
    """
    if not listing.is_local:
        return []
    span = Span(hours.slot_of(first_day - 1, 0), hours.slot_of(first_day + days + 2, 0))
    held = claims.taken(listing.origin, listing.key, span.first, span.after)
    shut = closures.closed(town().engagements.ground, listing.row, span)
    return [*held, *((unit, each) for each in shut for unit in range(listing.body.units))]


def _starts(listing: Shown, day: int, taken: list[tuple[int, int]]) -> list[free.Start]:
    """Return where a booking can begin on a day, as far as this town knows."""
    if day > day_of(now_ms(), hours.ZONE.key) + listing.body.advance_days:
        return []
    soonest_ms = now_ms() + listing.body.advance_hours * HOUR_MS
    return free.starts(listing.body, day, taken, -(-soonest_ms // QUARTER_MS))


def _drawn(listing: Shown, day: int, taken: list[tuple[int, int]]) -> dict[str, Any]:
    """Return a day of the week view: what is free of it, and what is not."""
    found = _starts(listing, day, taken)
    spans = free.free_spans(found)
    return {
        "day": day,
        "free": spans,
        "taken": free.taken_spans(listing.body, day, spans, -(-now_ms() // QUARTER_MS)),
        "is_closed": not hours.opens_on(listing.body, day),
    }


def _ask(listing: Shown, values: dict[str, Any]) -> dict[str, Any]:
    return askform.draw(listing, {**askform.first_values(), **values}, {})


def _one_date(listing: Shown, member_id: int, which: str, day: int) -> dict[str, Any]:
    """Ask for one date of a series: its engagement, or the sentence why it cannot be had."""
    form = series.form_for(request.form, day, which)
    key = form_key(f"engagement {day}")
    try:
        row = town().engagements.ask(listing.row, member_id, form, key)
    except DomainError as error:
        return {"day": day, "row": None, "why": _(error.message, **error.params)}
    return {"day": day, "row": row, "line": requests.line(row), "why": ""}


def _of_series(which: str, member_id: int) -> list[Any]:
    asked, received = town().engagements.of_member(member_id)
    rows = series.of([row for row in (*asked, *received) if row.practice == PRACTICE], which)
    if not rows:
        raise NotFound("unknown_series", N_("That series is not known here."))
    return rows


def _act_on(row: Any, action: str, member_id: int) -> bool:
    """Do something to one date of a series, if this person may now; return whether it was done."""
    engagements = town().engagements
    if action not in {each.action for each in engagements.buttons(row, member_id)}:
        return False
    role = next(iter(engagements.roles(row, member_id)))
    key = form_key(f"{action} {row.id.hex()}", 8)
    try:
        engagements.act(row.id, action, member_id=member_id, role=role, act_id=key)
    except DomainError as error:
        flash(_(error.message, **error.params), "stop")
        return False
    return True
