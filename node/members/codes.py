"""The one-use codes: eight letters that let one person in once, mailed or handed out at the desk.

Trying a code and using it are two steps. `attempt` counts, outside any transaction, so that a
wrong guess stays counted whatever happens next; `redeem` uses the code up, and belongs in the
transaction that makes the session. Only a keyed hash is stored: it is looked up, never compared
letter by letter, so time tells nothing.
"""

import hmac
import secrets
from dataclasses import dataclass

from node.domain.errors import NotAllowed
from node.domain.words import N_
from node.members import accounts, rates
from node.store.catalogue.codes import ALPHABET, tidy
from node.store.database import db, write_tx
from node.store.people import doorstep, login_codes, members
from node.store.people.members import Member

LETTERS = 8  # 40 bits, with few tries
GROUP = 4
LIFE_MS = {  # how long a code counts, by purpose
    "login": 15 * 60_000,  # mailed to who has an account
    "join": 15 * 60_000,  # mailed to who has none yet
    "desk": 7 * 24 * 3_600_000,  # handed out: for an account, or a new one by that name
    "address": 60 * 60_000,  # mailed to the new address of who changes it; lets nobody in
}
ENTERING = ("login", "join", "desk")
_NO_ADDRESS = "@"  # before a random word: a new person without an address of mail


@dataclass(frozen=True)
class Attempt:
    """A code that was right when it was tried; `redeem` uses it up."""

    code_hash: bytes
    now_ms: int


def issue(
    purpose: str,
    email: str | None = None,
    member: int | None = None,
    *,
    name: str = "",
    secret: bytes,
    now_ms: int,
) -> str:
    """Return a fresh code, in groups; an earlier one of the same person and purpose ends.

    With `email` it only works together with that address. `member` is whom it lets in; without
    one it will make an account, called `name`. Raises KeyError for an unknown purpose.
    """
    code = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
    known = accounts.clean_email(email) if email else ""
    login_codes.give(
        _hash(code, known, secret), purpose, now_ms=now_ms, until_ms=now_ms + LIFE_MS[purpose],
        member=member, name=accounts.clean_name(name),
        email=known or ("" if member is not None else _NO_ADDRESS + secrets.token_hex(8)),
    )  # fmt: skip
    return spoken(code)


def by_mail(email: str, *, secret: bytes, now_ms: int, is_invited_only: bool = False) -> str | None:
    """Return a code to mail to that address, of an account or a new one; None for a suspended one.

    None for a new one as well where people come in by invitation only.

    Called when the mail is really written, so that no code waits in a queue and the page that was
    asked for it answers the same, in the same time, whoever asked.
    """
    member = accounts.by_email(email)
    if member.status == "suspended" if member is not None else is_invited_only:
        return None
    purpose, number = ("login", member.id) if member else ("join", None)
    return issue(purpose, email, number, secret=secret, now_ms=now_ms)


def attempt(
    typed: str,
    email: str | None = None,
    *,
    address: str | None,
    secret: bytes,
    now_ms: int,
    limits: rates.Table = rates.RATES,
) -> Attempt:
    """Try a code as typed, from a network address; raises NotAllowed("wrong_code") and TooMany.

    Must not be called inside a transaction: what it counts has to stay.
    """
    if db.in_transaction():
        raise RuntimeError("try a code before the transaction: its failure must stay counted")
    rates.take("code_tried", rates.network(address), secret=secret, now_ms=now_ms, limits=limits)
    rates.take("code_tried_anywhere", "", secret=secret, now_ms=now_ms, limits=limits)
    code, known = tidy(typed), members.tidy_email(email) or ""
    for said in (known, "") if known else ("",):  # a desk code may be typed beside an address
        code_hash = _hash(code, said, secret)
        if doorstep.code_is_good(code_hash, now_ms):
            return Attempt(code_hash, now_ms)
    if known:
        login_codes.missed(email=known)
    raise wrong()


def redeem(
    attempt: Attempt, *, name: str = "", language: str = "", admission: str = "open"
) -> Member:
    """Use the code up and return whom it lets in, making the account if it is for a new person.

    `admission` is how people become members today (`admission.MODES`), whatever it was when the
    code was made; a code of the desk always admits. Raises NotAllowed("wrong_code") when it was
    used in between, or admits nobody any more.
    """
    with write_tx():
        code = login_codes.spend(attempt.code_hash, attempt.now_ms)
        if code is None or code.purpose not in ENTERING:
            raise wrong()
        member = _member_of(code, name, language, attempt.now_ms, admission)
        if member.status not in ("active", "pending", "refused"):
            raise wrong()
        if member.status != "active" and (code.purpose == "desk" or _is_open(member, admission)):
            members.change(member.id, status="active", applied="")
    return accounts.find(member.id)


def _is_open(member: Member, admission: str) -> bool:
    """Return whether nobody has to say yes any more to who waits; a no stays a no."""
    return admission == "open" and member.status == "pending"


def spoken(code: str) -> str:
    """Return a code in groups, as it is said and printed: 7K3M 9QXT."""
    return " ".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def wrong() -> NotAllowed:
    """Return the one answer to every code that does not work: unknown, used or too late."""
    return NotAllowed(
        "wrong_code",
        N_("This code does not work, or no longer. Please check it, or ask for a new one."),
        name="code",
    )


def _member_of(
    code: login_codes.LoginCode, name: str, language: str, now_ms: int, admission: str
) -> Member:
    if code.member is not None:
        return accounts.find(code.member)
    email = "" if code.email.startswith(_NO_ADDRESS) else code.email
    # the account may have been made meanwhile, by a code asked for twice
    held = accounts.by_email(email)
    if held is None and code.purpose == "join" and admission == "invitation":
        raise wrong()
    is_admitted = code.purpose == "desk" or admission == "open"
    return held or accounts.create(
        name or code.name, email or None, now_ms=now_ms, language=language,
        status="active" if is_admitted else "pending",
    )  # fmt: skip


def _hash(code: str, email: str, secret: bytes) -> bytes:
    return hmac.digest(secret, f"code\0{email}\0{code}".encode(), "sha256")
