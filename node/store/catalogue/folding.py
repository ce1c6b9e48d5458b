"""Folding: the form in which words are searched, the same for what is written and what is asked.

Accents, case, ligatures, elisions (l', d', qu') and final s or x do not count, so "echelles" finds
"l'Échelle". Done here rather than by the database's tokenizer, so that any database will do.
"""

import re
import unicodedata

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "’": "'", "ʼ": "'", "`": "'"})
_ELISION = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu)'(?=\w)")
_MARKS = re.compile("[\u0300-\u036f]+")
_WORD = re.compile(r"[^\W_]+")
_EMPTY = frozenset(
    ("a", "au", "aux", "avec", "ce", "ces", "d", "dans", "de", "des", "du", "en", "et", "l", "la",
     "le", "les", "ou", "par", "pour", "que", "qui", "sur", "un", "une")
)  # fmt: skip
WORDS_MAX = 12  # of a question; the rest is let be


def folded(text: str) -> list[str]:
    """Return the words of a text as they are searched, in order."""
    flat = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = _ELISION.sub("", _MARKS.sub("", flat).translate(_LIGATURES))
    return [_singular(word) for word in _WORD.findall(plain)]


def indexed(*texts: str) -> str:
    """Return what the search table keeps of some texts."""
    return " ".join(word for text in texts for word in folded(text))


def match_query(text: str) -> str:
    """Return an FTS5 query for whatever a person typed: all words, the last one as a beginning.

    Little words count only when there are no others; "" when there is no word at all.
    """
    words = folded(text)[:WORDS_MAX]
    telling = [word for word in words if word not in _EMPTY] or words
    return " ".join(f'"{word}"' for word in telling) + "*" if telling else ""


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] in "sx" else word
