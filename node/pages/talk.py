"""The talk of a request: what both sides wrote, and the form that writes to the other side."""

from typing import Any

from flask import Blueprint, current_app, g, redirect, request, url_for

from node.domain.errors import Conflict, Invalid, NotFound
from node.domain.words import N_
from node.engagements.between.registers import MESSAGE_MAX
from node.pages import formats
from node.pages.here import town
from node.pages.language import _
from node.pages.security import form_key, once, require_member

blueprint = Blueprint("talk", __name__)


def part(row: Any, person: Any) -> dict[str, Any]:
    """What requests/talk.html draws: the messages, oldest first, and whether one can be added.

    Whoever sees them has read them.
    """
    talk = town().engagements.talk
    lines = [_drawn(each) for each in talk.lines(row, person.id)]
    talk.read(row, person.id)
    typed, error = g.get("talk_refused", ("", ""))
    return {
        "talk": lines,
        "may_write": talk.may_write(row, person.id),
        "talk_typed": typed,
        "talk_error": error,
        "message_max": MESSAGE_MAX,
    }


def unread(rows: Any, side: str) -> dict[bytes, int]:
    """Return {request: how many messages this side has not read}, where there are any."""
    found: dict[bytes, int] = town().engagements.talk.unread(rows, side)
    return found


@blueprint.post("/demandes/<which>/messages")
@once(together=True)
def say(which: str) -> Any:
    """Write to the other side; what cannot be kept comes back on the page, as it was typed."""
    person, text = require_member(), request.form.get("text", "")
    try:
        engagement = bytes.fromhex(which)
    except ValueError:
        raise NotFound("unknown_engagement", N_("That request is not known here.")) from None
    try:
        town().engagements.talk.say(
            engagement, text, member_id=person.id, message_id=form_key("message", 8)
        )
    except (Invalid, Conflict) as error:
        g.talk_refused = (text, _(error.message, **error.params))
        show = current_app.view_functions["requests.show"]  # that page draws this one's form
        return show(which=which), error.status
    return redirect(url_for("requests.show", which=which, _anchor="talk"), 303)


def _drawn(line: Any) -> dict[str, Any]:
    return {
        "lines": line.text.split("\n"),
        "when": formats.moment(line.at_ms),
        "is_mine": line.is_mine,
        "is_new": line.is_new,
        "is_waiting": line.is_waiting,
    }
