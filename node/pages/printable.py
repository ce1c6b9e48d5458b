"""The printable: what any text may do to the page it stands in, whoever wrote it: nothing.

Characters that turn the direction of what follows, hide, or control a terminal are left out where a
text is shown; marks piled up on a letter are cut. What is stored and passed on is not touched.
"""

import re
from typing import Any

from markupsafe import Markup

MARKS_MAX = 3  # accents one on top of the other: no language needs more

_ODD = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064"
    "\u2066-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb]+"
)
_PILE = re.compile(f"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff]{{{MARKS_MAX}}})"
                   "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff]+")  # fmt: skip


def printable(value: Any) -> Any:
    """Return a text without what plays tricks on a page; any other value as it is."""
    if not isinstance(value, str) or not (_ODD.search(value) or _PILE.search(value)):
        return value
    cleaned = _PILE.sub(r"\1", _ODD.sub("", str(value)))
    # safe: it was markup before, and only lost characters that are no part of any tag
    return Markup(cleaned) if isinstance(value, Markup) else cleaned
