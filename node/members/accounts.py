"""The accounts: the people of the town and what the association lets them do here."""

import re
from collections.abc import Callable, Iterable

from node.domain.errors import Conflict, Invalid, NotAllowed, NotFound, Problem
from node.domain.schema import tidy
from node.domain.words import N_
from node.store import audit, notices
from node.store.catalogue import holdings
from node.store.database import write_tx
from node.store.people import desk_words, doorstep, invitations, members, reports, sessions
from node.store.people.members import ROLES, Member

RESIDENT, MODERATOR, ADMIN = ROLES  # from the least to the most
NAME_MAX = 80
EMAIL_MAX = 254
PROFILE = ("name", "phone", "language", "quartier", "commune")
LANGUAGES = ("", "fr", "br", "en")

_EMAIL = re.compile(r"[^@\s,;:<>()\[\]\"\\]+@[^@\s,;:<>()\[\]\"\\]+\.[^@\s.,;:<>()\[\]\"\\]+")


def create(
    name: str,
    email: str | None = None,
    *,
    roles: Iterable[str] = (),
    now_ms: int,
    language: str = "",
    status: str = "active",
    invited_by: int | None = None,
) -> Member:
    """Make an account; of several `roles` the highest counts, without any it is a resident.

    Raises Invalid (name, email) and Conflict("email_taken"): for the desk's eyes, never for a
    visitor's, who may not learn which addresses are known.
    """
    role = max(roles, key=ROLES.index, default=RESIDENT)
    name, email = clean_name(name), clean_email(email) if email else None
    with write_tx():
        if email and by_email(email):
            raise Conflict("email_taken", N_("This address has an account already."), name="email")
        member = members.join(
            name, now_ms=now_ms, email=email, role=role, language=language, status=status,
            invited_by=invited_by,
        )  # fmt: skip
        if role != RESIDENT:
            note("role", member.id, now_ms, None, role)
    return member


def find(member: int) -> Member:
    """Return the account with this number; raises NotFound."""
    found = members.find(member)
    if found is None or found.status == "erased":
        raise NotFound("no_member", N_("There is no such account."))
    return found


def by_email(email: str) -> Member | None:
    """Return the account with this address however it is written, None without one."""
    return members.by_email(email) if email.strip() else None


def named(name: str) -> Member | None:
    """Return the first account called exactly so, None without one."""
    return next((each for each in _everyone() if each.name == clean_name(name)), None)


def change(member: int, **columns: str) -> None:
    """Change what a person says of herself (PROFILE); raises Invalid."""
    unknown = set(columns) - set(PROFILE)
    if unknown:
        raise ValueError(f"not for a form to change: {', '.join(sorted(unknown))}")
    if columns.get("language", "") not in LANGUAGES:
        raise _invalid(
            "language", "unknown_choice", N_("Please choose one of the answers offered.")
        )
    said = {name: tidy(text)[:200] for name, text in columns.items()}
    if "name" in said:
        said["name"] = clean_name(said["name"])
    members.change(find(member).id, **said)


# ── roles ────────────────────────────────────────────────────────────────────────────────────────


def may(member: Member | None, role: str) -> bool:
    """Return whether an active member has this role or a higher one."""
    if member is None or member.status != "active":
        return False
    return ROLES.index(member.role) >= ROLES.index(role)


def set_role(member: int, role: str, *, by: int | None, now_ms: int) -> None:
    """Give a member a role; raises Conflict("last_admin") and ValueError for an unknown role."""
    with write_tx():
        held = find(member)
        if held.role == ADMIN and role != ADMIN:
            _not_the_last(member)
        members.change(member, role=role)
        note("role", member, now_ms, by, role)


def suspend(member: int, *, by: int | None, now_ms: int) -> None:
    """Shut a member out at once, everywhere.

    Raises Conflict("last_admin", "yourself") and NotAllowed for who has a higher role than `by`.
    """
    with write_tx():
        held = find(member)
        if held.role == ADMIN:
            _not_the_last(member)
        if by is not None:
            _check_rank(held, by)
        members.change(member, status="suspended")
        sessions.end_all(member)
        doorstep.forget_codes(member, held.email)
        invitations.forget_member(member)
        note("suspend", member, now_ms, by)


def restore(member: int, *, by: int | None, now_ms: int) -> None:
    """Let a suspended member in again."""
    with write_tx():
        if find(member).status != "suspended":
            return
        members.change(member, status="active")
        note("restore", member, now_ms, by)


def erase(
    member: int,
    *,
    let_go: Callable[[int], object],
    withdraw: Callable[[bytes], object],
    by: int | None,
    now_ms: int,
) -> None:
    """Forget a person: engagements let go of, listings withdrawn, name and address gone.

    `let_go(member)`, the engagements' part, comes first: it must still know whose they are;
    `withdraw(key)` is the journal's. See `erasure.people`, which hands both over. The number
    stays, so that what was done still has an actor. All or nothing. Raises Conflict("last_admin").
    """
    with write_tx():
        held = find(member)
        if held.role == ADMIN:
            _not_the_last(member)
        let_go(member)
        for key in holdings.of_member(member):
            withdraw(key)
            holdings.forget(key)
        sessions.end_all(member)
        doorstep.forget_codes(member, held.email)
        notices.forget_member(member)
        audit.forget_member(member)
        for rows in (invitations, reports, desk_words):
            rows.forget_member(member)
        members.erase(member)
        note("erase", member, now_ms, None if by == member else by)


# ── what may be typed ────────────────────────────────────────────────────────────────────────────


def clean_name(name: str) -> str:
    """Return a name as it is kept: one line, "" allowed; raises Invalid when it is too long."""
    said = " ".join(tidy(name).split())
    if len(said) > NAME_MAX:
        raise _invalid("name", "too_long", N_("At most %(max)d characters, please."), max=NAME_MAX)
    return said


def clean_email(email: str) -> str:
    """Return an address of mail as it is kept, lower case; raises Invalid."""
    said = tidy(email).lower()
    if len(said) > EMAIL_MAX or not _EMAIL.fullmatch(said) or not said.isprintable():
        raise _invalid(
            "email", "not_an_address", N_("An address such as name@example.org, please.")
        )
    return said


def _invalid(field: str, code: str, message: str, **params: object) -> Invalid:
    return Invalid([Problem(field, code, message, params)])


def _not_the_last(member: int) -> None:
    admins = members.listed(role=ADMIN, status="active", limit=2)
    if [each.id for each in admins] == [member]:
        raise Conflict(
            "last_admin",
            N_("This is the only administrator. Please name another one first."),
        )


def _check_rank(held: Member, by: int) -> None:
    if held.id == by:
        raise Conflict("yourself", N_("Nobody shuts themself out: somebody else has to."))
    if not may(members.find(by), held.role):
        raise NotAllowed("role", N_("Your account is not allowed to do this."))


def _everyone() -> Iterable[Member]:
    after = 0
    while page := members.listed(after=after):
        yield from (each for each in page if each.status != "erased")
        after = page[-1].id


def note(action: str, member: int, now_ms: int, by: int | None, detail: str = "") -> None:
    """Write down what was done to an account, and by whom (None: the command line)."""
    actor = "member" if by is not None else "node"
    audit.note(
        f"member.{action}", at_ms=now_ms, actor=actor, member=by, subject=f"member/{member}",
        detail=detail,
    )  # fmt: skip
