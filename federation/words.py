"""Words people read aloud or copy from paper: a recovery root in 24, a pair of towns in six.

Both use the BIP 39 lists (French first); the only door to the mnemonic library.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from mnemonic import Mnemonic

from federation.errors import LocalProtocolError

LANGUAGES: Final = ("french", "english")
ROOT_BYTES: Final = 32
RECOVERY_WORDS: Final = 24
PAIRING_WORDS: Final = 6
WORD_BITS: Final = 11
SHEET: Final = "LAVOIR-ROOT/1"  # letters, digits, / and : alone: a small square for a camera
_ENOUGH_LETTERS: Final = 4  # in these lists four letters name a word
_PAIRING: Final = b"lavoir-pairing/1"
_SCRYPT_COST: Final = 2**14  # 16 MiB and some 50 ms a pair: see "Six words" in SPEC.md's rationale


def to_words(seed: bytes, language: str = "french") -> list[str]:
    """Write a 32-byte root seed as 24 words, the last of which holds a checksum (BIP 39)."""
    if len(seed) != ROOT_BYTES:
        raise LocalProtocolError("bad_words", "a root seed has 32 bytes")
    phrase = _mnemonic(language).to_mnemonic(seed)
    return unicodedata.normalize("NFC", phrase).split()


def from_words(words: Sequence[str]) -> bytes:
    """Read 24 words back into the root seed, in whichever list they are.

    Forgives case, accents and anything after the fourth letter. LocalProtocolError("bad_words")
    names the first word that is in no list, or says that the checksum does not fit.
    """
    if len(words) != RECOVERY_WORDS:
        raise LocalProtocolError("bad_words", f"{len(words)} words instead of {RECOVERY_WORDS}")
    typed = [_plain(word) for word in words]
    unknown = {language: _first_unknown(typed, language) for language in LANGUAGES}
    for language in LANGUAGES:
        if unknown[language] is None:
            phrase = " ".join(_index(language)[word] for word in typed)
            if _mnemonic(language).check(phrase):
                return bytes(_mnemonic(language).to_entropy(phrase))
    places = [place for place in unknown.values() if place is not None]
    if len(places) == len(LANGUAGES):
        raise LocalProtocolError("bad_words", f"word {max(places) + 1} is in no list")
    raise LocalProtocolError("bad_words", "the checksum does not fit: a word is another one")


def unknown_at(words: Sequence[str]) -> int | None:
    """The place (from 0) of the first word that is in no list with the others, None if all are."""
    typed = [_plain(word) for word in words]
    places = [_first_unknown(typed, language) for language in LANGUAGES]
    return None if None in places else max(place for place in places if place is not None)


def to_sheet(seed: bytes, town: bytes) -> str:
    """What the square on a recovery sheet says: the root seed and the town id, in capitals."""
    if len(seed) != ROOT_BYTES or len(town) != ROOT_BYTES:
        raise LocalProtocolError("bad_words", "a root seed and a town id have 32 bytes each")
    return f"{SHEET}:{seed.hex()}:{town.hex()}".upper()


def from_sheet(text: str) -> tuple[bytes, bytes]:
    """Read what the square on a recovery sheet says: (root seed, town id).

    Raises LocalProtocolError("bad_words").
    """
    found = re.fullmatch(rf"{SHEET}:([0-9A-F]{{64}}):([0-9A-F]{{64}})", text.strip().upper())
    if found is None:
        raise LocalProtocolError("bad_words", "not the square of a recovery sheet")
    return bytes.fromhex(found[1]), bytes.fromhex(found[2])


@lru_cache(maxsize=256)
def _six(pair: bytes, language: str) -> tuple[str, ...]:
    bits = PAIRING_WORDS * WORD_BITS
    digest = hashlib.scrypt(pair, salt=_PAIRING, n=_SCRYPT_COST, r=8, p=1, dklen=-(-bits // 8))
    number = int.from_bytes(digest, "big") >> -bits % 8
    places = [number >> WORD_BITS * step & 2**WORD_BITS - 1 for step in range(PAIRING_WORDS)]
    listed = _mnemonic(language).wordlist
    return tuple(unicodedata.normalize("NFC", listed[place]) for place in reversed(places))


def six_words(town_a: bytes, town_b: bytes, language: str = "french") -> list[str]:
    """The six words two admins compare by voice: a slow hash of both town ids, in either order."""
    return list(_six(min(town_a, town_b) + max(town_a, town_b), language))


@lru_cache(maxsize=len(LANGUAGES))
def _mnemonic(language: str) -> Mnemonic:
    if language not in LANGUAGES:
        raise LocalProtocolError("bad_words", f"no list of words in {language}")
    return Mnemonic(language)


def _plain(word: str) -> str:
    """A word as a tired person may type it: no accents, small letters, four at most."""
    letters = unicodedata.normalize("NFKD", word.strip().lower().replace("œ", "oe"))
    return "".join(filter(str.isalpha, letters))[:_ENOUGH_LETTERS]


@lru_cache(maxsize=len(LANGUAGES))
def _index(language: str) -> dict[str, str]:
    """From the first four plain letters to the word as listed."""
    return {_plain(word): word for word in _mnemonic(language).wordlist}


def _first_unknown(typed: Sequence[str], language: str) -> int | None:
    index = _index(language)
    return next((place for place, word in enumerate(typed) if word not in index), None)
