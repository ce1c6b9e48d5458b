"""The deeds: what somebody did to a request, in one sentence with both names."""

import json
from datetime import date, datetime, time, timedelta
from typing import Any

from node.domain.words import N_
from node.engagements.aiding import CONSENTS
from node.engagements.staff import TYPED_LATER_MS
from node.pages import formats
from node.pages.here import names, town
from node.pages.language import _
from node.store.catalogue import listings
from node.store.people import members
from node.store.promises import acts, engagements

# what a keeper, or the desk for them, did: action -> sentence
KEPT = {
    "approve": N_("%(who)s accepted the request of %(other)s for %(what)s"),
    "confirm": N_("%(who)s accepted the request of %(other)s for %(what)s"),
    "decline": N_("%(who)s declined the request of %(other)s for %(what)s"),
    "refuse": N_("%(who)s declined the request of %(other)s for %(what)s"),
    "hand_over": N_("%(who)s handed over %(what)s to %(other)s"),
    "take_back": N_("%(who)s took back %(what)s from %(other)s"),
    "lose": N_("%(who)s noted as lost, by %(other)s: %(what)s"),
    "close": N_("%(who)s closed the request of %(other)s for %(what)s"),
    "revoke": N_("%(who)s took back the yes given to %(other)s for %(what)s"),
    "counter": N_("%(who)s proposed other terms to %(other)s for %(what)s"),
    "propose": N_("%(who)s proposed other terms to %(other)s for %(what)s"),
    "extend": N_("%(who)s gave more time to %(other)s for %(what)s"),
    "bump": N_("%(who)s moved %(other)s in the waiting line for %(what)s"),
    "check_in": N_("%(who)s noted that %(other)s came: %(what)s"),
    "check_out": N_("%(who)s noted that %(other)s left: %(what)s"),
    "no_show": N_("%(who)s noted that %(other)s did not come: %(what)s"),
}
# what an aide did for somebody
AIDED = {
    "ask": N_("%(who)s wrote down a request of %(other)s for %(what)s, agreed %(consent)s"),
    "queue": N_("%(who)s wrote down a request of %(other)s for %(what)s, agreed %(consent)s"),
    "hold": N_("%(who)s wrote down a request of %(other)s for %(what)s, agreed %(consent)s"),
    "accept": N_("%(who)s said yes for %(other)s: %(what)s, agreed %(consent)s"),
    "withdraw": N_("%(who)s withdrew for %(other)s: %(what)s, agreed %(consent)s"),
}
# what whoever asks did themselves
ASKED = {
    "ask": N_("%(other)s asked for %(what)s"),
    "queue": N_("%(other)s asked for %(what)s"),
    "hold": N_("%(other)s asked for %(what)s"),
    "accept": N_("%(other)s said yes: %(what)s"),
    "withdraw": N_("%(other)s withdrew: %(what)s"),
    "renew": N_("%(other)s asked to keep it longer: %(what)s"),
    "change": N_("%(other)s asked for a change: %(what)s"),
}
OTHERWISE = {
    "keeper": N_("%(who)s did “%(label)s” with %(other)s for %(what)s"),
    "aide": N_("%(who)s did “%(label)s” for %(other)s: %(what)s, agreed %(consent)s"),
    "self": N_("%(other)s did “%(label)s”: %(what)s"),
    "home": N_("By itself: %(label)s, %(other)s, %(what)s"),
}
TABLES = {"keeper": KEPT, "desk": KEPT, "aide": AIDED, "self": ASKED}
DATED = N_("%(sentence)s; dated back to %(day)s")


