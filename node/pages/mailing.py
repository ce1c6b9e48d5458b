"""The letters a notice becomes when it is really sent: worded from the state of that moment."""

import json
from collections.abc import Mapping
from typing import Any

from node.engagements import telling
from node.members import codes
from node.notices import CODE, Letter, Writer
from node.notices.letters import written
from node.pages import formats
from node.pages import told as desk_words
from node.pages.language import _, speaking
from node.store.catalogue import listings
from node.store.notices import Notice
from node.store.people import members
from node.store.promises import engagements as rows

CODE_MINUTES = 15


def writers(town: Any) -> Mapping[str, Writer]:
    """Return, for each kind of notice, what writes its letter for this town."""
    told = dict.fromkeys(telling.KINDS, lambda notice: _of_engagement(town, notice))
    of_desk = desk_words.writers(town, _written)
    return {**told, **of_desk, CODE: lambda notice: _of_code(town, notice)}


def _of_code(town: Any, notice: Notice) -> Letter | None:
    """Write the letter with a fresh code; None for an account that is shut out."""
    code = codes.by_mail(
        notice.address, secret=town.keyring.secret, now_ms=town.clock.now_ms(),
        is_invited_only=town.config.admission == "invitation",
    )  # fmt: skip
    if code is None:
        return None
    wanted = json.loads(notice.params or "{}").get("language", "")
    language = wanted or town.config.language
    values = {"code": code, "minutes": CODE_MINUTES, "url": f"{town.config.url}/compte"}
    return _written(town, CODE, notice.address, language, values)


def _of_engagement(town: Any, notice: Notice) -> Letter | None:
    """Write what is so now; None when the person or the request is gone, or it moved on since."""
    member = members.find(notice.member) if notice.member is not None else None
    row = rows.find(notice.engagement) if notice.engagement else None
    if member is None or row is None or not member.email or member.status != "active":
        return None
    if not town.engagements.is_news(row, notice.kind, notice.params, member.id):
        return None  # it was read, or done; a later notice tells of the state that followed
    listing = listings.find(row.listing_origin, row.listing_key)
    language = member.language or town.config.language
    with speaking(town.catalogues.language(language)):
        words = town.engagements.words(row)
        times = {name: formats.moment(at_ms) for name, at_ms in words.times.items()}
        then = town.engagements.states(row).get(row.lapses_to)
        values = {
            "title": (listing.title if listing else "") or _("A listing that is gone"),
            "state": _(town.engagements.state(row).label),
            "sentence": _(words.message, **{**words.params, **times}),
            "until": formats.moment(row.deadline_ms) if row.deadline_ms else "",
            "then": _(then.label) if then else "",
            "url": f"{town.config.url}/demandes/{row.id.hex()}",
        }
    return _written(town, notice.kind, member.email, language, values)


def _written(town: Any, kind: str, to: str, language: str, values: dict[str, Any]) -> Letter:
    known = {
        **values,
        "town": town.config.name,
        "manager": town.config.manager,
        "account_url": f"{town.config.url}/compte",
    }
    with speaking(town.catalogues.language(language)):
        return written(kind, to, language, _, known)
