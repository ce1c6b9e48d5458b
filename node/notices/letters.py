"""The letters: the sentences of each kind of notice, and a written one ready to be sent."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from node.domain.words import N_
from node.store import notices
from node.store.notices import Notice

CODE = "code"
ADDRESS, ADDRESS_CHANGED = "address", "address_changed"
DESK_WORD = "desk_word"

# kind: (subject, body), message ids; their values are what the kind's writer knows
TEXTS = {
    CODE: (
        N_("%(code)s is your code for Lavoir"),
        N_(
            "Your code: %(code)s\n\n"
            "Type it on this page within %(minutes)d minutes; it works once:\n%(url)s\n\n"
            "You did not ask for it? Then do nothing: without this mail nobody comes in."
        ),
    ),
    ADDRESS: (
        N_("%(code)s confirms your new address"),
        N_(
            "Your code: %(code)s\n\n"
            "Type it on this page within %(minutes)d minutes, signed in:\n%(url)s\n\n"
            "You did not ask for it? Then do nothing: nothing changes."
        ),
    ),
    ADDRESS_CHANGED: (
        N_("Your address of mail was changed"),
        N_(
            "Codes and letters of your account go to another address from now on.\n\n"
            "It was not you? Tell the desk at once:\n%(url)s"
        ),
    ),
    DESK_WORD: (N_("A word of the desk"), N_("%(sentence)s\n\n%(text)s\n\nSee it:\n%(url)s")),
    "engagement_asked": (
        N_("A request for “%(title)s”"),
        N_("%(sentence)s\n\nSee it and answer:\n%(url)s"),
    ),
    "engagement_moved": (
        N_("“%(title)s”: %(state)s"),
        N_("%(sentence)s\n\nSee the request:\n%(url)s"),
    ),
    "engagement_unanswered": (
        N_("No answer for “%(title)s”"),
        N_("%(sentence)s\n\nSee the request:\n%(url)s"),
    ),
    "engagement_message": (
        N_("“%(title)s”: somebody wrote to you"),
        N_("There are words for you about “%(title)s”.\n\nRead them and answer:\n%(url)s"),
    ),
    "engagement_reminded": (
        N_("“%(title)s”: until %(until)s"),
        N_(
            "%(sentence)s\n\nUntil %(until)s; then: %(then)s.\n\n"
            "Already done? Then there is nothing left to do.\n\nSee the request:\n%(url)s"
        ),
    ),
    "engagement_warned": (
        N_("“%(title)s”: something is broken"),
        N_(
            "Something was reported about “%(title)s”. What you agreed on stands;"
            " please read what it is before you fetch it:\n%(url)s"
        ),
    ),
    "engagement_late": (
        N_("“%(title)s”: not back yet"),
        N_(
            "“%(title)s” should have come back and is still with somebody else. What you agreed on"
            " stands; please speak to each other about when it is fetched:\n%(url)s"
        ),
    ),
}
SIGNATURE = N_("Lavoir of %(town)s, kept by %(manager)s. What is mailed to you: %(account_url)s")
SIGNATURE_ALONE = N_("Lavoir of %(town)s. What is mailed to you: %(account_url)s")

Say = Callable[..., str]  # say(message id, **values) in the reader's language


@dataclass(frozen=True)
class Letter:
    """One letter: to whom, in which language, and its words."""

    to: str
    language: str
    subject: str
    body: str


def written(kind: str, to: str, language: str, say: Say, values: Mapping[str, Any]) -> Letter:
    """Return the letter of a kind in the words of `say`; raises KeyError for an unknown kind.

    `values` hold what TEXTS names, and town, manager, account_url for the signature.
    """
    subject, body = TEXTS[kind]
    signature = SIGNATURE if values.get("manager") else SIGNATURE_ALONE
    text = f"{say(body, **values)}\n\n-- \n{say(signature, **values)}\n"
    return Letter(to, language, " ".join(say(subject, **values).split()), text)


def queue_code(email: str, language: str, now_ms: int) -> Notice:
    """Queue a code for an address of mail; the code itself is made when the mail is written.

    So no code lies in the database, and the page that queues it does the same whoever asks.
    """
    params = json.dumps({"language": language})
    return notices.queue(CODE, now_ms=now_ms, address=email, params=params)
