"""A new address of mail: it counts once a code mailed to it was typed by whoever is signed in."""

import json

from node.members import accounts, codes
from node.store import notices
from node.store.database import write_tx
from node.store.people import doorstep, login_codes, members

ASKED = "address"  # the notice with the code, to the new address
CHANGED = "address_changed"  # the notice to the old one


def ask(member: int, email: str, *, language: str, now_ms: int) -> str:
    """Queue a code for a new address of a member and return the address as it is kept.

    The code is made when the mail is written. Raises Invalid(email).
    """
    said = accounts.clean_email(email)
    params = json.dumps({"language": language})
    notices.queue(ASKED, now_ms=now_ms, member=member, address=said, params=params)
    return said


def code_for(member: int, email: str, *, secret: bytes, now_ms: int) -> str | None:
    """Return the code to mail to a new address; None where somebody has an account with it.

    The page that asked for it says the same in both cases.
    """
    if accounts.by_email(email) is not None:
        return None
    return codes.issue("address", email, member, secret=secret, now_ms=now_ms)


def confirm(tried: codes.Attempt, member: int, email: str) -> None:
    """Give a member the address whose code they typed; the old address is told.

    Raises NotAllowed("wrong_code").
    """
    said = accounts.clean_email(email)
    with write_tx():
        code = login_codes.spend(tried.code_hash, tried.now_ms)
        is_theirs = code is not None and (code.purpose, code.member) == ("address", member)
        if code is None or not is_theirs or code.email != said or accounts.by_email(said):
            raise codes.wrong()
        old = accounts.find(member).email
        members.change(member, email=said)
        if old:
            doorstep.forget_codes(member, old)
            notices.queue(CHANGED, now_ms=tried.now_ms, member=member, address=old)
        accounts.note("address", member, tried.now_ms, member)
