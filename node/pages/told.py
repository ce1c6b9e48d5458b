"""The words of the desk as pages and letters say them: a sentence, the moderator's own words."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from node.members import address, told
from node.notices import Letter, Writer
from node.notices.letters import ADDRESS, ADDRESS_CHANGED, DESK_WORD
from node.pages.language import _, speaking
from node.store.catalogue import codes, listings
from node.store.notices import Notice
from node.store.people import desk_words, members
from node.store.people.desk_words import DeskWord

ADDRESS_MINUTES = 60
Write = Callable[..., Letter]


def spoken(word: DeskWord) -> dict[str, Any]:
    """Return one word in the reader's language: sentence, text, at_ms, is_new and the code."""
    code = codes.of(word.origin, word.key) if word.origin and word.key else ""
    return {
        "sentence": _(told.SENTENCES[word.kind], title=_title(word) or code),
        "text": word.text,
        "at_ms": word.at_ms,
        "is_new": word.seen_ms is None,
        "code": code,
    }


def _title(word: DeskWord) -> str:
    row = listings.find(word.origin, word.key) if word.origin and word.key else None
    return row.title if row is not None else ""


def writers(town: Any, write: Write) -> Mapping[str, Writer]:
    """Return what writes the letters about accounts; `write` is the town's own hand."""
    return {
        DESK_WORD: lambda notice: _of_word(town, notice, write),
        ADDRESS: lambda notice: _of_address(town, notice, write),
        ADDRESS_CHANGED: lambda notice: _of_change(town, notice, write),
    }


def _of_word(town: Any, notice: Notice, write: Write) -> Letter | None:
    """Write what the desk said; None for who has no address, or when it was forgotten."""
    person = members.find(notice.member) if notice.member is not None else None
    word = desk_words.find(json.loads(notice.params or "{}").get("word", 0))
    if person is None or word is None or not person.email or person.status == "erased":
        return None
    language = person.language or town.config.language
    with speaking(town.catalogues.language(language)):
        values = {**spoken(word), "url": f"{town.config.url}/compte"}
    return write(town, DESK_WORD, person.email, language, values)


def _of_address(town: Any, notice: Notice, write: Write) -> Letter | None:
    """Write the code that confirms a new address; None where somebody has it already."""
    person = members.find(notice.member) if notice.member is not None else None
    if person is None or person.status != "active":
        return None
    code = address.code_for(
        person.id, notice.address, secret=town.keyring.secret, now_ms=town.clock.now_ms()
    )
    if code is None:
        return None
    url = f"{town.config.url}/compte/adresse"
    values = {"code": code, "minutes": ADDRESS_MINUTES, "url": url}
    return write(town, ADDRESS, notice.address, _language(town, notice), values)


def _of_change(town: Any, notice: Notice, write: Write) -> Letter:
    """Tell the old address that another one took its place."""
    values = {"url": f"{town.config.url}/regles"}
    return write(town, ADDRESS_CHANGED, notice.address, _language(town, notice), values)


def _language(town: Any, notice: Notice) -> str:
    person = members.find(notice.member) if notice.member is not None else None
    wanted = json.loads(notice.params or "{}").get("language", "")
    return wanted or (person.language if person is not None else "") or town.config.language
