"""What the desk tells a member: a sentence in their language, the moderator's words, a letter."""

import json

from node.domain.words import N_
from node.store import notices
from node.store.database import write_tx
from node.store.people import desk_words

KIND = "desk_word"  # of the notice
TEXT_MAX = 500
SENTENCES = {  # kind of word: what happened; %(title)s names the listing it is about
    "hidden": N_("Your listing “%(title)s” is hidden here until it is mended. Promises stay."),
    "held_back": N_(
        "Several residents reported your listing “%(title)s”. It is hidden until a moderator has"
        " looked at it. Promises stay."
    ),
    "shown": N_("Your listing “%(title)s” is shown again."),
    "withdrawn": N_("The desk withdrew your listing “%(title)s”. Promises stay."),
    "warned": N_("The desk warns you about your listing “%(title)s”."),
    "suspended": N_("Your account is suspended, and your listings are hidden."),
    "restored": N_("Your account is open again, and your listings are shown."),
    "admitted": N_("Welcome: the desk accepted your membership."),
    "refused": N_("The desk did not accept your membership for now."),
    "report_hidden": N_("You reported “%(title)s”: it is hidden here now."),
    "report_held_back": N_(
        "You reported “%(title)s”: others did too. It is hidden until a moderator has looked."
    ),
    "report_withdrawn": N_("You reported “%(title)s”: the desk withdrew it."),
    "report_warned": N_("You reported “%(title)s”: the desk warned whoever published it."),
    "report_suspended": N_("You reported “%(title)s”: it is not shown any more."),
    "report_elsewhere": N_("You reported “%(title)s”: its own town acted on it."),
    "report_rejected": N_("You reported “%(title)s”: the desk looked and leaves it as it is."),
}


def tell(
    member: int, kind: str, text: str = "", *, now_ms: int,
    register: tuple[bytes, bytes] | None = None,
) -> None:  # fmt: skip
    """Keep a word for a member's account and queue its letter; raises KeyError for its kind.

    `register` is the (origin, key) of the listing it is about, `text` what the moderator wrote.
    """
    if kind not in SENTENCES:
        raise KeyError(kind)
    with write_tx():
        word = desk_words.tell(member, kind, text[:TEXT_MAX], now_ms=now_ms, register=register)
        notices.queue(KIND, now_ms=now_ms, member=member, params=json.dumps({"word": word.id}))
