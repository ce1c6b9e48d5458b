"""The requests of one person: what they asked, what is asked of them, where each one stands."""

import json
from collections import Counter
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for

from node.domain.errors import DomainError, NotAllowed, NotFound
from node.domain.words import N_
from node.pages import calendar, conditions, formats, proposing, staffing, talk, ticketing
from node.pages.around import basins
from node.pages.here import Shown, names, now_ms, seen_ms, shown, town, whole
from node.pages.language import _
from node.pages.security import form_key, once, require_member
from node.store.catalogue import holdings, listings
from node.store.database import StorageRefused, write_tx
from node.store.promises import acts, keepers

blueprint = Blueprint("requests", __name__)


@blueprint.get("/demandes")
def list_() -> str:
    """Show what waits for the person, what is under way, what is over, and their own listings."""
    person = require_member()
    asked, received = town().engagements.of_member(person.id)
    lines = [_asked(row) for row in asked] + [_received(row) for row in received]
    news = talk.unread(asked, "asker") | talk.unread(received, "keeper")
    lines = [{**each, "news": news.get(each["row"].id, 0)} for each in lines]
    lines.sort(key=lambda each: each["since_ms"], reverse=True)
    return render_template(
        "requests/list.html",
        section="requests",
        mine_to_act=[each for each in lines if each["is_my_turn"]],
        under_way=[each for each in lines if not each["is_my_turn"] and not each["is_over"]],
        over=[each for each in lines if each["is_over"]],
        listings=_listings(person.id),
        practices=[each for each in town().registry.practices if each.today],
        troughs=[each for each in basins({}, set()) if not each["here"]],
    )


@blueprint.get("/demandes/<which>")
def show(which: str) -> Any:
    """Show one request: where it stands, what can be done now, what was done, who signed what."""
    person = require_member()
    row = _row(which, person)
    drawn = {name: value for part in PARTS for name, value in part(row, person).items()}
    return render_template("requests/show.html", section="requests", row=row, **drawn)


def _standing(row: Any, person: Any) -> dict[str, Any]:
    """What the top of the page says: one sentence, and how to reach the other side."""
    engagements = town().engagements
    is_asker, words = row.asker == person.id, engagements.words(row)
    return {
        "request_line": _asked(row) if is_asker else _received(row),
        "is_asker": is_asker,
        "words": sentence(words),
        "tone": words.tone,
        "note": sentence_note(words),
        "said": json.loads(row.reason or "{}").get("text", ""),
        "contact": engagements.contact(row, person.id),
        "is_accepted": engagements.is_accepted(row),
    }


def _doable(row: Any, person: Any) -> dict[str, Any]:
    """What this person may do now: the buttons, the first of them the main one.

    `not_now` are the sentences for what the rules of the practice would refuse at this moment.
    """
    engagements = town().engagements
    buttons = engagements.buttons(row, person.id)
    rules, role = engagements.rules, _role(row, person)
    against = {each.action: rules.against(row, each.action, role) for each in buttons}
    why = [each for each in against.values() if each is not None]
    return {
        "buttons": [each for each in buttons if against[each.action] is None],
        "not_now": list(dict.fromkeys(_(each.message, **each.params) for each in why)),
        "has_answered": bool(json.loads(row.contacts or "{}").get("keeper")),
        "mine": {"email": person.email or "", "phone": person.phone or ""},
    }


def _story(row: Any, person: Any) -> dict[str, Any]:
    """What was done, and what is still to come."""
    return {"steps": [_step(each) for each in town().engagements.timeline(row)]}


def _facts(row: Any, person: Any) -> dict[str, Any]:
    """What it is about: the practice's own facts are drawn from the terms."""
    return {
        "terms": json.loads(row.terms or "{}"),
        "told": json.loads(row.names or "{}"),
        "done": Counter(act.action for act in acts.of_engagement(row.id) if act.verdict == "ok"),
        "practice": row.practice,
        "place": None if row.final else town().engagements.place(row),
    }


# Each part gives the names its partial of show.html reads: (row, person) -> {name: value}.
PARTS = (
    _standing,
    _doable,
    _story,
    _facts,
    conditions.drawn,
    calendar.drawn,
    staffing.part,
    talk.part,
    ticketing.part,
    proposing.part,
)


@blueprint.post("/demandes/<which>")
@conditions.photo_first
@once(together=True)
def act(which: str) -> Any:
    """Do one thing to a request: accept, decline, hand over, take back, withdraw."""
    person = require_member()
    row = _row(which, person)
    try:
        _act(row, person, request.form.get("action", "")[:40])
    except StorageRefused:
        raise
    except DomainError as error:
        flash(_(error.message, **error.params), "stop")
    return redirect(url_for(".show", which=which), 303)


