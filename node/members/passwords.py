"""The passwords, for who wants one: Argon2id in its low-memory profile, never two boards' worth.

An address nobody has costs the same time as a wrong password, and is answered the same.
"""

import contextlib
import threading
from collections.abc import Iterator

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from node.domain.errors import Invalid, NotAllowed, Problem, TooMany
from node.domain.words import N_
from node.members import accounts, rates
from node.store.database import db
from node.store.people import members, sessions
from node.store.people.members import Member

SHORTEST, LONGEST = 12, 200
FEWEST_DIFFERENT = 5
PARALLEL = 2  # each takes 64 MiB and every core for some 0.2 s
WAIT_S = 10.0

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_slots = threading.BoundedSemaphore(PARALLEL)
# A hash of the same cost that no password answers to: what an unknown address is tried against.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$"
    "bGF2b2lyLW5vYm9keS1oZXJl$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)


def choose(member: int, password: str, *, keep: bytes = b"") -> None:
    """Give a member a password, or none ("": codes only); every other session ends.

    `keep` is the token hash of the session that stays. Call it outside a transaction. Raises
    Invalid("password").
    """
    held = accounts.find(member)
    hashed = ""
    if password:
        _check_strength(password, held)
        with _slot():
            hashed = _hasher.hash(password)
    members.change(member, password=hashed)
    sessions.end_all(member, but=keep)


def attempt(
    email: str,
    password: str,
    *,
    address: str | None,
    secret: bytes,
    now_ms: int,
    limits: rates.Table = rates.RATES,
) -> Member:
    """Return the member with that address and password, tried from a network address.

    Must not be called inside a transaction. Raises NotAllowed("wrong_password"), TooMany.
    """
    if db.in_transaction():
        raise RuntimeError("try a password before the transaction: it takes long and is counted")
    known = members.tidy_email(email) or ""
    for purpose, who in (
        ("password_tried_from", rates.network(address)),
        ("password_tried", known),
    ):
        rates.take(purpose, who, secret=secret, now_ms=now_ms, limits=limits)
    member = accounts.by_email(known)
    usable = member is not None and member.password and member.status in sessions.KNOWN
    if not _verified(member.password if usable and member else _NOBODY, password) or not member:
        raise NotAllowed(
            "wrong_password",
            N_("This address and this password do not belong together. A code always works."),
            name="password",
        )
    if _hasher.check_needs_rehash(member.password):
        with _slot():
            members.change(member.id, password=_hasher.hash(password))
    return member


def _verified(hashed: str, password: str) -> bool:
    with _slot():
        try:
            return _hasher.verify(hashed, password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False


@contextlib.contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=WAIT_S):
        raise TooMany("busy", N_("Too many people are logging in right now. Please try again."))
    try:
        yield
    finally:
        _slots.release()


def _check_strength(password: str, member: Member) -> None:
    said = password.lower()
    own = [each for each in (member.name, (member.email or "").partition("@")[0]) if len(each) > 3]
    if not SHORTEST <= len(password) <= LONGEST:
        message = N_("From %(min)d to %(max)d characters: a short sentence is fine.")
        raise _invalid("length", message, min=SHORTEST, max=LONGEST)
    if len(set(said)) < FEWEST_DIFFERENT or any(each.lower() in said for each in own):
        raise _invalid("too_easy", N_("This is too easy to guess. Please think of another one."))


def _invalid(code: str, message: str, **params: object) -> Invalid:
    return Invalid([Problem("password", code, message, params)])
