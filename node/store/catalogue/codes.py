"""The listing codes: four letters or more that name a register for ever, spoken and on posters."""

import hashlib

import peewee

from node.store.database import db, write_tx
from node.store.row import BytesField, Row

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
SHORTEST = 4
_CODE_OF = 'SELECT code FROM listing_code WHERE origin = ? AND "key" = ?'
_IS_GIVEN = "SELECT 1 FROM listing_code WHERE code = ?"
_MENDED = str.maketrans("ILO", "110")


class ListingCode(Row):
    """A code and the register it was given to; never given to another."""

    code = peewee.TextField(primary_key=True)
    origin = BytesField()
    key = BytesField()

    class Meta:
        indexes = ((("origin", "key"), True),)
        without_rowid = True


def allocate(origin: bytes, key: bytes) -> str:
    """Return the code of a register, giving it the shortest free beginning of its own hash.

    So towns that know the same listings mostly use the same codes. Raises RuntimeError when all
    lengths are taken (never, short of a broken hash).
    """
    with write_tx():
        held = db.execute_sql(_CODE_OF, (origin, key)).fetchone()
        if held is not None:
            return held[0]
        letters = _letters(hashlib.sha256(origin + key).digest())
        for length in range(SHORTEST, len(letters) + 1):
            code = letters[:length]
            if db.execute_sql(_IS_GIVEN, (code,)).fetchone() is None:
                ListingCode.upsert(code=code, origin=origin, key=key)
                return code
    raise RuntimeError("no free listing code")


def of(origin: bytes, key: bytes) -> str:
    """Return the code of a register, "" if it was given none."""
    held = db.execute_sql(_CODE_OF, (origin, key)).fetchone()
    return str(held[0]) if held is not None else ""


def register(code: str) -> tuple[bytes, bytes] | None:
    """Return the (origin, key) a typed code names."""
    held = ListingCode.get_or_none(ListingCode.code == tidy(code))
    return (held.origin, held.key) if held else None


def tidy(typed: str) -> str:
    """Return a code as typed by a person in its one form: upper case, I L O read as 1 1 0."""
    return "".join(c for c in typed.upper().translate(_MENDED) if c in ALPHABET)


def _letters(digest: bytes) -> str:
    number = int.from_bytes(digest, "big")
    return "".join(ALPHABET[number >> shift & 31] for shift in range(251, 0, -5))