def _act(row: Any, person: Any, action: str) -> None:
    """Do it, and note with it in what condition the thing is; all or nothing."""
    role, act_id = _role(row, person), form_key("act", 8)
    noted = conditions.typed(action) if role != "asker" else None
    told = request.form.copy()
    told["reason"] = conditions.words(noted)
    with write_tx():
        town().engagements.act(
            row.id,
            action,
            member_id=person.id,
            role=role,
            on_version=whole(request.form.get("version")),
            act_id=act_id,
            args=told,
        )
        if noted is not None:
            conditions.note(row, act_id, noted, person)


@blueprint.get("/demandes/<which>/photo/<name>")
def photo(which: str, name: str) -> Any:
    """Send a photo of the condition of a thing to one of the two sides; raises NotFound."""
    row = _row(which, require_member())
    noted = {
        f"{each.photo.hex()}.webp": each.photo for each in town().engagements.conditions.of(row)
    }
    digest = noted.get(name)
    if not digest:
        raise NotFound("no_photo", N_("This photo is not here."))
    answer = send_file(town().photos.private.path(digest), mimetype="image/webp", max_age=0)
    answer.cache_control.private, answer.cache_control.no_store = True, True
    return answer


def waiting_for(person: Any) -> int:
    """Return how many requests wait for this person's word."""
    asked, received = town().engagements.of_member(person.id)
    return sum(not row.final and row.turn == "asker" for row in asked) + sum(
        not row.final and row.turn == "keeper" for row in received
    )


def line(row: Any) -> dict[str, Any]:
    """Return a request as a list shows it: what, where from, where it stands."""
    listing = listings.find(row.listing_origin, row.listing_key)
    held = shown(listing) if listing else None
    words = town().engagements.words(row)
    other = row.home if row.home != town().id else row.asker_town
    return {
        "row": row,
        "href": url_for("requests.show", which=row.id.hex()),
        "title": (listing.title if listing else "") or _("A listing that is gone"),
        "listing": held,
        "icon": held.practice.icon if held else "send",
        "town": names()[other],
        "is_remote": row.home != row.asker_town,
        "state": _(town().engagements.state(row).label),
        "tone": words.tone,
        "words": sentence(words),
        "since_ms": row.since_ms,
        "fresh": formats.freshness(seen_ms().get(other), now_ms()),
        "is_over": row.final,
    }


def _asked(row: Any) -> dict[str, Any]:
    is_my_turn = not row.final and row.turn == "asker"
    return {**line(row), "about": _("asked by you"), "is_my_turn": is_my_turn}


def _received(row: Any) -> dict[str, Any]:
    asker = json.loads(row.names or "{}").get("asker", "")
    about = _("asked by %(name)s", name=asker) if asker else _("asked of you")
    is_my_turn = not row.final and row.turn == "keeper"
    return {**line(row), "about": about, "is_my_turn": is_my_turn}


def sentence(words: Any) -> str:
    """Return the sentence a page may say now, its instants written out."""
    return _(words.message, **_values(words))


def sentence_note(words: Any) -> str:
    """Return the second sentence, "" where there is nothing to add."""
    return _(words.note, **_values(words)) if words.note else ""


def _values(words: Any) -> dict[str, Any]:
    times = {name: formats.moment(at_ms) for name, at_ms in words.times.items()}
    if "until" in times:
        times["until"] = formats.deadline(words.times["until"])
    return {**words.params, **times}


def _step(step: Any) -> dict[str, Any]:
    return {
        "label": _(step.label, **step.params),
        "when": _when(step) if step.at_ms else "",
        "status": step.status,
        "signed_by": names()[step.signed_by] if step.signed_by else "",
        "record": step.record_id.hex() if step.record_id else "",
    }


def _when(step: Any) -> str:
    """Write when a step was, or is expected: a whole day has no hour."""
    local = formats.as_moment(step.at_ms)
    is_day = step.status != "done" and (local.hour, local.minute) == (0, 0)
    return formats.day(local.date()) if is_day else formats.moment(step.at_ms)


def _row(which: str, person: Any) -> Any:
    """Return a request this person has a part in; raises NotFound, NotAllowed."""
    try:
        row = town().engagements.find(bytes.fromhex(which))
    except ValueError:
        raise NotFound("unknown_engagement", N_("That request is not known here.")) from None
    if not town().engagements.may_see(row, person.id):
        raise NotAllowed("not_yours", N_("This request is somebody else's."))
    return row


def _role(row: Any, person: Any) -> str:
    """Return in which role the buttons of the page act; what is none is refused by the engine."""
    mine = town().engagements.roles(row, person.id)
    return next((each for each in ("asker", "staff", "keeper") if each in mine), "keeper")


def _listings(member: int) -> list[Shown]:
    keys = dict.fromkeys((*holdings.of_member(member), *keepers.of_member(member)))
    rows = (listings.find(town().id, key) for key in keys)
    kept = (row for row in rows if row is not None and row.state in listings.LIVE_STATES)
    return [each for each in map(shown, kept) if each is not None]
