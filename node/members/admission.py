"""Admission: how a person becomes a member: by themselves, by a yes of the desk, or invited.

Who waits for a yes can sign in and read; nothing can be asked or published in their name. A proof
of residence is looked at by somebody of the desk and given back; that it was, when and by whom is
all that is kept.
"""

import hmac
import secrets

from node.domain.errors import Conflict, Invalid, NotAllowed, Problem
from node.domain.schema import tidy
from node.domain.words import N_
from node.members import accounts, codes, rates, told
from node.store.catalogue.codes import ALPHABET
from node.store.catalogue.codes import tidy as tidy_code
from node.store.database import db, write_tx
from node.store.people import invitations, members
from node.store.people.invitations import Invitation
from node.store.people.members import Member

OPEN, APPROVAL, INVITATION = MODES = ("open", "approval", "invitation")
DAY_MS = 86_400_000
LETTERS = 12  # 60 bits: an invitation lives longer than a code, and works more than once
USES_MAX = 50
DAYS_MAX = 60
LIVING_MAX = 20  # invitations of one member at a time
NOTE_MAX = 80
APPLIED_MAX = 500


def apply(member: int, *, name: str, words: str, now_ms: int) -> None:
    """Keep what somebody writes who wishes to become a member; who was refused asks again.

    Raises Invalid(name, words), Conflict("not_waiting").
    """
    said, known = tidy(words), accounts.clean_name(name)
    if not known:
        raise Invalid([Problem("name", "required", N_("Please fill this in."))])
    if len(said) > APPLIED_MAX:
        message = N_("At most %(max)d characters, please.")
        raise Invalid([Problem("words", "too_long", message, {"max": APPLIED_MAX})])
    with write_tx():
        if accounts.find(member).status not in ("pending", "refused"):
            raise _not_waiting()
        members.change(member, name=known, applied=said, status="pending")


def accept(member: int, *, by: int, words: str = "", now_ms: int) -> None:
    """Make a member of who waits; raises Conflict("not_waiting")."""
    _answer(member, "active", "admitted", by, words, now_ms)


def refuse(member: int, *, by: int, words: str, now_ms: int) -> None:
    """Say no to who waits, with a reason they are told; raises Conflict, Invalid(words)."""
    if not tidy(words):
        raise Invalid([Problem("words", "required", N_("Please say why: they will read it."))])
    _answer(member, "refused", "refused", by, words, now_ms)


def prove(member: int, is_seen: bool, *, by: int, now_ms: int) -> None:
    """Note that a proof of residence was seen (or that this was a mistake), when and by whom.

    Raises NotAllowed("own_proof"): nobody vouches for themself.
    """
    if member == by:
        raise NotAllowed("own_proof", N_("Somebody else of the desk has to do this."))
    with write_tx():
        accounts.find(member)
        members.change(
            member, resident_ms=now_ms if is_seen else None, resident_by=by if is_seen else None
        )
        accounts.note("proof" if is_seen else "unproof", member, now_ms, by)


def waiting() -> list[Member]:
    """Return who waits for a yes, oldest first."""
    return members.listed(status="pending", limit=1_000)


# ── invitations ──────────────────────────────────────────────────────────────────────────────────


def invite(member: int, *, uses: int, days: int, note: str, secret: bytes, now_ms: int) -> str:
    """Return the code of a fresh invitation, in groups; only its keyed hash is kept.

    Raises Invalid(uses, days, note), NotAllowed for who is no member, Conflict("too_many_living").
    """
    problems = [
        Problem(name, "out_of_range", N_("Between %(min)d and %(max)d, please."),
                {"min": 1, "max": most})
        for name, value, most in (("uses", uses, USES_MAX), ("days", days, DAYS_MAX))
        if not 1 <= value <= most
    ]  # fmt: skip
    said = " ".join(tidy(note).split())
    if len(said) > NOTE_MAX:
        message = N_("At most %(max)d characters, please.")
        problems.append(Problem("note", "too_long", message, {"max": NOTE_MAX}))
    if problems:
        raise Invalid(problems)
    code = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
    with write_tx():
        if not accounts.may(accounts.find(member), accounts.RESIDENT):
            raise NotAllowed("role", N_("Your account is not allowed to do this."))
        if len(invitations.of_member(member, now_ms)) >= LIVING_MAX:
            raise Conflict("too_many_living", N_("You have many invitations open: end one first."))
        invitations.make(
            _hash(code, secret), member, note=said, uses=uses, now_ms=now_ms,
            until_ms=now_ms + days * DAY_MS,
        )  # fmt: skip
    return codes.spoken(code)


def look(typed: str, *, address: str | None, secret: bytes, now_ms: int,
         limits: rates.Table = rates.RATES) -> bytes:  # fmt: skip
    """Return what `join` takes for a good invitation, tried from a network address.

    Must not be called inside a transaction: what it counts has to stay. Raises
    NotAllowed("wrong_code") and TooMany.
    """
    if db.in_transaction():
        raise RuntimeError("try an invitation before the transaction: it must stay counted")
    rates.take("code_tried", rates.network(address), secret=secret, now_ms=now_ms, limits=limits)
    rates.take("code_tried_anywhere", "", secret=secret, now_ms=now_ms, limits=limits)
    code_hash = _hash(tidy_code(typed[:80]), secret)
    if _inviter(invitations.good(code_hash, now_ms)) is None:
        raise codes.wrong()
    return code_hash


def join(code_hash: bytes, name: str, *, mode: str, language: str, now_ms: int) -> Member:
    """Use an invitation once and return the account it made.

    Where the desk approves members, a resident's invitation recommends and a moderator's admits.
    Raises NotAllowed("wrong_code") when it ended in between, Invalid(name).
    """
    known = accounts.clean_name(name)
    if not known:
        raise Invalid([Problem("name", "required", N_("Please fill this in."))])
    with write_tx():
        inviter = _inviter(invitations.use(code_hash, now_ms))
        if inviter is None:
            raise codes.wrong()
        admits = mode != APPROVAL or accounts.may(inviter, accounts.MODERATOR)
        return accounts.create(
            known, now_ms=now_ms, language=language, invited_by=inviter.id,
            status="active" if admits else "pending",
        )  # fmt: skip


def _inviter(invitation: Invitation | None) -> Member | None:
    """Return who made an invitation, None when it is none or they are no member any more."""
    made_by = members.find(invitation.member) if invitation is not None else None
    return made_by if accounts.may(made_by, accounts.RESIDENT) else None


def _hash(code: str, secret: bytes) -> bytes:
    return hmac.digest(secret, f"invitation\0{code}".encode(), "sha256")


def _answer(member: int, status: str, kind: str, by: int, words: str, now_ms: int) -> None:
    with write_tx():
        if accounts.find(member).status != "pending":
            raise _not_waiting()
        members.change(member, status=status, applied="")
        told.tell(member, kind, tidy(words)[: told.TEXT_MAX], now_ms=now_ms)
        audit_word = "admit" if status == "active" else "refuse"
        accounts.note(audit_word, member, now_ms, by, tidy(words)[:200])


def _not_waiting() -> Conflict:
    return Conflict("not_waiting", N_("This was answered already."))
