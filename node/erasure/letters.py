"""The letters kept as files where there is no mail server: those about an erased listing go too."""

import email
import email.policy
from collections.abc import Collection
from email.message import EmailMessage
from pathlib import Path
from typing import cast

MAIL_MAX_BYTES = 1_000_000


def drop(folder: Path, engagements: Collection[bytes]) -> int:
    """Delete the letters that name one of these engagements; return how many.

    A letter names it in the address of its page. Raises OSError.
    """
    named = [each.hex() for each in engagements]
    if not named or not folder.is_dir():
        return 0
    dropped = 0
    for path in (*folder.glob("*.eml"), *folder.glob("*.part")):
        text = _text(path)
        if any(each in text for each in named):
            path.unlink(missing_ok=True)
            dropped += 1
    return dropped


def _text(path: Path) -> str:
    """Return the words of a letter as its reader sees them, "" for what is no letter."""
    try:
        raw = path.read_bytes()[:MAIL_MAX_BYTES]
        mail = cast(EmailMessage, email.message_from_bytes(raw, policy=email.policy.default))
        body = mail.get_body(("plain",))
        return str(body.get_content()) if body is not None else ""
    except (OSError, LookupError, ValueError):
        return ""