def sentence(
    row: Any,
    action: str,
    by: str,
    member: int | None,
    *,
    at_ms: int | None = None,
    consent: str = "",
    other: int | None = None,
    label: str = "",
) -> str:
    """Return what was done to an engagement in words; `at_ms` only if it was dated back."""
    fallback = OTHERWISE[
        "keeper" if by in ("keeper", "desk") else by if by in OTHERWISE else "home"
    ]
    said = _(
        TABLES.get(by, {}).get(action, fallback),
        who=name_of(member),
        other=asker_of(row) if row is not None else name_of(other),
        what=title_of(row) if row is not None else _("a listing that is gone"),
        consent=_(CONSENTS[consent]) if consent in CONSENTS else "",
        label=label or action,
    )
    return said if at_ms is None else _(DATED, sentence=said, day=formats.moment(at_ms))


def of_entry(entry: Any) -> str:
    """Return an entry of the audit about an engagement in words."""
    detail = json.loads(entry.detail or "{}")
    row = engagements.find(entry.engagement) if entry.engagement else None
    action = str(detail.get("action", ""))
    return sentence(
        row, action, str(detail.get("by", "")), entry.member,
        at_ms=detail.get("at_ms"), consent=detail.get("consent", ""), other=entry.other,
        label=label_of(row, action),
    )  # fmt: skip


def history(row: Any) -> list[dict[str, Any]]:
    """Return all that was done to an engagement, oldest first: when it was written, and words."""
    return [_line(row, act) for act in acts.of_engagement(row.id) if act.verdict != "claimed"]


def _line(row: Any, act: Any) -> dict[str, Any]:
    args, typed_ms = json.loads(act.args or "{}"), act.verdict_ms or act.at_ms
    is_back = act.by in ("keeper", "desk") and typed_ms - act.at_ms > TYPED_LATER_MS
    label = _state_label(row, args.get("state", "")) or label_of(row, act.action)
    said = sentence(
        row, act.action, act.by, act.member,
        at_ms=act.at_ms if is_back else None,
        consent=args.get("wish", {}).get("consent", ""), label=label,
    )  # fmt: skip
    is_refused = act.verdict not in ("", "ok", "pending")
    return {"when": formats.moment(typed_ms), "said": said, "is_refused": is_refused}


def label_of(row: Any, action: str) -> str:
    """Return an action as its button says it, "" when nobody knows."""
    tables = town().engagements.states(row) if row is not None else {}
    table = town().engagements.ground.lifecycle(row) if tables else None
    found = (each.label for each in table.transitions if each.action == action) if table else ()
    return _(next(iter(found), "")) if table else ""


def _state_label(row: Any, name: str) -> str:
    states = town().engagements.states(row)
    return _(states[name].label) if name in states else ""


def name_of(member: int | None) -> str:
    """Return the name of a member; of who left, or has none, "somebody"."""
    held = members.find(member) if member is not None else None
    return held.name if held is not None and held.name else _("somebody")


def asker_of(row: Any) -> str:
    """Return the name of whoever asked: as they showed it, else of their account."""
    told = str(json.loads(row.names or "{}").get("asker", ""))
    if not told:
        return name_of(row.asker)
    return told if row.asker_town == row.home else f"{told} ({names()[row.asker_town]})"


def title_of(row: Any) -> str:
    """Return what an engagement is about, in a word."""
    listing = listings.find(row.listing_origin, row.listing_key)
    return (listing.title if listing else "") or _("a listing that is gone")


def day_of(text: str) -> date | None:
    """Return the day that was typed (ISO), None for none or for what is no day."""
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def instant_ms(day: date, hour: str = "") -> int | None:
    """Return an hour ("HH:MM", midnight if empty) of a day here, UTC ms; None for what is none."""
    try:
        at = time.fromisoformat(hour.strip()[:8] or "00:00").replace(tzinfo=None)
        return int(datetime.combine(day, at, formats.ZONE).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def span_of(text: str) -> tuple[int | None, int | None]:
    """Return a typed day as (its first instant, the next day's), UTC ms; (None, None) for none."""
    day = day_of(text)
    if day is None or day.year >= date.max.year or day.year < 1970:
        return None, None
    return instant_ms(day), instant_ms(day + timedelta(days=1))
