"""The mails: what a notice says, in the reader's language, from the state at the moment it leaves.

Here and not in `notices`, because a mail speaks like a page: the same sentences, dates and titles.
"""

import json
from collections.abc import Mapping
from typing import Any

from node.domain.words import N_
from node.members import codes
from node.notices import CODE, Letter, Sender, Writer, post_of
from node.notices.letters import written
from node.pages import formats
from node.pages.language import _, speaking
from node.store.catalogue import listings
from node.store.notices import Notice
from node.store.people import members
from node.store.promises import engagements

STALE_CODE_MS = 30 * 60_000  # who asked that long ago has gone away, or asked again
ENGAGEMENT_KINDS = ("engagement_asked", "engagement_moved", "engagement_unanswered")


def sender(town: Any) -> Sender:
    """Return what sends the notices of a town (node.app.Town)."""
    config = town.config
    return Sender(post_of(config), writers(town), town.clock, config.mails_per_hour)


def writers(town: Any) -> Mapping[str, Writer]:
    """Return who writes each kind of notice."""

    def code(notice: Notice) -> Letter | None:
        return _code(town, notice)

    def engagement(notice: Notice) -> Letter | None:
        return _engagement(town, notice)

    return {CODE: code, **dict.fromkeys(ENGAGEMENT_KINDS, engagement)}


def _code(town: Any, notice: Notice) -> Letter | None:
    now_ms = town.clock.now_ms()
    if not notice.address or now_ms - notice.queued_ms > STALE_CODE_MS:
        return None
    said = codes.by_mail(notice.address, secret=town.keyring.secret, now_ms=now_ms)
    if said is None:
        return None
    language = json.loads(notice.params or "{}").get("language", "")
    values = {
        "code": said,
        "minutes": codes.LIFE_MS["login"] // 60_000,
        "url": f"{town.config.url.rstrip('/')}/compte",
    }
    return _letter(town, CODE, notice.address, language, values)


def _engagement(town: Any, notice: Notice) -> Letter | None:
    """Write about an engagement as it stands; None when it moved on since, or nobody reads it.

    Whoever has to know of the later move has a notice of their own.
    """
    person = members.find(notice.member) if notice.member is not None else None
    row = engagements.find(notice.engagement) if notice.engagement else None
    if person is None or row is None or not person.email or person.status != "active":
        return None
    if json.loads(notice.params or "{}").get("state", row.state) != row.state:
        return None
    listing = listings.find(row.listing_origin, row.listing_key)
    words, state = town.engagements.words(row), town.engagements.state(row)
    with speaking(town.catalogues.language(person.language or town.config.language)):
        times = {name: formats.moment(at_ms) for name, at_ms in words.times.items()}
        values = {
            "title": (listing.title if listing else "") or _(N_("a listing that is gone")),
            "state": _(state.label),
            "sentence": _(words.message, **words.params, **times),
            "url": f"{town.config.url.rstrip('/')}/demandes/{row.id.hex()}",
        }
    return _letter(town, notice.kind, person.email, person.language, values)


def _letter(town: Any, kind: str, to: str, language: str, values: Mapping[str, Any]) -> Letter:
    config = town.config
    shared = {
        "town": config.name,
        "manager": config.manager,
        "account_url": f"{config.url.rstrip('/')}/compte",
    }
    spoken = town.catalogues.language(language or config.language)
    with speaking(spoken):
        return written(kind, to, spoken.code, _, {**shared, **values})
