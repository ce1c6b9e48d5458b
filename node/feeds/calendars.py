"""The calendars: a member's own under a secret address, one of each thing, one request alone.

They name no other person and no contact: whoever finds an address learns what and when.
"""

import hashlib
from typing import Any

from flask import Blueprint, Response, current_app, g, request, url_for

from node.domain.errors import NotFound
from node.domain.words import N_
from node.engagements import occasions
from node.feeds import ics
from node.members import rates
from node.store import marks
from node.store.catalogue import codes, listings
from node.store.catalogue.listings import LIVE_STATES, Listing
from node.store.people import calendars, members
from node.store.promises import engagements, tickets

blueprint = Blueprint("calendars", __name__)

DAY_MS = 86_400_000
PAST_DAYS = 90
LIMIT = 500
SECRET_MAX = 64
OWN, GONE = N_("My calendar at %(town)s"), N_("A listing that is gone")
TAKEN, CLOSED = N_("Taken"), N_("Closed")
LIMITS = {
    "calendar": rates.Rate(240, rates.HOUR_MS),  # from one address: a library shares one
    "calendar_guessed": rates.Rate(60, rates.HOUR_MS),  # addresses that open nothing
}
STATUS = {
    occasions.TENTATIVE: ics.TENTATIVE,
    occasions.CONFIRMED: ics.CONFIRMED,
    occasions.CANCELLED: ics.CANCELLED,
}


@blueprint.get("/ical/<secret>.ics")
def own(secret: str) -> Response:
    """Give the calendar a secret opens: what its member asked for and what they keep."""
    _count("calendar")
    person = _whose(secret)
    if person is None:
        _count("calendar_guessed")
        raise NotFound("no_calendar", N_("There is no calendar at this address (any more)."))
    here, said = _town(), _said(person.language)
    rows = engagements.of_member(person.id, limit=LIMIT)
    events = [event for row in rows if (event := _event(row, said)) is not None]
    since_ms = here.clock.now_ms() - PAST_DAYS * DAY_MS
    kept = sorted((e for e in events if e.end_ms > since_ms), key=lambda e: (e.start_ms, e.uid))
    name = said(OWN) % {"town": here.config.name}
    return _answer(kept, name, "no-store")


@blueprint.get("/a/<code>/calendrier.ics")
def of_listing(code: str) -> Response:
    """Give when a thing of ours is taken or closed: no name, and nothing of who has it."""
    _count("calendar")
    listing = listings.by_code(codes.tidy(code))
    if listing is None or not _is_public(listing):
        raise NotFound("no_listing", N_("There is no listing with this code here."))
    said = _said("")
    events = [
        *(_span(listing, *span, said(TAKEN)) for span in _taken(listing)),
        *(_span(listing, *span, False, said(CLOSED)) for span in _closed(listing)),
    ]
    return _answer(events, listing.title, "public, max-age=300")


@blueprint.get("/demandes/<which>/calendrier.ics")
def of_request(which: str) -> Response:
    """Give one request as an event, to whoever takes part in it."""
    person, here = g.get("member"), _town()
    absent = NotFound("unknown_engagement", N_("That request is not known here."))
    try:
        row = here.engagements.find(bytes.fromhex(which))
    except ValueError:
        raise absent from None
    if person is None or not here.engagements.roles(row, person.id):
        raise absent
    event = _event(row, _said(person.language))
    if event is None:
        raise absent
    return _answer([event], event.summary, "no-store", f"lavoir-{row.id.hex()[:8]}.ics")


def _town() -> Any:
    return current_app.extensions["lavoir"]


def _whose(secret: str) -> Any:
    """Return the member a secret belongs to. One made before a restore opens nothing: it may have
    been taken back since the backup.
    """
    key = calendars.find(secret) if len(secret) <= SECRET_MAX else None
    if key is None or key.made_ms < marks.number(marks.RESTORED_S) * 1_000:
        return None
    person = members.find(key.member)
    return person if person is not None and person.status == "active" else None


def _event(row: Any, said: Any) -> ics.Event | None:
    here = _town()
    occasion = occasions.of(here.engagements.ground, row)
    if occasion is None:
        return None
    listing = listings.find(row.listing_origin, row.listing_key)
    title = (listing.title if listing else "") or said(GONE)
    return ics.Event(
        uid=f"{occasion.name}@lavoir",
        sequence=occasion.version,
        changed_ms=occasion.changed_ms,
        start_ms=occasion.start_ms,
        end_ms=occasion.end_ms,
        is_in_days=occasion.is_in_days,
        summary=f"{title} ({said(here.engagements.state(row).label)})",
        location=listing.place_name if listing else "",
        url=f"{here.config.url}/demandes/{row.id.hex()}",
        status=STATUS[occasion.standing],
        is_busy=occasion.standing == occasions.CONFIRMED,
    )


def _is_public(listing: Listing) -> bool:
    here = _town()
    is_shown = not listing.hidden and not listing.scope and listing.state in LIVE_STATES
    is_ours = listing.origin == here.id
    return bool(is_shown and is_ours and here.engagements.ground.engaging(listing) is not None)


def _taken(listing: Listing) -> list[tuple[int, int, bool]]:
    since_ms = _town().clock.now_ms() - PAST_DAYS * DAY_MS
    return [
        each for each in occasions.taken(_town().engagements.ground, listing) if each[1] > since_ms
    ]


def _closed(listing: Listing) -> list[tuple[int, int]]:
    """When it is under repair or looked after; without an end known, for thirty days from now."""
    open_end_ms = _town().clock.now_ms() + 30 * DAY_MS
    held = (each for each in tickets.of_listing(listing.key) if each.what in tickets.CLOSING)
    spans = [(each.from_ms, each.until_ms or max(open_end_ms, each.from_ms)) for each in held]
    return [span for span in spans if span[0] < span[1]]


def _span(listing: Listing, start_ms: int, end_ms: int, is_in_days: bool, word: str) -> ics.Event:
    place = f"{start_ms}-{word}".encode()
    uid = hashlib.sha256(b"lavoir-taken" + listing.key + place).hexdigest()[:32]
    return ics.Event(
        uid=f"{uid}@lavoir",
        sequence=0,
        changed_ms=listing.updated_ms,
        start_ms=start_ms,
        end_ms=end_ms,
        is_in_days=is_in_days,
        summary=word,
        url=_town().config.url + url_for("listing.show", code=listing.code),
    )


def _said(language: str) -> Any:
    """Return what translates a message id into a language, the town's where none was chosen."""
    here = _town()
    return here.catalogues.language(language or here.config.language).translations.gettext


def _count(purpose: str) -> None:
    """Count one more request of this network address; raises TooMany."""
    here = _town()
    who, secret = rates.network(request.remote_addr), here.keyring.secret
    rates.take(purpose, who, secret=secret, now_ms=here.clock.now_ms(), limits=LIMITS)


def _answer(events: list[ics.Event], name: str, cache: str, file: str = "") -> Response:
    here = _town()
    zone = here.config.timezone
    text = ics.calendar(events, name=name, zone=zone, town=here.config.name)
    answer = Response(text, mimetype="text/calendar")
    answer.headers["Cache-Control"] = cache
    answer.headers["X-Robots-Tag"] = "noindex"
    if file:
        answer.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return answer
