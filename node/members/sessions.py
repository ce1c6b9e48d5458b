"""The sessions: which browser is whose. The browser keeps the token, the database its hash."""

import base64
import hashlib
import hmac
import secrets

from node.store.database import StorageRefused, write_tx
from node.store.people import doorstep
from node.store.people import sessions as rows
from node.store.people.members import Member
from node.store.people.sessions import Session

DAY_MS = 86_400_000
LIFE_MS = 30 * DAY_MS  # after the last visit
SLIDE_MS = DAY_MS  # a visit a day is written down, not each page


def open(member: int, *, now_ms: int, device: str = "", token: str = "", old: str = "") -> str:
    """Open a session and return its token; `old`, the browser's one till now, ends.

    `token` is for who derives it (`derived`); a random one is made otherwise.
    """
    token = token or _spelled(secrets.token_bytes(32))
    with write_tx():
        for each in filter(None, (old, token)):
            rows.end(token_hash(each))
        rows.start(
            token_hash(token), member, now_ms=now_ms, until_ms=now_ms + LIFE_MS, device=device
        )
    return token


def derived(seed: bytes, secret: bytes) -> str:
    """Return the token that stands for one form sent once: a double click at login gets it twice.

    The seed is the form's idempotency key, which the server made and only that browser holds.
    """
    return _spelled(hmac.digest(secret, b"session\0" + seed, "sha256"))


def find(token: str, *, now_ms: int) -> Member | None:
    """Return whose browser it is, None when the session is over, ended or never was.

    They may be no member yet: look at `status`. Each day with a visit lets it last LIFE_MS from
    then; a disk that cannot be written to does not shut anybody out.
    """
    held = doorstep.session(token_hash(token), now_ms)
    if held is None:
        return None
    try:
        if held.until_ms < now_ms + LIFE_MS - SLIDE_MS:
            doorstep.lengthen(held.token_hash, now_ms + LIFE_MS)
        return rows.member_of(held.token_hash, now_ms)
    except StorageRefused:
        return held.member if held.member.status in rows.KNOWN else None


def age_ms(token: str, *, now_ms: int) -> int | None:
    """Return how long ago a session was opened, None when it is over."""
    held = doorstep.session(token_hash(token), now_ms)
    return now_ms - held.created_ms if held else None


def close(token: str) -> None:
    """Sign this browser out."""
    rows.end(token_hash(token))


def close_all(member: int, *, but: str = "") -> int:
    """Sign a member's browsers out everywhere, `but` the one with that token; return how many."""
    return rows.end_all(member, but=token_hash(but) if but else b"")


def close_one(member: int, name: str) -> None:
    """Sign out the member's browser with that `name_of`; does nothing for any other."""
    for each in listed(member):
        if hmac.compare_digest(name_of(each).encode(), name.encode("utf-8", "replace")):
            rows.end(each.token_hash)


def listed(member: int) -> list[Session]:
    """Return a member's sessions, last seen first."""
    return rows.of_member(member)


def name_of(session: Session) -> str:
    """Return what a form calls a session by: tells nothing of its token."""
    return hashlib.sha256(b"name\0" + session.token_hash).hexdigest()[:24]


def token_hash(token: str) -> bytes:
    """Return what the database keeps of a token: enough, since nobody can guess 32 random bytes."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
